"""Simulate a run on 1 to 1,024 GPUs and any number of cores: steps per hour, what idles, what everything waits for.

Usage:
    python scripts/simulate.py [RECIPE.toml] [section.key=value ...] [--gpus N,N,...] [--engine-share X]
        [--grow [MOST]] [--gpu KIND[,KIND]] [--cores N] [--host-ms X] [--rates RUN ...] [--steps N] [--seed N]
        [--json]
    python scripts/simulate.py --rates RUN [RUN ...] --compare RUN [RUN ...]
    python scripts/simulate.py [RECIPE.toml] ... --picture FILE.svg

Sampling, grading, training and new weights go through time as in a run: who waits for whom is the code's own order.
With `--rates` their costs are those that finished runs measured, or those of a file; without it the GPUs are assumed,
as docs/scale.md says, and nothing of them was measured. `--compare` simulates the recipes of other finished runs and
says how far off it is: the runs that gave the rates prove nothing. Nothing is loaded or trained; 1,024 GPUs take
seconds. Exit codes: 0 done, 2 bad input.

Example:
    python scripts/simulate.py scripts/recipes/qwen2.5-coder-1.5b-fast.toml --gpus 1,8,64 --grow
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grpo.schema import ConfigError
from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from grpo_rust.scaling.division import divide
from grpo_rust.scaling.from_recipe import step_settings
from grpo_rust.scaling.gpus import one_kind
from grpo_rust.scaling.refusals import refuse_settings
from simulating.assumed import assumed_costs
from simulating.comparing import compare, comparison_table
from simulating.drawing import draw_sizes
from simulating.measured import measured_costs, read_timed_run
from simulating.named import named_costs
from simulating.outcome import SimulatedOutcome, as_table, simulate
from simulating.shapes import CORES_PER_GPU, grown, shape_of

MOST_GPUS = 1024
MOST_PROMPTS = 2048  # of a step: with groups of 4 as many completions as DAPO's 8,192 (arXiv 2503.14476)


@command("simulate")
def main(argv: Sequence[str] | None = None) -> int:
    """Simulate and print; the exit code."""
    options = arguments(argv)
    if options.compare:
        return show_comparison(options)
    recipe = load_recipe(*recipe_words(options.words))
    outcomes = [simulated(recipe, gpus, options) for gpus in options.gpus]
    if options.picture:
        options.picture.write_text(draw_sizes(outcomes), encoding="utf-8")
    if options.json:
        print(json.dumps([{**dataclasses.asdict(one), "bottleneck": one.bottleneck} for one in outcomes], indent=1))
    else:
        print(f"{as_table(outcomes)}\ncosts: {outcomes[0].source}")
    return ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="RECIPE.toml or section.key=value", help="what is to run")
    parser.add_argument("--gpus", type=numbers, default=[1], metavar="N,N", help=f"GPUs in all, up to {MOST_GPUS}; 1")
    parser.add_argument("--gpu", default="h100", metavar="KIND", help="what kind they are: a100, h100, h200; h100")
    share = "of more than one GPU the share that only samples; 0: one engine beside the first rank; 0.5"
    parser.add_argument("--engine-share", type=float, default=0.5, metavar="X", help=share)
    grow = f"as many times the prompts a step as there are GPUs, but not more than MOST; {MOST_PROMPTS}"
    parser.add_argument("--grow", type=int, nargs="?", const=MOST_PROMPTS, default=0, metavar="MOST", help=grow)
    cores = f"cores in all; default: {CORES_PER_GPU} a GPU, without GPUs those of this machine"
    parser.add_argument("--cores", type=int, metavar="N", help=cores)
    host = "of the trainer's process for a completion, in place of what is assumed or was measured"
    parser.add_argument("--host-ms", type=float, metavar="X", help=host)
    rates = "directories of finished runs, or one TOML file with rates by their names (scripts/simulating/named.py)"
    parser.add_argument("--rates", type=Path, nargs="+", metavar="RUN", help=rates)
    parser.add_argument("--compare", type=Path, nargs="+", metavar="RUN", help="finished runs to simulate and compare")
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="steps that are counted; 20")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn; 0")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw steps and idle shares by GPUs too")
    options = parser.parse_intermixed_args(argv)
    if not 0 <= options.engine_share < 1:
        parser.error(f"--engine-share {options.engine_share:g}: from 0 to below 1, since some have to train")
    if options.steps < 1 or (options.host_ms or 0) < 0:
        parser.error("--steps has to be at least 1, --host-ms at least 0")
    if options.compare and (not options.rates or options.words):
        parser.error("--compare needs --rates, and takes the recipes of its runs: give no other")
    return options


def numbers(text: str) -> list[int]:
    """Numbers of GPUs."""
    found = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(found) != len(text.split(",")) or not all(1 <= number <= MOST_GPUS for number in found):
        raise argparse.ArgumentTypeError(f"{text!r}: numbers from 1 to {MOST_GPUS} with commas between them")
    return found


def recipe_words(words: Sequence[str]) -> tuple[Path, list[str]]:
    """The recipe's file and the settings after it."""
    files = [word for word in words if "=" not in word]
    if len(files) > 1:
        raise ConfigError(f"got {len(files)} recipes ({', '.join(files)}): give one, then section.key=value")
    return Path(files[0]) if files else DEFAULT_RECIPE, [word for word in words if "=" in word]


def simulated(recipe: Recipe, gpus: int, options: argparse.Namespace) -> SimulatedOutcome:
    """The recipe on so many assumed GPUs, or on this machine's cores by rates that runs measured there."""
    if options.grow:
        recipe = grown(recipe, gpus, most=options.grow)
    engine_gpus = min(gpus - 1, max(1, round(gpus * options.engine_share))) if options.engine_share and gpus > 1 else 0
    division = divide(step_settings(recipe), gpus - engine_gpus, engine_gpus)
    if division.ranks > 1:
        refuse_settings(recipe, division.ranks)
    if options.rates and options.rates[0].suffix == ".toml":
        costs = named_costs(options.rates[0])
    elif options.rates:
        costs = measured_costs([read_timed_run(path) for path in options.rates], recipe)
    else:
        costs = assumed_costs(recipe.model.path, step_settings(recipe), division, one_kind(options.gpu.split(",")))
    if options.host_ms is not None:
        costs = dataclasses.replace(costs, host_s=options.host_ms / 1e3)
    cores = options.cores
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if options.rates else CORES_PER_GPU * gpus
    shape = shape_of(recipe, division, cores=cores, on_gpus=not options.rates)
    return simulate(shape, costs, steps=options.steps, seed=options.seed)


def show_comparison(options: argparse.Namespace) -> int:
    """Print what finished runs did, and what the simulation says of their recipes."""
    cores = len(os.sched_getaffinity(0)) if options.cores is None else options.cores
    rates, runs = ([read_timed_run(path) for path in paths] for paths in (options.rates, options.compare))
    compared = compare(rates, runs, cores=cores, steps=options.steps, seed=options.seed)
    print(json.dumps([one._asdict() for one in compared], indent=1) if options.json else comparison_table(compared))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
