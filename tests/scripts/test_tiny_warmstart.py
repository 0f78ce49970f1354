"""The warm start: only completions are learned, every demonstration is used, a seed repeats, and the loss falls."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

from tiny.muon import Float32Muon, orthogonalized
from tiny.tasks import Demonstration, demonstrations
from tiny.tokenizer import train_tokenizer
from tiny.warmstart import (
    ARGUMENT,
    EXPECTED,
    Encoded,
    batches,
    character_weights,
    completion_loss,
    encode,
    make_model,
    train,
)

SIZES = {"width": 32, "layers": 2, "heads": 4, "mlp": 64}
SHOWN = demonstrations(120, mistaken=0.5, seed=0)


@pytest.fixture(scope="module")
def tokenizer() -> Qwen2Tokenizer:
    return train_tokenizer((text for item in SHOWN for text in (item.prompt, item.completion)), 500)


def warm(tokenizer: Qwen2Tokenizer, steps: int) -> tuple[Qwen2ForCausalLM, list[float]]:
    model = make_model(tokenizer, **SIZES, seed=0)
    encoded = encode(SHOWN, tokenizer, max_completion_tokens=300)
    losses: list[float] = []
    stream = batches(encoded, 8, 0)
    rates = {"matrix_lr": 0.02, "embedding_lr": 0.01, "vector_lr": 0.01}
    train(model, stream, steps=steps, **rates, report=lambda _, loss: losses.append(loss))
    return model, losses


def test_twenty_steps_lower_the_loss(tokenizer: Qwen2Tokenizer) -> None:
    _, losses = warm(tokenizer, 20)
    assert len(losses) == 20
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


def test_a_seed_makes_the_same_weights_again(tokenizer: Qwen2Tokenizer) -> None:
    first, second = warm(tokenizer, 3)[0], warm(tokenizer, 3)[0]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


def test_the_loss_is_the_weighted_mean_over_the_completion_and_its_end(tokenizer: Qwen2Tokenizer) -> None:
    model = make_model(tokenizer, **SIZES, seed=0)
    long, short = Encoded((5, 6, 7, 8, 9, 2), (1.0, 0.5, 2.0)), Encoded((5, 6, 10, 2), (1.0, 4.0))
    total = 0.0
    for item in (long, short):
        logits = model(input_ids=torch.tensor([item.token_ids])).logits[0].log_softmax(-1)
        for place, weight in enumerate(item.weights, start=item.num_prompt):
            total -= weight * logits[place - 1, item.token_ids[place]].item()
    assert completion_loss(model, [long, short]).item() == pytest.approx(total / 8.5, rel=0.01)  # bfloat16 inside
    assert completion_loss(model, [long]).item() != pytest.approx(total / 8.5, rel=1e-6)


def test_encoding_marks_the_prompt_and_ends_with_the_end_of_turn(tokenizer: Qwen2Tokenizer) -> None:
    (encoded,) = encode([Demonstration("Hi", "fn f() {}", "")], tokenizer, max_completion_tokens=100)
    prompt = tokenizer.decode(encoded.token_ids[: encoded.num_prompt])
    completion = tokenizer.decode(encoded.token_ids[encoded.num_prompt :])
    assert prompt == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert completion == "fn f() {}<|im_end|>"


def test_demonstrations_over_the_limit_are_left_out(tokenizer: Qwen2Tokenizer) -> None:
    encoded = encode(SHOWN, tokenizer, max_completion_tokens=110)
    assert 0 < len(encoded) < len(SHOWN)
    assert all(len(item.token_ids) - item.num_prompt <= 110 for item in encoded)


def test_batches_use_every_demonstration_once_a_round_and_hold_similar_lengths() -> None:
    encoded = [Encoded(tuple(range(length)), 1) for length in range(10, 50)]
    stream = batches(encoded, 8, seed=0)
    round_one = [next(stream) for _ in range(5)]
    assert sorted(len(item.token_ids) for batch in round_one for item in batch) == list(range(10, 50))
    assert all(len(batch[-1].token_ids) - len(batch[0].token_ids) == 7 for batch in round_one)


def test_embeddings_are_tied_and_the_head_counts_fit(tokenizer: Qwen2Tokenizer) -> None:
    model = make_model(tokenizer, **SIZES, seed=0)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.config.num_key_value_heads == 2
    assert model.config.eos_token_id == tokenizer.eos_token_id


def test_arguments_weigh_little_and_expected_values_much() -> None:
    line = "        assert_eq!(f(&[1, 2], (3)), Some(2));\n"
    weights = character_weights(f"fn f() {{}}\n{line}")[-len(line) :]
    light = "".join(letter for letter, weight in zip(line, weights) if weight == ARGUMENT)
    heavy = "".join(letter for letter, weight in zip(line, weights) if weight == EXPECTED)
    assert (light, heavy) == ("&[1, 2], (3)", "Some(2)")


@pytest.mark.parametrize("line", ["assert!(!f(1, 2));", "let x = f(1);", ""])
def test_other_lines_weigh_one(line: str) -> None:
    assert set(character_weights(f"fn f() {{\n{line}\n}}\n")) == {1.0}


@pytest.mark.parametrize("line", ["assert_eq!(f(1, 2", "assert_eq!(f(1), 2)", "assert_eq!(f(1));"])
def test_torn_lines_have_weights_too(line: str) -> None:
    assert len(character_weights(line)) == len(line)


@pytest.mark.parametrize("shape", [(24, 8), (8, 24), (16, 16)])
def test_muon_in_float32_does_what_torchs_does_in_bfloat16(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), [torch.randn(shape) for _ in range(3)]
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    ways = [(ours, Float32Muon([ours], lr=0.1)), (theirs, torch.optim.Muon([theirs], lr=0.1, weight_decay=0.0))]
    for gradient in gradients:
        for matrix, optimizer in ways:
            matrix.grad = gradient.clone()
            optimizer.step()
    moved, wanted = (ours - start).detach(), (theirs - start).detach()
    assert (moved - wanted).norm() < 0.02 * wanted.norm() < 0.02 * moved.norm() * 1.05, "what bfloat16 rounds"
    assert ((start - gradients[0] * 0.1) - start - wanted).norm() > 0.5 * wanted.norm(), "the tolerance can fail"


def test_a_wide_matrix_becomes_one_of_rows_that_are_nearly_orthonormal() -> None:
    values = torch.linalg.svdvals(orthogonalized(torch.diag(torch.tensor([5.0, 1.0, 0.2]))[:, [0, 1, 2, 0]]))
    assert ((values > 0.6) & (values < 1.3)).all()
