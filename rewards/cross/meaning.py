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
from dataclasses import replace

from rewards.cross.names import CodeNames, bound_names
from rewards.signature.interface import FunctionShape, Interface, OwnShape
from rewards.signature.type_terms import HIDDEN, TypeTerm
from sandbox.grading.lexer import Token

__all__ = ["keeps_meaning", "shows_results", "with_own_types"]

OWN = "own "  # before the name of a type that the code declares itself, or imports from itself
DECLARES = ("fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod")


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


def _imported(texts: Sequence[str]) -> Iterator[str]:
    """The names that the `use` declarations among tokens bind."""
    statement: list[str] | None = None
    for text in texts:
        if statement is not None and text == ";":
            yield from bound_names(statement)
            statement = None
        elif text == "use":
            statement = []
        elif statement is not None:
            statement.append(text)
