"""A policy with adapters whose weights several ranks hold: the frozen base and the adapters are sharded alike.

The merged weights `W + (alpha / rank) B A` of engines and checkpoints are computed on rank 0's CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from grpo.distributed.policy import ShardedPolicy
from grpo.distributed.team import Team
from grpo.model.lora import LoraPolicy
from grpo.model.policy import Policy

__all__ = ["ShardedLoraPolicy"]


@dataclass
class ShardedLoraPolicy(ShardedPolicy, LoraPolicy):
    """`LoraPolicy` on all ranks of a team."""

    @classmethod
    def of(cls, policy: Policy, team: Team) -> ShardedLoraPolicy:
        """As `ShardedPolicy.of`."""
        assert isinstance(policy, LoraPolicy)
        own = (policy.model, policy.tokenizer, policy.device, policy.compute_dtype, policy.stop_ids)
        return cls(*own, checkpointed_layers=policy.checkpointed_layers, adapters=policy.adapters, team=team)

    def _handed_dtype(self) -> torch.dtype | None:
        """As they are stored: the adapters are merged in fp32."""
        return None
