"""The ranks that are not rank 0: no prompts, no engine, no grading and no terminal, only a shard of the training.

They pass the signals that ask a run to stop on to rank 0, which may be on another machine: it finishes its step with
them, saves, and lets them end.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from grpo.distributed.following import follow, orders_of
from grpo.distributed.meeting import RankLost
from grpo.distributed.place import place_of
from grpo.distributed.team import Team
from grpo.distributed.updater import SharedUpdater
from grpo.errors import BadInput, GrpoError
from grpo.model.policy import Policy
from grpo.run.directory import ENVIRONMENT
from grpo_rust.cli import ExitCode
from grpo_rust.ranks.joining import join
from grpo_rust.ranks.together import build_shared_updater, load_sharded_policy
from grpo_rust.recipe import Recipe

__all__ = ["follow_run"]

STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
SEEN_S = 30.0  # until a folder that machines share shows what another one has written


def follow_run(recipe: Recipe, *, supervised: bool = False) -> int:
    """Take part in a run until rank 0 ends it; the exit code: that of rank 0 where it fails, also by itself alone.

    What all ranks refuse, rank 0 says.

    Args:
        recipe: As this rank reads it; rank 0 has to have the same.
        supervised: Whether demonstrations are imitated.
    """
    place = place_of()
    assert place is not None
    try:
        team = join(recipe, place, supervised=supervised)
    except RankLost as error:
        print(error, file=sys.stderr, flush=True)
        return ExitCode.HOST_FAILED
    except GrpoError as error:  # rank 0 knows it, and says it
        return ExitCode.BAD_INPUT if isinstance(error, BadInput) else ExitCode.HOST_FAILED
    _pass_signals_on(team)
    followed = _Followed(team)
    try:
        if code := follow(team, followed.orders, say=followed.say):
            team.outlast_first()
        team.close()
    finally:
        team.pulse.close()
    return code


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

    def _log(self, directory: Path, environment: bytes) -> None:
        """Write all output to the rank's own log from now on, in a directory that every rank sees."""
        problem = None
        if not _holds(directory / ENVIRONMENT, environment):
            problem = BadInput(
                f"rank {self._team.place.rank} on {platform.node()} does not see the run's directory {directory}, "
                "where every rank writes its part of a checkpoint: give run.dir a folder that all machines share, by "
                "its whole path"
            )
        self._team.raise_together(problem)
        log = os.open(directory / f"rank-{self._team.place.rank}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        self._has_log = True


def _pass_signals_on(team: Team) -> None:
    """Have a thread tell rank 0 that somebody asks the run to stop: the main thread may wait where no handler runs."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda number, frame: None)

    def listen() -> None:
        while not set(os.read(reading, 16)) & STOPPING:
            pass
        team.pulse.ask_to_stop()

    threading.Thread(target=listen, daemon=True, name="signals").start()


def _holds(file: Path, content: bytes) -> bool:
    """Whether a file is there with a content, or comes to be within `SEEN_S`: shared folders may be late."""
    until = time.monotonic() + SEEN_S
    while True:
        with suppress(OSError):
            if file.read_bytes() == content:
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
