"""Sequences end to end, with prompts shared or not, give the log-probs and gradients of each sequence by itself."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import Gemma2Config, Gemma2ForCausalLM, Qwen2Config, Qwen2ForCausalLM

from grpo.model.attention import can_pack
from grpo.model.batching import MicroBatch, TrainingSample, micro_batches
from grpo.model.packing import lay_out
from grpo.model.policy import Policy

TOLERANCE = 2e-5  # log-probs of magnitude 10 in fp32, other order of summation
shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=7)


def samples_of(drawn: list[tuple[int, int, int]]) -> list[TrainingSample]:
    """Completions of these lengths; prompts of one length and number are the same prompt."""
    generator = torch.Generator().manual_seed(len(drawn))
    return [
        TrainingSample(
            tuple(range(10 + 20 * which, 10 + 20 * which + prompt)),
            tuple(torch.randint(0, 250, (completion,), generator=generator).tolist()),
            (-1.0,) * completion,
            (-1.0) ** number,
        )
        for number, (prompt, completion, which) in enumerate(drawn)
    ]


def alone(policy: Policy, sample: TrainingSample) -> Tensor:
    """The sequence's log-probs out of the model's own forward pass, [tokens]."""
    logits = policy.model(torch.tensor([sample.token_ids])).logits[0, len(sample.prompt_ids) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(sample.completion_ids)[:, None])[:, 0]


def gradient(policy: Policy, loss: Tensor) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(policy.model.parameters()))])


def read(policy: Policy, batches: list[MicroBatch], count: int) -> list[Tensor]:
    """Log-probs by sample."""
    found: dict[int, Tensor] = {}
    for batch in batches:
        logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
        found |= {row: logprobs[i][batch.mask[i]] for i, row in enumerate(batch.rows.tolist())}
    return [found[row] for row in range(count)]


@given(shapes, st.integers(8, 80), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_sequence_is_computed_as_if_it_were_alone(
    make_policy: Callable[..., Policy], drawn: list[tuple[int, int, int]], budget: int, share: bool, packs: bool
) -> None:
    policy, samples = make_policy(), samples_of(drawn)
    policy.packs = packs
    batches = micro_batches(samples, max_tokens=budget, share_prompts=share)
    logprobs = read(policy, batches, len(samples))
    expected = [alone(policy, sample) for sample in samples]
    assert torch.allclose(torch.cat(logprobs), torch.cat(expected), atol=TOLERANCE, rtol=0)
    losses = [
        sum((i + 1) * values.mean() for i, values in enumerate(found)) / len(found) for found in (logprobs, expected)
    ]
    ours, theirs = (gradient(policy, loss) for loss in losses)
    assert (ours - theirs).norm() <= 1e-5 * theirs.norm() + 1e-7


def test_the_tolerance_can_fail(policy: Policy) -> None:
    """A token of another sequence, or a wrong position, exceeds the tolerance."""
    samples = samples_of([(3, 5, 0), (3, 4, 1)])
    [batch] = micro_batches(samples, max_tokens=100)
    expected = torch.cat([alone(policy, samples[row]) for row in batch.rows.tolist()])
    places = batch.layout.places.clone()
    places[batch.layout.ends[1]] = places[0]
    spoiled = [
        MicroBatch(**vars(batch) | {"layout": replace(batch.layout, places=places)}),
        MicroBatch(**vars(batch) | {"positions": batch.positions.flip(0)}),
    ]
    for wrong in spoiled:
        logprobs, _ = policy.completion_logprobs(wrong, temperature=1.0)
        assert not torch.allclose(logprobs[batch.mask], expected, atol=100 * TOLERANCE, rtol=0)


lengths = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=9)


@given(lengths)
def test_a_layout_is_what_a_loop_over_the_sequences_finds(drawn: list[tuple[int, int]]) -> None:
    """Sequences of a common prompt of 4 tokens, of which each takes some, and tokens of their own."""
    total = 4
    sequences = [list(range(4))]
    for shared, own in drawn:
        sequences.append([*range(shared), *range(total, total + own)])
        total += own
    layout = lay_out(sequences)
    ends = layout.ends.tolist()
    found = [layout.places[start:end].tolist() for start, end in zip(ends, ends[1:], strict=False)]
    assert found == sorted(sequences, key=len, reverse=True) and layout.longest == len(found[0])
    flat = [place for sequence in found for place in sequence]
    assert layout.own.tolist() == [flat.index(place) for place in range(total)]
    assert layout.ends.dtype == torch.int32, "as the flash kernel wants it"
    states = torch.arange(1, len(flat) + 1)
    rows = [row for table in layout.tables for row in table.pad(states)]
    for row, start, end in zip(rows, ends, ends[1:], strict=False):
        assert row[: end - start].tolist() == states[start:end].tolist() and not row[end - start :].any()
        assert 4 * (end - start) >= 3 * len(row), "little padding"
    assert torch.equal(torch.cat([table.unpad(table.pad(states)) for table in layout.tables]), states)


def test_models_that_attend_otherwise_are_not_packed() -> None:
    small = {"vocab_size": 32, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    windowed = Qwen2Config(**small, **heads, use_sliding_window=True, sliding_window=4, max_window_layers=0)
    assert not can_pack(Qwen2ForCausalLM(windowed))
    assert not can_pack(Gemma2ForCausalLM(Gemma2Config(**small, **heads, head_dim=8)))
    assert can_pack(Qwen2ForCausalLM(Qwen2Config(**small, **heads)))


def test_what_is_saved_says_nothing_of_packing(policy_directory: Path) -> None:
    assert "packed" not in (policy_directory / "config.json").read_text()
    assert json.loads((policy_directory / "config.json").read_text())["model_type"] == "qwen2"


def test_checkpointed_activations_give_the_same_gradient(make_policy: Callable[..., Policy]) -> None:
    samples = samples_of([(3, 5, 0), (3, 2, 0), (4, 4, 1)])
    gradients = []
    for checkpointing in (False, True):
        policy = make_policy()
        if checkpointing:
            policy.enable_gradient_checkpointing()
        recomputed = 0

        def count(*_: object) -> None:
            nonlocal recomputed
            recomputed += 1

        policy.model.base_model.layers[0].self_attn.register_forward_hook(count)
        [batch] = micro_batches(samples, max_tokens=100)
        logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
        gradients.append(gradient_by_backward(policy, logprobs.sum()))
        assert recomputed == 1 + checkpointing
        assert not any(module.training for module in policy.model.modules()), "or the engine would lose its cache"
    assert torch.equal(*gradients) and math.isfinite(gradients[0].norm())


def gradient_by_backward(policy: Policy, loss: Tensor) -> Tensor:
    loss.backward()
    return torch.cat([p.grad.flatten() for p in policy.model.parameters() if p.grad is not None])
