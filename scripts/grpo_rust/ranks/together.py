"""The sharded policy of a team and its updater; every rank calls these at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from grpo.distributed.policy import ShardedPolicy
from grpo.distributed.team import Team
from grpo.distributed.updater import SharedUpdater
from grpo.errors import GrpoError
from grpo.model.minibatch import LogprobModel
from grpo.model.policy import ModelError, Policy
from grpo.supervised import supervised_objective
from grpo_rust.compose.policy import load_reference, load_trained_policy
from grpo_rust.compose.updater import build_updater
from grpo_rust.recipe import Recipe

__all__ = ["build_shared_updater", "load_sharded_policy", "refuse_padding"]


def load_sharded_policy(team: Team, recipe: Recipe, checkpoint: Path | None) -> ShardedPolicy:
    """Load the policy to train into the memory of every rank's host, and put a shard of it on each rank's device.

    FSDP moves one layer at a time, so that no GPU holds the whole model.

    Raises: GrpoError, on all ranks where one cannot load it; ModelError for a model whose sequences are padded.
    """
    policy, problem = None, None
    try:
        policy = load_trained_policy(recipe, checkpoint, on_cpu=True)
        refuse_padding(policy, recipe.model.path)
    except GrpoError as error:
        problem = error
    team.raise_together(problem)
    assert policy is not None
    if recipe.lora.rank:
        from grpo.distributed.lora import ShardedLoraPolicy

        return ShardedLoraPolicy.of(policy, team)
    return ShardedPolicy.of(policy, team)


def refuse_padding(policy: Policy, path: str) -> None:
    """Check that sequences go through a model end to end, so that a micro-batch is one pass through its layers.

    Padded ones take a pass for each table of similar lengths: ranks would gather the layers at different times, and one
    would compute with what another had sent for another layer.

    Raises: ModelError.
    """
    if not policy.packs:
        raise ModelError(
            f"{path!r} ({policy.model.config.model_type}) is no model that several ranks can train: its attention is "
            "not plainly causal in every layer, so its sequences are padded. Train it without torchrun, or another one"
        )


def build_shared_updater(
    team: Team, recipe: Recipe, policy: Policy, *, num_steps: int, supervised: bool
) -> SharedUpdater:
    """The updater of all ranks. Raises: GrpoError, on all ranks where one cannot make it."""
    updater, problem = None, None
    try:
        updater = build_updater(
            recipe,
            policy,
            num_steps=num_steps,
            objective=supervised_objective() if supervised else None,
            make=partial(SharedUpdater, team),
            load=partial(_load_reference, team),
        )
    except GrpoError as error:
        problem = error
    team.raise_together(problem)
    assert isinstance(updater, SharedUpdater)
    return updater


def _load_reference(team: Team, recipe: Recipe, policy: Policy) -> LogprobModel:
    """The model that the KL is measured to: sharded as the policy is, or that under its adapters."""
    reference = load_reference(recipe, policy, on_cpu=True)
    return ShardedPolicy.of(reference, team) if isinstance(reference, Policy) else reference
