"""Rows that are close to a task of a benchmark. One of three rules is enough:

a run of words            they share a run of 10 words; a shorter text has to be the same as a whole
similar words             the weighted Jaccard similarity of their words is 0.34 or more
same name, similar words  they ask for a function of one name, and share 0.6 of the weight of the lighter text

A word weighs `log((n + 1) / (d + 1))`, for d of the benchmark's n tasks that have it: `list` says little, `vowel` much.
Numbers are no words, endings of plurals are cut, and examples count for runs alone. Whether a row is close depends on
the row and the benchmark, and on no other row. EXPERIMENTS.md says how the limits were chosen.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from tqdm import tqdm

from dataset.selecting.references import ReferenceText, snake_case
from dataset.selecting.words import Vocabulary, text_words
from dataset.sources import row_functions, row_name, row_text

__all__ = ["RULES", "Contamination", "contaminated"]

RUN_RULE, WORDS_RULE, NAME_RULE = RULES = ("a run of words", "similar words", "same name, similar words")
RUN_WORDS = 10
SIMILAR = 0.34  # the weighted Jaccard similarity
NAMESAKE = 0.6  # the shared part of the lighter text's weight, for functions of one name
EXAMPLES = re.compile(r">>>|\bexamples?\b|\bfor instance\b", re.IGNORECASE)
LISTS = frozenset({"array", "slice", "vec", "vector"})  # what Python calls a list

Floats = numpy.ndarray[Any, numpy.dtype[numpy.float64]]


@dataclass(frozen=True)
class Contamination:
    """A row and the task of one benchmark that it is closest to, of those that a rule finds."""

    row_id: str
    text: str  # of the row
    task: ReferenceText
    rule: str  # the first of `RULES` that finds it
    similarity: float  # weighted Jaccard
    overlap: float  # the shared part of the lighter text's weight

    def as_row(self) -> dict[str, Any]:
        """A line of the report, in what UTF-8 can hold."""
        text = self.text.encode("utf-8", "replace").decode()
        return {
            "row_id": self.row_id, "benchmark": self.task.benchmark, "task_id": self.task.task_id, "rule": self.rule,
            "similarity": round(self.similarity, 3), "overlap": round(self.overlap, 3), "row_text": text,
            "task_text": self.task.text,
        }  # fmt: skip


@dataclass(frozen=True)
class _Described:
    """A text as the rules see it."""

    words: frozenset[str]
    runs: frozenset[int]
    names: frozenset[str]


class _Index:
    """The tasks of one benchmark, to be compared with many rows."""

    def __init__(self, tasks: Sequence[ReferenceText], vocabulary: Vocabulary) -> None:
        self.tasks = tasks
        described = [_described(task.text, task.names, vocabulary) for task in tasks]
        self.names = [one.names for one in described]
        self.holders: defaultdict[int, list[int]] = defaultdict(list)  # tasks by run
        for number, one in enumerate(described):
            for run in one.runs:
                self.holders[run].append(number)
        frequency = Counter(word for one in described for word in one.words)
        self.numbers = {word: number for number, word in enumerate(sorted(frequency))}
        self.new = math.log(len(tasks) + 1)  # the weight of a word that no task has
        self.weights = {word: math.log((len(tasks) + 1) / (count + 1)) for word, count in frequency.items()}
        self.table: Floats = numpy.zeros((len(self.numbers), len(tasks)))  # weights, [words, tasks]
        for number, one in enumerate(described):
            for word in one.words:
                self.table[self.numbers[word], number] = self.weights[word]
        self.totals: Floats = self.table.sum(axis=0)  # [tasks]

    def closest(self, row: _Described) -> tuple[int, str, float, float] | None:
        """The closest task, the rule, the similarity and the overlap; None where no rule finds a task."""
        known = sorted(self.numbers[word] for word in row.words if word in self.numbers)  # sorted: sums repeat
        shared = self.table[known].sum(axis=0)  # [tasks]
        total = sum(self.weights.get(word, self.new) for word in sorted(row.words))
        similarity = shared / numpy.maximum(self.totals + total - shared, 1e-9)
        overlap = shared / numpy.maximum(numpy.minimum(self.totals, total), 1e-9)
        by_rule = (
            {task for run in row.runs for task in self.holders.get(run, ())},
            set(numpy.flatnonzero(similarity >= SIMILAR).tolist()),
            {task for task in numpy.flatnonzero(overlap >= NAMESAKE).tolist() if row.names & self.names[task]},
        )
        for rule, found in zip(RULES, by_rule, strict=True):
            if found:
                task = max(sorted(found), key=lambda number: similarity[number])
                return task, rule, float(similarity[task]), float(overlap[task])
        return None


def contaminated(
    rows: Sequence[Mapping[str, Any]], benchmarks: Sequence[Sequence[ReferenceText]]
) -> dict[int, list[Contamination]]:
    """The rows that are close to a task, with the closest task of each benchmark.

    Args:
        rows: As they were read.
        benchmarks: The tasks of each.
    Returns:
        By the number of the row. Rows that are close to nothing are not in it.
    """
    vocabulary = Vocabulary()
    indices = [_Index(tasks, vocabulary) for tasks in benchmarks]
    found: dict[int, list[Contamination]] = {}
    for number, row in enumerate(tqdm(rows, desc="compared", unit="", disable=None) if indices else ()):
        text = row_text(row)
        described = _described(text, snake_case(row_functions(row)), vocabulary)
        for index in indices:
            if match := index.closest(described):
                task, rule, similarity, overlap = match
                pair = Contamination(row_name(row, number), text, index.tasks[task], rule, similarity, overlap)
                found.setdefault(number, []).append(pair)
    return found


def _described(text: str, names: frozenset[str], vocabulary: Vocabulary) -> _Described:
    runs = vocabulary.runs(_comparable(text), RUN_WORDS)
    return _Described(frozenset(_comparable(EXAMPLES.split(text)[0] or text)), frozenset(runs), names)


def _comparable(text: str) -> list[str]:
    """Words but numbers, without the s of a plural; all kinds of lists are one word."""
    words = (word for word in text_words(text) if not word.isdecimal())
    words = (word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in words)
    return ["list" if word in LISTS else word for word in words]
