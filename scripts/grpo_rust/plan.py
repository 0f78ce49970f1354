"""What a recipe is going to do, before it does it: steps, tokens, memory, disk, time, cost: `train.py --dry-run`.

Loads neither model nor data: prompts are counted, sizes computed from the model's config.json, times scaled from rates
that were measured. A number that cannot be known here is said to be unknown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grpo.schema import ConfigError
from grpo_rust.known_sizes import known_config
from grpo_rust.memory_estimate import Footprint, ModelShape, footprint, model_shape, read_model_shape
from grpo_rust.prompt_counts import available_prompts
from grpo_rust.recipe import Recipe
from grpo_rust.time_estimate import SHIPPED, Load, forecast, read_rates

__all__ = ["plan"]

PROGRAMS_PER_EVALUATED_COMPLETION = 2  # the completion with its own tests, and with the gold tests
BYTES_PER_TOKEN = 4  # of a completion's text
VERDICT_BYTES = 2_000  # of a completion's line in completions.jsonl beside its text
REWARD_LINE_BYTES = 200
H100_BYTES = 80e9
NEARLY = 0.95  # above this share, fragments of the allocator may decide
KEEPS = {"hf": (), "paged": ("weights",), "vllm": ("weights", "cache")}  # engines, during updates


@dataclass(frozen=True)
class Work:
    """How much there is to do. `steps` is None where the number of prompts is unknown and nothing else decides."""

    prompts: str  # how many, in words
    steps: int | None
    completions_per_step: int
    evaluations: int
    eval_prompts: int
    eval_samples: int

    @property
    def evaluated(self) -> int:
        """All completions of the evaluations."""
        return self.evaluations * self.eval_prompts * self.eval_samples

    @property
    def completions(self) -> int | None:
        """All completions of the run."""
        return None if self.steps is None else self.steps * self.completions_per_step + self.evaluated


def plan(recipe: Recipe, *, rates: Path | None = None, usd_per_hour: float = 0.0) -> str:
    """The resolved plan of a recipe as text for a terminal.

    Args: recipe; rates, a file of `scripts/bench_throughput.py --json` from the machine that is to train; usd_per_hour
        that it costs, 0 where nobody knows.
    Raises: ConfigError for a data file, model directory or file of rates that cannot be used.
    """
    work = _work(recipe)
    shape, why_not = _shape(recipe.model.path)
    row_tokens = recipe.data.max_prompt_tokens + recipe.sampling.max_completion_tokens
    count = recipe.train.num_iterations * recipe.train.num_minibatches
    updates = "" if count == 1 else f", {count} updates each"
    rows = [
        ("run", str(recipe.run_path())),
        *_refusal(recipe),
        ("prompts", f"{work.prompts} in {recipe.data.train}"),
        (
            "steps",
            f"{_number(work.steps)}: {recipe.train.prompts_per_step} prompts x {recipe.sampling.group_size} completions = "
            f"{work.completions_per_step:,} completions a step{updates}",
        ),
        ("tokens", _tokens(work, row_tokens)),
        (
            "evaluation",
            f"{work.evaluations} x {work.eval_prompts} prompts x {work.eval_samples} completions, from {recipe.data.eval}",
        ),
        ("model", f"{recipe.model.path}: {why_not or _described(shape)}"),
        *_memory(recipe, shape, work, row_tokens),
        *_disk(recipe, shape, work),
        *_time(recipe, shape, work, rates, usd_per_hour),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _tokens(work: Work, row_tokens: int) -> str:
    """The most tokens of a step and of all training."""
    step = work.completions_per_step * row_tokens
    run = "" if work.steps is None else f", {work.steps * step:,} in all"
    return f"at most {step:,} a step ({row_tokens:,} a completion with its prompt){run}"


def _refusal(recipe: Recipe) -> list[tuple[str, str]]:
    """What training would say of the run directory before it begins."""
    if recipe.run.resume or not os.path.lexists(recipe.run_path()):
        return []
    return [("", "EXISTS ALREADY: choose another run.dir or run.name, or continue it with run.resume=true")]


def _work(recipe: Recipe) -> Work:
    """Steps, completions and evaluations of a recipe."""
    prompts, in_words = available_prompts(recipe.data.train, key="data.train")
    steps = recipe.train.max_steps or (None if prompts is None else recipe.train.num_steps(prompts))
    evaluations, eval_prompts = 0, 0
    if recipe.eval.prompts:
        available, _ = available_prompts(recipe.data.eval, key="data.eval")
        eval_prompts = recipe.eval.prompts if available is None else min(available, recipe.eval.prompts)
        between = (steps - 1) // recipe.eval.every if steps and recipe.eval.every else 0
        evaluations = 2 + between
    return Work(
        in_words,
        steps,
        recipe.train.prompts_per_step * recipe.sampling.group_size,
        evaluations,
        eval_prompts,
        recipe.eval.samples,
    )


def _shape(path: str) -> tuple[ModelShape | None, str]:
    """The model's sizes, or why they are not known."""
    directory = Path(path) if Path(path).is_dir() else _cached(path)
    published = known_config(path)
    if directory is None and published:
        return model_shape(published), ""
    if directory is None:
        return None, "no directory here and not in the hub's cache: memory and time are unknown"
    try:
        shape = read_model_shape(directory)
    except ValueError as error:
        raise ConfigError(f"model.path = {path!r}: {error}") from error
    return shape, "" if shape else "an architecture whose memory formula is not known here"


