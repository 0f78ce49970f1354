"""The Rust types that tasks are about: element types with a few values each, and the shapes built around them.

An element type is the `T` of a task. Its pool holds Python values (an int, a bool, a word), which `Element.literal`
writes as Rust. The pools are small on purpose: a model of three million parameters learns in minutes to copy, select
and compare four values of a type, and cannot do arithmetic.

A shape is a short string, the type of a parameter or a result in terms of `T`: `T`, `bool`, `usize`, `S` (a sequence:
`&[T]` or `Vec<T>`), `Vec<T>`, `Option<...>`, `(T, T)`, `(T, T, T)` and `Duo` (a struct with two fields of type `T`). A
`Setting` holds the choices that turn shapes into Rust: the element, the sequence's type, and the struct's names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

__all__ = ["DUOS", "ELEMENTS", "SEQUENCES", "Element", "Setting", "draw", "literal", "signature_types", "spell"]

_WORDS = ("ant", "bee", "cat", "dog")
SEQUENCES = ("&[T]", "Vec<T>")
DUOS = (("Span", "start", "end"), ("Duo", "fore", "back"), ("Gap", "low", "high"))  # struct name and its two fields
_LONGEST = 4  # elements of a drawn sequence
_ALL_DIFFERENT = 0.75  # share of argument lists without equal values, as far as the type has enough of them


@dataclass(frozen=True)
class Element:
    """One Rust type, its values and what can be done with them.

    Args:
        name: The name in the task set's column `element`.
        rust: The type as Rust writes it.
        pool: The values that tests are written with, as Python values.
        traits: Of "int", "order" (has `<`), "total" (has `Ord`), "owned" (not `Copy`), "enum", "text", "bool", "char",
            "many" (more than two values), "field" (can be a struct's field without a lifetime).
        definition: Rust items that a program must define to use the type.
        brief: The same items on one line, for the prompt.
    """

    name: str
    rust: str
    pool: tuple[Any, ...]
    traits: frozenset[str] = field(default_factory=frozenset)
    definition: str = ""
    brief: str = ""

    def literal(self, value: Any) -> str:
        """The value as a Rust expression.

        >>> next(e for e in ELEMENTS if e.name == "String").literal("cat")
        'String::from("cat")'
        """
        if "enum" in self.traits:
            return f"{self.rust}::{value}"
        if "char" in self.traits:
            return f"'{value}'"
        if isinstance(value, bool):
            return str(value).lower()
        if self.name == "String":
            return f'String::from("{value}")'
        return f'"{value}"' if isinstance(value, str) else str(value)


def _integer(rust: str) -> Element:
    """An integer type with the values 0 to 3."""
    return Element(rust, rust, tuple(range(4)), frozenset({"int", "many", "order", "total", "field"}))


def _enumeration(rust: str, *variants: str) -> Element:
    """A plain enum with its variants as values."""
    lines = "".join(f"    {variant},\n" for variant in variants)
    definition = f"#[derive(Debug, Clone, Copy, PartialEq)]\nenum {rust} {{\n{lines}}}\n"
    brief = f"enum {rust} {{ {', '.join(variants)} }}"
    return Element(rust, rust, variants, frozenset({"enum", "many", "field"}), definition, brief)


ELEMENTS: tuple[Element, ...] = (
    *(_integer(rust) for rust in ("i32", "i64", "u8", "u32", "u64", "usize")),
    Element("bool", "bool", (False, True), frozenset({"bool", "field"})),
    Element("char", "char", tuple("abcd"), frozenset({"char", "many", "order", "total", "field"})),
    Element("f64", "f64", (0.5, 1.0, 1.5, 2.0), frozenset({"many", "order", "field"})),
    Element("&str", "&str", _WORDS, frozenset({"text", "many"})),
    Element("String", "String", _WORDS, frozenset({"text", "many", "owned", "field"})),
    _enumeration("Light", "Red", "Amber", "Green"),
    _enumeration("Side", "North", "South", "East", "West"),
    _enumeration("Size", "Small", "Medium", "Large"),
)


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

    Args:
        params: The shape of each parameter.
        returns: The shape of the result.
        setting: The choices that turn shapes into Rust.

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

    In most draws all values differ, so that an expected value shows which argument it comes from. The other draws use
    one to three values, so equal ones are common.

    Args:
        params: The shape of each parameter.
        setting: The element whose pool values are drawn from.
        rng: The source of every choice.
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
    """A random value of the shape; an element that follows a sequence is usually one of its members."""
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
