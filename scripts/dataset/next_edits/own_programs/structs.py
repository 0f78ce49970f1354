"""Programs with a struct of two numbers that is made and taken apart, and their gold tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from dataset.next_edits.own_programs.program import MadeProgram, assert_line, gold_module

__all__ = ["structs"]


class _Part(NamedTuple):
    """A function about the struct: its text, a call of it, and what that gives; names to be drawn in braces."""

    text: str
    call: str
    value: str
    meaning: Callable[[int, int, int], tuple[int, int]]  # of both fields and another number: what `value` shows


PARTS = (
    _Part(
        "fn make({a}: {T}, {b}: {T}) -> {S} {{\n    {S} {{ {f}: {a}, {g}: {b} }}\n}}\n",
        "make({p}, {q})",
        "{S} {{ {f}: {p}, {g}: {q} }}",
        lambda p, q, k: (p, q),
    ),
    _Part(
        "fn flip({v}: {S}) -> {S} {{\n    {S} {{ {f}: {v}.{g}, {g}: {v}.{f} }}\n}}\n",
        "flip({S} {{ {f}: {p}, {g}: {q} }})",
        "{S} {{ {f}: {p}, {g}: {q} }}",
        lambda p, q, k: (q, p),
    ),
    _Part(
        "fn grow({v}: &{S}, {k}: {T}) -> {S} {{\n"
        "    {S} {{\n        {f}: {v}.{f},\n        {g}: {v}.{g} + {k},\n    }}\n}}\n",
        "grow(&{S} {{ {f}: {p}, {g}: {q} }}, {n})",
        "{S} {{ {f}: {p}, {g}: {q} }}",
        lambda p, q, k: (p, q + k),
    ),
    _Part(
        "fn sum({v}: {S}) -> {T} {{\n    let {S} {{ {f}, {g} }} = {v};\n    {f} + {g}\n}}\n",
        "sum({S} {{ {f}: {p}, {g}: {q} }})",
        "{p}",
        lambda p, q, k: (p + q, 0),
    ),
    _Part(
        "impl {S} {{\n    fn new({f}: {T}) -> Self {{\n        Self {{ {f}, {g}: {z} }}\n    }}\n}}\n",
        "{S}::new({p})",
        "{S} {{ {f}: {p}, {g}: {z} }}",
        lambda p, q, k: (p, q),
    ),
    _Part(
        "fn most({v}: &{S}) -> {T} {{\n    let {k} = {v}.{f};\n    if {k} > {v}.{g} {{ {k} }} else {{ {v}.{g} }}\n}}\n",
        "most(&{S} {{ {f}: {p}, {g}: {q} }})",
        "{p}",
        lambda p, q, k: (max(p, q), 0),
    ),
)
STRUCTS = (
    *(("Span", "start", "end"), ("Box2", "wide", "tall"), ("Score", "home", "away"), ("Point", "x", "y")),
    *(("Clock", "hours", "mins"), ("Stock", "held", "sold"), ("Edge", "from", "to"), ("Price", "net", "tax")),
    *(("Tank", "full", "used"), ("Cell", "row", "col"), ("Fraction", "top", "base"), ("Trip", "miles", "stops")),
)
TYPES = ("i32", "i64", "u8", "u16", "u32", "u64")
NAMES = {"v": ("v", "it", "old", "this", "given"), "k": ("k", "by", "more", "add", "part")}
PAIRS = (("a", "b"), ("left", "right"), ("one", "two"), ("p", "q"))


def structs(rng: random.Random) -> MadeProgram:
    """A struct with one to three functions."""
    name, first, second = rng.choice(STRUCTS)
    drawn = {"S": name, "f": first, "g": second, "T": rng.choice(TYPES), "z": str(rng.randrange(5))}
    drawn |= {slot: rng.choice(given) for slot, given in NAMES.items()}
    drawn |= dict(zip("ab", rng.choice(PAIRS), strict=True))
    parts = rng.sample(PARTS, rng.choice((1, 2, 2, 3)))
    head = "#[derive(Debug, Clone, PartialEq)]\nstruct {S} {{\n    {f}: {T},\n    {g}: {T},\n}}\n".format(**drawn)
    asserts = []
    for part in parts:
        for _ in range(2):
            p, q, n = (rng.randrange(10) for _ in range(3))
            call = part.call.format(p=p, q=q, n=n, **drawn)
            p, q = part.meaning(p, q, n)
            asserts.append(assert_line(call, part.value.format(p=p, q=q, **drawn)))
    texts = [head, *(part.text.format(**drawn) for part in parts)]
    return MadeProgram("\n".join(texts), gold_module(asserts))
