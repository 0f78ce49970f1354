"""Graded batches, in order, a number of them sampled ahead of the one that the trainer learns from.

With `ahead` = 0 a batch is sampled from the weights that learn from it, and its grading hides behind its own decoding.
With n the weights are n batches older, and grading hides behind sampling and training too; an engine in a process of
its own then samples while the trainer updates. Batch k is always sampled from the weights after step k - 1 - n, however
fast anything runs, so a run is a function of its recipe. Batches in flight are a part of a checkpoint.

Here groups without spread are replaced by fresh prompts before anything is spent on them, completions from too old weights
are taken out, and an engine that dies is started again, once.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from grpo.advantages import zero_std
from grpo.engines import Engine, EngineDied
from grpo.model.policy import Policy
from grpo.rollout.collect import PendingRollout, collect, reward_matrix, sample, seed_for
from grpo.rollout.prompts import DataError, PromptStream
from grpo.rollout.records import Completion, Example, Grader, Group

__all__ = ["Batch", "Pipeline"]

STRICT = "test_strict"  # the check that says whether a completion solves its prompt
Result = TypeVar("Result")


@dataclass(frozen=True)
class Batch:
    """The groups that a step learns from, and what they cost (metrics)."""

    groups: tuple[Group, ...]
    metrics: Mapping[str, float]


@dataclass
class _Flight:
    """A batch on its way: what was asked, and the completions when they are there."""

    step: int
    examples: Sequence[Example]
    name: str
    seed: int
    sampling: Future[PendingRollout]


@dataclass
class _Clock:
    """How long something that happens once at a time has been going on, up to now."""

    _before: float = 0.0
    _since: float | None = None

    @property
    def seconds(self) -> float:
        since = self._since
        return self._before + (0.0 if since is None else time.perf_counter() - since)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the seconds inside."""
        self._since = time.perf_counter()
        try:
            yield
        finally:
            self._before, self._since = self.seconds, None


