"""The boundary between tests and code: where one may change what the other means, as far as the text can show it.

What runs show is not asked here. Left out: name resolution; a name that stands for two things counts as one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.shadows import GivenNames, shadowed_functions, shadowed_items
from rewards.rust.tokens import leaves, node_text

__all__ = ["Boundary", "read_boundary", "split_leaves"]

ADDRESSES = frozenset(("as_ptr", "as_mut_ptr", "as_ptr_range", "from_ref", "addr_of", "addr_of_mut", "addr", "NonNull"))
POINTER = re.compile(r"\{[^{}:]*:[^{}]*p\}")  # in a text that formats
ITEMS = ("struct", "enum", "union", "trait")
CFG = frozenset(("cfg", "cfg_attr", "cfg_select"))


class Boundary(NamedTuple):
    """In what ways tests and code may change each other."""

    depends_on_cfg: bool  # whether code outside tests differs with a `cfg`
    tests_extend_code: bool  # whether test code implements something for a type that is not its own
    takes_address: bool  # whether it looks at the address of a value, by which it can know where it runs
    shadowed: str  # a name that means something else than a reader of the tests takes it for; empty for none


def read_boundary(root: Node, test_code: Sequence[tuple[int, int]], names: GivenNames) -> Boundary:
    """Find in what ways tests and code may change each other.

    Args:
        root: A program's syntax tree.
        test_code: The byte ranges of its test code.
        names: The names that it gives.
    """
    inside, outside = split_leaves(root, test_code)
    words, others = ([node_text(leaf).removeprefix("r#") for leaf in part] for part in (inside, outside))
    starting = (place for place in range(len(words)) if _starts_impl(words, place))
    extends = (
        not names.parts.isdisjoint(others)  # what tests are called hides what a glob import brings
        or "macro_export" in words
        or any(_extends(words, place, set(others), names.types) for place in starting)
    )
    shadows = (*shadowed_functions(words, names), *shadowed_items(words, others))
    return Boundary(not CFG.isdisjoint(others), extends, _takes_address([*words, *others]), next(iter(shadows), ""))


def split_leaves(root: Node, test_code: Sequence[tuple[int, int]]) -> tuple[list[Node], list[Node]]:
    """The tokens of test code, and the others."""
    ranges = sorted(test_code)
    starts = [start for start, _ in ranges]
    inside: list[Node] = []
    outside: list[Node] = []
    for leaf in leaves(root):
        place = bisect_right(starts, leaf.start_byte) - 1
        (inside if place >= 0 and leaf.start_byte < ranges[place][1] else outside).append(leaf)
    return inside, outside


def _takes_address(words: Sequence[str]) -> bool:
    """Whether a pointer is made of a reference, or printed."""
    pairs = zip(words, words[1:], strict=False)
    return (
        any(
            b in ADDRESSES and (a in (".", "::") or c == "!")
            for a, b, c in zip(words, words[1:], words[2:], strict=False)
        )
        or any((a, b) in (("*", "const"), ("*", "mut"), ("&", "raw")) for a, b in pairs)
        or any(word[:1] == '"' and POINTER.search(word) for word in words)
    )


def _extends(words: Sequence[str], place: int, outside: Set[str], types: Set[str]) -> bool:
    """Whether an impl block of test code may change what code outside the tests does.

    It cannot if its type is defined in test code alone, nor if it gives a type methods that are named nowhere outside.
    A trait of the tests can for a type of the standard library: its methods may come before the type's own.

    Args:
        words: The tokens of test code.
        place: Where the block starts.
        outside: The tokens outside.
        types: The types that are defined outside.
    """
    end = next((i for i in range(place, len(words)) if words[i] == "{"), len(words))
    header = words[place + 1 : end]
    at = header.index("for") if "for" in header else -1
    kind, trait = _last_name(header[at + 1 :]), _last_name(header[:at]) if at >= 0 else ""
    defined = {b: a for a, b in zip(words, words[1:], strict=False) if a in ITEMS and b not in outside}
    if defined.get(kind, "trait") != "trait":
        return False
    methods = set(_methods(words, end))
    foreign = at >= 0 and (trait not in defined or kind not in types)
    return foreign or any(name.startswith("$") for name in methods) or not outside.isdisjoint(methods)


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
