"""Idioms: texts of the tiny model's world that are one token each, whatever stands around them.

A value (`"cat"`, `Light::Red`), a type (`i64`), the fixed words of a request, or a line that every program has
(`#[test]`, `use super::*;`) is one thing to copy or to say, so the model spends its few layers on meaning, and answers
are little more than half as long. A bracket is always a token of its own, so that the places of a call's arguments do
not depend on what stands beside them. Anything else, planted mistakes included, is spelled with learned byte-level
tokens: an idiom can always be misspelt.
"""

from __future__ import annotations

import re

from tiny.elements import ELEMENTS
from tiny.phrasing import TEMPLATES

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
        element.literal(value) for element in ELEMENTS if not {"int", "bool"} & element.traits for value in element.pool
    )
)
_BRACKETS = (*"()[]{}`", " {", " { ", " }", " } else { ", " `", "` and `", "```", "true", "false")
_REQUESTS = tuple(
    part for template in TEMPLATES for part in re.split(r"\{\w+\}", template) if len(part) > 2  # others: mere brackets
)
IDIOMS: tuple[str, ...] = tuple(dict.fromkeys((*_FRAME, *_TYPES, *_CALLS, *_VALUES, *_BRACKETS, *_REQUESTS)))
