"""Policy losses and everything that a loss is made of, as pure functions on tensors; needs torch and nothing else.

Every policy loss has one signature: `(logprobs, old_logprobs, advantages, mask, *, hyper-parameters) -> [B, T]`. The
tensors hold B completions of at most T tokens, padded on the right; `mask` is bool, True = trained; advantages are [B]
or [B, T]. A loss returns one number per token, 0 outside the mask, and reduces nothing. The sum is
`loss = (per_token * weights).sum()` with weights from `aggregation_weights`, made once for the whole optimizer batch,
so that cutting the batch into micro-batches changes nothing.

Arithmetic is fp32 (fp64 stays fp64). Values in the padding, NaN and infinity included, reach neither loss nor gradient.
Hyper-parameters that papers argue about have no defaults; a default that exists switches something off.

The order of a full loss, which is also TRL's:

    per_token = loss(logprobs, old_logprobs, advantages, mask, ...)         grpo.loss.policy
    per_token = per_token * off_policy_mask * (entropy >= entropy_floor)    grpo.loss.corrections, grpo.loss.entropy
    per_token = per_token * mismatch_weights                                grpo.loss.corrections (inside, for VESPO)
    per_token = per_token + beta * ratio_weighted_kl                        grpo.loss.kl
    loss      = (per_token * weights).sum()                                 grpo.loss.aggregation
              + (entropy_bonus * token_weights).sum()                       grpo.loss.entropy

A new variant is one more function with the same signature.
"""

from grpo.loss.aggregation import AGGREGATIONS, aggregation_weights
from grpo.loss.corrections import MISMATCH_BOUNDS, MISMATCH_LEVELS, mismatch_weights, off_policy_mask
from grpo.loss.entropy import entropy_bonus, entropy_floor
from grpo.loss.kl import KL_ESTIMATES, kl_k1, kl_k2, kl_penalised_rewards, kl_to_reference, ratio_weighted_kl
from grpo.loss.policy import (
    LOSSES,
    PolicyLoss,
    cispo_loss,
    clipped_policy_loss,
    gspo_loss,
    gspo_token_loss,
    sapo_loss,
    vespo_loss,
)
from grpo.loss.ratio import LogRatio, log_ratio, sequence_log_ratio, sequence_token_log_ratio

__all__ = [
    "AGGREGATIONS",
    "KL_ESTIMATES",
    "LOSSES",
    "MISMATCH_BOUNDS",
    "MISMATCH_LEVELS",
    "LogRatio",
    "PolicyLoss",
    "aggregation_weights",
    "cispo_loss",
    "clipped_policy_loss",
    "entropy_bonus",
    "entropy_floor",
    "gspo_loss",
    "gspo_token_loss",
    "kl_k1",
    "kl_k2",
    "kl_penalised_rewards",
    "kl_to_reference",
    "log_ratio",
    "mismatch_weights",
    "off_policy_mask",
    "ratio_weighted_kl",
    "sapo_loss",
    "sequence_log_ratio",
    "sequence_token_log_ratio",
    "vespo_loss",
]
