"""A GGUF file of a folder, made by llama.cpp's own `convert_hf_to_gguf.py`, which has to be installed.

Left out: quantising further than that converter does, and converters of others.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from grpo.errors import BadInput, HostFailed

__all__ = ["GGUF_TYPES", "convert", "find_converter"]

GGUF_TYPES = ("f32", "f16", "bf16", "q8_0")
NAMES = ("convert_hf_to_gguf.py", "convert_hf_to_gguf", "convert-hf-to-gguf")
LAST_LINES = 12  # of what a converter that fails has to say


def find_converter(given: Path | None) -> list[str]:
    """The command that runs the converter.

    Args:
        given: The converter; None to look for it on the PATH.
    Raises: BadInput where there is none, with where to get it.
    """
    if given is not None and not given.is_file():
        raise BadInput(f"--converter {given}: there is no such file")
    found = str(given) if given is not None else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BadInput(
            "--gguf needs llama.cpp's convert_hf_to_gguf.py, and it is not on the PATH. Get it with "
            "`git clone https://github.com/ggml-org/llama.cpp`, install what its requirements name, and give "
            "--converter llama.cpp/convert_hf_to_gguf.py"
        )
    return [sys.executable, found] if found.endswith(".py") else [found]


def convert(converter: list[str], folder: Path, *, name: str, kind: str) -> Path:
    """Write `NAME-KIND.gguf` into a folder that transformers can load.

    Args:
        converter: As `find_converter` returns it.
        folder: The model.
        name: What the model is called.
        kind: One of GGUF_TYPES.
    Raises: HostFailed with the converter's last words, where it fails or writes nothing.
    """
    out = folder / f"{name}-{kind}.gguf"
    command = [*converter, str(folder), "--outfile", str(out), "--outtype", kind, "--model-name", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    except OSError as error:
        raise HostFailed(f"cannot start the converter {converter[-1]}: {error.strerror}") from error
    if done.returncode or not out.is_file():
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise HostFailed(f"{Path(converter[-1]).name} made no GGUF file (exit code {done.returncode}):\n  {said}")
    return out
