"""Dynamic loss scaling: gradients of a float16 backward pass, neither rounded to zero nor infinite.

float16 has no number between 0 and 6e-8 and none above 65504, and the loss of one token among 100,000 has a gradient
of 1e-5 at most. So the loss is multiplied by a scale before the backward pass, and the fp32 gradients of the parameters
are divided by it. A scale that is too large makes a gradient infinite: that step is left out and the scale halved. The
scale is a power of two, so that it rounds nothing by itself.

Why not torch.amp.GradScaler: it makes the host wait for the GPU to learn whether it may step, once more than the update
does to read the gradient's norm, and it never ends a run in which every step overflows.
Source: Micikevicius et al., "Mixed Precision Training" (arXiv 1710.03740), section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["LossScale"]

GROWTH_STEPS = 200  # torch's default, 2000, is longer than a run of 235 updates; not measured
MAX_OVERFLOWS = 20  # in a row
LOWEST_SCALE = 1.0  # below it the true gradient does not fit float16 either


@dataclass
class LossScale:
    """The factor of the loss, and what decides when it changes."""

    value: float = 2.0**16  # where torch's GradScaler begins
    good_steps: int = 0  # since the last change of the scale
    overflows: int = 0  # in a row, up to now

    @property
    def exhausted(self) -> bool:
        """Whether so many steps overflowed one after the other that a smaller scale is no remedy."""
        return self.overflows >= MAX_OVERFLOWS or self.value < LOWEST_SCALE

    def unscale(self, parameters: Iterable[Tensor]) -> None:
        """Divide the gradients of the parameters by the scale, in place; in fp32 that is exact."""
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(1 / self.value)

    def record(self, *, finite: bool) -> None:
        """Note whether a step's gradients were finite: halve the scale where not, double it after many that were.

        >>> scale = LossScale(value=8.0, good_steps=5)
        >>> scale.record(finite=False)
        >>> scale
        LossScale(value=4.0, good_steps=0, overflows=1)
        """
        self.overflows = 0 if finite else self.overflows + 1
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.value /= 2
        elif self.good_steps == GROWTH_STEPS:
            self.value, self.good_steps = self.value * 2, 0

    def state_dict(self) -> dict[str, float]:
        """The state as plain numbers, which JSON keeps exactly."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Continue where `state_dict` was taken. Raises: KeyError where a number is missing."""
        self.value = float(state["value"])
        self.good_steps, self.overflows = int(state["good_steps"]), int(state["overflows"])
