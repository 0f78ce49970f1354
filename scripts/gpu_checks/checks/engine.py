"""The engine's process: weights arrive bit for bit, it is killed and comes back, and its memory is given back."""

from __future__ import annotations

import gc
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from gpu_checks.measuring import MIB, device_used_mb, seconds_of
from gpu_checks.models import policy_to_sample, use_device
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from gpu_checks.sampling import engine_maker, installed_engines, start_engine
from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.process import EngineProcess
from grpo.model.policy import Policy

__all__ = ["ChecksummingEngine", "checksum", "engine"]

LOADS = 3
ROWS, TOKENS = 16, 512
MAX_LOST_MB = 512  # of the card, after the engine is closed, beside the buffer for weights
RETURN_S = 5.0  # in which a driver takes a killed process's memory back
PROMPT = (3, 4, 5)
PRIME = 2_147_483_629  # below 2**31, so that checksums stay token ids
CHUNK = 2**24


def checksum(tensor: Tensor) -> int:
    """A checksum of the bits of a tensor that also depends on their order.

    >>> checksum(torch.tensor([1.0, 2.0])) == checksum(torch.tensor([2.0, 1.0]))
    False
    """
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    total = 0
    for part in tensor.detach().contiguous().view(integers).flatten().split(CHUNK):
        places = torch.arange(1, len(part) + 1, device=part.device) % 8191 + 1
        total = (total * 31 + int((part.to(torch.int64) % PRIME * places).sum() % PRIME)) % PRIME
    return total


class ChecksummingEngine(Engine):
    """An engine that answers with the checksums of the weights it was given last, as token ids.

    It keeps what it was given, views of the buffer, and sums when it is asked, so that a load takes no longer.
    """

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._engine = make()
        self._weights: list[tuple[str, Tensor]] = []

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        sums = tuple(checksum(tensor) for _, tensor in self._weights)
        yield GenerationOutput(0, 0, sums, (0.0,) * len(sums), True)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        self._weights = list(weights)
        self._engine.load_weights(iter(self._weights))

    def sleep(self) -> None:
        self._weights = []
        self._engine.sleep()

    def close(self) -> None:
        self._engine.close()


def engine(settings: CheckSettings) -> Figures:
    """Load, compare, sleep, load, kill, restart, load, close."""
    device = use_device(settings)
    policy, directory = policy_to_sample(settings, device)
    name = installed_engines()[0]
    make = partial(ChecksummingEngine, engine_maker(name, policy, directory, rows=ROWS, tokens=TOKENS))
    before_mb = device_used_mb()
    settings.note(engine=name, weights_mb=_weights_mb(policy))
    started = time.monotonic()
    process = start_engine(make, policy, settings)
    try:
        settings.note(start_s=round(time.monotonic() - started, 2), started_mb=device_used_mb() - before_mb)
        _load(settings, process, policy)
        process.sleep()
        settings.note(asleep_mb=device_used_mb() - before_mb)
        settings.note(load_after_sleep_s=_load_once(process, policy), loaded_again_mb=device_used_mb() - before_mb)
        _kill(settings, process, policy, before_mb)
    finally:
        process.close()
    settings.note(closed_mb=_settled_mb(before_mb))
    lost_mb = settings.figures["closed_mb"] - settings.figures["weights_mb"]  # a buffer that a killed child had mapped
    if lost_mb > MAX_LOST_MB:
        raise CheckFailed(
            f"{settings.figures['closed_mb']} MB of the card are not given back after the engine was killed and closed",
            "a run that restarts its engine may run out of memory; the figures in the JSON file say at which step",
        )
    return {}


def _weights_mb(policy: Policy) -> int:
    """The size of the weights as they are sent."""
    return sum(tensor.numel() for _, tensor in policy.weights()) * policy.compute_dtype.itemsize // MIB


def _load(settings: CheckSettings, process: EngineProcess, policy: Policy) -> None:
    """Load changing weights several times; the first load makes the buffer."""
    first = _load_once(process, policy)
    times = []
    for _ in range(LOADS):
        with torch.no_grad():
            next(policy.model.parameters()).mul_(1.5)
        times.append(_load_once(process, policy))
    used_mb = device_used_mb()
    settings.note(
        first_load_s=first, load_s=statistics.median(times), loads_bit_equal=LOADS + 1, loaded_card_mb=used_mb
    )


def _load_once(process: EngineProcess, policy: Policy) -> float:
    """Hand over the weights and compare every bit; seconds of the hand-over alone."""
    seconds = seconds_of(lambda: process.load_weights(policy.weights()), policy.device.type)
    (answer,) = process.generate([PROMPT], SamplingParams(num_samples=1, max_tokens=1, temperature=1.0, seed=0))
    names = [name for name, _ in policy.weights()]
    expected = [checksum(tensor.to(policy.compute_dtype)) for _, tensor in policy.weights()]
    if wrong := [n for n, mine, theirs in zip(names, expected, answer.token_ids, strict=True) if mine != theirs]:
        raise CheckFailed(
            f"{len(wrong)} of {len(names)} weights did not arrive as they were sent ({wrong[0]}, ...)",
            "use sampling.own_process=false, and report the JSON file",
        )
    return round(seconds, 3)


def _kill(settings: CheckSettings, process: EngineProcess, policy: Policy, before_mb: int) -> None:
    """Kill the child, see that it is noticed, and start a new one."""
    os.kill(process.pid, signal.SIGKILL)
    try:
        _load_once(process, policy)
    except EngineDied as error:
        settings.note(death_noticed="SIGKILL" in str(error))
    else:
        raise CheckFailed("a killed engine still answered", "report the JSON file")
    settings.note(killed_mb=_settled_mb(before_mb))
    settings.note(restart_s=round(seconds_of(process.restart, policy.device.type), 2))
    settings.note(load_after_restart_s=_load_once(process, policy), restarted_mb=device_used_mb() - before_mb)


def _settled_mb(before_mb: int) -> int:
    """Memory in use above that of the beginning, once it has stopped falling."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.ipc_collect()
        torch.cuda.empty_cache()
    lowest, ends = device_used_mb(), time.monotonic() + RETURN_S
    while lowest > before_mb and time.monotonic() < ends:
        time.sleep(0.25)
        lowest = min(lowest, device_used_mb())
    return lowest - before_mb
