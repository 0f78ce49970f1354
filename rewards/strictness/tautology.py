"""Asserts that are true by their form alone, whatever the code under test returns: `x == x`, `p || !p`, `p || true`.

Reads tokens, not values, and only what stands at the top: `2 * x == x + x` is out of its sight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rewards.rust.function_body import Assert

__all__ = ["constant", "empty", "never_fails"]

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
REFLEXIVE = {"==": True, "<=": True, ">=": True, "!=": False, "<": False, ">": False}
OPEN, CLOSE = "([{", ")]}"
METHODS = {"is_some": "is_none", "is_none": "is_some", "is_ok": "is_err", "is_err": "is_ok"}
WHOLE = ({"Some", "None"}, {"Ok", "Err"}, {"true", "false"})  # patterns that leave nothing out
ENVIRONMENT = re.compile(r"(?:^| )(?:(?:cfg|option_env) !|env :: vars?(?:_os)? )")
NOTHING = re.compile(r"(?:[(&] )*(?:\[ \]|vec ! \[ \]|Vec :: (?:< [^()]* > :: )?new \( \))")
INTEGER = r"([0-9][0-9_]{0,30})(?:[iu][0-9a-z]+)?"
RANGE = re.compile(rf"(?:\( )*{INTEGER} \.\. {INTEGER}(?: \).*)?$")
MAX_TOKENS = 500  # a longer condition is not looked at
NAME = re.compile(r"[^\W\d]\w*$")


def never_fails(found: Assert) -> bool:
    """Whether an assert holds by its form.

    >>> from rewards.rust.function_body import Assert
    >>> never_fails(Assert("assert_eq", ("x", "y"), ("f ( 1 )", "( f ( 1 ) )"), frozenset("xy"), reachable=True))
    True
    """
    sides = [_unqualified(expression.split(" ")) for expression in found.expanded]
    if sum(map(len, sides)) > MAX_TOKENS:
        return False
    if len(sides) == 2:
        return found.macro.endswith("_eq") and _bare(sides[0]) == _bare(sides[1])
    return _always(sides[0], True)


def constant(tokens: list[str]) -> bool | None:
    """What a condition is by its form, None where it depends on something; what depends on the machine counts as False.

    >>> constant(["x", "&&", "false"]), constant(["1", "<", "2"]), constant(["x"])
    (False, False, None)
    """
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    if not any(NAME.match(token) and token not in ("true", "false") for token in tokens):
        return tokens == ["true"]
    if ENVIRONMENT.search(" ".join(tokens)) or _always(tokens, False):
        return False
    return True if _always(tokens, True) else None


def empty(tokens: list[str]) -> bool:
    """Whether what a loop goes over has nothing in it by its form.

    >>> empty(["0", "..", "0"]), empty(["2", "..", "1_000"])
    (True, False)
    """
    text = " ".join(tokens)
    bounds = RANGE.match(text)
    if bounds is not None and int(bounds[1].replace("_", "")) >= int(bounds[2].replace("_", "")):
        return True
    return NOTHING.match(text) is not None or ". take ( 0 )" in text or "iter :: empty" in text


def _unqualified(tokens: list[str]) -> list[str]:
    """Paths without `super::`, `crate::` and `self::`."""
    return [
        token
        for index, token in enumerate(tokens)
        if not (token in ("super", "crate", "self") and tokens[index + 1 : index + 2] == ["::"])
        and not (token == "::" and index and tokens[index - 1] in ("super", "crate", "self"))
    ]


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
    if wanted and tokens[:3] == ["matches", "!", "("] and _closing(tokens[2:]) == len(tokens) - 3:
        return _matches_all(tokens[3:-1])
    comparison = _comparison(tokens)
    if comparison is None:
        return False
    left, operator, right = comparison
    return left == right and REFLEXIVE[operator] is wanted


def _matches_all(arguments: list[str]) -> bool:
    """Whether the pattern of a `matches!` leaves nothing out."""
    pattern = [token for part in _split(arguments, ",")[1:2] for token in part]
    heads = set()
    for alternative in _split(pattern, "|"):
        if alternative == ["_"]:
            return True
        if alternative[1:] in ([], ["(", "_", ")"], ["(", "..", ")"]):
            heads |= set(alternative)
    return any(whole <= heads for whole in WHOLE)


def _hold_opposites(parts: list[list[str]]) -> bool:
    """Whether some part of a condition is the opposite of another one."""
    bare = [_bare(part) for part in parts]
    for part in bare:
        method = METHODS.get(part[-3]) if part[-2:] == ["(", ")"] and len(part) > 3 else None
        if method is not None and [*part[:-3], method, "(", ")"] in bare:
            return True
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
