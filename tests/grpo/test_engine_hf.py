"""The contract of an engine, on a random model: ids in and out, exact log-probs, groups complete, answers stream."""

import math
from collections.abc import Callable

import pytest
import torch

from grpo.batching import Sample, micro_batches
from grpo.engines import Sampled
from grpo.engines.hf import HFEngine
from grpo.model import Policy

PROMPTS = [(5, 6, 7), (9,), tuple(range(30, 50))]
TOLERANCE = 2e-5  # two fp32 forward passes, with and without a cache
SETTINGS = {"num_samples": 4, "max_tokens": 12, "seed": 3}


def sample(policy: Policy, **changes: object) -> list[Sampled]:
    settings = {"temperature": 1.0, **SETTINGS, **changes}
    return list(HFEngine(policy).generate(settings.pop("prompts", PROMPTS), **settings))


@pytest.fixture
def ending_policy(policy: Policy) -> Policy:
    """A policy that ends its answers early and at different lengths: a third of all tokens count as stop tokens."""
    policy.stop_ids = frozenset(range(0, len(policy.tokenizer), 3))
    return policy


def test_every_group_is_complete(ending_policy: Policy) -> None:
    slots = sorted((answer.prompt, answer.sample) for answer in sample(ending_policy))
    assert slots == [(prompt, k) for prompt in range(3) for k in range(4)]


def test_an_answer_ends_with_its_stop_token_or_is_truncated(ending_policy: Policy) -> None:
    answers = sample(ending_policy)
    assert {answer.terminated for answer in answers} == {True}
    for answer in answers + sample(ending_policy, max_tokens=1):
        *inner, last = answer.token_ids
        assert not ending_policy.stop_ids & set(inner)
        assert (last in ending_policy.stop_ids) == answer.terminated
        assert answer.terminated or len(answer.token_ids) == 1
        assert len(answer.logprobs) == len(answer.token_ids)


def test_answers_leave_the_moment_they_end(ending_policy: Policy) -> None:
    lengths = [len(answer.token_ids) for answer in sample(ending_policy)]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]


def test_the_first_answer_does_not_wait_for_the_last(ending_policy: Policy) -> None:
    forwards = 0

    def count(*_: object) -> None:
        nonlocal forwards
        forwards += 1

    ending_policy.model.register_forward_hook(count)
    stream = HFEngine(ending_policy).generate(PROMPTS, temperature=1.0, **SETTINGS)
    next(stream)
    before = forwards
    rest = list(stream)
    assert rest and forwards > before


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_logprobs_equal_a_recomputation_at_the_same_temperature(
    make_policy: Callable[..., Policy], temperature: float, tied: bool
) -> None:
    policy = make_policy(tied=tied)
    policy.stop_ids = frozenset(range(0, len(policy.tokenizer), 5))
    for answer in sample(policy, temperature=temperature):
        row = Sample(PROMPTS[answer.prompt], answer.token_ids, answer.logprobs, 0.0)
        (batch,) = micro_batches([row], max_tokens=10_000)
        logprobs, _ = policy.completion_logprobs(batch, temperature=temperature)
        assert torch.allclose(logprobs, batch.sampler_logprobs, atol=TOLERANCE)
        other, _ = policy.completion_logprobs(batch, temperature=temperature + 0.1)
        assert not torch.allclose(other, batch.sampler_logprobs, atol=TOLERANCE)


def test_the_same_seed_gives_the_same_answers_and_another_seed_others(policy: Policy) -> None:
    assert sample(policy) == sample(policy)
    assert sample(policy) != sample(policy, seed=4)


def test_the_samples_of_a_group_differ(policy: Policy) -> None:
    assert len({answer.token_ids for answer in sample(policy, prompts=[(5, 6)])}) == 4


def test_the_global_generator_is_left_alone(policy: Policy) -> None:
    state = torch.random.get_rng_state()
    sample(policy)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_greedy_answers_follow_the_weights(make_policy: Callable[..., Policy]) -> None:
    one, other = make_policy(seed=0), make_policy(seed=1)
    greedy = {"temperature": 0.0, "num_samples": 1}
    assert sample(one, **greedy) != sample(other, **greedy)
    one.model.load_state_dict(other.model.state_dict())
    assert sample(one, **greedy) == sample(other, **greedy)


def test_a_model_that_asks_for_top_p_and_a_penalty_is_not_obeyed(policy: Policy) -> None:
    expected = sample(policy)
    policy.model.generation_config.update(top_k=1, top_p=0.1, repetition_penalty=1.5, do_sample=False)
    assert sample(policy) == expected


def test_sampling_follows_the_distribution(policy: Policy) -> None:
    answers = sample(policy, prompts=[(5, 6, 7)], num_samples=4000, max_tokens=1)
    counts = torch.zeros(len(policy.tokenizer))
    for answer in answers:
        counts[answer.token_ids[0]] += 1
    (batch,) = micro_batches([Sample((5, 6, 7), (0,), (0.0,), 0.0)], max_tokens=100)
    with torch.no_grad():
        chances = policy.model(batch.input_ids[None]).logits[0, 2].softmax(dim=-1)
    top = chances.topk(5).indices
    sigma = (chances * (1 - chances) / 4000).sqrt()
    assert ((counts / 4000 - chances)[top].abs() < 4.5 * sigma[top]).all()


@pytest.mark.parametrize("change", [{"prompts": [()]}, {"num_samples": 0}, {"max_tokens": 0}])
def test_nothing_to_sample_is_refused(policy: Policy, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sample(policy, **change)


def test_logprobs_are_finite_and_negative(policy: Policy) -> None:
    assert all(-math.inf < logprob <= 0 for answer in sample(policy) for logprob in answer.logprobs)
