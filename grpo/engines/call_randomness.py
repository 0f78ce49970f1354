"""The random numbers of one call of an engine that draws them from torch's global generators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["CallRandomness"]


class CallRandomness:
    """The random numbers of one call: a state of torch's generators, which are as they were between the steps.

    A seed per request would be simpler, but it kills the CPU engine as soon as a prompt is computed in pieces, and the
    V1 runner on a GPU draws for one such request after the other, a kernel for each row of every step. The V2 runner
    draws for all of them in one kernel, and knows no other seed that can be renewed.
    """

    def __init__(self, seed: int, *, per_request: bool) -> None:
        self._seed, self._per_request = seed, per_request
        self._states = [torch.Generator(device).manual_seed(seed).get_state() for device in _devices()]

    @contextmanager
    def own(self) -> Iterator[None]:
        """Use this call's state of torch's generators inside the context."""
        before = _swap(self._states)
        try:
            yield
        finally:
            self._states = _swap(before)

    def for_request(self, prompt: int, sample: int) -> int | None:
        """The seed of one completion, where requests have one."""
        return hash((self._seed, prompt, sample)) & (2**63 - 1) if self._per_request else None


def _devices() -> list[str]:
    """The devices that vLLM draws random numbers on."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _swap(states: list[Tensor]) -> list[Tensor]:
    """Give torch's generators new states, one for each of `_devices`; returns the old ones."""
    before = [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if len(states) > 1 else [])]
    torch.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state(states[1])
    return before
