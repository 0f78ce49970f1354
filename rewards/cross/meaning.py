"""Whether a test module means in another code what it means in its own: by the names that the two codes give.

A test module takes its names from the code around it. Promises that a name in it which another code gives to something
is one that its own code gives too, so that no `vec`, `Option`, `std` or `assert_eq` of another code takes the place of
what the test module was written with; that its methods are none that only the other code's traits have; that what it
looks at is of a type of the standard library where that is so in its own code; and that what compares it is derived.
All of this is read from the text. What a macro may declare counts as declared, and what it may implement as
implemented, so that in doubt a test module does not fit. Left out: whether the code does what the names say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import leaves, node_text, plain_name, without_generics
from rewards.signature.interface import FunctionShape, Interface, OwnShape
from rewards.signature.type_terms import HIDDEN, TypeTerm
from sandbox.grading.lexer import Token

__all__ = ["CodeNames", "keeps_meaning", "names_given", "shows_results", "with_own_types"]

UNNAMED = "?"
OWN = "own "  # before the name of a type that the code declares itself, or imports from itself
NOMINAL = ("struct_item", "enum_item", "union_item")
TYPES = (*NOMINAL, "trait_item", "type_item")
ITEMS = (*TYPES, "function_item", "const_item", "static_item", "mod_item", "macro_definition")
STANDARD = frozenset(("std", "core", "alloc"))  # crates, whose names mean the same in every code
NO_NAMES = ("use", "pub", "crate", "self", "super", "in", "as", "_")  # in a `use` declaration
MACROS = ("token_tree", "token_tree_pattern")
DECLARES = ("fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod")


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
    root = syntax(code)
    places = list(_below(root))
    inner = any(place.kind == "use_wildcard" for place in places)  # which may bring variants, and items of modules
    items, types, functions, of_traits = set[str](), set[str](), set[str](), set[str]()
    imports: list[list[str]] = []
    nominal = {_name(item) for item in root.children if item.type in NOMINAL}
    for place in places:
        node, kind = place.node, place.kind
        at_top, in_module = place.parent == root.type, place.grandparent == "mod_item"
        if kind in TYPES:
            types.add(_name(node))
        if kind in ("function_item", "function_signature_item"):
            functions.add(_name(node))
            if place.grandparent == "trait_item":
                of_traits.add(_name(node))
        if (kind in ITEMS and (at_top or (inner and in_module))) or (kind == "enum_variant" and inner):
            items.add(_name(node))
        if kind in ("use_declaration", "extern_crate_declaration"):
            imports.append(list(_words(node)))
            items.update(_bound(imports[-1]))
    for words in imports:
        keeps_names = _imported_from(words) in STANDARD - items and "as" not in words
        types.update(() if keeps_names else _bound(words))
    has_macros = any(place.kind == "macro_definition" for place in places)
    made = [place.node for place in places if has_macros and _makes_items(place)]
    compared = frozenset(_compared(place, nominal) for place in places if place.kind == "impl_item") - {""}
    hidden = any(place.kind == "impl" and place.parent in MACROS for place in places)
    return CodeNames(
        frozenset(items),
        frozenset(types),
        frozenset(functions),
        frozenset(of_traits),
        frozenset(word for node in made for word in _words(node)),
        compared,
        is_closed=UNNAMED not in compared and not hidden,
    )


def keeps_meaning(suite: Sequence[Token], own: CodeNames, other: CodeNames) -> bool:
    """Whether another code gives no meaning of its own to a word of a test module.

    Args:
        suite: Its tokens.
        own: The names of the code that it was written with.
        other: Those of the other code.
    """
    texts = ["", *(token.text for token in suite)]
    pairs = list(zip(texts, suite, strict=False))
    declared = {token.text for before, token in pairs if before in DECLARES} | set(_imported(texts))
    used = {token.text for before, token in pairs if token.kind == "name" and before not in (".", "::")} - declared
    called = {token.text for before, token in pairs if before == "."}
    return (
        other.is_closed
        and other.compared.isdisjoint(texts)
        and used & (other.items | other.by_macros) <= own.items
        and called & (other.of_traits | other.by_macros) <= own.functions
    )


def with_own_types(interface: Interface, names: CodeNames) -> Interface:
    """An interface in which a type of the code is told from one of the standard library that has its name."""
    own = names.types | names.by_macros

    def marked(term: TypeTerm) -> TypeTerm:
        head = OWN + term.head if term.head in own else term.head
        return TypeTerm(head, tuple(map(marked, term.parts)))

    functions = {
        place: replace(one, parameters=tuple(map(marked, one.parameters)), result=marked(one.result))
        for place, one in interface.functions.items()
    }
    types = {
        name: OwnShape(one.kind, tuple((field, marked(term)) for field, term in one.fields))
        for name, one in interface.types.items()
    }
    return replace(interface, functions=functions, types=types)


def shows_results(
    used: Iterable[tuple[FunctionShape | None, FunctionShape]], other: Interface, names: CodeNames
) -> bool:
    """Whether the text tells what another code's functions return, and nothing of that is equal by its own account.

    Args:
        used: The functions that a test module names: as its own code has them, if it has, and as the other one has.
        other: The other code's interface, from `with_own_types`.
        names: The other code's names.
    """
    waiting: list[TypeTerm] = []
    for wanted, given in used:
        if _is_hidden(given) and not (wanted is not None and _is_hidden(wanted)):
            return False
        waiting.append(given.result)
    seen: set[str] = set()
    while waiting:
        term = waiting.pop()
        waiting += term.parts
        name = term.head.removeprefix(OWN)
        if name == term.head or name in seen:
            continue
        seen.add(name)
        if name in names.compared or (names.compared and name not in other.types):
            return False
        waiting += [kind for _, kind in other.types[name].fields] if name in other.types else []
    return True


def _is_hidden(function: FunctionShape) -> bool:
    """Whether neither the text of a function nor its arguments tell what it returns."""
    return HIDDEN.head in _heads(function.result)


def _heads(term: TypeTerm) -> Iterator[str]:
    yield term.head
    for part in term.parts:
        yield from _heads(part)


def _makes_items(place: _Place) -> bool:
    """Whether a node may declare what its words say: the definition of a macro, or a use of one among items."""
    inside = place.grandparent if place.parent == "expression_statement" else place.parent
    return place.kind == "macro_definition" or (
        place.kind == "macro_invocation" and inside in ("source_file", "declaration_list")
    )


def _compared(place: _Place, nominal: set[str]) -> str:
    """The type for which a block says what is equal, "" for other blocks.

    `UNNAMED` unless it is sure which one that is: at the top level the name of a struct is that of no other type.
    """
    trait = place.node.child_by_field_name("trait")
    if trait is None or plain_name(without_generics(trait)) != "PartialEq":
        return ""
    kind = without_generics(place.node.child_by_field_name("type"))
    is_plain = place.parent == "source_file" and kind is not None and kind.type == "type_identifier"
    return name if is_plain and (name := plain_name(kind)) in nominal else UNNAMED


def _imported_from(words: list[str]) -> str:
    """The crate or the module that a `use` declaration imports from; "" where it is not one."""
    path = words[words.index("use") + 1 :] if "use" in words else []
    return next((word for word in path if word != "::"), "")


def _imported(texts: Sequence[str]) -> Iterator[str]:
    """The names that the `use` declarations among tokens bind."""
    statement: list[str] | None = None
    for text in texts:
        if statement is not None and text == ";":
            yield from _bound(statement)
            statement = None
        elif text == "use":
            statement = []
        elif statement is not None:
            statement.append(text)


def _bound(words: Sequence[str]) -> Iterator[str]:
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
    parent: str
    grandparent: str


def _below(root: Node) -> Iterator[_Place]:
    """All nodes, in no order."""
    waiting = [_Place(root, root.type, "", "")]
    while waiting:
        place = waiting.pop()
        yield place
        waiting += [_Place(child, child.type, place.kind, place.parent) for child in place.node.children]
