"""Who computes which micro-batch: nothing is lost, the passes agree, and no rank has much more than another."""

import random

import pytest

from grpo.distributed.dealing import deal, fair_size
from grpo.model.batching import TrainingSample, cut


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_every_micro_batch_is_dealt_once_and_all_ranks_make_as_many_passes(ranks: int, count: int) -> None:
    costs = [random.Random(k).randrange(10, 100) for k in range(count)]
    hands = deal(costs, ranks=ranks)
    assert sorted(number for hand in hands for number in hand if number is not None) == list(range(count))
    assert {len(hand) for hand in hands} == {-(-count // ranks)}


def test_the_sums_are_even_where_the_costs_are_not() -> None:
    costs = [100, *[10] * 30]
    sums = [sum(costs[number] for number in hand if number is not None) for hand in deal(costs, ranks=4)]
    assert (
        sum(sums) == 400 and max(sums) == 160
    )  # eight passes each at most, so the long one has six short ones beside it


def test_ranks_share_what_one_process_computes_in_one_pass() -> None:
    samples = [TrainingSample((k,), tuple(range(1, 10)), (0.0,) * 9, 1.0) for k in range(8)]
    size = fair_size(samples, ranks=4, max_tokens=1000)
    assert (size, len(cut(samples, max_tokens=size)), len(cut(samples, max_tokens=1000))) == (20, 4, 1)


def test_no_micro_batch_is_larger_than_allowed() -> None:
    samples = [TrainingSample((k,), tuple(range(1, 10)), (0.0,) * 9, 1.0) for k in range(9)]
    assert fair_size(samples, ranks=2, max_tokens=25) <= 25
    assert fair_size([], ranks=2, max_tokens=25) <= 25


def test_a_sequence_that_is_longer_than_a_micro_batch_has_one_of_its_own() -> None:
    samples = [TrainingSample((1,), tuple(range(1, 50)), (0.0,) * 49, 1.0)] * 2
    assert len(cut(samples, max_tokens=fair_size(samples, ranks=2, max_tokens=10))) == 2
