"""What a program is asked: calls, with the code that prepares their arguments, and the types that it defines itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLAIN", "Call", "Calls", "OwnType", "Variant"]

PLAIN = "standard_for_answers"  # a function for calls: it hands on a value, and compiles with standard types only


@dataclass(frozen=True)
class Call:
    """An expression whose value is wanted, and the statements before it. All of them are Rust, and trusted.

    Where expressions are watched, the answer is a tuple: what each of them is after its statement, and the value.
    """

    value: str
    statements: tuple[str, ...] = ()
    watched: tuple[tuple[int, str], ...] = ()  # the index of a statement and an expression

    @property
    def texts(self) -> tuple[str, ...]:
        """All text of it."""
        return (*self.statements, *(text for _, text in self.watched), self.value)


@dataclass(frozen=True)
class Variant:
    """A struct, or one variant of an enum."""

    name: str  # "" for a struct
    fields: tuple[str, ...] = ()  # by name, or "0", "1" ...
    named: bool = False  # whether the fields have names


@dataclass(frozen=True)
class OwnType:
    """A struct or an enum at the top level of the program, whose parameters have no bounds."""

    name: str
    variants: tuple[Variant, ...]
    lifetimes: int = 0
    parameters: int = 0  # types
    is_enum: bool = False


@dataclass(frozen=True)
class Calls:
    """A program without its tests, and what is to be called."""

    source: str  # any text, possibly hostile
    calls: tuple[Call, ...]
    uses: tuple[str, ...] = ("use super::*;",)  # `use` declarations for the calls, in which `std` is no other crate
    types: tuple[OwnType, ...] = ()
