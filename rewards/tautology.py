"""Asserts that are true by their form alone, whatever the code under test returns: `x == x`, `p || !p`, `p || true`.

Reads tokens, not values, and only what stands at the top: `2 * x == x + x` is out of its sight.
"""

from __future__ import annotations

import re

from rewards.body import Assert

__all__ = ["never_fails"]

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
REFLEXIVE = {"==": True, "<=": True, ">=": True, "!=": False, "<": False, ">": False}
OPEN, CLOSE = "([{", ")]}"
MAX_TOKENS = 500  # a longer condition is not looked at
NAME = re.compile(r"[^\W\d]\w*$")


def never_fails(found: Assert) -> bool:
    """Whether an assert holds by its form.

    >>> never_fails(Assert("assert_eq", ("x", "y"), ("f ( 1 )", "( f ( 1 ) )"), frozenset("xy"), reachable=True))
    True
    """
    sides = [expression.split(" ") for expression in found.expanded]
    if sum(map(len, sides)) > MAX_TOKENS:
        return False
    if len(sides) == 2:
        return found.macro.endswith("_eq") and _bare(sides[0]) == _bare(sides[1])
    return _always(sides[0], True)


def _always(tokens: list[str], wanted: bool) -> bool:
    """Whether a condition has the wanted value by its form; a condition without names counts as both."""
    tokens = _bare(tokens)
    if not any(NAME.match(token) and token not in ("true", "false") for token in tokens):
        return tokens not in (["true"], ["false"]) or tokens == ["true" if wanted else "false"]
    for operator, decided_by in (("||", True), ("&&", False)):
        parts = _split(tokens, operator)
        if len(parts) > 1:
            if wanted is decided_by:
                return any(_always(part, wanted) for part in parts) or _hold_opposites(parts)
            return all(_always(part, wanted) for part in parts)
    if tokens[0] == "!" and len(_bare(tokens[1:])) < len(tokens) - 1:
        return _always(tokens[1:], not wanted)
    comparison = _comparison(tokens)
    if comparison is None:
        return False
    left, operator, right = comparison
    return left == right and REFLEXIVE[operator] is wanted


def _hold_opposites(parts: list[list[str]]) -> bool:
    """Whether some part of a condition is the opposite of another one."""
    bare = [_bare(part) for part in parts]
    for part in bare:
        comparison = _comparison(part)
        opposite = None if comparison is None else (comparison[0], OPPOSITE[comparison[1]], comparison[2])
        for other in bare:
            if (opposite is not None and _comparison(other) == opposite) or (
                other[:1] == ["!"] and _bare(other[1:]) == part
            ):
                return True
    return False


def _comparison(tokens: list[str]) -> tuple[list[str], str, list[str]] | None:
    """The sides of a comparison and its operator."""
    for operator in REFLEXIVE:
        parts = _split(tokens, operator)
        if len(parts) == 2:
            return _bare(parts[0]), operator, _bare(parts[1])
    return None


def _split(tokens: list[str], operator: str) -> list[list[str]]:
    """Tokens cut at an operator outside all brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in OPEN) - (token in CLOSE)
        if token == operator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _bare(tokens: list[str]) -> list[str]:
    """An expression without what does not change its value: outer parentheses, borrows, clones."""
    while True:
        if tokens[:1] in (["&"], ["*"]):
            tokens = tokens[1:]
        elif tokens[-4:] in ([".", "clone", "(", ")"], [".", "to_owned", "(", ")"]):
            tokens = tokens[:-4]
        elif tokens[:1] == ["("] and _closing(tokens) == len(tokens) - 1:
            tokens = tokens[1:-1]
        else:
            return tokens


def _closing(tokens: list[str]) -> int:
    """Where the bracket that the tokens start with is closed; -1 where it is not."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token in OPEN) - (token in CLOSE)
        if depth == 0:
            return index
    return -1
