"""How far apart two programs are: whether their code is the same, and how many lines differ."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from rewards.rust.boundary import split_leaves
from rewards.rust.grammar import MAX_PARSED, syntax
from rewards.rust.parse import parse
from rewards.rust.tokens import node_text

__all__ = ["code_tokens", "lines_changed"]

REMEMBERED = 1024  # programs: those of rows are asked for again with every completion


@lru_cache(maxsize=REMEMBERED)
def code_tokens(program: str) -> tuple[str, ...]:
    """The tokens of a program outside comments and tests: equal for programs that differ in their formatting alone.

    A program that is too long to be read is one token.

    >>> code_tokens("fn f()->u8{1} // one") == code_tokens("fn f() -> u8 {\\n    1\\n}\\n#[test] fn t() {}")
    True
    """
    if len(program) > MAX_PARSED:
        return (program,)
    return tuple(node_text(leaf) for leaf in split_leaves(syntax(program), parse(program).test_code)[1])


def lines_changed(before: str, after: str) -> int:
    """How many lines two texts do not share: those that only the one has, and those that only the other has.

    A line that changed counts twice, as in a diff; one that moved does not count. Linear, unlike a smallest diff.

    >>> lines_changed("a\\nb\\nc\\n", "c\\na\\nB\\n")
    2
    """
    old, new = Counter(before.split("\n")), Counter(after.split("\n"))
    return ((old - new) + (new - old)).total()
