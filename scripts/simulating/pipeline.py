"""A run as it goes through time: the trainer's loop, the batches that are sampled ahead of it, and their grading.

The order is that of `grpo.trainer`, `grpo.rollout.stream` and `grpo.rollout.prefetch`: a step waits for its batch,
begins to sample those after it, waits for the grades, replaces zero_std groups where it may, trains, and gives the
engines new weights once nothing is being sampled, or in the middle of it (`partial`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from grpo_rust.scaling.division import Division
from simulating.costs import PipelineCosts
from simulating.decoding import InterruptibleEngine, completion_ends, deal
from simulating.events import Event, Process, Simulation, Work
from simulating.grading import GradingWorkers
from simulating.places import Places

__all__ = ["PARTS", "Shape", "SimulatedRun"]

Lengths = np.ndarray[tuple[int], np.dtype[np.int64]]  # of completions, in tokens
PARTS = ("sampling", "grading", "training", "new weights", "the trainer's process")  # what the loop waits for, or does


@dataclass(frozen=True)
class Shape:
    """The settings of a recipe that decide who waits for whom, and the machines that it runs on."""

    prompts: int  # of a step
    group_size: int
    overlap: int  # batches sampled ahead
    partial: bool  # whether batches in flight share the engines, which new weights interrupt
    refill_rounds: int
    concurrent: bool  # whether the engine samples beside the trainer
    skips_zero_std: bool
    passes: int  # over a batch
    jobs: int
    batch_size: int  # the most programs that are graded together
    division: Division
    cores: int
    on_gpus: bool
    threads: int = 1


@dataclass
class _Batch:
    """Groups of a step, all of them sampled and graded at some time."""

    lengths: Lengths
    sampled: Event = field(default_factory=Event)
    graded: Event = field(default_factory=Event)
    ungraded: int = 0  # groups


@dataclass
class _Group:
    """Completions to one prompt."""

    size: int
    ungraded: int


class SimulatedRun:
    """One run; `run` lets it happen, and the lists say then what happened, step by step."""

    def __init__(self, shape: Shape, costs: PipelineCosts, *, steps: int, seed: int) -> None:
        """
        Args:
            shape: Who waits for whom, and where.
            costs: How long everything takes.
            steps: How many.
            seed: Of what is drawn.
        """
        self.shape, self.costs, self.steps = shape, costs, steps
        self.ends: list[float] = []  # of the steps
        self.spent: list[dict[str, float]] = []  # seconds of each step by PARTS
        self.used: list[dict[str, float]] = []  # of each resource up to the end of each step, in seconds x how many
        self.places = Places(shape.division, shape.cores, shape.on_gpus, shape.threads)
        self.simulation = Simulation(self.places.lanes, self.places.set_speeds)
        self._random = np.random.default_rng(seed)
        self.workers = GradingWorkers(
            self.simulation,
            self.places.workers,
            costs,
            self._random,
            jobs=shape.jobs,
            batch_size=shape.batch_size,
            occupy=self.places.occupy,
        )
        self._zero_std = costs.zero_std_share(shape.group_size, self._random)
        self._in_flight: deque[_Batch] = deque()
        self._started = 0
        self._calls: deque[_Batch] = deque()  # batches that wait for the engines
        self._sampling = False
        self._shared = [self._shared_engine() for _ in range(shape.division.engines if shape.partial else 0)]

    def run(self) -> None:
        """Let it happen."""
        self.simulation.run(self.simulation.start(self._training()))

    def _training(self) -> Process:
        """The trainer's loop."""
        for step in range(self.steps):
            began, spent = self.simulation.now, dict.fromkeys(PARTS, 0.0)
            if not self._in_flight:
                self._start(self.shape.prompts)
            batch = self._in_flight[0]
            if self.shape.partial and not self.shape.refill_rounds:
                yield from self._look_ahead(step, spent)
            for engine in self._shared:
                engine.go_on()
            yield from self._timed(batch.sampled, "sampling", spent)
            if not self.shape.refill_rounds:
                yield from self._look_ahead(step, spent)
            yield from self._graded(batch, spent)
            groups = self._random.random(self.shape.prompts) >= self._zero_std
            if self.shape.refill_rounds:
                yield from self._refill(groups, spent)
                yield from self._look_ahead(step, spent)
            self._in_flight.popleft()
            yield from self._update(batch, groups, spent)
            for engine in self._shared:
                engine.stand_still()
            for ahead in [] if self.shape.partial else self._in_flight:
                yield from self._timed(ahead.sampled, "sampling", spent)
            yield from self._timed(Work(self.places.wire, self.costs.weights_s), "new weights", spent)
            spent["the trainer's process"] = self.simulation.now - began - sum(spent.values())
            self.ends.append(self.simulation.now)
            self.spent.append(spent)
            meters = {"trainer": self.places.training, "engines": self.places.sampling, "workers": self.workers.busy}
            self.used.append({name: meter.total(self.simulation.now) for name, meter in meters.items()})

    def _timed(self, awaited: Event | Work, part: str, spent: dict[str, float]) -> Process:
        """Wait for something, and add the seconds to a part of the step."""
        began = self.simulation.now
        yield awaited
        spent[part] += self.simulation.now - began

    def _look_ahead(self, step: int, spent: dict[str, float]) -> Process:
        """Begin to sample the batches that may be ahead of a step; wait for them where the trainer samples itself."""
        while self._started < min(step + self.shape.overlap + 1, self.steps):
            self._start(self.shape.prompts)
            if not self.shape.concurrent:
                yield from self._timed(self._in_flight[-1].sampled, "sampling", spent)

    def _graded(self, batch: _Batch, spent: dict[str, float]) -> Process:
        """Wait for the grades of a batch, and read them."""
        yield from self._timed(batch.graded, "grading", spent)
        self.places.host(1)
        yield Work(self.places.workers if not self.shape.on_gpus else self.places.wire, self._host_s(batch))
        self.places.host(-1)

    def _host_s(self, batch: _Batch) -> float:
        return self.costs.host_s * len(batch.lengths)

    def _refill(self, groups: np.ndarray[tuple[int], np.dtype[np.bool_]], spent: dict[str, float]) -> Process:
        """Sample and grade fresh groups in place of those without spread."""
        for _ in range(self.shape.refill_rounds):
            missing = np.flatnonzero(~groups)
            if not len(missing):
                return
            fresh = _Batch(self._lengths(len(missing)))
            self._sample(fresh)
            yield from self._timed(fresh.sampled, "sampling", spent)
            yield from self._graded(fresh, spent)
            groups[missing] = self._random.random(len(missing)) >= self._zero_std

    def _update(
        self, batch: _Batch, groups: np.ndarray[tuple[int], np.dtype[np.bool_]], spent: dict[str, float]
    ) -> Process:
        """Train on a batch; groups without spread are left out where the recipe says so."""
        kept = groups | ~np.bool_(self.shape.skips_zero_std or self.shape.refill_rounds > 0)
        tokens = int(batch.lengths[np.repeat(kept, self.shape.group_size)].sum()) * self.shape.passes
        self.places.train(1, self.simulation.now)
        yield from self._timed(Work(self.places.trainer, self.costs.training_s(tokens)), "training", spent)
        self.places.train(-1, self.simulation.now)

    def _lengths(self, groups: int) -> Lengths:
        """Lengths for the completions of so many groups."""
        return self.costs.draw_lengths(groups, self.shape.group_size, self._random).ravel()

    def _start(self, groups: int) -> None:
        """Put a batch of new prompts in flight."""
        self._started += 1
        self._in_flight.append(_Batch(self._lengths(groups)))
        self._sample(self._in_flight[-1])

    def _sample(self, batch: _Batch) -> None:
        """Have a batch sampled when the engines have done what they were asked before."""
        batch.ungraded = len(batch.lengths) // self.shape.group_size
        if self.shape.partial:
            self.simulation.start(self._divided(batch))
            return
        self._calls.append(batch)
        if not self._sampling:
            self.simulation.start(self._engines())

    def _engines(self) -> Process:
        """The engines: one batch after the other, divided among all of them."""
        self._sampling = True
        while self._calls:
            yield from self._divided(self._calls.popleft())
        self._sampling = False

    def _divided(self, batch: _Batch) -> Process:
        """Sample a batch: every engine its share of the groups."""
        size = self.shape.group_size
        shares = deal(len(batch.lengths) // size, self.shape.division.engines)
        ended = []
        for engine, share in enumerate(shares):
            lengths = batch.lengths[np.add.outer(np.array(share) * size, range(size)).ravel()]
            ended.append(self._share(engine, batch, lengths) if self.shape.partial else self._call(batch, lengths))
        for one in ended:
            yield one
        batch.sampled.happen()

    def _call(self, batch: _Batch, lengths: Lengths) -> Event:
        """Sample a share of a batch by a call of its own; what happens when all completions have ended."""
        ends = completion_ends(lengths, self.costs.decoding)
        ended = Event()

        def finished() -> None:
            self.places.sample(-1, self.simulation.now)
            ended.happen()

        self.places.sample(1, self.simulation.now)
        groups = self._groups(len(lengths))
        for number, seconds in enumerate(ends.tolist()):
            group = groups[number // self.shape.group_size]
            self.simulation.after(self.places.engines, seconds, partial(self._grade, batch, group))
        self.simulation.after(self.places.engines, float(ends.max()), finished)
        return ended

    def _share(self, engine: int, batch: _Batch, lengths: Lengths) -> Event:
        """The same by an engine that does it beside what it was asked before."""
        ended, left = Event(), len(lengths)
        groups = self._groups(len(lengths))

        def finished() -> None:
            nonlocal left
            left -= 1
            self._grade(batch, groups[left // self.shape.group_size])  # which one it was, the engine does not say
            if not left:
                ended.happen()

        self._shared[engine].add(lengths.tolist(), finished)
        return ended

    def _groups(self, completions: int) -> list[_Group]:
        size = self.shape.group_size
        return [_Group(size, size) for _ in range(completions // size)]

    def _shared_engine(self) -> InterruptibleEngine:
        """An engine that stands still until a step begins."""
        engine = InterruptibleEngine(
            self.simulation,
            self.places.engines,
            self.costs.decoding,
            lambda change: self.places.sample(change, self.simulation.now),
        )
        engine.stand_still()
        return engine

    def _grade(self, batch: _Batch, group: _Group) -> None:
        """Give a completion that has ended to the workers, and its group once all of it is graded."""

        def graded() -> None:
            group.ungraded -= 1
            if group.ungraded:
                return
            if seconds := self.costs.crossing_s(group.size):
                self.workers.cross(seconds, crossed)
            else:
                crossed()

        def crossed() -> None:
            batch.ungraded -= 1
            if not batch.ungraded:
                batch.graded.happen()

        self.workers.submit(graded)
