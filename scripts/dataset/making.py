"""Many tasks: translated, counted by reason, with a manifest that says how a file came to be."""

from __future__ import annotations

import hashlib
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset.rows import COLUMNS, RustTask
from dataset.sources import BadRow, file_of, read_task, row_name
from dataset.translating.calls import LeftOut
from dataset.translating.translate import translate

__all__ = ["Made", "counted", "gather", "made_with", "manifest", "own_version", "sha256_of", "table", "translate_rows"]


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


def translate_rows(rows: Iterable[Mapping[str, Any]], *, jobs: int = 1) -> Iterator[tuple[str, RustTask | str]]:
    """Each row's name with its task, or the reason why there is none, in order.

    Args:
        rows: Of any of the formats of `dataset.sources`.
        jobs: References that run at once.
    """
    with ThreadPoolExecutor(jobs) as pool:  # threads: the work is done by the processes that they wait for
        yield from pool.map(_translated, enumerate(rows))


def _translated(numbered: tuple[int, Mapping[str, Any]]) -> tuple[str, RustTask | str]:
    number, row = numbered
    name = row_name(row, number)
    try:
        task = read_task(row, number)
        name = task.task_id
        return name, translate(task)
    except (BadRow, LeftOut) as error:
        return name, str(error)


def gather(found: Iterable[tuple[str, RustTask | str]]) -> Made:
    """Collect what `translate_rows` gives. Of tasks with one name, the later get a number."""
    made, names, taken = Made(), defaultdict[str, int](lambda: 1), set[str]()
    for name, result in found:
        made.num_rows += 1
        unique = name
        while unique in taken:  # another task may have the numbered name of its own
            names[name] += 1
            unique = f"{name}-{names[name]}"
        taken.add(unique)
        if isinstance(result, str):
            made.skipped[unique] = result
        else:
            made.tasks.append(replace(result, task_id=unique))
    return made


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


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
