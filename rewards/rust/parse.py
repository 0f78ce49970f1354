"""Rust source as structure: the code block of an answer, and what its syntax tree says of functions and tests.

tree-sitter reads the code, so comments, strings and broken code fool nobody; nothing is compiled. Everything is a
loop over an explicit stack: nesting ten thousand deep is data, not a RecursionError. Left out: types, name resolution
across modules and macro expansion; `rewards.strictness.judge` errs on the side of not paying where those would decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

from rewards.rust.function_body import ASSERTS, Assert, Body, imported_names, read_body
from rewards.rust.tokens import COMMENTS, Tokens, last_name

__all__ = ["Program", "TestFunction", "TestModule", "code_blocks", "extract_code", "parse", "syntax"]

FENCE = re.compile(r" {0,3}(`{3,})([^`\r\n]*)\r?$")  # no part can match what its neighbour can: linear
UNWRITTEN = ("todo", "unimplemented")
COMPARISONS = ("eq", "partial_cmp", "cmp")
_PARSER = Parser(Language(tree_sitter_rust.language()))


@dataclass(frozen=True)
class TestFunction:
    """A `#[test]` function."""

    name: str
    attributes: tuple[str, ...]  # without white space: "test", "ignore", 'should_panic(expected="x")'
    body: Body
    conditional: bool  # some `cfg` other than `cfg(test)` decides whether it exists

    @property
    def ignored(self) -> bool:
        return any(re.match(r"ignore\b", attribute) for attribute in self.attributes)

    @property
    def should_panic(self) -> bool:
        return any(re.match(r"should_panic\b", attribute) for attribute in self.attributes)


@dataclass(frozen=True)
class TestModule:
    """A `#[cfg(test)] mod`, with its attributes, as a range of bytes of the source."""

    name: str
    start: int
    end: int


@dataclass
class Program:
    """What a program is made of. `functions` maps those outside tests, methods included, to their bodies."""

    broken: bool  # the parser met a syntax error
    functions: dict[str, Body] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)  # const, static and macro names outside tests
    types: set[str] = field(default_factory=set)  # types with methods, traits or macros of their own outside tests
    test_modules: list[TestModule] = field(default_factory=list)
    test_code: list[tuple[int, int]] = field(default_factory=list)  # bytes of all test modules and tests, no overlaps
    tests: list[TestFunction] = field(default_factory=list)
    helpers: dict[str, Body] = field(default_factory=dict)  # functions of test modules that are no tests
    imports: dict[str, frozenset[str]] = field(default_factory=dict)  # in tests: name of no item outside -> its path
    test_items: set[str] = field(default_factory=set)  # types, constants and macros of test modules
    redefined: set[str] = field(default_factory=set)  # macros that the program defines or renames, anywhere
    redefines_equality: bool = False  # a comparison written by the tests, or one that does not look at both sides

    @property
    def asserts(self) -> list[Assert]:
        """Every assert in test code."""
        bodies = [test.body for test in self.tests] + list(self.helpers.values())
        return [found for body in bodies for found in body.all_asserts()]


def code_blocks(answer: str) -> list[str]:
    """The contents of every closed ```rust block of an answer, in order.

    A fence opens with at least three backticks and "rust" or "rs", and closes with at least as many; what is never
    closed is no block. Line ends become "\\n".

    >>> code_blocks("Sure:\\n```rust\\nfn a() {}\\n```\\nbye")
    ['fn a() {}\\n']
    """
    blocks: list[str] = []
    opened: tuple[int, bool, list[str]] | None = None  # backticks, whether it is Rust, lines
    for line in answer.split("\n"):
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


def extract_code(answer: str) -> str | None:
    """The program in an answer: its first closed ```rust block; None without one, or when it holds only comments.

    Cargo builds an empty program, and it is no answer: paying for that would teach silence.

    >>> extract_code("fn a() {}"), extract_code("```rust\\n// later\\n```")
    (None, None)
    """
    blocks = code_blocks(answer)
    if not blocks:
        return None
    return blocks[0] if any(child.type not in COMMENTS for child in syntax(blocks[0]).children) else None


def syntax(source: str) -> Node:
    """The syntax tree of a program, its root."""
    return _PARSER.parse(source.encode("utf-8", "replace")).root_node


def parse(source: str) -> Program:
    """The structure of a program; never raises, whatever the text.

    >>> program = parse("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> list(program.functions), program.tests[0].name, program.asserts[0].text
    (['f'], 'g', 'assert_eq(super :: f ( ) , 1)')
    """
    root = syntax(source)
    tokens = Tokens(root)
    program = Program(broken=root.has_error)
    containers: list[tuple[Node, bool, bool]] = [(root, False, False)]  # node, inside tests, behind another cfg
    while containers:
        container, in_tests, conditional = containers.pop()
        for item, attributes, start in _items(container, tokens):
            hidden = conditional or any(re.match(r"cfg(_attr)?\(", a) and a != "cfg(test)" for a in attributes)
            inner = item.child_by_field_name("body")
            testing = in_tests or "cfg(test)" in attributes or (item.type == "mod_item" and _holds_tests(inner, tokens))
            if not in_tests and (testing if item.type == "mod_item" else "test" in attributes):
                program.test_code.append((start, item.end_byte))
            if item.type == "mod_item" and "cfg(test)" in attributes and not in_tests:
                program.test_modules.append(TestModule(_name(item), start, item.end_byte))
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
    """File a function under what it is."""
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
    """Note an item that is no function."""
    if item.type == "impl_item":
        if not testing:
            program.types.add(last_name(_without_generics(item.child_by_field_name("type"))))
        program.redefines_equality |= _redefines_equality(item, tokens, testing)
    elif item.type == "use_declaration":
        if testing:
            program.imports.update(imported_names(item, tokens))
    elif item.type in ("const_item", "static_item", "macro_definition"):
        (program.test_items if testing else program.constants).add(_name(item))
    elif not testing and item.type in ("macro_invocation", "expression_statement"):
        program.types.update(name for name in tokens.names(item) if name[:1].isupper())  # what it may define
    elif testing and item.type in ("struct_item", "enum_item", "union_item", "type_item"):
        program.test_items.add(_name(item))


def _redefines_equality(item: Node, tokens: Tokens, testing: bool) -> bool:
    """Whether an impl says what is equal or greater without looking at both sides, or does so for the tests alone."""
    trait, block = last_name(_without_generics(item.child_by_field_name("trait"))), item.child_by_field_name("body")
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
    """The items of a module or impl block, each with its attributes and where the first of them starts."""
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
    """Whether a module holds tests itself: one without `#[cfg(test)]` is test code all the same."""
    return block is not None and any(
        child.type == "attribute_item" and tokens.texts(child)[2:-1] == ["test"] for child in block.children
    )


def _redefined_macros(root: Node, tokens: Tokens) -> Iterator[str]:
    """Names that `macro_rules!` defines or that `use ... as` gives, wherever they stand."""
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


def _without_generics(node: Node | None) -> Node | None:
    """`Wrapper` of `Wrapper<T>`."""
    return node.child_by_field_name("type") if node is not None and node.type == "generic_type" else node


def _name(item: Node) -> str:
    """The name of an item."""
    return last_name(item.child_by_field_name("name"))
