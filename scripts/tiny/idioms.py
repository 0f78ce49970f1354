"""Idioms: texts of the tiny model's world that are one token each, whatever stands around them.

A value (`"owl"`, `Light::Red`), a type (`i64`) or a line that every program has (`#[test]`, `use super::*;`) is one
thing to copy or to say, so the model spends its few layers on meaning, and answers are little more than half as long.
Anything else, planted mistakes included, is spelled with learned byte-level tokens: an idiom can always be misspelt.
"""

from __future__ import annotations

from tiny.elements import ELEMENTS

__all__ = ["IDIOMS"]

_FRAME = (
    "```rust\n",
    "#[derive(Debug, Clone, Copy, PartialEq)]\nenum ",
    "#[derive(Debug, Clone, PartialEq)]\nstruct ",
    "#[cfg(test)]\nmod tests {\n",
    "    use super::*;\n\n",
    "    #[test]\n    fn ",
    "() {\n",
    "        assert_eq!(",
    "        assert!(",
    "        assert!(!",
    ");\n",
    "    }\n",
    "}\n",
    "\n}\n\n",
    " {\n    ",
    ",\n    ",
    ") -> ",
    ": ",
    ", ",
)
_TYPES = ("i32", "i64", "u8", "u32", "u64", "f64", "&str", "&'a str", "&'a ", "<'a>", "Option<", "Vec<")
_CALLS = (
    *(".iter()", ".copied()", ".cloned()", ".collect()", ".count()", ".filter(|v| **v ", ".len()"),
    *("String::from(", "Some(", "None", "vec![", "&["),
)
_VALUES = tuple(
    dict.fromkeys(
        f'"{value}"' if "text" in element.traits else element.literal(value)
        for element in ELEMENTS
        if not {"int", "bool"} & element.traits
        for value in element.pool
    )
)
IDIOMS: tuple[str, ...] = (*_FRAME, *_TYPES, *_CALLS, *_VALUES)
