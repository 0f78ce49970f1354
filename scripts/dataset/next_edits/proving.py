"""Whether a row is right: the finished program passes its gold tests, and no program with a part left undone does.

An answer leaves undone what its range of lines touches, so it can leave undone any edits that follow each other in the
file, and nothing else. All of these are tried: a row that is kept pays no answer that does nothing of the change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import combinations
from typing import Any, TypeVar

from rewards.gold.rows import gold_problem, has_gold_tests
from rewards.gold.run import GoldRun, gold_result, gold_run, submit_gold
from rewards.line_edits.edit import LineEdit, with_edits
from rewards.tasks.known import task_problem
from rewards.tasks.next_edit import next_edit_prompt, remaining_edits
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["prove", "undone"]

RowT = TypeVar("RowT", bound=Mapping[str, Any])
WAITING = 4  # rows for each worker that wait for it
FAILS = "the finished program fails its gold tests"
PASSES = "the program passes with a part of the change left undone"


def undone(file: str, remaining: Sequence[LineEdit]) -> list[str]:
    r"""The programs that lack a part of a change: all edits but some that follow each other in the file.

    >>> undone("a\nb\n", [LineEdit(2, 2, "B\n"), LineEdit(1, 1, "A\n")])
    ['a\nB\n', 'a\nb\n', 'A\nb\n']
    """
    edits = sorted(remaining, key=lambda edit: edit.first)
    ends = combinations(range(len(edits) + 1), 2)
    return [with_edits(file, [*edits[:start], *edits[end:]]) for start, end in ends]


def prove(rows: Iterable[RowT], pool: SandboxPool, *, longest: int = 0) -> Iterator[tuple[RowT, str]]:
    """For each row why it is not right, in words that can be counted; "" where it is. In order, as far as it is asked.

    Args:
        rows: Of the task.
        pool: Runs their programs.
        longest: Characters of a prompt at most; 0 for any number.
    Raises: SandboxError, where the host cannot run them.
    """
    waiting: deque[tuple[RowT, str | list[tuple[GoldRun, Future[Any]]]]] = deque()
    for row in rows:
        waiting.append((row, _sent(row, pool, longest)))
        while len(waiting) > WAITING * pool.jobs:
            yield _result(*waiting.popleft())
    while waiting:
        yield _result(*waiting.popleft())


def _sent(row: Mapping[str, Any], pool: SandboxPool, longest: int) -> str | list[tuple[GoldRun, Future[Any]]]:
    """A row's programs on their way to the sandbox, the finished one first, or why they do not go there."""
    if problem := task_problem(row):
        return f"no row of the task: {problem}"
    if longest and len(next_edit_prompt(row)) > longest:
        return f"a prompt of more than {longest} characters"
    if gold_problem(row) or not has_gold_tests(row):
        return "gold tests that cannot be read"
    remaining = remaining_edits(row)
    sent = []
    for program in (with_edits(row["file"], remaining), *undone(row["file"], remaining)):
        run = gold_run(program, row)
        if run is None:
            return "a program that redefines what its tests compare with"
        sent.append((run, submit_gold(run, pool)))
    return sent


def _result(row: RowT, sent: str | list[tuple[GoldRun, Future[Any]]]) -> tuple[RowT, str]:
    """What came of a row."""
    if isinstance(sent, str):
        return row, sent
    finished, *others = [_passes(run, future) for run, future in sent]
    return row, (PASSES if any(others) else "") if finished else FAILS


def _passes(run: GoldRun, future: Future[Any]) -> bool:
    found = future.result()
    if found.outcome is Outcome.HOST_ERROR:
        raise SandboxError(found.reason)
    return gold_result(run, found).ok
