"""Finds the structs and enums that a program defines, so that their values can be sent field by field.

Left out, and so opaque: types with constants or bounds among their parameters, types in inner modules and functions,
those that a `cfg` may change, packed ones, and unions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, node_text
from sandbox.answers.calls import Call, OwnType, Variant

__all__ = ["own_types", "trait_uses"]

OWN_FUNCTION = re.compile(r"\bsuper::(?:\w+::)*[A-Z]\w*::[a-z]")
BY_A_TRAIT = re.compile(r"\.\s*[A-Za-z_]|>\s*::|(?<![\w:])(?!super\b)\w+::(?!vec!)[a-z]")  # which a trait could change
CHANGES_FIELDS = re.compile(r"\b(?:cfg|cfg_attr|packed)\b")


def own_types(code: str) -> tuple[OwnType, ...]:
    """The types at the top level of a program.

    >>> [own.name for own in own_types("enum Side { West, East } struct Pair<T>(T, T);")]
    ['Side', 'Pair']
    """
    found = list(_types(syntax(code)))
    times = Counter(own.name for own in found)
    return tuple(own for own in found if times[own.name] == 1)


def trait_uses(code: str, calls: Sequence[Call]) -> tuple[str, ...]:
    """The `use` declarations of a program's traits, for calls such as `Circle::unit()` that may need them.

    There are none where a call has a method or a function of the standard library in it, which a trait could replace.
    """
    texts = [text for call in calls for text in call.texts]
    if any(map(BY_A_TRAIT.search, texts)) or not any(map(OWN_FUNCTION.search, texts)):
        return ()
    items = syntax(code).children
    plain = (item for before, item in zip([None, *items], items, strict=False) if not _is_attribute(before))
    names = (item.child_by_field_name("name") for item in plain if item.type == "trait_item")
    return tuple(sorted({f"use super::{node_text(name)} as _;" for name in names if name is not None}))


def _is_attribute(item: Node | None) -> bool:
    return item is not None and item.type == "attribute_item"


def _types(root: Node) -> Iterator[OwnType]:
    attributes = ""
    for item in root.children:
        if item.type == "attribute_item":
            attributes += node_text(item)
        elif item.type not in COMMENTS:
            if item.type in ("struct_item", "enum_item") and not CHANGES_FIELDS.search(attributes):
                own = _type(item)
                if own is not None:
                    yield own
            attributes = ""


def _type(item: Node) -> OwnType | None:
    """The type that an item defines; None where it is left out."""
    name, body = item.child_by_field_name("name"), item.child_by_field_name("body")
    parameters = item.child_by_field_name("type_parameters")
    kinds = [child.type for child in parameters.named_children] if parameters is not None else []
    if name is None or item.has_error or not all(map(_is_plain, parameters.named_children if parameters else ())):
        return None
    if any(child.type == "where_clause" for child in item.children):
        return None
    counts = kinds.count("lifetime_parameter"), kinds.count("type_parameter")
    if body is not None and any(_is_changing(node) for node in (body, *body.named_children)):
        return None
    if item.type == "struct_item":
        return OwnType(node_text(name), (_variant("", body),), *counts)
    variants = []
    for child in body.named_children if body is not None else ():
        title = child.child_by_field_name("name")
        if child.type == "enum_variant" and title is not None:
            inner = child.child_by_field_name("body")
            if inner is not None and _is_changing(inner):
                return None
            variants.append(_variant(node_text(title), inner))
    return OwnType(node_text(name), tuple(variants), *counts, is_enum=True)


def _is_plain(parameter: Node) -> bool:
    """Whether a parameter of a type is a lifetime or a type without bounds and default."""
    return parameter.type == "lifetime_parameter" or (
        parameter.type == "type_parameter" and [child.type for child in parameter.children] == ["type_identifier"]
    )


def _is_changing(node: Node) -> bool:
    """Whether an attribute among a node's children may change what fields there are."""
    texts = (node_text(child) for child in node.named_children if child.type == "attribute_item")
    return any(CHANGES_FIELDS.search(text) for text in texts)


def _variant(name: str, body: Node | None) -> Variant:
    """A struct or a variant, from the list of its fields."""
    if body is None:
        return Variant(name)
    if body.type == "field_declaration_list":
        names = [child.child_by_field_name("name") for child in body.named_children]
        return Variant(name, tuple(node_text(found) for found in names if found is not None), named=True)
    count = sum(1 for place in range(body.child_count) if body.field_name_for_child(place) == "type")
    return Variant(name, tuple(map(str, range(count))))
