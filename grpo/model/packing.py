"""Where the tokens of each sequence stand in a row of sequences that lie end to end, some of which share a prompt.

A micro-batch is one row of N tokens. A prompt that a group shares stands in the row once. `places` names the tokens of
each sequence, one sequence after the other, so that a shared prompt is named once for each of its completions: S tokens
in all. Attention works on those S tokens, in which each sequence is plainly causal; everything else works on the N
tokens of the row.

A `Layout` is built once, on the host, and holds indices only. Nothing that uses it has to look at the values of a
tensor, so no layer waits for the GPU. Nor does padding point at a real token: the backward pass of an index adds up
what points at one place, one after the other, so thousands of paddings at one place would cost more than the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grpo.device import send

__all__ = ["Layout", "PaddedTable", "lay_out"]

SHORTEST = 0.75  # of the longest sequence of a table: a shorter one begins another table


@dataclass(frozen=True)
class PaddedTable:
    """Neighbouring sequences of similar length, as rows of one width: for attention without a ragged kernel."""

    rows: int
    width: int
    start: int  # of its tokens in `Layout.places`
    stop: int
    slots: Tensor  # [stop - start] int64: where those tokens stand in the flattened table; the other slots are padding

    def pad(self, states: Tensor) -> Tensor:
        """The table's part of [S, ...] as [rows, width, ...], with zeros behind each sequence."""
        part, size = states[self.start : self.stop], self.rows * self.width
        if len(part) < size:
            part = part.new_zeros(size, *part.shape[1:]).index_copy(0, self.slots, part)
        return part.view(self.rows, self.width, *part.shape[1:])

    def unpad(self, padded: Tensor) -> Tensor:
        """The inverse of `pad`: from [rows, width, ...] to [stop - start, ...]."""
        flat = padded.flatten(0, 1)
        return flat if len(self.slots) == len(flat) else flat.index_select(0, self.slots)


@dataclass(frozen=True)
class Layout:
    """The sequences of a row of N tokens, the longest first; S is the sum of their lengths."""

    places: Tensor  # [S] int64: the place in the row of every token of every sequence
    ends: Tensor  # [sequences + 1] int32: 0, and where each sequence ends in `places`
    longest: int  # length of the first sequence
    own: Tensor  # [N] int64: where each token of the row stands first in `places`
    tables: tuple[PaddedTable, ...]

    def to(self, device: torch.device) -> Layout:
        """The same layout on another device."""
        return Layout(
            places=send(self.places, device),
            ends=send(self.ends, device),
            longest=self.longest,
            own=send(self.own, device),
            tables=tuple(replace(table, slots=send(table.slots, device)) for table in self.tables),
        )


def lay_out(sequences: Sequence[npt.ArrayLike]) -> Layout:
    """The layout of sequences, each given by its places in the row; every place must occur in at least one of them.

    >>> layout = lay_out([[0, 1, 2], [0, 1, 3, 4]])  # two completions to the prompt in places 0 and 1
    >>> layout.places.tolist(), layout.ends.tolist(), layout.own.tolist()
    ([0, 1, 3, 4, 0, 1, 2], [0, 4, 7], [0, 1, 6, 2, 3])
    >>> [table.pad(layout.places).tolist() for table in layout.tables]
    [[[0, 1, 3, 4], [0, 1, 2, 0]]]
    """
    ordered = sorted((np.asarray(sequence, dtype=np.int64) for sequence in sequences), key=len, reverse=True)
    places = np.concatenate(ordered)
    ends = np.cumsum([0, *map(len, ordered)])
    own = np.empty(places.max() + 1, dtype=np.int64)
    own[places[::-1]] = np.arange(len(places))[::-1]  # of several the last assignment stays: the first of the sequences
    first_rows = [0]
    for row, sequence in enumerate(ordered):
        if len(sequence) < SHORTEST * len(ordered[first_rows[-1]]):
            first_rows.append(row)
    tables = [_table(ends, *bounds) for bounds in zip(first_rows, [*first_rows[1:], len(ordered)], strict=True)]
    return Layout(
        places=torch.from_numpy(places),
        ends=torch.from_numpy(ends.astype(np.int32)),
        longest=len(ordered[0]),
        own=torch.from_numpy(own),
        tables=tuple(tables),
    )


def _table(ends: npt.NDArray[np.int64], first: int, last: int) -> PaddedTable:
    """The table of the sequences from number `first` up to `last`."""
    starts, lengths = ends[first:last], np.diff(ends[first : last + 1])
    start, stop, width = int(ends[first]), int(ends[last]), int(lengths[0])
    shifts = np.arange(last - first) * width - starts  # from a sequence's tokens in `places` to its row in the table
    slots = np.arange(start, stop) + np.repeat(shifts, lengths)
    return PaddedTable(last - first, width, start, stop, torch.from_numpy(slots))
