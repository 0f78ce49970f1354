"""What a run is made of, built by one process alone or by all ranks of a team."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grpo.distributed.place import place_of
from grpo.errors import BadInput
from grpo.run.directory import ENVIRONMENT
from grpo_rust.cli import ExitCode
from grpo_rust.recipe import Recipe

if TYPE_CHECKING:
    from grpo.distributed.team import Team
    from grpo.model.policy import Policy
    from grpo.update import Updater

__all__ = [
    "asked_of_ranks",
    "build_rank_updater",
    "describe_ranks",
    "follows",
    "joined",
    "load_rank_policy",
    "tell_directory",
    "told_to_ranks",
]


def follows() -> bool:
    """Whether this process is a rank, and not rank 0. Raises: BadInput, as `place_of`."""
    place = place_of()
    return place is not None and place.rank > 0


@contextmanager
def told_to_ranks() -> Iterator[None]:
    """What a rank refuses before it has joined those on other machines ends them too: they would wait for it.

    Those of its own machine its torchrun ends.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        asked_for = isinstance(error, SystemExit) and not error.code  # --help
        if not asked_for and os.environ.get("GROUP_WORLD_SIZE") != "1" and (place := place_of()) is not None:
            from grpo.distributed.meeting import meet

            meet(place, problem=error if isinstance(error, Exception) else BadInput("it cannot read its command line"))
        raise


@contextmanager
def joined(recipe: Recipe, *, supervised: bool = False) -> Iterator[Team | None]:
    """The team of this process, which is its rank 0, for as long as the run lasts; None for a process that is alone.

    Where the run fails, the other ranks fail too, so that the torchrun of every machine starts its ranks anew. Who
    interrupts rank 0 has asked for the end: then they end well.

    Args:
        recipe: As this rank reads it.
        supervised: Whether demonstrations are imitated.
    """
    if (place := place_of()) is None:
        yield None
        return
    from grpo_rust.ranks.joining import join

    team = join(recipe, place, supervised=supervised)
    code = ExitCode.DONE
    try:
        yield team
    except Exception as error:
        code = ExitCode.BAD_INPUT if isinstance(error, BadInput) else ExitCode.HOST_FAILED
        raise
    finally:
        team.close(code)


def load_rank_policy(team: Team | None, recipe: Recipe, checkpoint: Path | None) -> Policy:
    """The policy to train, as `grpo_rust.compose.policy.load_trained_policy`; of a team, sharded over its ranks."""
    if team is None:
        from grpo_rust.compose.policy import load_trained_policy

        return load_trained_policy(recipe, checkpoint)
    from grpo_rust.ranks.together import load_sharded_policy

    with team.order("load", recipe, checkpoint):
        return load_sharded_policy(team, recipe, checkpoint)


def build_rank_updater(
    team: Team | None, recipe: Recipe, policy: Policy, *, num_steps: int, supervised: bool = False
) -> Updater:
    """The optimizer side, as `grpo_rust.compose.updater.build_updater`; of a team, shared by its ranks.

    Args:
        team: The ranks; None: this process is alone.
        recipe: The settings.
        policy: From `load_rank_policy`.
        num_steps: Of the whole run.
        supervised: Whether demonstrations are imitated.
    """
    if team is None:
        from grpo.supervised import supervised_objective
        from grpo_rust.compose.updater import build_updater

        objective = supervised_objective() if supervised else None
        return build_updater(recipe, policy, num_steps=num_steps, objective=objective)
    from grpo_rust.ranks.together import build_shared_updater

    with team.order("build", num_steps, supervised):
        return build_shared_updater(team, recipe, policy, num_steps=num_steps, supervised=supervised)


def tell_directory(team: Team | None, path: Path) -> None:
    """Tell the other ranks where the run writes, once it is there: each has a log of its own in it.

    Raises: RankFailed, where one does not see it: its part of every checkpoint would be on another disk.
    """
    if team is not None:
        with team.order("log", path, (path / ENVIRONMENT).read_bytes()):
            team.raise_together(None)


def asked_of_ranks(team: Team | None) -> Callable[[], bool]:
    """Whether a rank on any machine was asked to stop; never for a process that is alone."""
    return lambda: team is not None and team.pulse.stop_asked


def describe_ranks(team: Team | None) -> list[str]:
    """Lines for a person. None for a process that is alone."""
    if team is None:
        return []
    return [f"ranks     {team.place.size}, which hold a share of weights and moments each; they write to rank-N.log"]
