"""All planters, by the error code of rustc that they aim at: changes of what is there, then what is put in.

A program that has the place for both gets the change more often: it is what people do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from textwrap import indent
from typing import NamedTuple

from dataset.repairing.items import ITEMS, Item
from dataset.repairing.program import FreeFunction, Parameter, RightProgram
from dataset.repairing.renaming import RENAMING
from dataset.repairing.reshaping import RESHAPING
from dataset.repairing.statements import STATEMENTS, Statement

__all__ = ["CODES", "SYNTAX", "Pair", "plant"]

SYNTAX = "syntax"  # stands for errors of the parser, which have no code
NEW_NAMES = ("result", "value", "found", "other", "kept", "rest", "total", "part", "first", "last", "held", "seen")
CHANGES_FIRST = 0.75  # how often a change of what is there is tried before something is put in


class Pair(NamedTuple):
    """A right program, and the same with a mistake in it."""

    right: str
    broken: str


Planter = Callable[[RightProgram, Random], Pair | None]


def plant(code: str, program: RightProgram, rng: Random) -> Pair | None:
    """A program with a mistake in it that aims at an error code, and the right answer.

    Args:
        code: One of `CODES`.
        program: A right one. The right answer may have a few statements more.
        rng: Decides which of the mistakes of that code, and where.
    Returns: None where the program has no place for one.

    >>> plant("E0615", RightProgram("fn f(v: &[u8]) -> usize {\\n    v.len()\\n}\\n"), Random(0)).broken
    'fn f(v: &[u8]) -> usize {\\n    v.len\\n}\\n'
    """
    changes, inserted = CHANGES.get(code, []), INSERTED.get(code, [])
    first, second = rng.sample(changes, len(changes)), rng.sample(inserted, len(inserted))
    if rng.random() >= CHANGES_FIRST:
        first, second = second, first
    for planter in (*first, *second):
        pair = planter(program, rng)
        if pair is not None and pair.broken != pair.right:
            return pair
    return None


def _by_change(change: Callable[[RightProgram, Random], str | None]) -> Planter:
    """A planter that changes what is there."""

    def planted(program: RightProgram, rng: Random) -> Pair | None:
        broken = change(program, rng)
        return None if broken is None else Pair(program.text, broken)

    return planted


def _by_statement(statement: Statement) -> Planter:
    """A planter that puts statements at the beginning of a function."""

    def planted(program: RightProgram, rng: Random) -> Pair | None:
        kinds = statement.kinds.split()
        fitting = [(one, about) for one in program.functions for about in one.parameters if about.kind in kinds]
        if not fitting:
            return None
        function, about = rng.choice(fitting)
        names = _names(statement.broken + statement.right, program, about, rng)
        if names is None:
            return None
        texts = (statement.right.format(**names), statement.broken.format(**names))
        return Pair(*(_inside(program, function, text) for text in texts))

    return planted


def _names(text: str, program: RightProgram, about: Parameter, rng: Random) -> Mapping[str, str] | None:
    """What the names in statements stand for; None where the parameter's type or the program lacks something."""
    new = [name for name in NEW_NAMES if name not in program.words]
    own = program.types.get(about.type)
    needs_own = any(name in text for name in ("{S}", "{field}", "{variant}"))
    if len(new) < len("xyz") or (needs_own and (own is None or len(own.members) < 2)):
        return None
    names = {"a": about.name, "t": about.type, **dict(zip("xyz", rng.sample(new, len("xyz")), strict=True))}
    if own is not None and own.members:
        names |= {"S": about.type, "field": own.members[0], "variant": own.members[0]}
    return names


def _inside(program: RightProgram, function: FreeFunction, text: str) -> str:
    """The program with statements at the beginning of a function's body; as it is for none."""
    place = function.body.start_byte + 1
    return program.changed((place, place, f"\n{indent(text, '    ')}")) if text else program.text


def _by_item(item: Item) -> Planter:
    """A planter that puts an item behind a program, or before it."""

    def planted(program: RightProgram, rng: Random) -> Pair | None:
        whole = item.head + item.broken + item.right + item.rest
        owned, functions = sorted(program.types), [one.name for one in program.functions]
        if ("{S}" in whole and not owned) or ("{f}" in whole and not functions):
            return None
        names = {"S": rng.choice(owned or [""]), "f": rng.choice(functions or [""])}
        texts = [f"{item.head}{part}{item.rest}".format(**names) for part in (item.right, item.broken)]
        return Pair(*(_beside(program, text, first=item.first) for text in texts))

    return planted


def _beside(program: RightProgram, text: str, *, first: bool) -> str:
    return f"{text}\n{program.text}" if first else f"{program.text.rstrip()}\n\n{text}"


def _by_code(planters: Sequence[tuple[str, Planter]]) -> Mapping[str, list[Planter]]:
    found: dict[str, list[Planter]] = {}
    for code, planter in planters:
        found.setdefault(code, []).append(planter)
    return found


CHANGES = _by_code([(code, _by_change(change)) for code, change in (*RENAMING, *RESHAPING)])
INSERTED = _by_code(
    [(one.code, _by_statement(one)) for one in STATEMENTS] + [(one.code, _by_item(one)) for one in ITEMS]
)
CODES = tuple(sorted({*CHANGES, *INSERTED}))
