"""The new lines of a run's logs, read while another process writes them.

Only whole lines are read. A log that was cut, as a resumed run does, is read from its start; `Sent` then says what is
old. A line that is no record is skipped. An evaluation comes after the metrics of its step and before the next step's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from grpo.run.growing_file import GrowingFile
from grpo.run.metrics import explain

__all__ = ["LogTail", "Reading", "RunNews"]

METRICS, EVALUATIONS = "metrics.jsonl", "evals.jsonl"  # in the run's directory


class Reading(NamedTuple):
    """The numbers of one line. Readings sort by step, and within one by kind: metrics, then the evaluation."""

    step: int
    evaluates: bool
    values: dict[str, float]


class LogTail:
    """The lines of a log that were not read yet.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     tail = LogTail(log)
    ...     _ = log.write_text('{"step": 1}\\n{"step"')
    ...     first = list(tail.read())
    ...     _ = log.write_text('{"step": 1}\\n{"step": 2}\\n')
    ...     (first, list(tail.read()))
    ([{'step': 1}], [{'step': 2}])
    """

    def __init__(self, path: Path) -> None:
        self._log = GrowingFile(path)

    def read(self) -> Iterator[dict[str, Any]]:
        """Every new whole line that is an object with a step; nothing while there is no log."""
        more = True
        while more:
            _, lines, more = self._log.read()
            for _, raw in lines:
                try:
                    line = json.loads(raw)
                except (ValueError, RecursionError):
                    continue
                if isinstance(line, dict) and type(line.get("step")) is int:
                    yield line


class RunNews:
    """What a run has logged since the last look."""

    def __init__(self, run: Path) -> None:
        self._metrics, self._evaluations = LogTail(run / METRICS), LogTail(run / EVALUATIONS)
        self._newest = 0  # step of the metrics read so far
        self._early: list[Reading] = []  # evaluations of a step whose metrics were not there yet

    def read(self, *, last: bool = False) -> list[Reading]:
        """The new readings in order.

        Args:
            last: Whether nothing is waited for any more.
        """
        steps = [Reading(line["step"], False, known_numbers(line)) for line in self._metrics.read()]
        # Read in this order: where the metrics of step n + 1 are there, the evaluation after step n is, too.
        found = [Reading(line["step"], True, known_numbers(line)) for line in self._evaluations.read()]
        if steps:
            self._newest = steps[-1].step
        waiting = [*self._early, *found]
        ready = [one for one in waiting if last or one.step <= self._newest]
        self._early = [] if last else [one for one in waiting if one.step > self._newest]
        return sorted([*steps, *ready], key=lambda one: one[:2])


def known_numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of a line that the table of metrics explains.

    >>> known_numbers({"step": 3, "time/step": 2, "loss/total": None, "num_prompts": 4})
    {'time/step': 2.0}
    """
    return {
        key: float(value)
        for key, value in line.items()
        if type(value) in (int, float) and math.isfinite(value) and is_metric(key)
    }


@cache
def is_metric(key: str) -> bool:
    """Whether the table of metrics has a row for a key."""
    try:
        explain(key)
    except KeyError:
        return False
    return True
