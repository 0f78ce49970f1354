"""A test module as another code can be tested with it: names that differ are replaced, types must agree.

Promises that nothing but the names of free functions in the test module changes. A function of one code is that of
another if the test module names it, no function there has its name, and exactly one has its parameters and its result.
What the test module names is there as a function, a method, a struct or an enum that the text shows: a constant, an
import or a macro under that name has no shape that could be compared. Left out: what only a compiler knows. Where types
leave it open, the test module fits, and compiling decides.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from rewards.signature.fitting import mismatch
from rewards.signature.interface import FunctionShape, Interface
from rewards.signature.type_terms import may_fit, owned
from sandbox.grading.lexer import Token, tokens

__all__ = ["aligned"]

DECLARES = ("fn", "let", "mut", "mod", "struct", "enum", "const", "static", "type", "use", "as", "|")


def aligned(suite: str, own: Interface, other: Interface, *, named: Set[str] = frozenset()) -> str | None:
    """A test module for another code.

    Args:
        suite: The test module.
        own: The interface of the code that it was written with.
        other: That of the other code.
        named: Names that the prompt gives: a code has them, or is none of what was asked for.
    Returns: The test module, with the other code's names; None where it does not fit.

    >>> from rewards.signature.interface import interface_of
    >>> own, other = interface_of("fn add(a: u8, b: u8) -> u8 {}"), interface_of("fn plus(x: u8, y: u8) -> u8 {}")
    >>> aligned("mod t { fn f() { assert_eq!(super::add(1, 2), 3); } }", own, other)
    'mod t { fn f() { assert_eq!(super::plus(1, 2), 3); } }'
    """
    try:
        found = list(tokens(suite))
    except ValueError:
        return None
    wanted = _used(own, {token.text for token in found})
    if not wanted.types.keys() <= other.types.keys():
        return None
    names: dict[str, str] = {}
    for owner, name in wanted.functions.keys() - other.functions.keys():
        if owner or name in named or (meant := _counterpart(name, wanted, other)) is None:
            return None
        names[name] = meant
    if len(set(names.values())) != len(names):
        return None
    functions = {(owner, names.get(name, name)): shape for (owner, name), shape in wanted.functions.items()}
    if mismatch(replace(wanted, functions=functions), other):
        return None
    return _renamed(suite, found, names) if names else suite


def _used(own: Interface, words: set[str]) -> Interface:
    """The part of an interface that a test module names."""
    functions = {place: shape for place, shape in own.functions.items() if place[1] in words}
    return replace(own, functions=functions, types={name: t for name, t in own.types.items() if name in words})


def _counterpart(name: str, wanted: Interface, other: Interface) -> str | None:
    """The only free function of another code that has the shape of a function and that nothing else is the name of."""
    shape = wanted.functions["", name]
    found = [
        theirs
        for (owner, theirs), given in other.functions.items()
        if not owner and ("", theirs) not in wanted.functions and _alike(shape, given)
    ]
    return found[0] if len(found) == 1 else None


def _alike(wanted: FunctionShape, given: FunctionShape) -> bool:
    same = len(wanted.parameters) == len(given.parameters) and not given.has_self
    return (
        same
        and all(map(may_fit, wanted.parameters, given.parameters))
        and may_fit(owned(wanted.result), owned(given.result))
    )


def _renamed(suite: str, found: list[Token], names: dict[str, str]) -> str | None:
    """A test module with other names for functions; None where a name is declared there, or the new one is in use."""
    words = {token.text for token in found}
    if words & set(names.values()):
        return None
    parts, place = [], 0
    for before, token in zip(["", *(token.text for token in found)], found, strict=False):
        start = token.end - len(token.text)
        if token.kind != "name" or token.text not in names or before == ".":
            continue
        if before in DECLARES or suite[start - 2 : start] == "r#":
            return None
        parts += [suite[place:start], names[token.text]]
        place = token.end
    return "".join(parts) + suite[place:]
