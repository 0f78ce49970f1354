"""The prompt for tests alone: the prompt of a task, and an answer that has begun with a function still to be written.

A model that goes on from `fn f(x: u8) -> u8 { todo!()` writes the tests next, and has seen no code that they could be
copied from. Nothing but the signature and the types of a row is shown, which prompts show anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tree_sitter import Node

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.parse import parse

__all__ = ["UNWRITTEN", "tester_start"]

UNWRITTEN = "{\n    todo!()\n}"
SOURCES = ("reference", "rust_code")  # columns with a solution, of which only the outline is taken


def tester_start(columns: Mapping[str, Any]) -> str:
    """How an answer with tests alone begins; "" for a row that says nothing of the function it asks for.

    Args:
        columns: Of the row: `signature` and `types`, or a solution in `reference` or `rust_code`, whose bodies are left
            out.

    >>> tester_start({"signature": "fn f(x: u8) -> u8"})
    '```rust\\nfn f(x: u8) -> u8 {\\n    todo!()'
    """
    signature, types = (str(columns.get(name) or "").strip() for name in ("signature", "types"))
    if signature:
        heads = [line.strip().rstrip(";") for line in signature.splitlines() if line.strip()]
        plain = all(head.startswith(("fn ", "pub fn ")) for head in heads)
        text = "\n\n".join([*([types] if types else []), *(f"{head} {UNWRITTEN}" for head in heads)]) if plain else ""
    else:
        text = next((_outline(str(columns[name])) for name in SOURCES if columns.get(name)), "")
    return f"```rust\n{text}".removesuffix("\n}") if UNWRITTEN in text else ""


def _outline(source: str) -> str:
    """A program without its tests, with every function still to be written; "" where it does not end with one."""
    if not is_readable(source):
        return ""
    encoded = source.encode("utf-8", "replace")
    edits = [(start, end, b"") for start, end in parse(source).test_code]
    for node in _functions(syntax(source)):
        body = node.child_by_field_name("body")
        if body is not None and not any(start <= body.start_byte < end for start, end, _ in edits):
            edits.append((body.start_byte, body.end_byte, UNWRITTEN.encode()))
    for start, end, text in sorted(edits, reverse=True):
        encoded = encoded[:start] + text + encoded[end:]
    outline = encoded.decode("utf-8").strip()
    return outline if outline.endswith(UNWRITTEN) else ""


def _functions(root: Node) -> list[Node]:
    """The functions at the top level; a program with others has no outline that ends with one of these."""
    return [item for item in root.children if item.type == "function_item"]
