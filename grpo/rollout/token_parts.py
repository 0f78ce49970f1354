"""Which part of a completion each of its tokens belongs to, where the grader says which characters the parts have.

A token belongs to the part of the last character that is in the text once it has been written: one that straddles a
border belongs to what comes after the border, and each of the tokens that spell one character to the part of that
character. A token that adds no text, such as the end of the turn, stays in the part of the character before it.

Tokens are found by cutting the completion in two, again and again, where the texts of both sides together are the text
of the whole, until a side has no border within. So a completion costs a few decodes for each border, each of half the
tokens of the one before it, and the mapping is proved on the way: where the cuts do not fit, no part is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grpo.rollout.records import UNPAID, Group, Spans

__all__ = ["NO_PART", "TokenParts", "token_advantages", "token_parts"]

log = logging.getLogger(__name__)
NO_PART = -1
CUTS = 8  # tried on each side of the middle: a character has up to four bytes, and a token at least one

Decode = Callable[[Sequence[int]], str]
Labels = npt.NDArray[np.int64]


class TokenParts:
    """Finds the parts of tokens for the groups of a run; warns once if a completion's tokens do not give its text."""

    def __init__(self, decode: Decode) -> None:
        self._decode, self._warned = decode, False

    def of(self, group: Group) -> tuple[tuple[int, ...], ...]:
        """The part of each token of each completion, an index into `group.part_rewards`, or `NO_PART`."""
        names = list(group.part_rewards)
        found = []
        for completion, grade in zip(group.completions, group.grades, strict=True):
            parts = token_parts(completion.token_ids, self._decode, completion.text, grade.spans, names)
            if parts is None and not self._warned:
                log.warning(
                    "%s: its tokens one after the other do not give its text, so none is known to be in a part: each "
                    "is paid by all rewards. This is said once",
                    completion.id,
                )
                self._warned = True
            found.append((NO_PART,) * len(completion.token_ids) if parts is None else parts)
        return tuple(found)


def token_parts(
    token_ids: Sequence[int], decode: Decode, text: str, spans: Spans, names: Sequence[str]
) -> tuple[int, ...] | None:
    """The part of each token.

    Args:
        token_ids: Of the completion, the token that ends the turn included.
        decode: Token ids to text, as the completion's text was made.
        text: The completion.
        spans: Where its parts stand in the text, in characters.
        names: The parts that are told apart; the index of `UNPAID` is that of every other part.
    Returns: For each token an index into `names`, or `NO_PART`; None where the tokens do not give the text.
    Raises:
        ValueError: For spans outside of the text, and for parts that overlap.

    >>> words = {0: "let", 1: " x", 2: ";", 3: "test", 4: ""}
    >>> decode = lambda ids: "".join(words[i] for i in ids)
    >>> token_parts([0, 1, 2, 3, 4], decode, "let x;test", {"code": [(0, 5)], "tests": [(6, 10)]}, ["code", "tests"])
    (0, 0, -1, 1, 1)
    """
    if not spans:
        return (NO_PART,) * len(token_ids)
    labels = _labels(text, spans, names)
    if not token_ids or (labels == NO_PART).all():
        return (NO_PART,) * len(token_ids)
    if decode(token_ids) != text:
        return None
    found: list[int] = []
    try:
        for count, label in _runs(token_ids, decode, text, 0, labels):
            found += [label] * count
    except _Uncut:
        return None
    return tuple(found)


def token_advantages(groups: Sequence[Group], whole: Tensor, by_part: Tensor) -> list[list[tuple[float, ...]]]:
    """The advantage of each token: of its part, or of the whole completion where it is in none.

    Args:
        groups: With their `token_parts`.
        whole: [P, G], for groups of at most G completions.
        by_part: [P, G, K].
    Returns: [P][G], for each completion one number a token.
    """
    assert NO_PART == -1, "the index of the last column"
    columns = torch.cat([by_part, whole[:, :, None]], dim=2).tolist()
    return [
        [tuple(values[part] for part in parts) for parts, values in zip(group.token_parts, row, strict=False)]
        for group, row in zip(groups, columns, strict=True)
    ]


class _Uncut(Exception):
    """The text of many tokens is not that of some of them and then of the others, wherever they are cut."""


def _labels(text: str, spans: Spans, names: Sequence[str]) -> Labels:
    """For each place between characters the part of the one before, as an index into the names, or `NO_PART`."""
    owner: Labels = np.full(len(text), NO_PART, dtype=np.int64)  # the place of the part among the spans
    indices = [NO_PART]
    for place, (part, ranges) in enumerate(spans.items()):
        known = part if part in names else UNPAID
        indices.append(names.index(known) if known in names else NO_PART)
        for start, stop in ranges:
            if not 0 <= start <= stop <= len(text):
                raise ValueError(f"part {part!r} has characters {start} to {stop} of a text of {len(text)}")
            if not np.isin(owner[start:stop], (NO_PART, place)).all():
                raise ValueError(f"part {part!r} overlaps another in characters {start} to {stop}: parts are disjoint")
            owner[start:stop] = place
    return np.append(NO_PART, np.asarray(indices, dtype=np.int64)[owner + 1])


def _runs(ids: Sequence[int], decode: Decode, text: str, start: int, labels: Labels) -> Iterator[tuple[int, int]]:
    """The parts of neighbouring tokens as (number of tokens, part).

    Args:
        ids: The tokens.
        decode: Token ids to text.
        text: Theirs.
        start: Where that stands in the completion.
        labels: Of the completion, from `_labels`.
    """
    stop = start + len(text)
    if len(ids) == 1 or (labels[start : stop + 1] == labels[stop]).all():
        yield len(ids), int(labels[stop])
        return
    for cut in _cuts(len(ids)):
        head, tail = decode(ids[:cut]), decode(ids[cut:])
        if text in (head + tail, f"{head} {tail}"):  # the space where a decoder takes it off the first token
            yield from _runs(ids[:cut], decode, head, start, labels)
            yield from _runs(ids[cut:], decode, tail, stop - len(tail), labels)
            return
    if len(ids) > 2 * CUTS:
        raise _Uncut
    yield from ((1, int(labels[end])) for end in _ends(ids, decode, start))


def _cuts(length: int) -> list[int]:
    """Where to cut so many tokens in two, the middle first."""
    middle = length // 2
    return sorted(range(max(1, middle - CUTS), min(length, middle + CUTS + 1)), key=lambda cut: abs(cut - middle))


def _ends(ids: Sequence[int], decode: Decode, start: int) -> list[int]:
    """Where the text ends with each of a few tokens; what is half a character counts as the whole."""
    lengths = [len(decode(ids[: count + 1])) for count in range(len(ids))]
    return [start + min(lengths[index:]) for index in range(len(ids))]
