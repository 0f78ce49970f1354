"""Packed attention in a model with the published heads: kernel, dtypes, gradients, and what a new shape costs."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Sequence

import torch
from torch import Tensor

from bench.loss.steps import draw_samples
from gpu_checks.checks.grouped_queries import grouped_queries
from gpu_checks.measuring import OperatorLog, count_waits, peak, profiled, seconds_of
from gpu_checks.models import model_config, random_policy, use_device
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from grpo.logprobs import token_logprobs
from grpo.model.batching import MicroBatch, TrainingSample, micro_batches
from grpo.model.policy import Policy

__all__ = ["attention"]

VOCABULARY = 512
SHAPE = {  # the published 1.5B model's heads in a model of two layers
    "vocab_size": VOCABULARY,
    "hidden_size": 1536,
    "num_hidden_layers": 2,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "intermediate_size": 1024,
    "max_position_embeddings": 32_768,
}
NARROW = {"hidden_size": 96, "head_dim": 128, "intermediate_size": 128}  # with --small; the heads are the same
NEW_SHAPES = 10
MAX_GRADIENT_ERROR = {torch.bfloat16: 0.05, torch.float32: 1e-3}  # of the whole, relative
MAX_NEW_SHAPE_S = 0.3  # the median that the first pass over a shape takes longer than the second
ATTENTION_WORDS = ("flash", "fmha", "attn", "attention", "sdpa")  # in the names of kernels
UNBOUNDED = 10**9


def attention(settings: CheckSettings) -> Figures:
    """Compare gradients with fp32, note the kernel and its dtypes, then time ten shapes that were never seen."""
    device = use_device(settings)
    policy = random_policy(model_config(settings, **(SHAPE | (NARROW if settings.small else {}))), device)
    shrink = 12 if settings.small else 1
    samples = _samples(shrink, prompts=2, prompt_mean=300, completion_mean=400)
    batch = _one_batch(samples, device)

    def work() -> None:
        _pass(policy, batch)

    settings.note(first_call_s=round(seconds_of(work, device.type), 3))
    settings.note(**_gradient_errors(policy, samples))
    settings.note(waits=count_waits(work, device.type), **peak(work, device.type))
    settings.note(**_kernels(policy, batch))
    settings.note(**_new_shapes(policy, shrink))
    settings.note(**grouped_queries(device, tokens=64 if settings.small else 2048))
    _judge(settings.figures, policy)
    return {}


def _samples(shrink: int, *, prompts: int, prompt_mean: int, completion_mean: int) -> list[TrainingSample]:
    return draw_samples(
        prompts=prompts,
        group=4,
        prompt_mean=prompt_mean // shrink,
        completion_mean=completion_mean // shrink,
        vocabulary=VOCABULARY,
    )


def _one_batch(samples: list[TrainingSample], device: torch.device) -> MicroBatch:
    (batch,) = micro_batches(samples, max_tokens=UNBOUNDED)
    return batch.to(device)


def _pass(policy: Policy, batch: MicroBatch) -> Tensor:
    """A forward and a backward pass; the loss."""
    policy.model.zero_grad()
    logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
    loss = logprobs.sum() / batch.mask.sum()
    loss.backward()
    return loss.detach()


def _kernels(policy: Policy, batch: MicroBatch) -> Figures:
    """Which operators attention is, the dtypes they get, and which kernels run."""
    with torch.no_grad(), OperatorLog() as operators:  # without a backward pass: compiled functions need no mode there
        policy.completion_logprobs(batch, temperature=1.0)
    found = profiled(lambda: _pass(policy, batch), policy.device.type)
    names = [name for name in found["kernels"] if any(word in name.lower() for word in ATTENTION_WORDS)]
    return {
        "operator": ", ".join(operators.attention),
        "query_key_value": ", ".join(sorted({" ".join(dtypes) for dtypes in operators.attention.values()})),
        "attention_kernels": names[:8],
        "flash": _is_flash(names or list(operators.attention)),
        "launches": found["launches"],
        "index_puts": found["index_puts"],
        "nonzeros": found["nonzeros"],
        "top": found["top"],
    }


def _is_flash(names: Sequence[str]) -> bool:
    """Whether torch's flash kernel is among the kernels, or among the operators where the profiler sees no kernels.

    >>> _is_flash(["cudnn_generated_fort_native_sdpa_sm90_flash_fprop"]), _is_flash(["_varlen_attn"])
    (False, True)
    """
    return any(("flash" in name.lower() or "varlen" in name) and "cudnn" not in name.lower() for name in names)


def _gradient_errors(policy: Policy, samples: list[TrainingSample]) -> Figures:
    """The gradient against that of transformers' own attention in fp32, one sequence at a time."""
    _pass(policy, _one_batch(samples, policy.device))
    ours = _gradient(policy.model)
    torch.backends.cuda.matmul.allow_tf32 = False
    plain = copy.deepcopy(policy.model)
    plain.set_attn_implementation("eager")
    plain.zero_grad()
    trained = sum(len(sample.completion_ids) for sample in samples)
    for sample in samples:
        ids = torch.tensor(sample.token_ids, device=policy.device)
        logits = plain(input_ids=ids[None, :-1]).logits[0, len(sample.prompt_ids) - 1 :]
        logprobs, _ = token_logprobs(logits, ids[len(sample.prompt_ids) :], temperature=1.0)
        (logprobs.sum() / trained).backward()
    exact = _gradient(plain)
    return {"gradient_error": float((ours - exact).norm() / exact.norm())}


def _gradient(model: torch.nn.Module) -> Tensor:
    """The whole gradient as one vector."""
    return torch.cat([p.grad.flatten().clone() for p in model.parameters() if p.grad is not None])


def _new_shapes(policy: Policy, shrink: int) -> Figures:
    """Seconds of the first and the second pass over shapes that differ from all before."""
    first: list[float] = []
    second: list[float] = []
    for number in range(NEW_SHAPES):
        lengths = {"prompt_mean": 200 + 19 * number, "completion_mean": 260 + 37 * number}
        batch = _one_batch(_samples(shrink, prompts=2, **lengths), policy.device)
        for times in (first, second):
            times.append(seconds_of(lambda batch=batch: _pass(policy, batch), policy.device.type))  # type: ignore[misc]
    return {
        "new_shape_first_s": round(statistics.median(first), 4),
        "new_shape_second_s": round(statistics.median(second), 4),
        "new_shape_worst_s": round(max(first), 4),
    }


def _judge(figures: Figures, policy: Policy) -> None:
    """Refuse a wrong gradient, a slow path, and shapes that cost a compilation each."""
    bound = MAX_GRADIENT_ERROR[policy.compute_dtype]
    if not figures["gradient_error"] <= bound:
        raise CheckFailed(
            f"the gradient through packed attention is wrong by {figures['gradient_error']:.2g} (allowed {bound:g})",
            "do not train on this machine; try another version of torch, and report both",
        )
    if policy.device.type == "cuda" and not figures["flash"]:
        raise CheckFailed(
            f"attention ran as {figures['operator']} on {figures['query_key_value']}, without a flash kernel",
            "training works, slowly; `query_key_value` and `attention_kernels` in the JSON file say what ran",
        )
    extra = figures["new_shape_first_s"] - figures["new_shape_second_s"]
    if extra > MAX_NEW_SHAPE_S:
        raise CheckFailed(
            f"the first pass over a new shape takes {extra:.2f} s longer than the second; every batch has a new one",
            "something compiles or plans for each shape: look at `attention_kernels` in the JSON file",
        )
