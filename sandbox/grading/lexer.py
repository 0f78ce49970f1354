"""Divides a Rust program into tokens, as rustc's lexer does. It knows nothing of their meaning.

Exact for programs that are ASCII outside strings, characters and comments. Beyond ASCII, rustc's white space and names
follow Unicode tables of their own: there every character that is not a letter becomes a mark, and `is_plain` tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Token", "is_plain", "tokens"]

LEXEME = re.compile(
    r"""
      (?P<blank>[ \t\n\x0b\x0c\r]+|//[^\n]*)
    | (?P<comment>/\*)
    | (?P<raw>[bc]?r(?P<hashes>\#*)")
    | (?P<literal>(?:[bc]?"(?:[^"\\]|\\.)*"
        | b?'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.))')(?:[^\W\d]\w*)?
      | [0-9]\w*(?:\.[0-9]\w*)?)
    | (?P<lifetime>'[^\W\d]\w*)
    | (?P<name>(?:r\#)?[^\W\d]\w*)
    | (?P<mark>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
EDGE = re.compile(r"/\*|\*/")
SUFFIX = re.compile(r"[^\W\d]\w*")  # of a literal: macros take `"a"r`, and `"a"r"b"` is `"a"r` and then `"b"`


class Token(NamedTuple):
    """One token. Comments and white space are not tokens."""

    kind: str  # "literal", "lifetime", "name" or "mark"; a mark is a single character or ::
    text: str  # without the r# of a raw name, which only allows a keyword as a name
    line: int  # from 1
    end: int  # index in the source of the character after it


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens in order.

    Raises: ValueError for a comment or a string that does not end.

    >>> [token.text for token in tokens("fn f<'a>() { 'x'; r#\\"a\\"b\\"#; /* a /* b */ */ 1.5 } // end")]
    ['fn', 'f', '<', "'a", '>', '(', ')', '{', "'x'", ';', 'r#"a"b"#', ';', '1.5', '}']
    """
    place, line = 0, 1
    while place < len(source):
        found = LEXEME.match(source, place)
        assert found is not None, "the last alternative matches everything"
        kind, end = str(found.lastgroup), found.end()
        if found["comment"]:
            end = _end_of_comment(source, end)
        elif found["raw"]:
            kind, closing = "literal", '"' + found["hashes"]
            end = source.find(closing, end) + len(closing)
            if end < len(closing):
                raise ValueError("a raw string does not end")
            suffix = SUFFIX.match(source, end)
            end = suffix.end() if suffix else end
        elif found["mark"] == '"':
            raise ValueError("a string does not end")
        text = source[place:end]
        if kind not in ("blank", "comment"):
            yield Token(kind, text.removeprefix("r#") if kind == "name" else text, line, end)
        line += text.count("\n")
        place = end


def is_plain(token: Token) -> bool:
    """Whether rustc certainly sees a token as we do: a quoted text without a suffix, or printable ASCII."""
    quoted = token.kind == "literal" and token.text[-1] in "\"'#"
    return quoted or (token.text.isascii() and token.text.isprintable())


def _end_of_comment(source: str, place: int) -> int:
    """The end of the block comment that contains a place. Block comments nest."""
    depth = 1
    for edge in EDGE.finditer(source, place):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise ValueError("a comment does not end")
