"""What `rollout.partial` and `rollout.deadline_s`, which interrupt an engine, cannot go together with."""

from __future__ import annotations

from grpo.config import LossSection, RolloutSection, SamplingSection

__all__ = ["partial_conflicts"]


def partial_conflicts(rollout: RolloutSection, sampling: SamplingSection, loss: LossSection) -> list[str]:
    """What `rollout.partial` and `rollout.deadline_s` cannot go together with."""
    found: list[str] = []
    if not rollout.partial:
        return found
    if rollout.deadline_s:
        found.append(
            f"rollout.deadline_s = {rollout.deadline_s} with rollout.partial = true: a completion that is cut would "
            "not go on under new weights: use one of the two"
        )
    if not rollout.overlap:
        found.append(
            "rollout.partial = true with rollout.overlap = 0: nothing is being sampled when new weights come: use "
            "rollout.overlap = 1 or more"
        )
    if sampling.engine == "hf" or not sampling.own_process:
        found.append(
            f"rollout.partial = true with sampling.engine = {sampling.engine}, sampling.own_process = "
            f"{str(sampling.own_process).lower()}: only an engine with weights of its own, in a process of "
            "its own, is still sampling when new ones come: use paged or vllm"
        )
    if loss.mismatch == "none":
        found.append(
            'rollout.partial = true with loss.mismatch = "none": a completion has tokens of several policies, and '
            'nothing would correct for that: use "auto", which is "token"'
        )
    return found
