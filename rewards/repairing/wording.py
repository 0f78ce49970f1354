"""The words of a repair task: its prompt, from the columns of a row, and its right answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewards.rust.fences import fenced

__all__ = ["BROKEN", "SHOWN", "repair_prompt", "right_answer"]

BROKEN = "broken"
SHOWN: Mapping[str, str] = {  # columns that say what is wrong, and the words before them; one at least has text
    "diagnostics": "The compiler says:",
    "failures": "Its tests say:",
    "tests": "These tests have to pass:",
}
ANSWER = "Answer with the whole corrected program in one ```rust block."


def repair_prompt(row: Mapping[str, Any]) -> str:
    """The user's message.

    >>> print(repair_prompt({"broken": "fn f() -> u8 { x }", "diagnostics": "error[E0425]: no `x`"}))
    This Rust program has to be repaired:
    <BLANKLINE>
    ```rust
    fn f() -> u8 { x }
    ```
    <BLANKLINE>
    The compiler says:
    <BLANKLINE>
    ```text
    error[E0425]: no `x`
    ```
    <BLANKLINE>
    Answer with the whole corrected program in one ```rust block.
    """
    request = str(row.get("request") or "").strip()
    parts = [request] if request else []
    parts += ["This Rust program has to be repaired:", fenced(row[BROKEN].rstrip())]
    for column, words in SHOWN.items():
        if text := str(row.get(column) or "").strip():
            parts += [words, fenced(text, "rust" if column == "tests" else "text")]
    return "\n\n".join([*parts, ANSWER])


def right_answer(program: str) -> str:
    """A right program as the answer to a row that was made of it: what supervised fine-tuning imitates."""
    return fenced(program.strip())
