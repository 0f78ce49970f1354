"""The boundary between tests and code: where one may change what the other means, as far as the text can show it.

What runs show is not asked here. Left out: name resolution; a name that stands for two things counts as one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence, Set

from tree_sitter import Node

from rewards.rust.asserts import asserts_in
from rewards.rust.program import Program
from rewards.rust.tokens import last_name, leaves, node_text, without_generics

__all__ = ["read_boundary"]

CFG = frozenset(("cfg", "cfg_attr", "cfg_select"))
IMPORTS = ("super", "crate", "self")


def read_boundary(program: Program, root: Node) -> None:
    """Record the asserts of test code, and in what ways tests and code may change each other.

    Args:
        program: A program whose `test_code`, `tests` and functions are known.
        root: Its syntax tree.
    """
    ranges = sorted(program.test_code)
    starts = [start for start, _ in ranges]

    def in_tests(node: Node) -> bool:
        place = bisect_right(starts, node.start_byte) - 1
        return place >= 0 and node.start_byte < ranges[place][1]

    inside: list[Node] = []
    outside: list[Node] = []
    for leaf in leaves(root):
        (inside if in_tests(leaf) else outside).append(leaf)
    program.asserts = list(asserts_in(inside))
    words, others = ([node_text(leaf).removeprefix("r#") for leaf in part] for part in (inside, outside))
    program.depends_on_cfg = not CFG.isdisjoint(others)
    shared = program.test_names & set(others)  # what tests are called hides what a glob import brings
    program.tests_extend_code = (
        bool(shared)
        or "macro_export" in words
        or any(_extends(words, place, set(others)) for place in range(len(words)) if _starts_impl(words, place))
    )
    shadows = [*_shadows(words, program), *_shadowing_methods(root, program, in_tests)]
    program.shadowed = next(iter(shadows), "")


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


def _shadows(words: Sequence[str], program: Program) -> Iterator[str]:
    """Functions of the code whose names test code gives to something else: a function, a closure, an import."""
    tests = {test.name.removeprefix("r#") for test in program.tests}
    for place, (a, b, c) in enumerate(zip(words, words[1:], words[2:], strict=False)):
        if a == "fn" and b in program.free and b not in tests:
            yield b
        elif a == "let" and b in program.free and c == "=" and words[place + 3 : place + 4] in (["|"], ["||"], ["move"]):
            yield b
        elif a == "use" and b not in IMPORTS:
            end = next((i for i in range(place, len(words)) if words[i] == ";"), len(words))
            yield from (name for name in words[place + 1 : end] if name in program.free)
        elif a == "as" and b in program.free and c in (";", ",", "}"):
            yield b


def _shadowing_methods(root: Node, program: Program, in_tests: Callable[[Node], bool]) -> Iterator[str]:
    """Functions of the code whose names a trait of the tests gives to methods of its own."""
    for node in _nodes(root):
        if node.type == "trait_item" and in_tests(node):
            words = [node_text(leaf).removeprefix("r#") for leaf in leaves(node)]
            yield from (b for a, b in zip(words, words[1:], strict=False) if a == "fn" and b in program.functions)


def _nodes(root: Node) -> Iterator[Node]:
    """All nodes of a tree, each before those in it."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
