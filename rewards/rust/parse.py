"""Finds the code block of a completion, and the functions, items and tests of a Rust program.

Promises a result for any text in linear time. tree-sitter reads the code, so comments, strings and syntax errors are
told from code. Every walk is a loop over an explicit stack, so ten thousand levels of nesting raise no RecursionError.
Nothing is compiled. Left out: types, name resolution across modules, and macro expansion; where those would decide,
`rewards.strictness.judge` calls no pass strict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from rewards.rust.function_body import imported_names, read_body
from rewards.rust.grammar import syntax
from rewards.rust.program import ASSERTS, Program, TestFunction
from rewards.rust.tokens import COMMENTS, Tokens, last_name, without_generics

__all__ = ["code_blocks", "extract_code", "parse"]

FENCE = re.compile(r" {0,3}(`{3,})([^`\r\n]*)\r?$")  # neighbouring parts share no character, so it is linear
COMPARISONS = ("eq", "partial_cmp", "cmp")


def code_blocks(completion: str) -> list[str]:
    """The contents of every closed ```rust block of a completion, in order.

    A block opens with a fence of at least three backticks and "rust" or "rs", and closes with a fence of at least as
    many backticks; one that is never closed does not count. Line ends become "\\n".

    >>> code_blocks("Sure:\\n```rust\\nfn a() {}\\n```\\nbye")
    ['fn a() {}\\n']
    """
    blocks: list[str] = []
    opened: tuple[int, bool, list[str]] | None = None  # backticks, whether it is Rust, lines
    for line in completion.split("\n"):
        match = FENCE.match(line)
        if opened is None:
            if match:
                language = re.split(r"[\s,{]", match[2].strip().lower(), maxsplit=1)[0]
                opened = (len(match[1]), language in ("rust", "rs"), [])
        elif match and not match[2].strip() and len(match[1]) >= opened[0]:
            if opened[1]:
                blocks.append("".join(text.removesuffix("\r") + "\n" for text in opened[2]))
            opened = None
        else:
            opened[2].append(line)
    return blocks


def extract_code(completion: str) -> str | None:
    """The program in a completion: its first closed ```rust block.

    None without such a block, or when it holds only comments: cargo builds an empty program, so paying for one would
    teach the model to write no code.

    >>> extract_code("fn a() {}"), extract_code("```rust\\n// later\\n```")
    (None, None)
    """
    blocks = code_blocks(completion)
    if not blocks:
        return None
    return blocks[0] if any(child.type not in COMMENTS for child in syntax(blocks[0]).children) else None


def parse(source: str) -> Program:
    """The structure of a program. Takes any text and never raises.

    An item counts as test code when it is marked `#[cfg(test)]` or stands in test code; a module also when it directly
    holds a `#[test]`.

    >>> program = parse("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> list(program.functions), program.tests[0].name, program.asserts[0].text
    (['f'], 'g', 'assert_eq(super :: f ( ) , 1)')
    """
    root = syntax(source)
    tokens = Tokens(root)
    program = Program()
    # A module or impl block to read, whether it is in test code, and whether a cfg other than cfg(test) is around it.
    containers: list[tuple[Node, bool, bool]] = [(root, False, False)]
    while containers:
        container, in_tests, conditional = containers.pop()
        for item, attributes, start in _items(container, tokens):
            hidden = conditional or any(re.match(r"cfg(_attr)?\(", a) and a != "cfg(test)" for a in attributes)
            inner = item.child_by_field_name("body")
            testing = in_tests or "cfg(test)" in attributes or (item.type == "mod_item" and _holds_tests(inner, tokens))
            if not in_tests and (testing if item.type == "mod_item" else "test" in attributes):
                program.test_code.append((start, item.end_byte))
            if item.type == "mod_item" and "cfg(test)" in attributes and not in_tests:
                program.num_test_modules += 1
            if item.type == "function_item":
                _add_function(program, item, attributes, tokens, testing, hidden)
            else:
                _add_item(program, item, tokens, testing)
            if item.type in ("mod_item", "impl_item", "trait_item") and inner is not None:
                containers.append((inner, testing, hidden))
    program.redefined = set(_redefined_macros(root, tokens))
    return program


def _add_function(
    program: Program, item: Node, attributes: list[str], tokens: Tokens, testing: bool, hidden: bool
) -> None:
    """Record a function as a test, a helper of tests, or a function outside tests."""
    block, name = item.child_by_field_name("body"), _name(item)
    if block is None:
        return
    body = read_body(block, tokens, parameters=tokens.names(item.child_by_field_name("parameters")))
    if "test" in attributes:
        program.tests.append(TestFunction(name, tuple(attributes), body, hidden))
    elif testing:
        program.helpers[name] = body
    else:
        program.functions[name] = body


def _add_item(program: Program, item: Node, tokens: Tokens, testing: bool) -> None:
    """Record an item that is not a function."""
    if item.type == "impl_item":
        if not testing:
            program.types.add(last_name(without_generics(item.child_by_field_name("type"))))
        program.redefines_equality |= _redefines_equality(item, tokens, testing)
    elif item.type == "use_declaration":
        if testing:
            program.imports.update(imported_names(item, tokens))
    elif item.type in ("const_item", "static_item", "macro_definition"):
        (program.test_items if testing else program.constants).add(_name(item))
    elif not testing and item.type in ("macro_invocation", "expression_statement"):
        program.types.update(name for name in tokens.names(item) if name[:1].isupper())  # the macro may define them
    elif testing and item.type in ("struct_item", "enum_item", "union_item", "type_item"):
        program.test_items.add(_name(item))


def _redefines_equality(item: Node, tokens: Tokens, testing: bool) -> bool:
    """Whether an impl of a comparison ignores one of its sides, or belongs to the tests."""
    trait, block = last_name(without_generics(item.child_by_field_name("trait"))), item.child_by_field_name("body")
    if trait not in ("PartialEq", "PartialOrd", "Ord") or block is None:
        return False
    if testing:
        return True
    for function in block.named_children:
        if function.type == "function_item" and _name(function) in COMPARISONS:
            used = tokens.texts(function.child_by_field_name("body"))
            parameters = function.child_by_field_name("parameters")
            others = [p.child_by_field_name("pattern") for p in (parameters.named_children if parameters else [])]
            if "self" not in used or not any(name in used for other in others for name in tokens.names(other)):
                return True
    return False


def _items(container: Node, tokens: Tokens) -> Iterator[tuple[Node, list[str], int]]:
    """The items of a module or impl block, each with its attributes and the byte where the first of them starts."""
    attributes: list[str] = []
    start: int | None = None
    for child in container.children:
        if child.type == "attribute_item":
            start = child.start_byte if start is None else start
            attributes.append("".join(tokens.texts(child))[2:-1])  # without #[ and ]
        elif child.type not in COMMENTS:
            yield child, attributes, child.start_byte if start is None else start
            attributes, start = [], None


def _holds_tests(block: Node | None, tokens: Tokens) -> bool:
    """Whether a module holds a `#[test]` directly, not in an inner module."""
    return block is not None and any(
        child.type == "attribute_item" and tokens.texts(child)[2:-1] == ["test"] for child in block.children
    )


def _redefined_macros(root: Node, tokens: Tokens) -> Iterator[str]:
    """Names that `macro_rules!` defines or `use ... as` gives, and asserts that a `use` imports, anywhere."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "macro_definition":
            yield _name(node)
        elif node.type == "use_as_clause":
            yield last_name(node.child_by_field_name("alias"))
        elif node.type == "use_declaration" and not node.has_error:
            yield from tokens.names(node) & set(ASSERTS)  # `use mine::assert_eq`
        stack.extend(node.children)


def _name(item: Node) -> str:
    return last_name(item.child_by_field_name("name"))
