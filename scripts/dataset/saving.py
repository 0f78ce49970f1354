"""Where a data set goes: one file, or a folder with a file for each split; its manifest goes beside or into it."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataset.rows import write_rows
from dataset.sources import file_of
from dataset.splits import SIZES, SPLITS, check_sizes, divide
from durable.write_whole import write_whole
from grpo.errors import BadInput

__all__ = [
    "ENDINGS",
    "check_folder",
    "add_output_options",
    "check_output",
    "companion",
    "describe_saved",
    "save",
    "save_manifest",
]

ENDINGS = (".jsonl", ".parquet")


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add --out and --split-sizes to a verb's arguments."""
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE or FOLDER",
        help="one file (.jsonl or .parquet), or a folder for train.parquet, eval.parquet and test.parquet",
    )  # fmt: skip
    parser.add_argument(
        "--split-sizes", type=int, nargs=3, default=SIZES, metavar=("TRAIN", "EVAL", "TEST"),
        help="rows of each file of a folder at most; with fewer rows in all, their proportions (default: %(default)s)",
    )  # fmt: skip


def check_output(options: argparse.Namespace) -> None:
    """Check the arguments of `add_output_options`, and make the folder: before hours of work, and not after them.

    Args:
        options: With these arguments, and `sources`.
    Raises: BadInput.
    """
    check_sizes(options.split_sizes)
    if options.out.suffix and options.out.suffix not in ENDINGS:
        raise BadInput(
            f"--out {options.out}: give a folder, without a dot in its name, or a file that ends in "
            f"{' or '.join(ENDINGS)}"
        )
    if options.out.suffix and options.split_sizes is not SIZES:
        raise BadInput(f"--split-sizes goes with a folder: --out {options.out} is one file")
    if not options.out.suffix and options.out.exists() and not options.out.is_dir():
        raise BadInput(f"--out {options.out} is a file without an ending: give a folder, or another name")
    if options.out.suffix and options.out.is_dir():
        raise BadInput(f"--out {options.out} is a folder with the ending of a file: give another name")
    written = [options.out] if options.out.suffix else [options.out / f"{split}.parquet" for split in SPLITS]
    for source in options.sources:
        if file_of(source).resolve() in [path.resolve() for path in written]:
            raise BadInput(f"--out {options.out} would overwrite the source {source}: give another name")
    check_folder(written[0].parent)


def check_folder(folder: Path) -> None:
    """Make a folder that files can be written to. Raises: BadInput, where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadInput(f"--out: nothing can be written to {folder} ({error.strerror}): give another folder") from None


def _task_id(row: Mapping[str, Any]) -> str:
    return str(row["task_id"])


def save(
    rows: Sequence[Mapping[str, Any]],
    options: argparse.Namespace,
    *,
    name: Callable[[Mapping[str, Any]], str] = _task_id,
) -> dict[Path, int]:
    """Write rows to where the arguments say.

    Args:
        rows: Of any columns.
        options: With the arguments of `add_output_options`.
        name: What decides which split a row goes to: rows of one name go to one.
    Returns: How many rows each file has. In a folder, a split without rows has no file, and none of an earlier time.
    """
    if options.out.suffix:
        write_rows(rows, options.out)
        return {options.out: len(rows)}
    splits, _ = divide(rows, options.split_sizes, name=name)
    written = {}
    for split in SPLITS:
        path = options.out / f"{split}.parquet"
        if splits[split]:
            write_rows(splits[split], path)
            written[path] = len(splits[split])
        else:
            path.unlink(missing_ok=True)
    return written


def describe_saved(files: Mapping[Path, int], num_rows: int, what: str, manifest: Path) -> str:
    """What was written, for people, and how many of `num_rows` were not, as their split has its size.

    >>> describe_saved({Path("a/train.parquet"): 2}, 5, "tasks", Path("a/manifest.json"))
    'a/train.parquet: 2 tasks, 3 left over as their split is full; manifest.json says what was left out'
    """
    written = sum(files.values())
    over = f", {num_rows - written} left over as their split is full" if num_rows > written else ""
    return f"{', '.join(map(str, files))}: {written} {what}{over}; {manifest.name} says what was left out"


def companion(out: Path, name: str) -> Path:
    """The file `name` of a data set: in its folder, or beside its one file."""
    return out.with_name(f"{out.name}.{name}") if out.suffix in ENDINGS else out / name


def save_manifest(found: Mapping[str, Any], out: Path) -> Path:
    """Write a data set's manifest; its file."""
    path = companion(out, "manifest.json")
    write_whole(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return path
