"""Log-probabilities and entropy of tokens under logits, at the temperature they were sampled with.

The policy that produced an answer is softmax(z / T), so policy, old policy and reference are all read at that T: a
ratio between distributions at different temperatures is not an importance ratio. Left out: avoiding the [tokens,
vocabulary] logits. Callers pass only the positions that are trained.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["token_logprobs"]


def token_logprobs(
    logits: Tensor, token_ids: Tensor, *, temperature: float, entropy_grad: bool = False
) -> tuple[Tensor, Tensor]:
    """Log-probability of each token, entropy of its distribution: `l = log softmax(z / T)[token]`, `H = -sum p log p`.

    Args:
        logits: [..., V], any float dtype; carries gradient. The arithmetic is fp32 (fp64 stays fp64).
        token_ids: [...], int64, each in 0..V-1.
        temperature: T > 0, the sampling temperature.
        entropy_grad: whether the entropy carries gradient; as a metric it needs none.
    Returns: log-probs [...] in nats (with gradient), entropy [...] in nats (detached unless asked for).
    Raises: ValueError for a temperature that is not positive.

    >>> import torch
    >>> logprobs, entropy = token_logprobs(torch.zeros(1, 4), torch.tensor([2]), temperature=1.0)
    >>> round(logprobs.item(), 4), round(entropy.item(), 4)  # uniform over four: -ln 4, ln 4
    (-1.3863, 1.3863)
    """
    if temperature <= 0:
        raise ValueError(f"temperature is {temperature}; log-probabilities need it above 0 (greedy answers have none)")
    wide = logits if logits.dtype.itemsize >= 4 else logits.float()
    distribution = (wide / temperature).log_softmax(dim=-1)
    measured = distribution if entropy_grad else distribution.detach()
    entropy = -(measured.exp() * measured).sum(dim=-1)
    return distribution.gather(-1, token_ids.unsqueeze(-1)).squeeze(-1), entropy
