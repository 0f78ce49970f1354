"""The rows of a plan about memory and disk: what a run needs, what it is made of, and whether this machine has it."""

from __future__ import annotations

import os
import shutil
import subprocess

from grpo_rust.engine_choice import choose_engine, expects_gpu
from grpo_rust.memory_estimate import ADAM_BYTES, MemoryEstimate, ModelShape, estimate_memory
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import RunSize

__all__ = ["NEARLY", "disk_rows", "memory_parts", "memory_rows", "as_size", "recipe_memory"]

BYTES_PER_TOKEN = 4  # of a completion's text
VERDICT_BYTES = 2_000  # of a completion's line in completions.jsonl beside its text
REWARD_LINE_BYTES = 200
H100_BYTES = 80e9
NEARLY = 0.95  # above this share, fragments of the allocator may decide
KEEPS = {"hf": (), "paged": ("weights",), "vllm": ("weights", "cache")}  # what an engine holds during updates


def memory_rows(recipe: Recipe, shape: ModelShape | None, size: RunSize, row_tokens: int) -> list[tuple[str, str]]:
    """Peak memory, its parts, and whether the device has as much.

    Args:
        recipe: The recipe.
        shape: The model's sizes; None where they are not known.
        size: The run's counts.
        row_tokens: The longest prompt and completion together.

    Returns: pairs of a row's name and its text; the name is empty where the row continues the one above.
    """
    if shape is None:
        return [("memory", "unknown")]
    engine = choose_engine(recipe.sampling.engine, on_gpu=expects_gpu(recipe.train.device))
    rows, here = size.completions_per_step, not recipe.sampling.elsewhere()
    engine = engine if here else "hf"  # which holds nothing of its own
    memory = recipe_memory(
        recipe,
        shape,
        rows=rows if here else 0,
        row_tokens=row_tokens,
        engine=engine,
        update_tokens=rows * row_tokens,
    )
    return [
        ("memory", f"about {as_size(memory.peak)} on the model's device with the longest completions"),
        ("", memory_parts(memory, engine, recipe.model.dtype)),
        ("fits", _fits(recipe, memory.peak)),
    ]


def recipe_memory(
    recipe: Recipe, shape: ModelShape, *, rows: int, row_tokens: int, engine: str, update_tokens: int
) -> MemoryEstimate:
    """The memory of a recipe on one device.

    Args:
        recipe: The recipe.
        shape: The model's sizes.
        rows: Completions that are sampled at once on the device.
        row_tokens: The longest prompt and completion together.
        engine: "hf", "paged" or "vllm".
        update_tokens: At most those of a step: a micro-batch has no more.
    """
    ahead = ("cache",) if engine != "hf" and recipe.rollout.overlap else ()
    return estimate_memory(
        shape,
        dtype=recipe.model.dtype,
        reference=recipe.loss.kl_beta > 0,
        micro_batch_tokens=min(recipe.train.micro_batch_tokens, update_tokens),
        rows=rows,
        row_tokens=row_tokens,
        lora_rank=recipe.lora.rank,
        gradient_checkpointing=recipe.train.gradient_checkpointing,
        own_engine=engine != "hf",
        cache_bytes=int(recipe.sampling.kv_cache_gb * 1e9) if engine == "vllm" else 0,
        optimizer=recipe.train.optimizer,
        keeps=() if recipe.sampling.sleep else (*KEEPS[engine], *ahead),
    )


def memory_parts(memory: MemoryEstimate, engine: str, dtype: str) -> str:
    """What the memory is made of: always, during sampling and during an update."""
    always = f"weights {as_size(memory.weights)}, Adam {as_size(memory.adam)}"
    always += f", reference {as_size(memory.reference)}" if memory.reference else ""
    copy = f", {dtype} copy {as_size(memory.compute_copy)}" if memory.compute_copy else ""
    own = f"{engine}'s weights, their buffer and its sampler {as_size(memory.engine)}, " if memory.engine else ""
    sampling = f"; sampling ({own}KV cache {as_size(memory.kv_cache)})" if memory.kv_cache else ""
    beside = f", {engine} still there {as_size(memory.beside_updates)}" if memory.beside_updates else ""
    updating = f"updating (gradients {as_size(memory.gradients)}{copy}, activations {as_size(memory.activations)}"
    updating += f", head {as_size(memory.head)}{beside})"
    return f"{always}{sampling}; {updating}"


