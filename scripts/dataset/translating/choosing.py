"""One type for each parameter and for the result of a function, over the calls in its tests that agree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataset.translating.asserts import python_tree
from dataset.translating.inferring import RustType, Untyped, infer, is_known

__all__ = ["Case", "Hints", "Types", "choose", "hints_of"]

FEWEST = 2  # calls that a task keeps
PASSES_ON = ("sum", "len", "max", "min", "sorted", "set", "list", "tuple", "enumerate", "map", "zip", "filter", "iter",
             "reversed", "Counter", "any", "all")  # fmt: skip
OF_CHARACTERS = ("char", "letter", "character", "ch", "alphabet")


@dataclass(frozen=True)
class Case:
    """One call with what it returns."""

    args: tuple[Any, ...]
    expected: Any
    said: Any  # what the assert says, which is equal in Python, but may be of another type
    tolerance: tuple[float, float] = (0.0, 0.0)  # relative and absolute, where the assert gives one
    notes: frozenset[str] = frozenset()  # what the task has to say besides
    wrap: Callable[[Any], Any] = field(default=lambda value: value, compare=False)  # from a result to `expected`


@dataclass(frozen=True)
class Types:
    """What a function takes and returns."""

    parameters: tuple[RustType, ...]
    result: RustType


@dataclass(frozen=True)
class Hints:
    """What the text and the reference of a task say of types that its values leave open."""

    chars: frozenset[int] = frozenset()  # parameters that are characters where their values may be; -1: the result
    lists: frozenset[int] = frozenset()  # parameters that are iterated, so that a tuple is a Vec; -1: the result


def hints_of(text: str, reference: str, name: str, parameters: Sequence[str]) -> Hints:
    """Read hints.

    Args:
        text: What is asked for.
        reference: Python, or "".
        name: The function.
        parameters: Its parameters in Python.

    >>> hints_of("Count a character.", "def f(s, ch):\\n    return sum(c == ch for c in s)", "f", ["s", "ch"])
    Hints(chars=frozenset({0, 1, -1}), lists=frozenset({0}))
    """
    words = text.lower()
    spoken = any(word in words for word in ("character", "letter", " char ", "vowel", "alphabet"))
    places = range(-1, len(parameters))
    chars = {place for place in places if spoken or (place >= 0 and parameters[place].lower() in OF_CHARACTERS)}
    iterated = _iterated(reference)
    lists = {place for place, one in enumerate(parameters) if one in iterated}
    returns_tuple = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tuple"
        for node in ast.walk(python_tree(reference))
    )
    return Hints(frozenset(chars), frozenset(lists | ({-1} if returns_tuple else set())))


def _iterated(reference: str) -> set[str]:
    """The variables that a reference goes through."""
    found: set[str] = set()
    for node in ast.walk(python_tree(reference)):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Name):
            found.add(node.iter.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PASSES_ON:
            found |= {one.id for one in node.args if isinstance(one, ast.Name)}
    return found


def choose(cases: Sequence[Case], hints: Hints) -> tuple[Types, list[Case]]:
    """Types for a function, and the calls that have them.

    Where the calls do not agree, the most that do are kept: at least two, and half of all.

    Raises: Untyped.
    """
    try:
        return types_of(cases, hints), list(cases)
    except Untyped as error:
        kept = _agreeing(cases, hints)
        if len(kept) < max(FEWEST, (len(cases) + 1) // 2):
            raise error
        return types_of(kept, hints), kept


def _agreeing(cases: Sequence[Case], hints: Hints) -> list[Case]:
    """Calls whose types agree, those of the most frequent types first."""
    typed: list[tuple[str, Case]] = []
    for case in cases:
        try:
            typed.append((str(types_of([case], hints, partly=True)), case))
        except Untyped:
            continue
    counts = Counter(text for text, _ in typed)
    kept: list[Case] = []
    for _, case in sorted(typed, key=lambda pair: -counts[pair[0]]):
        try:
            types_of([*kept, case], hints, partly=True)
        except Untyped:
            continue
        kept.append(case)
    return [case for case in cases if any(case is one for one in kept)]


def types_of(cases: Sequence[Case], hints: Hints, *, partly: bool = False) -> Types:
    """The types of calls. `partly`: also where not all of them are known. Raises: Untyped."""
    columns = list(zip(*(case.args for case in cases), strict=True))
    found = Types(
        tuple(_infer(column, place, hints) for place, column in enumerate(columns)),
        _result(cases, hints),
    )
    if found.result.kind == "option" and found.result.parts[0].kind == "?":
        raise Untyped("the result is always None")
    if not partly and not all(map(is_known, (*found.parameters, found.result))):
        raise Untyped("only empty containers")
    return found


def _infer(values: Collection[Any], place: int, hints: Hints) -> RustType:
    return infer(values, chars=place in hints.chars, as_list=place in hints.lists)


def _result(cases: Sequence[Case], hints: Hints) -> RustType:
    """The type of the result: of what the asserts say, or of what the reference returns. Raises: Untyped.

    Python has 3 == 3.0 and 1 == True. Where a reference returns 3.0 and every assert says 3, the result is an integer.
    """
    returned, said = [case.expected for case in cases], [case.said for case in cases]
    try:
        return _infer(said, -1, hints)
    except Untyped as error:
        try:
            return _infer(returned, -1, hints)
        except Untyped:
            raise error from None
