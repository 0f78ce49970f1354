"""What a small model is given so that it learns to copy: a layer that looks back, and sequences that repeat."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from transformers import Qwen2ForCausalLM

from tiny.tokenizer import train_tokenizer
from tiny.warmstart import completion_loss, make_model
from tiny_formats.copying import BATCH_TOKENS, GAP, LONGEST, SHORTEST, repeated_sequences, with_previous_token_layer


@pytest.fixture
def model() -> Qwen2ForCausalLM:
    tokenizer = train_tokenizer(["fn pick(a: i32)"], 400)
    return make_model(tokenizer, width=64, layers=2, heads=4, mlp=96, seed=0).eval()


def test_a_layer_more_changes_nothing_yet_and_looks_at_the_token_before(model: Qwen2ForCausalLM) -> None:
    grown = with_previous_token_layer(model, seed=1).eval()
    grown.set_attn_implementation("eager")
    ids = torch.randint(0, len(model.get_input_embeddings().weight), (2, 40))
    assert torch.equal(grown(ids).logits, model(ids).logits)
    assert grown.config.num_hidden_layers == 3 and model.config.num_hidden_layers == 2
    attention = grown.model(input_ids=ids, output_attentions=True).attentions[0]  # [B, heads, T, T]
    assert (attention[:, :2].diagonal(-1, 2, 3) > 0.9).all(), "the first key-value group, two heads"
    assert (attention[:, 2:].diagonal(-1, 2, 3)[:, :, 5:] < 0.5).all(), "the others look where they learn to"


def test_the_layer_is_trained_though_it_adds_nothing_yet(model: Qwen2ForCausalLM) -> None:
    grown = with_previous_token_layer(model, seed=1)
    completion_loss(grown, next(repeated_sequences(range(10, 300), seed=0)), torch.float32).backward()
    attention = grown.model.layers[0].self_attn
    assert attention.o_proj.weight.grad.abs().max() > 0 and not attention.o_proj.weight.any()
    assert grown.lm_head.weight is grown.get_input_embeddings().weight


def test_sequences_repeat_a_part_and_the_loss_is_on_the_repetition() -> None:
    ordinary = range(100, 160)
    for batch in islice(repeated_sequences(ordinary, seed=0), 50):
        for one in batch:
            assert set(one.token_ids) <= set(ordinary) and one.num_prompt == 1
            again = one.token_ids[-sum(map(bool, one.weights)) - 1 :]
            first = one.token_ids[: -len(again)]
            assert SHORTEST // 2 < len(again) <= LONGEST
            starts = range(len(first) - len(again) + 1)
            (found,) = {start for start in starts if first[start : start + len(again)] == again}
            assert len(first) - found - len(again) <= GAP, "a repetition follows what it repeats"
            assert one.weights == (0.0,) * len(first) + (1.0,) * (len(again) - 1)
        assert sum(len(one.token_ids) for one in batch) < 1.5 * BATCH_TOKENS
    assert next(repeated_sequences(ordinary, seed=0)) == next(repeated_sequences(ordinary, seed=0))
