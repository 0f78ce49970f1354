"""A program with the gold tests that it passes, and how these are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["MadeProgram", "assert_line", "gold_module", "rust_list"]


class MadeProgram(NamedTuple):
    """A program and the gold tests that it passes."""

    program: str
    gold_tests: str


def rust_list(values: Sequence[int]) -> str:
    """Numbers as a vector in Rust.

    >>> rust_list([1, 2])
    'vec![1, 2]'
    """
    return f"vec![{', '.join(map(str, values))}]"


def assert_line(call: str, value: Any) -> str:
    """An assert that a call has a value, which may be Rust text or a list of numbers."""
    return f"assert_eq!({call}, {rust_list(value) if isinstance(value, list) else value});"


def gold_module(asserts: Sequence[str]) -> str:
    """Asserts as a module of gold tests."""
    lines = "".join(f"        {line}\n" for line in asserts)
    return f"#[cfg(test)]\nmod gold {{\n    use super::*;\n\n    #[test]\n    fn gold() {{\n{lines}    }}\n}}\n"
