"""Fits the model of `cross_calibrated` to graded completions on disk: a handful of prompts with gold tests is enough.

The file is what `scripts/eval_model.py` and training write, a JSON object a line with `task_id`, `text`, `verdict` and
`checks`; completions of one prompt (and step) are a group. Promises that a completion whose gold result is not known
only votes. Left out: sampling and grading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rewards.completion import GradedCompletion
from rewards.cross.plan import plan
from rewards.cross.submit import GroupCrossing, Pool
from rewards.matrix.calibrated import Calibration
from rewards.matrix.gold_calibration import calibrate
from sandbox.verdict import Verdict

__all__ = ["calibrate_file", "read_groups", "settings_of"]

FIELDS = {field for field in Verdict.__dataclass_fields__}
Group = list[tuple[GradedCompletion, float]]  # with its gold result, NaN where it is not known


def calibrate_file(path: Path, pool: Pool) -> tuple[Calibration, int]:
    """The parameters that fit the groups of a file, and the number of groups.

    Args:
        path: The graded completions.
        pool: The sandboxes in which codes are run on each other's tests.
    Raises: ValueError for a file without such completions, or without any gold result.
    """
    groups = list(read_groups(path))
    if not any(value == value for group in groups for _, value in group):
        raise ValueError(f"{path} has no completion with a gold result: evaluate prompts that have gold tests")
    crossings = [GroupCrossing(pool, [], partial(plan, [completion for completion, _ in group])) for group in groups]
    found = [(crossing.future.result().matrix, group) for crossing, group in zip(crossings, groups, strict=True)]
    known = [(matrix, np.array([gold for _, gold in group])) for matrix, group in found if matrix is not None]
    return calibrate([matrix for matrix, _ in known], [gold for _, gold in known]), len(known)


def read_groups(path: Path) -> Iterator[Group]:
    """The groups of a file. Raises: ValueError for a line that is no graded completion, with its number."""
    groups: dict[tuple[Any, ...], Group] = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                key = tuple(row.get(name) for name in ("phase", "step", "task_id"))
                gold = row["checks"].get("gold")
                graded = GradedCompletion(row["text"], _verdict(row["verdict"]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"{path}, line {number}: no graded completion ({type(error).__name__}: {error}); give the "
                    "completions.jsonl of a run or an evaluation"
                ) from None
            groups.setdefault(key, []).append((graded, float("nan") if gold is None else float(gold)))
    yield from groups.values()


def settings_of(calibration: Calibration) -> str:
    """The section of a recipe that has these parameters.

    >>> print(settings_of(Calibration()).splitlines()[:2])
    ['[rewards.cross]', 'code_right = 0.5']
    """
    values = [f"{name} = {round(value, 4)}" for name, value in asdict(calibration).items()]
    return "\n".join(["[rewards.cross]", *values])


def _verdict(record: Mapping[str, Any]) -> Verdict | None:
    """The verdict in a completion's record; None for one without code."""
    if record.get("outcome") is None:
        return None
    return Verdict.from_json({name: value for name, value in record.items() if name in FIELDS})
