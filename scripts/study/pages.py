"""The pages in docs/ as Markdown: the texts around the tables."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence

from study.comparisons import difference, gains_of
from study.curves import Panel, draw, read_curve
from study.equal_time import LAST, Timed, equal_time_table
from study.gains import Gain
from study.running import HeldOutSet, TrainingRun
from study.tables import by_seed_table, design_table, gains_table, verdicts
from tiny.diagnosis import CLASSES

__all__ = ["curves", "gains_page", "how_made", "overlap_page", "partial_page", "rewards_page"]

MAIN = ("build", "clippy", "test_strict", "gold", "strict_but_wrong", "asserts", "tokens")
PASSES = ("pass@1", "pass@2", "pass@4", "pass@8")
PANELS = (  # title, metric, and what it is multiplied with
    ("builds", "check/build", 100.0),
    ("passes its own tests", "check/test_strict", 100.0),
    ("asserts a completion", "check/asserts", 1.0),
)


def gains_page(
    runs: Sequence[TrainingRun],
    control: Sequence[TrainingRun],
    held_out: HeldOutSet,
    harder: HeldOutSet,
    *,
    made: str,
) -> str:
    """docs/evidence.md.

    Args:
        runs: The recipe with several seeds.
        control: The control with several seeds; empty for none.
        held_out: The evaluation's prompts.
        harder: Prompts about operations that training does not have.
        made: The text of `how_made`.
    """
    gains = gains_of(runs, held_out)
    shuffled = gains_of(control, held_out) if control else None
    unseen = gains_of(runs, harder)
    parts = [
        f"# Does it learn? {'Seeds and a control' if control else 'By seed'}",
        made,
        "![Build and strict pass rate of the training batches, by step](images/evidence.svg)",
        "Lines: mean of the seeds over training batches, rolling over five steps; bands: lowest to highest seed.",
        "## Held-out prompts",
        gains_table(_only(gains, MAIN), head=_seeds(runs)),
        "The difference is paired by prompt and averaged over the seeds; ±: 95 % interval, clustered by prompt. "
        "The seeds:",
        by_seed_table(gains, [run.seed for run in runs]),
        "Own tests that pass and gold tests that fail, both at once: such a completion solves another problem than the "
        "one it was given, and tests that. Its own tests cannot tell.",
        "## The targets",
        verdicts(gains, shuffled),
        *_control_part(control, shuffled),
        "## Learning, or only sharpening?",
        "The chance that at least one of k completions passes strictly. If only the first row grew, training would "
        "have made the model repeat what it could already do.",
        gains_table(_only(gains, PASSES), head="strict"),
        "## Which mistakes went away",
        "Share of completions that show each class of mistake, as the compiler tells it (`scripts/tiny/diagnosis.py`). "
        "The first seven were planted in the warm start's demonstrations; `expected` is a test of the completion that "
        "expects a wrong value of right code, `operator` is code that computes something else.",
        gains_table(_only(gains, CLASSES), head="class"),
        "## Operations never seen",
        f"{harder.prompts} prompts x {harder.samples} that ask for one of sixteen operations that neither the warm "
        "start nor training has seen (no target):",
        gains_table(_only(unseen, MAIN), head="harder set"),
    ]
    return "\n\n".join(parts) + "\n"


def _control_part(control: Sequence[TrainingRun], gains: Mapping[str, Gain] | None) -> list[str]:
    """The section about the control; nothing where there is none."""
    if gains is None:
        return []
    return [
        "## The control",
        f"Advantages shuffled within the batch, everything else the same, {_seeds(control)}:",
        gains_table(_only(gains, MAIN), head="shuffled"),
    ]


def overlap_page(runs: Sequence[TrainingRun], ahead: Sequence[TrainingRun], held_out: HeldOutSet, *, made: str) -> str:
    """docs/studies/overlap.md.

    Args:
        runs: The recipe with several seeds.
        ahead: The same with every batch sampled one update ahead.
        held_out: The evaluation's prompts.
        made: The text of `how_made`.
    """
    gains, gains_ahead = gains_of(runs, held_out), gains_of(ahead, held_out)
    between = difference(runs, ahead, held_out)
    numbers = [run.seed for run in runs]
    parts = [
        "# Does sampling ahead hurt?",
        made,
        "Two arms of equal steps: `rollout.overlap = 0`, where a batch is sampled by the weights that learn from it, "
        "and 1, where those weights are one update older and completions are reweighted per token (`loss.mismatch = "
        '"auto"`).',
        "![Build and strict pass rate of the training batches, by step](../images/overlap.svg)",
        "Every prompt's completions of all seeds together, one ahead minus none:",
        gains_table(_only(between, MAIN), head="trained", sides=("overlap = 0", "overlap = 1")),
        "## overlap = 0",
        gains_table(_only(gains, MAIN), head=_seeds(runs)),
        by_seed_table(gains, numbers),
        "## overlap = 1",
        gains_table(_only(gains_ahead, MAIN), head=_seeds(ahead)),
        by_seed_table(gains_ahead, numbers),
    ]
    return "\n\n".join(parts) + "\n"


def partial_page(arms: Sequence[Sequence[TrainingRun]], held_out: HeldOutSet, *, made: str) -> str:
    """The results in docs/scale/partial.md.

    Args:
        arms: The runs of each arm; the first is what the others are compared with.
        held_out: The evaluation's prompts.
        made: The text of `how_made`.
    """
    first, *others = arms
    timed = [_timed(runs) for runs in arms]
    budget = min(sum(arm.seconds) for arm in timed)
    parts = [
        made,
        "\n".join(f"- `{runs[0].arm.name}`: {runs[0].arm.meaning}" for runs in arms),
        f"Equal steps, from the untrained model to the end of `{first[0].arm.name}`, on held-out prompts:",
        gains_table(_only(gains_of(first, held_out), MAIN), head=_seeds(first)),
    ]
    for runs in others:
        sides = (first[0].arm.name, runs[0].arm.name)
        between = difference(first, runs, held_out)
        parts += [f"`{sides[1]}` beside it:", gains_table(_only(between, MAIN), head="trained", sides=sides)]
    parts += [
        f"Equal time, {budget / 60:.1f} minutes, which the fastest arm takes for all of its steps; rates are of the "
        f"training batches, the mean of the {LAST} steps before it is up:",
        equal_time_table(timed, budget),
    ]
    return "\n\n".join(parts) + "\n"


def _timed(runs: Sequence[TrainingRun]) -> Timed:
    """The runs of an arm, a step's seconds the mean of them."""
    logs = [run.metrics for run in runs]
    name = runs[0].arm.name
    seconds = [sum(step) / len(step) for step in zip(*read_curve(name, logs, "time/step").seeds, strict=False)]
    metrics = {"build": "check/build", "strict": "check/test_strict", "gold": "check/gold"}
    return Timed(name, seconds, {rate: read_curve(name, logs, key).seeds for rate, key in metrics.items()})


