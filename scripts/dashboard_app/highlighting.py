"""Rust in colours: a program as lines of `Markup`, by the grammar that the rewards read programs with.

Any text is taken; what is no Rust gets the colours of what the grammar makes of it. A program that is too long to be
read keeps its text and has no colours.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from dashboard_app.markup import Markup, element, joined
from rewards.rust.grammar import syntax

__all__ = ["MOST_CHARACTERS", "rust_lines"]

MOST_CHARACTERS = 100_000
_KINDS = {  # node type -> CSS class
    **dict.fromkeys(("line_comment", "block_comment"), "hc"),
    **dict.fromkeys(("string_literal", "raw_string_literal", "char_literal"), "hs"),
    **dict.fromkeys(("integer_literal", "float_literal", "boolean_literal"), "hn"),
    **dict.fromkeys(("primitive_type", "type_identifier"), "ht"),
    **dict.fromkeys(("self", "super", "crate", "mutable_specifier"), "hk"),
    **dict.fromkeys(("attribute_item", "inner_attribute_item"), "ha"),
    "lifetime": "hl",
}
_NAMED_BY_PARENT = {  # type of the parent, the field that the node is in -> CSS class
    ("macro_invocation", "macro"): "hm",
    ("function_item", "name"): "hf",
    ("function_signature_item", "name"): "hf",
    ("call_expression", "function"): "hf",
}


def rust_lines(code: str) -> list[Markup]:
    """The lines of a program, coloured.

    >>> rust_lines("let a = 1;")
    ['<i class="hk">let</i> a = <i class="hn">1</i>;']
    """
    if len(code) > MOST_CHARACTERS:
        return [joined([line]) for line in code.split("\n")]
    lines: list[list[str]] = [[]]
    reached = 0
    for start, end, kind in _spans(code):
        _put(lines, code[reached:start], "")
        _put(lines, code[start:end], kind)
        reached = end
    _put(lines, code[reached:], "")
    return [joined(parts) for parts in lines]


def _put(lines: list[list[str]], text: str, kind: str) -> None:
    """Append text of one colour, which may go over several lines."""
    for number, part in enumerate(text.split("\n")):
        if number:
            lines.append([])
        if part:
            lines[-1].append(element("i", part, kind=kind) if kind else part)


def _spans(code: str) -> Iterator[tuple[int, int, str]]:
    """The coloured parts in order: first character, end, CSS class."""
    place = _characters(code)
    stack: list[tuple[Node, str]] = [(syntax(code), "")]
    while stack:
        node, field_kind = stack.pop()
        kind = _KINDS.get(node.type, "") or field_kind
        if kind and (node.child_count == 0 or node.type in _KINDS):
            yield place[node.start_byte], place[node.end_byte], kind
        elif node.child_count == 0:
            if not node.is_named and node.type.isalpha():
                yield place[node.start_byte], place[node.end_byte], "hk"
        else:
            children = node.children
            for index in range(len(children) - 1, -1, -1):
                field = node.field_name_for_child(index)
                stack.append((children[index], _NAMED_BY_PARENT.get((node.type, field or ""), "")))


def _characters(code: str) -> list[int] | range:
    """The character that each byte of the program belongs to, and the end."""
    data = code.encode("utf-8", "replace")
    if len(data) == len(code):
        return range(len(code) + 1)
    places = []
    for index, character in enumerate(code):
        places += [index] * len(character.encode("utf-8", "replace"))
    return [*places, len(code)]
