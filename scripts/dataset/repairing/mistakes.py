"""All planters, by the error code of rustc that they aim at: changes of what is there, then what is put in.

A program that has the place for both gets the change more often: it is what people do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from textwrap import indent

from dataset.repairing.insertions import ITEMS, STATEMENTS, Item, Statement
from dataset.repairing.program import Function, Parameter, RightProgram
from dataset.repairing.renaming import RENAMING
from dataset.repairing.reshaping import RESHAPING

__all__ = ["CODES", "SYNTAX", "plant"]

SYNTAX = "syntax"  # stands for errors of the parser, which have no code
NEW_NAMES = ("result", "value", "found", "other", "kept", "rest", "total", "part", "first", "last", "held", "seen")
CHANGES_FIRST = 0.75  # how often a change of what is there is tried before something is put in
Planter = Callable[[RightProgram, Random], str | None]


def plant(code: str, program: RightProgram, rng: Random) -> str | None:
    """A program with a mistake in it that aims at an error code.

    Args:
        code: One of `CODES`.
        program: A right one.
        rng: Decides which of the mistakes of that code, and where.
    Returns: None where the program has no place for one.

    >>> plant("E0425", RightProgram("fn double(n: u8) -> u8 {\\n    n * 2\\n}\\n"), Random(2))
    'fn double(n: u8) -> u8 {\\n    nn * 2\\n}\\n'
    """
    changes, inserted = CHANGES.get(code, []), INSERTED.get(code, [])
    first, second = rng.sample(changes, len(changes)), rng.sample(inserted, len(inserted))
    if rng.random() >= CHANGES_FIRST:
        first, second = second, first
    for planter in (*first, *second):
        broken = planter(program, rng)
        if broken is not None and broken != program.text:
            return broken
    return None


def _by_statement(statement: Statement) -> Planter:
    """A planter that puts a statement at the beginning of a function."""

    def planted(program: RightProgram, rng: Random) -> str | None:
        kinds = statement.kinds.split()
        fitting = [(one, about) for one in program.functions for about in one.parameters if about.kind in kinds]
        if not fitting:
            return None
        function, about = rng.choice(fitting)
        names = _names(statement.text, program, about, rng)
        return None if names is None else _inside(program, function, statement.text.format(**names))

    return planted


def _names(text: str, program: RightProgram, about: Parameter, rng: Random) -> dict[str, str] | None:
    """What the names of a statement stand for; None where the parameter's type lacks something."""
    new = [name for name in NEW_NAMES if name not in program.words]
    if len(new) < len("xyz"):
        return None
    new = rng.sample(new, len("xyz"))
    names = {"a": about.name, "t": about.type, **dict(zip("xyz", new, strict=True))}
    own = program.types.get(about.type)
    if own is not None and own.members:
        names |= {"S": about.type, "field": own.members[0], "variant": own.members[0]}
        names |= {"other": own.members[-1]}
    needs_two = own is not None and own.kind == "struct" and "{S}" in text and len(own.members) < 2
    has_own = "{S}" not in text and "{field}" not in text
    return names if has_own or ("S" in names and not needs_two) else None


def _inside(program: RightProgram, function: Function, text: str) -> str:
    """The program with statements at the beginning of a function's body."""
    place = function.body.start_byte + 1
    return program.changed((place, place, f"\n{indent(text, '    ')}"))


def _by_item(item: Item) -> Planter:
    """A planter that puts an item behind a program, or before it."""

    def planted(program: RightProgram, rng: Random) -> str | None:
        names: dict[str, str] = {}
        if "{S}" in item.text:
            if not program.types:
                return None
            names["S"] = rng.choice(sorted(program.types))
        if "{f}" in item.text:
            if not program.functions:
                return None
            names["f"] = rng.choice(program.functions).name
        text = item.text.format(**names)
        return f"{text}\n{program.text}" if item.place == "start" else f"{program.text.rstrip()}\n\n{text}"

    return planted


def _by_code(*planters: tuple[str, Planter]) -> Mapping[str, list[Planter]]:
    found: dict[str, list[Planter]] = {}
    for code, planter in planters:
        found.setdefault(code, []).append(planter)
    return found


CHANGES = _by_code(*RENAMING, *RESHAPING)
INSERTED = _by_code(
    *((one.code, _by_statement(one)) for one in STATEMENTS), *((one.code, _by_item(one)) for one in ITEMS)
)
CODES = tuple(sorted({*CHANGES, *INSERTED}))
