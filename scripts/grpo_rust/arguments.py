"""The command line of a recipe: reading it, and the `--help` that explains every setting.

Loads nothing heavy, so `--help` is printed at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grpo.run.directory import CONFIG
from grpo.schema import ConfigError, Default, defaults, load
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from grpo_rust.terminal.grouping import MOST_USED, grouped

if TYPE_CHECKING:
    from grpo_rust.scaling.division import Division

__all__ = ["Arguments", "explain", "parse_arguments"]


@dataclass(frozen=True)
class Arguments:
    """What the command line asks for; all but recipe and output is for `grpo_rust.plan`."""

    recipe: Recipe  # with its name and directory filled in
    dry_run: bool
    rates: Path | None = None
    usd_per_hour: float = 0.0
    output: str = "bar"  # one of `grpo_rust.terminal.outputs.OUTPUTS`
    division: Division | None = None  # of the plan's GPUs; None: what one GPU, or none, needs
    gpu: str = "h100"


GRPO = "Train a language model with GRPO on cargo's verdicts."


def parse_arguments(argv: Sequence[str] | None = None, *, about: str = GRPO) -> Arguments:
    """Read a command line: `[RECIPE.toml] [section.key=value ...] [--plain | --json] [--dry-run ...] [--help]`.

    Without a recipe it is tiny.toml, and for a run to be resumed the run's own config.toml.

    Args:
        argv: The words after the program's name; None for those of the process.
        about: What the program does, for `--help`.

    Raises:
        ConfigError: For settings that cannot be used.
        SystemExit: 0 after `--help`, 2 for an unknown flag.
    """
    parser = _parser(about)
    parsed = parser.parse_intermixed_args(argv)
    if (parsed.rates or parsed.usd_per_hour or parsed.gpus or parsed.engine_gpus) and not parsed.dry_run:
        parser.error("--rates, --usd-per-hour, --gpus and --engine-gpus are for the plan: give --dry-run with them")
    if parsed.rates and (parsed.gpus or parsed.engine_gpus):
        parser.error("--rates is of one GPU: give it without --gpus; scripts/simulate.py divides what a run on one did")
    if parsed.usd_per_hour < 0:
        parser.error(f"--usd-per-hour {parsed.usd_per_hour:g}: a price is 0 or more")
    overrides = [word for word in parsed.words if "=" in word]
    path = _recipe_file([Path(word) for word in parsed.words if "=" not in word], overrides)
    recipe = load_recipe(path, overrides)
    price = parsed.usd_per_hour or recipe.train.usd_per_hour
    planned = parsed.dry_run and not parsed.rates
    division = _division(recipe, parsed.gpus, parsed.engine_gpus, parsed.gpu) if planned else None
    return Arguments(recipe, parsed.dry_run, parsed.rates, price, parsed.output, division, parsed.gpu)


def _division(recipe: Recipe, gpus: int, given: int, kind: str) -> Division | None:
    """How a plan divides the work; None for one of this machine as it is. Raises: ConfigError, as the ranks would."""
    from grpo_rust.scaling.division import divide, ranks_of_torchrun
    from grpo_rust.scaling.from_recipe import engine_gpus, step_settings
    from grpo_rust.scaling.gpus import one_kind
    from grpo_rust.scaling.refusals import refuse_settings

    one_kind([kind])
    has_engines = given > 0 or (recipe.sampling.data_parallel > 0 and recipe.train.device != "cpu")
    ranks = gpus or ranks_of_torchrun() or int(has_engines)
    if not ranks:
        return None
    division = divide(step_settings(recipe), ranks, *engine_gpus(recipe, given))
    if ranks > 1:
        refuse_settings(recipe, ranks)
    return division


def _parser(about: str) -> argparse.ArgumentParser:
    """The parser; its epilog explains every setting."""
    parser = argparse.ArgumentParser(
        description=about,
        usage="%(prog)s [RECIPE.toml] [section.key=value ...] [--plain | --json] "
        "[--dry-run [--rates FILE] [--usd-per-hour X] [--gpus N [--engine-gpus M] [--gpu KIND]]] [--help]",
        epilog=f"{most_used(Recipe)}\n\n{explain(Recipe)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words", nargs="*", metavar="RECIPE.toml or section.key=value", help=f"default: {_from_here(DEFAULT_RECIPE)}"
    )
    shown = parser.add_argument_group("what is shown of a run").add_mutually_exclusive_group()
    lines = "one line a step, for logs: no bar and no control characters"
    shown.add_argument("--plain", dest="output", action="store_const", const="plain", default="bar", help=lines)
    events = "one JSON object a line on standard output, for programs; everything else on standard error"
    shown.add_argument("--json", dest="output", action="store_const", const="json", help=events)
    plan = parser.add_argument_group("the plan")
    plan.add_argument(
        "--dry-run", action="store_true", help="print the plan (steps, tokens, memory, disk, time, cost) and stop"
    )
    plan.add_argument("--rates", type=Path, metavar="FILE", help="of the plan: rates that bench_throughput.py wrote")
    price = "of the plan: the machine's price; default: train.usd_per_hour"
    plan.add_argument("--usd-per-hour", type=float, default=0.0, metavar="X", help=price)
    ranks = (
        "of the plan: GPUs that train, as ranks of torchrun; default: WORLD_SIZE, else one with --engine-gpus or "
        "sampling.data_parallel, else this machine as it is"
    )
    plan.add_argument("--gpus", type=int, default=0, metavar="N", help=ranks)
    apart = (
        "of the plan: more GPUs, that only sample; default: those of sampling.data_parallel times tensor_parallel, or "
        "of sampling.servers; else the engine shares those that train"
    )
    plan.add_argument("--engine-gpus", type=int, default=0, metavar="M", help=apart)
    kind = "of the plan: what kind they are: a100, h100 (the default) or h200"
    plan.add_argument("--gpu", default="h100", metavar="KIND", help=kind)
    return parser


def _recipe_file(files: Sequence[Path], overrides: Sequence[str]) -> Path:
    """The file to load: the one that is given, that of the run to be resumed, or the default."""
    for file in files:
        if file.suffix != ".toml" and not file.exists():
            raise ConfigError(f"{str(file)!r} is no recipe file, and a setting needs a value: section.key=value")
    if len(files) > 1:
        raise ConfigError(f"got {len(files)} recipes ({', '.join(map(str, files))}): give one, then section.key=value")
    return files[0] if files else _resumed_config(overrides) or _from_here(DEFAULT_RECIPE)


def _resumed_config(overrides: Sequence[str]) -> Path | None:
    """The config.toml of the run that the overrides ask to resume; None where they ask for a new run."""
    wanted = load(Recipe, None, [word for word in overrides if word.startswith("run.")])
    if not wanted.run.resume:
        return None
    path = wanted.run_path() / CONFIG
    if not path.is_file():
        raise ConfigError(f"there is no run to resume in {path.parent} (no {CONFIG}): check run.dir")
    return path


def _from_here(path: Path) -> Path:
    """The path relative to the current directory, where it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def most_used(cls: type[Any]) -> str:
    """The settings that are used most, one line each; `explain` has all of each."""
    rows = {f"{row.section}.{row.key}": row for row in defaults(cls)}
    found = [(name, rows[name]) for name in MOST_USED if name in rows]
    lines = [f"  {name:<32}{textwrap.shorten(row.meaning, 84, placeholder=' ...')}" for name, row in found]
    return "\n".join(["MOST USED (all of each is below)", *lines])


