"""Adam's moments in a checkpoint of several ranks: each rank writes its slices, any number of ranks reads them.

The files are those of `torch.distributed.checkpoint` in safetensors (`shard-00001-model-00001-of-00001.safetensors`),
never pickle, beside `progress.json`. Their names are those of `grpo.optimizer.adamw.named_state`, so the file of one
process is read in the same way, and one process reads theirs.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from math import prod
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

__all__ = ["read_moments", "shards_of", "wait_for_shards", "write_moments"]

SEEN_S = 30.0  # until a folder that machines share shows what another one has written


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


def shards_of(folder: Path, rank: int) -> dict[str, int]:
    """The files that a rank has written into a folder, as it sees them, and their bytes. None where it has no slice."""
    return {path.name: path.stat().st_size for path in folder.glob(f"shard-{rank + 1:05d}-*.safetensors")}


def wait_for_shards(folder: Path, shards: Sequence[Mapping[str, int]]) -> None:
    """Wait until the files of all ranks are seen whole from this machine: what is not seen would be in no checksum.

    Args:
        folder: That they are in.
        shards: Of each rank, from `shards_of`.
    Raises: OSError, for files that do not come.
    """
    until = time.monotonic() + SEEN_S
    while True:
        seen = {name: size for rank in range(len(shards)) for name, size in shards_of(folder, rank).items()}
        late = {rank: name for rank, its in enumerate(shards) for name in its if seen.get(name) != its[name]}
        if not late:
            return
        if time.monotonic() > until:
            names = ", ".join(f"{name} of rank {rank}" for rank, name in late.items())
            raise OSError(
                f"rank 0 does not see {names} in {folder} within {SEEN_S:.0f} s: give run.dir a folder that all "
                "machines share, by its whole path"
            )
        time.sleep(0.1)


def read_moments(folder: Path, optimizer: Optimizer) -> dict[str, Tensor]:
    """What `write_moments`, or one process, has written; each rank reads its own slices.

    Args:
        folder: A checkpoint's.
        optimizer: Whose parameters say how the moments are sharded, if they are.
    Raises:
        ValueError: For files that cannot be read or are missing, or moments of another model.
    """
    try:
        known = HuggingFaceStorageReader(str(folder)).read_metadata().state_dict_metadata
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        moments = {name: _place_for(name, about, parameters) for name, about in known.items()}
        if moments:
            with warnings.catch_warnings(action="ignore"):  # of a process that is alone
                reader = HuggingFaceStorageReader(str(folder))
                load(dict(moments), storage_reader=reader, no_dist=True)
    except CheckpointException as error:
        first, _ = next(iter(error.failures.values()))
        raise ValueError(str(first)) from error
    return moments


def _place_for(name: str, about: Any, parameters: list[Tensor]) -> Tensor:
    """Memory for a moment, sharded as its parameter is. Raises: ValueError for a hole, or where no parameter fits."""
    number, kind, *eight_bits = name.split(".")
    size, dtype = about.size, about.properties.dtype
    there = sum({tuple(chunk.offsets): prod(chunk.sizes) for chunk in about.chunks}.values())
    if there != prod(size):
        raise ValueError(f"{name} has {there:,} of {prod(size):,} numbers: the file of a rank is missing")
    if kind == "step" or eight_bits:
        return torch.zeros(size, dtype=dtype)
    if not 0 <= int(number) < len(parameters):
        raise ValueError(f"there are moments of weight {number}, and the model has {len(parameters)}")
    parameter = parameters[int(number)]
    if parameter.shape != size:
        raise ValueError(
            f"{kind} of weight {number} has the shape {list(size)}, and the weight {list(parameter.shape)}: they are "
            "of another model, or the file of a rank is missing"
        )
    return torch.zeros_like(parameter, dtype=dtype, requires_grad=False)
