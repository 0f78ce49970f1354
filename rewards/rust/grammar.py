"""Rust's grammar: from text to a syntax tree."""

from __future__ import annotations

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

__all__ = ["syntax"]

_PARSER = Parser(Language(tree_sitter_rust.language()))


def syntax(source: str) -> Node:
    """The root of a program's syntax tree."""
    return _PARSER.parse(source.encode("utf-8", "replace")).root_node
