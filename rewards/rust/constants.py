"""Finds conditions and loops whose outcome is decided by their form alone: `true`, `1 < 2`, `p || !p`, `0..0`.

Reads tokens, not values: boolean operators, comparisons, `matches!`, and `is_some` and its like. Anything else counts
as unknown; that `2 * x == x + x` always holds is not found.
"""

from __future__ import annotations

import re

__all__ = ["always", "constant_value", "is_empty", "strip_wrappers"]

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
REFLEXIVE = {"==": True, "<=": True, ">=": True, "!=": False, "<": False, ">": False}  # the value of `x <operator> x`
OPEN, CLOSE = "([{", ")]}"
METHODS = {"is_some": "is_none", "is_none": "is_some", "is_ok": "is_err", "is_err": "is_ok"}
EXHAUSTIVE = ({"Some", "None"}, {"Ok", "Err"}, {"true", "false"})  # patterns that together match every value
ENVIRONMENT = re.compile(r"(?:^| )(?:(?:cfg|option_env) !|env :: vars?(?:_os)? )")
NOTHING = re.compile(r"(?:[(&] )*(?:\[ \]|vec ! \[ \]|Vec :: (?:< [^()]* > :: )?new \( \))")
INTEGER = r"([0-9][0-9_]{0,30})(?:[iu][0-9a-z]+)?"
RANGE = re.compile(rf"(?:\( )*{INTEGER} \.\. {INTEGER}(?: \).*)?$")
MAX_TOKENS = 500  # a longer condition counts as unknown
NAME = re.compile(r"[^\W\d]\w*$")


def constant_value(tokens: list[str]) -> bool | None:
    """The value that a condition always has, or None where it may have either.

    A condition on the environment, such as `cfg!(windows)`, counts as False. So does any condition without names other
    than `true` itself, such as `1 < 2`: it is not evaluated, and code behind it counts as never run.

    >>> constant_value(["x", "&&", "false"]), constant_value(["1", "<", "2"]), constant_value(["x"])
    (False, False, None)
    """
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    if not any(NAME.match(token) and token not in ("true", "false") for token in tokens):
        return tokens == ["true"]
    if ENVIRONMENT.search(" ".join(tokens)) or always(tokens, False):
        return False
    return True if always(tokens, True) else None


def is_empty(tokens: list[str]) -> bool:
    """Whether an iterable has no element by its form: an empty range, an empty list or `take(0)`.

    >>> is_empty(["0", "..", "0"]), is_empty(["2", "..", "1_000"])
    (True, False)
    """
    text = " ".join(tokens)
    bounds = RANGE.match(text)
    if bounds is not None and int(bounds[1].replace("_", "")) >= int(bounds[2].replace("_", "")):
        return True
    return NOTHING.match(text) is not None or ". take ( 0 )" in text or "iter :: empty" in text


def always(tokens: list[str], wanted: bool) -> bool:
    """Whether a condition has the wanted value for all values of its names.

    A condition without names, other than `true` and `false`, is not evaluated and counts as having the wanted value.
    """
    tokens = strip_wrappers(tokens)
    if not any(NAME.match(token) and token not in ("true", "false") for token in tokens):
        return tokens not in (["true"], ["false"]) or tokens == ["true" if wanted else "false"]
    for operator, decided_by in (("||", True), ("&&", False)):
        parts = _split(tokens, operator)
        if len(parts) > 1:
            if wanted is decided_by:
                return any(always(part, wanted) for part in parts) or _hold_opposites(parts)
            return all(always(part, wanted) for part in parts)
    if tokens[0] == "!" and len(strip_wrappers(tokens[1:])) < len(tokens) - 1:
        return always(tokens[1:], not wanted)
    if wanted and tokens[:3] == ["matches", "!", "("] and _closing(tokens[2:]) == len(tokens) - 3:
        return _matches_all(tokens[3:-1])
    comparison = _comparison(tokens)
    if comparison is None:
        return False
    left, operator, right = comparison
    return left == right and REFLEXIVE[operator] is wanted


def strip_wrappers(tokens: list[str]) -> list[str]:
    """An expression without outer parentheses, borrows, dereferences and clones, which do not change its value."""
    while True:
        if tokens[:1] in (["&"], ["*"]):
            tokens = tokens[1:]
        elif tokens[-4:] in ([".", "clone", "(", ")"], [".", "to_owned", "(", ")"]):
            tokens = tokens[:-4]
        elif tokens[:1] == ["("] and _closing(tokens) == len(tokens) - 1:
            tokens = tokens[1:-1]
        else:
            return tokens


def _matches_all(arguments: list[str]) -> bool:
    """Whether the pattern in the arguments of a `matches!` matches every value."""
    pattern = [token for part in _split(arguments, ",")[1:2] for token in part]
    heads = set()
    for alternative in _split(pattern, "|"):
        if alternative == ["_"]:
            return True
        if alternative[1:] in ([], ["(", "_", ")"], ["(", "..", ")"]):
            heads |= set(alternative)
    return any(patterns <= heads for patterns in EXHAUSTIVE)


def _hold_opposites(parts: list[list[str]]) -> bool:
    """Whether one part of a condition negates another, so that one of them holds and one does not."""
    bare = [strip_wrappers(part) for part in parts]
    for part in bare:
        method = METHODS.get(part[-3]) if part[-2:] == ["(", ")"] and len(part) > 3 else None
        if method is not None and [*part[:-3], method, "(", ")"] in bare:
            return True
        comparison = _comparison(part)
        opposite = None if comparison is None else (comparison[0], OPPOSITE[comparison[1]], comparison[2])
        for other in bare:
            if (opposite is not None and _comparison(other) == opposite) or (
                other[:1] == ["!"] and strip_wrappers(other[1:]) == part
            ):
                return True
    return False


def _comparison(tokens: list[str]) -> tuple[list[str], str, list[str]] | None:
    """The left side, operator and right side of a comparison; None for any other expression."""
    for operator in REFLEXIVE:
        parts = _split(tokens, operator)
        if len(parts) == 2:
            return strip_wrappers(parts[0]), operator, strip_wrappers(parts[1])
    return None


def _split(tokens: list[str], operator: str) -> list[list[str]]:
    """Split tokens at an operator outside all brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in OPEN) - (token in CLOSE)
        if token == operator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _closing(tokens: list[str]) -> int:
    """The index at which the bracket that the tokens start with is closed; -1 where it is not closed."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token in OPEN) - (token in CLOSE)
        if depth == 0:
            return index
    return -1
