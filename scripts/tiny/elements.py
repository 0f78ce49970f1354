"""Element types: the types a task may be about, with the handful of values its tests are written with.

Values are Python values (an int, a bool, a word); `Element.literal` writes one as Rust. The pools are small on purpose:
a model of three million parameters learns in minutes to copy, select and compare four values of a type, as people test
with the same few small values, and cannot do arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ELEMENTS", "Element"]

_WORDS = ("ant", "bee", "cat", "dog")


@dataclass(frozen=True)
class Element:
    """One Rust type, its values and what can be done with them.

    traits: "int", "order" (has `<`), "total" (has `Ord`), "owned" (not `Copy`), "enum", "text", "bool", "char", "many"
    (more than two values), "field" (can be a struct's field without a lifetime).
    definition: Rust items that a program using the type must define; brief is the same on one line for the prompt.
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
    """An integer type with the first four digits as its values."""
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
