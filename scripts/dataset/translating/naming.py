"""Rust names for functions and parameters of Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["NoRustName", "parameter_names", "rust_name"]

KEYWORDS = frozenset(
    ("as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn",
     "for", "gen", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
     "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while", "abstract", "become",
     "box", "do", "final", "macro", "override", "priv", "try", "typeof", "unsized", "virtual", "yield", "union")
)  # fmt: skip
TAKEN = frozenset(("main", "drop", "vec"))  # names of functions that mean something else in a program

BETTER = {"str": "text", "dict": "map", "bool": "flag", "char": "letter"}  # names of types, as parameters


class NoRustName(ValueError):
    """A name has letters that ASCII has no form of; the text says so, in words that can be counted."""


def rust_name(name: str) -> str:
    """A name in snake case that is no keyword, of ASCII alone.

    Letters with marks lose them, and what else Unicode decomposes or folds into ASCII becomes that, so that no letter
    is dropped. Rust would take other letters; small models and readers of signatures need not know them.

    Raises: NoRustName, where a letter is left that is none of ASCII.

    >>> [rust_name(name) for name in ("find_Max_Num", "sumOfDigits", "match", "__l", "maxABC", "_")]
    ['find_max_num', 'sum_of_digits', 'match_value', 'l', 'max_abc', 'value']
    >>> rust_name("größteZahl")
    'grosste_zahl'
    """
    marked = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", "_", plain).casefold()
    if not words.isascii():
        raise NoRustName("a name with letters that ASCII has no form of")
    words = re.sub(r"[^a-z0-9_]|(?<=_)_+", "", words).strip("_")
    if not words or words[0].isdigit():
        words = f"value_{words}".strip("_")
    return f"{words}_value" if words in KEYWORDS | TAKEN else words


def parameter_names(names: Sequence[str]) -> list[str]:
    """Rust names of parameters, all different. Raises: NoRustName.

    >>> parameter_names(["L", "l", "type"])
    ['l', 'l_2', 'type_value']
    """
    found: list[str] = []
    for name in (BETTER.get(name, rust_name(name)) for name in names):
        number, free = 1, name
        while free in found:
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found
