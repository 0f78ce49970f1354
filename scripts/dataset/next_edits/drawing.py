"""Which programs are changed: those of the sources and of the makers' own, each on one side of the split."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from dataset.next_edits.kinds import KINDS
from dataset.next_edits.rows import program_of, rows_of
from dataset.splits import SPLITS, split_of
from rewards.gold.rows import GOLD_COLUMNS, gold_problem

__all__ = ["ProgramSource", "WantedRows", "candidates", "programs_of"]

MOST_DRAWN = 40  # programs for each row that is wanted


class WantedRows(NamedTuple):
    """Rows of one kind for one file."""

    kind: str
    split: str  # of `dataset.splits.SPLITS`
    sizes: Sequence[int]  # of all splits
    rows: int


class ProgramSource(NamedTuple):
    """A program with its gold tests."""

    name: str
    program: str
    gold: Mapping[str, Any]


def programs_of(rows: Sequence[Mapping[str, Any]]) -> list[ProgramSource]:
    """The programs of rows with gold tests; others are passed over."""
    named = [(str(row.get("task_id", number)), row) for number, row in enumerate(rows)]
    found = [ProgramSource(name, program_of(row), _gold_of(row)) for name, row in named if not gold_problem(row)]
    return [source for source in found if source.program and source.gold]


def _gold_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The gold tests of a row: the first column that holds some, as it is; none where there is none."""
    return next(({name: row[name]} for name in GOLD_COLUMNS if row.get(name)), {})


def candidates(
    sources: Sequence[ProgramSource], wanted: WantedRows, *, own: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Rows that are not proven yet, without end but for a limit on the programs that are drawn.

    Args:
        sources: Programs of others.
        wanted: The kind of change, and the split whose programs are taken.
        own: The chance of a program of the makers' own; where the sources are all used only those are left.
        seed: Decides everything that is drawn.
    """
    rng = random.Random(f"{seed} {wanted.kind} {wanted.split}")
    seen: set[str] = set()
    for source in _drawn(sources, wanted, own, rng):
        if split_of(source.program, wanted.sizes) != wanted.split or source.program in seen:
            continue
        seen.add(source.program)
        change = KINDS[wanted.kind].change(source.program, source.gold, rng)
        yield from rows_of(change, source.name) if change is not None else ()


def _drawn(
    sources: Sequence[ProgramSource], wanted: WantedRows, own: float, rng: random.Random
) -> Iterator[ProgramSource]:
    """Programs in the order in which they are tried."""
    waiting = rng.sample(sources, len(sources))
    share = wanted.sizes[SPLITS.index(wanted.split)] / sum(wanted.sizes)
    for number in count():
        if waiting and rng.random() >= own:
            yield waiting.pop()
        elif not own or number >= MOST_DRAWN * wanted.rows / share:
            return
        else:
            made = rng.choice(KINDS[wanted.kind].made)(rng)
            yield ProgramSource(f"own-{wanted.split}-{number}", made.program, {"gold_tests": made.gold_tests})
