"""The arguments about the choice of rows, which all verbs of `make_dataset.py` share, and the choice itself.

parser = argparse.ArgumentParser()
add_selection_options(parser)
options = parser.parse_args()
selection = select(read_rows("mbpp.jsonl"), options)  # selection.rows, .counts, .manifest(), .describe()
selection.write_pairs(out)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset.selecting.contamination import RULES, Contamination, closest
from dataset.selecting.drawing import content_key, draw
from dataset.selecting.near_duplicates import near_duplicates
from dataset.selecting.references import AGAINST, ReferenceText, references
from dataset.selecting.words import RUN, Vocabulary, text_words
from dataset.sources import row_text
from grpo.errors import BadInput

__all__ = ["Selection", "add_selection_options", "option_words", "select"]

NEAR = 0.8  # the Jaccard similarity of runs of three words; EXPERIMENTS.md says what it finds
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

    def write_pairs(self, out: Path) -> Path | None:
        """Write what was found close to a benchmark beside a data set, a pair a line, for a person to read.

        Args:
            out: The data set; the pairs go to OUT.contamination.jsonl.
        Returns:
            The file, or None where no benchmark was given.
        """
        if not self.settings["against"]:
            return None
        path = out.with_name(f"{out.name}.contamination.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(pair, ensure_ascii=False) for pair in self.pairs)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
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


def option_words(options: argparse.Namespace) -> list[str]:
    """The options that are not as by default, as they are written on a command line."""
    words = [f"--draw {options.draw} --seed {options.seed}"] if options.draw else []
    if options.keep_near_duplicates:
        words.append("--keep-near-duplicates")
    elif options.near_duplicates != NEAR:
        words.append(f"--near-duplicates {options.near_duplicates}")
    return words + [f"--against {against}" for against in options.against]


def select(rows: Iterable[Row], options: argparse.Namespace) -> Selection:
    """Drop what is close to a benchmark, then near-duplicates, then draw. The order of rows changes nothing.

    Rows without a text are kept: the verb counts them by its own reasons.

    Args:
        rows: As `read_rows` gives them.
        options: With the arguments of `add_selection_options`.
    Raises: BadInput, for values out of range and benchmarks that cannot be read.
    """
    _check(options)
    tasks = [task for against in options.against for task in references(against)]
    given = list(rows)
    found = closest(given, tasks)
    kept = [row for number, row in enumerate(given) if number not in found]
    kept_keys = [content_key(row_text(row), *(str(row.get(column) or "") for column in CONTENT)) for row in kept]
    dropped = set() if options.keep_near_duplicates else _near(kept, kept_keys, options.near_duplicates)
    numbers = [number for number in range(len(kept)) if number not in dropped]
    if options.draw:
        numbers = [numbers[one] for one in draw([kept_keys[number] for number in numbers], options.draw, options.seed)]
    counts = {"rows read": len(given)}
    counts |= {"dropped: close to a benchmark": len(found)} if options.against else {}
    counts |= {} if options.keep_near_duplicates else {"dropped: near-duplicates of another row": len(dropped)}
    counts |= {"not drawn": len(kept) - len(dropped) - len(numbers)} if options.draw else {}
    counts["rows chosen"] = len(numbers)
    return Selection(
        [kept[number] for number in numbers], counts, _settings(options), _by_rule(options.against, found),
        [pair.as_row() for number in sorted(found) for pair in found[number]],
    )  # fmt: skip


def _check(options: argparse.Namespace) -> None:
    """Raises: BadInput."""
    if options.draw < 0:
        raise BadInput(f"--draw {options.draw}: give 0, for all rows, or more")
    if not 0 < options.near_duplicates <= 1:
        raise BadInput(f"--near-duplicates {options.near_duplicates}: give a similarity above 0 and at most 1")


def _near(rows: list[Row], keys: list[str], threshold: float) -> set[int]:
    """Near-duplicates of rows that are kept. Of those that are near each other the one with the least key is kept."""
    order = sorted((number for number in range(len(rows)) if row_text(rows[number])), key=lambda number: keys[number])
    vocabulary = Vocabulary()
    sets = [vocabulary.runs(text_words(row_text(rows[number])), RUN) for number in order]
    return {order[number] for number in near_duplicates(sets, threshold)}


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    near = None if options.keep_near_duplicates else options.near_duplicates
    return {"draw": options.draw, "seed": options.seed, "near_duplicates": near, "against": list(options.against)}


def _by_rule(against: Iterable[str], found: Mapping[int, list[Contamination]]) -> dict[str, dict[str, int]]:
    """How many rows each benchmark dropped, by rule. A row that is close to several counts for each."""
    counts = {name.partition("=")[0]: dict.fromkeys(RULES, 0) for name in against}
    for pairs in found.values():
        for pair in pairs:
            counts[pair.task.benchmark][pair.rule] += 1
    return counts
