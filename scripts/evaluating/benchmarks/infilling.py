"""Filling in the middle of HumanEvalPack's solutions, by the rules of HumanEval-Infilling.

single-line  every line of a function's body, once
multi-line   every run of lines of it, from one line to all
random-span  10 parts of it between two characters

As there, lines come with their indentation and their end, and the comment that says what the function does stands above
it. It differs in three points: a line counts where a token of code begins, so lines of comments alone are not asked;
the brace that closes the function is given; and tasks are ordered so that the first ones are of as many problems as
there are (`eval.prompts`), in an order that is drawn from their names.
Source: Bavarian et al. (arXiv 2207.14255), section 3; github.com/openai/human-eval-infilling.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, zip_longest
from typing import Any

from dataset.infilling.spans import gap_at, multi_lines, random_spans, single_lines
from evaluating.benchmarks.functions import humanevalpack_programs
from evaluating.benchmarks.tasks import BenchmarkTask, TaskList

__all__ = ["multi_line", "random_span", "single_line"]

Rows = Iterable[Mapping[str, Any]]
Parts = Iterable[tuple[str, int, int]]  # a name, and where it begins and ends
SPANS_EACH = 10


def single_line(rows: Rows) -> TaskList:
    """Every line of a body, once."""

    def cut(program: str, name: str) -> Parts:
        return ((f"L{one.first}", one.start, one.end) for one in single_lines(program))

    return _tasks(rows, "single_line", cut)


def multi_line(rows: Rows) -> TaskList:
    """Every run of lines of a body."""

    def cut(program: str, name: str) -> Parts:
        return ((f"L{one.first}_L{one.last}", one.start, one.end) for one in multi_lines(program))

    return _tasks(rows, "multi_line", cut)


def random_span(rows: Rows) -> TaskList:
    """Parts between two characters of a body, the same ones every time."""

    def cut(program: str, name: str) -> Parts:
        found = random_spans(program, random.Random(name), SPANS_EACH)
        return ((str(number), *one) for number, one in enumerate(found, start=1))

    return _tasks(rows, "random_span", cut)


def _tasks(rows: Rows, span: str, cut: Callable[[str, str], Parts]) -> TaskList:
    """The tasks of rows: of each program what `cut` gives for it and its name."""
    programs = humanevalpack_programs(rows)
    found, problems = TaskList(skipped=programs.skipped), []
    for one in programs.tasks:
        if not one.reference:
            found.skipped[one.id] = "its own solution cannot be compiled here"
            continue
        tasks = [_task(one, span, *part) for part in cut(one.reference, one.id)]
        problems.append(random.Random(one.id).sample(tasks, len(tasks)))
        if not tasks:
            found.skipped[one.id] = "its own solution has no lines to cut out"
    found.tasks = [task for task in chain.from_iterable(zip_longest(*problems)) if task is not None]
    return found


def _task(one: BenchmarkTask, span: str, name: str, start: int, end: int) -> BenchmarkTask:
    """The task of a program with one part cut out."""
    columns = {"task": "infill", "span": span, **gap_at(one.reference, start, end)._asdict()}
    return BenchmarkTask(f"{one.id}/{name}", "", one.tests, one.reference, columns)
