"""Retype: a number type becomes another one, throughout the program and its gold tests."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from dataset.next_edits.changing.change import Change, in_order
from dataset.next_edits.changing.gold import rewritten
from dataset.next_edits.changing.rust import Replacement, every, line_edits
from rewards.rust.grammar import syntax
from rewards.rust.tokens import node_text

__all__ = ["retype"]

OTHERS = {
    "u8": ("u16", "u32"),
    "u16": ("u32",),
    "u32": ("u64",),
    "u64": ("u32",),
    "i32": ("i64",),
    "i64": ("i32", "i128"),
    "f32": ("f64",),
    "f64": ("f32",),
    "usize": ("u32", "u64"),
}


def retype(program: str, gold: Mapping[str, Any], rng: random.Random) -> Change | None:
    """Change a number type that stands on several lines, also behind literals; None where there is none.

    >>> change = retype("struct S {\\n    a: u8,\\n}\\nfn f(s: S) -> u8 {\\n    s.a + 1u8\\n}\\n", {}, random.Random(1))
    >>> [edit.text.strip() for edit in change.edits]
    ['a: u16,', 'fn f(s: S) -> u16 {', 's.a + 1u16']
    """
    found: dict[str, set[tuple[int, int, int]]] = {}  # line, and the bytes from and to
    for node in every(syntax(program), "primitive_type", "identifier", "integer_literal", "float_literal"):
        text = node_text(node)
        is_number = node.type.endswith("_literal")
        name = next((known for known in OTHERS if text == known or is_number and text.endswith(known)), "")
        found.setdefault(name, set()).add((node.start_point.row, node.end_byte - len(name), node.end_byte))
    names = [name for name in OTHERS if len({place[0] for place in found.get(name, ())}) > 1]
    names = [name for name in names if _everywhere(name, program) == len(found[name])]
    if not names:
        return None
    old = rng.choice(names)
    new = rng.choice([name for name in OTHERS[old] if not _everywhere(name, program)] or OTHERS[old])
    edits = line_edits(program, [Replacement(start, end, new) for _, start, end in found[old]])
    return Change("type", program, in_order(edits, 1), rewritten(gold, lambda text: _type(old).sub(new, text)))


def _type(name: str) -> re.Pattern[str]:
    """A type where it stands alone or behind a number."""
    return re.compile(rf"(?:\b|(?<=\d)|(?<=\d_)){name}\b")


def _everywhere(name: str, text: str) -> int:
    """How often a type stands in a text, comments included."""
    return len(_type(name).findall(text))
