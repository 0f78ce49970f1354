"""A rank that is not rank 0: it waits for orders, and makes the calls that rank 0 makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from grpo.checkpoint.updater_state import load_trainer_state
from grpo.distributed.team import END, Team
from grpo.distributed.updater import SharedUpdater
from grpo.model.batching import MicroBatch, TrainingSample
from grpo.watch.rehearsal import rehearse

__all__ = ["follow", "orders_of"]

Orders = Mapping[str, Callable[..., object]]


def follow(team: Team, orders: Callable[[], Orders], *, say: Callable[[str], None]) -> int:
    """Carry out orders until the last one; the exit code that comes with it.

    An error that all ranks agree on ends an order and nothing more.

    Args:
        team: This rank.
        orders: What each is, by name, asked before each one.
        say: Told the errors that all ranks agree on; rank 0 says them too.
    Raises:
        RankLost: When rank 0 is gone.
    """
    while True:
        name, arguments = team.next_order()
        if name == END:
            (code,) = arguments
            return int(code)
        try:
            with team.order(name):
                orders()[name](*arguments)
        except Exception as error:  # of any kind: a disk that is full is an OSError
            if error is not team.agreed:
                raise
            say(f"{name}: {error}")


def orders_of(updater: SharedUpdater) -> Orders:
    """What rank 0 may ask of an updater and its policy."""

    def logprobs(batch: MicroBatch, temperature: float) -> None:
        with torch.no_grad():
            updater.policy.completion_logprobs(batch.to(updater.policy.device), temperature=temperature)

    def rehearsal(samples: Sequence[TrainingSample]) -> None:
        rehearse(updater, samples)

    return {
        "update": updater.update,
        "kl_penalties": updater.kl_penalties,
        "rehearse": rehearsal,
        "logprobs": logprobs,
        "weights": updater.policy.weights,
        "snapshot": updater.policy.snapshot,
        "write_moments": updater.write_moments,
        "load_trainer_state": lambda checkpoint: load_trainer_state(checkpoint, updater),
    }
