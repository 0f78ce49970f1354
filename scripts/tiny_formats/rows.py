"""Rows of all tasks with right answers, to imitate: the shipped ones for training, and others from the same makers.

The sandbox proves nothing here: a row to imitate needs no gold tests. What needs a compiler or a test run (diagnostics,
failing tests) comes from the shipped rows, again and again with other names; the rest is drawn anew from the family's
combinations for training. Left out is every row whose right program is that of a held-out row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from dataset.infilling.proving import gap_rows
from dataset.infilling.spans import KINDS as SPANS
from dataset.next_edits.drawing import WantedRows, candidates, programs_of
from dataset.next_edits.kinds import KINDS as CHANGES
from dataset.patching.drafts import PatchDraft
from dataset.patching.family_drafts import family_drafts
from grpo_rust.rows.files import read_row_file
from rewards.tasks.known import asked, task_of
from rewards.tasks.patch import FORMATS
from tiny.tasks import demonstrations, make_tasks
from tiny_formats.renaming import renamed

__all__ = ["HELD_OUT", "SHARES", "drawn_rows", "held_out_programs"]

Row = Mapping[str, Any]
SHARES = {"repair": 0.22, "patch": 0.26, "next_edit": 0.36, "infill": 0.1, "function": 0.06}  # of the demonstrations
HELD_OUT = tuple(f"{task}-eval.jsonl" for task in ("repair", "patch", "next_edit", "infill"))
NEXT_EDIT_SIZES = (840, 84, 0)  # of the shipped rows: programs stay on the side of the split where they are there
LONGEST = 640  # characters of a file
OWN = 0.6  # of the programs of next edits
RENAMED = 0.7  # of the shipped rows
IN_CHAT = 0.25  # of the parts to fill in


def drawn_rows(count: int, shipped: Path, *, seed: int, shares: Mapping[str, float] | None = None) -> list[Row]:
    """Rows of tasks in their shares, shuffled, as training asks them: with `prompt` and `completion`.

    Args:
        count: How many.
        shipped: The folder of the shipped rows.
        seed: Decides everything that is drawn.
        shares: Of each task; None: `SHARES`.
    """
    rng = random.Random(f"formats {seed}")
    held_out = held_out_programs(shipped)
    rows: list[Row] = []
    for task, share in (shares or SHARES).items():
        wanted = round(count * share)
        made = (one for one in MAKERS[task](wanted, shipped, rng) if _program(one) not in held_out)
        rows += islice(made, wanted)
    rng.shuffle(rows)
    return rows


@cache
def held_out_programs(shipped: Path) -> frozenset[str]:
    """The right programs of the rows that models are evaluated on."""
    rows = chain.from_iterable(read_row_file(shipped / name) for name in HELD_OUT)
    return frozenset(filter(None, map(_program, map(_asked, rows))))


def _asked(row: Row) -> Row:
    return asked(row, with_system=False, infill=row.get("infill", "chat"))


def _program(one: Row) -> str | None:
    """The program that the right answer to a row gives."""
    return task_of(one).extract(one["completion"], one, "first").code


def _repair(wanted: int, shipped: Path, rng: random.Random) -> Iterator[Row]:
    """The shipped rows again and again, with other names; what compilers say of other mistakes is not known here."""
    for row in _again(shipped / "repair-train.jsonl", rng):
        is_new = rng.random() < RENAMED
        yield _asked(renamed(row, rng, code=("broken", "completion"), text=("diagnostics",)) if is_new else row)


def _patch(wanted: int, shipped: Path, rng: random.Random) -> Iterator[Row]:
    """The shipped rows, which have failing tests, with other names; in turn with drafts of new requests."""
    drafts = (_patch_row(draft, rng) for draft in family_drafts("train", seed=rng.randrange(2**32)))
    return map(_asked, _in_turn(_shipped_patches(shipped, rng), filter(None, drafts)))


def _shipped_patches(shipped: Path, rng: random.Random) -> Iterator[Row]:
    """The shipped rows again and again, without gold tests."""
    for row in _again(shipped / "patch-train.jsonl", rng):
        bare = {column: row[column] for column in ("task", "format", "program", "request", "reference")}
        is_new = rng.random() < RENAMED
        yield renamed(bare, rng, code=("program", "reference"), text=("request",)) if is_new else bare


def _patch_row(draft: PatchDraft, rng: random.Random) -> Row | None:
    """A draft as a row without gold tests; None for that of a bug, whose test has not been run."""
    if draft.kind == "bug":
        return None
    row = {"task": "patch", "format": rng.choice(tuple(FORMATS)), "program": draft.given[0]}
    return {**row, "request": draft.request, "reference": draft.right}


def _next_edit(wanted: int, shipped: Path, rng: random.Random) -> Iterator[Row]:
    """As many of each kind of change."""
    rows = list(read_row_file(shipped / "train.jsonl"))
    sources = programs_of(rng.sample(rows, min(len(rows), wanted)))
    seed = rng.randrange(2**32)
    kinds = [
        candidates(sources, WantedRows(kind, "train", NEXT_EDIT_SIZES, wanted), own=OWN, seed=seed) for kind in CHANGES
    ]
    return (_asked(row) for row in _in_turn(*kinds) if len(row["file"]) <= LONGEST)


def _infill(wanted: int, shipped: Path, rng: random.Random) -> Iterator[Row]:
    """One part of each program, most of them in tokens."""
    programs = map(asdict, make_tasks(_more(wanted), split="train", seed=rng.randrange(2**32)))
    for one in gap_rows(programs, tuple(SPANS), per_program=1, seed=rng.randrange(2**32), with_request=True):
        if not one.problem:
            yield _asked({**one.row, "infill": "chat" if rng.random() < IN_CHAT else "tokens"})


def _function(wanted: int, shipped: Path, rng: random.Random) -> Iterator[Row]:
    """The demonstrations that the model has begun with, without mistakes."""
    for item in demonstrations(_more(wanted), mistaken=0.0, seed=rng.randrange(2**32)):
        yield {"prompt": item.prompt, "completion": item.completion}


MAKERS: Mapping[str, Callable[[int, Path, random.Random], Iterator[Row]]] = {
    "repair": _repair,
    "patch": _patch,
    "next_edit": _next_edit,
    "infill": _infill,
    "function": _function,
}


def _again(file: Path, rng: random.Random) -> Iterator[Row]:
    """The rows of a file again and again, in another order each time."""
    found = list(read_row_file(file))
    while found:
        yield from rng.sample(found, len(found))


def _in_turn(*streams: Iterator[Row]) -> Iterator[Row]:
    """The first of each stream, then the second of each ..., until one ends."""
    return chain.from_iterable(zip(*streams))


def _more(wanted: int) -> int:
    """How many to draw, as some are left out."""
    return wanted + wanted // 10 + 1
