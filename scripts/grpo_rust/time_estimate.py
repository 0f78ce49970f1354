"""How long a run takes and what it costs, scaled from rates that were measured; a rate that nobody measured is unknown.

Sampling and updates go by tokens and parameters, grading by programs. Nothing is thought to overlap, so a run that
samples ahead or grades while it samples is faster.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from grpo.schema import ConfigError

__all__ = ["SHIPPED", "Load", "Rates", "Seconds", "forecast", "read_rates"]

GRADING_CPU_S = {"cargo": 0.46, "direct": 0.12, "batch": 0.07}  # one program; means of 96, half of them with a mistake


@dataclass(frozen=True)
class Rates:
    """What a machine did, with a model of so many parameters: completion tokens sampled and trained in a second of each.

    `dtype` of the matrix products; `completions_per_step`, which decides how full an engine's batches are.
    """

    device: str
    dtype: str
    parameters: int
    completions_per_step: int
    sampled_tokens_per_s: float
    trained_tokens_per_s: float
    tokens_per_completion: float


# docs/throughput.md, 128 completions a step.
SHIPPED = Rates("two cores", "float32", 3_213_824, 128, 2_500, 2_400, 65)


@dataclass(frozen=True)
class Load:
    """What a run has to do, at the least and, where groups without spread are replaced, at the most."""

    sampled_completions: int
    trained_completions: int  # a completion that is learned from twice counts twice
    programs: int
    parameters: int
    backend: str  # of the sandbox
    jobs: int  # programs graded at once
    refilled: int = 0  # completions more that fresh prompts may ask for

    def seconds(self, rates: Rates, tokens: float, *, most: bool = False) -> Seconds:
        """How long it takes with completions of so many tokens; most, with everything refilled that may be."""
        larger = self.parameters / rates.parameters
        refilled = self.refilled * most
        return Seconds(
            sampling=(self.sampled_completions + refilled) * tokens * larger / rates.sampled_tokens_per_s,
            grading=(self.programs + refilled) * GRADING_CPU_S[self.backend] / self.jobs,
            updates=self.trained_completions * tokens * larger / rates.trained_tokens_per_s,
        )


@dataclass(frozen=True)
class Seconds:
    """A run's time by what it is spent on."""

    sampling: float
    grading: float
    updates: float

    @property
    def total(self) -> float:
        """All of it, one after the other."""
        return self.sampling + self.grading + self.updates


def forecast(
    load: Load, rates: Rates, longest_completion: int, *, source: str, usd_per_hour: float
) -> list[tuple[str, str]]:
    """Time and cost in words, as rows of a plan.

    With the model that the rates were measured with, a completion is as long as it was then; of another model only the
    most is known. Args: load; rates; longest_completion in tokens; source of the rates; usd_per_hour, 0 where unknown.
    """
    longest = load.seconds(rates, longest_completion, most=True)
    same_model = rates.parameters == load.parameters
    usual = load.seconds(rates, min(rates.tokens_per_completion, longest_completion)) if same_model else longest
    expected = (
        f"about {_duration(usual.total)} with completions of {rates.tokens_per_completion:.0f} tokens, " * same_model
    )
    assumed = (
        f"by the rates of {rates.device} with {rates.parameters:,} parameters, all of them trained, and "
        f"{rates.completions_per_step} completions a step ({source}); {GRADING_CPU_S[load.backend]} s of CPU a program, "
        f"{load.jobs} at a time; nothing overlapped"
    )
    cost = "unknown without the machine's price: --usd-per-hour 2.50"
    if rates is SHIPPED and not same_model:
        cost = (
            "unknown: those rates are of another machine and model; scripts/bench_throughput.py measures, --rates reads"
        )
    elif usd_per_hour:
        low, high = (seconds.total / 3600 * usd_per_hour for seconds in (usual, longest))
        cost = f"about {low:,.2f}, " * same_model + f"at most {high:,.2f} dollars at {usd_per_hour:g} an hour"
    return [
        (
            "time",
            f"{expected}at most about {_duration(longest.total)}: sampling {_duration(usual.sampling)}, "
            f"grading {_duration(usual.grading)}, updates {_duration(usual.updates)}",
        ),
        ("", assumed),
        ("cost", cost),
    ]


def read_rates(file: Path, engine: str, *, dtype: str, completions_per_step: int) -> Rates:
    """The rates of an engine in a file that `scripts/bench_throughput.py --json` has written, of the nearest step.

    Raises: ConfigError for a file that cannot be read, or holds no rates of that engine and type.
    """
    try:
        measured = [Rates(**rates) for rates in json.loads(file.read_text(encoding="utf-8"))["rates"][engine]]
        near = min(measured, key=lambda rates: abs(math.log(rates.completions_per_step / completions_per_step)))
        lowest = min(near.parameters, near.sampled_tokens_per_s, near.trained_tokens_per_s, near.tokens_per_completion)
        if near.dtype != dtype or not lowest > 0:
            raise ValueError(f"it has {near}, wanted is {dtype} and rates above 0")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--rates {file}: no rates of the engine {engine} in it ({error!r}). Give a file that "
            f"scripts/bench_throughput.py --engine {engine} --dtype {dtype} --json FILE has written"
        ) from error
    return near


def _duration(seconds: float) -> str:
    """A duration, roughly.

    >>> _duration(20), _duration(600), _duration(9000)
    ('20 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
