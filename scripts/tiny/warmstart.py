"""The warm start: a small Qwen2 model trained from random weights to imitate demonstrations, half of them mistaken.

Promises: the same seed, thread count and machine give the same weights; the loss covers the completion and the token
that ends the turn, and nothing else. Muon updates the matrices, AdamW the rest. Evaluation is done elsewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from tiny.muon import Float32Muon
from tiny.tasks import Demonstration

__all__ = ["Encoded", "batches", "character_weights", "completion_loss", "encode", "make_model", "train"]

_EQUALITY = re.compile(r"assert_eq!\(\w+\(")
ARGUMENT, EXPECTED = 0.1, 4.0  # weights of tokens in the loss; all others have 1


@dataclass(frozen=True)
class Encoded:
    """One demonstration as tokens: a prompt, and a completion with the weight of each of its tokens in the loss."""

    token_ids: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def num_prompt(self) -> int:
        """The number of tokens before the completion; they are not trained."""
        return len(self.token_ids) - len(self.weights)


def make_model(
    tokenizer: Qwen2Tokenizer, *, width: int, layers: int, heads: int, mlp: int, seed: int
) -> Qwen2ForCausalLM:
    """An untrained model with tied embeddings, in fp32; half as many key-value heads as heads."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    # On a CPU and at these lengths a third faster than the fused kernel's backward.
    model.set_attn_implementation("eager")
    return model


def encode(shown: list[Demonstration], tokenizer: Qwen2Tokenizer, *, max_completion_tokens: int) -> list[Encoded]:
    """The demonstrations as chat turns in tokens, without those that have longer completions."""
    encoded = []
    for item in shown:
        turn = [{"role": "user", "content": item.prompt}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        prompt_ids = tokenizer(prompt)["input_ids"]
        completion = tokenizer(item.completion, return_offsets_mapping=True)
        completion_ids = completion["input_ids"] + [tokenizer.eos_token_id]
        by_place = character_weights(item.completion)
        weights = [by_place[start] for start, _ in completion["offset_mapping"]] + [1.0]
        if len(completion_ids) <= max_completion_tokens:
            encoded.append(Encoded((*prompt_ids, *completion_ids), tuple(weights)))
    return encoded


def character_weights(completion: str) -> list[float]:
    """The weight in the loss of the token that starts at each character.

    In `assert_eq!(f(ARGUMENTS), EXPECTED);` the arguments are random and cannot be learned, so they weigh `ARGUMENT`.
    The expected value follows from them and is the hardest part to learn, so it weighs `EXPECTED`. The arguments of
    `assert!` weigh 1 like other text: `assert!(` or `assert!(!` before them already fixes the result.
    """
    weights = [1.0] * len(completion)
    for match in _EQUALITY.finditer(completion):
        start, end = match.end(), _closing(completion, match.end())
        weights[start:end] = [ARGUMENT] * (end - start)
        rest = completion[end:].partition("\n")[0]
        if rest.startswith("), ") and rest.endswith(");"):
            weights[end + 3 : end + len(rest) - 2] = [EXPECTED] * (len(rest) - 5)
    return weights


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that is open at `start` closes, or the end of the line."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0 or text[place] == "\n":
            return place
    return len(text)


def batches(encoded: list[Encoded], batch_size: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of similar length in random order; each round holds every demonstration once."""
    rng = random.Random(f"batches {seed}")
    while True:
        order = sorted(encoded, key=lambda item: (len(item.token_ids), rng.random()))
        groups = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        rng.shuffle(groups)
        yield from groups


def _tensors(batch: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and their weights in the loss, padded on the right; causal attention needs no mask for that."""
    longest = max(len(item.token_ids) for item in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, item in enumerate(batch):
        ids[row, : len(item.token_ids)] = torch.tensor(item.token_ids)
        weights[row, item.num_prompt : len(item.token_ids)] = torch.tensor(item.weights)
    return ids, weights


def completion_loss(model: Qwen2ForCausalLM, batch: list[Encoded], dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """Weighted mean negative log-likelihood of the completions' tokens, a scalar with gradient.

    Args:
        model: In float32.
        batch: Demonstrations.
        dtype: Of the matrix products.
    """
    ids, weights = _tensors(batch)
    trained = weights[:, 1:] > 0
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state  # [B, T-1, C]
        logits = model.lm_head(hidden[trained])  # [N, V]
    losses = F.cross_entropy(logits.float(), ids[:, 1:][trained], reduction="none")  # [N]
    shares = weights[:, 1:][trained]
    return (losses * shares).sum() / shares.sum()


def train(
    model: Qwen2ForCausalLM,
    stream: Iterator[list[Encoded]],
    *,
    steps: int,
    matrix_lr: float,
    embedding_lr: float,
    vector_lr: float,
    report: Callable[[int, float], None],
    dtype: torch.dtype = torch.bfloat16,
    cooldown: float = 0.5,
) -> None:
    """Train the model in place. Learning rates warm up over 20 steps and fall linearly to zero at the end.

    Args:
        model: The model; it is in evaluation mode afterwards.
        stream: Batches of demonstrations, one a step.
        steps: The number of optimizer steps.
        matrix_lr: The learning rate of Muon, for matrices.
        embedding_lr: The learning rate of AdamW for the embedding.
        vector_lr: The learning rate of AdamW for biases and norms.
        report: Called after each step with its number and its loss.
        dtype: Of the matrix products, those of Muon too.
        cooldown: Share of the steps over which the rates fall; 0: they do not.
    """
    embedding = model.model.embed_tokens.weight
    matrices = [p for p in model.parameters() if p.ndim == 2 and p is not embedding]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    optimizers: list[torch.optim.Optimizer] = [
        (
            Float32Muon(matrices, lr=matrix_lr)
            if dtype == torch.float32
            else torch.optim.Muon(matrices, lr=matrix_lr, weight_decay=0.0)
        ),
        torch.optim.AdamW(
            [{"params": [embedding], "lr": embedding_lr}, {"params": vectors, "lr": vector_lr}],
            betas=(0.9, 0.98),
            weight_decay=0.0,
        ),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_rate(step, steps, cooldown))
        for optimizer in optimizers
    ]
    model.train()
    for step in range(steps):
        loss = completion_loss(model, next(stream), dtype)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        report(step, float(loss.detach()))
    model.eval()


def _share_of_rate(step: int, steps: int, cooldown: float) -> float:
    """The share of its learning rate that a step has.

    >>> [_share_of_rate(step, 100, 0.5) for step in (0, 19, 50, 75)], _share_of_rate(99, 100, 0.0)
    ([0.05, 1.0, 1.0, 0.5], 1.0)
    """
    falling = (steps - step) / (cooldown * steps) if cooldown else 1.0
    return min(1.0, (step + 1) / 20, falling)
