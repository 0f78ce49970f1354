"""Batches in flight as plain JSON values, for checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grpo.rollout.collect import Decode, PendingRollout
from grpo.rollout.records import Completion, Example, Grader
from grpo.rollout.rows import DataError

__all__ = ["from_json", "to_json"]


def to_json(step: int, pending: PendingRollout) -> dict[str, Any]:
    """The sampled completions of a step, without their grades."""
    return {
        "step": step,
        "examples": [example.id for example in pending.examples],
        "completions": [
            [*slot, c.id, c.token_ids, c.sampler_logprobs, c.terminated, c.policy_version]
            for slot, c in sorted(pending.completions.items())
        ],
    }


def from_json(
    record: Mapping[str, Any], examples: Mapping[str, Example], *, decode: Decode, grader: Grader
) -> PendingRollout:
    """What `to_json` wrote, with every completion on its way to the grader again.

    Args:
        record: The JSON values.
        examples: All encoded prompts, by id.
        decode: Token ids of a completion to its text.
        grader: Grades the completions.
    Raises:
        DataError: When one of the prompts is gone.
    """
    lost = [name for name in record["examples"] if name not in examples]
    if lost:
        raise DataError(
            f"the checkpoint has completions of prompts that data.train lacks now ({', '.join(lost[:3])}):"
            " resume with the data and limits that the run began with"
        )
    prompts = [examples[name] for name in record["examples"]]
    completions, tickets = {}, {}
    for prompt, number, name, token_ids, logprobs, terminated, version in record["completions"]:
        slot = (prompt, number)
        text = decode(token_ids)
        completions[slot] = Completion(name, tuple(token_ids), tuple(logprobs), text, terminated, version)
        tickets[slot] = grader.start(prompts[prompt], completions[slot])
    return PendingRollout(prompts, completions, tickets, 0.0)
