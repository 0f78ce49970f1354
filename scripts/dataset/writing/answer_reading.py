"""Reads what the model answers: a task's text, Rust code, a list of asserts."""

from __future__ import annotations

import re

from tree_sitter import Node

from dataset.writing.drafts import Dropped
from rewards.rust.grammar import syntax
from rewards.rust.parse import extract_code, parse
from rewards.rust.tokens import COMMENTS, last_name, node_text

__all__ = ["read_asserts", "read_code", "read_prompt"]

MACROS = ("assert", "assert_eq", "assert_ne")  # a debug_assert is none in a release build
PASSED_OVER = ("use_declaration", "attribute_item", "empty_statement", *COMMENTS)


def read_prompt(text: str) -> str:
    """The rewritten task. Raises: Dropped.

    >>> read_prompt(" Add two numbers. ")
    'Add two numbers.'
    """
    found = text.strip()
    if not found:
        raise Dropped("rewrite", "an empty answer")
    if re.search(r"\bpython\b", found, re.IGNORECASE):
        raise Dropped("rewrite", "the new task is about Python too")
    return found


def read_code(text: str) -> str:
    """The first Rust block, without tests of its own. Raises: Dropped.

    >>> read_code("Here:\\n```rust\\nfn f() -> u8 { 1 }\\n#[cfg(test)]\\nmod tests {}\\n```")
    'fn f() -> u8 { 1 }'
    """
    code = extract_code(text)
    if code is None:
        raise Dropped("code", "no closed ```rust block with code")
    program = parse(code)
    encoded = code.encode("utf-8", "replace")  # as `parse` counts its bytes
    for start, end in sorted(program.test_code, reverse=True):
        encoded = encoded[:start] + encoded[end:]
    if not program.functions:
        raise Dropped("code", "no function")
    return encoded.decode("utf-8").strip()


def read_asserts(text: str, *, at_least: int) -> list[str]:
    """The distinct assert statements of the first Rust block, in order.

    Those of test functions count, where nothing else is in them.

    Args:
        text: The answer.
        at_least: So many there must be.
    Raises: Dropped.

    >>> read_asserts("```rust\\nassert_eq!(f(1), 2);\\nassert!(g(\\"a;b\\"));\\nassert_eq!(f(1), 2);\\n```", at_least=2)
    ['assert_eq!(f(1), 2);', 'assert!(g("a;b"));']
    """
    block = extract_code(text)
    if block is None:
        raise Dropped("tests", "no closed ```rust block with code")
    root = syntax(f"fn wrapped() {{\n{block}\n}}")
    if root.has_error:
        raise Dropped("tests", "the block is no Rust")
    found: dict[str, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if _is_assert(node):
            found[node_text(node).strip().removesuffix(";") + ";"] = None
        elif node.type in ("function_item", "mod_item"):
            body = node.child_by_field_name("body")
            stack.extend([] if body is None else [body])
        elif node.type in ("source_file", "block", "declaration_list"):
            stack.extend(reversed(node.named_children))
        elif node.type not in PASSED_OVER:
            raise Dropped("tests", "a statement that is no assert", node_text(node)[:60])
    if len(found) < at_least:
        raise Dropped("tests", f"fewer than {at_least} distinct asserts", str(len(found)))
    return list(found)


def _is_assert(node: Node) -> bool:
    """Whether a node is a statement, or the last expression of a block, that is an assert."""
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    return node.type == "macro_invocation" and last_name(node.child_by_field_name("macro")) in MACROS
