"""Field: a struct gets a field, and whatever makes or takes apart such a struct follows."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tree_sitter import Node

from dataset.next_edits.changing.change import Change, in_order
from dataset.next_edits.changing.gold import rewritten
from dataset.next_edits.changing.rust import Replacement, after, every, impl_of, line_edits, name_of
from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS

__all__ = ["add_field"]


class _Field(NamedTuple):
    name: str
    kind: str
    value: str  # that every new struct has; a comment behind the field says it

    @property
    def declared(self) -> str:
        return f"{self.name}: {self.kind}, // new: {self.value}"


FIELDS = tuple(
    _Field(name, kind, value)
    for kind, value, names in (
        ("bool", "false", ("seen", "done", "open", "ready", "marked", "locked")),
        ("bool", "true", ("active", "fresh", "valid", "shown")),
        ("usize", "0", ("count", "visits", "depth", "rank", "turns", "age")),
        ("u8", "1", ("level", "weight", "scale", "stage")),
        ("char", "'x'", ("sign", "tag", "symbol")),
        ("Option<u8>", "None", ("parent", "limit", "owner", "hint")),
    )
    for name in names
)


def add_field(program: str, gold: Mapping[str, Any], rng: random.Random) -> Change | None:
    """Add a field to a struct that the program makes or takes apart; None where there is none.

    Its value in a new struct stands in a comment behind it, so that the next edit is no guess.

    >>> program = "struct S {\\n    a: u8,\\n}\\nfn f(a: u8) -> S {\\n    S { a }\\n}\\n"
    >>> change = add_field(program, {"gold_cases": [{"call": "f(1)", "expected": "S { a: 1 }"}]}, random.Random(0))
    >>> print("".join(edit.text for edit in change.edits), change.gold["gold_cases"][0]["expected"])
        a: u8,
        limit: Option<u8>, // new: None
        S { a, limit: None }
     S { a: 1, limit: None }
    """
    root = syntax(program)
    structs = [node for node in every(root, "struct_item") if _last_field(node) is not None]
    found = {name_of(node): (node, _uses(root, node)) for node in structs}
    names = [name for name, (_, uses) in found.items() if uses]
    new = [field for field in FIELDS if not re.search(rf"\b{field.name}\b", program)]
    if not names or not new:
        return None
    name, field = rng.choice(names), rng.choice(new)
    struct, uses = found[name]
    last = _last_field(struct)
    assert last is not None
    places = [_declared(last, field), *(_followed(node, field) for node in uses)]
    edits = line_edits(program, places)
    literal = re.compile(rf"\b{re.escape(name)} \{{([^{{}}]*[^{{}}\s])\s*\}}")
    golden = rewritten(gold, lambda text: literal.sub(rf"{name} {{\1, {field.name}: {field.value} }}", text))
    return Change("field", program, in_order(edits, last.end_point.row + 1), golden)


def _last_field(struct: Node) -> Node | None:
    """The last of a struct's named fields."""
    body = struct.child_by_field_name("body")
    found = [node for node in body.named_children if node.type == "field_declaration"] if body is not None else []
    return found[-1] if found else None


def _uses(root: Node, struct: Node) -> list[Node]:
    """The lists of fields wherever a struct is made, and the patterns that name all of its fields."""
    name, found = name_of(struct), []
    for node in every(root, "struct_expression", "struct_pattern"):
        body = node.child_by_field_name("body") or node
        named = name_of(node, "name") or name_of(node, "type")
        if (impl_of(node) if named == "Self" else named) == name and not any(
            part.type == "remaining_field_pattern" for part in body.named_children
        ):
            found.append(node)
    return found


def _declared(last: Node, field: _Field) -> Replacement:
    """The field behind the last one, and the comma that is missing there."""
    comma = last.next_sibling
    if comma is not None and comma.type == ",":
        return after(last, field.declared)._replace(start=comma.end_byte, end=comma.end_byte)
    place = after(last, field.declared)
    return place._replace(text=f",{place.text}")


def _followed(node: Node, field: _Field) -> Replacement:
    """The field's value where a struct is made; `..` where one is taken apart."""
    body = node.child_by_field_name("body") or node
    parts = [part for part in body.named_children if part.type not in (*COMMENTS, "type_identifier")]
    text = f"{field.name}: {field.value}" if node.type == "struct_expression" else ".."
    if not parts:
        return Replacement(body.end_byte - 1, body.end_byte - 1, f" {text} ")
    comma = parts[-1].next_sibling
    if comma is not None and comma.type == ",":
        ending = "," if node.type == "struct_expression" else ""
        return after(parts[-1], f"{text}{ending}")._replace(start=comma.end_byte, end=comma.end_byte)
    return Replacement(parts[-1].end_byte, parts[-1].end_byte, f", {text}")
