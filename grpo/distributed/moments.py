"""Adam's moments in a checkpoint of several ranks: each rank writes its slices, any number of ranks reads them.

The files are those of `torch.distributed.checkpoint` in safetensors (`shard-00001-model-00001-of-00001.safetensors`),
never pickle, beside `progress.json`. Their names are those of `grpo.optimizer.adamw.named_state`, so the file of one
process is read in the same way, and one process reads theirs.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.optim import Optimizer

from grpo.optimizer.adamw import named_state

__all__ = ["read_moments", "write_moments"]


def write_moments(folder: Path, optimizer: Optimizer, group: dist.ProcessGroup) -> None:
    """Write the optimizer's state; all ranks call it together.

    Args:
        folder: The same on all ranks, which have to see each other's files there.
        optimizer: Its parameters are sharded.
        group: The ranks, in a group of CPU tensors.
    Raises: OSError on all ranks where one could not write.
    """
    if not (state := named_state(optimizer)):
        if dist.get_rank(group) == 0:
            save_file({}, folder / "optimizer.safetensors")
        return
    try:
        save(
            dict(state),
            storage_writer=HuggingFaceStorageWriter(str(folder), save_distributed=True),
            process_group=group,
        )
    except CheckpointException as error:
        rank, (first, _) = next(iter(error.failures.items()))
        raise OSError(f"rank {rank}: {first}") from error


def read_moments(folder: Path, optimizer: Optimizer, group: dist.ProcessGroup | None = None) -> dict[str, Tensor]:
    """What `write_moments`, or one process, has written; on several ranks all call it, and each gets its slices.

    Args:
        folder: A checkpoint's.
        optimizer: Whose parameters say how the moments are sharded, if they are.
        group: The ranks; None: this process is alone.
    Raises:
        ValueError: For files that cannot be read, or moments of another model.
    """
    try:
        known = HuggingFaceStorageReader(str(folder)).read_metadata().state_dict_metadata
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        moments = {name: _place_for(name, about, parameters) for name, about in known.items()}
        if moments:
            with warnings.catch_warnings(action="ignore"):  # of a process that is alone
                reader = HuggingFaceStorageReader(str(folder))
                load(dict(moments), storage_reader=reader, process_group=group, no_dist=group is None)
    except CheckpointException as error:
        rank, (first, _) = next(iter(error.failures.items()))
        raise ValueError(f"rank {rank}: {first}") from error
    return moments


def _place_for(name: str, about: Any, parameters: list[Tensor]) -> Tensor:
    """Memory for a moment, sharded as its parameter is. Raises: ValueError where it has no such parameter."""
    number, kind, *eight_bits = name.split(".")
    size, dtype = about.size, about.properties.dtype
    if kind == "step" or eight_bits:
        return torch.zeros(size, dtype=dtype)
    if not 0 <= int(number) < len(parameters):
        raise ValueError(f"there are moments of weight {number}, and the model has {len(parameters)}")
    parameter = parameters[int(number)]
    if parameter.shape != size:
        raise ValueError(
            f"{kind} of weight {number} has the shape {list(size)}, and the weight {list(parameter.shape)}: they are "
            "of another model"
        )
    return torch.zeros_like(parameter, dtype=dtype, requires_grad=False)
