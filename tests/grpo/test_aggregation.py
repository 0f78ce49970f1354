"""Weights of completions equal the published means, written as loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.loss.aggregation import AGGREGATIONS, aggregation_weights

TOLERANCE = 1e-6  # fp32
lengths_of = st.lists(st.integers(0, 8), min_size=1, max_size=6)


def loop_loss(losses: list[list[float]], aggregation: str) -> float:
    """The loss of a batch, as its paper writes it."""
    if aggregation == "token":
        return sum(map(sum, losses)) / max(sum(map(len, losses)), 1)
    if aggregation == "sequence":
        return sum(sum(row) / max(len(row), 1) for row in losses) / len(losses)
    if aggregation == "constant":
        return sum(map(sum, losses)) / (8 * len(losses))
    return sum(map(sum, losses)) / len(losses)


@given(lengths_of, st.sampled_from(AGGREGATIONS))
def test_weights_give_the_published_mean(lengths: list[int], aggregation: str) -> None:
    losses = [[float((3 * row + 5 * t) % 7 - 2) for t in range(length)] for row, length in enumerate(lengths)]
    weights = aggregation_weights(torch.tensor(lengths), aggregation=aggregation, max_tokens=8).tolist()
    loss = sum(weight * sum(row) for weight, row in zip(weights, losses, strict=True))
    expected = loop_loss(losses, aggregation)
    assert loss == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
    assert loss + 1e-4 * max(1, abs(loss)) != pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_an_empty_completion_weighs_nothing_but_counts_as_a_completion(aggregation: str) -> None:
    with_empty = aggregation_weights(torch.tensor([2, 0]), aggregation=aggregation, max_tokens=8)
    alone = aggregation_weights(torch.tensor([2]), aggregation=aggregation, max_tokens=8)
    assert with_empty[1] == 0
    assert with_empty[0] == (alone[0] if aggregation == "token" else alone[0] / 2)


def test_what_cannot_work_is_refused_with_what_can() -> None:
    with pytest.raises(ValueError, match="token, sequence, constant, sum"):
        aggregation_weights(torch.tensor([1]), aggregation="mean", max_tokens=4)
