"""Rows of the task `next_edit` for tests: a change of each kind, a part of which is made."""

from __future__ import annotations

from typing import Any

__all__ = ["ROWS", "row"]


def row(
    file: str, cursor: int, edits: list[tuple[int, int, str]], tests: list[str], recent: tuple[str, str]
) -> dict[str, Any]:
    """A row; `edits` are still to be made, `recent` is the line before and after the last edit."""
    return {
        "task": "next_edit",
        "file": file,
        "cursor": cursor,
        "recent": [{"line": cursor, "old": f"{recent[0]}\n", "new": f"{recent[1]}\n"}],
        "edits": [{"first": first, "last": last, "text": text} for first, last, text in edits],
        "rust_test_list": tests,
    }


ROWS = {
    "rename": row(
        "fn add(first: i32, b: i32) -> i32 {\n    let c = a + b;\n    c * a\n}\n",
        1,
        [(2, 2, "    let c = first + b;\n"), (3, 3, "    c * first\n")],
        ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(2, 3), 10);"],
        ("fn add(a: i32, b: i32) -> i32 {", "fn add(first: i32, b: i32) -> i32 {"),
    ),
    "type": row(
        "fn total(xs: &[i64]) -> i64 {\n    let mut sum: i32 = 0;\n    for x in xs {\n        sum += *x;\n    }\n"
        "    sum\n}\n",
        1,
        [(2, 2, "    let mut sum: i64 = 0;\n")],
        ["assert_eq!(total(&[1, 2]), 3);"],
        ("fn total(xs: &[i32]) -> i32 {", "fn total(xs: &[i64]) -> i64 {"),
    ),
    "field": row(
        "#[derive(Debug, PartialEq)]\nstruct Span {\n    low: u8,\n    seen: bool, // new: false\n}\n\n"
        "fn make(low: u8) -> Span {\n    Span { low }\n}\n",
        4,
        [(8, 8, "    Span { low, seen: false }\n")],
        ["assert_eq!(make(1), Span { low: 1, seen: false });"],
        ("    low: u8,", "    low: u8,\n    seen: bool, // new: false"),
    ),
    "variant": row(
        "enum Coin {\n    Dime,\n    Penny,\n}\n\nfn name(coin: Coin) -> &'static str {\n    match coin {\n"
        '        Coin::Dime => "dime",\n    }\n}\n',
        3,
        [(8, 8, '        Coin::Dime => "dime",\n        Coin::Penny => "penny",\n')],
        ['assert_eq!(name(Coin::Dime), "dime");', 'assert_eq!(name(Coin::Penny), "penny");'],
        ("    Dime,", "    Dime,\n    Penny,"),
    ),
}
