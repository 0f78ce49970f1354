"""What can be cut out of a program: pure functions from its text to spans, all inside bodies of functions.

expression  a part of a statement that has a value: a call, a comparison, an element of an array ...
statement   one statement of a block, or the value at its end
block       two or more statements of a block that follow each other
function    all statements of a function
random      what stands between any two places of a body, cut within words too

The last three functions are the sets of HumanEval-Infilling. Places are bytes of the program in UTF-8. Left out: test
code, items such as a struct, and parts in which no token of code begins.
Source: Bavarian et al. (arXiv 2207.14255), section 3; Fried et al., InCoder (arXiv 2204.05999), section 4.1.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from tree_sitter import Node

from rewards.infilling.joining import Gap
from rewards.rust.grammar import syntax
from rewards.rust.parse import parse
from rewards.rust.tokens import COMMENTS, leaves

__all__ = ["KINDS", "Cut", "Lines", "cut_out", "gap_at", "multi_lines", "random_spans", "single_lines"]

Range = tuple[int, int]
TRIES = 20  # to draw a random span
WITHOUT_VALUE = ("return_expression", "break_expression", "continue_expression", "assignment_expression")
STATEMENTS = ("if_expression", "match_expression", "for_expression", "while_expression", "loop_expression")
NOT_STATEMENTS = (*COMMENTS, "attribute_item", "inner_attribute_item", "use_declaration", "empty_statement")


class Cut(NamedTuple):
    """A part of a program, and what it is."""

    kind: str
    start: int
    end: int


class Lines(NamedTuple):
    """A run of whole lines of a program, and the numbers of its first and last; 0 is below the first `fn f() {`."""

    start: int
    end: int
    first: int
    last: int


def gap_at(program: str, start: int, end: int) -> Gap:
    """A program with a part cut out of it.

    >>> gap_at("fn é() { 1 }", 10, 11).middle
    '1'
    """
    text = program.encode("utf-8", "replace")
    return Gap(*(part.decode("utf-8") for part in (text[:start], text[start:end], text[end:])))


def cut_out(program: str, kinds: Sequence[str], draw: random.Random, most: int) -> list[Cut]:
    """Draw parts of a program, of the kinds in turn as far as it has them; no part twice.

    Args:
        program: With or without tests of its own.
        kinds: Of `KINDS`.
        draw: Decides which.
        most: How many at most.

    >>> cut_out("fn f() -> u8 { 1 + 2 }", ["expression"], random.Random(0), 3)
    [Cut(kind='expression', start=15, end=20)]
    """
    source, waiting = _Source(program), []
    for kind in draw.sample(list(kinds), len(kinds)):
        found = sorted(set(KINDS[kind](source, draw)))
        waiting.append([Cut(kind, *one) for one in draw.sample(found, len(found))])
    chosen: dict[Range, Cut] = {}
    while any(waiting) and len(chosen) < most:
        for cuts in waiting:
            while cuts and cuts[-1][1:] in chosen:
                cuts.pop()
            if cuts and len(chosen) < most:
                one = cuts.pop()
                chosen[one.start, one.end] = one
    return list(chosen.values())


def single_lines(program: str) -> list[Lines]:
    """Every line of a body with code in it, its indentation and its end included."""
    return [line for body in _Source(program).lines() for line in body]


def multi_lines(program: str) -> list[Lines]:
    """Every run of lines, also of one, that begins and ends with a line with code in it."""
    bodies = _Source(program).lines()
    return [
        Lines(first.start, last.end, first.first, last.last)
        for body in bodies
        for place, first in enumerate(body)
        for last in body[place:]
    ]


def random_spans(program: str, draw: random.Random, count: int) -> list[Range]:
    """So many parts between two places of a body, every two alike probable; fewer where there are fewer."""
    source = _Source(program)
    found: dict[Range, None] = {}
    for _ in range(TRIES * count):
        if len(found) < count:
            found.update(dict.fromkeys(source.random(draw)))
    return list(found)


class _Source:
    """A program's syntax tree inside its functions, without its tests."""

    def __init__(self, program: str) -> None:
        root, tests = syntax(program), parse(program).test_code
        self.text = program.encode("utf-8", "replace")
        self.nodes = [
            node for node in _inside(root) if not any(first <= node.start_byte < last for first, last in tests)
        ]
        self.blocks = [list(_statements(node)) for node in self.nodes if node.type == "block"]
        self.bodies = [node for node in self.nodes if node.parent is not None and node.parent.type == "function_item"]
        self._code = [leaf.start_byte for leaf in leaves(root)]

    def has_code(self, start: int, end: int) -> bool:
        """Whether a token begins in a range."""
        place = bisect_left(self._code, start)
        return place < len(self._code) and self._code[place] < end

    def lines(self) -> list[list[Lines]]:
        """The lines with code of each body that is not inside another."""
        found, end = [], 0
        for body in self.bodies:
            if body.start_byte >= end:
                found.append(list(self._lines(body)))
                end = body.end_byte
        return found

    def random(self, draw: random.Random) -> list[Range]:
        """A part of a drawn body between two drawn places; none where no code begins in it."""
        if not self.bodies:
            return []
        body = draw.choice(self.bodies)
        inside = range(body.start_byte + 1, body.end_byte)
        places = [place for place in inside if self.text[place] & 0xC0 != 0x80]  # where a character begins
        start, end = sorted(draw.sample(places, 2)) if len(places) > 1 else (0, 0)
        return [(start, end)] if self.has_code(start, end) else []

    def _lines(self, body: Node) -> Iterator[Lines]:
        start = self.text.find(b"\n", body.start_byte) + 1
        number = body.start_point.row - self.bodies[0].start_point.row
        while start:
            end = self.text.find(b"\n", start) + 1
            if not end or end > body.end_byte - 1:
                return
            if self.has_code(start, end):
                yield Lines(start, end, number, number)
            start, number = end, number + 1


