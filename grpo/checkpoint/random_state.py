"""The generators that a process shares (`random`, numpy, torch) as plain JSON values, and back.

Nothing in this project draws from them during a run: its seeds are functions of the step. A reward function of the
user's may, and then goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["random_state", "restore_random_state"]


def random_state() -> dict[str, Any]:
    """The state of every generator now."""
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [name, keys.tolist(), *rest],  # type: ignore[union-attr]  # legacy: a tuple
        "torch": _hex(torch.get_rng_state()),
        "cuda": [_hex(state) for state in torch.cuda.get_rng_state_all()] if torch.cuda.is_initialized() else [],
    }


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Put every generator into a state that `random_state` returned; GPUs only where there are as many as then."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(_bytes(state["torch"]))
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([_bytes(text) for text in state["cuda"]])


def _hex(state: torch.Tensor) -> str:
    """A state of bytes as text."""
    return bytes(state.cpu().numpy()).hex()


def _bytes(text: str) -> torch.Tensor:
    """The inverse of `_hex`."""
    return torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8)
