"""How a process becomes one of the ranks of a recipe's training, and what all ranks refuse together."""

from __future__ import annotations

import dataclasses
import platform
from typing import NamedTuple

import torch
import transformers

from grpo.config import RunSection
from grpo.device import choose_device
from grpo.distributed.place import RankPlace
from grpo.distributed.team import Team
from grpo.errors import BadInput, GrpoError
from grpo.schema import to_toml
from grpo_rust.recipe import Recipe
from grpo_rust.scaling.refusals import refuse_settings

__all__ = ["Rank", "differences", "join", "unequal_gpus"]

LONGEST_S = 3600.0  # that a computation waits for a rank where the recipe has no limit
GIB = 1 << 30


class Rank(NamedTuple):
    """What has to be the same on all ranks."""

    recipe: str  # as TOML, without the run's name and directory
    versions: str  # of Python, torch and transformers
    device: str


def join(recipe: Recipe, place: RankPlace, *, supervised: bool = False) -> Team:
    """Join the other ranks, and compare recipe, versions and devices with theirs.

    Args:
        recipe: As this rank reads it.
        place: Of this rank.
        supervised: Whether demonstrations are imitated.

    Raises:
        ConfigError: For a recipe that several ranks cannot train.
        BadInput: For what this machine cannot do, or for ranks that do not fit together.
        RankFailed: Where another rank has refused.
        RankLost: Where not all come. Of all others rank 0 knows, too.
    """
    device = "cpu"
    problem: GrpoError | None = None
    try:
        refuse_settings(recipe, place.size, supervised=supervised)
        device = _device(recipe, place)
    except GrpoError as error:
        problem = error
    team = Team(place, device=device, timeout_s=recipe.train.stuck_after_s or LONGEST_S, problem=problem)
    try:
        ranks = team.gather(_about(recipe, device))
        if found := differences(ranks):
            raise BadInput(found)
        if team.leads and (warning := unequal_gpus(ranks)):
            print(f"warning: {warning}", flush=True)
    except BaseException:
        team.pulse.close()
        raise
    return team


def _device(recipe: Recipe, place: RankPlace) -> str:
    """What this rank computes on. Raises: BadInput, where its machine has too few GPUs."""
    device = choose_device(recipe.train.device).type
    if device == "cuda" and place.local_rank >= torch.cuda.device_count():
        raise BadInput(
            f"rank {place.rank} is number {place.local_rank} on its machine, which has {torch.cuda.device_count()} "
            "GPUs: start torchrun with --nproc-per-node of at most as many"
        )
    return device


def differences(ranks: list[Rank]) -> str:
    """What another rank has that rank 0 has not; "" where all agree.

    >>> differences([Rank("a = 1\\nb = 2\\n", "torch 2", "cpu"), Rank("a = 1\\nb = 3\\n", "torch 2", "cpu")])
    'rank 1 has other settings than rank 0 (b = 3): start all ranks with the same command'
    >>> differences([Rank("", "torch 2.13", "cpu"), Rank("", "torch 2.11", "cpu")])
    'rank 1 has torch 2.11, and rank 0 torch 2.13: install the same versions everywhere'
    """
    first = ranks[0]
    for number, rank in enumerate(ranks):
        if rank.recipe != first.recipe:
            other = [line for line in rank.recipe.splitlines() if line not in first.recipe.splitlines()]
            what = ", ".join(other) or "fewer than rank 0"
            return f"rank {number} has other settings than rank 0 ({what}): start all ranks with the same command"
        if rank.versions != first.versions:
            have = f"rank {number} has {rank.versions}, and rank 0 {first.versions}"
            return f"{have}: install the same versions everywhere"
        if rank.device.partition(" ")[0] != first.device.partition(" ")[0]:
            return f"rank {number} computes on {rank.device}, and rank 0 on {first.device}: set train.device"
    return ""


def unequal_gpus(ranks: list[Rank]) -> str:
    """What to be warned of where ranks that fit together have different GPUs; "" where these are of one kind.

    >>> unequal_gpus([Rank("", "", "cuda (H100, 80 GiB)"), Rank("", "", "cuda (A100, 40 GiB)")]).partition(": ")[0]
    'the GPUs differ, and the slowest and smallest decides'
    """
    if len({rank.device for rank in ranks}) == 1:
        return ""
    devices = ", ".join(f"rank {number} {rank.device}" for number, rank in enumerate(ranks))
    return (
        f"the GPUs differ, and the slowest and smallest decides: {devices}. Start ranks on GPUs of one kind alone "
        "(CUDA_VISIBLE_DEVICES), or choose train.micro_batch_tokens for the smallest"
    )


def _about(recipe: Recipe, device: str) -> Rank:
    """What this rank has."""
    settings = to_toml(dataclasses.replace(recipe, run=RunSection(seed=recipe.run.seed)))
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    if device == "cuda":
        found = torch.cuda.get_device_properties(torch.cuda.current_device())
        device = f"cuda ({found.name}, {found.total_memory / GIB:.0f} GiB)"
    return Rank(settings, versions, device)
