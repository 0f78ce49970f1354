"""What torchrun tells a process of its place among the ranks, read without torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from grpo.errors import BadInput

__all__ = ["RankPlace", "outside_ranks", "place_of", "without_place"]

Made = TypeVar("Made")
NEEDED = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
SIZES = {f"{among}WORLD_SIZE" for among in ("", "LOCAL_", "GROUP_", "ROLE_")}
SET = {*NEEDED, *SIZES, "GROUP_RANK", "ROLE_RANK", "ROLE_NAME"}  # by torchrun, beside TORCHELASTIC_...


@dataclass(frozen=True)
class RankPlace:
    """A process among the ranks of a training."""

    rank: int
    size: int  # number of ranks
    local_rank: int  # among those of this machine
    job: str = ""  # the name of the training at torchrun; others may share its store


def place_of(environment: Mapping[str, str] = os.environ) -> RankPlace | None:
    """The place of this process; None where it is alone.

    Raises: BadInput where there are to be several ranks, and what torchrun sets beside their number is missing or no
        number.

    >>> place_of({}), place_of({"WORLD_SIZE": "1"})
    (None, None)
    >>> there = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    >>> place_of(there)
    RankPlace(rank=1, size=2, local_rank=1, job='')
    """
    size = _number(environment, "WORLD_SIZE", 1)
    if size <= 1:
        return None
    if missing := [name for name in NEEDED if name not in environment]:
        raise BadInput(
            f"WORLD_SIZE is {size}, but {', '.join(missing)} is not set: start several ranks with "
            "torchrun --nproc-per-node N scripts/train.py, or unset WORLD_SIZE"
        )
    rank, local = _number(environment, "RANK", 0), _number(environment, "LOCAL_RANK", 0)
    if not 0 <= rank < size or local < 0:
        raise BadInput(f"RANK is {rank} and LOCAL_RANK {local}, but there are {size} ranks, counted from 0")
    return RankPlace(rank, size, local, environment.get("TORCHELASTIC_RUN_ID", ""))


def outside_ranks(make: Callable[[], Made]) -> Made:
    """Make something in a child process that is no rank: libraries in it read none of what torchrun has set.

    It leaves the process group of its rank, to which torchrun sends the signal that asks the rank to stop.
    """
    os.setpgid(0, 0)
    for name in [name for name in os.environ if _of_torchrun(name)]:
        del os.environ[name]
    return make()


def without_place(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what torchrun has set, for a program that is no rank.

    >>> without_place({"WORLD_SIZE": "2", "RANK": "0", "TORCHELASTIC_USE_AGENT_STORE": "True", "HOME": "/root"})
    {'HOME': '/root'}
    """
    return {name: value for name, value in environment.items() if not _of_torchrun(name)}


def _of_torchrun(name: str) -> bool:
    """Whether torchrun sets a variable to tell a process its place."""
    return name in SET or name.startswith("TORCHELASTIC_")


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    """A variable as a whole number. Raises: BadInput."""
    text = environment.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{name} is {text!r}, and has to be a whole number, as torchrun sets it") from None
