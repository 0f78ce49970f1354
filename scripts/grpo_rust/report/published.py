"""A run in the shape of the published experiment's log: for each reward function a file with a line for each score.

The lines are those of `rewards.experiment`, joined from `completions.jsonl` and `rewards/*.jsonl`. One step at a time
is in memory. A running run may be expanded too: a score whose completion is not on disk yet is left out and counted.
Scores are as the functions give them, without weights. Left out: evaluations, which the published log did not have, and
completions for tests alone, which no function scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import groupby
from json import dumps
from pathlib import Path
from typing import IO, Any, NamedTuple

from grpo.whole_file import whole_file
from grpo_rust.report.reading import ReportError, number, record_lines
from rewards.experiment import log_line
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS
from rewards.rust.parse import extract_code
from rewards.tool_output import record_output

__all__ = ["Expanded", "write_published"]

Record = Mapping[str, Any]


class Expanded(NamedTuple):
    """What was written."""

    lines: Mapping[Path, int]  # by file
    without_completion: int  # scores that were left out
    unreadable: Mapping[str, int]  # by file of the run: lines that are torn or no records


def write_published(run_dir: Path, folder: Path) -> Expanded:
    """Write the files of a run's reward functions, each whole or not at all.

    Args:
        run_dir: The folder that `scripts/train.py` wrote; the run may be unfinished.
        folder: Where the files are written, under the names that they have in `rewards/`; it is made.
    Raises:
        ReportError: Where it is no run directory, or one that has no completions or no scores, and for the folder of
            the scores themselves.
        OSError: Where a file cannot be read or written.
    """
    completions = run_dir / "completions.jsonl"
    sources = sorted((run_dir / "rewards").glob("*.jsonl"))
    if not (run_dir / "metrics.jsonl").is_file():
        raise ReportError(f"{run_dir} has no metrics.jsonl, so it is no run directory: give the one of a training")
    if not completions.is_file() or not sources:
        raise ReportError(f"{run_dir} has no completions or no scores: the run logged none, or its first step goes on")
    if folder.resolve() == sources[0].parent.resolve():
        raise ReportError(f"{folder} has the run's own scores, which would be overwritten: give another --out")
    unreadable: dict[str, int] = {}
    scores = {path: _Scores(path, unreadable) for path in sources}
    lines = {folder / path.name: 0 for path in sources}
    without = 0
    with ExitStack() as files:
        opened = {path: _opened(folder / path.name, files) for path in sources}
        trained = (r for _, r in record_lines(completions, unreadable) if r.get("phase", "train") == "train")
        for step, records in groupby(trained, key=lambda record: record["step"]):
            by_id = {str(record.get("id")): record for record in records}
            for path in sources:
                for score in scores[path].up_to(step):
                    completion = by_id.get(str(score.get("completion_id")))
                    if completion is None:
                        without += 1
                    else:
                        opened[path].write(dumps(_line(score, completion, path.stem)) + "\n")
                        lines[folder / path.name] += 1
        without += sum(rest.count_left() for rest in scores.values())
    return Expanded(lines, without, unreadable)


class _Scores:
    """The lines of a file of `rewards/`, read from its beginning to its end as the steps go on."""

    def __init__(self, path: Path, unreadable: dict[str, int]) -> None:
        self._lines = record_lines(path, unreadable)
        self._next = self._read()

    def up_to(self, step: int) -> Iterator[Record]:
        """The lines up to a step that were not read before."""
        while self._next is not None and self._next["step"] <= step:
            record, self._next = self._next, self._read()
            yield record

    def count_left(self) -> int:
        """How many lines were not read."""
        return (self._next is not None) + sum(1 for _ in self._lines)

    def _read(self) -> Record | None:
        return next(self._lines, (0, None))[1]


def _opened(path: Path, files: ExitStack) -> IO[str]:
    """A file to write, which takes its place when `files` are closed."""
    return files.enter_context(open(files.enter_context(whole_file(path)), "w", encoding="utf-8"))


def _line(score: Record, completion: Record, name: str) -> dict[str, Any]:
    """The line of one score of one completion."""
    verdict = completion.get("verdict")
    found = verdict if isinstance(verdict, dict) else {}
    text, code = str(completion.get("text", "")), found.get("code")
    function = str(score.get("function", name))
    return log_line(
        timestamp=_timestamp(number(score.get("time"))),
        step=score["step"],
        function=_published_name(function),
        score=number(score.get("score")),
        task_id=completion.get("task_id"),
        prompt=str(completion.get("prompt", "")),
        completion=text,
        seconds=number(score.get("seconds")),
        code=code if isinstance(code, str) else extract_code(text),
        tool_output=record_output(found) if found.get("outcome") else None,
    )


def _published_name(function: str) -> str:
    """The name under which a reward is a function for TRL: a user's own keeps the one that it has."""
    found = REWARDS.get(function) or GROUP_REWARDS.get(function)
    return found.published_name if found else function


def _timestamp(seconds: float | None) -> str | None:
    """Unix seconds as ISO 8601."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return None