def explain(cls: type[Any]) -> str:
    """Every setting with its default, meaning, unit, range or choices, and source, by subject: the text of `--help`."""
    docs, lines = _section_docs(cls), []
    for title, sections in grouped(docs).items():
        lines += [title, ""]
        for name in sections:
            lines += [f"{name}: {docs[name]}"]
            for row in defaults(cls):
                if row.section == name:
                    lines += _explain_row(row)
            lines.append("")
    return "\n".join(lines)


def _explain_row(row: Default) -> list[str]:
    """One setting: a line that can be copied as an override, and its meaning below."""
    if isinstance(row.value, Mapping):
        shown = [f"  {row.section}.{row.key}.{name}={value:g}" for name, value in row.value.items()]
        shown = shown or [f"  {row.section}.{row.key}.NAME = NUMBER (none)"]
    else:
        shown = [f"  {row.section}.{row.key}={str(row.value).lower() if isinstance(row.value, bool) else row.value}"]
    unit = f" [{row.unit}]" if row.unit else ""
    source = f"; default: {row.source}" if row.source else ""
    text = f"{row.meaning}{unit}; {row.allowed}{source}"
    return shown + textwrap.wrap(text, 110, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False)


def _section_docs(cls: type[Any]) -> dict[str, str]:
    """The first line of each section's docstring, by the section's name."""
    settings = cls()
    return {f.name: (getattr(settings, f.name).__doc__ or "").partition("\n")[0] for f in dataclasses.fields(settings)}
