"""Batches in flight as plain JSON values, for checkpoints: completions with their grades.

The grades are kept, since grading again may give others: a reward function of the user's may draw lots, and a program
that was graded in time may not be so a second time. Where the host failed to grade a completion, its batch is graded
again after the resume. Batches that are only partly sampled are kept by `grpo.rollout.partial.drafts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from grpo.rollout.collect import Decode, PendingRollout
from grpo.rollout.records import Completion, Example, Grade, Grader, History, Spans
from grpo.rollout.rows import DataError
from grpo.watch.unscored import failure_of

__all__ = ["StoredGrade", "examples_of", "from_json", "to_json"]


@dataclass(frozen=True)
class StoredGrade:
    """A grade out of a checkpoint: implements `grpo.rollout.records.Grade`."""

    rewards: Mapping[str, float | None]
    checks: Mapping[str, float | None]
    solved: bool | None
    seconds: Mapping[str, float]
    verdict: Mapping[str, Any]
    spans: Spans = field(default_factory=dict)


def to_json(step: int, pending: PendingRollout) -> dict[str, Any]:
    """The graded completions of a step."""
    grades = pending.grades
    assert grades is not None
    failed = any(failure_of(grade) for grade in grades.values())
    return {
        "step": step,
        "examples": [example.id for example in pending.examples],
        "generate_s": pending.generate_s,
        "graded": not failed,
        "num_crowded": pending.num_crowded,
        "num_cut": pending.num_cut,
        "completions": [
            [
                *(*slot, c.id, c.token_ids, c.sampler_logprobs, c.terminated, c.versions or c.policy_version),
                _kept(grades[slot]),
                None if c.history is None else [c.history.completion_id, c.history.message, c.history.token_ids],
            ]
            for slot, c in sorted(pending.completions.items())
        ],
    }


def from_json(
    record: Mapping[str, Any], examples: Mapping[str, Example], *, decode: Decode, grader: Grader
) -> PendingRollout:
    """What `to_json` wrote; nothing is graded again but what the host failed at.

    Args:
        record: The JSON values.
        examples: All encoded prompts, by id.
        decode: Token ids of a completion to its text.
        grader: Grades a batch whose grades were no use.
    Raises:
        DataError: When one of the prompts is gone.
    """
    prompts = examples_of(record, examples)
    completions, grades = {}, {}
    for prompt, number, name, token_ids, logprobs, terminated, version, grade, before in record["completions"]:
        slot, ids = (prompt, number), tuple(token_ids)
        versions = () if isinstance(version, int) else tuple((run[0], run[1]) for run in version)
        oldest = versions[0][0] if versions else version
        history = None if before is None else History(before[0], before[1], tuple(before[2]))
        completions[slot] = Completion(
            name, ids, tuple(logprobs), decode(token_ids), terminated, oldest, history=history, versions=versions
        )
        spans = {
            part: tuple((start, stop) for start, stop in ranges) for part, ranges in grade.get("spans", {}).items()
        }
        grades[slot] = StoredGrade(**{**grade, "spans": spans})
    numbers = {"generate_s": record["generate_s"], "num_crowded": record["num_crowded"]}
    numbers["num_cut"] = record.get("num_cut", 0)  # not every checkpoint has it
    if record["graded"]:
        return PendingRollout(prompts, completions, {}, grades=grades, **numbers)
    tickets = {slot: grader.start(prompts[slot[0]], completion) for slot, completion in completions.items()}
    return PendingRollout(prompts, completions, tickets, **numbers)


def examples_of(record: Mapping[str, Any], examples: Mapping[str, Example]) -> list[Example]:
    """The prompts of a batch in flight. Raises: DataError when one of them is gone."""
    lost = [name for name in record["examples"] if name not in examples]
    if lost:
        raise DataError(
            f"the checkpoint has completions of prompts that data.train lacks now ({', '.join(lost[:3])}):"
            " resume with the data and limits that the run began with"
        )
    return [examples[name] for name in record["examples"]]


def _kept(grade: Grade) -> dict[str, Any]:
    """A grade as plain JSON values."""
    values = (dict(grade.rewards), dict(grade.checks), grade.solved, dict(grade.seconds), dict(grade.verdict))
    return asdict(StoredGrade(*values, spans=dict(grade.spans)))
