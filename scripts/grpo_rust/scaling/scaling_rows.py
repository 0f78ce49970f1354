"""The rows of a plan for several GPUs: who does what, memory, traffic, cores for cargo, and the bottleneck."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grpo_rust.engine_choice import choose_engine
from grpo_rust.memory_estimate import ModelShape
from grpo_rust.recipe import Recipe
from grpo_rust.resources import NEARLY, as_size, memory_parts, recipe_memory
from grpo_rust.scaling.costs import decoding_cost, training_s, weights_s
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.from_recipe import step_settings
from grpo_rust.scaling.gpus import GPU
from grpo_rust.scaling.rank_memory import engine_bytes, loading_bytes, rank_memory
from grpo_rust.scaling.step_settings import StepSettings
from grpo_rust.scaling.work import StepWork, step_work
from grpo_rust.terminal.durations import rough_duration
from grpo_rust.time_estimate import GRADING_CPU_S

__all__ = ["StepTime", "scaling_rows", "scaling_time_rows", "step_time"]


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step by what they are spent on, as if each had the GPUs to itself."""

    sampling: float
    training: float
    weights: float
    grading: float  # 0 where nobody says how many cores there are
    hides_grading: float  # for so long programs are graded beside other work, and cost the step nothing
    together: float  # the step: what can overlap does

    @property
    def bottleneck(self) -> str:
        """What takes longest; cargo only where the step waits for it."""
        parts = self._parts()
        if self.grading <= self.hides_grading:
            parts.pop("cargo", None)
        return max(parts, key=lambda name: parts[name])

    def _parts(self) -> dict[str, float]:
        parts = {"sampling": self.sampling, "training": self.training, "new weights": self.weights}
        return {**parts, "cargo": self.grading} if self.grading else parts

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self._parts().items())
        return f"{self.bottleneck}: {parts}; about {self.together:.1f} s a step"


def assumed_work(settings: StepSettings, shape: ModelShape, division: Division) -> StepWork:
    """The work of a step with completions and prompts of the lengths that a plan assumes."""
    return step_work(settings, shape, division, mean_tokens=settings.mean_tokens, prompt_tokens=settings.prompt_tokens)


def scaling_rows(
    recipe: Recipe, shape: ModelShape | None, division: Division, gpu: GPU, row_tokens: int
) -> list[tuple[str, str]]:
    """What a recipe needs on several GPUs.

    Args:
        recipe: The recipe.
        shape: The model's sizes; None where they are not known.
        division: Who does what.
        gpu: What is assumed of each GPU.
        row_tokens: The longest prompt and completion together.

    Returns: pairs of a row's name and its text; the name is empty where the row continues the one above.
    """
    head = ("gpus", f"{division.gpus} x {gpu.name}: {division}")
    if shape is None:
        return [head, ("memory", "unknown"), ("traffic", "unknown"), ("cores", "unknown"), ("bottleneck", "unknown")]
    settings = step_settings(recipe)
    work = assumed_work(settings, shape, division)
    mean, prompt = settings.mean_tokens, settings.prompt_tokens
    cpu_s, jobs = GRADING_CPU_S[recipe.sandbox.backend], _jobs(recipe)
    times = _planned_step(recipe, shape, division, gpu)
    per_second = work.completions / times.hides_grading
    cores = math.ceil(per_second * cpu_s)
    given = f"; sandbox.jobs={recipe.sandbox.jobs}" if recipe.sandbox.jobs else ""
    given += " on each node" if given and not jobs else ""
    return [
        head,
        *_memory_rows(recipe, shape, division, gpu, row_tokens),
        ("traffic", _traffic(work, division)),
        ("cores", f"{cores} for cargo: {per_second:.0f} completions a second, {cpu_s} s of CPU each{given}"),
        ("bottleneck", str(times) if jobs else f"{times}; with fewer cores than those, cargo"),
        (
            "",
            f"assumed, not measured: {mean:.0f} tokens a completion, {prompt:.0f} a prompt, {_figures(recipe, gpu)}",
        ),
    ]


def step_time(
    settings: StepSettings, shape: ModelShape, division: Division, gpu: GPU, work: StepWork, *, grading_s: float = 0.0
) -> StepTime:
    """How long a step takes, its longest completion as long as may be; arguments as of `scaling_rows`.

    Programs are graded while others are sampled, and while others are trained on where batches are sampled ahead.
    """
    context = settings.prompt_tokens + work.sampled_tokens / work.completions / 2
    cost = decoding_cost(settings, shape, gpu, context_tokens=context, gpus=division.engine_width)
    tokens = work.sampled_tokens / division.engines
    longest = settings.max_completion_tokens
    iterations = max(longest, tokens / cost.slots) if cost.slots else longest
    sampling = iterations * cost.iteration_s + tokens * cost.row_s
    training = training_s(settings, work, division, gpu)
    weights = weights_s(work, division, gpu)
    if settings.overlap:
        busy = sampling + training if division.shared else max(sampling, training)
        hides, after = busy + weights, 0.0
    else:
        hides, after = sampling, training + weights
    return StepTime(sampling, training, weights, grading_s, hides, max(hides, grading_s) + after)


