"""What one step is made of, in tokens, bytes and operations: the parts of it that do not depend on the GPU.

FSDP2 gathers the weights of a layer before it is used, in the forward and again in the backward pass, and those of the
model's ends (embedding, last norm, head) once, as they are stored; it sums gradients over the ranks. All of that
happens for each micro-batch. A rank sends (n - 1) / n of what is gathered or summed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from grpo_rust.memory_estimate import ModelShape
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.step_settings import StepSettings

__all__ = ["ENDS_BYTES", "WIDTHS", "StepWork", "layer_parameters", "step_work"]

GRADIENT_BYTES = ENDS_BYTES = 4  # gradients are summed in float32, and the ends of a model that is trained stay there
WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class StepWork:
    """One step of training, with its completions as long as `mean_tokens`."""

    completions: int
    sampled_tokens: int
    trained_tokens: int  # prompts, counted once for a group, and completions; times the passes over the batch
    micro_batches: int  # of the rank that has most
    operations: float  # of all ranks
    gathered_bytes: float  # that a rank sends
    reduced_bytes: float
    weight_bytes: float  # of a whole model, to each engine
    whole_bytes: float  # of a whole model as ranks store it

    @property
    def sent_bytes(self) -> float:
        """What a rank sends to the others."""
        return self.gathered_bytes + self.reduced_bytes


def layer_parameters(shape: ModelShape) -> int:
    """The weights of one layer, its norms and biases not counted: less than 0.1 % of it.

    >>> layer_parameters(ModelShape("qwen2", 872, 1, 8, 16, 4, 32, 128))  # 8 * (2 * 8 + 2 * 4 + 3 * 16)
    576
    """
    ends = shape.linear_ends / shape.layers
    width = (ends - 2 * (shape.hidden + shape.kv_width) - 3 * (shape.hidden + shape.mlp)) / 2 - shape.hidden
    return round(shape.hidden * (2 * width + 2 * shape.kv_width + 3 * shape.mlp))


def step_work(
    settings: StepSettings, shape: ModelShape, division: Division, *, mean_tokens: float, prompt_tokens: float
) -> StepWork:
    """The work of a step.

    Args:
        settings: Of the recipe.
        shape: The model's sizes.
        division: Who does what.
        mean_tokens: Of a completion.
        prompt_tokens: Of a prompt.
    """
    completions = settings.completions
    sampled = completions * mean_tokens
    trained = (sampled + settings.prompts * prompt_tokens) * settings.num_iterations
    updates = settings.num_iterations * settings.num_minibatches
    per_rank = trained / updates / division.ranks
    longest = mean_tokens + prompt_tokens  # a sequence is not divided
    micro_batches = updates * max(1, math.ceil(per_rank / max(settings.micro_batch_tokens, longest)))
    adapters = settings.lora_rank * shape.linear_ends
    operations = (4 if adapters else 6) * (4 / 3 if settings.gradient_checkpointing else 1) * shape.parameters
    width, layers = WIDTHS[settings.dtype], shape.layers * layer_parameters(shape)
    away = (division.ranks - 1) / division.ranks
    stored = width if adapters else ENDS_BYTES  # frozen weights are stored as they are used
    return StepWork(
        completions=completions,
        sampled_tokens=round(sampled),
        trained_tokens=round(trained),
        micro_batches=micro_batches,
        operations=operations * trained,
        gathered_bytes=away * (2 * width * layers + stored * (shape.parameters - layers)) * micro_batches,
        reduced_bytes=away * GRADIENT_BYTES * (adapters or shape.parameters) * micro_batches,
        weight_bytes=width * shape.parameters,
        whole_bytes=stored * shape.parameters,
    )
