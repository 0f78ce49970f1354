"""The training loop: evaluate, then a batch, an update, a record, again and again; evaluate at the end.

Everything that decides the weights is a function of recipe, seed and step, so a run that was stopped and resumed ends
with the weights of one that was not. Evaluation never touches the state that training uses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from grpo.advantages import ADVANTAGES, gdpo_advantages, zero_std
from grpo.checkpoint import save_checkpoint
from grpo.errors import HostFailed
from grpo.evaluate import Evaluation
from grpo.model.policy import Policy, cpu_threads
from grpo.rollout.collect import reward_matrix, reward_parts
from grpo.rollout.prefetch import Pipeline
from grpo.rollout.records import Group
from grpo.run.directory import RunDirectory
from grpo.run.serialize import batch_metrics, completion_lines, evaluation_line, reward_lines
from grpo.update import Updater, samples_from_groups

__all__ = ["NothingScored", "Trainer"]

NOT_RATES = ("asserts", "length_mean", "reward_mean")
MAX_UNSCORED_STEPS = 3  # in a row: one may be a hiccup of the host, three are a run that learns nothing


class NothingScored(HostFailed):
    """Step after step, not one completion could be scored."""


@dataclass
class Trainer:
    """A run in progress. `train` does the work; the fields are what it works with."""

    policy: Policy
    pipeline: Pipeline
    updater: Updater
    evaluate: Callable[[int], Evaluation] | None  # step -> evaluation of the current weights; None: none at all
    run: RunDirectory
    num_steps: int
    advantages: str
    eval_every: int  # steps; 0 = only before and after
    checkpoint_every: int  # steps; 0 = only at the end
    checkpoints_kept: int
    config_toml: str
    update_threads: int = 0  # CPU threads of torch while the sandbox has nothing to do; 0: as many as in sampling
    unscored_steps: int = 0  # in a row, up to now
    seconds_before: float = 0.0  # what earlier sessions of a resumed run took
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
        """Train from `first_step` (1 for a new run) to `num_steps`; evaluate before the first step and after the last.

        Args: should_stop, asked after every step: True saves a checkpoint and ends early; on_step, told of every step's
            metrics; say, told in words what takes long.
        Returns: True when the run is complete, False when it was stopped and can be resumed.
        Raises: NonFiniteLoss, NothingScored, EngineDied, WeightsDiffer; what is on disk by then stays.
        """
        self.pipeline.say = say
        started = time.perf_counter()
        if self.pipeline.weights_changed().get("time/sync"):
            say(f"the engine has the weights ({time.perf_counter() - started:.1f} s)")
        self._evaluate_if_due(first_step - 1, say)
        for step in range(first_step, self.num_steps + 1):
            metrics = self._step(step)
            self.run.log_metrics(step, metrics)
            stopping = should_stop()
            if stopping or step == self.num_steps or _due(step, self.checkpoint_every):
                self._checkpoint(step)
            on_step(step, metrics)
            if stopping:
                return False
            self._evaluate_if_due(step, say)
        return True

    def _step(self, step: int) -> dict[str, float]:
        """TrainingSample, grade and learn from one batch of groups."""
        started, graded, sampled = time.perf_counter(), self.pipeline.grader.busy(), self.pipeline.busy_s
        batch = self.pipeline.take(step)
        metrics = {**batch_metrics(batch.groups, policy_version=self.updater.updates), **batch.metrics}
        rewards = reward_matrix(batch.groups)
        scorable = rewards[~rewards.isnan()]
        if len(scorable) > 1:
            metrics |= {"reward/mean": float(scorable.mean()), "reward/std": float(scorable.std())}
        self._refuse_to_learn_nothing(step, num_scored=len(scorable))
        metrics["groups/zero_std"] = float(zero_std(rewards).float().mean())
        training = time.perf_counter()
        advantages, measured = self._advantages(batch.groups, rewards)
        metrics |= measured
        metrics["advantage/std"] = float(advantages.std())
        self.run.log_completions(
            completion_lines(batch.groups, step=step, phase="train", advantages=advantages.tolist())
        )
        self.run.log_rewards(reward_lines(batch.groups, step=step))
        with cpu_threads(self.update_threads):
            metrics |= self.updater.update(samples_from_groups(batch.groups, advantages))
        trained = time.perf_counter() - training
        synced = self.pipeline.weights_changed()
        metrics["time/wait_engine"] += synced.pop("time/wait_engine")
        seconds = time.perf_counter() - started
        graded, sampled = self.pipeline.grader.busy() - graded, self.pipeline.busy_s - sampled
        completions = [completion for group in batch.groups for completion in group.completions]
        return {
            **metrics,
            **synced,
            "time/train": trained,
            "time/step": seconds,
            "time/sandbox": graded,
            "idle/engine": max(0.0, 1 - sampled / seconds),
            "idle/sandbox": max(0.0, 1 - graded / seconds),
            "idle/trainer": 1 - trained / seconds,
            "throughput/tokens_per_s": sum(len(completion.token_ids) for completion in completions) / seconds,
            "throughput/completions_per_s": len(completions) / seconds,
        }

    def _advantages(self, groups: Sequence[Group], rewards: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Advantages [P, G] of a graded batch; a KL that is a part of the reward is taken off first, and reported."""
        if self.advantages == "gdpo":
            paid = {name: weight for name, weight in self.pipeline.grader.weights.items() if weight}
            return gdpo_advantages(reward_parts(groups, list(paid)), torch.tensor(list(paid.values()))), {}
        if not self.updater.objective.kl_in_reward:
            return ADVANTAGES[self.advantages](rewards), {}
        with cpu_threads(self.update_threads):
            rewards, kl = self.updater.penalised(groups, rewards)
        return ADVANTAGES[self.advantages](rewards), {"kl/reference": kl}

    def _refuse_to_learn_nothing(self, step: int, *, num_scored: int) -> None:
        """Raise NothingScored after a few steps without any score."""
        self.unscored_steps = 0 if num_scored else self.unscored_steps + 1
        if self.unscored_steps == MAX_UNSCORED_STEPS:
            raise NothingScored(
                f"no completion of steps {step - MAX_UNSCORED_STEPS + 1} to {step} could be scored: the grader failed each "
                "time, which the log explains, or no reward applies to these completions. Repair that, then go on from the "
                "last checkpoint with run.resume=true"
            )

    def _evaluate_if_due(self, step: int, say: Callable[[str], None]) -> None:
        """Evaluate the weights after `step` and record it, unless it is not due or was done before a resume."""
        due = step in (0, self.num_steps) or _due(step, self.eval_every)
        done = any(line["step"] == step for line in self.run.evaluations())
        if self.evaluate is None or not due or done:
            return
        say(f"evaluating the weights after step {step}")
        evaluate = self.evaluate
        evaluation = self.pipeline.surviving(lambda: evaluate(step))
        size = f"{evaluation.num_prompts} prompts x {evaluation.num_samples}"
        say(f"{_rates(evaluation)} ({size}, {evaluation.seconds:.0f} s)")
        self.run.log_completions(completion_lines(evaluation.groups, step=step, phase="eval"))
        self.run.log_evaluation(evaluation_line(evaluation, step=step))

    def _checkpoint(self, step: int) -> None:
        """Write a checkpoint."""
        save_checkpoint(
            self.run.checkpoints,
            step=step,
            policy=self.policy,
            updater=self.updater,
            progress={**self.pipeline.progress(), "seconds": round(self.seconds, 3)},
            config_toml=self.config_toml,
            keep=self.checkpoints_kept,
        )


def _due(step: int, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) happens after this one."""
    return every > 0 and step > 0 and step % every == 0


def _rates(evaluation: Evaluation) -> str:
    """The checks of an evaluation that are rates, in one line."""
    rates = {name: total / count for name, (total, count) in evaluation.counts.items() if name not in NOT_RATES}
    return "  ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
