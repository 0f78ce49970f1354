"""The items of a program at its top level, by name; test code is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from rewards.rust.grammar import syntax
from rewards.rust.tokens import COMMENTS, last_name, node_text, without_generics

__all__ = ["Impl", "Items", "items_of"]

TYPES = ("struct_item", "enum_item", "union_item", "type_item")


@dataclass(frozen=True)
class Impl:
    """An impl block: of which type, of which trait ("" for none), and its functions by name."""

    node: Node
    type: str
    trait: str
    functions: dict[str, Node]


@dataclass(frozen=True)
class Items:
    """The items of a program. A name may stand for several, as with `cfg`."""

    functions: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, tuple[list[Node], Node]] = field(default_factory=dict)  # each with its attributes
    traits: dict[str, Node] = field(default_factory=dict)
    impls: list[Impl] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)


def items_of(code: str) -> Items:
    """The items of a program.

    >>> found = items_of("fn f() {} struct S; impl S { fn g(&self) {} } #[cfg(test)] mod tests { fn t() {} }")
    >>> list(found.functions), list(found.types), [(one.type, list(one.functions)) for one in found.impls]
    (['f'], ['S'], [('S', ['g'])])
    """
    found = Items()
    attributes: list[Node] = []
    for item in syntax(code).children:
        if item.type == "attribute_item":
            attributes.append(item)
        elif item.type not in COMMENTS:
            if not any(map(_is_for_tests, attributes)):
                _add(found, item, attributes)
            attributes = []
    return found


def _add(found: Items, item: Node, attributes: list[Node]) -> None:
    name = last_name(item.child_by_field_name("name"))
    if item.type == "function_item":
        found.functions[name].append(item)
    elif item.type in TYPES:
        found.types[name] = (attributes, item)
    elif item.type == "trait_item":
        found.traits[name] = item
    elif item.type == "mod_item":
        found.modules.add(name)
    elif item.type == "macro_definition":
        found.macros.add(name)
    elif item.type == "impl_item":
        kind, trait = (last_name(without_generics(item.child_by_field_name(part))) for part in ("type", "trait"))
        found.impls.append(Impl(item, kind, trait, dict(_members(item))))


def _members(impl: Node) -> Iterator[tuple[str, Node]]:
    body = impl.child_by_field_name("body")
    for member in body.children if body is not None else ():
        if member.type == "function_item":
            yield last_name(member.child_by_field_name("name")), member


def _is_for_tests(attribute: Node) -> bool:
    return "".join(node_text(attribute).split()) in ("#[cfg(test)]", "#[test]")
