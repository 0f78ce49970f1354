"""Finds the code block of a completion, and the functions, items and tests of a Rust program.

Promises a result for any text in linear time. tree-sitter reads the code, so comments, strings and syntax errors are
told from code. Every walk is a loop over an explicit stack, so ten thousand levels of nesting raise no RecursionError.
Nothing is compiled. Left out: types, name resolution, and macro expansion. A program that `is_readable` refuses is not
read, and has no functions, tests or asserts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tree_sitter import Node

from rewards.rust.asserts import asserts_in
from rewards.rust.boundary import read_boundary, split_leaves
from rewards.rust.grammar import is_readable, syntax
from rewards.rust.program import Body, Program, TestFunction
from rewards.rust.shadows import GivenNames, compares
from rewards.rust.tokens import COMMENTS, Tokens, last_name, leaves, node_text, without_generics
from rewards.tasks.task import Block

__all__ = ["code_blocks", "extract_code", "has_code", "parse", "without_tests"]

RUST = ("rust", "rs")
FENCE = re.compile(r"\ufeff? {0,3}(`{3,})([^`\r\n]*)\r?$")  # neighbouring parts share no character, so it is linear


def code_blocks(completion: str, languages: Collection[str] = RUST) -> list[str]:
    """The contents of every closed block of a completion in one of some languages, ```rust unless told, in order.

    A block opens with a fence of at least three backticks and a language, "rust" or "rs", and closes with a fence of at
    least as many backticks; one that is never closed does not count. A byte order mark before a fence is passed over.
    Line ends become "\\n".

    >>> code_blocks("Sure:\\n```rust\\nfn a() {}\\n```\\nbye")
    ['fn a() {}\\n']
    """
    blocks: list[str] = []
    opened: tuple[int, bool, list[str]] | None = None  # backticks, whether it is wanted, lines
    for line in completion.split("\n"):
        match = FENCE.match(line)
        if opened is None:
            if match:
                language = re.split(r"[\s,{]", match[2].strip().lower(), maxsplit=1)[0]
                opened = (len(match[1]), language in languages, [])
        elif match and not match[2].strip() and len(match[1]) >= opened[0]:
            if opened[1]:
                blocks.append("".join(text.removesuffix("\r") + "\n" for text in opened[2]))
            opened = None
        else:
            opened[2].append(line)
    return blocks


def extract_code(completion: str, block: Block = "first") -> str | None:
    """The program in a completion: its first closed ```rust block, or its last.

    None without such a block, or when it holds only comments: cargo builds an empty program, so paying for one would
    teach the model to write no code. A block that is too long to be read counts as code.

    >>> extract_code("fn a() {}"), extract_code("```rust\\n// later\\n```")
    (None, None)
    """
    blocks = code_blocks(completion)
    if not blocks:
        return None
    code = blocks[0] if block == "first" else blocks[-1]
    return code if has_code(code) else None


def has_code(source: str) -> bool:
    """Whether a program holds more than comments; one that is too long to be read does."""
    return not is_readable(source) or any(child.type not in COMMENTS for child in syntax(source).children)


def parse(source: str) -> Program:
    """The structure of a program. Takes any text and never raises.

    An item counts as test code when it is marked `#[cfg(test)]` or stands in test code; a module also when it directly
    holds a `#[test]`.

    >>> program = parse("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> list(program.functions), program.tests[0].name, program.asserts[0].text
    (['f'], 'g', 'assert_eq(1, super :: f ( ))')
    """
    program = Program()
    if not is_readable(source):
        return program
    root = syntax(source)
    tokens = Tokens(root)
    # a module, an impl block or a trait; whether it is in test code; whether it is a module
    containers: list[tuple[Node, bool, bool]] = [(root, False, True)]
    while containers:
        container, in_tests, is_module = containers.pop()
        for item, attributes, start in _items(container, tokens):
            inner = item.child_by_field_name("body")
            testing = in_tests or "cfg(test)" in attributes or (item.type == "mod_item" and _is_for_tests(item, tokens))
            whole = item.type == "mod_item" or (item.type == "function_item" and "cfg(test)" in attributes)
            if not in_tests and (testing if whole else "test" in attributes):
                program.test_code.append((start, item.end_byte))
                program.test_names.add(_name(item).removeprefix("r#"))
            if item.type == "mod_item" and "cfg(test)" in attributes and not in_tests:
                program.num_test_modules += 1
            if item.type == "function_item":
                _add_function(program, item, attributes, testing, is_method=not is_module)
            if item.type == "trait_item" and not testing:
                program.traits.add(_name(item).removeprefix("r#"))
            if item.type in ("struct_item", "enum_item", "union_item", "trait_item", "type_item") and not testing:
                program.types.add(_name(item).removeprefix("r#"))
            if item.type in ("mod_item", "impl_item", "trait_item") and inner is not None:
                containers.append((inner, testing, item.type == "mod_item"))
    program.asserts = list(asserts_in(split_leaves(root, program.test_code)[0]))
    program.compares = compares([node_text(leaf).removeprefix("r#") for leaf in leaves(root)])
    names = GivenNames(program.test_names, program.free, program.functions.keys(), program.types)
    found = read_boundary(root, program.test_code, names)
    program.depends_on_cfg, program.tests_extend_code, program.takes_address, program.shadowed = found
    return program


def without_tests(source: str, program: Program) -> str:
    """A program without the test code that was found in it.

    >>> code = "fn f() {} #[test] fn g() {}"
    >>> without_tests(code, parse(code))
    'fn f() {} '
    """
    encoded = source.encode("utf-8", "replace")  # as `parse` counts its bytes
    for start, end in sorted(program.test_code, reverse=True):
        encoded = encoded[:start] + encoded[end:]
    return encoded.decode("utf-8")


def _add_function(program: Program, item: Node, attributes: list[str], testing: bool, *, is_method: bool) -> None:
    """Record a function as a test, or as one outside tests."""
    block, name = item.child_by_field_name("body"), _name(item)
    if block is not None and "test" in attributes:
        program.tests.append(TestFunction(name, tuple(attributes)))
    elif block is not None and not testing:
        statements = sum(child.is_named and child.type not in COMMENTS for child in block.children)
        plain = name.removeprefix("r#")
        program.functions[plain] = Body(statements, frozenset(_macros(block)))
        if not is_method:
            program.free.add(plain)


def _macros(block: Node) -> Iterator[str]:
    """The names of the macros that a function calls."""
    stack = [block]
    while stack:
        node = stack.pop()
        if node.type == "macro_invocation":
            yield last_name(node.child_by_field_name("macro"))
        stack.extend(node.children)


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


def _is_for_tests(module: Node, tokens: Tokens) -> bool:
    """Whether a module without `cfg(test)` holds tests, and nothing that others could use."""
    block = module.child_by_field_name("body")
    children = block.children if block is not None else []
    holds = any(child.type == "attribute_item" and tokens.texts(child)[2:-1] == ["test"] for child in children)
    public = any(
        child.type.endswith("_item") and child.child_count and child.children[0].type == "visibility_modifier"
        for child in children
    )
    return holds and not public


def _last(item: Node, field: str) -> str:
    """The last name of a path in a field, without its generics."""
    return last_name(without_generics(item.child_by_field_name(field)))


def _name(item: Node) -> str:
    return last_name(item.child_by_field_name("name"))
