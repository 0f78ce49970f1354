"""A training step's forward and backward pass on the same completions, laid out in four ways.

    trl_padded     as TRL: micro-batches of a number of rows, in the order of sampling; prompts padded on the left and
                   completions on the right, both to the longest of the whole batch
    sorted_padded  micro-batches of a token budget, rows of like length together, padded on the right
    packed         sequences end to end, without padding
    shared         the same, with the prompt of a group computed once

The head is ours everywhere, and for trl_padded it scores the positions of completions alone, while TRL on a CPU scores
those of prompts too: only the layouts differ. Lengths are log-normal, cut at four times their mean.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

from grpo.logprobs import linear_logprobs
from grpo.model.attention import install
from grpo.model.batching import TrainingSample, micro_batches

__all__ = ["LAYOUTS", "StepModel", "bench_steps", "draw_samples"]

SIGMA = 0.7  # of the logarithm of the lengths
CAP = 4  # the longest completion over the mean
LOSS_SCALE = 1e-3


class StepModel:
    """A Qwen2 with random weights, and the passes that a layout is made of."""

    def __init__(self, *, hidden: int, layers: int, vocabulary: int, device: str) -> None:
        torch.manual_seed(0)
        heads = max(1, hidden // 64)
        config = Qwen2Config(
            vocab_size=vocabulary,
            hidden_size=hidden,
            intermediate_size=hidden * 4,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=max(1, heads // 2),
            max_position_embeddings=32_768,
            tie_word_embeddings=True,
        )
        self.model = Qwen2ForCausalLM(config).eval()
        self.model.to(device=torch.device(device))
        self.device = device

    @property
    def flops_per_token(self) -> float:
        """Floating-point operations of a forward and a backward pass, without attention."""
        return 6.0 * float(sum(p.numel() for p in self.model.parameters()))

    def backward(self, hidden: Tensor, token_ids: Tensor, trained: Tensor | None = None) -> None:
        """Run the head and the backward pass of the summed log-probs of the trained tokens; None: of all tokens."""
        logprobs, _ = linear_logprobs(hidden, self.model.lm_head.weight, token_ids, temperature=1.0)
        ((logprobs if trained is None else logprobs * trained).sum() * LOSS_SCALE).backward()

    def padded(self, ids: Tensor, real: Tensor) -> Tensor:
        """Hidden states of padded rows, by transformers' own attention: [B, L, H]."""
        states: Tensor = self.model.base_model(
            input_ids=ids.to(self.device), attention_mask=real.long().to(self.device), use_cache=False
        ).last_hidden_state
        return states


def draw_samples(
    *, prompts: int, group: int, prompt_mean: int, completion_mean: int, vocabulary: int
) -> list[TrainingSample]:
    """Groups of completions with log-normal lengths; prompts are at most twice as long as their mean."""
    generator = torch.Generator().manual_seed(0)

    def lengths(count: int, mean: int, cap: float) -> list[int]:
        drawn = torch.empty(count).log_normal_(0.0, SIGMA, generator=generator) * mean
        return [max(1, round(min(float(length), cap * mean))) for length in drawn / torch.tensor(SIGMA**2 / 2).exp()]

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, vocabulary, (length,), generator=generator).tolist())

    samples = []
    for prompt_length in lengths(prompts, prompt_mean, 2):
        prompt = ids(prompt_length)
        samples += [TrainingSample(prompt, ids(n), (0.0,) * n, 1.0) for n in lengths(group, completion_mean, CAP)]
    return samples


