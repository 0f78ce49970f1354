"""Many tasks: translated, counted by reason, with a manifest that says how a file came to be."""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset.resuming import Translation, TranslationJournal, content_of
from dataset.rows import COLUMNS, RustTask
from dataset.sources import BadRow, file_of, read_task, row_name
from dataset.translating.calls import LeftOut
from dataset.translating.reference import NOT_IN_TIME
from dataset.translating.translate import translate
from grpo.checkpoint.checksums import sha256_of

__all__ = [
    "Made",
    "TranslatedRow",
    "counted",
    "gather",
    "made_with",
    "manifest",
    "own_version",
    "table",
    "translate_rows",
]

UNFORESEEN = "a task that the translator does not get through"
HASH_DIGITS = 8  # of the content, behind a name that several rows have


@dataclass(frozen=True)
class TranslatedRow:
    """A row, and its task or the reason why there is none."""

    name: str  # as the row has it
    content: str  # a hash of it
    result: Translation


@dataclass
class Made:
    """Translated tasks, and what became of the others."""

    tasks: list[RustTask] = field(default_factory=list)
    num_rows: int = 0
    skipped: dict[str, str] = field(default_factory=dict)  # why, by the task's name

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were left out, by reason."""
        return Counter(self.skipped.values())

    @property
    def skipped_asserts(self) -> Counter[str]:
        """How many asserts of translated tasks are no gold cases, by reason."""
        found: Counter[str] = Counter()
        for task in self.tasks:
            found.update(task.skipped_asserts)
        return found


def translate_rows(
    rows: Iterable[Mapping[str, Any]], journal: TranslationJournal, *, jobs: int = 1
) -> Generator[TranslatedRow, None, None]:
    """Translate rows; gives them in order, and puts them into the journal as they come.

    Args:
        rows: Of any of the formats of `dataset.sources`.
        journal: Has the translations that are known, and keeps the others.
        jobs: References that run at once.
    """
    with ThreadPoolExecutor(jobs) as pool:  # threads: the work is done by the processes that they wait for
        yield from pool.map(partial(_translated, journal), enumerate(rows))


def _translated(journal: TranslationJournal, numbered: tuple[int, Mapping[str, Any]]) -> TranslatedRow:
    number, row = numbered
    try:
        task = read_task(row, number)
    except Exception as error:  # nothing that a row holds may end the work on all of them
        reason = str(error) if isinstance(error, BadRow) else f"a row that cannot be read: {type(error).__name__}"
        return TranslatedRow(
            row_name(row, number), hashlib.sha256(repr(row).encode(errors="replace")).hexdigest(), reason
        )
    content = content_of(task)
    found = journal.entries.get((content,))
    if found is None:
        try:
            found = replace(translate(task), task_id="")  # rows of one content may differ in their names
        except LeftOut as error:
            found = str(error)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            found = f"{UNFORESEEN}: {type(error).__name__}"  # one odd task may not end the work on all of them
        if found != NOT_IN_TIME:  # a machine that stood still may be why: the next session tries it again
            journal.add((content,), found)
    return TranslatedRow(task.task_id, content, found)


def gather(found: Iterable[TranslatedRow]) -> Made:
    """Collect what `translate_rows` gives, each row with a name of its own."""
    made, rows = Made(), list(found)
    for name, row in zip(_unique_names(rows), rows, strict=True):
        made.num_rows += 1
        if isinstance(row.result, str):
            made.skipped[name] = row.result
        else:
            made.tasks.append(replace(row.result, task_id=name))
    return made


def _unique_names(rows: Sequence[TranslatedRow]) -> list[str]:
    """Names that do not depend on the order of rows: where several have one, each gets a hash of its content as well.

    Rows that are alike in their content too get a number: it does not matter which is which.
    """
    counts = Counter(row.name for row in rows)
    taken = {name for name, count in counts.items() if count == 1}
    names = []
    for row in rows:
        unique = row.name
        if counts[row.name] > 1:
            hashed = unique = f"{row.name}-{row.content[:HASH_DIGITS]}"
            number = 1
            while unique in taken:
                number += 1
                unique = f"{hashed}-{number}"
            taken.add(unique)
        names.append(unique)
    return names


def manifest(made: Made, files: Mapping[Path, int], *, command: str, sources: Sequence[str]) -> dict[str, Any]:
    """What was written, and how it was made.

    Args:
        made: The tasks, and what became of the others.
        files: How many rows each has.
        command: The command line.
        sources: That were read.
    """
    cases = [len(task.gold_cases) for task in made.tasks]
    return {
        "made_by": command,
        **made_with(files, sources),
        "columns": list(COLUMNS),
        "rows_read": made.num_rows,
        "rows_written": sum(files.values()),
        "left_over_as_their_split_is_full": len(made.tasks) - sum(files.values()),
        "gold_cases": sum(cases),
        "skipped": dict(made.reasons.most_common()),
        "skipped_asserts": dict(made.skipped_asserts.most_common()),
        "skipped_tasks": made.skipped,
    }


def made_with(files: Mapping[Path, int], sources: Sequence[str]) -> dict[str, Any]:
    """What files were made from and with: versions, the SHA-256 of every file, and how many rows were written."""
    return {
        "versions": {"python": platform.python_version(), "grpo-rust": own_version()},
        "sources": {one: sha256_of(file_of(one)) for one in sources if file_of(one).is_file()},
        "files": {path.name: {"rows": count, "sha256": sha256_of(path)} for path, count in files.items()},
    }


def own_version() -> str:
    """The version of this project that is installed."""
    try:
        return version("grpo-rust")
    except ImportError:  # a clone that was not installed
        return "not installed"


def table(made: Made) -> str:
    """The counts, for people."""
    share = 100 * len(made.tasks) / made.num_rows if made.num_rows else 0.0
    lines = [(str(len(made.tasks)), f"of {made.num_rows} rows translated ({share:.1f} %)")]
    lines += [(str(count), f"left out: {reason}") for reason, count in made.reasons.most_common()]
    lines += [(str(count), f"asserts left out: {reason}") for reason, count in made.skipped_asserts.most_common()]
    return counted(lines)


def counted(lines: Sequence[tuple[str, str]]) -> str:
    """Lines of a number and what it counts."""
    width = max(len(count) for count, _ in lines)
    return "\n".join(f"{count:>{width}}  {text}" for count, text in lines)
