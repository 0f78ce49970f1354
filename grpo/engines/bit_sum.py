"""Exact sums over the bits of weights: whether two places hold the same weights, for the price of reading them once.

The bits are read as integers and added modulo 2**64, so the sum does not depend on the order of the additions, on the
number of threads, or on the device. It does not tell two tensors of one kind apart that changed places.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["bit_sum"]

_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by the bytes of a number
_WORD = 8  # bytes of an int64


@torch.no_grad()
def bit_sum(weight: Tensor) -> Tensor:
    """The sum of a tensor's bits, read as integers, modulo 2**64.

    Sums of tensors with rows of one length add up to the sum of their concatenation along the rows, and rows of zeros
    add nothing: a fused or padded weight can be compared with its parts.

    Args:
        weight: Any shape and dtype. Its rows, the last dimension, are read as int64 where their bytes can be divided by
            8, without a copy unless the first begins between two words. Others, and tensors of one dimension, are
            converted, at 8 bytes a number.
    Returns: [] int64 on the tensor's device, so nothing waits for a GPU.

    >>> whole = torch.arange(8, dtype=torch.bfloat16).view(2, 4)
    >>> int(bit_sum(whole)) == int(bit_sum(whole[:1]) + bit_sum(whole[1:])) == int(bit_sum(whole.flip(0)))
    True
    """
    numbers = weight.detach().contiguous()
    if numbers.dim() > 1 and numbers.shape[-1] * numbers.element_size() % _WORD == 0:
        if numbers.storage_offset() * numbers.element_size() % _WORD:  # inside a buffer, after an odd number of others
            numbers = numbers.clone()
        return numbers.view(torch.int64).sum()
    return numbers.view(_INTEGERS[numbers.element_size()]).sum(dtype=torch.int64)