def rewards_page(runs: Sequence[TrainingRun], held_out: HeldOutSet, *, made: str) -> str:
    """docs/studies/rewards.md.

    Args:
        runs: Runs of several reward designs.
        held_out: The evaluation's prompts.
        made: The text of `how_made`.
    """
    designs: dict[str, tuple[str, Mapping[str, Gain], float]] = {}
    arms: dict[str, list[TrainingRun]] = {}
    for run in runs:
        arms.setdefault(run.arm.name, []).append(run)
    for name, same in arms.items():
        entropy = read_curve(name, [run.metrics for run in same], "policy/entropy")
        last = sum(seed[-1] for seed in entropy.smooth()) / len(same)
        designs[name] = (same[0].arm.meaning, gains_of(same, held_out), last)
    _, any_gains, _ = next(iter(designs.values()))
    start = ", ".join(f"{name} {100 * any_gains[name].before:.1f} %" for name in ("build", "test_strict", "gold"))
    parts = [
        "# What to pay for: reward designs on an equal budget",
        made,
        f"Before training: {start}, {any_gains['asserts'].before:.2f} asserts and {any_gains['tokens'].before:.0f} "
        "tokens a completion. Rates are differences in points, paired by prompt, ±: 95 % interval; asserts, tokens and "
        "entropy (nats a token, mean of the last five steps) are values at the end. One seed tells large differences "
        "only: seeds of one design differ by several points.",
        design_table(designs),
    ]
    return "\n\n".join(parts) + "\n"


def how_made(commits: Iterable[str], num_steps: int, held_out: HeldOutSet, *, command: str, at_once: int) -> str:
    """What was run, on which commit and machine.

    Args:
        commits: Those that the runs were trained at.
        num_steps: Of a run.
        held_out: The evaluation's prompts.
        command: The command line that makes the page.
        at_once: How many runs share the machine.
    """
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()[1:2]
    shared = f"{at_once} runs at once, a core each" if at_once > 1 else "one run at a time"
    return (
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}, trained at {', '.join(sorted(set(commits)))}: "
        f"{num_steps} steps of 128 completions a run, {held_out.prompts} held-out prompts x {held_out.samples} "
        "completions at temperature 1, the same sampling seed before and after. "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"Rust {' '.join(rust) or 'of the project'}; {shared}. A toy model of three million "
        "parameters on generated tasks: it shows that the trainer learns, not how much a real model would gain."
    )


def curves(runs: Sequence[TrainingRun], others: Sequence[TrainingRun], other: str) -> str:
    """Metrics of the training batches by step as SVG, the recipe beside another arm.

    Args:
        runs: The recipe with several seeds.
        others: The other arm; empty for none.
        other: The other arm's name in the picture.
    """
    panels = []
    for title, key, scale in PANELS:
        drawn = [read_curve("GRPO", [run.metrics for run in runs], key)]
        if others:
            drawn.append(read_curve(other, [run.metrics for run in others], key))
        panels.append(Panel(title, tuple(drawn), scale))
    return draw(panels, f"Training batches by step: GRPO, and {other}")


def _only(gains: Mapping[str, Gain], names: Sequence[str]) -> dict[str, Gain]:
    """The named gains, in this order, where there are such."""
    return {name: gains[name] for name in names if name in gains}


def _seeds(runs: Sequence[TrainingRun]) -> str:
    return "1 seed" if len(runs) == 1 else f"{len(runs)} seeds"
