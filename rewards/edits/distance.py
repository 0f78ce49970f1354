"""How far sequences of tokens are apart, and how much nearer to a goal a change has brought one.

Promises time linear in the length of the sequences, for a bound on the distance. Left out: what a token is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["edit_distance", "progress"]

MOST = 100  # edits between a program and its right answer; beyond, no answer's progress is measured


def progress(before: Sequence[str], after: Sequence[str], right: Sequence[str]) -> float | None:
    """The share of the way to the right answer that a change has made: 1 - d(after, right) / d(before, right).

    d is the Levenshtein distance. What stands anywhere but on that way, such as code of no use, takes away from it.

    Args:
        before: The tokens of a program.
        after: Those of the changed one.
        right: Those that it should have.
    Returns: At least 0; None where the right answer is the program itself, or more than `MOST` edits away from it.

    >>> progress("abcd", "aBcd", "aBcD"), progress("abcd", "abcd, too", "aBcD")
    (0.5, 0.0)
    """
    needed = edit_distance(before, right, MOST)
    if not needed:
        return None
    left = edit_distance(after, right, needed)
    return 0.0 if left is None else 1.0 - left / needed


def edit_distance(before: Sequence[str], after: Sequence[str], most: int) -> int | None:
    """The Levenshtein distance of two sequences, if it is not above a bound.

    For every number of edits e and every diagonal k (how many more of `after` were read than of `before`) it keeps how
    far `before` can be read, r(e, k) = slide(max(r(e-1, k) + 1, r(e-1, k-1), r(e-1, k+1) + 1)), where slide goes on
    over equal tokens. No diagonal is slid over twice: at most `(2 most + 1) len(before)` comparisons.

    Args:
        before: One sequence.
        after: The other.
        most: The bound.
    Returns: None for a larger distance.
    Source: Ukkonen, Algorithms for approximate string matching (1985), section 2.

    >>> edit_distance("kitten", "sitting", 3), edit_distance("kitten", "sitting", 2)
    (3, None)
    """
    goal = len(after) - len(before)
    reached = {0: _slide(before, after, 0, 0)}
    for edits in range(most + 1):
        if edits:
            reached = _one_more(before, after, reached, range(-edits, edits + 1), most - edits)
        if reached.get(goal) == len(before):
            return edits
    return None


def _one_more(
    before: Sequence[str], after: Sequence[str], reached: Mapping[int, int], diagonals: range, left: int
) -> dict[int, int]:
    """How far each diagonal gets with one more edit, of those from which the goal is within the edits that are left."""
    goal, found = len(after) - len(before), {}
    for diagonal in diagonals:
        if abs(diagonal - goal) > left:
            continue
        replaced, removed = reached.get(diagonal, -2) + 1, reached.get(diagonal + 1, -2) + 1
        row = max(replaced, removed, reached.get(diagonal - 1, -2))
        row = min(row, len(before), len(after) - diagonal)
        if row >= max(0, -diagonal):
            found[diagonal] = _slide(before, after, row, diagonal)
    return found


def _slide(before: Sequence[str], after: Sequence[str], row: int, diagonal: int) -> int:
    """How far two sequences are equal from a place on."""
    end = min(len(before), len(after) - diagonal)
    while row < end and before[row] == after[row + diagonal]:
        row += 1
    return row
