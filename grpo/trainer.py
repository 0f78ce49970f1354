"""The training loop: a step of GRPO, its records, checkpoints and evaluations, again and again.

Everything that decides the weights is a function of recipe, seed and step, so a run that was stopped and resumed ends
with the weights of one that was not. Evaluation never touches the state that training uses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from grpo.advantages import ADVANTAGES, gdpo_advantages, zero_std
from grpo.checkpoint import save_checkpoint
from grpo.errors import HostFailed
from grpo.evaluate import Evaluation
from grpo.rollout.collect import reward_matrix, reward_parts
from grpo.rollout.records import RolloutBatch
from grpo.rollout.stream import RolloutStream
from grpo.run.directory import RunDirectory
from grpo.run.serialize import batch_metrics, completion_lines, evaluation_line, reward_lines
from grpo.timing import StepTimer
from grpo.update import Updater, training_samples

__all__ = ["NothingScored", "Schedule", "Trainer"]

MAX_UNSCORED_STEPS = 3  # in a row: one may be a passing failure of the host, three are a run that learns nothing


class NothingScored(HostFailed):
    """Step after step, not one completion could be scored."""


@dataclass(frozen=True)
class Schedule:
    """How long a run is, and what happens when; all in steps."""

    num_steps: int
    eval_every: int  # 0: only before the first step and after the last
    checkpoint_every: int  # 0: only at the end
    checkpoints_kept: int


@dataclass
class _Step:
    """What is known of a step; after a failure, what was known until then."""

    number: int
    batch: RolloutBatch = RolloutBatch((), {})
    rewards: Tensor = field(default_factory=lambda: torch.empty(0, 0))  # [P, G], NaN where a completion has none
    advantages: Tensor | None = None  # [P, G]
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class Trainer:
    """A run in progress: `train` runs it. The fields are what it works with."""

    rollouts: RolloutStream
    updater: Updater
    advantages: str  # a name of `grpo.advantages.ADVANTAGES`, or "gdpo"
    schedule: Schedule
    run: RunDirectory
    evaluate: Callable[[int], Evaluation] | None  # step -> evaluation of the current weights; None: none at all
    describe: Callable[[Evaluation], str]  # the result of an evaluation in one line
    config_toml: str  # the resolved recipe, for checkpoints
    unscored_steps: int = 0  # in a row, up to now
    seconds_before: float = 0.0  # that earlier sessions of a resumed run took
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the run has taken, over all its sessions."""
        return self.seconds_before + time.monotonic() - self.started

    def train(
        self,
        *,
        first_step: int,
        should_stop: Callable[[], bool],
        on_step: Callable[[int, Mapping[str, float]], None],
        say: Callable[[str], None],
    ) -> bool:
        """Train from `first_step` to the last; evaluate before the first step of a run and after the last.

        Args:
            first_step: 1 for a new run.
            should_stop: Asked after every step; True saves a checkpoint and ends early.
            on_step: Told every step's metrics.
            say: Told what takes long, as text for a person.
        Returns: True when the run is complete, False when it was stopped and can be resumed.
        Raises:
            NonFiniteLoss, NothingScored, EngineDied, WeightsDiffer: What is on disk by then stays.
        """
        self.rollouts.engine.say = say
        started = time.perf_counter()
        if self.rollouts.sync_weights().get("time/sync"):
            say(f"the engine has the weights ({time.perf_counter() - started:.1f} s)")
        self._evaluate_if_due(first_step - 1, say)
        for number in range(first_step, self.schedule.num_steps + 1):
            metrics = self._recorded_step(number)
            stopping = should_stop()
            if stopping or number == self.schedule.num_steps or _due(number, self.schedule.checkpoint_every):
                self._save_checkpoint(number)
            on_step(number, metrics)
            if stopping:
                return False
            self._evaluate_if_due(number, say)
        return True

    def _step(self, step: _Step) -> None:
        """One step of GRPO; the numbers are those of docs/algorithm.md."""
        step.batch = self.rollouts.next_batch(step.number)  # 1. prompts  2. a group of completions each  3. grades
        step.rewards = reward_matrix(step.batch.groups)  # 4. weighted sums [P, G]
        step.advantages = self._advantages(step)  # 5. each reward compared with those of its group [P, G]
        samples = training_samples(step.batch.groups, step.advantages)
        step.metrics |= self.updater.update(samples)  # 6. log-probs  7. loss and KL  8. token weights  9. step
        step.metrics |= self.rollouts.sync_weights()  # the engine samples from the new policy

    def _advantages(self, step: _Step) -> Tensor:
        """Advantages [P, G] of a graded batch; a KL that is part of the reward is subtracted first."""
        groups, rewards = step.batch.groups, step.rewards
        if self.advantages == "gdpo":
            paid = {name: weight for name, weight in self.rollouts.grader.weights.items() if weight}
            return gdpo_advantages(reward_parts(groups, list(paid)), torch.tensor(list(paid.values())))
        if self.updater.objective.kl_in_reward:
            rewards, step.metrics["kl/reference"] = self.updater.charge_kl(groups, rewards)
        return ADVANTAGES[self.advantages](rewards)

    def _recorded_step(self, number: int) -> dict[str, float]:
        """A step, its time and its logs; completions are logged even when it fails."""
        grader, version = self.rollouts.grader, self.updater.updates
        busy = {"engine": lambda: self.rollouts.busy_s, "sandbox": grader.busy, "trainer": lambda: self.updater.busy_s}
        timer, step = StepTimer(busy), _Step(number)
        try:
            self._step(step)
        finally:
            if step.batch.groups:
                self._log_completions(step)
        self._refuse_to_learn_nothing(step)
        times = timer.metrics()
        metrics = {
            **step.metrics,
            **batch_metrics(step.batch.groups, policy_version=version, seconds=times["time/step"]),
            **_reward_metrics(step.rewards),
            **step.batch.metrics,
            **times,
            "time/wait_engine": step.batch.metrics["time/wait_engine"] + step.metrics["time/wait_engine"],
        }
        if step.advantages is not None:
            metrics["advantage/std"] = float(step.advantages.std())
        self.run.log_metrics(number, metrics)
        return metrics

    def _log_completions(self, step: _Step) -> None:
        groups, advantages = step.batch.groups, step.advantages
        self.run.log_completions(
            completion_lines(
                groups,
                step=step.number,
                phase="train",
                advantages=None if advantages is None else advantages.tolist(),
            )
        )
        self.run.log_rewards(reward_lines(groups, step=step.number))

    def _refuse_to_learn_nothing(self, step: _Step) -> None:
        """Raise NothingScored after a few steps in a row without any reward."""
        self.unscored_steps = self.unscored_steps + 1 if step.rewards.isnan().all() else 0
        if self.unscored_steps == MAX_UNSCORED_STEPS:
            raise NothingScored(
                f"no completion of steps {step.number - MAX_UNSCORED_STEPS + 1} to {step.number} could be scored: the "
                "grader failed each time, which the log explains, or no reward applies to these completions. Repair "
                "that, then go on from the last checkpoint with run.resume=true"
            )

    def _evaluate_if_due(self, step: int, say: Callable[[str], None]) -> None:
        """Evaluate the weights after `step` and record it, unless it is not due or was done before a resume."""
        due = step in (0, self.schedule.num_steps) or _due(step, self.schedule.eval_every)
        done = any(line["step"] == step for line in self.run.evaluations())
        if self.evaluate is None or not due or done:
            return
        say(f"evaluating the weights after step {step}")
        evaluate = self.evaluate
        evaluation = self.rollouts.engine.with_restart(lambda: evaluate(step))
        size = f"{evaluation.num_prompts} prompts x {evaluation.num_samples}"
        say(f"{self.describe(evaluation)} ({size}, {evaluation.seconds:.0f} s)")
        self.run.log_completions(completion_lines(evaluation.groups, step=step, phase="eval"))
        self.run.log_evaluation(evaluation_line(evaluation, step=step))

    def _save_checkpoint(self, step: int) -> None:
        save_checkpoint(
            self.run.checkpoints,
            step=step,
            updater=self.updater,
            progress={**self.rollouts.progress(), "seconds": round(self.seconds, 3)},
            config_toml=self.config_toml,
            keep=self.schedule.checkpoints_kept,
        )


def _reward_metrics(rewards: Tensor) -> dict[str, float]:
    """The spread of rewards [P, G]: over the scored completions, and the share of groups without any."""
    scored = rewards[~rewards.isnan()]
    metrics = {"groups/zero_std": float(zero_std(rewards).float().mean())}
    if len(scored) > 1:
        metrics |= {"reward/mean": float(scored.mean()), "reward/std": float(scored.std())}
    return metrics


def _due(step: int, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) happens after this one."""
    return every > 0 and step > 0 and step % every == 0
