"""From a recipe to what a simulation needs of it, with clear errors for what cannot be simulated."""

from __future__ import annotations

import dataclasses

from grpo.schema import ConfigError
from grpo_rust.engine_choice import choose_engine
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import KEPT_CORES
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.gpus import GPU
from sandbox.grading.backends import BATCH_SIZE
from simulating.pipeline import Shape

__all__ = ["CORES_PER_GPU", "grown", "shape_of"]

CORES_PER_GPU = 16  # of a rented machine with one H100, as docs/h100.md assumes it


def shape_of(recipe: Recipe, division: Division, *, cores: int, on_gpus: bool) -> Shape:
    """What decides who waits for whom.

    Args:
        recipe: The recipe.
        division: Who trains and who samples.
        cores: Of all machines together.
        on_gpus: Whether engines and trainer are on GPUs.

    Raises:
        ConfigError: Without cores, with conversations of several turns, for GPUs where there are none, and for a number
            of workers on each of nobody knows how many nodes.
    """
    if cores < 1:
        raise ConfigError(f"{cores} cores: cargo needs at least one to grade programs on; give --cores")
    rollout = recipe.rollout
    if rollout.turns > 1 or rollout.testers or rollout.deadline_s:
        raise ConfigError(
            "rollout.turns, rollout.testers and rollout.deadline_s are not simulated: use rollout.turns=1 "
            "rollout.testers=0 rollout.deadline_s=0"
        )
    if recipe.sandbox.pool == "ray" and recipe.sandbox.jobs:
        raise ConfigError(
            f"sandbox.jobs={recipe.sandbox.jobs} is of each node of Ray, and no recipe says how many there are: use "
            "sandbox.jobs=0, and give --cores of all machines together"
        )
    if not on_gpus and (division.gpus > 1 or recipe.train.device == "cuda"):
        wanted = f"{division.gpus} GPUs" if division.gpus > 1 else 'train.device = "cuda"'
        raise ConfigError(
            f"{wanted} by rates of a CPU: give rates of a run on one GPU, or in a file of rates of one "
            'device = "cuda"; else --gpus 1 train.device=cpu'
        )
    engine = choose_engine(recipe.sampling.engine, on_gpu=on_gpus)
    machines = -(-division.gpus // GPU.per_machine)
    free = max(1, cores - KEPT_CORES * machines) if on_gpus else cores
    return Shape(
        prompts=recipe.train.prompts_per_step,
        group_size=recipe.sampling.group_size,
        overlap=recipe.rollout.overlap,
        partial=recipe.rollout.partial,
        refill_rounds=recipe.rollout.refill_rounds,
        concurrent=engine == "vllm" or (engine == "paged" and recipe.sampling.own_process),
        skips_zero_std=recipe.train.skip_zero_std,
        passes=recipe.train.num_iterations,
        jobs=recipe.sandbox.jobs or free,
        batch_size=BATCH_SIZE if recipe.sandbox.backend == "batch" else 1,
        division=division,
        cores=cores,
        on_gpus=on_gpus,
        threads=recipe.train.threads or max(1, cores - 1),
    )


def grown(recipe: Recipe, times: int, *, most: int) -> Recipe:
    """The recipe with so many times the prompts a step, but not more than `most` if it had less.

    >>> [grown(Recipe(), times, most=100).train.prompts_per_step for times in (1, 4, 8)]
    [16, 64, 100]
    """
    prompts = max(recipe.train.prompts_per_step, min(most, times * recipe.train.prompts_per_step))
    train = dataclasses.replace(recipe.train, prompts_per_step=prompts)
    return dataclasses.replace(recipe, train=train)
