"""Who does what on several GPUs: some train, as ranks of FSDP, and others sample, an engine each."""

from __future__ import annotations

import os
from dataclasses import dataclass

from grpo.schema import ConfigError
from grpo_rust.scaling.step_settings import StepSettings

__all__ = ["Division", "divide", "ranks_of_torchrun"]


@dataclass(frozen=True)
class Division:
    """GPUs by what they do. Without GPUs that only sample there is one engine, beside the first rank."""

    ranks: int  # GPUs that train
    engine_gpus: int = 0  # GPUs that only sample
    engine_width: int = 1  # GPUs of an engine, which share its copy of the model

    @property
    def engines(self) -> int:
        """How many engines sample, each with all weights of the model."""
        return self.engine_gpus // self.engine_width or 1

    @property
    def shared(self) -> bool:
        """Whether the engine is on a GPU that trains."""
        return not self.engine_gpus

    @property
    def gpus(self) -> int:
        """All GPUs."""
        return self.ranks + self.engine_gpus

    def __str__(self) -> str:
        train = f"{self.ranks} {'train' if self.ranks > 1 else 'trains'}"
        if self.shared:
            return f"{train}, an engine beside {'the first' if self.ranks > 1 else 'the trainer'}"
        if self.engine_gpus == 1:
            return f"{train}, one samples"
        each = "an engine each" if self.engine_width == 1 else f"{self.engine_width} an engine"
        return f"{train}, {self.engine_gpus} sample, {each}"


def divide(settings: StepSettings, ranks: int, engine_gpus: int = 0, engine_width: int = 1) -> Division:
    """The division of a step's work.

    Args:
        settings: Of the recipe.
        ranks: GPUs that train.
        engine_gpus: GPUs that only sample; 0: one engine shares the first rank's GPU.
        engine_width: How many of them share a copy of the model.

    Raises:
        ConfigError: For numbers that cannot be, and where ranks or engines would have nothing to do.
    """
    if ranks < 1 or engine_gpus < 0:
        raise ConfigError(f"{ranks} GPUs that train and {engine_gpus} that sample: at least one has to train")
    update = settings.completions // settings.num_minibatches
    if ranks > update:
        raise ConfigError(
            f"{ranks:,} ranks for {update:,} completions of an update: some would never have one. Give fewer ranks, or "
            "a larger train.prompts_per_step"
        )
    if engine_width > 1 and (not engine_gpus or engine_gpus % engine_width):
        raise ConfigError(f"{engine_gpus} GPUs that sample are no engines of {engine_width} GPUs each")
    division = Division(ranks, engine_gpus, engine_width)
    if division.engines > settings.prompts:
        raise ConfigError(
            f"{division.engines:,} engines for {settings.prompts:,} prompts of a step: an engine samples "
            "whole groups, so some would have none. Give fewer engines, or a larger train.prompts_per_step"
        )
    return division


def ranks_of_torchrun() -> int:
    """How many ranks torchrun has started; 0 where this process is none of them.

    Raises:
        ConfigError: For a WORLD_SIZE that is no number.
    """
    said = os.environ.get("WORLD_SIZE", "")
    if not said:
        return 0
    if not said.isdecimal() or int(said) < 1:
        raise ConfigError(f"WORLD_SIZE is {said!r}: torchrun sets it to the number of its processes")
    return int(said)
