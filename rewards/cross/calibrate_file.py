"""Fits the model of `cross_calibrated` to graded completions on disk: a handful of prompts with gold tests is enough.

The file is what `scripts/eval_model.py` and training write, a JSON object a line with `task_id`, `text`, `verdict` and
`checks`; completions of one prompt (and step) are a group. Promises that a completion whose gold result is not known
only votes, and figures of what each reward would tell apart on the same completions. Left out: sampling and grading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rewards.completion import GradedCompletion
from rewards.cross.plan import plan
from rewards.cross.submit import GroupCrossing, Pool
from rewards.matrix.calibrated import Calibration, code_scores
from rewards.matrix.gold_calibration import calibrate, right_and_wrong
from rewards.matrix.majority import codet, majority
from rewards.matrix.pass_matrix import PassMatrix
from rewards.matrix.separation import separation
from rewards.signature.wording import code_words
from rewards.tasks.task import Block
from sandbox.verdict import Verdict

__all__ = ["Fitted", "Group", "PromptGroup", "calibrate_file", "read_groups", "settings_of"]

BLOCKS: tuple[Block, ...] = ("first", "last")
FIELDS = {field for field in Verdict.__dataclass_fields__}


class Labelled(NamedTuple):
    """A graded completion with what is known of it from elsewhere, NaN where nothing is."""

    completion: GradedCompletion
    gold: float  # passes the gold tests
    strict: float  # passes its own tests strictly


Group = list[Labelled]


class Fitted(NamedTuple):
    """What a file says.

    Args:
        calibration: The parameters that fit it.
        groups: How many groups had a matrix.
        right: How many of their distinct codes are right, among those that some suite was run on.
        wrong: How many of these are wrong.
        separations: By reward, how well it tells the right codes of a group from its wrong ones, among those that some
            other completion's suite was run on: `rewards.matrix.separation`. `cross_calibrated` has been fitted to the
            same groups.
    """

    calibration: Calibration
    groups: int
    right: int
    wrong: int
    separations: dict[str, float]


def calibrate_file(path: Path, pool: Pool) -> Fitted:
    """Fit the model to the groups of a file.

    Args:
        path: The graded completions.
        pool: The sandboxes in which codes are run on each other's tests.
    Raises: ValueError for a file without such completions, or without any gold result.
    """
    asked = list(read_groups(path))
    groups = [one.completions for one in asked]
    if not any(one.gold == one.gold for group in groups for one in group):
        raise ValueError(f"{path} has no completion with a gold result: evaluate prompts that have gold tests")
    plans = [partial(plan, [c.completion for c in one.completions], named=code_words(one.prompt)) for one in asked]
    crossings = [GroupCrossing(pool, [], planned) for planned in plans]
    crossed = [(crossing.future.result().matrix, group) for crossing, group in zip(crossings, groups, strict=True)]
    found = [(matrix, group) for matrix, group in crossed if matrix is not None]
    matrices = [matrix for matrix, _ in found]
    gold = [np.array([one.gold for one in group]) for _, group in found]
    calibration = calibrate(matrices, gold)
    scorers: dict[str, Callable[[PassMatrix], NDArray[np.float64]]] = {
        "cross_agreement": majority,
        "cross_consensus": codet,
        "cross_calibrated": lambda matrix: code_scores(matrix, calibration),
    }
    scores = {name: [scorer(matrix) for matrix in matrices] for name, scorer in scorers.items()}
    judged = [~np.isnan(values) for values in scores["cross_agreement"]]
    own = [np.array([one.strict for one in group]) for _, group in found]
    scores["own tests, strict"] = [np.where(known, values, np.nan) for known, values in zip(judged, own, strict=True)]
    told_apart = {name: separation(values, gold) for name, values in scores.items()}
    return Fitted(calibration, len(found), *right_and_wrong(matrices, gold), told_apart)


class PromptGroup(NamedTuple):
    """The completions to a prompt, by its name and its last message."""

    task_id: str
    prompt: str
    completions: Group


def read_groups(path: Path) -> Iterator[PromptGroup]:
    """The groups of a file that wrote functions with tests; of a conversation the first completion.

    Raises: ValueError for a line that is no graded completion, with its number.
    """
    groups: dict[tuple[Any, ...], PromptGroup] = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if "follows" in row or "task" in row["verdict"]:
                    continue  # a later turn, or of a task whose answers have no tests
                key = (row.get("phase"), row.get("step"), str(row["task_id"]))
                labels = [_label(row["checks"].get(name)) for name in ("gold", "test_strict")]
                own = groups.setdefault(key, PromptGroup(key[-1], str(row.get("prompt", "")), []))
                own.completions.append(Labelled(_graded(row["text"], row["verdict"]), *labels))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ValueError(
                    f"{path}, line {number}: no graded completion ({type(error).__name__}: {error}); give the "
                    "completions.jsonl of a run or an evaluation"
                ) from None
    yield from groups.values()


def settings_of(calibration: Calibration) -> str:
    """The section of a recipe that has these parameters.

    >>> print(settings_of(Calibration()).splitlines()[:2])
    ['[rewards.cross]', 'code_right = 0.5']
    """
    values = [f"{name} = {_short(value)}" for name, value in asdict(calibration).items()]
    return "\n".join(["[rewards.cross]", *values])


def _short(value: float) -> float:
    """A probability with four digits, with more where it would be none of the model's any more."""
    short = round(value, 4)
    return short if 0 < short < 1 else value


def _label(value: float | None) -> float:
    """The result of a check, NaN where it is not known."""
    return float("nan") if value is None else float(value)


def _graded(text: str, record: Mapping[str, Any]) -> GradedCompletion:
    """A completion with the verdict on the program that was graded, its first block or its last one.

    Raises: ValueError, where it is neither.
    """
    for block in BLOCKS:
        found = GradedCompletion(text, _verdict(record), block=block)
        if found.code == record.get("code"):
            return found
    raise ValueError("its verdict is on a program that the text does not have")


def _verdict(record: Mapping[str, Any]) -> Verdict | None:
    """The verdict in a completion's record; None for one without code."""
    if record.get("outcome") is None:
        return None
    return Verdict.from_json({name: value for name, value in record.items() if name in FIELDS})
