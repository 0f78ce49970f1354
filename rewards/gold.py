"""Gold tests: tests that the model never sees, run on the function that it wrote.

A data set has them in the column `gold_tests`, a Rust test module or the inside of one, or in the published column
`rust_test_list`, a list of assert statements or test functions. They replace the completion's own tests. Left out:
running them (`rewards.grader`, `rewards.trl_functions`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from rewards.rust.asserts import ASSERTS
from rewards.rust.parse import MAX_PARSED, parse
from sandbox.verdict import Verdict

__all__ = ["GOLD_COLUMNS", "GoldProgram", "gold_passed", "gold_problem", "gold_program", "has_gold_tests"]

GOLD_COLUMNS = ("gold_tests", "rust_test_list")


class GoldProgram(NamedTuple):
    """A program to grade with `phases=("test",)`, and the number of tests that it must pass."""

    source: str
    num_tests: int


def has_gold_tests(columns: Mapping[str, Any]) -> bool:
    """Whether a row of the data has gold tests. An empty list does not count, nor does one as JSON text.

    Raises: ValueError, as `gold_program`.
    """
    return bool(columns.get("gold_tests") or _test_list(columns))


def gold_problem(columns: Mapping[str, Any]) -> str:
    """What is wrong with a row's gold tests, as a message; "" where they can be used or there are none.

    >>> gold_problem({"gold_tests": "assert_eq!(f(), 1);"})
    "the column gold_tests holds no #[test] function: 'assert_eq!(f(), 1);'"
    """
    try:
        module = _gold_module(columns)
    except ValueError as error:
        return str(error)
    if module is None or parse(module).tests:
        return ""
    name = next(name for name in GOLD_COLUMNS if columns.get(name))
    return f"the column {name} holds no #[test] function: {str(columns[name])[:60]!r}"


def gold_program(code: str, columns: Mapping[str, Any]) -> GoldProgram | None:
    """A completion's code with gold tests instead of its own.

    Args:
        code: The completion's program.
        columns: The columns of the prompt's row in the data.
    Returns: None when the row has no gold tests, when the code is too long to be read, or when it redefines what they
        rely on: an assert macro, `panic`, `test`, or equality (so that it does not use both sides).
    Raises: ValueError for a `rust_test_list` that is neither a list of texts nor one as JSON.

    >>> gold = gold_program("fn f() -> u8 { 1 }", {"rust_test_list": ["assert_eq!(f(), 1);"]})
    >>> gold.num_tests, "fn gold_0() {" in gold.source
    (1, True)
    """
    module = _gold_module(columns)
    if module is None or len(code) > MAX_PARSED:
        return None
    program = parse(code)
    if program.redefines_equality or program.redefined & {*ASSERTS, "panic", "test"}:
        return None
    encoded = code.encode("utf-8", "replace")  # as `parse` counts its bytes
    for start, end in sorted(program.test_code, reverse=True):
        encoded = encoded[:start] + encoded[end:]
    source = encoded.decode("utf-8") + "\n" + module
    return GoldProgram(source, len(parse(module).tests))


def gold_passed(gold: GoldProgram, verdict: Verdict) -> bool:
    """Whether the code passed every gold test, and the test harness itself reported that."""
    nothing_else = verdict.failed == 0 and verdict.ignored == 0
    return bool(verdict.test) and verdict.genuine and nothing_else and verdict.passed == gold.num_tests


def _gold_module(columns: Mapping[str, Any]) -> str | None:
    """The row's gold tests as a Rust module; None where it has none."""
    text = columns.get("gold_tests")
    if text:
        return str(text) if parse(str(text)).num_test_modules else _module(str(text))
    tests = _test_list(columns)
    return _module("\n".join(_test_function(index, test) for index, test in enumerate(tests))) if tests else None


def _test_list(columns: Mapping[str, Any]) -> list[str]:
    """The row's `rust_test_list`, which the data may hold as JSON text; empty where it has none."""
    given = columns.get("rust_test_list")
    if not given:
        return []
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list) or not all(isinstance(test, str) and test.strip() for test in found):
        raise ValueError(
            f"the column rust_test_list holds {str(given)[:60]!r}; give a list of assert statements or test functions, "
            "or one as JSON"
        )
    return found


def _module(inside: str) -> str:
    """A module that holds the given test functions."""
    return f"#[cfg(test)]\nmod gold_tests {{\n    use super::*;\n{inside}\n}}\n"


def _test_function(index: int, test: str) -> str:
    """A test function that runs a statement; a test that is a function already is returned unchanged."""
    if "#[test]" in test:
        return test
    return f"    #[test]\n    fn gold_{index}() {{\n        {test.rstrip().removesuffix(';')};\n    }}"
