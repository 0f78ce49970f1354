"""Measure training throughput beside TRL's: the same work, in turns, in one run.

Usage:
    python scripts/bench_throughput.py [--only NAME,NAME] [--sides NAME,NAME] [--vs trl|none] [--engine hf|vllm]
        [--model DIR | --random-init qwen2.5-coder-1.5b] [--lora-rank N] [--turns N] [--steps N] [--prompts N]
        [--group N] [--json FILE] ...

Both sides train the same model on the same prompts with as many completions, the same lengths, beta, type and threads,
and no completion is graded twice. Contenders are processes that take turns of some steps. What is compared:

    cargo                 TRL with the three published reward functions against this trainer; hf sampling on both
                          sides, every batch sampled by the weights that learn from it
    cargo_ahead           the same with `rollout.overlap = 1` on our side: graded while the next batch is sampled
    cargo_vllm            with --engine vllm: vLLM on our side, one batch ahead
    published_step        the same three with the published 4 prompts x 4 completions a step, and three times the steps
    trivial               a reward that costs nothing on both sides: the trainers alone
    trl_with_our_rewards  TRL with the published rewards against TRL with ours

`--vs none` measures our side alone, one contender after the other, since a GPU has no memory for several. `--sides`
names those of ours that take part: ours (hf), ahead (hf, one batch ahead), vllm. With `--lora-rank`, which TRL's side
does not have, adapters are trained in place of all weights, and `mfu` counts 4 operations a parameter and token in
place of 6. The file is
{NAME: {"trl": {"step_s", "tokens_per_s", "peak_mb", "first_step_s", phases...}, "ours": {...}, "ratio"},
"projection": {"published_step", "our_step"}, "rates", "work"}; ratio is ours / TRL's in trained tokens per second, and
`rates` is what `scripts/train.py --dry-run --rates FILE` reads. All of it takes 20 minutes on two cores. Exit codes:
0 done, 2 bad input, 3 a contender failed, 130 interrupted.

Example:
    python scripts/bench_throughput.py --only trivial --turns 1 --steps 2 --prompts 2 --group 2
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import SIDES, compared, projection, rates, row, table
from bench.settings import BenchSettings
from bench.turns import Contender, ContenderFailed, Step, Turns
from grpo.errors import HostFailed
from grpo_rust.cli import ExitCode, command
from grpo_rust.known_sizes import known_config, model_names

SCENARIOS = ("cargo", "published_step", "trivial", "trl_with_our_rewards")
PUBLISHED_PROMPTS, PUBLISHED_GROUP = 4, 4
RANDOM_TINY = {  # for tests
    "model_type": "qwen2",
    "vocab_size": 4096,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 128,
    "tie_word_embeddings": True,
}
Side = tuple[Callable[..., None], dict[str, Any]]  # what trains, and its settings beside those of all sides


@command("bench_throughput")
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and write the file; the exit code."""
    options = arguments(argv)
    with tempfile.TemporaryDirectory() as directory:
        try:
            figures = measure(options, Path(directory))
        except ContenderFailed as error:
            raise HostFailed(f"a contender failed:\n{error}") from error
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return ExitCode.DONE


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default=",".join(SCENARIOS), help=f"some of {', '.join(SCENARIOS)}")
    parser.add_argument("--vs", choices=("trl", "none"), default="trl", help="the peer")
    parser.add_argument("--engine", choices=("hf", "vllm"), default="hf", help="vllm adds rows of its own")
    parser.add_argument("--sides", default="", help=f"of cargo and published_step: some of {', '.join(SIDES)}")
    parser.add_argument(
        "--lora-rank", type=int, default=0, help="of our side, with --vs none; 0: all weights are trained"
    )
    parser.add_argument("--model", default="assets/tiny-rust", help="a checkpoint's directory")
    parser.add_argument("--random-init", choices=(*model_names(), "random-tiny"), help="instead: random weights")
    parser.add_argument("--tasks", default="assets/tasks/train.jsonl", help="the prompts")
    parser.add_argument("--turns", type=int, default=2, help="measured turns of every contender, after a first step")
    parser.add_argument("--steps", type=int, default=2, help="steps of a turn")
    parser.add_argument("--prompts", type=int, default=16, help="prompts a step, but of published_step")
    parser.add_argument("--group", type=int, default=8, help="completions to each")
    parser.add_argument("--max-tokens", type=int, default=192, help="longest completion")
    parser.add_argument("--beta", type=float, default=0.0, help="weight of the KL")
    parser.add_argument(
        "--dtype", choices=("float32", "bfloat16", "float16"), default="float32", help="of the matrix products"
    )
    parser.add_argument("--threads", type=int, default=0, help="of torch on all sides; 0: all cores but one")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    if unknown := set(options.only.split(",")) - set(SCENARIOS):
        parser.error(f"--only: no such comparison: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    known = [side for side in SIDES if side != "vllm" or options.engine == "vllm"]
    options.sides = options.sides.split(",") if options.sides else known
    if unknown := set(options.sides) - set(known):
        parser.error(
            f"--sides: cannot measure {', '.join(unknown)}; there are {', '.join(known)} (vllm: --engine vllm)"
        )
    if options.lora_rank < 0 or options.lora_rank and options.vs != "none":
        parser.error("--lora-rank must be at least 0, and needs --vs none: TRL's side trains all weights")
    if min(options.turns, options.steps, options.prompts, options.max_tokens) < 1 or options.group < 2:
        parser.error("--turns, --steps, --prompts and --max-tokens must be at least 1, --group at least 2")
    return options


def measure(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """Every comparison, one after the other."""
    from bench.machine import device_name

    shared = BenchSettings(
        model=random_model(options.random_init, directory) if options.random_init else options.model,
        tasks=options.tasks,
        prompts=options.prompts,
        group=options.group,
        max_tokens=options.max_tokens,
        beta=options.beta,
        threads=options.threads or max(1, len(os.sched_getaffinity(0)) - 1),
        dtype=options.dtype,
        lora_rank=options.lora_rank,
    )
    figures: dict[str, Any] = {}
    for name in options.only.split(","):
        figures |= compare(name, shared, options)
    work = {"model": options.random_init or options.model, "turns": options.turns, "steps": options.steps}
    return {
        **figures,
        "projection": projection(figures, completions_per_step=shared.prompts * shared.group),
        "rates": rates(figures, device=device_name(), dtype=shared.dtype),
        "work": {**dataclasses.asdict(shared), **work},
    }


def compare(name: str, shared: BenchSettings, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one comparison, by its name and the ending of each of our contenders."""
    steps = options.steps
    if name == "published_step":
        shared = dataclasses.replace(shared, prompts=PUBLISHED_PROMPTS, group=PUBLISHED_GROUP)
        steps *= 3
    sides = contenders(name, options)
    apart = [{side: sides[side]} for side in sides] if options.vs == "none" else [sides]
    rows = {
        side: row for part in apart for side, row in take_turns(part, shared, turns=options.turns, steps=steps).items()
    }
    return {name + ending: compared(rows, side) for side, ending in SIDES.items() if side in rows}


def contenders(name: str, options: argparse.Namespace) -> dict[str, Side]:
    """Who takes part in a comparison."""
    peer: Side = (train_trl, {"rewards": "trivial" if name == "trivial" else "published"})
    sides = {"trl": peer} if options.vs == "trl" else {}
    if name == "trl_with_our_rewards":
        return {**sides, "ours": (train_trl, {"rewards": "ours"})}
    if name == "trivial":
        return {**sides, "ours": (train_ours, {"rewards": "trivial", "engine": "hf"})}
    ours: dict[str, dict[str, Any]] = {"ours": {"engine": "hf"}, "ahead": {"engine": "hf", "overlap": 1}}
    if options.engine == "vllm":
        ours["vllm"] = {"engine": "vllm", "overlap": 1}
    chosen = {side: settings for side, settings in ours.items() if side in options.sides}
    return {**sides, **{side: (train_ours, {"rewards": "cargo", **settings}) for side, settings in chosen.items()}}


def train_ours(turns: Turns, **settings: Any) -> None:
    """This trainer as a contender; imported in the contender's process."""
    from bench.our_side import train

    train(turns, **settings)


def train_trl(turns: Turns, **settings: Any) -> None:
    """TRL's trainer as a contender; imported in the contender's process."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when TRL is imported
    from bench.trl_side import train

    train(turns, **settings)


def take_turns(
    sides: Mapping[str, Side], shared: BenchSettings, *, turns: int, steps: int
) -> dict[str, dict[str, float]]:
    """Let contenders train in turns; the first step of each is measured apart, since it warms up."""
    running: dict[str, Contender] = {}
    done: dict[str, list[Step]] = {name: [] for name in sides}
    try:
        for name, (train, settings) in sides.items():
            running[name] = Contender(train, shared=shared, **settings)
        names = list(running)
        for number in range(turns + 1):
            for name in names[number % len(names) :] + names[: number % len(names)]:  # none is always first
                done[name] += running[name].steps(steps if number else 1)
    finally:
        for contender in running.values():
            contender.close()
    return {name: row(done[name], running[name].facts) for name in sides}


def random_model(name: str, directory: Path) -> str:
    """A checkpoint with random weights of a model's shape, and the shipped tokenizer."""
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained("assets/tiny-rust")
    sizes: dict[str, Any] = {**(known_config(name) or RANDOM_TINY), "bos_token_id": None}
    sizes |= {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = Qwen2Config.from_dict(sizes)
    Qwen2ForCausalLM(config).save_pretrained(directory / name)
    tokenizer.save_pretrained(directory / name)
    return str(directory / name)


if __name__ == "__main__":
    sys.exit(main())
