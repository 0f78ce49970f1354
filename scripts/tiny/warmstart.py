"""The warm start: a small Qwen2 model trained from nothing to imitate demonstrations, half of them mistaken.

Promises: the same seed, thread count and machine give the same weights; the loss falls on the answer and the token that
ends the turn, on nothing else. Muon updates the matrices, AdamW the embedding and the norms. Leaves out evaluation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from tiny.tasks import Demonstration

__all__ = ["Encoded", "batches", "encode", "make_model", "train"]

_IGNORED = -100  # a label that is not trained


@dataclass(frozen=True)
class Encoded:
    """One demonstration as tokens; the first `num_prompt` of them are not trained."""

    token_ids: tuple[int, ...]
    num_prompt: int


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
    return Qwen2ForCausalLM(config)


def encode(shown: list[Demonstration], tokenizer: Qwen2Tokenizer, *, max_answer_tokens: int) -> list[Encoded]:
    """The demonstrations as chat turns in tokens; those with longer answers are left out."""
    encoded = []
    for item in shown:
        turn = [{"role": "user", "content": item.prompt}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        prompt_ids = tokenizer(prompt)["input_ids"]
        answer_ids = tokenizer(item.answer)["input_ids"] + [tokenizer.eos_token_id]
        if len(answer_ids) <= max_answer_tokens:
            encoded.append(Encoded((*prompt_ids, *answer_ids), len(prompt_ids)))
    return encoded


def batches(encoded: list[Encoded], batch_size: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of similar length, in random order, every demonstration once before any comes again."""
    rng = random.Random(f"batches {seed}")
    while True:
        order = sorted(encoded, key=lambda item: (len(item.token_ids), rng.random()))
        groups = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        rng.shuffle(groups)
        yield from groups


def _tensors(batch: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels, padded on the right; causal attention needs no mask for that."""
    longest = max(len(item.token_ids) for item in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    labels = torch.full_like(ids, _IGNORED)
    for row, item in enumerate(batch):
        tokens = torch.tensor(item.token_ids)
        ids[row, : len(tokens)] = tokens
        labels[row, item.num_prompt : len(tokens)] = tokens[item.num_prompt :]
    return ids, labels


def answer_loss(model: Qwen2ForCausalLM, batch: list[Encoded]) -> torch.Tensor:
    """Mean negative log-likelihood of the answers' tokens, a scalar with gradient."""
    ids, labels = _tensors(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state  # [B, T-1, C]
        wanted = labels[:, 1:]
        trained = wanted != _IGNORED
        logits = model.lm_head(hidden[trained])  # [N, V]
    return F.cross_entropy(logits.float(), wanted[trained])


def train(
    model: Qwen2ForCausalLM,
    stream: Iterator[list[Encoded]],
    *,
    steps: int,
    matrix_lr: float,
    other_lr: float,
    report: Callable[[int, float], None],
) -> None:
    """Train the model in place: a short warm-up, then both learning rates fall linearly to zero over the last half."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=matrix_lr, weight_decay=0.0),
        torch.optim.AdamW(others, lr=other_lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20, 2 * (steps - step) / steps))
        for optimizer in optimizers
    ]
    model.train()
    for step in range(steps):
        loss = answer_loss(model, next(stream))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        report(step, float(loss.detach()))
    model.eval()