def _planned_step(recipe: Recipe, shape: ModelShape, division: Division, gpu: GPU) -> StepTime:
    """The times of a step with the cores that the recipe has for cargo; arguments as of `scaling_rows`."""
    settings = step_settings(recipe)
    work = assumed_work(settings, shape, division)
    return step_time(settings, shape, division, gpu, work, grading_s=_grading_s(recipe, work))


def _grading_s(recipe: Recipe, work: StepWork) -> float:
    """Seconds for the programs of a step with `sandbox.jobs` cores; 0 where it is left to the machine."""
    jobs = _jobs(recipe)
    return work.completions * GRADING_CPU_S[recipe.sandbox.backend] / jobs if jobs else 0.0


def _jobs(recipe: Recipe) -> int:
    """How many programs are graded at the same time; 0 where the machines decide, or how many nodes Ray has."""
    return 0 if recipe.sandbox.pool == "ray" else recipe.sandbox.jobs


def scaling_time_rows(
    recipe: Recipe, shape: ModelShape | None, division: Division, gpu: GPU, *, steps: int | None, usd_per_hour: float
) -> list[tuple[str, str]]:
    """The rows of a plan about time and cost, from the seconds of a step above; evaluations are not counted."""
    if shape is None or steps is None:
        return [("time", "unknown"), ("cost", "unknown without the time")]
    seconds = steps * _planned_step(recipe, shape, division, gpu).together
    about = f"about {rough_duration(seconds)} for {steps:,} steps, without evaluations; by the assumptions above"
    price = "unknown without the price of all machines: train.usd_per_hour=25"
    cost = f"about {seconds / 3600 * usd_per_hour:,.2f} dollars at {usd_per_hour:g} an hour" if usd_per_hour else price
    return [("time", about), ("cost", cost)]


def _memory_rows(
    recipe: Recipe, shape: ModelShape, division: Division, gpu: GPU, row_tokens: int
) -> list[tuple[str, str]]:
    """Memory of a rank, and of a GPU that only samples, and whether a GPU has as much."""
    engine = choose_engine(recipe.sampling.engine, on_gpu=True)
    completions = recipe.train.prompts_per_step * recipe.sampling.group_size
    rows = math.ceil(completions / division.engines)
    whole = recipe_memory(
        recipe, shape, rows=rows, row_tokens=row_tokens, engine=engine, update_tokens=completions * row_tokens
    )
    rank = rank_memory(whole, shape, division, dtype=recipe.model.dtype, adapters=recipe.lora.rank > 0)
    several = "the first rank" if division.shared else "a rank"
    needed = {several if division.ranks > 1 else "the trainer's GPU": rank.peak}
    if not division.shared:
        needed["an engine's GPU"] = engine_bytes(whole, division)
    about = ", ".join(f"{as_size(size)} on {place}" for place, size in needed.items())
    most = max(needed.values())
    verdict = "NO" if most > gpu.memory_bytes else "barely" if most > NEARLY * gpu.memory_bytes else "yes"
    return [
        ("memory", f"about {about}, with the longest completions"),
        ("", memory_parts(rank, engine, recipe.model.dtype)),
        ("fits", f"one {gpu.name} has {as_size(int(gpu.memory_bytes))}: {verdict}"),
        ("host", _host(shape, division, gpu)),
    ]


def _host(shape: ModelShape, division: Division, gpu: GPU) -> str:
    """Memory that a machine needs beside its GPUs'."""
    loading = as_size(loading_bytes(shape, division, per_machine=gpu.per_machine))
    ranks = min(division.ranks, gpu.per_machine)
    if ranks == 1:
        return f"about {loading} of a machine's memory while the model is loaded, in float32"
    return f"about {loading} of a machine's memory while its {ranks} ranks load the model, each all of it in float32"


def _traffic(work: StepWork, division: Division) -> str:
    """What a rank sends in a step, and what the engines get."""
    engines = "each engine" if division.engines > 1 else "the engine"
    new = f"{as_size(int(work.weight_bytes))} of new weights to {engines}"
    if division.ranks == 1:
        return f"{new} a step; nothing between ranks"
    sent = f"gathered weights {as_size(int(work.gathered_bytes))}, gradients {as_size(int(work.reduced_bytes))}"
    batches = f"{work.micro_batches} micro-batch{'es' if work.micro_batches > 1 else ''} a rank"
    by = f"{new} by way of {as_size(int(work.whole_bytes))} in the first rank's host"
    return f"a rank sends {as_size(int(work.sent_bytes))} a step ({sent}, {batches}); {by}"


def _figures(recipe: Recipe, gpu: GPU) -> str:
    """The assumptions about the GPU."""
    share = gpu.adapter_share if recipe.lora.rank else gpu.training_share
    return (
        f"training at {share:.0%} of {gpu.flops / 1e12:.0f} TFLOP/s, decoding at {gpu.decoding_share:.0%} of "
        f"{gpu.memory_bytes_per_s / 1e12:.2f} TB/s (docs/scale.md)"
    )
