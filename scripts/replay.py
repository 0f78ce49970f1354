"""Make a training step that was stopped once more, alone, and say which completion and which parameter are to blame.

Usage:
    python scripts/replay.py DUMP [section.key=value ...]

DUMP is a directory below RUN/dumps: an ordinary checkpoint and the step's batch. Nothing is sampled, graded or changed.
Exit codes: 0 the step has the numbers that the dump says, 1 it has others, 2 bad input, 3 the host failed.

Example:
    python scripts/replay.py runs/first/dumps/step-000012
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import load_recipe

if TYPE_CHECKING:
    from grpo.watch.replaying import Replay

SHOWN = 5  # completions and parameters
HEAD = 60  # characters of a text


@command("replay")
def main(argv: Sequence[str] | None = None) -> int:
    """Replay a dump; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path, metavar="DUMP")
    parser.add_argument("overrides", nargs="*", metavar="section.key=value")
    arguments = parser.parse_args(argv)
    from grpo.checkpoint.updater_state import load_trainer_state
    from grpo.watch.replaying import read_batch, replay
    from grpo_rust.compose.policy import load_trained_policy
    from grpo_rust.compose.updater import build_updater

    dump: Path = arguments.dump
    record = read_batch(dump)
    print(f"step {record['step']}: {record['finding']['name']}")
    print(record["finding"]["text"])
    if record["update"] is None:
        print("The step was stopped before its update: there is nothing to make again.")
        return ExitCode.DONE
    recipe = load_recipe(dump / "config.toml", arguments.overrides)
    updater = build_updater(recipe, load_trained_policy(recipe, dump), num_steps=max(1, recipe.train.max_steps))
    load_trainer_state(dump, updater)
    again = replay(updater, record)
    show(again, record["update"])
    for difference in again.differences:
        print(f"different: {difference}")
    print("different numbers than the dump's" if again.differences else "the same numbers as the dump's")
    return ExitCode.CHECK_FAILED if again.differences else ExitCode.DONE


def show(again: Replay, update: Mapping[str, Any]) -> None:
    """Print the numbers of a step, the worst completions and the largest gradients."""
    print(f"update {update['number']} of the batch: loss {again.loss!r}, gradient norm {again.grad_norm!r}")
    for index, part in enumerate(again.micro_batches):
        numbers = "  ".join(f"{name} {value:.6g}" for name, value in part.items())
        print(f"micro-batch {index}: {numbers}")
    for one in again.blamed[:SHOWN]:
        bad = "" if one.first_bad is None else f"  first non-finite log-prob at token {one.first_bad}"
        numbers = f"advantage {one.advantage:.4g}, largest ratio {one.largest_ratio:.6g}"
        print(f"completion {one.id}: {numbers}{bad}  {one.text[:HEAD]!r}")
    for name, norm in again.gradients[:SHOWN]:
        print(f"gradient of {name}: {norm:.6g}")


if __name__ == "__main__":
    sys.exit(main())
