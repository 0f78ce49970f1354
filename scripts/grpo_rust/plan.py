"""What a recipe is going to do, before it does it: steps, tokens, memory, disk, time, cost: `train.py --dry-run`.

Loads no model and downloads nothing: prompts are read and refused as by training, but not tokenized; memory is computed
from the model's config.json, times are scaled from measured rates. The text says "unknown" for a number that cannot be
known here.
"""

from __future__ import annotations

import os
from pathlib import Path

from grpo.schema import ConfigError
from grpo_rust.compose.sources import named_sources
from grpo_rust.engine_choice import expects_gpu
from grpo_rust.known_sizes import find_model_shape
from grpo_rust.memory_estimate import ModelShape
from grpo_rust.prompt_counts import count_held_out, count_training
from grpo_rust.recipe import Recipe
from grpo_rust.resources import disk_rows, memory_rows
from grpo_rust.run_size import RunSize, num_jobs, run_size
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.gpus import GPUS
from grpo_rust.scaling.scaling_rows import scaling_rows, scaling_time_rows
from grpo_rust.time_estimate import SHIPPED, Workload, read_rates, time_rows
from rewards.group_rewards import GROUP_REWARDS

__all__ = ["plan"]

PROGRAMS_PER_EVALUATED_COMPLETION = 2  # the completion with its own tests, and with the gold tests


def plan(
    recipe: Recipe,
    *,
    rates: Path | None = None,
    usd_per_hour: float = 0.0,
    division: Division | None = None,
    gpu: str = "h100",
) -> str:
    """The resolved plan of a recipe as text for a terminal.

    Args:
        recipe: The recipe, with its run directory filled in.
        rates: A file that `scripts/bench_throughput.py --json` wrote on the machine that is to train, with one GPU.
        usd_per_hour: The price of that machine; 0 where it is not known.
        division: How the GPUs are to be used; None: one GPU, or none, of this machine.
        gpu: A key of `GPUS`: what each of those is.

    Raises:
        BadInput: For prompts that training would refuse, and a model directory or file of rates that cannot be used.
    """
    size = run_size(recipe, count_training(recipe), count_held_out(recipe))
    try:
        shape, why_not = find_model_shape(recipe.model.path)
    except ValueError as error:
        raise ConfigError(f"model.path = {recipe.model.path!r}: {error}") from error
    row_tokens = recipe.longest_sequence()
    described = f"{shape.family}, {shape.parameters:,} parameters" if shape else ""
    turns = _turns(size)
    evaluated = f"{size.evaluations} x {size.eval_prompts} prompts x {size.eval_samples} completions{turns}"
    eval_note = f" ({size.eval_note})" if size.eval_note else ""
    rows = [
        ("run", str(recipe.run_path())),
        *_refusal(recipe),
        ("prompts", f"{size.prompts} in {named_sources(recipe.data.train_sources())}"),
        ("steps", _steps(recipe, size)),
        ("tokens", _tokens(size, row_tokens)),
        ("evaluation", f"{evaluated}, from {named_sources(recipe.data.eval_sources())}{eval_note}"),
        ("model", f"{recipe.model.path}: {why_not or described}"),
        *(
            scaling_rows(recipe, shape, division, GPUS[gpu], row_tokens)
            if division
            else memory_rows(recipe, shape, size, row_tokens)
        ),
        *disk_rows(recipe, shape, size),
        *(
            scaling_time_rows(recipe, shape, division, GPUS[gpu], steps=size.steps, usd_per_hour=usd_per_hour)
            if division
            else _time(recipe, shape, size, rates, usd_per_hour)
        ),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _refusal(recipe: Recipe) -> list[tuple[str, str]]:
    """A row where training would refuse the run directory before it begins."""
    if recipe.run.resume or not os.path.lexists(recipe.run_path()):
        return []
    return [("", "EXISTS ALREADY: choose another run.dir or run.name, or continue it with run.resume=true")]


def _steps(recipe: Recipe, size: RunSize) -> str:
    """How many steps there are, and what each is made of."""
    steps = "an unknown number" if size.steps is None else f"{size.steps:,}"
    batch = f"{recipe.train.prompts_per_step} prompts x {recipe.sampling.group_size} completions"
    testers = f" and {recipe.rollout.testers} tests alone a prompt" if recipe.rollout.testers else ""
    count = recipe.train.num_iterations * recipe.train.num_minibatches
    updates = "" if count == 1 else f", {count} updates each"
    return f"{steps}: {batch} = {size.completions_per_step:,} completions a step{_turns(size)}{testers}{updates}"


def _turns(size: RunSize) -> str:
    """How often a completion may be followed by another one."""
    return "" if size.turns == 1 else f" (conversations of at most {size.turns})"


def _tokens(size: RunSize, row_tokens: int) -> str:
    """The most tokens of a step and of all training."""
    step = size.completions_per_step * size.turns * row_tokens
    run = "" if size.steps is None else f", {size.steps * step:,} in all"
    return f"at most {step:,} a step ({row_tokens:,} a completion with its prompt){run}"


def _time(
    recipe: Recipe, shape: ModelShape | None, size: RunSize, file: Path | None, usd_per_hour: float
) -> list[tuple[str, str]]:
    """Expected duration and cost, with the assumptions they rest on."""
    engine = "vllm" if recipe.sampling.engine == "vllm" else "hf"  # as the benchmark names them
    rates = None if expects_gpu(recipe.train.device) else SHIPPED
    if file:
        rates = read_rates(file, engine, dtype=recipe.model.dtype, completions_per_step=size.completions_per_step)
    if rates is None:
        bench = f"scripts/bench_throughput.py --vs none --engine {engine} --dtype {recipe.model.dtype} --json FILE"
        unmeasured = f"unknown: nothing was measured on this GPU yet. {bench} does it, --rates FILE reads it"
        return [("time", unmeasured), ("cost", "unknown without the time")]
    if shape is None or size.trained is None:
        return [("time", "unknown"), ("cost", "unknown without the time")]
    sampled = size.trained + size.evaluated
    testers = size.trained * recipe.rollout.testers // recipe.sampling.group_size
    compares = any(name in GROUP_REWARDS for name in recipe.rewards.weights)
    workload = Workload(
        sampled_completions=sampled + testers,
        trained_completions=size.trained * recipe.train.num_iterations,
        programs=sampled + (PROGRAMS_PER_EVALUATED_COMPLETION - 1) * size.evaluated + compares * size.trained,
        parameters=shape.parameters,
        backend=recipe.sandbox.backend,
        jobs=num_jobs(recipe),
        refilled=size.trained * recipe.rollout.refill_rounds,
    )
    source = str(file) if file else "docs/studies/throughput.md"
    return time_rows(workload, rates, recipe.sampling.max_completion_tokens, source=source, usd_per_hour=usd_per_hour)
