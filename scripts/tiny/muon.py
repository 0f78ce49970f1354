"""Muon in float32: torch's own orthogonalizes in bfloat16, which takes ten times as long on a CPU without units for it.

Left out: weight decay, and all that needs more than one device.
Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); coefficients and steps are as
in `torch.optim.Muon`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["Float32Muon", "orthogonalized"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS, MOMENTUM = 5, 0.95


def orthogonalized(matrix: Tensor) -> Tensor:
    """About the nearest matrix with orthonormal rows or columns: singular values near 1, by Newton-Schulz iterations.

    Args:
        matrix: [M, N].

    >>> torch.linalg.svdvals(orthogonalized(torch.tensor([[3.0, 0.0], [0.0, 0.5]]))).round(decimals=1).max() <= 1.2
    tensor(True)
    """
    a, b, c = COEFFICIENTS
    flat = matrix.T if matrix.size(0) > matrix.size(1) else matrix
    x: Tensor = flat / (flat.norm() + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.size(0) > matrix.size(1) else x


class Float32Muon(Optimizer):
    """Momentum of Nesterov's kind, orthogonalized, times the learning rate; more for matrices that are tall."""

    def __init__(self, params: Iterable[Tensor], *, lr: float) -> None:
        super().__init__(list(params), {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Update all matrices that have a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                momentum = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
                momentum.lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonalized(matrix.grad.lerp(momentum, MOMENTUM))
                matrix.sub_(update, alpha=group["lr"] * max(1.0, matrix.size(0) / matrix.size(1)) ** 0.5)
        return None
