"""Signatures and types as a prompt shows them: one line each, without bodies, comments and visibility."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from rewards.rust.tokens import COMMENTS, node_text

__all__ = ["function_line", "impl_line", "trait_text", "type_text"]

SPACES = re.compile(r"\s+")
OPENED = re.compile(r"([(\[<]) ")
CLOSED = re.compile(r"[ ,]* ([)\]>])(?!=)")
ARROW = re.compile(r"\s*->\s*")
INDENT = "    "


def function_line(function: Node) -> str:
    """A function up to its body, in one line.

    >>> from rewards.rust.grammar import syntax
    >>> function_line(syntax("pub fn f<T>(mut v: Vec<T> /* x */, ) -> usize where T: Ord { 0 }").children[0])
    'fn f<T>(v: Vec<T>) -> usize where T: Ord'
    """
    return _one_line(_text(function, function.child_by_field_name("body")))


def impl_line(impl: Node, functions: Sequence[Node]) -> str:
    """An impl block with some of its functions, in one line, their bodies left out."""
    head = _one_line(_text(impl, impl.child_by_field_name("body")))
    return f"{head} {{ {' '.join(f'{function_line(one)};' for one in functions)} }}"


def type_text(attributes: Sequence[Node], item: Node) -> str:
    """A struct, an enum, a union or an alias as it is written, with its derives and without comments."""
    derives = [node_text(one) for one in attributes if node_text(one).startswith("#[derive")]
    return "\n".join([*derives, _indented(_text(item))])


def trait_text(item: Node) -> str:
    """A trait, the bodies of its functions left out."""
    body = item.child_by_field_name("body")
    members = [
        f"{INDENT}{function_line(child)};"
        for child in (body.named_children if body is not None else ())
        if child.type not in (*COMMENTS, "attribute_item")
    ]
    return "\n".join([f"{_one_line(_text(item, body))} {{", *members, "}"])


def _one_line(text: str) -> str:
    """A head in one line, spaced as rustfmt does."""
    found = CLOSED.sub(r"\1", OPENED.sub(r"\1", ARROW.sub(" -> ", SPACES.sub(" ", text))))
    return found.strip().rstrip(",;")


def _indented(text: str) -> str:
    """Lines indented by the brackets that are open, without empty ones."""
    lines, depth = [], 0
    for line in filter(None, map(str.strip, text.splitlines())):
        closing = line[0] in ")}]"
        lines.append(INDENT * max(0, depth - closing) + line)
        depth += sum(line.count(sign) for sign in "({[") - sum(line.count(sign) for sign in ")}]")
    return "\n".join(lines)


def _text(node: Node, body: Node | None = None) -> str:
    """The text of a node up to its body, without comments, visibility, and `mut` before the names of parameters."""
    source, end = node.text or b"", (body.start_byte if body is not None else node.end_byte) - node.start_byte
    kept, at = b"", 0
    for first, last in sorted(_dropped(node, body)):
        kept, at = kept + source[at : max(at, first - node.start_byte)], max(at, last - node.start_byte)
    return (kept + source[at:end]).decode("utf-8", "replace").strip()


def _dropped(node: Node, body: Node | None) -> Iterator[tuple[int, int]]:
    """The places of what is left out; a comment of a line has its end of line too, and keeps it."""
    stack = [node]
    while stack:
        one = stack.pop()
        for child in one.children:
            is_mutable = child.type == "mutable_specifier" and one.type == "parameter"
            if child.type in COMMENTS:
                yield child.start_byte, child.end_byte - node_text(child).endswith("\n")
            elif child.type == "visibility_modifier" or is_mutable:
                following = child.next_sibling
                yield child.start_byte, following.start_byte if following is not None else child.end_byte
            elif child != body:
                stack.append(child)
