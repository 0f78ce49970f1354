"""The arguments about the choice of rows, which all verbs of `make_dataset.py` share, and the choice itself.

parser = argparse.ArgumentParser()
add_selection_options(parser)
options = parser.parse_args()
selection = select(read_rows("mbpp.jsonl"), options)  # selection.rows, .counts, .manifest(), .describe()
selection.write_pairs(path)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset.selecting.contamination import RULES, Contamination, contaminated
from dataset.selecting.drawing import content_key, draw
from dataset.selecting.near_duplicates import near_duplicates
from dataset.selecting.references import AGAINST, ReferenceText, references
from dataset.selecting.words import RUN, Vocabulary, text_words
from dataset.sources import row_name, row_text
from durable.write_whole import write_whole
from grpo.errors import BadInput

__all__ = ["Selection", "add_selection_options", "select"]

NEAR = 0.75  # the Jaccard similarity of runs of three words; EXPERIMENTS.md says what it finds
CONTENT = ("test_list", "test_cases", "test", "code", "rust_code", "rust_test_list")  # what a row is, besides its text

Row = Mapping[str, Any]


@dataclass
class Selection:
    """The chosen rows, and what became of the others."""

    rows: list[Row]  # as they were read; in the order of the draw, or as they came where there is none
    counts: dict[str, int]  # by step: "read", what each step dropped, "chosen"
    settings: dict[str, Any]  # the options, for the manifest
    benchmarks: dict[str, dict[str, int]] = field(default_factory=dict)  # rows dropped, by benchmark and rule
    pairs: list[dict[str, Any]] = field(default_factory=list)  # each dropped row with the task that it is close to

    def describe(self) -> list[str]:
        """The counts, a line each, for people."""
        width = max(len(str(count)) for count in self.counts.values())
        lines = [f"{count:>{width}}  {step}" for step, count in self.counts.items()]
        for name, rules in self.benchmarks.items():
            by_rule = ", ".join(f"{count} by {rule}" for rule, count in rules.items() if count)
            lines.append(f"{sum(rules.values()):>{width}}  of those close to {name}{': ' if by_rule else ''}{by_rule}")
        return lines

    def manifest(self) -> dict[str, Any]:
        """Settings and counts, for the manifest of a data set."""
        return {**self.settings, "counts": self.counts, "dropped_by_benchmark_and_rule": self.benchmarks}

    def write_pairs(self, path: Path) -> Path | None:
        """Write what was found close to a benchmark, a pair a line, for a person to read.

        Returns:
            The file, or None where no benchmark was given.
        """
        if not self.settings["against"]:
            path.unlink(missing_ok=True)  # of an earlier time: it would be taken for the report of these rows
            return None
        lines = (json.dumps(pair, ensure_ascii=False) for pair in self.pairs)
        write_whole(path, "".join(f"{line}\n" for line in lines))
        return path


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """Add --draw, --seed, --near-duplicates, --keep-near-duplicates and --against to a verb's arguments."""
    group = parser.add_argument_group("which rows")
    group.add_argument("--draw", type=int, default=0, metavar="N", help="draw N rows of all sources; 0: take all")
    group.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw (default: 0)")
    near = group.add_mutually_exclusive_group()
    near.add_argument(
        "--near-duplicates", type=float, default=NEAR, metavar="J",
        help="drop all but one of the rows whose texts have this Jaccard similarity or more (default: %(default)s)",
    )  # fmt: skip
    near.add_argument("--keep-near-duplicates", action="store_true", help="drop none of them")
    group.add_argument(
        "--against", action="append", default=[], metavar="NAME[=PATH]",
        help=f"drop rows that are close to a benchmark; more than once for several: {', '.join(AGAINST)}",
    )  # fmt: skip


def select(rows: Iterable[Row], options: argparse.Namespace) -> Selection:
    """Drop what is close to a benchmark, then near-duplicates, then draw.

    Which rows are chosen does not depend on the order in which they come.
    Rows without a text are kept: the verb counts them by its own reasons.

    Args:
        rows: As `read_rows` gives them.
        options: With the arguments of `add_selection_options`.
    Returns:
        The rows, of which those without a name got their number as `task_id`.
    Raises: BadInput, for values out of range and benchmarks that cannot be read.
    """
    _check(options)
    benchmarks = [references(against) for against in options.against]
    given = [_named(row, number) for number, row in enumerate(rows)]
    counts = {"rows read": len(given)}
    found = contaminated(given, benchmarks)
    kept = [row for number, row in enumerate(given) if number not in found]
    if benchmarks:
        counts["dropped: close to a benchmark"] = len(found)
    keys = [content_key(row_text(row), *(str(row.get(column) or "") for column in CONTENT)) for row in kept]
    dropped = set() if options.keep_near_duplicates else _near(kept, keys, options.near_duplicates)
    numbers = [number for number in range(len(kept)) if number not in dropped]
    if not options.keep_near_duplicates:
        counts["dropped: near-duplicates of another row"] = len(dropped)
    if options.draw:
        drawn = draw([keys[number] for number in numbers], options.draw, options.seed)
        counts["not drawn"] = len(numbers) - len(drawn)
        numbers = [numbers[number] for number in drawn]
    counts["rows chosen"] = len(numbers)
    pairs = [pair.as_row() for number in sorted(found) for pair in found[number]]
    chosen = [kept[number] for number in numbers]
    return Selection(chosen, counts, _settings(options), _by_rule(benchmarks, found), pairs)


def _check(options: argparse.Namespace) -> None:
    """Raises: BadInput."""
    if options.draw < 0:
        raise BadInput(f"--draw {options.draw}: give 0, for all rows, or more")
    if not 0 < options.near_duplicates <= 1:
        raise BadInput(f"--near-duplicates {options.near_duplicates}: give a similarity above 0 and at most 1")


def _named(row: Row, number: int) -> Row:
    """A row with a name, so that a draw does not change what it is called."""
    has_name = any(row.get(column) is not None for column in ("task_id", "id"))
    return row if has_name else {**row, "task_id": row_name(row, number)}


def _near(rows: Sequence[Row], keys: Sequence[str], threshold: float) -> set[int]:
    """The near-duplicates of rows that are kept. Rows with a small key come first, whatever their order."""
    order = sorted((number for number in range(len(rows)) if row_text(rows[number])), key=lambda number: keys[number])
    vocabulary = Vocabulary()
    sets = [vocabulary.runs(text_words(row_text(rows[number])), RUN) for number in order]
    return {order[number] for number in near_duplicates(sets, threshold)}


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    near = None if options.keep_near_duplicates else options.near_duplicates
    return {"draw": options.draw, "seed": options.seed, "near_duplicates": near, "against": list(options.against)}


def _by_rule(
    benchmarks: Iterable[Sequence[ReferenceText]], found: Mapping[int, Sequence[Contamination]]
) -> dict[str, dict[str, int]]:
    """How many rows are close to each benchmark, by rule. A row that is close to several counts for each."""
    counts = {tasks[0].benchmark: dict.fromkeys(RULES, 0) for tasks in benchmarks}
    for pair in (pair for pairs in found.values() for pair in pairs):
        counts[pair.task.benchmark][pair.rule] += 1
    return counts
