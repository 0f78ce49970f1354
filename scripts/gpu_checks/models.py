"""Policies with random weights of a real shape, completions of real lengths, and how an updater trains them.

The settings are those of the fast recipe, read from its file as plain TOML: the recipe's own reader needs tree-sitter.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from bench.loss.steps import draw_samples
from gpu_checks.outcome import CheckFailed, CheckSettings, Skipped
from grpo.config import LossSection, TrainSection
from grpo.loss.policy import LOSSES
from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy, load_policy
from grpo.objective import Mismatch, Objective, bind
from grpo.update import Updater
from grpo_rust.known_sizes import known_config

__all__ = [
    "REAL",
    "compute_dtype",
    "fast_recipe",
    "make_updater",
    "model_config",
    "policy_to_sample",
    "random_policy",
    "random_prompts",
    "real_samples",
    "use_device",
    "with_adapters",
]

ROOT = Path(__file__).resolve().parents[2]
REAL = "qwen2.5-coder-1.5b"
TINY: Mapping[str, Any] = {
    "model_type": "qwen2",
    "vocab_size": 1024,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 128,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}
PROMPT_TOKENS, COMPLETION_TOKENS = 300, 400  # means of the fast recipe's prompts and completions


def use_device(settings: CheckSettings) -> torch.device:
    """The device of the checks, woken up.

    Raises:
        CheckFailed: Where there is a driver and torch cannot use the card.
        Skipped: Without a card.
    """
    torch.manual_seed(0)
    if settings.device == "cpu":
        if not settings.small:
            raise Skipped("real sizes take hours on a CPU: add --small")
        torch.set_num_threads(1)
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise CheckFailed(
            f"torch {torch.__version__} sees no CUDA device",
            "look at nvidia-smi; if it shows a card, install a torch that was built for this driver's CUDA",
        )
    torch.zeros(1, device="cuda")
    return torch.device("cuda")


def compute_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU, as the recipes have it."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def model_config(settings: CheckSettings, **changed: Any) -> Qwen2Config:
    """The published 1.5B model's shape, or with --small a tiny one."""
    sizes = {**(TINY if settings.small else known_config(REAL) or {}), **changed}
    stops = {"bos_token_id": None, "eos_token_id": 2, "pad_token_id": 0}
    return Qwen2Config.from_dict({**sizes, **stops, "architectures": ["Qwen2ForCausalLM"]})


def random_policy(config: Qwen2Config, device: torch.device) -> Policy:
    """A policy with random fp32 weights, made on the device; the tokenizer is the shipped one and only ends things."""
    with torch.device(device):
        model = Qwen2ForCausalLM(config)
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "assets" / "tiny-rust")
    return Policy(model.eval(), tokenizer, device, compute_dtype(device), frozenset({2}))


def policy_to_sample(settings: CheckSettings, device: torch.device) -> tuple[Policy, str]:
    """The policy of `--model`, or a random one, and the directory that an engine reads its config from."""
    if settings.model:
        name = str(compute_dtype(device)).removeprefix("torch.")
        return load_policy(settings.model, device=device, compute_dtype=name), settings.model
    policy = random_policy(model_config(settings), device)
    policy.model.config.save_pretrained(settings.folder / "model")
    return policy, str(settings.folder / "model")


def with_adapters(policy: Policy) -> Policy:
    """The policy as the fast recipe adapts it; needs peft."""
    from grpo.model.lora import add_adapters

    lora = fast_recipe()["lora"]
    return add_adapters(policy, rank=int(lora["rank"]), alpha=int(lora["alpha"]), targets="all-linear", seed=0)


@cache
def fast_recipe() -> Mapping[str, Any]:
    """The sections of the fast recipe's file."""
    path = ROOT / "scripts" / "recipes" / "qwen2.5-coder-1.5b-fast.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def real_samples(settings: CheckSettings, vocabulary: int, *, completions: int) -> list[TrainingSample]:
    """Completions with log-normal lengths, in the fast recipe's groups; half of them have a negative advantage.

    The sampler's log-probs are those of a uniform distribution, which random weights nearly have.
    """
    group = int(fast_recipe()["sampling"]["group_size"])
    shrink = 20 if settings.small else 1
    drawn = draw_samples(
        prompts=max(1, completions // group),
        group=min(group, completions),
        prompt_mean=PROMPT_TOKENS // shrink,
        completion_mean=COMPLETION_TOKENS // shrink,
        vocabulary=vocabulary,
    )
    uniform = -math.log(vocabulary)
    return [
        replace(s, sampler_logprobs=(uniform,) * len(s.completion_ids), advantage=1.0 if i % 2 else -1.0)
        for i, s in enumerate(drawn)
    ]


def make_updater(policy: Policy) -> Updater:
    """What trains a policy with the loss, the optimizer and the micro-batches of the fast recipe."""
    recipe, train, loss = fast_recipe(), TrainSection(), LossSection()
    function, aggregation = LOSSES[recipe["loss"]["name"]]
    numbers = {name: value for name, value in vars(loss).items() if isinstance(value, float)}
    objective = Objective(
        policy_loss=bind(function, {**numbers, "delta": loss.delta or math.inf}),
        aggregation=aggregation,
        max_tokens=recipe["sampling"]["max_completion_tokens"],
        temperature=1.0,
        mismatch=Mismatch("token", loss.mismatch_bound, loss.mismatch_low, loss.mismatch_high),
    )
    rate = float(recipe["train"]["lr"])
    return Updater(
        policy,
        None,
        objective,
        schedule=lambda update: rate,
        betas=(train.adam_beta1, train.adam_beta2),
        weight_decay=train.weight_decay,
        max_grad_norm=recipe["train"]["max_grad_norm"],
        num_iterations=1,
        micro_batch_tokens=recipe["train"]["micro_batch_tokens"],
        skip_zero_std=True,
    )


def random_prompts(count: int, tokens: int, vocabulary: int) -> list[tuple[int, ...]]:
    """Prompts of random tokens, the same ones at every call."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(3, vocabulary, (count, tokens), generator=generator)
    return [tuple(row) for row in ids.tolist()]
