"""Rows with other names: a few shipped rows, of which a compiler has said something, become many to imitate.

A mistake and what the compiler says of it do not depend on what a function and its variables are called. No compiler
has seen the new rows, so they are good to imitate and not to grade with. Left out: names of one letter, which are also
lifetimes, and of fields.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dataset.repairing.mistakes import NEW_NAMES
from tiny.programs import NOUNS, PARAMETERS, VERBS

__all__ = ["renamed"]

_VARIABLES = tuple(sorted({*NEW_NAMES, *(name for name in PARAMETERS if len(name) > 1)}))
_FUNCTION = re.compile(rf"\b(?:{'|'.join(VERBS)})_(?:{'|'.join(NOUNS)})\b")
_QUOTED = re.compile(r"`[^`\n]*`")


def renamed(
    row: Mapping[str, Any], rng: random.Random, *, code: Sequence[str], text: Sequence[str]
) -> Mapping[str, Any]:
    """A row with other names for the functions of the family and for variables.

    Args:
        row: Of a data set.
        rng: Decides which names.
        code: Columns that hold Rust.
        text: Columns that hold English, in which names of variables stand between backticks.

    >>> row = {"code": "fn pick_item(items: &[u8]) { items.first(); }", "text": "items: `items` of `pick_item`"}
    >>> found = renamed(row, random.Random(0), code=["code"], text=["text"])
    >>> found["code"].count("items"), found["text"].count("items"), "pick_item" in found["text"]
    (0, 1, False)
    """
    whole = "\n".join(row[column] for column in (*code, *text))
    names = _new_names("\n".join(row[column] for column in code), whole, rng)
    pattern = re.compile(rf"(?<![\w.'])(?:{'|'.join(map(re.escape, names))})\b(?!\()") if names else None

    def in_code(found: str) -> str:
        return pattern.sub(lambda match: names[match[0]], found) if pattern else found

    functions = {name: f"{rng.choice(VERBS)}_{rng.choice(NOUNS)}" for name in sorted(set(_FUNCTION.findall(whole)))}
    new = {column: in_code(row[column]) for column in code}
    new |= {column: _QUOTED.sub(lambda match: in_code(match[0]), row[column]) for column in text}
    if len(set(functions.values())) < len(functions):
        return {**row, **new}
    return {**row, **{column: _FUNCTION.sub(lambda match: functions[match[0]], found) for column, found in new.items()}}


def _new_names(code: str, whole: str, rng: random.Random) -> dict[str, str]:
    """Another name for each variable of a program, where there are enough that nothing has."""
    old = [name for name in _VARIABLES if re.search(rf"(?<![\w.'])(?:{name})\b(?!\()", code)]
    old = [name for name in old if not re.search(rf"\.{name}\b(?!\()", code)]  # a field is called so too
    words = set(re.findall(r"\w+", whole))
    free = [name for name in _VARIABLES if name not in words]
    return dict(zip(old, rng.sample(free, len(old)), strict=True)) if len(old) <= len(free) else {}
