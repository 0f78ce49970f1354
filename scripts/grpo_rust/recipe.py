"""A recipe: all settings of a run in one object, and the command line that makes one.

The only place that knows the sections of all three folders. Loads nothing heavy, so `--help` completions at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from grpo.config import (
    CheckpointSection,
    DataSection,
    EvalSection,
    LogSection,
    LoraSection,
    LossSection,
    ModelSection,
    RolloutSection,
    RunSection,
    SamplingSection,
    TrainSection,
)
from grpo.run.directory import CONFIG
from grpo.schema import ConfigError, Default, defaults, load, option
from rewards.trl_functions import PUBLISHED_WEIGHTS, SCORERS
from sandbox import SandboxPool
from sandbox.grading.backends import BACKENDS
from sandbox.isolation.policy import ISOLATIONS
from sandbox.limits import Limits

__all__ = ["DEFAULT_RECIPE", "Arguments", "Recipe", "RewardsSection", "SandboxSection", "explain", "parse_arguments"]

DEFAULT_RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "tiny.toml"
RUNS = Path("runs")


@dataclass(frozen=True)
class RewardsSection:
    """What a completion is paid for."""

    weights: Mapping[str, float] = option(
        PUBLISHED_WEIGHTS,
        "weight of every reward function in the sum: its name in the rubric, package.module:function or "
        "path/to/file.py:function of your own; 0 computes and logs it without paying",
        low=-1000,
        high=1000,
        source="published recipe",
    )
    deadline_s: float = option(
        300.0, "longest wait for a batch's verdicts once sampling has ended", unit="s", low=1, high=86_400
    )

    def conflicts(self) -> list[str]:
        """Rewards that nobody knows, or that teach nothing; functions of your own are loaded later."""
        found = [
            f"rewards.weights.{name}: no such reward; the nearest is {_nearest(name)}, your own is called "
            "package.module:function or path/to/file.py:function"
            for name in self.weights
            if name not in SCORERS and ":" not in name
        ]
        if not any(self.weights.values()):
            found.append("rewards.weights: every weight is 0, so there is nothing to learn: give one reward a weight")
        return found


@dataclass(frozen=True)
class GuardSection:
    """What a passed test has to have shown, besides what syntax can tell."""

    mutation: bool = option(
        False, "run tests that pass again, on functions that return a constant: they must fail, or are not paid"
    )


@dataclass(frozen=True)
class SandboxSection(Limits):
    """How many programs are graded at once, and the limits of each."""

    jobs: int = option(0, "programs graded at once; 0: one a core", unit="programs", low=0, high=4096)
    backend: str = option(
        "batch",
        "cargo: cargo itself; direct: its compilers, equal and cheaper; batch: the same for several programs at once",
        choices=BACKENDS,
    )
    keep_verdicts: bool = option(True, "keep verdicts on disk (~/.cache/grpo-rust): no program is graded twice, ever")
    isolation: str = option(
        "auto",
        "what keeps programs from your files and the network; auto: the strongest that works here; none: nothing",
        choices=ISOLATIONS,
    )

    def limits(self) -> Limits:
        """The limits alone, as the sandbox takes them."""
        return Limits(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Limits)})

    def pool(self) -> SandboxPool:
        """The pool that these settings describe, with its workers started; use it as a context manager."""
        return SandboxPool(
            self.jobs, self.limits(), backend=self.backend, isolation=self.isolation, keep=self.keep_verdicts
        )


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    run: RunSection = field(default_factory=RunSection)
    model: ModelSection = field(default_factory=ModelSection)
    lora: LoraSection = field(default_factory=LoraSection)
    data: DataSection = field(default_factory=DataSection)
    sampling: SamplingSection = field(default_factory=SamplingSection)
    rollout: RolloutSection = field(default_factory=RolloutSection)
    rewards: RewardsSection = field(default_factory=RewardsSection)
    guard: GuardSection = field(default_factory=GuardSection)
    sandbox: SandboxSection = field(default_factory=SandboxSection)
    train: TrainSection = field(default_factory=TrainSection)
    loss: LossSection = field(default_factory=LossSection)
    eval: EvalSection = field(default_factory=EvalSection)
    checkpoint: CheckpointSection = field(default_factory=CheckpointSection)
    log: LogSection = field(default_factory=LogSection)

    def conflicts(self) -> list[str]:
        """Completions that would be too old before they are there; an engine that is to sample while it sleeps."""
        found = []
        age = self.rollout.overlap * self.train.num_iterations * self.train.num_minibatches
        if 0 < self.rollout.max_staleness < age:
            found.append(
                f"rollout.max_staleness = {self.rollout.max_staleness}: with this overlap completions are {age} updates old"
            )
        if self.sampling.sleep and self.rollout.overlap:
            found.append(
                f"sampling.sleep = true with rollout.overlap = {self.rollout.overlap}: the engine cannot sample ahead "
                "while it sleeps: use rollout.overlap = 0"
            )
        if self.loss.advantages == "gdpo" and self.rollout.refill_rounds:
            found.append(
                'loss.advantages = "gdpo" with rollout.refill_rounds: refilling drops groups whose sums are equal, '
                "and gdpo learns from some of them: use rollout.refill_rounds = 0"
            )
        if self.sampling.sleep and self.sampling.engine != "vllm":
            found.append(f"sampling.sleep = true with sampling.engine = {self.sampling.engine}: only vllm sleeps")
        return found

    def run_path(self) -> Path:
        """The run directory: `run.dir`, or `runs/<run.name>`."""
        return Path(self.run.dir) if self.run.dir else RUNS / self.run.name

    def named(self, default: str) -> Recipe:
        """The recipe with name and directory filled in: the name from the directory, or else the default."""
        from_dir = re.sub(r"[^A-Za-z0-9_.+-]", "_", Path(self.run.dir).name).lstrip(".+-")
        run = dataclasses.replace(self.run, name=self.run.name or from_dir or default)
        named = dataclasses.replace(self, run=run)
        return dataclasses.replace(named, run=dataclasses.replace(run, dir=str(named.run_path())))


@dataclass(frozen=True)
class Arguments:
    """What the command line asks for. `recipe` has its name and directory filled in; the rest is for `plan.plan`."""

    recipe: Recipe
    dry_run: bool
    rates: Path | None = None
    usd_per_hour: float = 0.0


def parse_arguments(argv: Sequence[str] | None = None) -> Arguments:
    """Read a command line of the form `[RECIPE.toml] [section.key=value ...] [--dry-run ...] [--help]`.

    Args: argv, without the program's name; None for the process's own. Without a recipe it is tiny.toml, and for a run
        to be resumed the run's own config.toml.
    Raises: ConfigError for settings that cannot be used; SystemExit 0 after `--help`, 2 for an unknown flag.
    """
    parser = argparse.ArgumentParser(
        description="Train a language model with GRPO on cargo's verdicts.",
        usage="%(prog)s [RECIPE.toml] [section.key=value ...] [--dry-run [--rates FILE] [--usd-per-hour X]] [--help]",
        epilog=explain(Recipe),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="RECIPE.toml or section.key=value", help="default: " + _near(DEFAULT_RECIPE)
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the plan (steps, tokens, memory, disk, time, cost) and stop"
    )
    parser.add_argument("--rates", type=Path, metavar="FILE", help="of the plan: rates that bench_throughput.py wrote")
    parser.add_argument("--usd-per-hour", type=float, default=0.0, metavar="X", help="of the plan: the machine's price")
    parsed = parser.parse_intermixed_args(argv)
    if (parsed.rates or parsed.usd_per_hour) and not parsed.dry_run:
        parser.error("--rates and --usd-per-hour are for the plan: give --dry-run with them")
    if parsed.usd_per_hour < 0:
        parser.error(f"--usd-per-hour {parsed.usd_per_hour:g}: a price is 0 or more")
    overrides = [word for word in parsed.words if "=" in word]
    files = [Path(word) for word in parsed.words if "=" not in word]
    for file in files:
        if file.suffix != ".toml" and not file.exists():
            raise ConfigError(f"{str(file)!r} is no recipe file, and a setting needs a value: section.key=value")
    if len(files) > 1:
        raise ConfigError(f"got {len(files)} recipes ({', '.join(map(str, files))}): give one, then section.key=value")
    path = files[0] if files else _resumed(overrides) or Path(_near(DEFAULT_RECIPE))
    default_name = f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    recipe = load(Recipe, path, overrides).named(default_name)
    return Arguments(recipe, parsed.dry_run, parsed.rates, parsed.usd_per_hour)


def explain(cls: type[Any]) -> str:
    """Every setting with its default, meaning, unit, range or choices, and source: the text of `--help`."""
    lines: list[str] = []
    for name, section in _section_docs(cls).items():
        lines += [f"{name}: {section}"]
        for row in defaults(cls):
            if row.section == name:
                lines += _explain_row(row)
        lines.append("")
    return "\n".join(lines)


def _explain_row(row: Default) -> list[str]:
    """One setting: a line to copy, and its meaning below."""
    if isinstance(row.value, Mapping):
        shown = [f"  {row.section}.{row.key}.{name}={value:g}" for name, value in row.value.items()]
    else:
        shown = [f"  {row.section}.{row.key}={str(row.value).lower() if isinstance(row.value, bool) else row.value}"]
    unit = f" [{row.unit}]" if row.unit else ""
    source = f"; default: {row.source}" if row.source else ""
    text = f"{row.meaning}{unit}; {row.allowed}{source}"
    return shown + textwrap.wrap(text, 110, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _section_docs(cls: type[Any]) -> dict[str, str]:
    """What each section is about, by name."""
    settings = cls()
    return {f.name: (getattr(settings, f.name).__doc__ or "").partition("\n")[0] for f in dataclasses.fields(settings)}


def _resumed(overrides: Sequence[str]) -> Path | None:
    """The config.toml of the run that the overrides want to resume, if they do."""
    wanted = load(Recipe, None, [word for word in overrides if word.startswith("run.")])
    if not wanted.run.resume:
        return None
    path = wanted.run_path() / CONFIG
    if not path.is_file():
        raise ConfigError(f"there is no run to resume in {path.parent} (no {CONFIG}): check run.dir")
    return path


def _nearest(name: str) -> str:
    """The name of the known reward that is most like this one."""
    return max(SCORERS, key=lambda known: SequenceMatcher(None, name, known).ratio())


def _near(path: Path) -> str:
    """A path as one would type it from here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
