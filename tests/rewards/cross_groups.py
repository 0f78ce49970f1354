"""Groups of codes and suites whose truth is known: agreeing blocks, and draws from the model of `calibrated`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rewards.matrix.calibrated import Calibration
from rewards.matrix.pass_matrix import PassMatrix


class Drawn(NamedTuple):
    matrix: PassMatrix
    codes: NDArray[np.float64]
    suites: NDArray[np.float64]


def blocks(*sizes: int) -> PassMatrix:
    """Blocks of codes with a behaviour each, whose suites assert just that behaviour."""
    behaviour = np.repeat(np.arange(len(sizes)), sizes)
    return PassMatrix((behaviour[:, None] == behaviour).astype(float), np.arange(len(behaviour)))


def draw(rng: np.random.Generator, size: int, parameters: Calibration) -> Drawn:
    """As many codes as suites, from the model."""
    codes, suites = rng.random(size) < parameters.code_right, rng.random(size) < parameters.suite_right
    shared = suites | (rng.random(size) < parameters.right_passes_wrong)
    of_right = shared ^ (rng.random((size, size)) < parameters.flake)
    slips = np.where(suites, parameters.wrong_passes_right, parameters.wrong_passes_wrong)
    passes = np.where(codes[:, None], of_right, rng.random((size, size)) < slips)
    return Drawn(PassMatrix(passes.astype(float), np.arange(size)), codes.astype(float), suites.astype(float))
