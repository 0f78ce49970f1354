"""The task of a row that names none: write a function and its unit tests in one ```rust block."""

from __future__ import annotations

from rewards.prompts import SYSTEM_PROMPT
from rewards.rust.parse import extract_code
from rewards.tasks.task import Block, Extracted, Row, Task

__all__ = ["FUNCTION", "NO_CODE", "TASK", "block_alone"]

NO_CODE = "no closed ```rust block with code in the completion"


def block_alone(text: str, row: Row, block: Block) -> Extracted:
    """The program that is a code block of the answer, whatever its row says.

    >>> block_alone("fn f() {}", {}, "first").reason
    'no closed ```rust block with code in the completion'
    """
    code = extract_code(text, block)
    return Extracted(code, NO_CODE if code is None else "")


FUNCTION = TASK = Task(
    name="function",
    gives=frozenset({"program", "block", "tests"}),
    extract=block_alone,
    columns={},
    system_prompt=SYSTEM_PROMPT,
)
