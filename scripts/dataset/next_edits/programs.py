"""Programs of the makers' own with gold tests: loops over numbers here, structs in `fields`, enums in `enums`.

The shipped family has no match, few literals of structs, and few programs in which a name is used on several lines.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

__all__ = ["MadeProgram", "assert_line", "gold_module", "loops", "rust_list"]


class MadeProgram(NamedTuple):
    """A program and the gold tests that it passes."""

    program: str
    gold_tests: str


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


def rust_list(values: Sequence[int]) -> str:
    """Numbers as a vector in Rust.

    >>> rust_list([1, 2])
    'vec![1, 2]'
    """
    return f"vec![{', '.join(map(str, values))}]"


def assert_line(call: str, value: Any) -> str:
    """An assert that a call has a value, which may be Rust text or a list of numbers."""
    return f"assert_eq!({call}, {rust_list(value) if isinstance(value, list) else value});"


def gold_module(asserts: Sequence[str]) -> str:
    """Asserts as a module of gold tests."""
    lines = "".join(f"        {line}\n" for line in asserts)
    return f"#[cfg(test)]\nmod gold {{\n    use super::*;\n\n    #[test]\n    fn gold() {{\n{lines}    }}\n}}\n"
