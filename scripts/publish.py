"""Make a folder of a finished run that can be uploaded: weights, tokenizer, model card; and upload it.

Usage:
    python scripts/publish.py RUN [--out FOLDER] [--step N] [--base-model NAME] [--license ID] [--gguf [TYPE]]
        [--converter FILE] [--push NAME] [--public] [--dry-run]

The model card has the base model, the data with SHA-256 and counts, the settings that differ from the defaults, the
evaluations with intervals, the reward, the sandbox, what is not shown, and the commands that repeat the run. The folder
is looked through for this machine's paths, users and secrets before it gets its name. `--push` uploads it to a new
repository, private unless `--public`, with the token of HF_TOKEN. Exit codes: 0 done, 2 bad input, 3 the host, the hub
or the converter failed.

Example:
    python scripts/publish.py runs/first --dry-run
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from publishing.converter import GGUF_TYPES, find_converter

# huggingface_hub takes most of a second to load: `--help` and bad input do without.


@command("publish")
def main(argv: Sequence[str] | None = None) -> int:
    """Write the folder, upload it where asked; the exit code."""
    options = _parser().parse_args(argv)
    if options.public and not options.push:
        raise BadInput("--public is for --push: give it the name of the repository")
    then = _conversion(options.gguf, options.converter)
    from publishing.finished import read_finished
    from publishing.folder import build_folder, sizes
    from publishing.header import base_model_of
    from publishing.upload import check_upload, upload

    run = read_finished(options.run, options.step)
    base = base_model_of(run, hub_name=options.base_model, license=options.license)
    token = check_upload(options.push) if options.push and not options.dry_run else ""
    if options.dry_run:
        with tempfile.TemporaryDirectory() as scratch:
            found = sizes(build_folder(run, base, Path(scratch) / "folder", then=partial(then, run.name)))
        place = f"{options.push} ({'public' if options.public else 'private'})" if options.push else "a folder"
        print(f"{_listed(found)}\nnothing was written or sent; without --dry-run this goes to {place}")
        return ExitCode.DONE
    out = build_folder(run, base, options.out or options.run / "hub", then=partial(then, run.name))
    print(f"{_listed(sizes(out))}\nfolder    {out}")
    if options.push:
        message = f"Step {run.step} of {run.name}"
        print(f"uploaded  {upload(out, options.push, token=token, private=not options.public, message=message)}")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder that scripts/train.py or sft.py wrote")
    parser.add_argument("--out", type=Path, help="the new folder; default: RUN/hub")
    parser.add_argument("--step", type=int, help="the checkpoint; default: the newest")
    parser.add_argument(
        "--base-model",
        default="",
        metavar="NAME",
        help="the base model's name on the hub, where the run began from a copy",
    )
    parser.add_argument("--license", default="", metavar="ID", help="default: what the base model's own card says")
    parser.add_argument(
        "--gguf", nargs="?", const="f16", choices=GGUF_TYPES, help="a file for llama.cpp too, f16 unless named"
    )
    parser.add_argument(
        "--converter", type=Path, help="convert_hf_to_gguf.py of llama.cpp, where it is not on the PATH"
    )
    parser.add_argument("--push", default="", metavar="NAME", help="upload to this new repository of the hub")
    parser.add_argument("--public", action="store_true", help="with --push: for everybody to see; default: private")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written or sent, with sizes")
    return parser


def _conversion(kind: str | None, converter: Path | None) -> Callable[[str, Path], None]:
    """What makes the GGUF file of a model of some name in its folder; it does nothing where none is asked for."""
    if kind is None:
        if converter is not None:
            raise BadInput("--converter is for --gguf: give both")
        return lambda name, folder: None
    found = find_converter(converter)
    from publishing.converter import convert

    def conversion(name: str, folder: Path) -> None:
        print(f"gguf      {convert(found, folder, name=re.sub(r'[^A-Za-z0-9_.+-]', '-', name), kind=kind).name}")

    return conversion


def _listed(files: dict[str, int]) -> str:
    """Files with their sizes, and all of them together."""
    width = max(map(len, files))
    lines = [f"{name:{width}}  {size:>14,} bytes" for name, size in files.items()]
    return "\n".join([*lines, f"{'all':{width}}  {sum(files.values()):>14,} bytes"])


if __name__ == "__main__":
    sys.exit(main())
