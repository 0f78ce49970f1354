"""Log importance ratios: of a token, of a sequence, and of a sequence with the gradient of its tokens.

Each has the signature `(logprobs, old_logprobs, mask) -> [B, T]`, so that a loss takes it as an argument:
`ratio=sequence_log_ratio` turns PPO's surrogate into GSPO's. Arithmetic is fp32 at least (bf16 and fp16 are
upcast, fp64 stays). Masking comes before `exp`: after it, an overflow in the padding gives a NaN gradient behind a
finite loss. Left out: `exp` itself, which belongs to the loss.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = [
    "LogRatio",
    "broadcast_advantages",
    "log_ratio",
    "masked_mean",
    "sequence_log_ratio",
    "sequence_token_log_ratio",
    "upcast",
]

LogRatio = Callable[[Tensor, Tensor, Tensor], Tensor]  # (logprobs, old_logprobs, mask) -> [B, T]


def log_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Log importance ratio of each token: `l_t = logprobs - old_logprobs`, 0 outside the mask.

    Args:
        logprobs: [B, T] current policy, with gradient.
        old_logprobs: [B, T] the trainer's policy just before the first update on the batch, detached.
        mask: [B, T] bool, True = trained.
    Returns: [B, T] in nats, with gradient.
    Raises: ValueError where the three shapes differ, which would broadcast into a wrong loss.
    Source: PPO (arXiv 1707.06347), section 3.

    >>> mask = torch.tensor([[True, False]])
    >>> log_ratio(torch.tensor([[-1.0, torch.nan]]), torch.tensor([[-1.5, 0.0]]), mask).tolist()
    [[0.5, 0.0]]
    """
    if not logprobs.shape == old_logprobs.shape == mask.shape:
        raise ValueError(
            f"log-probs are {list(logprobs.shape)} and {list(old_logprobs.shape)} and the mask is {list(mask.shape)}; "
            "all must be [completions, tokens] of one size"
        )
    return torch.where(mask, upcast(logprobs), 0.0) - torch.where(mask, upcast(old_logprobs), 0.0)


def sequence_log_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """Log ratio of a completion, normalised by its length: `s_i = mean over tokens of l_t`, repeated on each token.

    The mean keeps long and short completions on one scale; `exp(s_i)` is the geometric mean of the token ratios.

    Args, Raises: as `log_ratio`.
    Returns: [B, T] in nats, one value per row, 0 outside the mask; the gradient of every token carries 1 / length.
    Source: GSPO (arXiv 2507.18071), equation 7.

    >>> mask = torch.tensor([[True, True, False]])
    >>> sequence_log_ratio(torch.tensor([[-1.0, -2.0, 0.0]]), torch.tensor([[-2.0, -5.0, 0.0]]), mask).tolist()
    [[2.0, 2.0, 0.0]]
    """
    return torch.where(mask, masked_mean(log_ratio(logprobs, old_logprobs, mask), mask)[:, None], 0.0)


def sequence_token_log_ratio(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    """The value of the sequence ratio with the gradient of the token: `sg[s_i] + logprobs - sg[logprobs]`.

    Equal to `sequence_log_ratio` in value, and in gradient where all tokens of a completion share one advantage. It
    exists for advantages that differ from token to token.

    Args, Raises: as `log_ratio`.
    Returns: [B, T] in nats, 0 outside the mask, with gradient 1 on the token itself.
    Source: GSPO (arXiv 2507.18071), equation 14 (GSPO-token).

    >>> logprobs = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    >>> values = sequence_token_log_ratio(logprobs, torch.tensor([[-2.0, -5.0]]), torch.tensor([[True, True]]))
    >>> values.tolist(), torch.autograd.grad(values[0, 0], logprobs)[0].tolist()
    ([[2.0, 2.0]], [[1.0, 0.0]])
    """
    value = sequence_log_ratio(logprobs.detach(), old_logprobs, mask)
    return value + log_ratio(logprobs, logprobs.detach(), mask)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the trained tokens of each completion; a completion without trained tokens has mean 0.

    Args:
        values: [B, T], anything outside the mask.
        mask: [B, T] bool, True = trained.
    Returns: [B], with the gradient of `values`.

    >>> masked_mean(torch.tensor([[1.0, 3.0], [5.0, torch.nan]]), torch.tensor([[True, True], [False, False]])).tolist()
    [2.0, 0.0]
    """
    return torch.where(mask, values, 0.0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def broadcast_advantages(advantages: Tensor, mask: Tensor) -> Tensor:
    """Advantages in fp32 (or fp64) and in a shape that multiplies [B, T]: [B] becomes [B, 1], [B, T] stays.

    Raises: ValueError for any other shape.

    >>> broadcast_advantages(torch.tensor([1.0, 2.0]), torch.ones(2, 3, dtype=torch.bool)).tolist()
    [[1.0], [2.0]]
    """
    if advantages.shape == mask.shape:
        return upcast(advantages)
    if advantages.shape == mask.shape[:1]:
        return upcast(advantages)[:, None]
    raise ValueError(
        f"advantages are {list(advantages.shape)}, but the mask is {list(mask.shape)}: give one number per completion "
        "or one per token"
    )


def upcast(values: Tensor) -> Tensor:
    """The same numbers in fp32; fp64 stays fp64.

    >>> upcast(torch.zeros(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return values if values.dtype.itemsize >= 4 else values.float()
