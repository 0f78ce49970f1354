"""The names that a code gives to what stands in it: its items, its imports, and the types whose equality it writes.

Read from the text: what a macro may make counts as made. Linear in the length of the code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import leaves, node_text, plain_name, without_generics

__all__ = ["CodeNames", "bound_names", "names_given"]

UNNAMED = "?"
NOMINAL = ("struct_item", "enum_item", "union_item")
TYPES = (*NOMINAL, "trait_item", "type_item")
ITEMS = (*TYPES, "function_item", "const_item", "static_item", "mod_item", "macro_definition")
IMPORTS = ("use_declaration", "extern_crate_declaration")
MACROS = ("token_tree", "token_tree_pattern")
STANDARD = frozenset(("std", "core", "alloc"))  # crates, whose names mean the same in every code
NO_NAMES = ("use", "pub", "crate", "self", "super", "in", "as", "_")  # in a `use` declaration


@dataclass(frozen=True)
class CodeNames:
    """The names that a code gives to a test module in it."""

    items: frozenset[str]  # of its items and imports
    types: frozenset[str]  # of its types, wherever they stand, and of imports but those of std under their own names
    functions: frozenset[str]  # and methods, wherever they stand
    of_traits: frozenset[str]  # methods of its traits
    by_macros: frozenset[str]  # all words from which its macros may make items
    compared: frozenset[str]  # its own types for which it writes itself what is equal
    is_closed: bool  # whether its text tells for which types it does, and all that it implements


def names_given(code: str) -> CodeNames:
    """The names that a code gives.

    >>> found = names_given("use std::mem; mod m { pub struct A; } fn f() {} trait T { fn g(&self); }")
    >>> sorted(found.items), sorted(found.types), sorted(found.of_traits)
    (['T', 'f', 'm', 'mem'], ['A', 'T'], ['g'])
    """
    if not is_readable(code):
        nothing = frozenset[str]()
        return CodeNames(nothing, nothing, nothing, nothing, nothing, nothing, is_closed=False)
    places = list(_below(syntax(code)))
    inner = any(place.kind == "use_wildcard" for place in places)  # which may bring variants, and items of modules
    items, types, functions, of_traits = set[str](), set[str](), set[str](), set[str]()
    for place in places:
        kind = place.kind
        if kind in TYPES:
            types.add(_name(place.node))
        if kind in ("function_item", "function_signature_item"):
            functions.add(_name(place.node))
            if place.grandparent == "trait_item":
                of_traits.add(_name(place.node))
        visible = place.parent == "source_file" or (inner and place.grandparent == "mod_item")
        if (kind in ITEMS and visible) or (kind == "enum_variant" and inner):
            items.add(_name(place.node))
    imports = [list(_words(place.node)) for place in places if place.kind in IMPORTS]
    types |= _own_imports(imports, items)
    has_macros = any(place.kind == "macro_definition" for place in places)
    made = [place.node for place in places if has_macros and _makes_items(place)]
    nominal = defaultdict[int, set[str]](set)  # by what they stand in
    for place in places:
        if place.kind in NOMINAL:
            nominal[place.around].add(_name(place.node))
    compared = {_compared(place, nominal[place.around]) for place in places if place.kind == "impl_item"} - {""}
    hidden = any(place.kind == "impl" and place.parent in MACROS for place in places)
    return CodeNames(
        frozenset(items.union(*map(bound_names, imports))),
        frozenset(types),
        frozenset(functions),
        frozenset(of_traits),
        frozenset(word for node in made for word in _words(node)),
        frozenset(compared),
        is_closed=UNNAMED not in compared and not hidden,
    )


def _own_imports(imports: Sequence[list[str]], items: set[str]) -> set[str]:
    """What imports bind, but for names of the standard library that stay as they are.

    Args:
        imports: The words of each `use` and `extern crate`.
        items: The names of the code's items: a module `std` is not the standard library.
    """
    elsewhere = [words for words in imports if _imported_from(words) not in STANDARD]
    aliases = {b for words in imports for a, b in pairwise(words) if a == "as" and b != "_"}
    own = aliases.union(*map(bound_names, elsewhere))
    return own.union(*(bound_names(words) for words in imports if _imported_from(words) in own | items))


def _makes_items(place: _Place) -> bool:
    """Whether a node may declare what its words say: the definition of a macro, or a use of one among items."""
    inside = place.grandparent if place.parent == "expression_statement" else place.parent
    return place.kind == "macro_definition" or (
        place.kind == "macro_invocation" and inside in ("source_file", "declaration_list")
    )


def _compared(place: _Place, nominal: Set[str]) -> str:
    """The type for which a block says what is equal, "" for other blocks.

    `UNNAMED` unless it is sure which one that is: a struct beside the block has a name that no import there has.

    Args:
        place: The block.
        nominal: The names of the structs, enums and unions beside it.
    """
    trait = place.node.child_by_field_name("trait")
    if trait is None or plain_name(without_generics(trait)) != "PartialEq":
        return ""
    kind = without_generics(place.node.child_by_field_name("type"))
    is_plain = kind is not None and kind.type == "type_identifier"
    return name if is_plain and (name := plain_name(kind)) in nominal else UNNAMED


def _imported_from(words: list[str]) -> str:
    """The crate or the module that a `use` declaration imports from; "" where it is not one."""
    path = words[words.index("use") + 1 :] if "use" in words else []
    return next((word for word in path if word != "::"), "")


def bound_names(words: Sequence[str]) -> Iterator[str]:
    """The names that one `use` declaration binds: those that neither a path goes on from nor `as` renames."""
    paths: list[str] = []  # the name before each brace that is open
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        if word == "{":
            paths.append(words[place - 2] if place >= 2 else "")
        elif word == "}" and paths:
            paths.pop()
        elif after not in ("::", "as"):
            name = paths[-1] if word == "self" and paths else word
            if name.isidentifier() and name not in NO_NAMES:
                yield name


def _words(node: Node) -> Iterator[str]:
    return (node_text(leaf).removeprefix("r#") for leaf in leaves(node))


def _name(item: Node) -> str:
    return plain_name(item.child_by_field_name("name"))


class _Place(NamedTuple):
    """A node, and the kinds of those that it stands in: to ask a node for its parent takes time by its depth."""

    node: Node
    kind: str
    around: int  # the id of the node that it stands in
    parent: str
    grandparent: str


def _below(root: Node) -> Iterator[_Place]:
    """All nodes, in no order."""
    waiting = [_Place(root, root.type, 0, "", "")]
    while waiting:
        place = waiting.pop()
        yield place
        waiting += [_Place(child, child.type, place.node.id, place.kind, place.parent) for child in place.node.children]