@dataclass
class Pipeline:
    """Where the trainer's batches come from. `close` ends its thread; the engine is its owner's to close."""

    policy: Policy
    engine: Engine
    grader: Grader
    prompts: PromptStream
    prompt_ids: Mapping[str, tuple[int, ...]]  # by example id
    sync: Callable[[], Mapping[str, float]] | None  # brings the weights to the engine; None: it has the policy's own
    version: Callable[[], int]  # number of weight updates so far
    seed: int
    num_steps: int
    prompts_per_step: int
    group_size: int
    max_tokens: int
    temperature: float
    ahead: int = 0
    max_staleness: int = 0  # updates between sampling and use; 0: no bound
    refill_rounds: int = 0  # how often groups without spread are replaced; 0: never
    sleeps: bool = False  # whether the engine gives its memory away between a batch and the next weights; ahead is 0
    say: Callable[[str], None] = print
    _flights: deque[_Flight] = field(default_factory=deque)
    _died: bool = False  # since the last batch that was complete
    _busy: _Clock = field(default_factory=_Clock)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "sampling"))

    def take(self, step: int) -> Batch:
        """The batch of a step, graded; sampling of the next ones is started before its grades are waited for.

        An engine that `sleeps` is asleep afterwards, until `weights_changed`.

        Raises: EngineDied when a restarted engine dies again; WeightsDiffer.
        """
        started = time.perf_counter()
        if not self._flights:
            self._start(step)
        current = self._flights[0]
        sampling = self._landed(current)
        if not self.refill_rounds:  # else fresh prompts for this batch come first: the engine does one thing at a time
            self._look_ahead(step)
        waited = time.perf_counter() - started  # an engine that samples with the trainer's weights looks ahead at once
        rollout = collect(sampling, self.grader)
        metrics = {
            "time/generate": rollout.generate_s,
            "time/wait_engine": waited,
            "time/wait_rewards": rollout.wait_rewards_s,
        }
        self._note(rollout.groups)
        groups, stale = self._fresh(rollout.groups)
        metrics["policy/stale"] = float(stale)
        if self.refill_rounds:
            groups = self._refilled(groups, step, metrics)
            started = time.perf_counter()
            self._look_ahead(step)
            metrics["time/wait_engine"] += time.perf_counter() - started
        self._flights.popleft()
        if self.sleeps:
            self.surviving(self.engine.sleep)
        self._died = False
        return Batch(tuple(groups), metrics)

    def weights_changed(self) -> dict[str, float]:
        """Bring the trainer's weights to the engine, once what it is sampling has landed; the metrics of that."""
        started = time.perf_counter()
        for flight in self._flights:
            self._landed(flight)
        waited = time.perf_counter() - started
        self._make_room()
        synced = self.surviving(self.sync) if self.sync else {}
        return {**synced, "time/wait_engine": waited}

    @property
    def busy_s(self) -> float:
        """Seconds that the engine has sampled batches so far."""
        return self._busy.seconds

    def surviving(self, action: Callable[[], Result]) -> Result:
        """Do something with the engine; should it die, start it again from the current weights and do it once more."""
        try:
            return action()
        except EngineDied as error:
            self._revive(error)
            return action()

    def progress(self) -> dict[str, Any]:
        """What a checkpoint has to keep, as plain JSON values; completions that nothing was learned from yet too."""
        flights = [
            {
                "step": flight.step,
                "examples": [example.id for example in flight.examples],
                "completions": [
                    [
                        *slot,
                        completion.id,
                        completion.token_ids,
                        completion.sampler_logprobs,
                        completion.terminated,
                        completion.policy_version,
                    ]
                    for slot, completion in sorted(self._landed(flight).completions.items())
                ],
            }
            for flight in self._flights
        ]
        return {
            "prompts_drawn": self.prompts.position,
            "zero_std_prompts": sorted(self.prompts.zero_std),
            "in_flight": flights,
        }

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Go on where `progress` was taken; completions in flight are graded again.

        Raises: DataError when prompts of theirs are gone.
        """
        self.prompts.position = progress["prompts_drawn"]
        self.prompts.zero_std = set(progress.get("zero_std_prompts", ()))
        for batch in progress.get("in_flight", ()):
            lost = [name for name in batch["examples"] if name not in self.prompts.by_id]
            if lost:
                raise DataError(
                    f"the checkpoint has completions to prompts that data.train lacks now ({', '.join(lost[:3])}):"
                    " resume with the data and limits that the run began with"
                )
            examples = [self.prompts.by_id[name] for name in batch["examples"]]
            completions, tickets = {}, {}
            for prompt, number, name, token_ids, logprobs, terminated, version in batch["completions"]:
                slot = (prompt, number)
                text = self.policy.decode(token_ids)
                completions[slot] = Completion(name, tuple(token_ids), tuple(logprobs), text, terminated, version)
                tickets[slot] = self.grader.start(examples[prompt], completions[slot])
            landed: Future[PendingRollout] = Future()
            prompts = [self.prompt_ids[example.id] for example in examples]
            landed.set_result(PendingRollout(examples, prompts, completions, tickets, 0.0))
            self._flights.append(_Flight(batch["step"], examples, *self._name_and_seed(batch["step"], 0), landed))

    def close(self) -> None:
        """End the thread, after what it is sampling."""
        self._thread.shutdown(cancel_futures=True)

    def _look_ahead(self, step: int) -> None:
        """Begin to sample the batches that a step is allowed to have ahead of it."""
        while self._flights[-1].step < min(step + self.ahead, self.num_steps):
            self._start(self._flights[-1].step + 1)

    def _start(self, step: int) -> None:
        """Begin to sample a batch."""
        examples = self.prompts.take(self.prompts_per_step)
        name, seed = self._name_and_seed(step, 0)
        self._flights.append(_Flight(step, examples, name, seed, self._sampled(examples, name, seed)))

    def _name_and_seed(self, step: int, round_number: int) -> tuple[str, int]:
        """The prefix of the completions' ids, and the seed that they are sampled with."""
        if not round_number:
            return f"s{step}", seed_for(self.seed, "train", step)
        return f"s{step}.{round_number}", seed_for(self.seed, "train", step, round_number)

    def _sampled(self, examples: Sequence[Example], name: str, seed: int) -> Future[PendingRollout]:
        """Completions to examples: at once, or beside the trainer where the engine can do that."""
        settings: dict[str, Any] = {
            "name": name,
            "group_size": self.group_size,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": seed,
            "policy_version": self.version(),
        }

        def sampling() -> PendingRollout:
            with self._busy.running():
                return sample(self.engine, self.grader, self.policy, examples, self.prompt_ids, **settings)

        if self.engine.concurrent:
            return self._thread.submit(sampling)
        landed: Future[PendingRollout] = Future()
        try:
            landed.set_result(sampling())
        except EngineDied as error:
            landed.set_exception(error)
        return landed

    def _landed(self, flight: _Flight) -> PendingRollout:
        """The completions of a batch, waited for."""
        return self.surviving(lambda: flight.sampling.result())

    def _revive(self, error: EngineDied) -> None:
        """Start the engine again, and sample again what it did not finish."""
        if self._died:
            raise error
        self._died = True
        self.say(f"{error}\nstarting the engine again; the batch is sampled again from the current weights")
        lost = [flight for flight in self._flights if isinstance(flight.sampling.exception(), EngineDied)]
        self._make_room()
        self.engine.restart()
        if self.sync:
            self.sync()
        for flight in lost:
            flight.sampling = self._sampled(flight.examples, flight.name, flight.seed)

    def _make_room(self) -> None:
        """Give the device what the last update needed and keeps: an engine with weights of its own needs it now."""
        if self.sync and self.policy.device.type == "cuda":
            torch.cuda.empty_cache()

    def _fresh(self, groups: Sequence[Group]) -> tuple[list[Group], int]:
        """Groups whose completions from too old weights have no reward; and the number of such completions."""
        if not self.max_staleness:
            return list(groups), 0
        oldest = self.version() - self.max_staleness
        kept, stale = [], 0
        for group in groups:
            old = [completion.policy_version < oldest for completion in group.completions]
            stale += sum(old)
            rewards = [None if is_old else reward for is_old, reward in zip(old, group.rewards, strict=True)]
            kept.append(dataclasses.replace(group, rewards=tuple(rewards)))
        return kept, stale

    def _note(self, groups: Sequence[Group]) -> None:
        """Remember which prompts had nothing to teach."""
        kept, dull = _by_spread(groups)
        self.prompts.zero_std -= {group.example.id for group in kept}
        self.prompts.zero_std |= {group.example.id for group in dull}

    def _refilled(self, groups: list[Group], step: int, metrics: dict[str, float]) -> list[Group]:
        """Groups with spread, as many as there are prompts in a step, or what some rounds of fresh prompts gave."""
        reasons: Counter[str] = Counter({reason: 0 for reason in ("solved", "unsolved", "equal", "unscored")})
        kept, dull = _by_spread(groups)
        for round_number in range(1, self.refill_rounds + 1):
            reasons.update(map(_zero_std_reason, dull))
            missing = self.prompts_per_step - len(kept)
            if not missing:
                break
            examples = self.prompts.take(missing)
            started = time.perf_counter()
            sampled = self._sampled_now(examples, *self._name_and_seed(step, round_number))
            metrics["time/wait_engine"] += time.perf_counter() - started
            rollout = collect(sampled, self.grader)
            metrics["time/generate"] += rollout.generate_s
            metrics["time/wait_rewards"] += rollout.wait_rewards_s
            metrics["groups/rounds"] = float(round_number)
            self._note(rollout.groups)
            more, dull = _by_spread(rollout.groups)
            kept += more
        else:
            reasons.update(map(_zero_std_reason, dull))
        metrics |= {f"groups/dropped_{reason}": float(count) for reason, count in reasons.items()}
        metrics.setdefault("groups/rounds", 0.0)
        return kept or dull  # a step that learns nothing is still a step, and shows in the metrics

    def _sampled_now(self, examples: Sequence[Example], name: str, seed: int) -> PendingRollout:
        """Completions to examples, waited for."""
        return self.surviving(lambda: self._sampled(examples, name, seed).result())


def _by_spread(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """The groups that have something to teach, and the others."""
    dull = zero_std(reward_matrix(groups)).tolist()
    with_spread = [group for group, is_dull in zip(groups, dull, strict=True) if not is_dull]
    return with_spread, [group for group, is_dull in zip(groups, dull, strict=True) if is_dull]


def _zero_std_reason(group: Group) -> str:
    """Why a group has no spread: every completion solves its prompt, none does, or they are merely paid alike."""
    if sum(reward is not None for reward in group.rewards) < 2:
        return "unscored"
    solved = {grade.checks.get(STRICT) for grade in group.grades}
    return "solved" if solved == {1.0} else "unsolved" if solved == {0.0} else "equal"
