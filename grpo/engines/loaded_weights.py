"""After a hand-over to vLLM: renews what it made of the old weights, and compares what it holds with what it was given.

Sums of bits are compared. vLLM keeps several weights of a checkpoint as one (q, k and v; gate and up) and fills rows of
the embeddings up with zeros. The sum of bits of such a parameter is the sum of those of its parts. What it has packed
for a processor has another shape or dtype and is left out: on a CPU all linear layers, on one GPU, by its sources,
nothing; where several GPUs share a layer, all but what each of them has whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grpo.engines.bit_sum import bit_sum

__all__ = ["GivenWeights", "differing", "digest", "renew_head"]


class GivenWeights:
    """Adds up the bits of weights while an engine takes them."""

    def __init__(self, weights: Iterable[tuple[str, Tensor]], dtype: torch.dtype) -> None:
        """
        Args:
            weights: By their names in a checkpoint.
            dtype: That the engine keeps them in.
        """
        self._weights, self._dtype = weights, dtype
        self.sums: dict[str, Tensor] = {}  # by name, [] int64
        self.sizes: dict[str, int] = {}  # numbers in each

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """The weights, each counted before it is given out."""
        for name, tensor in self._weights:
            self.sums[name] = bit_sum(tensor.to(self._dtype))
            self.sizes[name] = tensor.numel()
            yield name, tensor

    def compare(self, model: Any) -> list[str]:
        """Parameters of a vLLM model that are not what was given; for `apply_model`, in the process of the model."""
        return differing(model, self.sums, self.sizes, self._dtype)


def differing(model: Any, sums: Mapping[str, Tensor], sizes: Mapping[str, int], dtype: torch.dtype) -> list[str]:
    """Names of the parameters whose bits are not those of the weights that they are made of.

    Args:
        model: With `named_parameters`, and `packed_modules_mapping` where it fuses layers: {fused: its parts}.
        sums: `bit_sum` of every weight that was given, by its name in a checkpoint.
        sizes: The number of elements of each.
        dtype: What the weights were given in.
    Returns: Sorted; empty where all agree. Not compared are parameters that were not given or have another dtype or
        width, and rows beyond those that were given.
    """
    names, held, given = [], [], []
    for name, parameter in model.named_parameters():
        parts = _parts(name, getattr(model, "packed_modules_mapping", {}), sums)
        width = parameter.shape[1:].numel()
        rows = sum(sizes[part] for part in parts) // (width or 1)
        if parts and parameter.dtype == dtype and 0 < rows <= len(parameter):
            names.append(name)
            held.append(bit_sum(parameter[:rows]))
            given.append(torch.stack([sums[part] for part in parts]).sum())
    if not names:
        return []
    equal = torch.stack(held) == torch.stack(given)
    return sorted(name for name, same in zip(names, equal.tolist(), strict=True) if not same)


def _parts(name: str, fused: Mapping[str, Sequence[str]], given: Collection[str]) -> list[str]:
    """The weights of a checkpoint that a parameter is made of; none where they were not given.

    >>> _parts("layers.0.qkv.bias", {"qkv": ["q", "k"]}, ["layers.0.q.bias", "layers.0.k.bias"])
    ['layers.0.q.bias', 'layers.0.k.bias']
    """
    if name in given:
        return [name]
    module, _, kind = name.rpartition(".")
    owner, _, layer = module.rpartition(".")
    parts = [f"{owner}.{part}.{kind}" for part in fused.get(layer, ())]
    return parts if all(part in given for part in parts) else []


def digest(sums: Mapping[str, int]) -> str:
    """One name for all weights, by the sum of the bits of each.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
    True
    """
    text = "\n".join(f"{name} {total}" for name, total in sorted(sums.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def renew_head(model: Any) -> None:
    """Pack the output layer again: a CPU build computes with a packed copy, which a reload of tied weights misses."""
    head = model.lm_head
    head.quant_method.process_weights_after_loading(head)
