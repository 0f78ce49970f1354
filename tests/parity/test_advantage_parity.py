"""Advantages equal TRL's over `scale_rewards` and `multi_objective_aggregation`, whatever is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from agreement import TABLE, relative
from oracle import NAN, outcome_of_trl, random_batch
from ours import advantages_of

TOLERANCE = 1e-6  # of the largest advantage, fp32
SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5)))
SCALES = ("group", "batch", "none")
AGGREGATIONS = ("sum_then_normalize", "normalize_then_sum")


@pytest.mark.parametrize("kinds", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("num_generations", [2, 4, 8])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("scale", SCALES)
def test_advantages_equal_trls(scale: str, aggregation: str, num_generations: int, seed: int, kinds: int) -> None:
    batch = replace(random_batch(seed, kinds=kinds), num_generations=num_generations)
    options = {
        "scale_rewards": scale,
        "multi_objective_aggregation": aggregation,
        "num_generations": num_generations,
    }
    trl = outcome_of_trl([batch], [(0, 0)], **options).advantages
    ours = advantages_of(batch, options)
    error = relative(ours, trl)
    TABLE[f"scale_rewards={scale}, {aggregation}"].append((error, 0.0))
    assert error <= TOLERANCE
    assert relative(ours * (1 + 3 * TOLERANCE), trl) > TOLERANCE
    assert (trl != 0).sum() >= 2


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("scale", SCALES)
def test_nothing_to_compare_is_zero_in_both(scale: str, aggregation: str) -> None:
    batch = random_batch(0)
    rewards = torch.full_like(batch.rewards, NAN)
    rewards[5] = 1.0  # alone in its group, and in the batch
    options = {"scale_rewards": scale, "multi_objective_aggregation": aggregation}
    batch = replace(batch, rewards=rewards)
    assert (outcome_of_trl([batch], [(0, 0)], **options).advantages == 0).all()
    assert (advantages_of(batch, options) == 0).all()
