"""Idioms: texts of the task set that are one token each in every context.

An idiom is a value (`"cat"`, `Light::Red`), a type (`i64`), a fixed part of a request, or a line that every program has
(`#[test]`, `use super::*;`). One token for each lets the model spend its few layers on meaning, and makes completions
little more than half as long. A bracket is always a token of its own, so the positions of a call's arguments do not
depend on the text beside them. All other text, planted mistakes included, is spelled with learned byte-level tokens, so
the model can also misspell an idiom.
"""

from __future__ import annotations

import re

from tiny.phrasing import TEMPLATES
from tiny.rust_types import ELEMENTS

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
