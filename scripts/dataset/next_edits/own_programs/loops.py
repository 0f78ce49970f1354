"""Programs with one or two functions over numbers, most of them loops, and their gold tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from dataset.next_edits.own_programs.program import MadeProgram, assert_line, gold_module, rust_list

__all__ = ["loops"]


class _Loop(NamedTuple):
    """A function of numbers: its text, with names to be drawn in braces, and what it computes."""

    text: str
    meaning: Callable[[list[int], int], Any]


LOOPS = (
    _Loop(
        """\
fn {f}({xs}: &[{T}], {k}: {T}) -> {T} {{
    let mut {s}: {T} = 0;
    for {x} in {xs} {{
        if *{x} > {k} {{
            {s} += *{x};
        }}
    }}
    {s}
}}
""",
        lambda xs, k: sum(x for x in xs if x > k),
    ),
    _Loop(
        """\
fn {f}({xs}: &[{T}], {k}: {T}) -> Vec<{T}> {{
    let mut {s}: Vec<{T}> = Vec::new();
    for {x} in {xs} {{
        {s}.push(if *{x} > {k} {{ {k} }} else {{ *{x} }});
    }}
    {s}
}}
""",
        lambda xs, k: [min(x, k) for x in xs],
    ),
    _Loop(
        """\
fn {f}({xs}: &[{T}], {k}: {T}) -> {T} {{
    let mut {s} = {k};
    for {x} in {xs} {{
        let {y}: {T} = *{x};
        if {y} > {s} {{
            {s} = {y};
        }}
    }}
    {s}
}}
""",
        lambda xs, k: max([*xs, k]),
    ),
    _Loop(
        """\
fn {f}({xs}: &[{T}], {k}: {T}) -> usize {{
    let mut {s} = 0;
    for {x} in {xs} {{
        if *{x} == {k} {{
            {s} += 1;
        }}
    }}
    {s} + {xs}.len()
}}
""",
        lambda xs, k: xs.count(k) + len(xs),
    ),
    _Loop(
        """\
fn {f}({xs}: Vec<{T}>, {k}: {T}) -> Vec<{T}> {{
    let mut {s} = {xs};
    {s}.retain(|{x}| *{x} != {k});
    {s}.push({k});
    {s}
}}
""",
        lambda xs, k: [x for x in xs if x != k] + [k],
    ),
)
TYPES = ("i32", "i64", "u8", "u16", "u32", "u64")
NAMES = {
    "f": ("scan", "walk", "fold_up", "sift", "gather", "tally", "measure", "collect_up", "sweep", "inspect"),
    "xs": ("xs", "items", "values", "list", "nums", "data", "parts", "rows"),
    "k": ("k", "cap", "low", "key", "mark", "edge", "goal", "step"),
    "s": ("sum", "acc", "kept", "res", "out", "found"),
    "x": ("x", "item", "v", "one", "n", "it"),
    "y": ("y", "here", "now", "val"),
}


def loops(rng: random.Random) -> MadeProgram:
    """One or two functions with a loop or the like over numbers of one type."""
    kind, texts, asserts = rng.choice(TYPES), [], []
    names = {slot: rng.sample(given, 2) for slot, given in NAMES.items()}
    for number, loop in enumerate(rng.sample(LOOPS, rng.choice((1, 1, 2)))):
        drawn = {slot: both[number] for slot, both in names.items()}
        texts.append(loop.text.format(T=kind, **drawn))
        for _ in range(3):
            xs, k = [rng.randrange(10) for _ in range(rng.randrange(1, 5))], rng.randrange(10)
            given = rust_list(xs) if "Vec<{T}>, " in loop.text else "&" + rust_list(xs).removeprefix("vec!")
            asserts.append(assert_line(f"{drawn['f']}({given}, {k})", loop.meaning(xs, k)))
    return MadeProgram("\n".join(texts), gold_module(asserts))
