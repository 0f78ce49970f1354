"""Rust source as structure: the code block of an answer, and what its syntax tree says of functions and tests.

tree-sitter reads the code, so comments, strings and broken code fool nobody; nothing is compiled. Everything is a
loop over an explicit stack: nesting ten thousand deep is data, not a RecursionError. Left out: types, name resolution
across modules and macro expansion; `rewards.guard` errs on the side of not paying where those would decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

__all__ = ["Assert", "Program", "TestFunction", "TestModule", "code_blocks", "extract_code", "parse"]

FENCE = re.compile(r" {0,3}(`{3,})[ \t]*([^`\r\n]*?)[ \t]*\r?$")
ASSERTS = ("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne")
COMMENTS = ("line_comment", "block_comment")
NAMES = ("identifier", "field_identifier", "type_identifier", "shorthand_field_identifier")
LITERALS = ("string_literal", "raw_string_literal", "char_literal")  # leaves, whatever they hold
UNWRITTEN = ("todo", "unimplemented")
_PARSER = Parser(Language(tree_sitter_rust.language()))


@dataclass(frozen=True)
class Assert:
    """One assert macro. `arguments` are the compared ones, without the message, tokens joined by single spaces."""

    macro: str
    arguments: tuple[str, ...]
    names: frozenset[str]  # identifiers in those arguments
    reachable: bool  # False behind `if false` or after an unconditional `return`

    @property
    def text(self) -> str:
        """What makes two asserts the same."""
        return f"{self.macro}({' , '.join(self.arguments)})"


@dataclass(frozen=True)
class Body:
    """What a function's body does, as far as names tell."""

    names: frozenset[str]
    asserts: tuple[Assert, ...]
    bound: dict[str, frozenset[str]]  # a name that let, for, match or a nested fn binds -> the names it is made of
    macros: frozenset[str]
    statements: int  # expressions and statements, comments not counted


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
    test_modules: list[TestModule] = field(default_factory=list)
    tests: list[TestFunction] = field(default_factory=list)
    helpers: dict[str, Body] = field(default_factory=dict)  # functions of test modules that are no tests
    redefined: set[str] = field(default_factory=set)  # macros that the program defines or renames, anywhere

    @property
    def asserts(self) -> list[Assert]:
        """Every assert in test code."""
        bodies = [test.body for test in self.tests] + list(self.helpers.values())
        return [found for body in bodies for found in body.asserts]


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
                language = re.split(r"[\s,{]", match[2].lower(), maxsplit=1)[0]
                opened = (len(match[1]), language in ("rust", "rs"), [])
        elif match and not match[2] and len(match[1]) >= opened[0]:
            if opened[1]:
                blocks.append("".join(text.removesuffix("\r") + "\n" for text in opened[2]))
            opened = None
        else:
            opened[2].append(line)
    return blocks


def extract_code(answer: str) -> str | None:
    """The program in an answer: its first closed ```rust block; None without one.

    >>> extract_code("fn a() {}") is None
    True
    """
    blocks = code_blocks(answer)
    return blocks[0] if blocks else None


def parse(source: str) -> Program:
    """The structure of a program; never raises, whatever the text.

    >>> program = parse("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> list(program.functions), program.tests[0].name, program.asserts[0].text
    (['f'], 'g', 'assert_eq(super :: f ( ) , 1)')
    """
    root = _PARSER.parse(source.encode("utf-8", "replace")).root_node
    program = Program(broken=root.has_error)
    containers: list[tuple[Node, bool, bool]] = [(root, False, False)]  # node, inside tests, behind another cfg
    while containers:
        container, in_tests, conditional = containers.pop()
        for item, attributes, start in _items(container):
            hidden = conditional or any(re.match(r"cfg(_attr)?\(", a) and a != "cfg(test)" for a in attributes)
            testing = in_tests or "cfg(test)" in attributes
            if item.type == "mod_item" and testing and not in_tests:
                program.test_modules.append(TestModule(_name(item), start, item.end_byte))
            if item.type == "function_item":
                _add_function(program, item, attributes, testing, hidden)
            elif item.type in ("const_item", "static_item", "macro_definition") and not testing:
                program.constants.add(_name(item))
            inner = item.child_by_field_name("body")
            if item.type in ("mod_item", "impl_item", "trait_item") and inner is not None:
                containers.append((inner, testing, hidden))
    program.redefined = set(_redefined_macros(root))
    return program


def _add_function(program: Program, item: Node, attributes: list[str], testing: bool, hidden: bool) -> None:
    """File a function under what it is."""
    block = item.child_by_field_name("body")
    if block is None:
        return
    body = _read_body(block)
    if "test" in attributes:
        program.tests.append(TestFunction(_name(item), tuple(attributes), body, hidden))
    elif testing:
        program.helpers[_name(item)] = body
    else:
        program.functions[_name(item)] = body


def _items(container: Node) -> Iterator[tuple[Node, list[str], int]]:
    """The items of a module or impl block, each with its attributes and where the first of them starts."""
    attributes: list[str] = []
    start: int | None = None
    for child in container.children:
        if child.type == "attribute_item":
            start = child.start_byte if start is None else start
            attributes.append("".join(_tokens(child))[2:-1])  # without #[ and ]
        elif child.type not in COMMENTS:
            yield child, attributes, child.start_byte if start is None else start
            attributes, start = [], None


