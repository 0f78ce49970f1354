"""The ranks that are not rank 0: no prompts, no engine, no grading and no terminal, only a shard of the training.

They ignore the signals that ask a run to stop: rank 0 hears them too, finishes its step with them, and lets them end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from grpo.distributed.following import follow, orders_of
from grpo.distributed.place import place_of
from grpo.distributed.team import Team
from grpo.distributed.updater import SharedUpdater
from grpo.errors import GrpoError
from grpo.model.policy import Policy
from grpo_rust.cli import ExitCode
from grpo_rust.ranks.joining import join
from grpo_rust.ranks.together import build_shared_updater, load_sharded_policy
from grpo_rust.recipe import Recipe

__all__ = ["follow_run"]


def follow_run(recipe: Recipe) -> int:
    """Take part in a run until rank 0 ends it; the exit code. What all ranks refuse, rank 0 says.

    Args:
        recipe: As this rank reads it; rank 0 has to have the same.
    """
    place = place_of()
    assert place is not None
    try:
        team = join(recipe, place)
    except GrpoError as error:
        print(f"rank {place.rank}: {error}", file=sys.stderr, flush=True)
        return ExitCode.BAD_INPUT
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    followed = _Followed(team)
    follow(team, followed.orders, say=followed.say)
    team.close()
    return ExitCode.DONE


class _Followed:
    """What a rank has of the run, and the orders that it understands by now."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._recipe: Recipe | None = None
        self._policy: Policy | None = None
        self._updater: SharedUpdater | None = None
        self._has_log = False

    def say(self, text: str) -> None:
        """Into the rank's own log; not to the terminal, which is rank 0's."""
        if self._has_log:
            print(text, flush=True)

    def orders(self) -> Mapping[str, Callable[..., object]]:
        """Those of building the run, and once it is built those of its updater."""
        own: dict[str, Callable[..., object]] = {"load": self._load, "build": self._build, "log": self._log}
        return own if self._updater is None else {**own, **orders_of(self._updater)}

    def _load(self, recipe: Recipe, checkpoint: Path | None) -> None:
        self._recipe = recipe
        self._policy = load_sharded_policy(self._team, recipe, checkpoint)

    def _build(self, num_steps: int, supervised: bool) -> None:
        assert self._recipe is not None and self._policy is not None
        self._updater = build_shared_updater(
            self._team, self._recipe, self._policy, num_steps=num_steps, supervised=supervised
        )

    def _log(self, directory: Path) -> None:
        """Write all output to the rank's own log from now on."""
        directory.mkdir(parents=True, exist_ok=True)  # another machine's may not see rank 0's
        log = os.open(directory / f"rank-{self._team.place.rank}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        self._has_log = True
