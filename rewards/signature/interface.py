"""The interface of a Rust text: its functions, methods and types, with or without bodies, at the top level."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import COMMENTS, node_text
from rewards.signature.type_terms import ANY, HIDDEN, UNIT, TypeTerm, read_type

__all__ = ["FunctionShape", "Interface", "OwnShape", "interface_of", "outline"]

FUNCTIONS = ("function_item", "function_signature_item")
SELF = re.compile(r"(?:mut\s+)?self\b")
IDENTIFIER = re.compile(r"\w+")
TOLD = re.compile(r"\b\w+\b(?!\s*(?:::|as\b))")  # a generic parameter in a type, but for one of which a part is taken


@dataclass(frozen=True)
class FunctionShape:
    """How a function is called, and what it returns."""

    parameters: tuple[TypeTerm, ...]  # without self
    result: TypeTerm
    has_self: bool


@dataclass(frozen=True)
class OwnShape:
    """A struct or an enum: its fields, by name or number, those of a variant after its name and a dot."""

    kind: str
    fields: tuple[tuple[str, TypeTerm], ...]


@dataclass(frozen=True)
class Interface:
    """What can be called and made."""

    functions: dict[tuple[str, str], FunctionShape] = field(default_factory=dict)  # by type, "" for none, and name
    types: dict[str, OwnShape] = field(default_factory=dict)
    names: frozenset[str] = frozenset()  # all that it imports or defines at its top level
    is_open: bool = False  # whether macros may add to it


def interface_of(source: str) -> Interface:
    """Read a text; one that is too long to be read has no interface.

    >>> found = interface_of("fn add(a: u8, b: u8) -> u8 { a + b } struct P { x: i32 }")
    >>> list(found.functions), found.types["P"].fields
    ([('', 'add')], (('x', TypeTerm(head='i32', parts=())),))
    """
    if not is_readable(source):
        return Interface(is_open=True)
    items = [item for item in syntax(source).children if item.type not in COMMENTS]
    names: dict[str, TypeTerm] = {}
    for item in items:
        if item.type == "type_item" and (meant := item.child_by_field_name("type")) is not None:
            names[_name(item)] = HIDDEN if item.child_by_field_name("type_parameters") else read_type(meant, names)
    found = Interface(
        names=frozenset(_top_names(items)), is_open=any(item.type == "macro_definition" for item in items)
    )
    for item in items:
        _add(found, item, names)
    return found


def outline(signature: str, types: str = "") -> str:
    """The columns `signature` and `types` of a row as a text that `interface_of` reads."""
    lines = [line.strip() for line in signature.splitlines() if line.strip()]
    return "\n".join([*(line if line.endswith(("}", ";")) else f"{line};" for line in lines), types])


def _add(found: Interface, item: Node, names: Mapping[str, TypeTerm]) -> None:
    """Add an item to an interface."""
    if item.type in FUNCTIONS:
        found.functions["", _name(item)] = _function(item, names)
    elif item.type in ("struct_item", "enum_item"):
        found.types[_name(item)] = _own_shape(item, _within(names, _generics(item)))
    elif item.type == "impl_item":
        kind, body = item.child_by_field_name("type"), item.child_by_field_name("body")
        if kind is None or body is None:
            return
        inner = _within(names, _generics(item))
        owner = read_type(kind, inner)
        for member in body.children:
            if member.type in FUNCTIONS:
                found.functions[owner.head, _name(member)] = _function(member, _within(inner, {"Self": owner}))


def _function(item: Node, names: Mapping[str, TypeTerm]) -> FunctionShape:
    known = _within(names, _generics(item))
    given, result = item.child_by_field_name("parameters"), item.child_by_field_name("return_type")
    children = given.named_children if given is not None else []
    kinds = [child.child_by_field_name("type") for child in children if child.type == "parameter"]
    has_self = any(child.type == "self_parameter" for child in children)
    if kinds and not has_self and SELF.match(node_text(children[0])):
        kinds, has_self = kinds[1:], True  # self: Box<Self>
    parameters = tuple(read_type(kind, known) for kind in kinds if kind is not None)
    told = {name for kind in kinds if kind is not None for name in TOLD.findall(node_text(kind))}
    inferred = dict.fromkeys(_generics(item).keys() - told, HIDDEN)  # by what its traits are implemented for
    returned = UNIT if result is None else read_type(result, _within(known, inferred))
    return FunctionShape(parameters, returned, has_self)


def _own_shape(item: Node, names: Mapping[str, TypeTerm]) -> OwnShape:
    body = item.child_by_field_name("body")
    if item.type == "struct_item":
        return OwnShape("struct", tuple(_fields(body, names)))
    fields: list[tuple[str, TypeTerm]] = []
    for variant in body.named_children if body is not None else ():
        if variant.type == "enum_variant":
            name = _name(variant)
            inner = variant.child_by_field_name("body")
            fields += [(name, UNIT), *((f"{name}.{part}", kind) for part, kind in _fields(inner, names))]
    return OwnShape("enum", tuple(fields))


def _fields(body: Node | None, names: Mapping[str, TypeTerm]) -> Iterator[tuple[str, TypeTerm]]:
    """The fields of a struct or a variant, by name or number."""
    if body is None:
        return
    if body.type == "field_declaration_list":
        for child in body.named_children:
            kind = child.child_by_field_name("type")
            if child.type == "field_declaration" and kind is not None:
                yield _name(child), read_type(kind, names)
        return
    kinds = [child for place, child in enumerate(body.children) if body.field_name_for_child(place) == "type"]
    yield from ((str(number), read_type(kind, names)) for number, kind in enumerate(kinds))


def _within(names: Mapping[str, TypeTerm], own: dict[str, TypeTerm]) -> Mapping[str, TypeTerm]:
    """Names with those of an inner scope before them, which copies none: a program may have thousands."""
    return ChainMap(own, names)  # type: ignore[arg-type]  # read only


def _generics(item: Node) -> dict[str, TypeTerm]:
    """The type parameters of an item: they may be any type."""
    given = item.child_by_field_name("type_parameters")
    found = (child.child_by_field_name("name") for child in (given.named_children if given is not None else ()))
    return {node_text(name): ANY for name in found if name is not None}


def _top_names(items: list[Node]) -> Iterator[str]:
    """The names of items, and of what is imported."""
    for item in items:
        if item.type == "use_declaration":
            yield from IDENTIFIER.findall(node_text(item))
        else:
            yield _name(item)


def _name(item: Node) -> str:
    found = item.child_by_field_name("name")
    return node_text(found).removeprefix("r#") if found is not None else ""
