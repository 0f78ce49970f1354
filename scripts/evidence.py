"""Train the quickstart with several seeds and its control, ask every model the same questions, and write what came out.

Usage:
    python scripts/evidence.py [--study gains|rewards|overlap] [--seeds N] [--steps N] [--only-report] ...

`--study gains` (the default) writes docs/evidence.md and docs/evidence.svg: three seeds of the recipe, and three of the
control whose advantages are shuffled. `--study rewards` writes docs/rewards_study.md: other rewards and group sizes on
the same number of completions, one seed each. `--study overlap` writes docs/overlap.md and docs/overlap.svg: three seeds
with every batch sampled by the weights that learn from it, and three with batches sampled one update ahead. Hours of
work are kept in --runs: the same command goes on where it was stopped, and makes nothing twice. Runs go two at once,
each with one thread for torch and one for the sandbox.

Example:
    python scripts/evidence.py --steps 2 --seeds 1 --prompts 10 --samples 2 --runs runs/try --docs runs/try
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grpo.errors import HostFailed
from study.arms import CONTROL, DESIGNS, GRPO, OVERLAP
from study.completions import CHECKS, by_prompt, check, num_tokens, passes_at, read_completions, strict_but_wrong
from study.curves import Panel, draw, read_curve
from study.gains import Gain, paired_gain
from study.pages import by_seed_table, design_table, gains_table, verdicts
from study.running import Job, Question, Run, evaluation_job, perform, training_job
from tiny.diagnosis import CLASSES, mistake_of

RECIPE = "scripts/recipes/tiny.toml"
ONE_OF_TWO = ("train.threads=1", "sandbox.jobs=1")  # of the machine's cores: another run has the rest
PANELS = (("builds", "check/build", 100.0), ("passes its own tests", "check/test_strict", 100.0))


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is not done yet, and write the pages."""
    options = arguments(argv)
    question = Question("eval", "assets/tasks/eval.jsonl", options.prompts, options.samples)
    try:
        if options.study == "rewards":
            arms = [Run(arm, seed, options.runs) for arm in DESIGNS for seed in range(options.seeds or 1)]
            work(arms, question, options)
            write(options.docs / "rewards_study.md", rewards_page(arms, question, options))
        elif options.study == "overlap":
            runs, ahead = (
                [Run(arm, seed, options.runs) for seed in range(options.seeds or 3)] for arm in (GRPO, OVERLAP)
            )
            work([*runs, *ahead], question, options)
            write(options.docs / "overlap.svg", picture(runs, ahead, "1 ahead"))
            write(options.docs / "overlap.md", overlap_page(runs, ahead, question, options))
        else:
            runs = [Run(GRPO, seed, options.runs) for seed in range(options.seeds or 3)]
            control = [Run(CONTROL, seed, options.runs) for seed in range(options.control_seeds)]
            harder = Question("harder", "assets/tasks/harder.jsonl", options.prompts, min(4, options.samples))
            work([*runs, *control], question, options)
            work(runs, harder, options)
            write(options.docs / "evidence.svg", picture(runs, control, "shuffled"))
            write(options.docs / "evidence.md", gains_page(runs, control, question, harder, options))
    except (HostFailed, OSError) as error:
        print(f"evidence: {error}", file=sys.stderr)
        return 3
    return 0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compare training runs and write what came out.")
    parser.add_argument("--study", choices=("gains", "rewards", "overlap"), default="gains", help="what is compared")
    parser.add_argument("--seeds", type=int, default=0, help="runs of each arm; 0: three, for rewards one")
    parser.add_argument("--control-seeds", type=int, default=3, help="runs of the control; 0: none")
    parser.add_argument("--steps", type=int, default=0, help="steps of every run; 0: as many as the recipe says")
    parser.add_argument("--prompts", type=int, default=200, help="held-out prompts that every model is asked")
    parser.add_argument("--samples", type=int, default=8, help="completions to each")
    parser.add_argument("--at-once", type=int, default=2, help="runs at the same time, one core each")
    parser.add_argument("--runs", type=Path, default=Path("runs/evidence"), help="where runs and completions are kept")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where the pages go")
    parser.add_argument("--only-report", action="store_true", help="run nothing, write the pages from what is there")
    options = parser.parse_args(argv)
    if options.prompts < 2 or options.samples < 1 or options.at_once < 1:
        parser.error("give at least 2 --prompts, 1 of --samples and 1 of --at-once")
    return options


