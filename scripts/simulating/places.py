"""Where the parts of a pipeline run, and how they slow each other, on cores and on GPUs.

On CPUs trainer, engines and workers are threads, and more threads than cores share the cores alike. On GPUs an engine
beside a trainer has half of its GPU while both are at work (time slices), which all ranks wait for, and cores are for
the workers alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grpo_rust.scaling.division import Division
from simulating.events import Lane, Meter

__all__ = ["Places"]

SHARED_SPEED = 0.5  # of engine and trainer on one GPU, both at work


@dataclass
class Places:
    """Lanes of trainer, engines and workers, with what is in use of each."""

    division: Division
    cores: int
    on_gpus: bool
    trainer_threads: int = 1  # of the trainer's process and of an engine's, on CPUs
    workers: Lane = field(default_factory=Lane)
    wire: Lane = field(default_factory=Lane)  # weights on their way
    training: Meter = field(default_factory=Meter)
    sampling: Meter = field(default_factory=Meter)  # engines at work
    threads: float = 0.0  # that ask for a core

    def __post_init__(self) -> None:
        self.trainer = Lane() if self.on_gpus else self.workers
        self.engines = Lane() if self.on_gpus else self.workers

    @property
    def lanes(self) -> list[Lane]:
        """Each lane once."""
        several = [self.workers, self.wire, self.trainer, self.engines]
        return [lane for place, lane in enumerate(several) if not any(lane is other for other in several[:place])]

    def occupy(self, threads: float) -> None:
        """So many threads more ask for a core."""
        self.threads += threads

    def train(self, change: int, now: float) -> None:
        """The trainer begins its update (1), or has ended it (-1)."""
        self.training.change(change, now)
        self.host(change)

    def sample(self, change: int, now: float) -> None:
        """An engine begins to sample, or has ended it."""
        self.sampling.change(change, now)
        self.host(change)

    def host(self, change: int) -> None:
        """A process that computes on the cores, where there are no GPUs, begins or has ended to."""
        if not self.on_gpus:
            self.threads += change * self.trainer_threads

    def set_speeds(self) -> None:
        """The speed of each lane, by what is in use."""
        self.workers.speed = min(1.0, self.cores / max(1.0, self.threads))
        if self.on_gpus:
            both = self.division.shared and self.training.level > 0 and self.sampling.level > 0
            self.trainer.speed = self.engines.speed = SHARED_SPEED if both else 1.0
