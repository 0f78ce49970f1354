"""What the model is asked: three passes, each a text with places that are filled in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

__all__ = ["PASSES", "instruction_hashes", "question"]

PASSES = ("rewrite", "code", "tests")  # in order; each has a file in instructions/
FOLDER = Path(__file__).parent / "instructions"


@cache
def _instruction(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def question(name: str, parts: Mapping[str, str]) -> str:
    """What is asked in a pass.

    Args:
        name: One of `PASSES`.
        parts: The texts for the places of its instruction.

    >>> question("code", {"rust_prompt": "Add two numbers."})[-17:]
    'Add two numbers.\\n'
    """
    return Template(_instruction(name)).substitute(parts)


def instruction_hashes() -> dict[str, str]:
    """The SHA-256 of each pass's instruction."""
    return {name: hashlib.sha256(_instruction(name).encode()).hexdigest() for name in PASSES}