def work(runs: Sequence[Run], question: Question, options: argparse.Namespace) -> None:
    """Train what is not trained, then ask what is not asked."""
    if options.only_report:
        return
    steps = (f"train.max_steps={options.steps}",) if options.steps else ()

    def say(text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)

    say(f"{question.name}: {len(runs)} runs, {sum(run.finished for run in runs)} of them trained before")
    jobs = [training_job(run, RECIPE, (*ONE_OF_TWO, *steps)) for run in runs]
    perform([warm_job(question, options.runs), *jobs], at_once=options.at_once, say=say)
    asked = [
        evaluation_job(run.name, run.completions(question), str(run.checkpoint()), question, RECIPE, ONE_OF_TWO)
        for run in runs
    ]
    perform(asked, at_once=options.at_once, say=say)


def warm(question: Question, folder: Path) -> Path:
    """Where the completions of the untrained model lie."""
    return folder / f"warm.{question.name}.jsonl"


def warm_job(question: Question, folder: Path) -> Job:
    """Ask the model that training starts from."""
    return evaluation_job("warm", warm(question, folder), "assets/tiny-rust", question, RECIPE, ONE_OF_TWO)


def gains_of(runs: Sequence[Run], question: Question) -> dict[str, Gain]:
    """What the runs of one arm gained: checks, length, pass@k, and the mistakes of each class."""
    before = read_completions(warm(question, runs[0].folder))
    after = [read_completions(run.completions(question)) for run in runs]
    values = {name: check(name) for name in CHECKS} | {"strict_but_wrong": strict_but_wrong, "tokens": num_tokens}
    gains = {
        name: paired_gain(by_prompt(before, value), [by_prompt(completions, value) for completions in after])
        for name, value in values.items()
    }
    strict = [by_prompt(completions, check("test_strict")) for completions in (before, *after)]
    for k in (1, 2, 4, 8):
        if k <= question.samples:
            gains[f"pass@{k}"] = paired_gain(passes_at(k, strict[0]), [passes_at(k, seed) for seed in strict[1:]])
    for kind in CLASSES:

        def shows(completion: Mapping[str, object], kind: str = kind) -> float:
            return float(mistake_of(completion) == kind)

        gains[kind] = paired_gain(by_prompt(before, shows), [by_prompt(completions, shows) for completions in after])
    return gains


def difference(runs: Sequence[Run], others: Sequence[Run], question: Question) -> dict[str, Gain]:
    """What other runs have beyond runs, all seeds of each together."""

    def together(arm: Sequence[Run]) -> list[Mapping[str, Any]]:
        return [completion for run in arm for completion in read_completions(run.completions(question))]

    values = {name: check(name) for name in CHECKS} | {"strict_but_wrong": strict_but_wrong, "tokens": num_tokens}
    one, other = together(runs), together(others)
    return {name: paired_gain(by_prompt(one, value), [by_prompt(other, value)]) for name, value in values.items()}


def only(gains: Mapping[str, Gain], names: Sequence[str]) -> dict[str, Gain]:
    """The named gains, in this order, where there are such."""
    return {name: gains[name] for name in names if name in gains}


MAIN = ("build", "clippy", "test_strict", "gold", "strict_but_wrong", "asserts", "tokens")
PASSES = ("pass@1", "pass@2", "pass@4", "pass@8")


