"""What a stopped step was made of: `RUN/dumps/step-000012/`, the checkpoint before the step and `batch.json` beside it.

The checkpoint has the weights and Adam's moments as they were before the optimizer step that was not done, in the form
of every other checkpoint. `batch.json` holds the prompts' and completions' tokens, the engine's log-probs, texts,
rewards and advantages, and where the update was reached the minibatch with its numbers. `grpo.watch.replaying` makes
the step again. Numbers that JSON lacks are the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from grpo.model.minibatch import Attempt
from grpo.rollout.records import Group

__all__ = ["BATCH", "batch_record", "batch_text", "exact", "read_exact"]

BATCH = "batch.json"
VERSION = 1


def batch_text(record: Mapping[str, Any]) -> str:
    """What `batch.json` holds: a record of `batch_record`."""
    return json.dumps(exact(record), allow_nan=False)


def batch_record(
    groups: Sequence[Group],
    advantages: Sequence[Sequence[float]] | None,
    token_advantages: Sequence[Sequence[Sequence[float]]] | None = None,
    *,
    step: int,
    finding: Mapping[str, Any],
    metrics: Mapping[str, float],
    attempt: Attempt | None,
) -> dict[str, Any]:
    """A step's batch as plain values.

    Args:
        groups: The graded groups.
        advantages: [P][G], or None where it was stopped before.
        token_advantages: [P][G], of each token, or None where rewards pay whole completions.
        step: Its number.
        finding: Why it was stopped.
        metrics: What is known of it.
        attempt: The optimizer step that was not done, or None where the update was not reached.
    """
    return {
        "version": VERSION,
        "step": step,
        "finding": dict(finding),
        "metrics": dict(metrics),
        "groups": [
            {
                "prompt": group.example.id,
                "prompt_ids": list(group.example.prompt_ids),
                "completions": [
                    {
                        "id": completion.id,
                        "context": list(completion.context),
                        "token_ids": list(completion.token_ids),
                        "sampler_logprobs": list(completion.sampler_logprobs),
                        "text": completion.text,
                        "terminated": completion.terminated,
                        "policy_version": completion.policy_version,
                        "versions": [list(run) for run in completion.versions],
                        "reward": group.rewards[k],
                        "advantage": None if advantages is None else advantages[row][k],
                        "spans": {part: [list(span) for span in ranges] for part, ranges in spans.items()},
                        "token_advantages": None if token_advantages is None else list(token_advantages[row][k]),
                    }
                    for k, (completion, spans) in enumerate(
                        zip(group.completions, (grade.spans for grade in group.grades), strict=True)
                    )
                ],
            }
            for row, group in enumerate(groups)
        ],
        "update": None if attempt is None else _update_record(attempt),
    }


def exact(value: Any) -> Any:
    """Plain values with a text for every number that JSON lacks.

    >>> exact({"loss": math.nan, "norms": [1.5, math.inf]})
    {'loss': 'nan', 'norms': [1.5, 'inf']}
    """
    if isinstance(value, Mapping):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read_exact(value: Any) -> float:
    """A number as `exact` wrote it. Raises: ValueError, TypeError for anything else.

    >>> read_exact("nan"), read_exact(1.5)
    (nan, 1.5)
    """
    return float(value)


def _update_record(attempt: Attempt) -> dict[str, Any]:
    """The optimizer step that was not done: which samples, what it started from, and its numbers."""
    minibatch = attempt.minibatch
    old: dict[int, dict[str, list[float]]] = {}  # by the place among the kept samples
    for batch, known in zip(minibatch.batches, attempt.old, strict=bool(attempt.old)):
        for row, place in enumerate(batch.rows.tolist()):
            trained = batch.mask[row]
            logprobs, entropy = known.logprobs[row][trained].tolist(), known.entropy[row][trained].tolist()
            old[place] = {"logprobs": logprobs, "entropy": entropy}
    return {
        "number": attempt.number,
        "start": minibatch.start,
        "size": len(minibatch.samples),
        "loss_scale": attempt.loss_scale,
        "old": [old[place] for place in sorted(old)],
        "micro_batches": attempt.parts,
        "grad_norm": attempt.norm,
    }
