"""Gives test code our macros by the names of the asserts, and reads what it says and uses.

In test code the names of the asserts get another meaning: they write down whether they hold, and no longer end the
test. A test that should panic says whether it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.asserts import asserts_in
from rewards.rust.tokens import COMMENTS, leaves, node_text
from rewards.strictness.edits import Edits
from sandbox.evidence.experiment import RECORDING, SUPPORT, asserts_text

__all__ = ["OwnTests", "inside", "place_hash", "read_test_code", "start_of"]

Lines = tuple[tuple[int, int], ...]  # first and last line of each part


class OwnTests(NamedTuple):
    """What is known of test code."""

    asserts: tuple[tuple[str, str], ...]  # each assert: its place, and what it says
    called: frozenset[str]  # names that stand before a bracket
    named: frozenset[str]  # all identifiers
    lines: Lines  # of test code
    tests: Lines  # of the `#[test]` functions


def read_test_code(root: Node, parts: Sequence[tuple[int, int]], edits: Edits, equality: int = 0) -> OwnTests:
    """Edit the test code of a program.

    Args:
        root: The program's syntax tree.
        parts: The byte ranges of test code.
        edits: Where the edits go.
        equality: The mutant with which `assert_eq!` looks at values that differ a little; 0 for none.
    """
    tokens = [leaf for leaf in leaves(root) if inside(leaf, parts)]
    names = [node_text(leaf).removeprefix("r#") for leaf in tokens]
    called = {a for a, b in zip(names, names[1:], strict=False) if b == "(" and a.isidentifier()}
    may_end_before = _may_end_before(root)
    asserts = [
        (f"{edits.line(found.start)}:{place_hash(found.arguments):x}", found.text)
        for found in asserts_in([leaf for leaf in tokens if leaf.id not in may_end_before])
    ]
    _shorten_paths(tokens, edits)
    tests = _edit(root, parts, edits, equality)
    lines = tuple((edits.line(start), edits.line(end)) for start, end in parts)
    named = {name for name in names if name.isidentifier()}
    return OwnTests(tuple(asserts), frozenset(called), frozenset(named), lines, tests)


def _shorten_paths(tokens: Sequence[Node], edits: Edits) -> None:
    """Make `std::assert_eq!` of test code `assert_eq!`."""
    texts = [node_text(token) for token in tokens]
    for place in range(2, len(texts) - 1):
        if texts[place] in RECORDING and texts[place + 1] == "!" and texts[place - 1] == "::":
            if texts[place - 2] in ("std", "core"):
                first = place - 3 if place > 2 and texts[place - 3] == "::" else place - 2
                for token in tokens[first:place]:
                    edits.replace(token, "")


def _edit(root: Node, parts: Sequence[tuple[int, int]], edits: Edits, equality: int) -> Lines:
    """Define our macros in every module and outermost function of test code; return the lines of the tests."""
    tests = []
    stack = [(root, False)]  # a node, and whether the module that it stands in is one of test code
    while stack:
        node, in_tests = stack.pop()
        below = inside(node, parts) if node.type == "mod_item" else in_tests
        stack.extend((child, below) for child in node.children)
        body = node.child_by_field_name("body")
        if body is None or node.type not in ("mod_item", "function_item") or not inside(node, parts):
            continue
        if node.type == "mod_item" or not in_tests:
            edits.insert(start_of(body), asserts_text(equality), equality, asserts_text() if equality else "")
        if node.type == "function_item" and _has_attribute(node, "should_panic"):
            edits.insert(start_of(body), f"let _{SUPPORT} = ::{SUPPORT}::expect({node.start_byte});")
        if node.type == "function_item" and _has_attribute(node, "test"):
            tests.append((edits.line(node.start_byte), edits.line(node.end_byte)))
    return tuple(tests)


def _may_end_before(root: Node) -> set[int]:
    """The ids of the nodes in a test that should panic, which may end before them, or in a macro.

    From the root down, once: to ask a node for its parent takes tree-sitter as long as the node is deep.
    """
    found: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, may_end = stack.pop()
        if node.type in ("function_item", "macro_definition"):
            may_end = node.type == "macro_definition" or _has_attribute(node, "should_panic")
        if may_end:
            found.add(node.id)
        stack.extend((child, may_end) for child in node.children)
    return found


def _has_attribute(function: Node, name: str) -> bool:
    before = function.prev_sibling
    while before is not None and before.type in ("attribute_item", *COMMENTS):
        if before.type == "attribute_item" and node_text(before)[2:].strip().startswith(name):
            return True
        before = before.prev_sibling
    return False


def start_of(body: Node) -> int:
    """The byte at which text can be put in at the start of a body: after its brace, and what is said of it inside."""
    start = body.start_byte + 1
    for child in body.children[1:]:
        if child.type == "inner_attribute_item" or (child.type in COMMENTS and node_text(child)[2:3] == "!"):
            start = child.end_byte
        elif child.type not in COMMENTS:
            break
    return start


def inside(node: Node, parts: Sequence[tuple[int, int]]) -> bool:
    """Whether a node stands in one of some byte ranges."""
    return any(start <= node.start_byte and node.end_byte <= end for start, end in parts)


def place_hash(text: str) -> int:
    """The hash of a text without white space, as the library computes it."""
    found = 0xCBF29CE484222325
    for byte in text.encode("utf-8", "replace"):
        if byte not in b" \t\n\x0c\r":
            found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return found
