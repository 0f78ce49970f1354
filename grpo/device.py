"""Where torch computes: the device, the way of tensors to it, and the number of CPU threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from grpo.errors import BadInput

__all__ = ["choose_device", "cpu_threads", "send"]


def choose_device(name: str) -> torch.device:
    """The device for "auto", "cpu" or "cuda"; auto takes CUDA where there is one.

    Raises: BadInput for "cuda" on a machine without it.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise BadInput("train.device is 'cuda', but torch sees no CUDA device: use 'cpu' or 'auto'")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a copy to CUDA starts from pinned memory, so that the host does not wait for it.

    >>> send(torch.tensor([1]), torch.device("cpu")).tolist()
    [1]
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Let torch compute with `count` threads inside the context, and as before after it; 0 changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
