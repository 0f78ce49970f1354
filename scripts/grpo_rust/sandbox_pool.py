"""The pool that a recipe describes: workers of this machine, the server's that SANDBOX_URL names, or a cluster's.

Without torch, so that the workers start small; Ray is loaded by no process of this one.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

from grpo.errors import BadInput
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import num_jobs
from sandbox.service.choose import named_pool
from sandbox.service.grading_pool import GradingPool
from sandbox.terminal import counted
from sandbox.workers.pool import SandboxPool

if TYPE_CHECKING:
    from sandbox.cluster.ray_pool import RayPool

__all__ = ["describe_pool", "open_pool", "start_pool"]


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


def open_pool(recipe: Recipe) -> GradingPool:
    """The pool that grades a run, to be used as a context manager: of the server that SANDBOX_URL names, else its own.

    Of the section `sandbox` a server is asked for the limits alone, since they decide verdicts.

    Raises:
        BadInput: Where the server has other limits for a program than the recipe, or two ways are asked for at once.
        ServiceError: Where no server answers there, or it refuses the token.
        ClusterError: Where no Ray cluster answers at `sandbox.ray_address`, or none of its nodes can grade.
        SandboxError: As `start_pool`.
    """
    if recipe.sandbox.pool == "ray":
        return _ray_pool(recipe)
    server = named_pool()
    if server is None:
        return start_pool(recipe)
    has = server.limits
    wanted = {name: value for name, value in asdict(recipe.sandbox.limits()).items() if has.get(name) != value}
    if wanted:
        server.close()
        settings = "\n".join(f"  sandbox.{name} = {value}: it has {has.get(name)}" for name, value in wanted.items())
        raise BadInput(
            f"the sandbox server of SANDBOX_URL has other limits for a program:\n{settings}\n"
            "leave these settings as they are there, or grade here without SANDBOX_URL"
        )
    return server


def _ray_pool(recipe: Recipe) -> RayPool:
    """A pool on the nodes of a Ray cluster. Raises: As `open_pool`."""
    if url := os.environ.get("SANDBOX_URL"):
        raise BadInput(f'sandbox.pool = "ray", and SANDBOX_URL names the server {url}: give one of the two')
    if find_spec("ray") is None:
        raise BadInput('sandbox.pool = "ray" needs the package ray: pip install "grpo-rust[ray]"')
    from sandbox.cluster.ray_pool import RayPool

    settings = recipe.sandbox
    return RayPool(
        settings.ray_address,
        settings.jobs if settings.ray_address else num_jobs(recipe),
        settings.limits(),
        backend=settings.backend,
        isolation=settings.isolation,
        keep=settings.keep_verdicts,
        nice=settings.nice,
    )


def describe_pool(pool: GradingPool) -> str:
    """What grades, in one line."""
    where = f", at {url}" if (url := getattr(pool, "url", "")) else ""
    where += f", {counted(nodes, 'node')} so far" if (nodes := getattr(pool, "num_nodes", 0)) else ""
    return f"{pool.toolchain.version}, {counted(pool.jobs, 'worker')}, {pool.backend} backend{where}"
