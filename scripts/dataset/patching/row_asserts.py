"""The gold tests of a row as single asserts, each of which holds or not by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tree_sitter import Node

from dataset.sources import BadRow
from rewards.rust.asserts import ASSERTS
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text

__all__ = ["row_asserts"]

OTHER = "gold tests that are more than asserts"
ALLOWED = ("use_declaration", "attribute_item", *COMMENTS)  # beside tests in a module


def row_asserts(row: Mapping[str, Any]) -> list[str]:
    """The asserts of a row's gold tests, as statements. Raises: BadRow.

    >>> row_asserts({"gold_cases": [{"call": "f(1)", "expected": "2"}]})
    ['assert_eq!(f(1), 2);']
    >>> row_asserts({"gold_tests": "#[test] fn t() { assert!(f(1)); assert!(!f(2)); }"})
    ['assert!(f(1));', 'assert!(!f(2));']
    """
    if cases := _list(row, "gold_cases"):
        return [_of_case(case) for case in cases]
    if row.get("gold_tests"):
        return list(_asserts(str(row["gold_tests"])))
    tests = [str(test) for test in _list(row, "rust_test_list")]
    found = [one for test in tests for one in _asserts(test if "#[test]" in test else f"#[test] fn t() {{ {test} }}")]
    if not found:
        raise BadRow("no gold tests")
    return found


def _list(row: Mapping[str, Any], column: str) -> list[Any]:
    """A list, or one as JSON text; empty where there is none."""
    given = row.get(column)
    try:
        found = json.loads(given) if isinstance(given, str) and given else given
    except (json.JSONDecodeError, RecursionError):
        raise BadRow(f"the column {column} is no list") from None
    return list(found) if isinstance(found, list | tuple) else []


def _of_case(case: Any) -> str:
    given = {key: value for key, value in case.items() if value is not None} if isinstance(case, dict) else {}
    if given.keys() != {"call", "expected"}:
        raise BadRow("gold cases with more than a call and what is expected")
    return f"assert_eq!({given['call']}, {given['expected']});"


def _asserts(text: str) -> Iterator[str]:
    """The statements of the tests in a text, each of them an assert."""
    root = syntax(text)
    if root.has_error:
        raise BadRow("gold tests that cannot be read")
    containers = [root]
    while containers:
        for item in containers.pop().children:
            body = item.child_by_field_name("body")
            if item.type == "mod_item" and body is not None:
                containers.append(body)
            elif item.type == "function_item" and body is not None:
                yield from _statements(body)
            elif item.is_named and item.type not in ALLOWED:
                raise BadRow(OTHER)


def _statements(body: Node) -> Iterator[str]:
    for statement in body.children:
        if not statement.is_named or statement.type in COMMENTS:
            continue
        call = statement.children[0] if statement.type == "expression_statement" else statement
        name = call.child_by_field_name("macro") if call.type == "macro_invocation" else None
        if name is None or node_text(name) not in ASSERTS:
            raise BadRow(OTHER)
        yield f"{node_text(call)};"
