"""The pool of sandbox workers that a recipe describes; without torch, so that the workers start small."""

from __future__ import annotations

import os

from grpo_rust.engine_choice import expects_gpu
from grpo_rust.recipe import Recipe
from sandbox.workers.pool import SandboxPool

__all__ = ["num_jobs", "start_pool"]

KEPT_CORES = 3  # beside a GPU: the trainer and the engine each have a thread that launches kernels, and helpers


def num_jobs(recipe: Recipe) -> int:
    """How many programs a recipe grades at once on this machine: `sandbox.jobs`, or by the number of cores."""
    cores = len(os.sched_getaffinity(0))
    return recipe.sandbox.jobs or max(1, cores - KEPT_CORES * expects_gpu(recipe.train.device))


def start_pool(recipe: Recipe) -> SandboxPool:
    """The pool with its workers started, to be used as a context manager.

    Args:
        recipe: Its section `sandbox` is used, and where the policy is going to live.

    Raises:
        SandboxError: Where there is no usable toolchain, or no isolation of the wanted kind.
    """
    settings = recipe.sandbox
    return SandboxPool(
        num_jobs(recipe),
        settings.limits(),
        backend=settings.backend,
        isolation=settings.isolation,
        keep=settings.keep_verdicts,
        nice=settings.nice,
    )
