"""Which of a program's compiler errors are gone, as far as the compiler got.

rustc works in stages: a program that cannot be parsed is not searched for unknown names, one with unknown names is not
checked for moved values. So that no error counts as gone because an earlier one hides it, errors of a later stage than
the first that is left count as left, and those of that stage where one of another kind stands in their place. Left out:
running the compiler.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["share_gone", "stage_of"]

E_CODE = re.compile(r"E\d{4}")
PARSING = frozenset(("E0583", "E0584", "E0585", "E0586", "E0748", "E0753", "E0758", "E0762", "E0763", "E0765", "E0766"))
RESOLVING = frozenset("""
    E0106 E0252 E0254 E0255 E0259 E0260 E0261 E0262 E0263 E0364 E0365 E0401 E0403 E0404 E0405 E0407 E0408 E0411 E0412
    E0415 E0416 E0422 E0423 E0424 E0425 E0426 E0428 E0429 E0430 E0431 E0432 E0433 E0434 E0435 E0437 E0438 E0530 E0531
    E0532 E0573 E0574 E0603 E0659 E0728
    """.split())
BORROWING = frozenset("""
    E0373 E0381 E0382 E0384 E0499 E0502 E0503 E0505 E0506 E0507 E0508 E0509 E0510 E0515 E0521 E0594 E0596 E0597 E0621
    E0712 E0713 E0716
    """.split())
PARSED, RESOLVED, TYPED, BORROWED, LINTED = range(5)  # the stages, in rustc's order


def stage_of(code: str | None) -> int:
    """The stage of the compiler that gives an error.

    Args:
        code: Of the error, such as "E0308" or the name of a lint; "" or None for one without, as the parser gives.

    >>> [stage_of(code) for code in ("", "E0425", "E0308", "E0382", "overflowing_literals")]
    [0, 1, 2, 3, 4]
    """
    if not code or code in PARSING:
        return PARSED
    if code in RESOLVING:
        return RESOLVED
    if code in BORROWING:
        return BORROWED
    return TYPED if E_CODE.fullmatch(code) else LINTED


def share_gone(before: Sequence[str], after: Sequence[str]) -> float:
    """The share of all errors that is gone: of those of the input and those that came in their place.

        gone / max(errors before, gone + errors after)

    An error counts as gone where its stage was passed. In the first stage that still has errors, their number counts
    if each of them has a code that the input had; not so for the parser, which often stops at its first error.

    Args:
        before: The codes of the input's errors, as of `stage_of`; one at least.
        after: Those of the repaired program; empty where it builds.

    >>> share_gone(["E0425", "E0308", "E0308"], ["E0308"]), share_gone(["E0308", "E0308"], [""])
    (0.6666666666666666, 0.0)
    """
    if not after:
        return 1.0
    stage = min(map(stage_of, after))
    gone = sum(stage_of(code) < stage for code in before)
    old, left = ([code for code in codes if stage_of(code) == stage] for codes in (before, after))
    if stage != PARSED and set(left) <= set(old):
        gone += max(0, len(old) - len(left))
    return gone / max(len(before), gone + len(after))
