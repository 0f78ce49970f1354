"""Costs of a pipeline from a TOML file: rates that somebody measured, or assumes, each by its name.

    lengths      of completions, tokens: a list from which they are drawn
    programs     seconds of a worker: pairs, for a program and for what a strict pass costs beyond
    batch_s      of a worker, for a batch of programs
    iteration_s  of decoding, and
    row_s        more for each row in flight
    update_s     of an update, and
    token_s      more for each completion token in it
    weights_s    of new weights for the engine
    host_s       of the trainer's process, for a completion

Three more may be left out: `worker_load` (1.0), the share of its time in which a worker has a core, `rewards`, those of
groups that were seen, by which groups without spread are drawn, and `device` ("cpu"), or "cuda" for rates of one GPU.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

from grpo.schema import ConfigError
from grpo_rust.scaling.costs import DecodingCost
from simulating.costs import PipelineCosts

__all__ = ["named_costs"]

SECONDS = ("batch_s", "iteration_s", "row_s", "update_s", "token_s", "weights_s", "host_s")
NEEDED = ("lengths", "programs", *SECONDS)
LEFT_OUT = ("worker_load", "rewards", "device")


def named_costs(path: Path) -> PipelineCosts:
    """The costs in a file.

    Raises:
        ConfigError: For a file that cannot be read, and for rates that are missing, unknown or no number of their kind.
    """
    try:
        rates = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    if problems := _problems(rates):
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    update_s, token_s = rates["update_s"], rates["token_s"]
    return PipelineCosts(
        lengths=(tuple(rates["lengths"]),),
        decoding=DecodingCost(rates["iteration_s"], rates["row_s"]),
        training_s=lambda tokens: float(update_s + token_s * tokens),
        weights_s=rates["weights_s"],
        programs=tuple((first, later) for first, later in rates["programs"]),
        batch_s=rates["batch_s"],
        host_s=rates["host_s"],
        worker_load=rates.get("worker_load", 1.0),
        rewards=tuple(tuple(group) for group in rates.get("rewards", ())),
        on_gpu=rates.get("device") == "cuda",
        source=str(path),
    )


def _problems(rates: dict[str, Any]) -> list[str]:
    """What is wrong with the rates of a file."""
    found = [f"rates are missing: {name}" for name in NEEDED if name not in rates]
    found += [
        f"{name} is no rate: there are {', '.join(NEEDED + LEFT_OUT)}"
        for name in rates
        if name not in NEEDED + LEFT_OUT
    ]
    found += [
        f"{name} is {rates[name]!r}: seconds, 0 or more, and not inf"
        for name in SECONDS
        if name in rates and not _is(rates[name])
    ]
    lengths, programs = rates.get("lengths", [1]), rates.get("programs", [[0, 0]])
    if not (isinstance(lengths, list) and lengths and all(type(length) is int and length > 0 for length in lengths)):
        found.append("lengths has to be a list of whole numbers of tokens above 0")
    if not (isinstance(programs, list) and programs and all(_are(pair) and len(pair) == 2 for pair in programs)):
        found.append("programs has to be a list of pairs of seconds")
    if not (_is(load := rates.get("worker_load", 1.0)) and 0 < load <= 1):
        found.append(f"worker_load is {load!r}: above 0, at most 1")
    if (device := rates.get("device", "cpu")) not in ("cpu", "cuda"):
        found.append(f'device is {device!r}: "cpu", or "cuda" for rates of one GPU')
    groups = rates.get("rewards", [])
    if not (isinstance(groups, list) and all(_are(group, negative=True) and len(group) > 1 for group in groups)):
        found.append("rewards has to be a list of groups of two rewards or more")
    return found


def _is(value: Any, *, negative: bool = False) -> bool:
    """Whether a value is a finite number, and not negative where it must not be."""
    return type(value) in (int, float) and math.isfinite(value) and (negative or value >= 0)


def _are(values: Any, *, negative: bool = False) -> bool:
    """Whether a value is a list of such numbers."""
    return isinstance(values, list) and all(_is(value, negative=negative) for value in values)
