"""The pool of sandbox workers that a recipe describes; without torch, so that the workers start small."""

from __future__ import annotations

from grpo_rust.recipe import SandboxSection
from sandbox.workers.pool import SandboxPool

__all__ = ["start_pool"]


def start_pool(settings: SandboxSection) -> SandboxPool:
    """The pool with its workers started, to be used as a context manager.

    Args:
        settings: The section `sandbox` of a recipe.

    Raises:
        SandboxError: Where there is no usable toolchain, or no isolation of the wanted kind.
    """
    return SandboxPool(
        settings.jobs,
        settings.limits(),
        backend=settings.backend,
        isolation=settings.isolation,
        keep=settings.keep_verdicts,
    )
