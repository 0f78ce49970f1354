"""Micro-batches hold every sample once, obey the token budget, and mark exactly the answer's tokens."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.batching import Sample, micro_batches


def sample(prompt: int, completion: int, first: int = 1) -> Sample:
    ids = tuple(range(first, first + prompt + completion))
    return Sample(ids[:prompt], ids[prompt:], tuple(-0.1 * i for i in range(completion)), advantage=float(first))


lengths = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(st.lists(lengths, min_size=1, max_size=12), st.integers(4, 60))
def test_every_sample_once_within_the_budget_and_marked_right(shapes: list[tuple[int, int]], budget: int) -> None:
    samples = [sample(prompt, completion, first=100 * i + 1) for i, (prompt, completion) in enumerate(shapes)]
    batches = micro_batches(samples, max_tokens=budget)
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(len(samples)))
    for batch in batches:
        assert batch.input_ids.numel() <= budget or len(batch.rows) == 1
        assert torch.equal(batch.mask.sum(), batch.trained.sum())
        for i, row in enumerate(batch.rows.tolist()):
            expected = samples[row]
            following = torch.roll(batch.input_ids[i], -1)[batch.trained[i]]
            assert (
                tuple(following.tolist()) == expected.completion_ids
            ), "each trained position predicts an answer token"
            assert tuple(batch.completion_ids[i][batch.mask[i]].tolist()) == expected.completion_ids
            assert tuple(batch.input_ids[i][batch.attention_mask[i]].tolist()) == (
                expected.prompt_ids + expected.completion_ids
            )
            assert batch.advantages[i] == expected.advantage
            assert batch.sampler_logprobs[i][batch.mask[i]].tolist() == pytest.approx(expected.sampler_logprobs)


def test_the_longest_rows_come_first() -> None:
    batches = micro_batches([sample(1, 1), sample(5, 5), sample(2, 2)], max_tokens=10)
    assert [batch.rows.tolist() for batch in batches] == [[1], [2, 0]]


def test_a_prompt_of_token_zero_is_not_taken_for_padding() -> None:
    batch = micro_batches([Sample((0, 0), (0, 0), (0.0, 0.0), 1.0)], max_tokens=8)[0]
    assert batch.attention_mask.all() and batch.mask.all()


def test_a_sample_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="sample 1"):
        micro_batches([sample(1, 1), Sample((1,), (), (), 0.0)], max_tokens=8)
