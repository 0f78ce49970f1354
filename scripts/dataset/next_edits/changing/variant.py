"""Variant: an enum gets a variant, and every match on the enum an arm for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tree_sitter import Node

from dataset.next_edits.changing.change import Change, in_order
from dataset.next_edits.changing.gold import with_asserts
from dataset.next_edits.changing.rust import Replacement, after, every, impl_of, line_edits, name_of
from rewards.rust.grammar import syntax
from rewards.rust.tokens import node_text

__all__ = ["add_variant"]

NAMES = (
    *("Amber", "Birch", "Cedar", "Dawn", "Ember", "Frost", "Grove", "Harbor", "Iris", "Jade", "Kite", "Lotus"),
    *("Maple", "Nova", "Olive", "Pearl", "Quartz", "River", "Stone", "Tulip", "Umber", "Violet", "Willow", "Zinc"),
)
RULES: tuple[Callable[[str], str], ...] = (  # from a variant's name to its value
    lambda name: f'"{name.lower()}"',
    lambda name: f"'{name[0].lower()}'",
    lambda name: f'"{name}"',
)


def add_variant(program: str, gold: Mapping[str, Any], rng: random.Random) -> Change | None:
    """Add a variant without fields to an enum whose matches say by themselves what its arm is; None without one.

    A match does where it has an arm for each variant in a function of nothing else, and its values are the variants'
    names in small letters, their first letters, or numbers of equal steps. Gold tests get the new calls.

    >>> program = "enum E {\\n    One,\\n    Two,\\n}\\nfn f(e: E) -> u8 {\\n    match e {\\n        E::One => 1,\\n"
    >>> program += "        E::Two => 2,\\n    }\\n}\\n"
    >>> change = add_variant(program, {"rust_test_list": ["assert_eq!(f(E::One), 1);"]}, random.Random(0))
    >>> print(change.edits[1].text, change.gold["rust_test_list"][1])
            E::Two => 2,
            E::Maple => 3,
     assert_eq!(f(E::Maple), 3);
    """
    root = syntax(program)
    new = [name for name in NAMES if name not in program]
    enums = [node for node in every(root, "enum_item") if _variants(node)]
    rng.shuffle(enums)
    for enum in enums if new else ():
        variant = rng.choice(new)
        arms = _arms(root, enum, variant)
        if arms:
            last = _list_items(enum)[-1]
            places = [_behind(last, f"{variant},"), *(place for place, _, _ in arms)]
            golden = with_asserts(gold, [(call, value) for _, call, value in arms])
            if golden is None:
                return None
            return Change("variant", program, in_order(line_edits(program, places), last.end_point.row + 1), golden)
    return None


def _list_items(enum: Node) -> list[Node]:
    body = enum.child_by_field_name("body")
    return [node for node in body.named_children if node.type == "enum_variant"] if body is not None else []


def _variants(enum: Node) -> list[str]:
    """The variants of an enum that has only such without fields and numbers; else none."""
    found = _list_items(enum)
    return [name_of(node) for node in found] if all(node.named_child_count == 1 for node in found) else []


def _arms(root: Node, enum: Node, variant: str) -> list[tuple[Replacement, str, str]]:
    """For each match on an enum the new arm, a call that reaches it, and its value; none where one has no such arm."""
    name, variants, found = name_of(enum), _variants(enum), []
    for match in every(root, "match_expression"):
        arms = [node for node in every(match, "match_arm")]
        paths = [_path(arm) for arm in arms]
        if not any(path == name or path == "Self" and impl_of(match) == name for path, _ in paths):
            continue
        value = _next_value([name_of(arm, "value") for arm in arms], variants, variant)
        call = _call(match, f"{name}::{variant}")
        if [last for _, last in paths] != variants or not value or not call:
            return []
        found.append((_behind(arms[-1], f"{paths[-1][0]}::{variant} => {value},"), call, value))
    return found


def _path(arm: Node) -> tuple[str, str]:
    """The enum and the variant of an arm's pattern, as it has them."""
    pattern = arm.child_by_field_name("pattern")
    path, _, last = (node_text(pattern) if pattern is not None else "").rpartition("::")
    return path, last


def _next_value(values: Sequence[str], variants: Sequence[str], variant: str) -> str:
    """The value that goes on with those of a match; "" where they have no rule.

    >>> _next_value(["10", "20"], ["A", "B"], "C"), _next_value(["'o'", "'t'"], ["One", "Two"], "Six")
    ('30', "'s'")
    """
    for rule in RULES:
        if list(values) == [rule(name) for name in variants]:
            return rule(variant)
    if len(values) < 2 or not all(value.isdecimal() for value in values):
        return ""
    numbers = [int(value) for value in values]
    step = numbers[1] - numbers[0]
    even = all(late - early == step for early, late in zip(numbers, numbers[1:], strict=False))
    return str(numbers[-1] + step) if even and step > 0 else ""


def _call(match: Node, value: str) -> str:
    """A call of the function that a match is in, with a value; "" where it has other parameters."""
    function = match.parent
    while function is not None and function.type != "function_item":
        function = function.parent
    given = function.child_by_field_name("parameters") if function is not None else None
    if function is None or given is None or given.named_child_count != 1:
        return ""
    if given.named_children[0].type == "self_parameter":
        return f"{value}.{name_of(function)}()"
    sign = "&" if name_of(given.named_children[0], "type").startswith("&") else ""
    return "" if impl_of(function) else f"{name_of(function)}({sign}{value})"


def _behind(node: Node, text: str) -> Replacement:
    """An item behind the last one of a list, and the comma that is missing there."""
    comma = node.next_sibling
    place = after(node, text)
    if comma is not None and comma.type == ",":
        return place._replace(start=comma.end_byte, end=comma.end_byte)
    return place if (node.text or b"").endswith((b",", b"}")) else place._replace(text=f",{place.text}")
