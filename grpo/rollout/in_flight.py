"""Batches in flight as plain JSON values, for checkpoints: completions with their grades.

The grades are kept, since grading again may give others: a reward function of the user's may draw lots, and a program
that was graded in time may not be so a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from grpo.rollout.collect import Decode, PendingRollout
from grpo.rollout.records import Completion, Example, Grade
from grpo.rollout.rows import DataError

__all__ = ["StoredGrade", "from_json", "to_json"]


@dataclass(frozen=True)
class StoredGrade:
    """A grade out of a checkpoint: implements `grpo.rollout.records.Grade`."""

    rewards: Mapping[str, float | None]
    checks: Mapping[str, float | None]
    solved: bool | None
    seconds: Mapping[str, float]
    verdict: Mapping[str, Any]


def to_json(step: int, pending: PendingRollout) -> dict[str, Any]:
    """The graded completions of a step."""
    assert pending.grades is not None
    return {
        "step": step,
        "examples": [example.id for example in pending.examples],
        "generate_s": pending.generate_s,
        "completions": [
            [*slot, c.id, c.token_ids, c.sampler_logprobs, c.terminated, c.policy_version, _kept(pending.grades[slot])]
            for slot, c in sorted(pending.completions.items())
        ],
    }


def from_json(record: Mapping[str, Any], examples: Mapping[str, Example], *, decode: Decode) -> PendingRollout:
    """What `to_json` wrote; nothing is graded again.

    Args:
        record: The JSON values.
        examples: All encoded prompts, by id.
        decode: Token ids of a completion to its text.
    Raises:
        DataError: When one of the prompts is gone.
    """
    lost = [name for name in record["examples"] if name not in examples]
    if lost:
        raise DataError(
            f"the checkpoint has completions of prompts that data.train lacks now ({', '.join(lost[:3])}):"
            " resume with the data and limits that the run began with"
        )
    completions, grades = {}, {}
    for prompt, number, name, token_ids, logprobs, terminated, version, grade in record["completions"]:
        slot, ids = (prompt, number), tuple(token_ids)
        completions[slot] = Completion(name, ids, tuple(logprobs), decode(token_ids), terminated, version)
        grades[slot] = StoredGrade(**grade)
    prompts = [examples[name] for name in record["examples"]]
    return PendingRollout(prompts, completions, {}, record["generate_s"], grades)


def _kept(grade: Grade) -> dict[str, Any]:
    """A grade as plain JSON values."""
    parts = (dict(grade.rewards), dict(grade.checks), grade.solved, dict(grade.seconds), dict(grade.verdict))
    return asdict(StoredGrade(*parts))
