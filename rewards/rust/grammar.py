"""Rust's grammar: from text to a syntax tree. The caller asks `is_readable` first.

A raw string that is never closed is searched for its end up to the end of the text, so many of them would take time
that grows with the square of its length; a text with too many counts as too long.
"""

from __future__ import annotations

import re

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

__all__ = ["MAX_PARSED", "is_readable", "syntax"]

MAX_PARSED = (
    1 << 18
)  # characters of a program, what `sandbox.source_kb` allows by default: 0.3 s of Rust, 8 s of quotation marks

MAX_SEARCHED = 30_000_000  # characters searched for the ends of raw strings, half a second
RAW_STRING = re.compile(r'r(#*)"')

_PARSER = Parser(Language(tree_sitter_rust.language()))


def is_readable(source: str) -> bool:
    """Whether a program can be read in a moment: it is not too long, and no cheap trick makes reading it slow.

    >>> is_readable('fn f() -> &str { r#"a"# }'), is_readable('r#"' * 20_000), is_readable("x" * (MAX_PARSED + 1))
    (True, False, False)
    """
    if len(source) > MAX_PARSED:
        return False
    searched, closed = 0, dict[int, int]()
    for match in RAW_STRING.finditer(source):
        hashes = len(match[1])
        if hashes not in closed:
            closed[hashes] = source.rfind('"' + match[1])
        if match.end() > closed[hashes]:
            searched += len(source) - match.end()
            if searched > MAX_SEARCHED:
                return False
    return True


def syntax(source: str) -> Node:
    """The root of a program's syntax tree."""
    return _PARSER.parse(source.encode("utf-8", "replace")).root_node
