"""What is minimised."""

from __future__ import annotations

from dataclasses import dataclass

from grpo.config.sources import TRL
from grpo.schema import option

__all__ = ["LossSection"]

LOSS_NAMES = ("grpo", "bnpo", "dr_grpo", "dapo", "gspo", "gspo_token", "luspo", "cispo", "sapo", "vespo")  # `grpo.loss`
WITHOUT_DELTA = ("gspo", "gspo_token", "luspo", "cispo", "sapo", "vespo")  # `clipped_policy_loss` alone has it


@dataclass(frozen=True)
class LossSection:
    """What is minimised."""

    name: str = option(
        "dapo",
        f"a published loss ({', '.join(LOSS_NAMES)}), or your own: package.module:function or path/to/file.py:function",
        source=TRL,
    )
    aggregation: str = option(
        "published",
        "how token losses are averaged: published is as the loss was published; token is over all tokens (DAPO), "
        "sequence over each completion's mean (GRPO), constant over a fixed length (Dr. GRPO); sum is the sum within a "
        "completion (LUSPO)",
        choices=("published", "token", "sequence", "constant", "sum"),
    )
    clip_low: float = option(0.2, "the ratio's lower bound is 1 - clip_low", low=0, high=1, source=TRL)
    clip_high: float = option(
        0.2,
        "the ratio's upper bound is 1 + clip_high; gspo and luspo want both bounds near 3e-4",
        low=0,
        high=100,
        source=TRL,
    )
    delta: float = option(
        0.0,
        "grpo, bnpo, dr_grpo, dapo: upper bound of the ratio for negative advantages, above 1 + clip_high; 0: no such "
        "bound",
        low=0,
    )
    max_ratio: float = option(5.0, "cispo: highest importance ratio", low=0, source="ScaleRL")
    tau_positive: float = option(1.0, "sapo: sharpness of the gate for positive advantages", low=0.001, source="SAPO")
    tau_negative: float = option(1.05, "sapo: sharpness of the gate for negative advantages", low=0.001, source="SAPO")
    k_positive: float = option(2.0, "vespo: k for positive advantages", low=0, source="VESPO")
    lambda_positive: float = option(3.0, "vespo: lambda for positive advantages", low=0, source="VESPO")
    k_negative: float = option(3.0, "vespo: k for negative advantages", low=0, source="VESPO")
    lambda_negative: float = option(2.0, "vespo: lambda for negative advantages", low=0, source="VESPO")
    kl_beta: float = option(
        0.0, "weight of the KL to the starting policy; 0 loads no reference model", low=0, high=100, source=TRL
    )
    kl_estimate: str = option(
        "k3", "estimate of the KL from the sampled tokens", choices=("k1", "k2", "k3"), source=TRL
    )
    kl_in: str = option(
        "loss",
        "where the KL counts: as a term of the loss, or subtracted from the reward",
        choices=("loss", "reward"),
        source="DeepSeekMath: the loss",
    )
    kl_ratio_weighted: bool = option(
        False, "multiply the KL by the importance ratio, as TRL does by default; the GRPO paper does not"
    )
    mismatch: str = option(
        "auto",
        "importance weights exp(old - sampler) for the gap between trainer and engine: token is per token, sequence "
        "from the sum over the completion, geometric from its mean; auto is token where the engine has weights of its "
        "own or samples ahead, else none",
        choices=("auto", "none", "token", "sequence", "geometric"),
    )
    mismatch_bound: str = option(
        "truncate", "a weight outside the bounds becomes the bound (truncate) or 0 (mask)", choices=("truncate", "mask")
    )
    mismatch_low: float = option(0.0, "lower bound of the mismatch weights", low=0)
    mismatch_high: float = option(3.0, "upper bound of the mismatch weights", low=0, source=TRL)
    off_policy_max_kl: float = option(
        0.0,
        "completions with a negative advantage that are off policy by more are left out of the loss; 0: none is",
        unit="nats a token",
        low=0,
        source="DeepSeek-V3.2 has the rule",
    )
    top_entropy_fraction: float = option(
        1.0, "share of the tokens that the policy loss trains: those of highest entropy", low=0.001, high=1, source=TRL
    )
    entropy_coefficient: float = option(0.0, "weight of a bonus for entropy", low=0, high=10, source=TRL)
    mask_truncated: bool = option(False, "leave truncated completions out of the loss", source=TRL)
    advantages: str = option(
        "group",
        "what the centred reward is divided by: group and group_population are the group's standard deviation, batch "
        "the batch's, none nothing, maxrl the group's mean (for rewards of at least 0); leave_one_out compares with "
        "the other completions; gdpo standardises each reward on its own; shuffled is a control: the advantages of "
        "group, permuted over the batch, must teach nothing",
        choices=("group", "group_population", "batch", "none", "leave_one_out", "maxrl", "gdpo", "shuffled"),
        source=TRL,
    )

    def conflicts(self) -> list[str]:
        """Settings that exclude each other."""
        found = []
        if self.name not in LOSS_NAMES and ":" not in self.name:
            found.append(f"loss.name = {self.name!r}: must be one of {', '.join(LOSS_NAMES)}, or FILE.py:function")
        if 0 < self.delta <= 1 + self.clip_high:
            found.append(f"loss.delta = {self.delta}: must be above 1 + loss.clip_high = {1 + self.clip_high}, or 0")
        if self.delta and self.name in WITHOUT_DELTA:
            found.append(f'loss.delta = {self.delta}: loss.name = "{self.name}" has no such bound: use 0')
        if self.mismatch_low >= self.mismatch_high:
            found.append("loss.mismatch_low must be below loss.mismatch_high, or every completion is dropped")
        if self.kl_beta and self.kl_in == "reward" and self.advantages == "gdpo":
            found.append('loss.kl_in = "reward" adds to the sum of rewards, which gdpo does not compute: use "loss"')
        if self.kl_beta and self.kl_in == "reward" and self.advantages == "maxrl":
            found.append('loss.kl_in = "reward" makes rewards negative, and maxrl divides by their mean: use "loss"')
        if self.kl_beta and self.kl_in == "reward" and self.kl_ratio_weighted:
            found.append('loss.kl_ratio_weighted corrects a gradient, and loss.kl_in = "reward" has none')
        if self.name == "vespo" and self.mismatch not in ("auto", "none", "token"):
            found.append(
                'loss.name = "vespo" takes the correction into the ratio of the completion: use mismatch = "token"'
            )
        return found
