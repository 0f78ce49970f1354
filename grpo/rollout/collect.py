"""One batch of experience: sample groups, grade each completion the moment it is complete, and collect what came back.

The grader works beside the engine: a completion is handed over as soon as it ends, so when the last one has been sampled
most verdicts are already there. A bad completion is data; only the host's failures are errors.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grpo.engines import Engine
from grpo.model.policy import Policy
from grpo.rollout.records import Completion, Example, Grader, Group

__all__ = ["Rollout", "PendingRollout", "collect", "reward_matrix", "reward_parts", "sample", "seed_for"]


@dataclass(frozen=True)
class PendingRollout:
    """A batch of completions that are being graded; `completions` and `tickets` by (prompt, sample)."""

    examples: Sequence[Example]
    prompts: Sequence[tuple[int, ...]]
    completions: Mapping[tuple[int, int], Completion]
    tickets: Mapping[tuple[int, int], Any]
    generate_s: float


@dataclass(frozen=True)
class Rollout:
    """The graded groups of a batch, and where the time went (seconds)."""

    groups: tuple[Group, ...]
    generate_s: float
    wait_rewards_s: float


def sample(
    engine: Engine,
    grader: Grader,
    policy: Policy,
    examples: Sequence[Example],
    prompt_ids: Mapping[str, tuple[int, ...]],
    *,
    name: str,
    group_size: int,
    max_tokens: int,
    temperature: float,
    seed: int,
    policy_version: int,
) -> PendingRollout:
    """Sample `group_size` completions to every example, each on its way to the grader as soon as it ends.

    Args: engine, grader; policy, for its tokenizer; examples; prompt_ids by example id; name, the prefix of the
        completions' ids ("s3" gives "s3-p07-c2"); sampling settings as in `Engine.generate`; policy_version, the number
        of weight updates so far.
    """
    started = time.perf_counter()
    prompts = [prompt_ids[example.id] for example in examples]
    completions: dict[tuple[int, int], Completion] = {}
    tickets: dict[tuple[int, int], Any] = {}
    for sampled in engine.generate(
        prompts, num_samples=group_size, max_tokens=max_tokens, temperature=temperature, seed=seed
    ):
        slot = (sampled.prompt, sampled.sample)
        completions[slot] = Completion(
            id=f"{name}-p{sampled.prompt:02d}-c{sampled.sample}",
            token_ids=sampled.token_ids,
            sampler_logprobs=sampled.logprobs,
            text=policy.decode(sampled.token_ids),
            terminated=sampled.terminated,
            policy_version=policy_version,
        )
        tickets[slot] = grader.start(examples[sampled.prompt], completions[slot])
    return PendingRollout(examples, prompts, completions, tickets, time.perf_counter() - started)


def collect(sampling: PendingRollout, grader: Grader) -> Rollout:
    """Wait for the grades of a batch.

    Returns: one group per example, in order, its completions in sampling order whatever order they ended in.
    """
    started = time.perf_counter()
    slots = sorted(sampling.completions)
    grades = dict(zip(slots, grader.finish([sampling.tickets[slot] for slot in slots]), strict=True))
    waited = time.perf_counter() - started
    groups = []
    for index, (example, prompt_ids) in enumerate(zip(sampling.examples, sampling.prompts, strict=True)):
        own = [slot for slot in slots if slot[0] == index]
        rewards = tuple(_weighted_sum(grades[slot].rewards, grader.weights) for slot in own)
        completions = tuple(sampling.completions[slot] for slot in own)
        groups.append(Group(example, prompt_ids, completions, tuple(grades[slot] for slot in own), rewards))
    return Rollout(tuple(groups), sampling.generate_s, waited)


def reward_matrix(groups: Sequence[Group]) -> Tensor:
    """The rewards of groups of one size as fp32 [P, G], NaN where a completion has none."""
    return torch.tensor(
        [[float("nan") if reward is None else reward for reward in group.rewards] for group in groups],
        dtype=torch.float32,
    )


def reward_parts(groups: Sequence[Group], names: Sequence[str]) -> Tensor:
    """Each named reward of groups of one size as fp32 [P, G, K], NaN where it does not apply or the completion has none."""
    none = float("nan")

    def scores(rewards: Mapping[str, float | None], total: float | None) -> list[float]:
        values = [None if total is None else rewards.get(name) for name in names]
        return [none if value is None else value for value in values]

    parts = [
        [scores(grade.rewards, total) for grade, total in zip(group.grades, group.rewards, strict=True)]
        for group in groups
    ]
    return torch.tensor(parts, dtype=torch.float32)


def seed_for(*parts: int | str) -> int:
    """A 63-bit seed made of a run's seed, a purpose and a step: no generator state has to be kept to resume.

    >>> seed_for(0, "train", 1) == seed_for(0, "train", 1) != seed_for(0, "train", 2)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _weighted_sum(rewards: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """`sum(weight * reward)` over the functions that apply; None where none does."""
    scored = [weights[name] * reward for name, reward in rewards.items() if reward is not None]
    return sum(scored) if scored else None
