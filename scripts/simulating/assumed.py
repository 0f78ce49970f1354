"""Costs of a pipeline on GPUs that nobody has run it on, from the model's shape and `grpo_rust.scaling.gpus`.

Programs cost what EXPERIMENTS.md measured on the shipped model's programs: real programs of a real model are longer.
"""

from __future__ import annotations

import numpy as np

from grpo.schema import ConfigError
from grpo_rust.known_sizes import find_model_shape
from grpo_rust.memory_estimate import ModelShape
from grpo_rust.scaling.costs import decoding_cost, training_s, weights_s
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.gpus import GPU
from grpo_rust.scaling.step_settings import MEAN_SHARE, StepSettings
from grpo_rust.scaling.work import step_work
from simulating.costs import PipelineCosts

__all__ = ["BATCH_S", "assumed_costs", "assumed_lengths"]

SPREAD = 0.5  # of the logarithm of a completion's length; estimated
QUANTILES = 1000
# CPU seconds, 2026-11-24 and 2026-11-28 in EXPERIMENTS.md: right programs share their batch's compiler, mistaken ones
# are compiled alone, and a strict pass is examined for what its tests depend on.
PROGRAMS = ((0.010, 0.050), (0.119, 0.0))
BATCH_S = 0.070  # the compiler and linker on an empty program
# Reading, scoring and logging a completion in the trainer's process: .0003 to .0006 beside all waiting in a run of 100
# steps here, the rest estimated.
HOST_S = 0.001


def assumed_lengths(longest: int) -> tuple[int, ...]:
    """Lengths of completions: log-normal, half of the longest on average before those that are longer are cut.

    >>> lengths = assumed_lengths(786)
    >>> round(sum(lengths) / len(lengths)), max(lengths), sum(length == 786 for length in lengths)
    (383, 786, 51)
    """
    normal = np.sqrt(2) * _inverse_erf(np.linspace(-1, 1, QUANTILES + 2)[1:-1])
    lengths = longest * MEAN_SHARE * np.exp(SPREAD * normal - SPREAD**2 / 2)
    return tuple(int(length) for length in np.clip(np.round(lengths), 1, longest))


def _inverse_erf(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The inverse error function to 2e-3 (Winitzki 2008)."""
    logarithm, a = np.log(1 - values**2), 0.147
    part = 2 / (np.pi * a) + logarithm / 2
    return np.asarray(np.sign(values) * np.sqrt(np.sqrt(part**2 - logarithm / a) - part))


def assumed_costs(model: str, settings: StepSettings, division: Division, gpu: GPU) -> PipelineCosts:
    """The costs of a recipe on assumed GPUs.

    Args:
        model: Its `model.path`.
        settings: What else of it decides what a step costs.
        division: Who trains and who samples.
        gpu: What is assumed of each GPU.

    Raises:
        ConfigError: For a model whose sizes are not known.
    """
    shape = _shape(model)
    prompt, lengths = settings.prompt_tokens, assumed_lengths(settings.max_completion_tokens)
    mean = sum(lengths) / len(lengths)
    work = step_work(settings, shape, division, mean_tokens=mean, prompt_tokens=prompt)

    def update_s(tokens: int) -> float:
        actual = tokens / settings.num_iterations / settings.completions
        one = step_work(settings, shape, division, mean_tokens=actual, prompt_tokens=prompt)
        return training_s(settings, one, division, gpu) if tokens else 0.0

    return PipelineCosts(
        lengths=(lengths,),
        decoding=decoding_cost(settings, shape, gpu, context_tokens=prompt + mean / 2, gpus=division.engine_width),
        training_s=update_s,
        weights_s=weights_s(work, division, gpu),
        programs=PROGRAMS,
        batch_s=BATCH_S,
        host_s=HOST_S,
        source=f"{gpu.name} as assumed in docs/scale.md, nothing of it measured",
    )


def _shape(model: str) -> ModelShape:
    """The sizes of a model. Raises ConfigError where they are not known."""
    try:
        shape, why_not = find_model_shape(model)
    except ValueError as error:
        raise ConfigError(f"model.path = {model!r}: {error}") from error
    if shape is None:
        raise ConfigError(f"model.path = {model!r}: {why_not}; give rates that were measured: --rates RUN")
    return shape