def trl_padded(model: StepModel, samples: Sequence[TrainingSample], *, max_tokens: int) -> int:
    """Rows in order, padded to the longest of the batch; returns the number of tokens computed."""
    width = max(len(s.prompt_ids) for s in samples), max(len(s.completion_ids) for s in samples)
    rows = max(1, max_tokens // sum(width))
    for start in range(0, len(samples), rows):
        part = samples[start : start + rows]
        ids = torch.zeros(len(part), sum(width), dtype=torch.int64)
        real = torch.zeros_like(ids, dtype=torch.bool)
        for row, sample in enumerate(part):
            begin, end = width[0] - len(sample.prompt_ids), width[0] + len(sample.completion_ids)
            ids[row, begin:end] = torch.tensor(sample.token_ids)
            real[row, begin:end] = True
        states = model.padded(ids, real)[:, width[0] - 1 : -1]
        completions = (part_of[:, width[0] :].flatten().to(model.device) for part_of in (ids, real))
        model.backward(states.flatten(0, 1), *completions)
    return len(samples) * sum(width)


def sorted_padded(model: StepModel, samples: Sequence[TrainingSample], *, max_tokens: int) -> int:
    """Rows by length, padded on the right; returns the number of tokens computed."""
    order = sorted(samples, key=lambda sample: -len(sample.token_ids))
    total = 0
    while order:
        width = len(order[0].token_ids)
        rows = max(1, max_tokens // width)
        part, order = order[:rows], order[rows:]
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(s.token_ids) for s in part], batch_first=True)
        lengths = torch.tensor([[len(s.prompt_ids), len(s.token_ids)] for s in part])
        position = torch.arange(width)
        trained = (position >= lengths[:, :1] - 1) & (position < lengths[:, 1:] - 1)
        states = model.padded(ids, position < lengths[:, 1:])[trained.to(model.device)]
        model.backward(states, torch.cat([torch.tensor(s.completion_ids) for s in part]).to(model.device))
        total += ids.numel()
    return total


def packed(model: StepModel, samples: Sequence[TrainingSample], *, max_tokens: int, share_prompts: bool = False) -> int:
    """Sequences end to end; returns the number of tokens computed."""
    total = 0
    for batch in micro_batches(samples, max_tokens=max_tokens, share_prompts=share_prompts):
        batch = batch.to(torch.device(model.device))
        states = model.model.base_model(
            input_ids=batch.input_ids[None],
            position_ids=batch.positions[None],
            attention_mask=batch.input_ids.new_ones(1, 1, 1, 1),
            layout=batch.layout,
            use_cache=False,
        ).last_hidden_state[0]
        model.backward(states.index_select(0, batch.predictors), batch.token_ids)
        total += len(batch.input_ids)
    return total


def shared(model: StepModel, samples: Sequence[TrainingSample], *, max_tokens: int) -> int:
    """Sequences end to end, prompts once; returns the number of tokens computed."""
    return packed(model, samples, max_tokens=max_tokens, share_prompts=True)


LAYOUTS: dict[str, Callable[..., int]] = {
    "trl_padded": trl_padded,
    "sorted_padded": sorted_padded,
    "packed": packed,
    "shared": shared,
}


def bench_steps(
    model: StepModel, samples: Sequence[TrainingSample], *, max_tokens: int, repeats: int
) -> dict[str, dict[str, float]]:
    """Measure every layout `repeats` times, in turns.

    Returns: by layout the trained tokens per second, the median of the seconds, the number of tokens computed, and the
    norm of the gradient, on which all layouts must agree.
    """
    plain = model.model.config._attn_implementation
    times: dict[str, list[float]] = {name: [] for name in LAYOUTS}
    computed, norms = {}, {}
    for _ in range(repeats):
        for name, layout in LAYOUTS.items():
            if name in ("packed", "shared"):
                install(model.model)
            else:
                model.model.set_attn_implementation(plain)
            model.model.zero_grad()
            started = time.perf_counter()
            computed[name] = layout(model, samples, max_tokens=max_tokens)
            if model.device == "cuda":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - started)
            norms[name] = _gradient_norm(model.model)
    trained = sum(len(sample.completion_ids) for sample in samples)
    return {
        name: {
            "tokens_per_s": trained / statistics.median(taken),
            "seconds": statistics.median(taken),
            "computed_tokens": computed[name],
            "gradient": norms[name],
        }
        for name, taken in times.items()
    }


def _gradient_norm(model: Qwen2ForCausalLM) -> float:
    """The norm of the whole gradient."""
    return float(torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm())
