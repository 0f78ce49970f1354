"""One forward and backward pass over the longest micro-batch before the first step, so that memory runs out then.

The weights, the optimizer's state, every random state and the run's metrics stay as they are. On CUDA memory for Adam's
moments is held meanwhile, as it is from the second step on. Left out: the engine, which takes its memory when it
starts, and a batch in which several micro-batches leave more behind than the largest one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from grpo.device import cpu_threads
from grpo.model.batching import TrainingSample, micro_batches
from grpo.run.out_of_memory import OutOfMemory, ran_out_of_memory
from grpo.update import Updater

__all__ = ["largest_micro_batch", "longest_samples", "rehearse"]

TOKEN = 0  # any: what a token is changes neither memory nor time


def longest_samples(
    *, prompt_tokens: int, completion_tokens: int, group_size: int, groups: int, micro_batch_tokens: int
) -> list[TrainingSample]:
    """Completions that fill the largest micro-batch of a recipe: groups of longest completions to longest prompts.

    Args:
        prompt_tokens: The longest prompt.
        completion_tokens: The longest completion.
        group_size: Completions of a prompt.
        groups: The most prompts of a batch.
        micro_batch_tokens: What they fill; one completion is there even where it is longer.

    >>> [len(s.token_ids) for s in longest_samples(
    ...     prompt_tokens=3, completion_tokens=5, group_size=2, groups=4, micro_batch_tokens=20)]
    [8, 8]
    """
    wanted = min(groups, math.ceil(micro_batch_tokens / (prompt_tokens + group_size * completion_tokens)))
    samples = [
        TrainingSample(
            (TOKEN,) * (prompt_tokens - 1) + (group,),  # prompts that differ, since equal ones would be shared
            (TOKEN,) * completion_tokens,
            (-1.0,) * completion_tokens,
            advantage=-1.0 if number % 2 else 1.0,
        )
        for group in range(wanted)
        for number in range(group_size)
    ]
    return largest_micro_batch(samples, max_tokens=micro_batch_tokens)


def largest_micro_batch(samples: Sequence[TrainingSample], *, max_tokens: int) -> list[TrainingSample]:
    """Those of the samples of one batch that are in its micro-batch with the most tokens."""
    largest = max(micro_batches(samples, max_tokens=max_tokens), key=lambda one: (len(one.input_ids), len(one.rows)))
    return [samples[row] for row in largest.rows.tolist()]


def rehearse(updater: Updater, samples: Sequence[TrainingSample]) -> float:
    """Run the forward and the backward pass of one optimizer step, and forget it. Returns: seconds.

    Args:
        updater: What trains.
        samples: From `longest_samples` or `largest_micro_batch`.
    Raises:
        OutOfMemory: With the settings to lower.
    """
    started = time.perf_counter()
    devices = [updater.policy.device] if updater.policy.device.type == "cuda" else []
    try:
        with updater.together("rehearse", samples), torch.random.fork_rng(devices), cpu_threads(updater.threads):
            moments = _moments(updater)
            minibatch = updater.minibatch_to_rehearse(samples)
            updater.prepare(minibatch)
            updater.read(updater.measure(minibatch))
            del moments, minibatch
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        raise OutOfMemory(_what_to_lower(samples, error)) from error
    finally:
        updater.optimizer.zero_grad()
    return time.perf_counter() - started


def _moments(updater: Updater) -> list[Tensor]:
    """Memory of the size of Adam's moments, where they are on a GPU and there are none yet."""
    parameters = [p for group in updater.optimizer.param_groups for p in group["params"]]
    if updater.policy.device.type != "cuda" or updater.optimizer.state:
        return []
    eight_bits = not isinstance(updater.optimizer, torch.optim.AdamW)
    dtype = torch.uint8 if eight_bits else torch.float32
    return [torch.empty_like(p, dtype=dtype) for p in parameters for _ in range(2)]


def _what_to_lower(samples: Sequence[TrainingSample], error: BaseException) -> str:
    """The message for a pass that did not fit."""
    tokens = sum(len(sample.completion_ids) for sample in samples)
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"a step on the longest completions of the recipe does not fit into memory ({len(samples)} completions with "
        f"{tokens:,} tokens in one micro-batch): {first}. Lower train.micro_batch_tokens first, then "
        "sampling.max_completion_tokens; train.gradient_checkpointing=true, train.optimizer=adamw8bit and lora.rank "
        "save memory too. train.rehearse=false skips this rehearsal"
    )
