"""A text in a file that is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from grpo.whole_file import whole_file
from grpo_rust.rows.well_formed import well_formed

__all__ = ["write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, by `whole_file`; lone surrogates, as of a file's name that is no UTF-8, are replaced."""
    with whole_file(path) as unfinished:
        unfinished.write_text(well_formed(text), encoding="utf-8")
