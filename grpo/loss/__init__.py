"""Policy losses as pure functions on tensors, and the one import for everything a loss is made of.

Every loss has one signature, `(logprobs, old_logprobs, advantages, mask, *, hyper-parameters) -> [B, T]`: tensors of B
completions of at most T tokens, padded on the right, and a bool mask (True = trained). It returns the loss of each token,
0 outside the mask, and reduces nothing: `loss = (per_token * weights).sum()` with weights from `aggregation_weights`,
made once for the whole optimizer batch, so that cutting it into micro-batches changes nothing. Advantages are [B] or
[B, T]. Arithmetic is fp32 (fp64 stays). Whatever stands in the padding, NaN and infinity too, reaches neither loss nor
gradient. There are no defaults for what papers argue about; the two there are switch something off.

The order of a full loss, which is also TRL's:

    per_token = loss(logprobs, old_logprobs, advantages, mask, ...)      grpo.loss.policy
    per_token = per_token * off_policy_mask * top_entropy_mask           grpo.loss.masks
    per_token = per_token * mismatch_weights                             grpo.loss.mismatch (inside, for VESPO)
    per_token = per_token + beta * ratio_weighted_kl                     grpo.loss.kl
    loss      = (per_token * weights).sum() + (bonus * token weights).sum()   grpo.loss.aggregation, grpo.loss.entropy

A variant of one's own is one more function of this signature.
"""

from grpo.loss.aggregation import AGGREGATIONS, aggregation_weights, bnpo_weights, trl_weights
from grpo.loss.entropy import adapted_entropy_coefficient, entropy_bonus, mean_entropy
from grpo.loss.kl import KL_ESTIMATES, kl_k1, kl_k2, kl_penalised_rewards, kl_to_reference, ratio_weighted_kl
from grpo.loss.masks import entropy_floor, off_policy_mask, top_entropy_mask, without_truncated
from grpo.loss.mismatch import MISMATCH_BOUNDS, MISMATCH_LEVELS, dropped_fraction, mismatch_weights
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
    "adapted_entropy_coefficient",
    "aggregation_weights",
    "bnpo_weights",
    "cispo_loss",
    "clipped_policy_loss",
    "dropped_fraction",
    "entropy_bonus",
    "entropy_floor",
    "gspo_loss",
    "gspo_token_loss",
    "kl_k1",
    "kl_k2",
    "kl_penalised_rewards",
    "kl_to_reference",
    "log_ratio",
    "mean_entropy",
    "mismatch_weights",
    "off_policy_mask",
    "ratio_weighted_kl",
    "sapo_loss",
    "sequence_log_ratio",
    "sequence_token_log_ratio",
    "top_entropy_mask",
    "trl_weights",
    "vespo_loss",
    "without_truncated",
]
