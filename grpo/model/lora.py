"""LoRA: train two low-rank matrices beside every linear layer, `W x + (alpha / rank) B A x`, and leave W as it is.

The layers are peft's. A and B are fp32; W is stored in the dtype of the matrix products (`grpo.model.frozen`). The
adapters are never merged into the base: engines and checkpoints get `W + (alpha / rank) B A`, computed in fp32 and cast
once (`merged_weights`), for checkpoints not at all, and W stays the same to the bit. An engine that computes in bf16
sees an update only where it exceeds half the distance of two bf16 numbers: `LoraPolicy.weights` counts the weights
where it does not. The reference of a KL is the base with its adapters off (`Base`), so no second model is loaded. Left
out: dropout (0.05 in the published recipe), because the ratio between two forward passes must come from the weights
alone.
Source: LoRA (arXiv 2106.09685).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from grpo.model.batching import MicroBatch
from grpo.model.frozen import store_frozen
from grpo.model.policy import ModelError, Policy

__all__ = ["ADAPTER", "Base", "LoraPolicy", "add_adapters", "load_adapters", "merged_weights"]

ADAPTER = "adapter"  # the directory in a checkpoint that holds the adapters in peft's format
_NAME = "default"  # peft's name of the only adapter
ROW_STEP = 16  # rows of a weight of which one is looked at for rounding: looking at all would double the merge's time


@dataclass
class LoraPolicy(Policy):
    """A policy whose base is frozen and whose adapters are trained."""

    adapters: PeftModel | None = None
    _rounding: _Rounding | None = field(default=None, init=False)  # of the weights that were given out last

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """The merged weights, as `Policy.weights`."""
        self._rounding = None if self.compute_dtype == torch.float32 else _Rounding(self.compute_dtype)
        return merged_weights(self, rounding=self._rounding)

    def weight_metrics(self) -> dict[str, float]:
        """`sync/rounded`: the share of adapted weights that equal the base's in `compute_dtype`; none in float32.

        In bf16 numbers near 0.02 lie 2^-13 = 1.2e-4 apart, so an update of at most 6e-5 can be rounded away there. The
        engine samples from the base until enough updates have added up.
        """
        return {"sync/rounded": self._rounding.share()} if self._rounding else {}

    def snapshot(self) -> Callable[[Path], None]:
        """Copy the merged model, fp32, and the adapters; they are written as an ordinary checkpoint, and in peft's
        format into `ADAPTER`.

        A head that is tied to the embeddings is written once, as transformers writes it.
        """
        assert self.adapters is not None
        peft = self.adapters
        weights = {name: _copied(tensor) for name, tensor in merged_weights(self, dtype=torch.float32)}
        adapters = {name: _copied(tensor) for name, tensor in peft.state_dict().items() if ".lora_" in name}

        def write(directory: Path) -> None:
            self.model.save_pretrained(directory, state_dict=dict(weights))
            self.model.config.dtype = "float32"  # of what was written; transformers names that of the base in memory
            self.model.config.save_pretrained(directory)
            self.tokenizer.save_pretrained(directory)
            peft.save_pretrained(str(directory / ADAPTER), state_dict=adapters)

        return write


def _copied(tensor: Tensor) -> Tensor:
    """A tensor's values in memory of the CPU that nothing else changes."""
    return tensor.detach().to("cpu", copy=True)