def _read_body(block: Node) -> Body:
    """Walk through a function's body."""
    asserts: list[Assert] = []
    bound: dict[str, frozenset[str]] = {}
    macros: set[str] = set()
    stack: list[tuple[Node, bool]] = [(block, True)]
    while stack:
        node, reachable = stack.pop()
        if node.type == "macro_invocation":
            macro = _last_name(node.child_by_field_name("macro"))
            macros.add(macro)
            if macro in ASSERTS:
                asserts.append(_read_assert(macro, node, reachable))
        elif node.type in ("let_declaration", "let_condition", "for_expression", "match_expression"):
            _bind(node, bound)
        elif node.type == "function_item":
            bound[_name(node)] = _names(node.child_by_field_name("body"))
        stack.extend(_steps(node, reachable))
    asserts.reverse()
    statements = sum(child.is_named and child.type not in COMMENTS for child in block.children)
    return Body(_names(block), tuple(asserts), bound, frozenset(macros), statements)


def _steps(node: Node, reachable: bool) -> list[tuple[Node, bool]]:
    """The children of a node, and whether the program can get to them."""
    steps: list[tuple[Node, bool]] = []
    condition = node.child_by_field_name("condition") if node.type in ("if_expression", "while_expression") else None
    never = condition is not None and "".join(_tokens(condition)) in ("false", "(false)", "!true")
    body = node.child_by_field_name("consequence" if node.type == "if_expression" else "body") if never else None
    for child in node.children:
        steps.append((child, reachable and child != body))
        if node.type == "block" and _leaves(child):
            reachable = False
    return steps


def _leaves(statement: Node) -> bool:
    """Whether a statement is an unconditional return."""
    inner = statement.children[0] if statement.type == "expression_statement" else statement
    return inner.type == "return_expression"


def _bind(node: Node, bound: dict[str, frozenset[str]]) -> None:
    """Note what names a let, for or match makes, and of what."""
    value = _names(node.child_by_field_name("value"))
    patterns = [node.child_by_field_name("pattern")]
    if node.type == "match_expression":
        arms = node.child_by_field_name("body")
        patterns = [arm.child_by_field_name("pattern") for arm in (arms.children if arms else [])]
    for pattern in patterns:
        for name in _names(pattern):
            bound[name] = bound.get(name, frozenset()) | value


def _read_assert(macro: str, node: Node, reachable: bool) -> Assert:
    """An assert's compared arguments: two for `_eq` and `_ne`, else one."""
    tree = next((child for child in node.children if child.type == "token_tree"), None)
    arguments: list[list[Node]] = [[]]
    generics = 0
    children = tree.children[1:-1] if tree else []
    for index, child in enumerate(children):
        if child.type == "<" and index and children[index - 1].type == "::":
            generics += 1
        elif child.type == ">" and generics:
            generics -= 1
        if child.type == "," and not generics:
            arguments.append([])
        elif child.type not in COMMENTS:
            arguments[-1].append(child)
    compared = arguments[: 2 if macro.endswith(("_eq", "_ne")) else 1]
    texts = tuple(" ".join(token for part in argument for token in _tokens(part)) for argument in compared)
    return Assert(macro, texts, _all_names(part for argument in compared for part in argument), reachable)


def _leaf_nodes(node: Node | None) -> Iterator[Node]:
    """The tokens below a node, in order, comments left out."""
    stack = [node] if node is not None else []
    while stack:
        current = stack.pop()
        if current.type in COMMENTS:
            continue
        if current.child_count == 0 or current.type in LITERALS:
            yield current
        else:
            stack.extend(reversed(current.children))


def _tokens(node: Node) -> Iterator[str]:
    """The texts of the tokens below a node."""
    return (_text(leaf) for leaf in _leaf_nodes(node))


def _names(node: Node | None) -> frozenset[str]:
    """The identifiers below a node."""
    return frozenset(_text(leaf) for leaf in _leaf_nodes(node) if leaf.type in NAMES)


def _all_names(nodes: Iterable[Node]) -> frozenset[str]:
    """The identifiers below several nodes."""
    return frozenset().union(*(_names(node) for node in nodes))


def _redefined_macros(root: Node) -> Iterator[str]:
    """Names that `macro_rules!` defines or that `use ... as` gives, wherever they stand."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "macro_definition":
            yield _name(node)
        elif node.type == "use_as_clause":
            yield _last_name(node.child_by_field_name("alias"))
        elif node.type == "use_declaration" and not node.has_error:
            for name in _names(node):
                if name in ASSERTS:  # `use mine::assert_eq`
                    yield name
        stack.extend(node.children)


def _name(item: Node) -> str:
    """The name of an item."""
    return _last_name(item.child_by_field_name("name"))


def _last_name(node: Node | None) -> str:
    """The last segment of a path."""
    return _text(node).rpartition("::")[2].strip() if node is not None else ""


def _text(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")
