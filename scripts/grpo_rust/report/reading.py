"""A run directory read from disk, finished or not.

Promises: a torn or foreign line is skipped and counted; after a resume the last record of a step or completion counts;
a value that is not a finite number is missing. `completions.jsonl` is indexed and not kept in memory, since a long run
writes gigabytes. The texts are returned as they are: the code that shows them escapes them.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from grpo.errors import BadInput

__all__ = [
    "CompletionIndex",
    "ReportError",
    "RunFiles",
    "index_entry",
    "is_step",
    "load_completions",
    "number",
    "parse_record",
    "read_run",
    "record_lines",
    "summary_of",
]

Record = Mapping[str, Any]
_NUMBER_IN_GROUP = re.compile(r"-c\d+$")


class ReportError(BadInput):
    """The directory is no run directory; the message states what to give instead."""


class CompletionIndex(NamedTuple):
    """Where one completion lies in `completions.jsonl`, and what the choice of groups needs of it."""

    id: str
    group: str  # the id without the number of the completion: phase, step and prompt slot
    step: int
    phase: str
    task_id: str
    reward: float | None
    passed: float | None  # the strict test check
    outcome: str
    offset: int  # byte position of its line


@dataclass(frozen=True)
class RunFiles:
    """The content of a run directory; `steps` and `evals` by step, `completions` by step and group."""

    path: Path
    name: str
    config: Record = field(default_factory=dict)
    config_text: str = ""
    environment: Record = field(default_factory=dict)
    summary: Record | None = None
    progress: Record = field(default_factory=dict)  # where the run stood after its last step
    steps: tuple[Record, ...] = ()
    evals: tuple[Record, ...] = ()
    completions: tuple[CompletionIndex, ...] = ()
    started: float | None = None  # unix seconds
    ended: float | None = None  # of the last graded training completion
    unreadable: Mapping[str, int] = field(default_factory=dict)  # file name -> lines skipped

    def twin(self, key: str) -> str | None:
        """The evaluations' metric that measures the same as one of the training batches; None where none does.

        Rewards that compare groups are no part of an evaluation's, so theirs is another sum then.
        """
        if key == "reward/mean" and self.steps and any(name.startswith("reward/cross_") for name in self.steps[-1]):
            return None
        twins = {"reward/mean": "eval/reward_mean", "completion/length_mean": "eval/length_mean"}
        return twins.get(key) or (f"eval/{key.removeprefix('check/')}" if key.startswith("check/") else None)


def number(value: object) -> float | None:
    """The value as a finite float, or None; true and false are not numbers here.

    >>> number(3), number("3"), number(float("inf"))
    (3.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def parse_record(line: bytes) -> Record | None:
    """One JSON object, or None for anything else."""
    try:
        record = json.loads(line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def record_lines(path: Path, unreadable: dict[str, int]) -> Iterator[tuple[int, Record]]:
    """Byte offset and object of every readable line that has a whole `step`; none when the file is absent."""
    if not path.is_file():
        return
    offset = 0
    with open(path, "rb") as file:
        for line in file:
            record = parse_record(line) if line.strip() else {}
            if record is None or (record and not is_step(record.get("step"))):
                unreadable[path.name] = unreadable.get(path.name, 0) + 1
            elif record:
                yield offset, record
            offset += len(line)


def is_step(value: object) -> bool:
    """True for a step number: a non-negative int of sane size."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _by_step(path: Path, unreadable: dict[str, int]) -> tuple[Record, ...]:
    """The file's records in step order, the last one of each step."""
    records = {record["step"]: record for _, record in record_lines(path, unreadable)}
    return tuple(records[step] for step in sorted(records))


def index_entry(offset: int, record: Record) -> CompletionIndex:
    """The index entry of one line of `completions.jsonl`."""
    step, task_id, phase = record["step"], str(record.get("task_id", "")), str(record.get("phase", "train"))
    name = str(record.get("id", f"{offset}"))
    group = _NUMBER_IN_GROUP.sub("", name) if _NUMBER_IN_GROUP.search(name) else f"{phase} {step} {task_id}"
    checks, verdict = record.get("checks"), record.get("verdict")
    passed = number(checks.get("test_strict")) if isinstance(checks, dict) else None
    outcome = str(verdict.get("outcome") or "no_code") if isinstance(verdict, dict) else "no_code"
    shared = intern(group), step, intern(phase), intern(task_id)
    return CompletionIndex(name, *shared, number(record.get("reward")), passed, intern(outcome), offset)


def _index(path: Path, unreadable: dict[str, int]) -> tuple[CompletionIndex, ...]:
    """Every completion of the run once, in step, group and id order."""
    completions: dict[tuple[str, str], CompletionIndex] = {}
    for offset, record in record_lines(path, unreadable):
        completion = index_entry(offset, record)
        completions[completion.phase, completion.id] = completion
    return tuple(sorted(completions.values(), key=lambda a: (a.step, a.phase, _natural(a.group), _natural(a.id))))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """A sort key by which p2 stands before p10."""
    parts = re.split(r"([0-9]{1,18})", name)
    return tuple((int(part) if index % 2 else 0, part) for index, part in enumerate(parts))


def _document(path: Path) -> Record:
    """A JSON file's object; empty when it is absent or broken."""
    return (parse_record(path.read_bytes()) or {}) if path.is_file() else {}


def summary_of(summary: Record | None, steps: Sequence[Record]) -> Record | None:
    """The summary, unless it is that of fewer steps: a run that was finished may be resumed with more to do.

    >>> summary_of({"steps": 2}, [{"step": 2}]), summary_of({"steps": 2}, [{"step": 3}])
    ({'steps': 2}, None)
    """
    of = number((summary or {}).get("steps"))
    return None if of is not None and steps and steps[-1]["step"] > of else summary


def _config(path: Path) -> tuple[Record, str]:
    """The recipe as it ran, parsed and as text."""
    if not path.is_file():
        return {}, ""
    text = path.read_bytes().decode("utf-8", errors="replace")
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError:
        return {}, text


def _times(folder: Path, started: object, unreadable: dict[str, int]) -> tuple[float | None, float | None]:
    """When the run began, by `environment.json`, and when it last graded a completion, by a file of `rewards/`."""
    stamps: list[float] = []
    for path in sorted(folder.glob("*.jsonl"))[:1] if folder.is_dir() else ():
        stamps = [
            stamp for _, record in record_lines(path, unreadable) if (stamp := number(record.get("time"))) is not None
        ]
    last = max(stamps) if stamps else None
    try:
        return datetime.fromisoformat(str(started)).timestamp(), last
    except (ValueError, OverflowError):
        return min(stamps) if stamps else None, last


def read_run(run_dir: Path) -> RunFiles:
    """Read what a report needs from a run directory.

    Args:
        run_dir: The folder that `scripts/train.py` wrote; only `metrics.jsonl` has to exist, and may be empty.

    Raises:
        ReportError: Where the folder or its `metrics.jsonl` is missing.
    """
    if not run_dir.is_dir():
        raise ReportError(
            f"{run_dir} is not a directory: give the run directory that scripts/train.py wrote, runs/<name>"
        )
    metrics = run_dir / "metrics.jsonl"
    if not metrics.is_file():
        raise ReportError(
            f"{run_dir} has no metrics.jsonl, so it is no run directory: give the one that scripts/train.py wrote, "
            "runs/<name>"
        )
    unreadable: dict[str, int] = {}
    config, config_text = _config(run_dir / "config.toml")
    section = config.get("run")
    name = str(section.get("name") or "") if isinstance(section, dict) else ""
    environment = _document(run_dir / "environment.json")
    steps = _by_step(metrics, unreadable)
    started, ended = _times(run_dir / "rewards", environment.get("started"), unreadable)
    return RunFiles(
        path=run_dir,
        name=name or run_dir.resolve().name,
        config=config,
        config_text=config_text,
        environment=environment,
        summary=summary_of(_document(run_dir / "summary.json") or None, steps),
        progress=_document(run_dir / "progress.json"),
        steps=steps,
        evals=_by_step(run_dir / "evals.jsonl", unreadable),
        completions=_index(run_dir / "completions.jsonl", unreadable),
        started=started,
        ended=ended,
        unreadable=unreadable,
    )


def load_completions(run: RunFiles, completions: Sequence[CompletionIndex]) -> list[Record]:
    """The whole records of a few indexed completions, in the order given."""
    records = []
    if completions:
        with open(run.path / "completions.jsonl", "rb") as file:
            for completion in completions:
                file.seek(completion.offset)
                records.append(parse_record(file.readline()) or {})
    return records