class _Rounding:
    """Counts merged weights that a smaller dtype does not tell from those of the base."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._same: list[Tensor] = []  # [] int64 on the device: counting waits for nothing
        self._count = 0

    def count(self, merged: Tensor, base: Tensor) -> None:
        """Count the elements of one weight, in every 16th of its rows."""
        merged, base = merged[::ROW_STEP], base[::ROW_STEP]
        self._same.append((merged.to(self._dtype) == base.to(self._dtype)).sum())
        self._count += base.numel()

    def share(self) -> float:
        """The share of the elements counted so far; 1 for none."""
        return int(torch.stack(self._same).sum()) / self._count if self._same else 1.0


@dataclass(frozen=True)
class Base:
    """The policy without its adapters: the reference of the KL."""

    policy: LoraPolicy

    def completion_logprobs(
        self, batch: MicroBatch, *, temperature: float, entropy_grad: bool = False
    ) -> tuple[Tensor, Tensor]:
        """As `Policy.completion_logprobs`, with the adapters off."""
        assert self.policy.adapters is not None
        with self.policy.adapters.disable_adapter():
            return self.policy.completion_logprobs(batch, temperature=temperature, entropy_grad=entropy_grad)


def add_adapters(policy: Policy, *, rank: int, alpha: int, targets: str, seed: int) -> LoraPolicy:
    """Freeze a policy and give it adapters that do not change its output yet, because B starts at 0.

    The frozen matrices are stored in `compute_dtype` from then on, which rounds those of an fp32 checkpoint.

    Args:
        policy: The policy to adapt; its model is changed in place, use the returned policy from now on.
        rank: The rank of A and B.
        alpha: The product B A counts alpha / rank.
        targets: "all-linear" for every linear layer but the head, or the names of layers, separated by commas.
        seed: Seed of A's random initial values.
    Returns: the policy to train; only A and B have gradients, in fp32.
    Raises: ModelError where no layer has such a name.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=targets if targets == "all-linear" else targets.split(","),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[policy.device] if policy.device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            adapters = get_peft_model(policy.model, config)
        except ValueError as error:
            raise ModelError(f"lora.targets = {targets!r}: {error}") from error
    adapters.eval()
    store_frozen(policy.model, policy.compute_dtype)
    own = (policy.model, policy.tokenizer, policy.device, policy.compute_dtype, policy.stop_ids)
    return LoraPolicy(*own, checkpointed_layers=policy.checkpointed_layers, adapters=adapters)


def load_adapters(policy: LoraPolicy, checkpoint: Path) -> None:
    """Load the adapters of a checkpoint that such a policy saved.

    Raises: ModelError where they are missing or do not fit.
    """
    path = checkpoint / ADAPTER / "adapter_model.safetensors"
    assert policy.adapters is not None
    try:
        found: Any = set_peft_model_state_dict(policy.adapters, load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:  # RuntimeError: sizes that do not fit
        raise ModelError(
            f"cannot load adapters from {path}: {error}. Resume with the recipe that wrote them"
        ) from error
    if other := [*found.unexpected_keys, *(key for key in found.missing_keys if "lora_" in key)]:
        raise ModelError(f"{path} is of other layers ({other[0]}): resume with the recipe that wrote it")


@torch.no_grad()
def merged_weights(
    policy: LoraPolicy, *, dtype: torch.dtype | None = None, rounding: _Rounding | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Every weight of the trained model by its ordinary name: `W + (alpha / rank) B A`, computed in fp32 and cast once.

    The policy does not change. A weight without adapters is not copied, and comes once if it has several names.

    Args:
        policy: The adapted policy.
        dtype: The dtype to cast to; None: that in which the base has the weight.
        rounding: Counts how many merged weights a smaller dtype would not tell from the base's.
    """
    changed: dict[str, Any] = {
        name: layer for name, layer in policy.model.named_modules() if isinstance(layer, LoraLayer)
    }
    seen: set[tuple[int, torch.Size]] = set()
    for name, weight in policy.model.state_dict().items():
        if ".lora_" in name:
            continue
        owner, _, kind = name.rpartition(".base_layer.")
        if owner in changed and kind == "weight":
            delta: Tensor = changed[owner].get_delta_weight(_NAME)
            merged = weight.float() + delta.float()
            if rounding:
                rounding.count(merged, weight)
            yield f"{owner}.weight", merged.to(dtype or weight.dtype)
        elif (place := (weight.data_ptr(), weight.shape)) not in seen:
            seen.add(place)
            yield name.replace(".base_layer.", "."), weight.to(dtype or weight.dtype)
