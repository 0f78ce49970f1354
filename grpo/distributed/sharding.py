"""Shards a model by FSDP2: each rank keeps a slice of every weight, and gathers a layer's weights when they are needed.

Each decoder layer is a group of its own; embedding, last norm and head are one more, the root's, whose forward pass is
the whole computation of log-probs. So the head's weight is whole while `grpo.logprobs.linear_logprobs` uses it, tied to
the embedding or not, and there are no logits.

The shards are fp32. With a `compute_dtype` of bf16 the layers are gathered in bf16, which halves the traffic and is
what autocast makes of their matrices anyway; their norms are rounded too, as in an engine. Autocast stays on, and
embedding, last norm and head stay fp32, so that the residual stream is fp32 as on one GPU. Autocast alone would keep a
bf16 copy of every layer for the backward pass. Gradients are reduced in fp32. They are summed and not averaged: the
loss weights are those of the whole optimizer batch (`grpo.loss.aggregation`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from grpo.model.batching import MicroBatch
from grpo.model.policy import Policy

__all__ = ["TokenLogprobs", "shard", "whole"]


class TokenLogprobs(torch.nn.Module):
    """The root of the shards: its forward pass computes the log-probs of a micro-batch."""

    def __init__(self, model: torch.nn.Module, compute: Callable[..., tuple[Tensor, Tensor]]) -> None:
        """
        Args:
            model: Whose weights are needed.
            compute: `Policy.token_logprobs` of that model.
        """
        super().__init__()
        self.model, self._compute = model, compute

    def forward(self, batch: MicroBatch, temperature: float, entropy_grad: bool) -> tuple[Tensor, Tensor]:
        """Log-probs and entropy of the completion tokens, both [M]."""
        return self._compute(batch, temperature=temperature, entropy_grad=entropy_grad)


def shard(policy: Policy, mesh: DeviceMesh, compute: Callable[..., tuple[Tensor, Tensor]]) -> TokenLogprobs:
    """Shard a policy's model in place; call what is returned in place of `compute`.

    Args:
        policy: Its parameters become DTensors, each rank's slice along the first dimension.
        mesh: The ranks.
        compute: From a micro-batch to log-probs, with the weights whole.
    """
    half = policy.compute_dtype != torch.float32
    dtypes = {"param_dtype": policy.compute_dtype, "reduce_dtype": torch.float32} if half else {}
    layers = MixedPrecisionPolicy(**dtypes, cast_forward_inputs=False)
    for layer in policy.layers():
        fully_shard(layer, mesh=mesh, mp_policy=layers)
    root = TokenLogprobs(policy.model, compute)
    fully_shard(root, mesh=mesh)
    for module in root.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo knows neither the mean nor a factor
    return root


@contextmanager
def whole(model: torch.nn.Module, *, keep: bool, dtype: torch.dtype | None = None) -> Iterator[None]:
    """Gather a sharded model, weight by weight, to the CPU; inside the context its parameters are whole tensors there.

    Nothing else uses the memory of those tensors.

    Args:
        model: The same on all ranks, which have to call this together.
        keep: False: this rank only takes part, and its parameters stay as they are.
        dtype: That each weight is cast to before the next one is gathered; None: as it is stored.
    """
    places = [
        (module._parameters, name, parameter)
        for module in model.modules()
        for name, parameter in module._parameters.items()
        if isinstance(parameter, DTensor)
    ]
    gathered: dict[int, torch.nn.Parameter] = {}
    for _, _, parameter in places:
        if id(parameter) not in gathered:  # tied weights stay tied
            gathered[id(parameter)] = torch.nn.Parameter(_gathered(parameter, keep, dtype), requires_grad=False)
    try:
        for parameters, name, parameter in places if keep else ():
            parameters[name] = gathered[id(parameter)]
        yield
    finally:
        for parameters, name, parameter in places:
            parameters[name] = parameter


def _gathered(parameter: Any, keep: bool, dtype: torch.dtype | None) -> Tensor:
    """A whole weight on the CPU, or nothing of it; every rank takes part."""
    full: Tensor = parameter.detach().full_tensor()
    if not keep:
        return full.new_empty(0)
    is_own = parameter.device_mesh.size() == 1  # what one rank gathers is its own shard
    return full.to("cpu", dtype or full.dtype, copy=is_own)
