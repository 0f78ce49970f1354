"""Rust's grammar: from text to a syntax tree. The caller keeps to `MAX_PARSED`."""

from __future__ import annotations

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

__all__ = ["MAX_PARSED", "syntax"]

MAX_PARSED = 1 << 20  # characters of a program, read in a second: four times what `sandbox.source_kb` allows by default

_PARSER = Parser(Language(tree_sitter_rust.language()))


def syntax(source: str) -> Node:
    """The root of a program's syntax tree."""
    return _PARSER.parse(source.encode("utf-8", "replace")).root_node
