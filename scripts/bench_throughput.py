"""Measure training throughput beside TRL's: the same work, in turns, in one run.

Usage:
    python scripts/bench_throughput.py [--only cargo,trivial,trl_with_our_rewards] [--engine hf|vllm] [--json FILE]
        [--model DIR | --random-init qwen2.5-coder-1.5b] [--turns N] [--steps N] [--prompts N] [--group N] ...

Both sides train the same model on the same prompts with as many answers, the same lengths, beta, type and threads, and
no answer is graded twice. Contenders are processes that take turns of some steps. What is compared:

    cargo                 TRL with the three published reward functions against this trainer; hf sampling on both
                          sides. --engine vllm adds `cargo_vllm`: vLLM on our side, one batch ahead
    trivial               a reward that costs nothing on both sides: the trainers alone
    trl_with_our_rewards  TRL with the published rewards against TRL with ours

The file: {NAME: {"trl": {"step_s", "tokens_per_s", "answers_per_s", "peak_mb", "first_step_s", phases...}, "ours":
{...}, "ratio"}, "projection": {...}, "work": {...}}; ratio is ours / TRL's in trained tokens per second.

Example:
    python scripts/bench_throughput.py --only trivial --turns 1 --steps 2 --prompts 2 --group 2
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from throughput.turns import Contender, Failed, Step

SCENARIOS = ("cargo", "trivial", "trl_with_our_rewards")
PUBLISHED_ANSWERS = 15_000 * 4
PUBLISHED_STEP = 16  # answers
SHAPES = {  # of the real models, by their config.json
    "qwen2.5-coder-1.5b": {
        "hidden_size": 1536,
        "layers": 28,
        "heads": 12,
        "kv_heads": 2,
        "mlp": 8960,
        "vocab": 151_936,
    },
    "qwen2.5-coder-0.5b": {"hidden_size": 896, "layers": 24, "heads": 14, "kv_heads": 2, "mlp": 4864, "vocab": 151_936},
    "random-tiny": {"hidden_size": 64, "layers": 2, "heads": 2, "kv_heads": 1, "mlp": 128, "vocab": 4096},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and write the file; the exit code."""
    options = arguments(argv)
    with tempfile.TemporaryDirectory() as directory:
        try:
            figures = measure(options, Path(directory))
        except Failed as error:
            print(f"bench_throughput: a contender failed:\n{error}", file=sys.stderr)
            return 3
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default=",".join(SCENARIOS), help=f"some of {', '.join(SCENARIOS)}")
    parser.add_argument("--vs", choices=("trl",), default="trl", help="the peer")
    parser.add_argument("--engine", choices=("hf", "vllm"), default="hf", help="vllm adds a row of its own to cargo")
    parser.add_argument("--model", default="assets/tiny-rust", help="a checkpoint's directory")
    parser.add_argument("--random-init", choices=sorted(SHAPES), help="instead: random weights of a model's shape")
    parser.add_argument("--tasks", default="assets/tasks/train.jsonl", help="the prompts")
    parser.add_argument("--turns", type=int, default=4, help="measured turns of every contender, after a first step")
    parser.add_argument("--steps", type=int, default=3, help="steps of a turn")
    parser.add_argument("--prompts", type=int, default=4, help="prompts a step")
    parser.add_argument("--group", type=int, default=4, help="answers to each")
    parser.add_argument("--max-tokens", type=int, default=192, help="longest answer")
    parser.add_argument("--beta", type=float, default=0.0, help="weight of the KL")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the matrix products")
    parser.add_argument("--threads", type=int, default=0, help="of torch on all sides; 0: all cores but one")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    if unknown := set(options.only.split(",")) - set(SCENARIOS):
        parser.error(f"--only: no such comparison: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if min(options.turns, options.steps, options.prompts, options.max_tokens) < 1 or options.group < 2:
        parser.error("--turns, --steps, --prompts and --max-tokens must be at least 1, --group at least 2")
    return options


def measure(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """Every comparison, one after the other."""
    from throughput.training import Work, train_ours, train_trl

    model = random_model(options.random_init, directory) if options.random_init else options.model
    work = Work(
        model=model,
        tasks=options.tasks,
        prompts=options.prompts,
        group=options.group,
        max_tokens=options.max_tokens,
        beta=options.beta,
        threads=options.threads or max(1, len(os.sched_getaffinity(0)) - 1),
        dtype=options.dtype,
    )
    figures: dict[str, Any] = {}
    for name in options.only.split(","):
        reward = "trivial" if name == "trivial" else "published"
        contenders: dict[str, tuple[Any, dict[str, Any]]] = {"trl": (train_trl, {"rewards": reward})}
        if name == "trl_with_our_rewards":
            contenders["ours"] = (train_trl, {"rewards": "ours"})
        else:
            contenders["ours"] = (train_ours, {"rewards": name, "engine": "hf"})
        if name == "cargo" and options.engine == "vllm":
            contenders["vllm"] = (train_ours, {"rewards": name, "engine": "vllm", "overlap": 1})
        rows = take_turns(contenders, work, turns=options.turns, steps=options.steps)
        figures[name] = compared(rows, "ours")
        if "vllm" in rows:
            figures["cargo_vllm"] = compared(rows, "vllm")
    figures["projection"] = projection(figures, work.prompts * work.group)
    figures["work"] = {
        **dataclasses.asdict(work),
        "model": options.random_init or options.model,
        "turns": options.turns,
        "steps": options.steps,
    }
    return figures


def take_turns(contenders: Mapping[str, Any], work: Any, *, turns: int, steps: int) -> dict[str, dict[str, float]]:
    """Let contenders train in turns; the first step of each is told apart, since it warms up."""
    running: dict[str, Contender] = {}
    done: dict[str, list[Step]] = {name: [] for name in contenders}
    try:
        for name, (train, settings) in contenders.items():
            running[name] = Contender(train, work=work, **settings)
        names = list(running)
        for number in range(turns + 1):
            for name in names[number % len(names) :] + names[: number % len(names)]:  # nobody is always first
                done[name] += running[name].steps(steps if number else 1)
    finally:
        for contender in running.values():
            contender.close()
    return {name: row(done[name], running[name].peak_mb) for name in contenders}


def row(steps: Sequence[Step], peak_mb: float) -> dict[str, float]:
    """A contender's figures."""
    first, *rest = steps
    seconds = sum(step.seconds for step in rest)
    phases = {f"{name}_s": sum(step.phases[name] for step in rest) / len(rest) for name in rest[0].phases}
    return {
        "step_s": statistics.median(step.seconds for step in rest),
        "tokens_per_s": sum(step.tokens for step in rest) / seconds,
        "answers_per_s": sum(step.answers for step in rest) / seconds,
        "tokens_per_answer": sum(step.tokens for step in rest) / sum(step.answers for step in rest),
        "first_step_s": first.seconds,
        **phases,
        "peak_mb": peak_mb,
    }


def compared(rows: Mapping[str, dict[str, float]], ours: str) -> dict[str, Any]:
    """Two rows and their ratio."""
    return {
        "trl": rows["trl"],
        "ours": rows[ours],
        "ratio": rows[ours]["tokens_per_s"] / rows["trl"]["tokens_per_s"],
    }


def projection(figures: Mapping[str, Any], answers_per_step: int) -> dict[str, Any]:
    """Hours that the published number of answers would take at the measured rates, with this model on this machine."""
    return {
        "answers": PUBLISHED_ANSWERS,
        "answers_per_step": answers_per_step,
        "published_answers_per_step": PUBLISHED_STEP,
        "assumes": "this model, machine, prompts and lengths; every step like the measured ones; no evaluation",
        "hours": {
            name: {side: PUBLISHED_ANSWERS / figures[name][side]["answers_per_s"] / 3600 for side in ("trl", "ours")}
            for name in figures
        },
    }


def random_model(name: str, directory: Path) -> str:
    """A checkpoint with random weights of a model's shape, and the shipped tokenizer."""
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    shape = SHAPES[name]
    tokenizer = AutoTokenizer.from_pretrained("assets/tiny-rust")
    config = Qwen2Config(
        vocab_size=shape["vocab"],
        hidden_size=shape["hidden_size"],
        intermediate_size=shape["mlp"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"],
        max_position_embeddings=32_768,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(directory / name)
    tokenizer.save_pretrained(directory / name)
    return str(directory / name)


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | | step s | tokens/s | answers/s | decode s | rewards s | train s | first step s | peak MB | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    keys = (
        "step_s",
        "tokens_per_s",
        "answers_per_s",
        "decode_s",
        "wait_rewards_s",
        "train_s",
        "first_step_s",
        "peak_mb",
    )
    for name, figure in figures.items():
        for side in ("trl", "ours") if "ratio" in figure else ():
            cells = [f"{figure[side][key]:.4g}" for key in keys]
            ratio = f"{figure['ratio']:.2f}" if side == "ours" else ""
            lines.append(f"| {name} | {side} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