def _cached(name: str) -> Path | None:
    """The directory of a hub model that was downloaded before."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise ConfigError(f"model.path = {name!r}: neither a directory nor a name on the hub: {error}") from error
    return Path(found).parent if isinstance(found, str) else None


def _described(shape: ModelShape | None) -> str:
    """A model in words."""
    return "" if shape is None else f"{shape.family}, {shape.parameters:,} parameters"


def _memory(recipe: Recipe, shape: ModelShape | None, work: Work, row_tokens: int) -> list[tuple[str, str]]:
    """Peak memory and what it is made of."""
    if shape is None:
        return [("memory", "unknown")]
    engine = _engine(recipe)
    ahead = ("cache",) if engine != "hf" and recipe.rollout.overlap else ()
    size: Footprint = footprint(
        shape,
        dtype=recipe.model.dtype,
        reference=recipe.loss.kl_beta > 0,
        micro_batch_tokens=min(recipe.train.micro_batch_tokens, work.completions_per_step * row_tokens),
        rows=work.completions_per_step,
        row_tokens=row_tokens,
        lora_rank=recipe.lora.rank,
        checkpointing=recipe.train.gradient_checkpointing,
        own_engine=engine != "hf",
        cache_bytes=int(recipe.sampling.kv_cache_gb * 1e9) if engine == "vllm" else 0,
        keeps=() if recipe.sampling.sleep else (*KEEPS[engine], *ahead),
    )
    always = f"weights {_bytes(size.weights)}, Adam {_bytes(size.adam)}"
    always += f", reference {_bytes(size.reference)}" if size.reference else ""
    copy = f", {recipe.model.dtype} copy {_bytes(size.compute_copy)}" if size.compute_copy else ""
    own = f"{engine}'s weights, their buffer and its sampler {_bytes(size.engine)}, " if size.engine else ""
    sampling = f"sampling ({own}KV cache {_bytes(size.kv_cache)})"
    beside = f", {engine} still there {_bytes(size.beside_updates)}" if size.beside_updates else ""
    updating = f"updating (gradients {_bytes(size.gradients)}{copy}, activations {_bytes(size.activations)}"
    updating += f", head {_bytes(size.head)}{beside})"
    return [
        ("memory", f"about {_bytes(size.peak)} on the model's device with the longest completions"),
        ("", f"{always}; {sampling}; {updating}"),
        ("fits", _fits(recipe, size.peak)),
    ]


def _engine(recipe: Recipe) -> str:
    """What samples: on a GPU hf means continuous batching."""
    return "paged" if recipe.sampling.engine == "hf" and _on_gpu(recipe.train.device) else recipe.sampling.engine


def _fits(recipe: Recipe, needed: int) -> str:
    """Whether the memory suffices: that of this machine or its GPU, and of one H100 if it does not."""
    place, size = _device_bytes(recipe)
    if size is not None and needed <= size:
        return f"yes: {place} has {_bytes(size)}"
    here = f"not here, {place} has {_bytes(size)}; " if size is not None else ""
    if needed <= H100_BYTES:
        tight = "barely" if needed > NEARLY * H100_BYTES else "yes"
        return f"{here}one H100 has {_bytes(int(H100_BYTES))}: {tight}"
    ways = {
        "lora.rank=16": not recipe.lora.rank,
        "train.gradient_checkpointing=true": not recipe.train.gradient_checkpointing,
        "sampling.sleep=true rollout.overlap=0": recipe.sampling.engine == "vllm" and not recipe.sampling.sleep,
        "a smaller train.micro_batch_tokens": True,
    }
    return f"{here}NO: one H100 has {_bytes(int(H100_BYTES))}: try {', '.join(way for way, can in ways.items() if can)}"


def _device_bytes(recipe: Recipe) -> tuple[str, int | None]:
    """The device that the model would live on here, and its memory."""
    if not _on_gpu(recipe.train.device):
        return "this machine", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout
        return "its GPU", int(said.split()[0]) << 20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return "its GPU", None


def _disk(recipe: Recipe, shape: ModelShape | None, work: Work) -> list[tuple[str, str]]:
    """Disk space of checkpoints and logs, and what is free."""
    written = 1
    if work.steps and recipe.checkpoint.every:
        written = -(-work.steps // recipe.checkpoint.every)
    checkpoints = 0 if shape is None else min(written, recipe.checkpoint.keep + 1) * _checkpoint_bytes(recipe, shape)
    line = BYTES_PER_TOKEN * recipe.sampling.max_completion_tokens + VERDICT_BYTES
    per_completion = (line if recipe.log.completions else 0) + REWARD_LINE_BYTES * len(recipe.rewards.weights)
    logs = None if work.completions is None else work.completions * per_completion
    parent = next(path for path in recipe.run_path().absolute().parents if path.exists())
    free = shutil.disk_usage(parent).free
    known = f"checkpoints {_bytes(checkpoints) if shape else 'unknown'}, logs {_bytes(logs)}"
    known += f"; {_bytes(free)} free in {parent}"
    rows = [("disk", known)]
    if checkpoints + (logs or 0) > free:
        rows.append(("", "TOO LITTLE: make room, choose another run.dir, or lower checkpoint.keep"))
    return rows


def _checkpoint_bytes(recipe: Recipe, shape: ModelShape) -> int:
    """The model in fp32, and Adam's moments of what is trained; with LoRA the adapters too."""
    adapters = recipe.lora.rank * shape.linear_ends
    return 4 * (shape.parameters + adapters) + 8 * (adapters or shape.parameters)