def _inside(root: Node) -> Iterator[Node]:
    """The nodes of all bodies of functions, in order."""
    stack = [(root, False)]
    while stack:
        node, inside = stack.pop()
        if inside:
            yield node
        for child in reversed(node.children):
            is_body = child.type == "block" and node.type == "function_item"
            stack.append((child, inside or is_body))


def _statements(block: Node) -> Iterator[Node]:
    """The statements of a block, and the value at its end."""
    for child in block.named_children:
        if child.type not in NOT_STATEMENTS and not child.type.endswith("_item"):
            yield child


def _has_value(node: Node) -> bool:
    """Whether a node is an expression that something else uses, and no name that is called."""
    kind, parent = node.type, node.parent
    if not kind.endswith("_expression") and kind != "macro_invocation":
        return False
    if kind in WITHOUT_VALUE or kind in STATEMENTS or parent is None or parent.type == "expression_statement":
        return False
    return parent.type not in ("call_expression", "generic_function") or parent.child_by_field_name("function") != node


def _expressions(source: _Source, draw: random.Random) -> list[Range]:
    return [(node.start_byte, node.end_byte) for node in source.nodes if _has_value(node)]


def _single(source: _Source, draw: random.Random) -> list[Range]:
    return [(one.start_byte, one.end_byte) for block in source.blocks for one in block]


def _several(source: _Source, draw: random.Random) -> list[Range]:
    return [(a.start_byte, b.end_byte) for block in source.blocks for a, b in combinations(block, 2)]


def _bodies(source: _Source, draw: random.Random) -> list[Range]:
    found = [list(_statements(body)) for body in source.bodies]
    return [(block[0].start_byte, block[-1].end_byte) for block in found if block]


def _anything(source: _Source, draw: random.Random) -> list[Range]:
    return [one for _ in range(TRIES) for one in source.random(draw)]


KINDS: Mapping[str, Callable[[_Source, random.Random], list[Range]]] = {
    "expression": _expressions,
    "statement": _single,
    "block": _several,
    "function": _bodies,
    "random": _anything,
}
