"""Finds the code block of a completion, and the functions, items and tests of a Rust program.

Promises a result for any text in linear time. tree-sitter reads the code, so comments, strings and syntax errors are
told from code. Every walk is a loop over an explicit stack, so ten thousand levels of nesting raise no RecursionError.
Nothing is compiled. Left out: types, name resolution, and macro expansion. A program of more than `MAX_PARSED`
characters is not read, and has no functions, tests or asserts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set

from tree_sitter import Node

from rewards.rust.asserts import ASSERTS, asserts_in
from rewards.rust.grammar import syntax
from rewards.rust.program import Body, Program, TestFunction
from rewards.rust.tokens import COMMENTS, Tokens, last_name, leaves, node_text, without_generics

__all__ = ["MAX_PARSED", "code_blocks", "extract_code", "parse"]

MAX_PARSED = 1 << 20  # characters of a program, read in a second: four times what `sandbox.source_kb` allows by default
FENCE = re.compile(r"\ufeff? {0,3}(`{3,})([^`\r\n]*)\r?$")  # neighbouring parts share no character, so it is linear
CFG = frozenset(("cfg", "cfg_attr", "cfg_select"))
COMPARISONS = ("eq", "partial_cmp", "cmp")


def code_blocks(completion: str) -> list[str]:
    """The contents of every closed ```rust block of a completion, in order.

    A block opens with a fence of at least three backticks and "rust" or "rs", and closes with a fence of at least as
    many backticks; one that is never closed does not count. A byte order mark before a fence is passed over. Line ends
    become "\\n".

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
    teach the model to write no code. A block that is too long to be read counts as code.

    >>> extract_code("fn a() {}"), extract_code("```rust\\n// later\\n```")
    (None, None)
    """
    blocks = code_blocks(completion)
    if not blocks:
        return None
    if len(blocks[0]) > MAX_PARSED or any(child.type not in COMMENTS for child in syntax(blocks[0]).children):
        return blocks[0]
    return None


def parse(source: str) -> Program:
    """The structure of a program. Takes any text and never raises.

    An item counts as test code when it is marked `#[cfg(test)]` or stands in test code; a module also when it directly
    holds a `#[test]`.

    >>> program = parse("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(super::f(), 1); } }")
    >>> list(program.functions), program.tests[0].name, program.asserts[0].text
    (['f'], 'g', 'assert_eq(1, super :: f ( ))')
    """
    program = Program()
    if len(source) > MAX_PARSED:
        return program
    root = syntax(source)
    tokens = Tokens(root)
    containers: list[tuple[Node, bool]] = [(root, False)]  # a module or impl block, and whether it is in test code
    while containers:
        container, in_tests = containers.pop()
        for item, attributes, start in _items(container, tokens):
            inner = item.child_by_field_name("body")
            testing = in_tests or "cfg(test)" in attributes or (item.type == "mod_item" and _holds_tests(inner, tokens))
            whole = item.type == "mod_item" or (item.type == "function_item" and "cfg(test)" in attributes)
            if not in_tests and (testing if whole else "test" in attributes):
                program.test_code.append((start, item.end_byte))
                program.test_names.add(_name(item).removeprefix("r#"))
            if item.type == "mod_item" and "cfg(test)" in attributes and not in_tests:
                program.num_test_modules += 1
            if item.type == "function_item":
                _add_function(program, item, attributes, testing)
            elif item.type == "impl_item":
                program.redefines_equality |= _redefines_equality(item, tokens, testing)
            if item.type in ("mod_item", "impl_item", "trait_item") and inner is not None:
                containers.append((inner, testing))
    program.redefined = set(_redefined_macros(root, tokens))
    _read_test_code(program, root)
    return program


def _add_function(program: Program, item: Node, attributes: list[str], testing: bool) -> None:
    """Record a function as a test, or as one outside tests."""
    block, name = item.child_by_field_name("body"), _name(item)
    if block is not None and "test" in attributes:
        program.tests.append(TestFunction(name, tuple(attributes)))
    elif block is not None and not testing:
        statements = sum(child.is_named and child.type not in COMMENTS for child in block.children)
        program.functions[name] = Body(statements, frozenset(_macros(block)))


def _macros(block: Node) -> Iterator[str]:
    """The names of the macros that a function calls."""
    stack = [block]
    while stack:
        node = stack.pop()
        if node.type == "macro_invocation":
            yield last_name(node.child_by_field_name("macro"))
        stack.extend(node.children)


def _read_test_code(program: Program, root: Node) -> None:
    """Record the asserts of test code, and in what ways it and `cfg` change the code outside."""
    ranges = sorted(program.test_code)
    starts = [start for start, _ in ranges]
    inside: list[Node] = []
    outside: list[Node] = []
    for leaf in leaves(root):
        place = bisect_right(starts, leaf.start_byte) - 1
        (inside if place >= 0 and leaf.start_byte < ranges[place][1] else outside).append(leaf)
    program.asserts = list(asserts_in(inside))
    words, others = ([node_text(leaf).removeprefix("r#") for leaf in part] for part in (inside, outside))
    program.depends_on_cfg = not CFG.isdisjoint(others)
    shared = program.test_names & set(others)  # what tests are called hides what a glob import brings
    program.tests_extend_code = (
        bool(shared)
        or "macro_export" in words
        or any(_extends(words, place, set(others)) for place in range(len(words)) if _starts_impl(words, place))
    )


def _extends(words: Sequence[str], place: int, outside: Set[str]) -> bool:
    """Whether an impl block of test code may change what code outside the tests does.

    It cannot if its type or its trait is defined in test code alone, nor if it gives a type methods that are named
    nowhere outside.

    Args:
        words: The tokens of test code.
        place: Where the block starts.
        outside: The tokens outside.
    """
    end = next((i for i in range(place, len(words)) if words[i] == "{"), len(words))
    header = words[place + 1 : end]
    at = header.index("for") if "for" in header else -1
    kind, trait = _last_name(header[at + 1 :]), _last_name(header[:at]) if at >= 0 else ""
    own = {b for a, b in zip(words, words[1:], strict=False) if a in ("struct", "enum", "union", "trait")} - outside
    if kind in own or trait in own:
        return False
    methods = set(_methods(words, end))
    return at >= 0 or any(name.startswith("$") for name in methods) or not outside.isdisjoint(methods)


def _methods(words: Sequence[str], start: int) -> Iterator[str]:
    """The names of the functions in the block that starts at a token, and `$` where a macro names one."""
    depth = 0
    for place in range(start, len(words) - 1):
        depth += (words[place] == "{") - (words[place] == "}")
        if depth == 0:
            return
        if words[place] == "fn":
            yield words[place + 1]


def _starts_impl(words: Sequence[str], place: int) -> bool:
    """Whether a token starts an impl block, rather than a type `impl Trait`."""
    return words[place] == "impl" and (not place or words[place - 1] in ("{", "}", ";", "]", "unsafe"))


def _last_name(words: Sequence[str]) -> str:
    """The last name of a path, without generics, references and `where`; empty where a macro makes it."""
    depth, name = 0, ""
    for word in words:
        if word == "where" or word.startswith("$"):
            return name if word == "where" else ""
        depth += (word == "<") - (word == ">") - 2 * (word == ">>")
        if depth == 0 and word.isidentifier():
            name = word
    return name


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
