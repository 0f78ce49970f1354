"""How long a run takes and what it costs, scaled from rates that were measured; a rate that nobody measured is unknown.

Sampling and updates go by tokens and parameters, grading by programs. Nothing is thought to overlap, so a run that
samples ahead or grades while it samples is faster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from grpo.settings import ConfigError

__all__ = ["SHIPPED", "Load", "Rates", "Seconds", "forecast", "read_rates"]

GRADING_CPU_S = {"exact": 0.46, "direct": 0.12, "batch": 0.07}  # one program; means of 96, half of them with a mistake


@dataclass(frozen=True)
class Rates:
    """What a machine did, with a model of so many parameters: answer tokens sampled and trained in a second of each."""

    device: str
    parameters: int
    sampled_tokens_per_s: float
    trained_tokens_per_s: float
    tokens_per_answer: float


# docs/throughput.md, 128 answers a step.
SHIPPED = Rates("two cores", 3_213_824, sampled_tokens_per_s=2_700, trained_tokens_per_s=2_700, tokens_per_answer=64)


@dataclass(frozen=True)
class Load:
    """What a run has to do."""

    sampled_answers: int
    trained_answers: int  # an answer that is learned from twice counts twice
    programs: int
    parameters: int
    path: str  # of the sandbox
    jobs: int  # programs graded at once

    def seconds(self, rates: Rates, tokens: float) -> Seconds:
        """How long it takes with answers of so many tokens."""
        larger = self.parameters / rates.parameters
        return Seconds(
            sampling=self.sampled_answers * tokens * larger / rates.sampled_tokens_per_s,
            grading=self.programs * GRADING_CPU_S[self.path] / self.jobs,
            updates=self.trained_answers * tokens * larger / rates.trained_tokens_per_s,
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
    load: Load, rates: Rates, longest_answer: int, *, source: str, usd_per_hour: float
) -> list[tuple[str, str]]:
    """Time and cost in words, as rows of a plan.

    With the model that the rates were measured with, an answer is as long as it was then; of another model only the
    most is known. Args: load; rates; longest_answer in tokens; source of the rates; usd_per_hour, 0 where unknown.
    """
    longest = load.seconds(rates, longest_answer)
    same_model = rates.parameters == load.parameters
    usual = load.seconds(rates, min(rates.tokens_per_answer, longest_answer)) if same_model else longest
    expected = f"about {_duration(usual.total)} with answers of {rates.tokens_per_answer:.0f} tokens, " * same_model
    assumed = (
        f"by the rates of {rates.device} with {rates.parameters:,} parameters ({source}); {GRADING_CPU_S[load.path]} s "
        f"of CPU a program, {load.jobs} at a time; nothing overlapped"
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


def read_rates(file: Path, engine: str) -> Rates:
    """The rates of an engine in a file that `scripts/bench_throughput.py --json` has written.

    Raises: ConfigError for a file that cannot be read, or holds no rates of that engine.
    """
    try:
        measured = json.loads(file.read_text(encoding="utf-8"))["rates"]
        values = {f.name: measured[engine][f.name] for f in fields(Rates)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--rates {file}: no rates of the engine {engine} in it ({error!r}). Give a file that "
            f"scripts/bench_throughput.py --engine {engine} --json FILE has written"
        ) from error
    rates = Rates(**values)
    numbers = (rates.parameters, rates.sampled_tokens_per_s, rates.trained_tokens_per_s, rates.tokens_per_answer)
    if not all(isinstance(number, int | float) and number > 0 for number in numbers):
        raise ConfigError(f"--rates {file}: {rates} holds a rate that is not above 0")
    return rates


def _duration(seconds: float) -> str:
    """A duration, roughly.

    >>> _duration(20), _duration(600), _duration(9000)
    ('20 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
