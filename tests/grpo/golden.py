"""The golden trace: ten updates of a tiny random model in float64, one thread; every metric, sums of the weights.

A change to numerics shows here first. After a change that is meant, write it anew and commit it with the change:

    python tests/grpo/golden.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from grpo.advantages import group_advantages  # noqa: E402
from grpo.loss import clipped_policy_loss  # noqa: E402
from grpo.model.batching import TrainingSample  # noqa: E402
from grpo.model.policy import Policy  # noqa: E402
from grpo.objective import Mismatch, Objective  # noqa: E402
from grpo.optimizer.rate import learning_rate  # noqa: E402
from grpo.update import Updater  # noqa: E402

TRACE = Path(__file__).with_name("golden.json")
STEPS, PROMPTS, GROUP = 10, 4, 4
VOCABULARY = 61

__all__ = ["TRACE", "trace"]


def trace(
    shard: Callable[[Policy], Policy] = lambda policy: policy, make: Callable[..., Updater] = Updater
) -> list[dict[str, float]]:
    """The metrics of every step, and sum and norm of the weights after it.

    Args:
        shard, make: Of the policies and of the updater, where several ranks make the trace.
    """
    torch.set_num_threads(1)
    policy, reference = shard(_policy(seed=0)), shard(_policy(seed=0))
    objective = Objective(
        partial(clipped_policy_loss, clip_low=0.2, clip_high=0.28),
        "token",
        max_tokens=12,
        temperature=0.9,
        kl_beta=0.04,
        mismatch=Mismatch("token", "truncate", 0.0, 3.0),
        entropy_coefficient=0.01,
    )
    updater = make(
        policy,
        reference,
        objective,
        schedule=partial(learning_rate, num_updates=2 * STEPS, peak=3e-3, warmup=2, schedule="cosine", floor=0.0),
        betas=(0.9, 0.99),
        weight_decay=0.1,
        max_grad_norm=1.0,
        num_iterations=2,
        micro_batch_tokens=64,
        skip_zero_std=True,
    )
    lines = []
    for step in range(STEPS):
        metrics = updater.update(_samples(step))
        weights = torch.cat([_whole(parameter.detach()).flatten() for parameter in policy.model.parameters()])
        lines.append({**metrics, "weights/sum": float(weights.sum()), "weights/norm": float(weights.norm())})
    return lines


def _whole(weight: Any) -> torch.Tensor:
    """A weight, or all of one that is a shard here."""
    found: torch.Tensor = weight.full_tensor() if hasattr(weight, "full_tensor") else weight
    return found


def _policy(seed: int) -> Policy:
    """A random model in float64; nothing here needs its tokenizer."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        initializer_range=0.2,
    )
    model = Qwen2ForCausalLM(config).double().eval()
    return Policy(model, None, torch.device("cpu"), torch.float32, frozenset())  # type: ignore[arg-type]


def _samples(step: int) -> list[TrainingSample]:
    """Groups of completions, and rewards for them; a few completions without one, and one group without spread."""
    generator = torch.Generator().manual_seed(100 + step)

    def integers(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.randint(low, high, shape, generator=generator)

    rewards = integers(0, 4, PROMPTS, GROUP).double() / 2
    rewards[0] = 1.0
    rewards[1, int(integers(0, GROUP, 1))] = torch.nan
    advantages = group_advantages(rewards)
    samples = []
    for prompt in range(PROMPTS):
        prompt_ids = tuple(integers(0, VOCABULARY, int(integers(2, 9, 1))).tolist())
        for completion in range(GROUP):
            ids = tuple(integers(0, VOCABULARY, int(integers(1, 13, 1))).tolist())
            logprobs = (-4.0 - torch.rand(len(ids), generator=generator, dtype=torch.float64)).tolist()
            if not rewards[prompt, completion].isnan():
                samples.append(TrainingSample(prompt_ids, ids, tuple(logprobs), float(advantages[prompt, completion])))
    return samples


if __name__ == "__main__":
    TRACE.write_text(json.dumps(trace(), indent=1) + "\n", encoding="utf-8")
    print(TRACE)
