"""How far apart two programs are: whether their code is the same, and how much of it differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rewards.rust.boundary import split_leaves
from rewards.rust.grammar import is_readable, syntax
from rewards.rust.parse import parse
from rewards.rust.tokens import node_text

__all__ = ["code_tokens", "num_changed"]


def code_tokens(program: str) -> tuple[str, ...]:
    """The tokens of a program outside comments and tests: equal for programs that differ in their formatting alone.

    A program that is too long to be read is one token.

    >>> code_tokens("fn f()->u8{1} // one") == code_tokens("fn f() -> u8 {\\n    1\\n}\\n#[test] fn t() {}")
    True
    """
    if not is_readable(program):
        return (program,)
    return tuple(node_text(leaf) for leaf in split_leaves(syntax(program), parse(program).test_code)[1])


def num_changed(before: Iterable[str], after: Iterable[str]) -> int:
    """How many lines or tokens two texts do not share: those that only the one has, and those that only the other has.

    One that changed counts twice, as in a diff; one that moved does not count. Linear, unlike a smallest diff.

    >>> num_changed("abc", "caB")
    2
    """
    old, new = Counter(before), Counter(after)
    return ((old - new) + (new - old)).total()
