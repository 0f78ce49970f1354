"""The optimizer, the length of the run, and the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grpo.config.sources import PROTOTYPE, PUBLISHED, TRL
from grpo.schema import option

__all__ = ["TrainSection"]


@dataclass(frozen=True)
class TrainSection:
    """The optimizer, the length of the run, and the device."""

    device: str = option(
        "auto", "where the model lives; auto takes CUDA where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        0,
        "CPU threads of torch; 0: all cores during updates, one less during sampling, which leaves one for the sandbox",
        unit="threads",
        low=0,
        high=4096,
    )
    max_steps: int = option(0, "steps to train; 0: as many as train.epochs needs", unit="steps", low=0)
    epochs: float = option(
        1.0, "passes over the training prompts, used if train.max_steps is 0", low=0.0001, high=10_000, source=PUBLISHED
    )
    max_hours: float = option(
        0.0,
        "the run, over all its sessions, saves and stops before a step or an evaluation that would make it longer; 0: "
        "no limit",
        unit="h",
        low=0,
        high=1_000_000,
    )
    max_cost: float = option(
        0.0, "as train.max_hours, in dollars at train.usd_per_hour; 0: no limit", unit="USD", low=0, high=1e9
    )
    usd_per_hour: float = option(
        0.0,
        "price of the machine: the run says what it costs, so far and in all; also for train.max_cost and --dry-run; "
        "0: not known",
        unit="USD/h",
        low=0,
        high=1e6,
    )
    stuck_after_s: float = option(
        3600.0,
        "a run in which no completion, micro-batch, step, evaluation or checkpoint has ended for so long writes the "
        "stacks of all its processes to stuck.txt and ends; 0: never",
        unit="s",
        low=0,
        high=1e6,
        source="estimated: the last resort, after all shorter limits",
    )
    prompts_per_step: int = option(
        16,
        "prompts in a batch, with sampling.group_size completions each",
        unit="prompts",
        low=1,
        high=100_000,
        source=PROTOTYPE,
    )
    optimizer: str = option(
        "adamw",
        "adamw8bit has moments of 8 bits, which saves 6 bytes a trained weight, and needs torchao (arXiv 2110.02861)",
        choices=("adamw", "adamw8bit"),
    )
    lr: float = option(
        3e-4, "peak learning rate of AdamW", low=1e-9, high=1, source=f"{PROTOTYPE}: 1e-4 learned 2 to 3 times slower"
    )
    adam_beta1: float = option(0.9, "decay of the gradient's mean", low=0, high=0.999999, source=PUBLISHED)
    adam_beta2: float = option(0.99, "decay of the squared gradient's mean", low=0, high=0.999999, source=PUBLISHED)
    weight_decay: float = option(0.1, "decoupled weight decay, on matrices only", low=0, high=10, source=PUBLISHED)
    warmup_fraction: float = option(
        0.1, "share of all updates over which the learning rate rises", low=0, high=1, source=PUBLISHED
    )
    schedule: str = option(
        "cosine", "the learning rate after warm-up", choices=("constant", "linear", "cosine"), source=PUBLISHED
    )
    min_lr_fraction: float = option(
        0.0, "learning rate at the end of the schedule, as a share of train.lr", low=0, high=1, source=PUBLISHED
    )
    max_grad_norm: float = option(
        1.0, "global gradient norm above which gradients are scaled down", low=1e-6, high=1e6, source=TRL
    )
    num_iterations: int = option(1, "passes over every batch", unit="passes", low=1, high=1000, source=TRL)
    num_minibatches: int = option(
        1, "minibatches per pass, one weight update each", unit="updates", low=1, high=10_000, source=TRL
    )
    micro_batch_tokens: int = option(
        8192,
        "tokens per forward and backward pass, a shared prompt counted once; changes memory and speed, not the result",
        unit="tokens",
        low=1,
        high=100_000_000,
    )
    gradient_checkpointing: bool = option(
        False, "recompute the activations inside layers in the backward pass: less memory, more time"
    )
    compile_layers: bool = option(
        False,
        "compile the model's layers for training passes (torch.compile): a GPU launches fewer and larger kernels, and "
        "the first step takes minutes longer",
    )
    rehearse: bool = option(
        True,
        "before the first step, one pass over the longest completions that the recipe allows, so that running out of "
        "memory happens at once; changes no bit of the run",
    )
    skip_zero_std: bool = option(
        True, "leave zero_std groups (all rewards equal) out of the update: their policy gradient is zero"
    )

    def conflicts(self) -> list[str]:
        """A limit of cost without a price."""
        if self.max_cost and not self.usd_per_hour:
            return [f"train.max_cost = {self.max_cost:g}: say what the machine costs with train.usd_per_hour"]
        return []

    def num_steps(self, num_prompts: float) -> int:
        """Steps of a run over a training set: `max_steps`, or `ceil(num_prompts * epochs / prompts_per_step)`.

        Of several sources `num_prompts` is `grpo.rollout.epochs.turns_of_pass`.

        >>> TrainSection(epochs=2.0, prompts_per_step=16).num_steps(100)
        13
        """
        return self.max_steps or max(1, math.ceil(round(num_prompts * self.epochs, 6) / self.prompts_per_step))