def _time(
    recipe: Recipe, shape: ModelShape | None, work: Work, file: Path | None, usd_per_hour: float
) -> list[tuple[str, str]]:
    """Expected duration and cost, with the assumptions they rest on."""
    engine = "vllm" if recipe.sampling.engine == "vllm" else "hf"  # as the benchmark names them
    rates = None if _on_gpu(recipe.train.device) else SHIPPED
    if file:
        rates = read_rates(file, engine, dtype=recipe.model.dtype, completions_per_step=work.completions_per_step)
    if rates is None:
        bench = f"scripts/bench_throughput.py --vs none --engine {engine} --dtype {recipe.model.dtype} --json FILE"
        unmeasured = f"unknown: nothing was measured on this GPU yet. {bench} does it, --rates FILE reads it"
        return [("time", unmeasured), ("cost", "unknown without the time")]
    if shape is None or work.completions is None or work.steps is None:
        return [("time", "unknown"), ("cost", "unknown without the time")]
    load = Load(
        sampled_completions=work.completions,
        trained_completions=work.steps * work.completions_per_step * recipe.train.num_iterations,
        programs=work.completions + (PROGRAMS_PER_EVALUATED_COMPLETION - 1) * work.evaluated,
        parameters=shape.parameters,
        backend=recipe.sandbox.backend,
        jobs=recipe.sandbox.jobs or len(os.sched_getaffinity(0)),
        refilled=work.steps * work.completions_per_step * recipe.rollout.refill_rounds,
    )
    source = str(file) if file else "docs/throughput.md"
    return forecast(load, rates, recipe.sampling.max_completion_tokens, source=source, usd_per_hour=usd_per_hour)


def _on_gpu(device: str) -> bool:
    """Whether the model is to live on a GPU, as far as can be told without torch."""
    return device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists())


def _number(value: int | None) -> str:
    """A count, or that it is not known."""
    return "an unknown number" if value is None else f"{value:,}"


def _bytes(value: int | None) -> str:
    """A size to two digits.

    >>> _bytes(12_300_000), _bytes(2_500_000_000)
    ('12 MB', '2.5 GB')
    """
    if value is None:
        return "unknown"
    return f"{value / 1e9:,.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"
