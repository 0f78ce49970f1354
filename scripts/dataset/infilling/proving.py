"""Rows that ask for something: the program passes its gold tests, and with nothing in the gap it does not.

Every row is tried in the sandbox three times: with its middle, with an empty one, and with `todo!()`. Left out, and
counted by reason, is a row that fails the first or passes another: what it asks for would be wrong, or not needed.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from dataset.infilling.spans import cut_out, gap_at
from dataset.sources import row_name
from rewards.gold.rows import GOLD_COLUMNS, gold_problem, has_gold_tests
from rewards.gold.run import GoldRun, gold_result, gold_run, submit_gold
from rewards.infilling.joining import Gap, joined
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["GapRow", "gap_rows", "proven"]

PROGRAM_COLUMNS = ("reference", "rust_code")
REQUEST_COLUMNS = ("prompt", "rust_prompt", "text")
WAITING = 64  # rows for each worker that wait for it
NO_PROGRAM, NO_GOLD = "no program in a column reference or rust_code", "no gold tests"
NO_PARTS = "nothing in its functions to cut out"
WRONG = "the program itself does not pass its gold tests"
NOT_NEEDED = {"": "it passes with an empty middle", "todo!()": "it passes with todo!() as its middle"}


@dataclass(frozen=True)
class GapRow:
    """A row to be written if it is proven, or why there is none."""

    program_id: str
    row: Mapping[str, Any]
    gap: Gap | None  # None: there is no row
    problem: str = ""


def gap_rows(
    rows: Iterable[Mapping[str, Any]], kinds: Sequence[str], *, per_program: int, seed: int, with_request: bool
) -> Iterator[GapRow]:
    """Cut parts out of programs; what is cut out of one depends on the seed and its name alone.

    Args:
        rows: With a program in `reference` or `rust_code`, and gold tests.
        kinds: Of `dataset.infilling.spans.KINDS`.
        per_program: Parts of each program, at most.
        seed: Of the draws.
        with_request: Whether what was asked for stands above the program, as a comment.
    """
    for number, row in enumerate(rows):
        name = row_name(row, number)
        if problem := _problem(row):
            yield GapRow(name, {}, None, problem)
            continue
        program = _text(row, PROGRAM_COLUMNS).strip() + "\n"
        if with_request:
            program = _comment(_text(row, REQUEST_COLUMNS)) + program
        cuts = cut_out(program, kinds, random.Random(f"{seed}/{name}"), per_program)
        if not cuts:
            yield GapRow(name, {}, None, NO_PARTS)
        for place, (kind, start, end) in enumerate(cuts):
            gap = gap_at(program, start, end)
            names = {"task_id": f"{name}-{kind}-{place}", "task": "infill", "program_id": name, "span": kind}
            gold = {column: row[column] for column in GOLD_COLUMNS if row.get(column)}
            yield GapRow(name, {**names, **gap._asdict(), **gold}, gap, gap.problem() and NO_PARTS)


def proven(found: Iterable[GapRow], pool: SandboxPool) -> Iterator[tuple[GapRow, str]]:
    """Rows with why each is left out; "" where it is proven. Raises: SandboxError, where the host cannot run them."""
    waiting: deque[tuple[GapRow, str, list[tuple[str, GoldRun, Future[Any]]]]] = deque()
    for one in found:
        waiting.append(_sent(one, pool))
        while len(waiting) > WAITING * pool.jobs:
            yield _result(*waiting.popleft())
    while waiting:
        yield _result(*waiting.popleft())


def _sent(one: GapRow, pool: SandboxPool) -> tuple[GapRow, str, list[tuple[str, GoldRun, Future[Any]]]]:
    """A row, why it is left out if that is known, and its programs on their way to the sandbox, by their middle."""
    if one.problem or one.gap is None:
        return one, one.problem, []
    sent = []
    for middle in (one.gap.middle, *NOT_NEEDED):
        run = gold_run(joined(one.gap, middle), one.row)
        if run is not None:
            sent.append((middle, run, submit_gold(run, pool)))
        elif middle == one.gap.middle:
            return one, WRONG, []
    return one, "", sent


def _result(one: GapRow, problem: str, sent: Sequence[tuple[str, GoldRun, Future[Any]]]) -> tuple[GapRow, str]:
    """What came of a row."""
    for place, (middle, run, future) in enumerate(sent):
        found = future.result()
        if found.outcome is Outcome.HOST_ERROR:
            raise SandboxError(found.reason)
        passes = gold_result(run, found).ok
        if place == 0 and not passes:
            problem = problem or WRONG
        elif place > 0 and passes:
            problem = problem or NOT_NEEDED[middle]
    return one, problem


def _problem(row: Mapping[str, Any]) -> str:
    """Why nothing can be made of a row; "" for nothing."""
    if not _text(row, PROGRAM_COLUMNS):
        return NO_PROGRAM
    if gold_problem(row):
        return "gold tests that cannot be read"
    return "" if has_gold_tests(row) else NO_GOLD


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The first of some columns that holds text; "" where none does."""
    found = (row.get(column) for column in columns)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def _comment(text: str) -> str:
    """A text as a comment; nothing for an empty one."""
    return "".join(f"{f'// {line}'.rstrip()}\n" for line in text.strip().splitlines())
