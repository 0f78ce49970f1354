"""Finds asserts that hold by their form alone, whatever the code under test returns: `x == x`, `p || !p`, `p || true`.

An assert without names, such as `1 < 2`, counts as a tautology whether it holds or not. An assert with names that could
fail never counts as one. Left out: asserts that hold because of the values, such as `2 * x == x + x`;
`rewards.strictness.mutation` catches some of those.
"""

from __future__ import annotations

from rewards.rust.constants import MAX_TOKENS, always, strip_wrappers
from rewards.rust.program import Assert

__all__ = ["never_fails"]


def never_fails(found: Assert) -> bool:
    """Whether an assert holds by its form. False for one of more than `MAX_TOKENS` tokens.

    >>> from rewards.rust.program import Assert
    >>> never_fails(Assert("assert_eq", ("x", "y"), ("f ( 1 )", "( f ( 1 ) )"), frozenset("xy"), reachable=True))
    True
    """
    sides = [_without_self_paths(expression.split(" ")) for expression in found.expanded]
    if sum(map(len, sides)) > MAX_TOKENS:
        return False
    if len(sides) == 2:
        return found.macro.endswith("_eq") and strip_wrappers(sides[0]) == strip_wrappers(sides[1])
    return always(sides[0], True)


def _without_self_paths(tokens: list[str]) -> list[str]:
    """Tokens without `super::`, `crate::` and `self::`, so that two paths to one function are equal."""
    return [
        token
        for index, token in enumerate(tokens)
        if not (token in ("super", "crate", "self") and tokens[index + 1 : index + 2] == ["::"])
        and not (token == "::" and index and tokens[index - 1] in ("super", "crate", "self"))
    ]
