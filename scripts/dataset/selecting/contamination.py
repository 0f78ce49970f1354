"""Rows that are close to a task of a benchmark, by rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset.selecting.references import ReferenceText, snake_case
from dataset.selecting.words import RUN, Vocabulary, text_words
from dataset.sources import row_functions, row_text

__all__ = ["RULES", "Contamination", "closest"]

RULES = {  # the least share of runs, by rule
    "the same words": 0.6,
    "the same function and similar words": 0.2,
}


@dataclass(frozen=True)
class Contamination:
    """A row and the task of one benchmark that it is closest to."""

    row_id: str
    text: str
    task: ReferenceText
    rule: str
    similarity: float

    def as_row(self) -> dict[str, Any]:
        """A line of the report."""
        return {
            "row_id": self.row_id, "benchmark": self.task.benchmark, "task_id": self.task.task_id, "rule": self.rule,
            "similarity": round(self.similarity, 3), "row": self.text, "task": self.task.text,
        }  # fmt: skip


def closest(rows: Sequence[Mapping[str, Any]], tasks: Sequence[ReferenceText]) -> dict[int, list[Contamination]]:
    """The rows that are close to a task, by number, with the closest task of each benchmark."""
    vocabulary = Vocabulary()
    sets = [vocabulary.runs(text_words(task.text), RUN) for task in tasks]
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(sets):
        for run in one:
            holders[run].append(number)
    found: dict[int, list[Contamination]] = {}
    for number, row in enumerate(rows if tasks else ()):
        text = row_text(row)
        runs, names = vocabulary.runs(text_words(text), RUN), snake_case(row_functions(row))
        best: dict[str, Contamination] = {}
        name = str(row.get("task_id", row.get("id", number)))
        for other in {holder for run in runs for holder in holders.get(run, ())}:
            shared = len(runs & sets[other]) / min(len(runs), len(sets[other]))
            for rule in _rules(shared, bool(names & tasks[other].names)):
                pair = Contamination(name, text, tasks[other], rule, shared)
                if pair.similarity > getattr(best.get(pair.task.benchmark), "similarity", 0.0):
                    best[pair.task.benchmark] = pair
        if best:
            found[number] = list(best.values())
    return found


def _rules(shared: float, is_namesake: bool) -> Iterator[str]:
    words, namesake = RULES
    if shared >= RULES[words]:
        yield words
    elif is_namesake and shared >= RULES[namesake]:
        yield namesake
