"""GRPO: sample groups of completions, grade them, compare each with its group, update the policy.

The frame around the steps (checkpoints, evaluations, stopping and resuming) is `grpo.training_loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from grpo.advantages import ADVANTAGES, gdpo_advantages, gdpo_part_advantages, part_advantages
from grpo.errors import HostFailed
from grpo.rollout.records import Group, RolloutBatch
from grpo.rollout.stream import RolloutStream
from grpo.rollout.sums import paid_parts, part_matrix, reward_matrix, single_rewards, zero_std_groups
from grpo.rollout.token_parts import token_advantages
from grpo.rollout.turns.conversations import peer_groups, spread
from grpo.run.by_task import curriculum_metrics, task_metrics
from grpo.run.serialize import batch_metrics, completion_lines, reward_lines
from grpo.schema import ConfigError
from grpo.timing import StepTimer
from grpo.training_loop import TrainingLoop
from grpo.update import NonFiniteLoss, training_samples
from grpo.watch.dump import batch_record
from grpo.watch.finding import WatchStopped
from grpo.watch.unscored import GradingFailed, refuse_failures

__all__ = ["Trainer"]


@dataclass
class _Step:
    """What is known of a step; after a failure, what was known until then."""

    number: int
    batch: RolloutBatch = RolloutBatch((), {})
    peers: Sequence[Group] = ()  # the groups, or where conversations have turns what of them is compared
    rewards: Tensor = field(default_factory=lambda: torch.empty(0, 0))  # [C, G] of those, NaN where there is none
    advantages: Tensor | None = None  # [P, G], and as many columns as there are turns
    part_advantages: Tensor | None = None  # [P, G, K] where rewards pay parts
    token_advantages: list[list[tuple[float, ...]]] | None = None  # [P][G], a number a token, where they do
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(kw_only=True)
class Trainer(TrainingLoop):
    """A run of GRPO."""

    rollouts: RolloutStream
    advantages: str  # a name of `grpo.advantages.ADVANTAGES`, or "gdpo"

    def __post_init__(self) -> None:
        super().__post_init__()
        if paid_parts(self.rollouts.grader) and self.updater.objective.mixes_tokens:
            raise ConfigError(
                "the loss gives every token the mean advantage of its completion, so no reward can pay a part alone: "
                'use loss.name = "gspo_token", or a loss of token ratios'
            )

    def begin(self, say: Callable[[str], None]) -> None:
        """Rehearse, and bring the engine the weights."""
        self.rollouts.engine.say = say
        if self.watch is not None:
            self.updater.before_step = self.watch.before_update
        if self.rehearse is not None:
            self.rollouts.sleep()  # as it does during updates, where it does
            self.rehearse(say)
        seconds = self.rollouts.sync_weights().get("time/sync")
        if seconds:
            say(f"the engine has the weights ({seconds:.1f} s)")

    def progress(self) -> dict[str, Any]:
        """Where the prompts are, and the batches in flight with their grades."""
        return self.rollouts.progress()

    def continue_from(self, progress: Mapping[str, Any]) -> None:
        self.rollouts.resume(progress)

    def _step(self, step: _Step) -> None:
        """One step of GRPO; the numbers are those of docs/algorithm.md."""
        step.batch = self.rollouts.next_batch(step.number)  # 1. prompts  2. a group of completions each  3. grades
        self._refuse_failures(step)
        step.peers = peer_groups(step.batch.groups)  # C groups to compare: the P of the batch, or their turns
        step.rewards = reward_matrix(step.peers)  # 4. weighted sums [C, G]
        self._watch_batch(step)
        advantages, by_part = self._advantages(step)  # 5. each reward compared with those of its group [C, G]
        step.advantages = spread(step.batch.groups, advantages)  # all turns of a conversation have one
        if by_part is not None:  # where rewards pay parts, also each part [C, G, K]
            step.part_advantages = spread(step.batch.groups, by_part)
            step.token_advantages = token_advantages(step.batch.groups, step.advantages, step.part_advantages)
        samples = training_samples(step.batch.groups, step.advantages, step.token_advantages)
        step.metrics |= self.updater.update(samples)  # 6. log-probs  7. loss and KL  8. token weights  9. step
        step.metrics |= self.rollouts.sync_weights()  # the engine samples from the new policy

    def _advantages(self, step: _Step) -> tuple[Tensor, Tensor | None]:
        """Advantages of the completions that are compared, [C, G], and of parts [C, G, K] where rewards pay those.

        A KL that is part of the reward is subtracted first, from what every token earns.
        """
        if self.advantages == "gdpo":
            return self._gdpo(step)
        groups, rewards, earned = step.peers, step.rewards, part_matrix(step.peers)
        if self.updater.objective.kl_in_reward:
            nothing = torch.zeros_like(rewards).masked_fill(rewards.isnan(), torch.nan)
            penalties, step.metrics["kl/reference"] = self.updater.charge_kl(groups, nothing)
            rewards = rewards + penalties
            earned = None if earned is None else earned + penalties[:, :, None]
        compare = ADVANTAGES[self.advantages]
        return compare(rewards), None if earned is None else part_advantages(earned, compare)

    def _gdpo(self, step: _Step) -> tuple[Tensor, Tensor | None]:
        """As `_advantages`, each reward on its own: GDPO."""
        grader, parts = self.rollouts.grader, paid_parts(self.rollouts.grader)
        paid = {name: weight for name, weight in grader.weights.items() if weight}
        scores, weights = single_rewards(step.peers, list(paid)), torch.tensor(list(paid.values()))
        if not parts:
            return gdpo_advantages(scores, weights), None
        pays = torch.tensor([[grader.parts.get(name, part) == part for name in paid] for part in parts])
        return gdpo_advantages(scores, weights), gdpo_part_advantages(scores, weights, pays)

    def recorded_step(self, number: int) -> dict[str, float]:
        """A step, its time and its logs; completions are logged even when it fails."""
        grader, version = self.rollouts.grader, self.updater.updates
        busy = {"engine": lambda: self.rollouts.busy_s, "sandbox": grader.busy, "trainer": lambda: self.updater.busy_s}
        timer, step = StepTimer(busy), _Step(number)
        try:
            self._step(step)
        except (GradingFailed, NonFiniteLoss, WatchStopped) as error:
            self._dump(step, error)
            raise
        finally:
            if step.batch.groups:
                self._log_completions(step)
        times = timer.metrics()
        metrics = {
            **step.metrics,
            **batch_metrics(step.batch.groups, policy_version=version, seconds=times["time/step"]),
            **_reward_metrics(step.batch.groups, step.rewards),
            **curriculum_metrics(self.rollouts.prompts),
            **self._task_metrics(step.batch.groups),
            **step.batch.metrics,
            **times,
            **self.stall_metrics(),
            "time/wait_engine": step.batch.metrics["time/wait_engine"] + step.metrics["time/wait_engine"],
        }
        if step.advantages is not None:
            metrics["advantage/std"] = float(_all_advantages(step).std())
        metrics |= self.memory()
        self.run.log_metrics(number, metrics)
        self.warn(number, metrics)
        return metrics

    def _task_metrics(self, groups: Sequence[Group]) -> dict[str, float]:
        """Metrics of each task, where the prompts are of several."""
        tasks = self.rollouts.prompts.tasks
        return task_metrics(groups, tasks) if len(tasks) > 1 else {}

    def _refuse_failures(self, step: _Step) -> None:
        """Raise GradingFailed where the host could not grade a large part of the batch."""
        batch, then = step.batch, "go on from the last checkpoint with run.resume=true: it samples and grades them anew"
        refuse_failures(
            batch.failures, batch.num_graded, max_share=self.max_unscored, where=f"step {step.number}", then=then
        )

    def _watch_batch(self, step: _Step) -> None:
        """Raise WatchStopped for a batch that is not worth an update."""
        if self.watch is not None:
            groups = {"groups/total": float(len(step.batch.groups))}
            self.watch.before_batch(step.number, {**groups, **_reward_metrics(step.batch.groups, step.rewards)})

    def _dump(self, step: _Step, error: HostFailed) -> None:
        """Write what the step was made of, and add to the error where it is, or why not."""
        if self.watch is None:
            return
        finding: dict[str, Any] = {"name": type(error).__name__, "text": str(error)}
        if isinstance(error, WatchStopped):
            finding |= {"name": error.finding.name, "numbers": dict(error.finding.numbers)}
        graded, advantages = isinstance(error, GradingFailed), step.advantages
        record = batch_record(
            step.batch.groups,
            None if advantages is None else advantages.tolist(),
            step.token_advantages,
            step=step.number,
            finding=finding,
            metrics=step.metrics,
            attempt=None if graded or advantages is None else self.updater.attempt,
        )
        self.dump(step.number, record, error)

    def _log_completions(self, step: _Step) -> None:
        groups, advantages, by_part = step.batch.groups, step.advantages, step.part_advantages
        self.run.log_completions(
            completion_lines(
                groups,
                step=step.number,
                phase="train",
                advantages=None if advantages is None else advantages.tolist(),
                part_advantages=None if by_part is None else by_part.tolist(),
            )
        )
        self.run.log_rewards(reward_lines(groups, step=step.number))


def _all_advantages(step: _Step) -> Tensor:
    """The advantages of a step's completions, or of all their tokens where those have their own."""
    assert step.advantages is not None
    if step.token_advantages is not None:
        return torch.tensor([value for row in step.token_advantages for values in row for value in values])
    sizes = torch.tensor([len(group.completions) for group in step.batch.groups])
    return step.advantages[torch.arange(step.advantages.shape[1]) < sizes[:, None]]


def _reward_metrics(groups: Sequence[Group], rewards: Tensor) -> dict[str, float]:
    """The mean and the spread of rewards [C, G], over the scored completions, and the share of groups without any."""
    scored = rewards[~rewards.isnan()]
    metrics = {"groups/zero_std": float(zero_std_groups(groups).float().mean())}
    if len(scored):
        metrics["reward/mean"] = float(scored.mean())
    if len(scored) > 1:
        metrics["reward/std"] = float(scored.std())
    return metrics
