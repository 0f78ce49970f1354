"""How long the parts of a step take on assumed GPUs: an iteration of decoding, an update, new weights for the engines.

By formula from the model's shape and the figures of `gpus`: no claim that any of it was run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from grpo_rust.memory_estimate import ModelShape
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.gpus import GPU
from grpo_rust.scaling.step_settings import StepSettings
from grpo_rust.scaling.work import WIDTHS, StepWork

__all__ = ["PROOF_S", "DecodingCost", "decoding_cost", "training_s", "weights_s"]

# 1,024 tokens in rows of 64, sampled and scored after each hand-over; estimated in docs/h100.md: below 1 s
PROOF_S = 0.5


@dataclass(frozen=True)
class DecodingCost:
    """An iteration of an engine gives every row in flight one token, in `iteration_s` and `row_s` more a row."""

    iteration_s: float
    row_s: float
    slots: int = 0  # rows at once; 0: as many as there are

    def seconds(self, rows: int) -> float:
        """How long an iteration takes.

        >>> DecodingCost(iteration_s=0.004, row_s=0.00001).seconds(100)
        0.005
        """
        return self.iteration_s + rows * self.row_s


def decoding_cost(
    settings: StepSettings, shape: ModelShape, gpu: GPU, *, context_tokens: float, gpus: int = 1
) -> DecodingCost:
    """Decoding with one engine.

    Every iteration reads all weights once, and for each row the keys and values of its context; each row takes two
    operations a parameter. GPUs that share an engine each do their part; what they tell each other is not counted.

    Args:
        settings: Of the recipe.
        shape: The model's sizes.
        gpu: What is assumed of the GPU.
        context_tokens: Of a row, the mean over its life.
        gpus: That share the engine.
    """
    width = WIDTHS[settings.dtype]
    bandwidth = gpus * gpu.decoding_share * gpu.memory_bytes_per_s
    token_bytes = 2 * shape.layers * shape.kv_width * width
    row_s = context_tokens * token_bytes / bandwidth + 2 * shape.parameters / (gpus * gpu.decoding_share * gpu.flops)
    slots = 0
    if settings.kv_cache_gb:
        longest = settings.max_prompt_tokens + settings.max_completion_tokens
        slots = max(1, int(gpus * settings.kv_cache_gb * 1e9 / (token_bytes * longest)))
    return DecodingCost(gpu.iteration_s + width * shape.parameters / bandwidth, row_s, slots)


def training_s(settings: StepSettings, work: StepWork, division: Division, gpu: GPU) -> float:
    """An update of all ranks: the longer of operations and traffic, since FSDP2 gathers ahead of what it computes."""
    share = gpu.adapter_share if settings.lora_rank else gpu.training_share
    computing = work.operations / (division.ranks * share * gpu.flops)
    return max(computing, work.sent_bytes / gpu.bytes_per_s(division.ranks))


def weights_s(work: StepWork, division: Division, gpu: GPU) -> float:
    """New weights for the engines, and the proof of them.

    Several ranks gather them into the memory of the first one's host, from where they go to a GPU again. Then the
    servers get them one after the other, each all of its GPUs at once; a machine has one. An engine beside a trainer
    without other ranks sees them where they are.
    """
    by_host = 0.0
    if division.ranks > 1:
        by_host = (work.whole_bytes + work.weight_bytes) / gpu.host_bytes_per_s
    servers = math.ceil(division.engine_gpus / gpu.per_machine)
    return by_host + servers * work.weight_bytes / gpu.bytes_per_s(division.gpus) + PROOF_S
