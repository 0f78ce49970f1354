"""Simulate a run on 1 to 1,024 GPUs and any number of cores: steps per hour, what idles, what everything waits for.

Usage:
    python scripts/simulate.py [RECIPE.toml] [section.key=value ...] [--gpus N,N,...]
        [--engine-gpus M | --engine-share X] [--grow [MOST]] [--gpu KIND[,KIND]] [--cores N] [--host-ms X]
        [--rates RUN ...] [--steps N] [--seed N] [--json]
    python scripts/simulate.py --rates RUN [RUN ...] --compare RUN [RUN ...]
    python scripts/simulate.py [RECIPE.toml] ... --picture FILE.svg

Sampling, grading, training and new weights go through time as in a run: who waits for whom is the code's own order.
With `--rates` their costs are those that finished runs measured on cores or on one GPU, or those of a file; what one
GPU took is divided among several by formula. Without it the GPUs are assumed, as docs/scale.md says, and nothing of
them was measured. `--compare` simulates the recipes of other finished runs and says how far off it is: the runs that
gave the rates prove nothing. Nothing is loaded or trained; 1,024 GPUs take seconds. Exit codes: 0 done, 2 bad input.

Example:
    python scripts/simulate.py scripts/recipes/qwen2.5-coder-1.5b-fast.toml --gpus 1,8,64 --grow
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grpo.schema import ConfigError
from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from grpo_rust.scaling.division import Division, divide
from grpo_rust.scaling.from_recipe import engine_gpus, step_settings
from grpo_rust.scaling.gpus import one_kind
from grpo_rust.scaling.refusals import refuse_settings
from simulating.assumed import assumed_costs, divided_costs
from simulating.comparing import compare, comparison_table
from simulating.drawing import draw_sizes
from simulating.measured import measured_costs, read_timed_run
from simulating.named import named_costs
from simulating.outcome import SimulatedOutcome, as_table, simulate
from simulating.shapes import CORES_PER_GPU, grown, shape_of

MOST_GPUS = 1024
SHARE = 0.5  # of the GPUs, that only samples
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
        draw(outcomes, options.picture)
    if options.json:
        print(json.dumps([{**dataclasses.asdict(one), "bottleneck": one.bottleneck} for one in outcomes], indent=1))
    else:
        print(f"{as_table(outcomes)}\ncosts: {outcomes[-1].source}")
    return ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="RECIPE.toml or section.key=value", help="what is to run")
    parser.add_argument("--gpus", type=numbers, default=[1], metavar="N,N", help=f"GPUs in all, up to {MOST_GPUS}; 1")
    parser.add_argument("--gpu", default="h100", metavar="KIND", help="what kind they are: a100, h100, h200; h100")
    apart = "how many of --gpus only sample, as in the plan; those of sampling.servers together; default: the recipe's"
    parser.add_argument("--engine-gpus", type=int, default=0, metavar="M", help=apart)
    share = (
        "of more than one GPU the share that only samples; 0: one engine beside the first rank; default: as many as "
    )
    share += f"the recipe has for engines, else {SHARE} with vLLM and 0 without"
    parser.add_argument("--engine-share", type=float, metavar="X", help=share)
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
    if not 0 <= (options.engine_share or 0) < 1:
        parser.error(f"--engine-share {options.engine_share:g}: from 0 to below 1, since some have to train")
    if options.engine_gpus < 0 or (options.engine_gpus and options.engine_share is not None):
        parser.error(
            f"--engine-gpus {options.engine_gpus}: at least 1, and without --engine-share, which says the same"
        )
    if options.steps < 1 or not 0 <= (options.host_ms or 0) < math.inf or options.seed < 0 or options.grow < 0:
        parser.error("--steps has to be at least 1; --host-ms, --seed and --grow at least 0")
    if options.compare and (not options.rates or options.words):
        parser.error("--compare needs --rates, and takes the recipes of its runs: give no other")
    if options.compare:
        for name in ("gpus", "gpu", "engine_gpus", "engine_share", "grow", "host_ms", "picture"):
            if getattr(options, name) != parser.get_default(name):
                parser.error(f"--{name.replace('_', '-')} with --compare: its runs say what they ran on, leave it out")
    if options.rates and len(options.rates) > 1 and any(path.suffix == ".toml" for path in options.rates):
        parser.error("--rates has several paths, one of them a file: give one file, or directories of runs")
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
    """The recipe on so many GPUs, or on cores by rates that were measured on some."""
    if options.grow:
        recipe = grown(recipe, gpus, most=options.grow)
    division, gpu, settings = divided(recipe, gpus, options), one_kind(options.gpu.split(",")), step_settings(recipe)
    if not options.rates:
        costs = assumed_costs(recipe.model.path, settings, division, gpu)
    elif options.rates[0].suffix == ".toml":
        costs = named_costs(options.rates[0])
    else:
        costs = measured_costs([read_timed_run(path) for path in options.rates], recipe)
    if options.rates and costs.on_gpu:
        costs = divided_costs(costs, recipe.model.path, settings, division, gpu)
    if options.host_ms is not None:
        costs = dataclasses.replace(costs, host_s=options.host_ms / 1e3)
    cores = options.cores
    if cores is None:
        cores = CORES_PER_GPU * gpus if costs.on_gpu else len(os.sched_getaffinity(0))
    shape = shape_of(recipe, division, cores=cores, on_gpus=costs.on_gpu)
    return simulate(shape, costs, steps=options.steps, seed=options.seed)


def divided(recipe: Recipe, gpus: int, options: argparse.Namespace) -> Division:
    """Who trains and who samples: as the recipe says, else by the share of those that only sample."""
    share, given, has_vllm = options.engine_share, options.engine_gpus, recipe.sampling.engine == "vllm"
    if recipe.sampling.servers and not given:
        raise ConfigError(
            f"sampling.servers = {recipe.sampling.servers!r} does not say how many GPUs a server has: give "
            "--engine-gpus M, the number of all servers together"
        )
    apart, width = engine_gpus(recipe, given)
    if apart and share is not None:
        raise ConfigError(f"--engine-share {share:g}, and the recipe has {apart} GPUs that sample: give one")
    if apart >= gpus:
        raise ConfigError(f"{gpus} GPUs, and {apart} of them would only sample: give --gpus at least {apart + 1}")
    if (share or apart) and not has_vllm and gpus > 1:
        option = f"--engine-gpus {apart}" if apart else f"--engine-share {share:g}"
        raise ConfigError(
            f'{option}, and sampling.engine = "{recipe.sampling.engine}" has no engine on other GPUs than the '
            "trainer's: use sampling.engine=vllm, or --engine-share 0"
        )
    if share is None:
        share = SHARE if has_vllm else 0.0
    if not apart and share and gpus > 1:
        apart = min(gpus - 1, max(1, round(gpus * share)))
    division = divide(step_settings(recipe), gpus - apart, apart, width)
    if division.ranks > 1:
        refuse_settings(recipe, division.ranks)
    return division


def draw(outcomes: Sequence[SimulatedOutcome], path: Path) -> None:
    """Write the picture. Raises: ConfigError, for outcomes without GPUs and a file that cannot be written."""
    if not all(one.gpus for one in outcomes):
        raise ConfigError("--picture is drawn by the number of GPUs, and these rates are of a CPU: leave it out")
    picture = draw_sizes(sorted(outcomes, key=lambda one: one.gpus))
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--picture {path}: cannot be written ({error}); give a file in a folder that exists"
        ) from error


def show_comparison(options: argparse.Namespace) -> int:
    """Print what finished runs did, and what the simulation says of their recipes."""
    cores = len(os.sched_getaffinity(0)) if options.cores is None else options.cores
    rates, runs = ([read_timed_run(path) for path in paths] for paths in (options.rates, options.compare))
    compared = compare(rates, runs, cores=cores, steps=options.steps, seed=options.seed)
    print(json.dumps([one._asdict() for one in compared], indent=1) if options.json else comparison_table(compared))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
