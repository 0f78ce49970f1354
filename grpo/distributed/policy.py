"""A policy whose weights several ranks hold, each a shard.

Log-probs of a micro-batch are computed by all ranks at once, each on a micro-batch of its own; where rank 0 asks for
some outside an update (`grpo.engines.weight_sync`), the others compute the same. Engines and checkpoints get whole
weights: rank 0 gathers them weight by weight in its CPU's memory, so that no GPU holds the model twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from grpo.distributed.sharding import TokenLogprobs, shard, whole
from grpo.distributed.team import Team
from grpo.model.batching import MicroBatch
from grpo.model.policy import Policy

__all__ = ["ShardedPolicy"]

CPU = torch.device("cpu")


@dataclass
class ShardedPolicy(Policy):
    """`Policy` on all ranks of a team; every rank makes one of the same model."""

    is_whole: ClassVar[bool] = False
    team: Team = field(kw_only=True)
    _root: TokenLogprobs = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._root = shard(self, self.team.mesh, super().token_logprobs)

    @classmethod
    def of(cls, policy: Policy, team: Team) -> ShardedPolicy:
        """Shard a policy; use what is returned from now on."""
        own = (policy.model, policy.tokenizer, policy.device, policy.compute_dtype, policy.stop_ids)
        return cls(*own, checkpointed_layers=policy.checkpointed_layers, team=team)

    def completion_logprobs(
        self, batch: MicroBatch, *, temperature: float, entropy_grad: bool = False
    ) -> tuple[Tensor, Tensor]:
        """As `Policy.completion_logprobs`; on rank 0 outside an order all ranks compute it, without gradient."""
        if self.team.busy:
            return super().completion_logprobs(batch, temperature=temperature, entropy_grad=entropy_grad)
        with self.team.order("logprobs", batch.to(CPU), temperature), torch.no_grad():
            return super().completion_logprobs(batch, temperature=temperature)

    def token_logprobs(self, batch: MicroBatch, *, temperature: float, entropy_grad: bool) -> tuple[Tensor, Tensor]:
        """As `Policy.token_logprobs`, with the weights gathered layer by layer."""
        found: tuple[Tensor, Tensor] = self._root(batch, temperature, entropy_grad)
        if not torch.is_grad_enabled():
            self._root.reshard()  # type: ignore[operator]  # else the root keeps its weights for a backward pass
        return found

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """As `Policy.weights`, on rank 0, in the dtype of the matrix products and on the CPU; nothing on others."""
        found: list[tuple[str, Tensor]] = []
        with self.team.order("weights"), whole(self.model, keep=self.team.leads, dtype=self._handed_dtype()):
            if self.team.leads:
                found = [(name, tensor.to(self.compute_dtype)) for name, tensor in super().weights()]
        return iter(found)

    def _handed_dtype(self) -> torch.dtype | None:
        """What weights are cast to while they are gathered for an engine; None: as they are stored."""
        return self.compute_dtype

    def snapshot(self) -> Callable[[Path], None]:
        """As `Policy.snapshot`, on rank 0; on others what is returned writes nothing."""
        with self.team.order("snapshot"), whole(self.model, keep=self.team.leads):
            return super().snapshot() if self.team.leads else _nothing


def _nothing(directory: Path) -> None:
    """What a rank writes of a checkpoint's weights that is not rank 0."""
