"""How long a run takes and what it costs, scaled from measured rates; without a measurement the answer is "unknown".

Time of sampling and updates grows with tokens and parameters, time of grading with programs. The estimate assumes that
nothing overlaps, so a run that samples ahead or grades while it samples is faster.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from grpo.schema import ConfigError
from grpo_rust.terminal.durations import rough_duration

__all__ = ["SHIPPED", "Rates", "TimeEstimate", "Workload", "read_rates", "time_rows"]

GRADING_CPU_S = {"cargo": 0.46, "direct": 0.12, "batch": 0.07}  # one program; means of 96, half of them with a mistake

UNKNOWN_COST = (
    "unknown: those rates are of another machine and model; scripts/bench_throughput.py measures, --rates reads"
)


@dataclass(frozen=True)
class Rates:
    """What a machine reached with a model of this size: completion tokens per second of sampling, and of training."""

    device: str
    dtype: str  # of the matrix products
    parameters: int
    completions_per_step: int  # decides how full an engine's batches are
    sampled_tokens_per_s: float
    trained_tokens_per_s: float
    tokens_per_completion: float
    lora_rank: int = 0  # 0: all weights were trained


# docs/studies/throughput.md, 128 completions a step.
SHIPPED = Rates("two cores", "float32", 3_213_824, 128, 2_500, 2_400, 65)


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of a run by what they are spent on."""

    sampling: float
    grading: float
    updates: float

    @property
    def total(self) -> float:
        """Everything, one after the other."""
        return self.sampling + self.grading + self.updates


@dataclass(frozen=True)
class Workload:
    """How much a run has to sample, grade and train."""

    sampled_completions: int
    trained_completions: int  # a completion that is trained on twice counts twice
    programs: int
    parameters: int
    backend: str  # of the sandbox
    jobs: int  # programs graded at once
    refilled: int = 0  # at most so many completions more, where zero_std groups are replaced by fresh prompts

    def estimate(self, rates: Rates, tokens: float, *, with_refills: bool = False) -> TimeEstimate:
        """How long it takes.

        Args:
            rates: Rates of the machine.
            tokens: Mean length of a completion.
            with_refills: Whether every refill that is allowed takes place.
        """
        larger = self.parameters / rates.parameters
        refilled = self.refilled * with_refills
        return TimeEstimate(
            sampling=(self.sampled_completions + refilled) * tokens * larger / rates.sampled_tokens_per_s,
            grading=(self.programs + refilled) * GRADING_CPU_S[self.backend] / self.jobs,
            updates=self.trained_completions * tokens * larger / rates.trained_tokens_per_s,
        )


def time_rows(
    workload: Workload, rates: Rates, longest_completion: int, *, source: str, usd_per_hour: float
) -> list[tuple[str, str]]:
    """The rows of a plan about time and cost.

    With the model that the rates were measured with, a completion is taken to be as long as it was then; for another
    model only the upper bound is known.

    Args:
        workload: What there is to do.
        rates: Rates of the machine.
        longest_completion: The most tokens of a completion.
        source: Where the rates come from.
        usd_per_hour: The machine's price; 0 where it is not known.

    Returns: pairs of a row's name and its text; the name is empty where the row continues the one above.
    """
    longest = workload.estimate(rates, longest_completion, with_refills=True)
    same_model = rates.parameters == workload.parameters
    tokens = min(rates.tokens_per_completion, longest_completion)
    usual = workload.estimate(rates, tokens) if same_model else longest
    expected = f"about {rough_duration(usual.total)} with completions of {rates.tokens_per_completion:.0f} tokens, "
    shares = {"sampling": usual.sampling, "grading": usual.grading, "updates": usual.updates}
    parts = ", ".join(f"{name} {rough_duration(seconds)}" for name, seconds in shares.items())
    trained = f"LoRA of rank {rates.lora_rank}" if rates.lora_rank else "all of them trained"
    assumed = (
        f"by the rates of {rates.device} with {rates.parameters:,} parameters, {trained}, and "
        f"{rates.completions_per_step} completions a step ({source}); {GRADING_CPU_S[workload.backend]} s of CPU a "
        f"program, {workload.jobs} at a time; nothing overlapped"
    )
    known = same_model or rates is not SHIPPED
    return [
        ("time", f"{expected * same_model}at most about {rough_duration(longest.total)}: {parts}"),
        ("", assumed),
        ("cost", _cost(usual if same_model else None, longest, usd_per_hour) if known else UNKNOWN_COST),
    ]


def _cost(usual: TimeEstimate | None, longest: TimeEstimate, usd_per_hour: float) -> str:
    """What the run costs in dollars: expected, where that is known, and at most."""
    if not usd_per_hour:
        return "unknown without the machine's price: train.usd_per_hour=2.50"
    about = f"about {usual.total / 3600 * usd_per_hour:,.2f}, " if usual else ""
    return f"{about}at most {longest.total / 3600 * usd_per_hour:,.2f} dollars at {usd_per_hour:g} an hour"


def read_rates(file: Path, engine: str, *, dtype: str, completions_per_step: int) -> Rates:
    """The rates of an engine in a file of `scripts/bench_throughput.py --json`, those of the step nearest in size.

    Args:
        file: The file.
        engine: "hf" or "vllm", as the benchmark names them.
        dtype: The type of the matrix products that the rates must be of.
        completions_per_step: The size of the step that the rates are for.

    Raises:
        ConfigError: For a file that cannot be read, or holds no rates of that engine and type.
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
