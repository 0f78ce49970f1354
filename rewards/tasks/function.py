"""The task of a row that names none: write a function and its unit tests in one ```rust block."""

from __future__ import annotations

from rewards.rust.parse import extract_code
from rewards.tasks.task import Block, Extracted, Row, Task

__all__ = ["FUNCTION", "NO_CODE", "SYSTEM_PROMPT", "TASK", "block_alone"]

NO_CODE = "no closed ```rust block with code in the completion"
# what the model is told that the rewards pay for
SYSTEM_PROMPT = """\
You are a careful Rust programmer. Answer with exactly one fenced code block, opened by ```rust and closed by ```.

The block holds the function that is asked for, written with the standard library alone, and after it one test module:

#[cfg(test)]
mod tests {
    use super::*;
    // #[test] functions that call the function and assert on what it returns
}

Write several asserts that cover ordinary and edge cases. Do not write a main function. The code must compile without
errors, pass clippy, and pass its own tests under cargo."""


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
    again="Correct it, and give the whole file again, with its tests, in one ```rust block.",
)