def _fits(recipe: Recipe, needed: int) -> str:
    """Whether the memory suffices: that of this machine or its GPU, and of one H100 if it does not."""
    place, size = _device_bytes(recipe.train.device)
    if size is not None and needed <= size:
        return f"yes: {place} has {as_size(size)}"
    here = f"not here, {place} has {as_size(size)}; " if size is not None else ""
    if needed <= H100_BYTES:
        tight = "barely" if needed > NEARLY * H100_BYTES else "yes"
        return f"{here}one H100 has {as_size(int(H100_BYTES))}: {tight}"
    ways = {
        "lora.rank=16": not recipe.lora.rank,
        "train.gradient_checkpointing=true": not recipe.train.gradient_checkpointing,
        "train.optimizer=adamw8bit": not recipe.lora.rank and recipe.train.optimizer == "adamw",
        "sampling.sleep=true rollout.overlap=0": recipe.sampling.engine == "vllm" and not recipe.sampling.sleep,
        "a smaller sampling.kv_cache_gb": recipe.sampling.engine == "vllm",
        "a smaller train.micro_batch_tokens": True,
    }
    return (
        f"{here}NO: one H100 has {as_size(int(H100_BYTES))}: try {', '.join(way for way, can in ways.items() if can)}"
    )


def _device_bytes(device: str) -> tuple[str, int | None]:
    """The device that the policy would live on here, and its memory; None where it cannot be asked."""
    if not expects_gpu(device):
        return "this machine", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout
        return "its GPU", int(said.split()[0]) << 20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return "its GPU", None


def disk_rows(recipe: Recipe, shape: ModelShape | None, size: RunSize) -> list[tuple[str, str]]:
    """Disk space of checkpoints and logs, and what is free; arguments and rows as of `memory_rows`."""
    written = -(-size.steps // recipe.checkpoint.every) if size.steps and recipe.checkpoint.every else 1
    kept = recipe.checkpoint.keep_last + recipe.checkpoint.keep_best + 1  # and one more while it is written
    checkpoints = 0 if shape is None else min(written, kept) * _checkpoint_bytes(recipe, shape)
    line = BYTES_PER_TOKEN * recipe.sampling.max_completion_tokens + VERDICT_BYTES
    per_completion = (line if recipe.log.completions else 0) + REWARD_LINE_BYTES * len(recipe.rewards.weights)
    logs = None if size.completions is None else size.completions * per_completion
    parent = next(path for path in recipe.run_path().absolute().parents if path.exists())
    free = shutil.disk_usage(parent).free
    known = f"checkpoints {as_size(checkpoints) if shape else 'unknown'}, logs {as_size(logs)}"
    rows = [("disk", f"{known}; {as_size(free)} free in {parent}")]
    if checkpoints + (logs or 0) > free:
        rows.append(("", "TOO LITTLE: make room, choose another run.dir, or lower checkpoint.keep_last"))
    return rows


def _checkpoint_bytes(recipe: Recipe, shape: ModelShape) -> int:
    """The model in fp32, and Adam's moments of what is trained; with LoRA the adapters too."""
    adapters = recipe.lora.rank * shape.linear_ends
    moments = ADAM_BYTES[recipe.train.optimizer] * (adapters or shape.parameters)
    return 4 * (shape.parameters + adapters) + int(moments)


def as_size(value: int | None) -> str:
    """A size to two digits.

    >>> as_size(12_300_000), as_size(2_500_000_000)
    ('12 MB', '2.5 GB')
    """
    if value is None:
        return "unknown"
    return f"{value / 1e9:,.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"
