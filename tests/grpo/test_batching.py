"""Micro-batches hold every sample once, obey the token budget, lay sequences end to end and share prompts."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grpo.model.batching import MicroBatch, TrainingSample, micro_batches


def sample(prompt: int, completion: int, first: int = 1, prompt_first: int | None = None) -> TrainingSample:
    start = first if prompt_first is None else prompt_first
    prompt_ids, completion_ids = range(start, start + prompt), range(first + prompt, first + prompt + completion)
    logprobs = tuple(-0.1 * i for i in range(completion))
    return TrainingSample(tuple(prompt_ids), tuple(completion_ids), logprobs, advantage=float(first))


def sequences(batch: MicroBatch) -> list[list[int]]:
    """What each sequence sees of the row."""
    ends = batch.layout.ends.tolist()
    return [batch.input_ids[batch.layout.places[start:end]].tolist() for start, end in zip(ends, ends[1:])]


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 3))  # prompt, completion, which prompt


@given(st.lists(shapes, min_size=1, max_size=12), st.integers(4, 60), st.booleans())
def test_every_sample_once_within_the_budget_and_marked_right(
    drawn: list[tuple[int, int, int]], budget: int, share: bool
) -> None:
    samples = [
        sample(prompt, completion, first=100 * i + 1000, prompt_first=100 * which)
        for i, (prompt, completion, which) in enumerate(drawn)
    ]
    batches = micro_batches(samples, max_tokens=budget, share_prompts=share)
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(len(samples)))
    for batch in batches:
        chosen = [samples[row] for row in batch.rows.tolist()]
        assert len(batch.input_ids) <= budget or len(batch.rows) == 1
        prompts = {s.prompt_ids for s in chosen} if share else chosen
        num_prompt_tokens = sum(len(p if share else p.prompt_ids) for p in prompts)
        assert len(batch.input_ids) == num_prompt_tokens + sum(len(s.completion_ids) for s in chosen)
        assert sorted(sequences(batch)) == sorted(list(s.token_ids) for s in chosen)
        flat = batch.layout.places[batch.layout.own]
        assert flat.tolist() == list(range(len(batch.input_ids))), "every token finds its own output"
        for i, expected in enumerate(chosen):
            assert batch.pad(batch.token_ids)[i][batch.mask[i]].tolist() == list(expected.completion_ids)
            assert batch.advantages[i] == expected.advantage
            assert batch.sampler_logprobs[i][batch.mask[i]].tolist() == pytest.approx(expected.sampler_logprobs)
        assert torch.equal(batch.unpad(batch.pad(batch.token_ids)), batch.token_ids)
        lengths = batch.layout.ends.diff().tolist()
        counted = [place for length in lengths for place in range(length)]
        assert batch.positions[batch.layout.places].tolist() == counted, "each token knows its place in its sequence"
        seen = [s.token_ids[len(s.prompt_ids) - 1 + t] for s in chosen for t in range(len(s.completion_ids))]
        assert batch.input_ids[batch.predictors].tolist() == seen, "a token is predicted from the one before it"


def test_the_longest_rows_come_first() -> None:
    batches = micro_batches([sample(1, 1), sample(5, 5), sample(2, 2)], max_tokens=10)
    assert [batch.rows.tolist() for batch in batches] == [[1], [2, 0]]


def test_completions_to_one_prompt_stay_together_at_the_place_of_the_longest() -> None:
    group = [sample(4, n, first=10 * n, prompt_first=1) for n in (1, 8, 2)]
    others = [sample(4, 5, first=100), sample(4, 3, first=200)]
    batches = micro_batches([*group, *others], max_tokens=15)
    assert [batch.rows.tolist() for batch in batches] == [[1, 2, 0], [3], [4]]
    apart = micro_batches([*group, *others], max_tokens=15, share_prompts=False)
    assert [batch.rows.tolist() for batch in apart] == [[1], [3], [4, 2], [0]]


def test_a_prompt_of_token_zero_is_not_taken_for_padding() -> None:
    [batch] = micro_batches([TrainingSample((0, 0), (0, 0), (0.0, 0.0), 1.0)], max_tokens=8)
    assert sequences(batch) == [[0, 0, 0, 0]] and batch.mask.all()


def test_advantages_are_by_the_token_where_a_completion_has_them_so() -> None:
    plain, parted = sample(1, 2, first=5), dataclasses.replace(sample(1, 3), token_advantages=(0.5, 0.0, -1.0))
    [both] = micro_batches([plain, parted], max_tokens=99)
    assert both.rows.tolist() == [1, 0]
    assert both.advantages.tolist() == [[0.5, 0.0, -1.0], [5.0, 5.0, 0.0]], "a plain one has its own on every token"
    [alone] = micro_batches([plain], max_tokens=99)
    assert alone.advantages.tolist() == [5.0]
    assert parted.has_advantage and not dataclasses.replace(parted, token_advantages=(0.0,) * 3).has_advantage


def test_token_advantages_that_do_not_belong_to_the_tokens_are_refused() -> None:
    wrong = dataclasses.replace(sample(1, 2), token_advantages=(1.0,))
    with pytest.raises(ValueError, match="sample 1 has 1 token_advantages for 2 completion tokens"):
        micro_batches([sample(1, 1), wrong], max_tokens=8)


def test_a_sample_without_a_completion_is_refused() -> None:
    with pytest.raises(ValueError, match="sample 1"):
        micro_batches([sample(1, 1), TrainingSample((1,), (), (), 0.0)], max_tokens=8)


def test_log_probs_that_do_not_belong_to_the_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="sample 1 has 3 sampler_logprobs for 2 completion tokens"):
        micro_batches([sample(1, 1), TrainingSample((1,), (2, 3), (0.0,) * 3, 0.0)], max_tokens=8)
