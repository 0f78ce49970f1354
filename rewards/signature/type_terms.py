"""Types as far as they decide whether a call fits: lifetimes, paths and the names of generic parameters are dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.tokens import COMMENTS, last_name, node_text

__all__ = ["ANY", "HIDDEN", "UNIT", "TypeTerm", "may_fit", "owned", "read_type"]

LEFT_OUT = {"lifetime", "type_binding", *COMMENTS}  # of the arguments of a generic type
LEAVES = ("primitive_type", "type_identifier")
OPEN = (
    "abstract_type",
    "dynamic_type",
    "function_type",
    "qualified_type",
    "higher_ranked_trait_bound",
    "macro_invocation",
)
MOST_LEVELS, MOST_PARTS = 40, 200  # of a type; programs are hostile
INTEGERS = ("i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize")
ALIKE = {  # types that one literal may have, or that a reference is coerced to
    **dict.fromkeys(INTEGERS, "integer"),
    **dict.fromkeys(("f32", "f64"), "float"),
    **dict.fromkeys(("Vec", "[]", "[;]"), "sequence"),
    **dict.fromkeys(("String", "str"), "text"),
}


class TypeTerm(NamedTuple):
    """A type: what it is made by, and of what. `Vec<u8>` is `TypeTerm("Vec", (TypeTerm("u8"),))`."""

    head: str  # a name, "&", "&mut", "[]" for a slice, "[;]" for an array, "(,)" for a tuple
    parts: tuple[TypeTerm, ...] = ()


ANY = TypeTerm("*")  # a generic parameter that arguments tell
HIDDEN = TypeTerm("?")  # what the text does not tell: `impl Trait`, `T::Output`, a function
UNIT = TypeTerm("(,)")


def read_type(node: Node, names: Mapping[str, TypeTerm]) -> TypeTerm:
    """A type of the syntax tree; one that is too large to be compared, which no task needs, is `HIDDEN`.

    Args:
        node: A type.
        names: What names mean here: generic parameters, aliases, `Self`.
    """
    found = _read(node, names, MOST_LEVELS)
    waiting, count = [found], 0
    while waiting and count <= MOST_PARTS:  # an alias of aliases may have more parts than could be counted
        waiting += waiting.pop().parts
        count += 1
    return HIDDEN if count > MOST_PARTS else found


def _read(node: Node, names: Mapping[str, TypeTerm], levels: int) -> TypeTerm:
    """A type with at most so many levels; deeper parts are `HIDDEN`."""
    if node.type in LEAVES:
        return names.get(node_text(node), TypeTerm(node_text(node)))
    if node.type == "scoped_type_identifier":
        first = node_text(node).partition("::")[0]
        return HIDDEN if names.get(first) == ANY else TypeTerm(last_name(node))
    if node.type in OPEN or not levels:
        return HIDDEN
    if node.type == "generic_type":
        given = node.child_by_field_name("type_arguments")
        head = last_name(node.child_by_field_name("type"))
        return names[head] if head in names else TypeTerm(head, _parts(given, names, levels))
    if node.type == "reference_type":
        changes = any(child.type == "mutable_specifier" for child in node.children)
        return TypeTerm("&mut" if changes else "&", _field(node, "type", names, levels))
    if node.type == "array_type":
        head = "[;]" if node.child_by_field_name("length") else "[]"
        return TypeTerm(head, _field(node, "element", names, levels))
    if node.type in ("tuple_type", "unit_type"):
        return TypeTerm("(,)", _parts(node, names, levels))
    return TypeTerm("".join(node_text(node).split()))


def _parts(node: Node | None, names: Mapping[str, TypeTerm], levels: int) -> tuple[TypeTerm, ...]:
    """The types in a list of them."""
    children = node.named_children if node is not None else ()
    return tuple(_read(child, names, levels - 1) for child in children if child.type not in LEFT_OUT)


def _field(node: Node, name: str, names: Mapping[str, TypeTerm], levels: int) -> tuple[TypeTerm, ...]:
    found = node.child_by_field_name(name)
    return () if found is None else (_read(found, names, levels - 1),)


def may_fit(wanted: TypeTerm, given: TypeTerm) -> bool:
    """Whether values that are written for one type may be taken by another; where the text leaves it open, they may.

    >>> text, owned_text = TypeTerm("&", (TypeTerm("str"),)), TypeTerm("String")
    >>> may_fit(TypeTerm("&", (owned_text,)), text), may_fit(owned_text, text)
    (True, False)
    """
    if not {ANY, HIDDEN}.isdisjoint((wanted, given)):
        return True
    if ALIKE.get(wanted.head, wanted.head) != ALIKE.get(given.head, given.head):
        return False
    if wanted.head == "(,)" and len(wanted.parts) != len(given.parts):
        return False
    return all(map(may_fit, wanted.parts, given.parts))  # a missing part has a default, as of io::Result


def owned(term: TypeTerm) -> TypeTerm:
    """A type without its references: results are compared by value."""
    if term.head == "&" and term.parts:
        return owned(term.parts[0])
    return TypeTerm(term.head, tuple(map(owned, term.parts)))
