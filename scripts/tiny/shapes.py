"""Shapes: the types of parameters and results around an element type `T`, and how values of them are drawn and written.

A shape is a short string: `T`, `bool`, `usize`, `S` (a sequence: `&[T]` or `Vec<T>`), `Vec<T>`,
`Option<...>`, `(T, T)`, `(T, T, T)` and `Duo` (a struct with two fields of type `T`). `Setting` holds the choices that
turn shapes into Rust: the element, the sequence's type, and the struct's names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from tiny.elements import Element

__all__ = ["DUOS", "SEQUENCES", "Setting", "draw", "literal", "signature_types", "spell"]

SEQUENCES = ("&[T]", "Vec<T>")
DUOS = (("Span", "start", "end"), ("Duo", "fore", "back"), ("Gap", "low", "high"))  # struct name and its two fields
_LONGEST = 4  # elements of a drawn sequence
_ALL_DIFFERENT = 0.75  # share of argument lists without equal values, as far as the type has enough of them


@dataclass(frozen=True)
class Setting:
    """The choices that turn shapes into Rust."""

    element: Element
    sequence: str = "&[T]"
    duo: tuple[str, str, str] = DUOS[0]

    def definition(self, shapes: Sequence[str]) -> str:
        """The Rust items that a program over these shapes must define, or an empty string."""
        items = [self.element.definition] if self.element.definition else []
        if "Duo" in shapes:
            name, one, two = self.duo
            rust = self.element.rust
            items.append(
                f"#[derive(Debug, Clone, PartialEq)]\nstruct {name} {{\n    {one}: {rust},\n    {two}: {rust},\n}}\n"
            )
        return "\n".join(items)

    def briefs(self, shapes: Sequence[str]) -> list[str]:
        """The same items on one line each, for the prompt."""
        briefs = [self.element.brief] if self.element.brief else []
        if "Duo" in shapes:
            name, one, two = self.duo
            briefs.append(f"struct {name} {{ {one}: {self.element.rust}, {two}: {self.element.rust} }}")
        return briefs


def spell(shape: str, setting: Setting) -> str:
    """The shape as a Rust type.

    >>> from tiny.elements import ELEMENTS
    >>> spell("Option<(T, T)>", Setting(ELEMENTS[0]))
    'Option<(i32, i32)>'
    """
    if shape == "S":
        shape = setting.sequence
    if shape == "Duo":
        return setting.duo[0]
    return re.sub(r"\bT\b", setting.element.rust, shape)


def signature_types(params: Sequence[str], returns: str, setting: Setting) -> tuple[str, list[str], str]:
    """Generics, parameter types and return type, with a lifetime where a returned `&str` needs one.

    >>> from tiny.elements import ELEMENTS
    >>> text = next(e for e in ELEMENTS if e.name == "&str")
    >>> signature_types(("bool", "T", "T"), "T", Setting(text))
    ("<'a>", ['bool', "&'a str", "&'a str"], "&'a str")
    """
    spelled = [spell(shape, setting) for shape in params]
    result = spell(returns, setting)
    if "&str" not in result or sum(text.count("&") for text in spelled) == 1:
        return "", spelled, result
    return "<'a>", [text.replace("&str", "&'a str") for text in spelled], result.replace("&str", "&'a str")


def literal(shape: str, value: Any, setting: Setting) -> str:
    """A value of the shape as a Rust expression.

    >>> from tiny.elements import ELEMENTS
    >>> literal("S", [1, 2], Setting(ELEMENTS[0])), literal("Option<T>", 3, Setting(ELEMENTS[0]))
    ('&[1, 2]', 'Some(3)')
    """
    if shape == "T":
        return setting.element.literal(value)
    if shape in ("S", "Vec<T>"):
        items = ", ".join(setting.element.literal(item) for item in value)
        return f"&[{items}]" if shape == "S" and setting.sequence == "&[T]" else f"vec![{items}]"
    if shape.startswith("Option<"):
        return "None" if value is None else f"Some({literal(shape[7:-1], value, setting)})"
    if shape.startswith("("):
        return f"({', '.join(setting.element.literal(item) for item in value)})"
    if shape == "Duo":
        name, one, two = setting.duo
        left, right = (setting.element.literal(item) for item in value)
        return f"{name} {{ {one}: {left}, {two}: {right} }}"
    return str(value).lower()


def draw(params: Sequence[str], setting: Setting, rng: random.Random) -> list[Any]:
    """Random arguments for the parameters.

    Mostly all values differ, so that an expected value tells where it comes from; else few are used, and equal ones are
    common.
    """
    pool = list(setting.element.pool)
    rng.shuffle(pool)
    few = pool[: rng.choice((1, 2, 3))]
    values: Iterator[Any] = cycle(pool) if rng.random() < _ALL_DIFFERENT else iter(lambda: rng.choice(few), None)
    arguments: list[Any] = []
    for shape in params:
        arguments.append(_draw_one(shape, values, arguments, rng))
    return arguments


def _draw_one(shape: str, values: Iterator[Any], before: list[Any], rng: random.Random) -> Any:
    """A random value of the shape; an element that follows a sequence is mostly one of its members."""
    if shape == "T":
        if before and isinstance(before[0], list) and before[0] and rng.random() < 0.6:
            return rng.choice(before[0])
        return next(values)
    if shape in ("S", "Vec<T>"):
        return [next(values) for _ in range(rng.choice((0, 1, 2, 2, 2, 3, 3, _LONGEST)))]
    if shape.startswith("Option<"):
        return None if rng.random() < 0.4 else _draw_one(shape[7:-1], values, before, rng)
    if shape == "bool":
        return rng.random() < 0.5
    if shape == "usize":
        return rng.choice((0, 1, 2, 3))
    return tuple(next(values) for _ in range(shape.count("T") or 2))
