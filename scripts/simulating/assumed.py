"""Costs of a pipeline on GPUs that nobody has run it on, from the model's shape and `grpo_rust.scaling.gpus`; and costs
that were measured on one GPU, for several, by the same formulas.

Programs cost what EXPERIMENTS.md measured on the shipped model's programs: real programs of a real model are longer.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from grpo.schema import ConfigError
from grpo_rust.known_sizes import find_model_shape
from grpo_rust.memory_estimate import ModelShape
from grpo_rust.scaling.costs import PROOF_S, DecodingCost, decoding_cost, training_s, weights_s
from grpo_rust.scaling.division import Division
from grpo_rust.scaling.gpus import GPU
from grpo_rust.scaling.step_settings import MEAN_SHARE, StepSettings
from grpo_rust.scaling.work import StepWork, step_work
from simulating.costs import PipelineCosts

__all__ = ["BATCH_S", "assumed_costs", "assumed_lengths", "divided_costs"]

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
        on_gpu=True,
        source=f"{gpu.name} as assumed in docs/scale.md, nothing of it measured",
    )


def divided_costs(
    costs: PipelineCosts, model: str, settings: StepSettings, division: Division, gpu: GPU
) -> PipelineCosts:
    """The costs on several GPUs. What an update computes is divided among the ranks, but is not shorter than what they
    send to each other; new weights take as much longer as they travel; GPUs that share an engine each do their part of
    an iteration, beside what of it is the host's. Links, networks and the host's part are assumed.

    Args:
        costs: Of one GPU.
        model: The recipe's `model.path`.
        settings: What else of the recipe decides what is sent.
        division: Who trains and who samples.
        gpu: What is assumed of each GPU.

    Raises:
        ConfigError: For a model whose sizes are not known, unless there is one GPU.
    """
    if division.gpus == 1:
        return costs
    shape = _shape(model)

    def work(mean_tokens: float) -> StepWork:
        return step_work(settings, shape, division, mean_tokens=mean_tokens, prompt_tokens=settings.prompt_tokens)

    def update_s(tokens: int) -> float:
        sent = work(tokens / settings.num_iterations / settings.completions).sent_bytes if tokens else 0.0
        return max(costs.training_s(tokens) / division.ranks, sent / gpu.bytes_per_s(division.ranks))

    host_s = min(gpu.iteration_s, costs.decoding.iteration_s)
    iteration_s = host_s + (costs.decoding.iteration_s - host_s) / division.engine_width
    return dataclasses.replace(
        costs,
        decoding=DecodingCost(iteration_s, costs.decoding.row_s / division.engine_width, costs.decoding.slots),
        training_s=update_s,
        weights_s=costs.weights_s + weights_s(work(settings.mean_tokens), division, gpu) - PROOF_S,
        source=f"{costs.source}, on one GPU, and divided as docs/scale.md says",
    )


def _shape(model: str) -> ModelShape:
    """The sizes of the model at a `model.path`. Raises: ConfigError, where they are not known."""
    try:
        shape, why_not = find_model_shape(model)
    except ValueError as error:
        raise ConfigError(f"model.path = {model!r}: {error}") from error
    if shape is None:
        advice = "give rates that were measured: --rates RUN, with --gpus 1"
        raise ConfigError(f"model.path = {model!r}: {why_not}; {advice}")
    return shape
