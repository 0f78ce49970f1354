"""The head that never holds the logits, against full logits: seconds, memory, waits of the host, and error."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gpu_checks.measuring import count_waits, median_s, peak, seconds_of
from gpu_checks.models import REAL, compute_dtype, use_device
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from grpo.logprobs import linear_logprobs, token_logprobs
from grpo_rust.known_sizes import known_config

__all__ = ["head"]

TOKENS = 7000  # trained tokens of a micro-batch
SMALL = (256, 64, 4096)  # tokens, width, vocabulary
SLICE = 256  # tokens that are compared with the reference
REPEATS = 5
MAX_ERROR_NATS = {torch.bfloat16: 0.03, torch.float32: 1e-4}  # of a log-prob
MAX_GRADIENT_ERROR = {torch.bfloat16: 0.02, torch.float32: 1e-4}  # of the whole, relative
LogprobFunction = Callable[[Tensor, Tensor, Tensor], Tensor]


def head(settings: CheckSettings) -> Figures:
    """Measure both ways, with a frozen head as with LoRA and with a trained one, then compare with fp32."""
    device = use_device(settings)
    dtype = compute_dtype(device)
    tokens, width, vocabulary = SMALL if settings.small else _real_sizes()
    hidden = torch.randn(tokens, width, device=device, requires_grad=True)
    weight = torch.randn(vocabulary, width, device=device) / math.sqrt(width)
    ids = torch.randint(0, vocabulary, (tokens,), device=device)
    settings.note(tokens=tokens, width=width, vocabulary=vocabulary)

    def run(function: LogprobFunction) -> Callable[[], None]:
        def forward_and_backward() -> None:
            hidden.grad = weight.grad = None
            with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                logprobs = function(hidden, weight, ids)
            logprobs.sum().backward()

        return forward_and_backward

    settings.note(ours_first_call_s=round(seconds_of(run(ours), device.type), 3))
    settings.note(ours_waits=count_waits(run(ours), device.type))
    for name, function in (("ours", ours), ("full", full)):
        for kind, trained in (("frozen", False), ("trained", True)):
            weight.requires_grad_(trained)
            settings.note(**_cost(f"{name}_{kind}", run(function), device.type))
    weight.requires_grad_(False)
    settings.note(**_errors(hidden.detach()[:SLICE], weight, ids[:SLICE], dtype))
    _judge(settings.figures, dtype)
    return {}


def ours(hidden: Tensor, weight: Tensor, ids: Tensor) -> Tensor:
    """`grpo.logprobs`."""
    return linear_logprobs(hidden, weight, ids, temperature=1.0)[0]


def full(hidden: Tensor, weight: Tensor, ids: Tensor) -> Tensor:
    """The whole logits."""
    return token_logprobs(torch.nn.functional.linear(hidden, weight), ids, temperature=1.0)[0]


def _real_sizes() -> tuple[int, int, int]:
    config = known_config(REAL) or {}
    return TOKENS, config["hidden_size"], config["vocab_size"]


def _cost(name: str, work: Callable[[], None], device: str) -> Figures:
    """Milliseconds and memory, or that the memory of the card does not suffice."""
    try:
        memory = peak(work, device)
        milliseconds = 1000 * median_s(work, device, repeats=REPEATS)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return {f"{name}_fits": False}
    return {f"{name}_ms": round(milliseconds, 3), **{f"{name}_{key}": value for key, value in memory.items()}}


def _errors(hidden: Tensor, weight: Tensor, ids: Tensor, dtype: torch.dtype) -> Figures:
    """The largest error of a log-prob and the relative error of the gradient, against fp32 throughout."""
    torch.backends.cuda.matmul.allow_tf32 = False
    exact, exact_gradient = _value_and_gradient(full, hidden, weight, ids, torch.float32)
    figures: Figures = {}
    for name, function in (("ours", ours), ("full", full)):
        found, gradient = _value_and_gradient(function, hidden, weight, ids, dtype)
        figures[f"{name}_max_error_nats"] = float((found - exact).abs().max())
        figures[f"{name}_gradient_error"] = float((gradient - exact_gradient).norm() / exact_gradient.norm())
    return figures


def _value_and_gradient(
    function: LogprobFunction, hidden: Tensor, weight: Tensor, ids: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Log-probs, and the gradient of their sum by the hidden states."""
    hidden = hidden.clone().requires_grad_()
    with torch.autocast(hidden.device.type, dtype=dtype, enabled=dtype != torch.float32):
        logprobs = function(hidden, weight, ids)
    (gradient,) = torch.autograd.grad(logprobs.sum(), hidden)
    return logprobs.detach(), gradient


def _judge(figures: Figures, dtype: torch.dtype) -> None:
    """Refuse wrong numbers; `not <=` also refuses NaN."""
    error, gradient = figures["ours_max_error_nats"], figures["ours_gradient_error"]
    if not error <= MAX_ERROR_NATS[dtype] or not gradient <= MAX_GRADIENT_ERROR[dtype]:
        raise CheckFailed(
            f"the head is wrong by {error:.2g} nats (allowed {MAX_ERROR_NATS[dtype]:g}) and its gradient by "
            f"{gradient:.2g} (allowed {MAX_GRADIENT_ERROR[dtype]:g})",
            "do not train on this machine; try another version of torch or triton, and report both",
        )
