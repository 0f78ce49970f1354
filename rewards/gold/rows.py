"""The gold tests of a row of the data: its columns read, and of which kind they are.

`gold_cases` holds objects such as {"call": "add(1, 2)", "expected": "3"}, with Rust text; instead of "expected" there
may be "panics" (true, or a part of the message) or "matches" (a pattern), besides it "not" (the value must differ) or
"tolerance" (of floats). `gold_tests` holds a Rust test module or the inside of one, `rust_test_list` a list of assert
statements or test functions. Lists may be JSON text. The first of these columns that holds something counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rewards.gold.reading import GoldChecks, read_cases, read_module
from rewards.gold.result import GoldKind
from rewards.gold.terms import NotEvaluable
from rewards.rust.parse import parse

__all__ = ["GOLD_COLUMNS", "GoldRow", "gold_kind", "gold_problem", "gold_row", "has_gold_tests"]

GOLD_COLUMNS = ("gold_cases", "gold_tests", "rust_test_list")
KEYS = {"call", "expected", "panics", "tolerance", "not", "matches"}
ROWS_REMEMBERED = 4096


@dataclass(frozen=True)
class GoldRow:
    """The gold tests of a row."""

    checks: GoldChecks | None  # None: the row stays a test module
    module: str = ""  # the test module, unless there are checks
    num_tests: int = 0  # in the module

    @property
    def kind(self) -> GoldKind:
        return "tests" if self.checks is None else "cases"


def has_gold_tests(columns: Mapping[str, Any]) -> bool:
    """Whether a row of the data has gold tests. An empty list does not count, nor does one as JSON text.

    Raises: ValueError, as `gold_row`.
    """
    return gold_row(columns) is not None


def gold_kind(columns: Mapping[str, Any]) -> GoldKind | None:
    """How a row's gold tests are run: "cases" compares values outside the program, "tests" runs a test module inside.

    None for a row without gold tests. Raises: ValueError, as `gold_row`.

    >>> gold_kind({"rust_test_list": ["assert_eq!(f(1), 2);"]}), gold_kind({"gold_tests": "#[test] fn t() { loop {} }"})
    ('cases', 'tests')
    """
    row = gold_row(columns)
    return None if row is None else row.kind


def gold_problem(columns: Mapping[str, Any]) -> str:
    """What is wrong with a row's gold tests, as a message; "" where they can be used or there are none.

    >>> gold_problem({"gold_tests": "assert_eq!(f(), 1);"})
    "the column gold_tests holds no #[test] function: 'assert_eq!(f(), 1);'"
    """
    try:
        row = gold_row(columns)
    except ValueError as error:
        return str(error)
    if row is None or row.checks is not None or row.num_tests:
        return ""
    name = next(name for name in GOLD_COLUMNS if columns.get(name))
    return f"the column {name} holds no #[test] function: {str(columns[name])[:60]!r}"


def gold_row(columns: Mapping[str, Any]) -> GoldRow | None:
    """Read a row's gold tests; None where it has none.

    Raises: ValueError for a `rust_test_list` or `gold_cases` that is no such list.
    """
    given = {name: columns[name] for name in GOLD_COLUMNS if columns.get(name)}
    return _read(json.dumps(given, default=str)) if given else None


@lru_cache(maxsize=ROWS_REMEMBERED)
def _read(columns: str) -> GoldRow | None:
    """Read the columns from JSON text."""
    given = json.loads(columns)
    cases = _list(given, "gold_cases", 'objects such as {"call": "f(1)", "expected": "2"}')
    if cases:
        return GoldRow(_cases(cases))
    module = _module_of(given)
    if module is None:
        return None
    try:
        return GoldRow(read_module(module))
    except (NotEvaluable, RecursionError):
        return GoldRow(None, module, len(parse(module).tests))


def _cases(cases: list[Any]) -> GoldChecks:
    """The checks of `gold_cases`."""
    kept = []
    for case in cases:
        found = {key: value for key, value in case.items() if value is not None} if isinstance(case, dict) else {}
        wanted = {"expected", "panics", "matches"} & set(found)
        if not isinstance(found.get("call"), str) or len(wanted) != 1 or set(found) - KEYS:
            raise ValueError(
                f"the column gold_cases holds {str(case)[:60]!r}; give objects with a call and one of expected, panics "
                "and matches; not and tolerance may stand beside expected"
            )
        kept.append(found)
    try:
        return read_cases(kept)
    except (NotEvaluable, RecursionError) as error:
        raise ValueError(
            f"the column gold_cases holds {str(error)[:60]!r}, which cannot be read without a compiler; give a call of "
            "a function and a literal, or write it in gold_tests"
        ) from None


def _module_of(columns: Mapping[str, Any]) -> str | None:
    """The row's gold tests as a Rust module; None where it has none."""
    text = columns.get("gold_tests")
    if text:
        return str(text) if parse(str(text)).num_test_modules else _module(str(text))
    tests = _list(columns, "rust_test_list", "assert statements or test functions")
    if not all(isinstance(test, str) and test.strip() for test in tests):
        raise _no_list(columns, "rust_test_list", "assert statements or test functions")
    return _module("\n".join(_test_function(index, test) for index, test in enumerate(tests))) if tests else None


def _list(columns: Mapping[str, Any], name: str, what: str) -> list[Any]:
    """A column that holds a list or JSON text of one; empty where it has none."""
    given = columns.get(name)
    if not given:
        return []
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (json.JSONDecodeError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise _no_list(columns, name, what)
    return found


def _no_list(columns: Mapping[str, Any], name: str, what: str) -> ValueError:
    return ValueError(f"the column {name} holds {str(columns[name])[:60]!r}; give a list of {what}, or one as JSON")


def _module(inside: str) -> str:
    """A module that holds the given test functions."""
    return f"#[cfg(test)]\nmod gold_tests {{\n    use super::*;\n{inside}\n}}\n"


def _test_function(index: int, test: str) -> str:
    """A test function that runs a statement; a test that is a function already is returned unchanged."""
    if "#[test]" in test:
        return test
    return f"    #[test]\n    fn gold_{index}() {{\n        {test.rstrip().removesuffix(';')};\n    }}"
