"""KL divergence from the policy to a reference, estimated on the sampled tokens: in the loss or in the reward.

With `d = ref_logprobs - logprobs` of a sampled token, the three estimates of KL(policy || reference) are

    k1   -d               no bias, high variance, can be negative
    k2   d^2 / 2          biased, never negative
    k3   exp(d) - d - 1   no bias, never negative, unbounded where the policy avoids what the reference likes

An estimate with the right value need not have the right gradient. Differentiated as a loss on policy, the gradient of
k1 has expectation 0 (k1 does nothing), that of k2 is exactly the gradient of the reverse KL, KL(policy || reference),
and that of k3 exactly the gradient of the forward KL, KL(reference || policy). Multiplied by the importance ratio with
its gradient (`ratio_weighted_kl`), k1 and k3 both have exactly the gradient of the reverse KL. k1 belongs in the reward
(`kl_penalised_rewards`), where no gradient is needed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grpo.loss.ratio import LogRatio, log_ratio, upcast

__all__ = ["KL_ESTIMATES", "kl_k1", "kl_k2", "kl_penalised_rewards", "kl_to_reference", "ratio_weighted_kl"]


def kl_k1(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """The k1 estimate of KL(policy || reference), per token: `-d = logprobs - ref_logprobs`.

    Args:
        logprobs: [B, T] current policy, with gradient.
        ref_logprobs: [B, T] reference, detached.
        mask: [B, T] bool, True = trained.
    Returns: [B, T] in nats, 0 outside the mask, with gradient (of expectation 0: see the module).
    Raises: ValueError where the shapes differ.
    Source: Schulman, "Approximating KL Divergence" (2020).

    >>> kl_k1(torch.tensor([[-1.0]]), torch.tensor([[-3.0]]), torch.tensor([[True]])).item()
    2.0
    """
    return log_ratio(logprobs, ref_logprobs, mask)


def kl_k2(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """The k2 estimate of KL(policy || reference), per token: `d^2 / 2` with `d = ref_logprobs - logprobs`.

    Args, Returns, Raises: as `kl_k1`; never negative.
    Source: Schulman, "Approximating KL Divergence" (2020); as a loss: Tang and Munos (arXiv 2506.09477).

    >>> kl_k2(torch.tensor([[-1.0]]), torch.tensor([[-3.0]]), torch.tensor([[True]])).item()
    2.0
    """
    return log_ratio(ref_logprobs, logprobs, mask).square() / 2


def kl_to_reference(logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor) -> Tensor:
    """The k3 estimate of KL(policy || reference), per token: `exp(d) - d - 1` with `d = ref_logprobs - logprobs`.

    Never negative, and 0 where the two agree.

    Args, Returns, Raises: as `kl_k1`.
    Source: Schulman, "Approximating KL Divergence" (2020); DeepSeekMath (arXiv 2402.03300), equation 4. TRL 1.16
        multiplies by the importance ratio by default (`ratio_weighted_kl`); the paper does not.

    >>> kl_to_reference(torch.tensor([[-1.0]]), torch.tensor([[-2.0]]), torch.tensor([[True]])).item()  # e^-1 + 1 - 1
    0.3678794503211975
    """
    difference = log_ratio(ref_logprobs, logprobs, mask)
    return torch.expm1(difference) - difference


KL_ESTIMATES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"k1": kl_k1, "k2": kl_k2, "k3": kl_to_reference}


def ratio_weighted_kl(
    kl: Tensor, logprobs: Tensor, old_logprobs: Tensor, mask: Tensor, *, ratio: LogRatio = log_ratio
) -> Tensor:
    """A KL estimate corrected for who sampled the tokens: `r_t KL_t` with `r_t = exp(l_t)`, gradient through both.

    The correction matters on policy too: there r_t is 1, but its gradient is not 0.

    Args:
        kl: [B, T] a k1 or k3 estimate, with gradient.
        logprobs: [B, T] current policy, with gradient.
        old_logprobs: [B, T] detached.
        mask: [B, T] bool, True = trained.
        ratio: Of the token or of the sequence. TRL takes that of its policy loss; the gradient is
            unbiased with the token's only.
    Returns: [B, T] in nats, 0 outside the mask, with gradient.
    Raises: ValueError where the shapes differ.
    Source: DeepSeek-V3.2 (arXiv 2512.02556), the unbiased KL estimate; TRL 1.16, `use_bias_correction_kl`.

    >>> logprobs = torch.tensor([[-1.0]], requires_grad=True)
    >>> kl = kl_k1(logprobs, torch.tensor([[-3.0]]), torch.tensor([[True]]))
    >>> weighted = ratio_weighted_kl(kl, logprobs, logprobs.detach(), torch.tensor([[True]]))
    >>> weighted.item(), torch.autograd.grad(weighted, logprobs)[0].item()  # d(r KL) = KL dr + r dKL = 2 + 1
    (2.0, 3.0)
    """
    return kl * ratio(logprobs, old_logprobs, mask).exp()


def kl_penalised_rewards(rewards: Tensor, kl: Tensor, mask: Tensor, *, beta: float) -> Tensor:
    """Rewards minus the KL of the completion, to compute advantages from: `R_i - beta * sum over tokens of KL_t`.

    Args:
        rewards: [B], NaN = no reward.
        kl: [B, T] in nats, usually k1 of the policy that sampled.
        mask: [B, T] bool, True = trained.
        beta: The penalty per nat, >= 0.
    Returns: [B], detached; NaN stays NaN.
    Raises: ValueError where rewards are not one per row.
    Source: InstructGPT (arXiv 2203.02155), equation 2, for a whole completion; RLOO (arXiv 2402.14740).

    >>> kl, mask = torch.tensor([[0.5, 1.5], [1.0, 9.0]]), torch.tensor([[True, True], [True, False]])
    >>> kl_penalised_rewards(torch.tensor([1.0, torch.nan]), kl, mask, beta=0.1).tolist()
    [0.800000011920929, nan]
    """
    if rewards.shape != mask.shape[:1]:
        raise ValueError(f"rewards are {list(rewards.shape)}; give one for each of the {len(mask)} completions")
    return upcast(rewards) - beta * torch.where(mask, kl.detach(), 0.0).sum(dim=1)
