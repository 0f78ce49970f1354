"""What of a recipe goes together where rewards compare the completions of a group, or ask what tests notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grpo.config import CheckpointSection, RolloutSection
from grpo.schema import ConfigError
from rewards.cross.result import partners_conflict

__all__ = ["group_conflicts", "refuse_unexamined"]

EXAMINED = ("cargo_test_thorough", "cross_test_thorough", "mutation")  # 0 where nobody asked what tests notice


def group_conflicts(
    weights: Mapping[str, float],
    cross: Mapping[str, float],
    rollout: RolloutSection,
    checkpoint: CheckpointSection,
    *,
    known: Sequence[str],
) -> list[str]:
    """Settings that exclude each other where rewards compare the completions of a group.

    Args:
        weights: `rewards.weights`.
        cross: `rewards.cross`.
        rollout: How a step samples.
        checkpoint: Which checkpoints are kept.
        known: The names of all rewards that compare the completions of a group.
    """
    found, partners = [], cross.get("partners", 0)
    named = [name for name in known if name in weights]
    if rollout.testers and not named:
        found.append(
            f"rollout.testers = {rollout.testers}: no reward asks for their tests; give cross_agreement a weight"
        )
    paid = [name for name in named if weights[name]]
    if paid and checkpoint.keep_best and checkpoint.best_by == "reward_mean":
        found.append(
            f"checkpoint.best_by = reward_mean: evaluations do not compare groups, so {paid[0]} is no part of "
            "their reward: use gold or pass_at_1"
        )
    if refused := [why for name in named if (why := partners_conflict(name, partners))]:
        found.append(f"rewards.cross.{refused[0]}")
    return found


def refuse_unexamined(weights: Mapping[str, float], *, mutation: bool) -> None:
    """Refuse to train by rewards that are 0 for every completion.

    Args:
        weights: `rewards.weights`.
        mutation: `guard.mutation`.
    Raises: ConfigError.
    """
    if not mutation and (paid := [name for name in EXAMINED if weights.get(name)]):
        raise ConfigError(
            f"guard.mutation = false: {paid[0]} pays for changes of the code that tests notice, and none is tried: "
            "use true, or cargo_test in its place"
        )