def gains_page(
    runs: Sequence[Run], control: Sequence[Run], question: Question, harder: Question, options: argparse.Namespace
) -> str:
    """docs/evidence.md."""
    gains = gains_of(runs, question)
    dealt = gains_of(control, question) if control else None
    unseen = gains_of(runs, harder)
    parts = [
        "# Does it learn? Seeds and a control",
        facts(options, question, runs),
        "![Build and strict pass rate of the training batches, by step](evidence.svg)",
        "Lines: mean of the seeds over training batches, rolling over five steps; bands: lowest to highest seed.",
        "## Held-out prompts",
        gains_table(only(gains, MAIN), head=seeds(runs)),
        "The difference is paired by prompt and averaged over the seeds; ±: 95 % interval, clustered by "
        "prompt. The seeds:",
        by_seed_table(gains, [run.seed for run in runs]),
        "Own tests that pass and gold tests that fail, both at once: such a completion solves another problem than the "
        "one it was given, and tests that. Its reward cannot tell.",
        "## The targets",
        verdicts(gains, dealt),
        "## The control" if dealt else "",
        f"Advantages shuffled within the batch, everything else the same, {seeds(control)}:" if dealt else "",
        gains_table(only(dealt, MAIN), head="shuffled") if dealt else "",
        "## Learning, or only sharpening?",
        "The chance that at least one of k completions passes strictly. If only the first row grew, training "
        "would have made "
        "the model repeat what it could already do.",
        gains_table(only(gains, PASSES), head="strict"),
        "## Which mistakes went away",
        "Share of completions that show each class of mistake, as the compiler tells it "
        "(`scripts/tiny/diagnosis.py`). The first "
        "seven were planted in the warm start's demonstrations; `expected` is a test of the completion that "
        "expects a wrong "
        "value of right code, `operator` is code that computes something else.",
        gains_table(only(gains, CLASSES), head="class"),
        "## Operations never seen",
        f"{harder.prompts} prompts x {harder.samples} that ask for one of sixteen operations that neither the "
        "warm start nor "
        "training has seen (no target):",
        gains_table(only(unseen, MAIN), head="harder set"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def overlap_page(runs: Sequence[Run], ahead: Sequence[Run], question: Question, options: argparse.Namespace) -> str:
    """docs/overlap.md."""
    gains, gains_ahead = gains_of(runs, question), gains_of(ahead, question)
    between = difference(runs, ahead, question)
    numbers = [run.seed for run in runs]
    parts = [
        "# Does sampling ahead hurt?",
        facts(options, question, runs),
        "Two arms of equal steps: `rollout.overlap = 0`, where a batch is sampled by the weights that learn from it, "
        "and 1, where those weights are one update older and completions are reweighted per token (`loss.mismatch = "
        '"auto"`).',
        "![Build and strict pass rate of the training batches, by step](overlap.svg)",
        "Every prompt's completions of all seeds together, one ahead minus none:",
        gains_table(only(between, MAIN), head="trained", sides=("overlap = 0", "overlap = 1")),
        "## overlap = 0",
        gains_table(only(gains, MAIN), head=seeds(runs)),
        by_seed_table(gains, numbers),
        "## overlap = 1",
        gains_table(only(gains_ahead, MAIN), head=seeds(ahead)),
        by_seed_table(gains_ahead, numbers),
    ]
    return "\n\n".join(parts) + "\n"


def rewards_page(runs: Sequence[Run], question: Question, options: argparse.Namespace) -> str:
    """docs/rewards_study.md."""
    designs: dict[str, tuple[str, Mapping[str, Gain], float]] = {}
    arms: dict[str, list[Run]] = {}
    for run in runs:
        arms.setdefault(run.arm.name, []).append(run)
    for name, same in arms.items():
        entropy = read_curve(name, [run.path / "metrics.jsonl" for run in same], "policy/entropy")
        last = sum(seed[-1] for seed in entropy.smooth()) / len(same)
        designs[name] = (same[0].arm.meaning, gains_of(same, question), last)
    warm_row = gains_of(next(iter(arms.values())), question)
    start = ", ".join(f"{name} {100 * warm_row[name].before:.1f} %" for name in ("build", "test_strict", "gold"))
    parts = [
        "# What to pay for: reward designs on an equal budget",
        facts(options, question, runs),
        f"Before training: {start}, {warm_row['asserts'].before:.2f} asserts and "
        f"{warm_row['tokens'].before:.0f} tokens an "
        "completion. Rates are differences in points, paired by prompt, ±: 95 % interval; asserts, tokens and "
        "entropy (nats a "
        "token, mean of the last five steps) are values at the end. One seed tells large differences only: "
        "seeds of one "
        "design differ by several points.",
        design_table(designs),
    ]
    return "\n\n".join(parts) + "\n"


def facts(options: argparse.Namespace, question: Question, runs: Sequence[Run]) -> str:
    """What was run, on what."""
    environments = [json.loads((run.path / "environment.json").read_text(encoding="utf-8")) for run in runs]
    commits = sorted({str((environment.get("commit") or {}).get("id"))[:7] for environment in environments})
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()[1:2]
    num_steps = sum(1 for _ in open(runs[0].path / "metrics.jsonl", encoding="utf-8"))
    command = shlex.join(["python", "scripts/evidence.py", *sys.argv[1:]])
    return (
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}, trained at {', '.join(commits)}: {num_steps} steps "
        f"of 128 completions a run, {question.prompts} held-out prompts x {question.samples} completions at temperature 1, the "
        f"same sampling seed before and after. {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, Rust {' '.join(rust) or 'of the project'}; {options.at_once} runs at "
        "once, a core each. A toy model of three million parameters on generated tasks: it shows that the trainer "
        "learns, not how much a real model would gain."
    )


def seeds(runs: Sequence[Run]) -> str:
    """How many, in words."""
    return "1 seed" if len(runs) == 1 else f"{len(runs)} seeds"


def picture(runs: Sequence[Run], others: Sequence[Run], other: str) -> str:
    """Curves of the recipe beside those of another arm."""
    panels = []
    for title, key, scale in (*PANELS, ("asserts a completion", "check/asserts", 1.0)):
        curves = [read_curve("GRPO", [run.path / "metrics.jsonl" for run in runs], key)]
        if others:
            curves.append(read_curve(other, [run.path / "metrics.jsonl" for run in others], key))
        panels.append(Panel(title, tuple(curves), scale))
    return draw(panels, f"Training batches of the quickstart by step: GRPO, and {other}")


def write(path: Path, text: str) -> None:
    """Write a page and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
