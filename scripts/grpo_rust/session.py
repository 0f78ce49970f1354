"""One session of a run: its directory, the progress bar, Ctrl-C, and what is written at the end.

A run has several sessions where it is stopped and resumed. `scripts/train.py` and `scripts/sft.py` share this frame.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tqdm import tqdm

from grpo.run.directory import RunDirectory
from grpo.run.provenance import environment
from grpo.schema import to_toml
from grpo_rust.cli import ExitCode
from grpo_rust.recipe import Recipe
from sandbox.terminal import forget_output
from sandbox.workers.pool import SandboxPool

if TYPE_CHECKING:
    from grpo.training_loop import TrainingLoop

__all__ = ["ENGINE_LOG", "go_on", "open_run", "run_session", "stopped_early", "summarise"]

ENGINE_LOG = "engine.log"  # in the run's directory


def go_on(path: Path) -> str:
    """The command that resumes a run, by the script that runs now."""
    script = f"scripts/{Path(sys.argv[0]).stem}.py"
    return f"python {script} run.resume=true {shlex.quote(f'run.dir={path}')}"


def stopped_early(name: str, path: Path, run: Callable[[], int]) -> int:
    """Call `run`; where Ctrl-C or a reader that went away ends it at once, say what is left of the run.

    Args:
        name: The script's name.
        path: The run's directory.
        run: Trains; its exit code is returned.
    """
    try:
        return run()
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        forget_output()
    if any((path / "checkpoints").glob("step-*")):
        print(f"{name}: stopped at once; go on from the last checkpoint: {go_on(path)}", file=sys.stderr)
        return ExitCode.STOPPED
    print(f"{name}: interrupted before the first checkpoint: there is nothing to go on from", file=sys.stderr)
    return ExitCode.INTERRUPTED


def open_run(recipe: Recipe, pool: SandboxPool | None) -> RunDirectory:
    """The run's directory, made or, for a run that is resumed, opened; without a pool nothing is graded."""
    if recipe.run.resume:
        return RunDirectory.resume(
            recipe.run_path(), config_toml=to_toml(recipe.as_begun()), completions=recipe.log.completions
        )
    return RunDirectory.create(
        recipe.run_path(),
        config_toml=to_toml(recipe),
        environment=environment(
            argv=sys.argv,
            grader={"rust": pool.toolchain.version, "isolation": str(pool.isolation)} if pool else {},
            packages=("tree-sitter", "tree-sitter-rust"),
        ),
        completions=recipe.log.completions,
    )


def run_session(
    trainer: TrainingLoop, first_step: int, *, shown: Callable[[Mapping[str, float]], dict[str, str]]
) -> int:
    """Train, with a bar; then write the summary and the report, unless the run was stopped. The exit code.

    Args:
        trainer: What trains.
        first_step: 1 for a new run.
        shown: What the bar shows of a step's metrics.
    """
    from grpo_rust.report import write_report

    path, num_steps = trainer.run.path, trainer.schedule.num_steps
    stop = _StopRequest()
    with tqdm(total=num_steps, initial=first_step - 1, unit="step", dynamic_ncols=True) as bar:

        def on_step(step: int, metrics: Mapping[str, float]) -> None:
            bar.set_postfix(shown(metrics), refresh=False)
            bar.update()

        finished = trainer.train(first_step=first_step, should_stop=stop.requested, on_step=on_step, say=bar.write)
    if not finished:
        print(f"stopped; go on with: {go_on(path)}")
        return ExitCode.STOPPED
    summarise(trainer.run, steps=num_steps, seconds=trainer.seconds)
    print(f"report    {write_report(path)}")
    return ExitCode.DONE


class _StopRequest:
    """Ctrl-C or SIGTERM once: finish the step, save, stop. Twice: stop at once, back to the last checkpoint."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def requested(self) -> bool:
        """Whether someone asked."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        os.write(sys.stderr.fileno(), b"\nstopping after this step; once more to stop at once\n")


def summarise(run: RunDirectory, *, steps: int, seconds: float) -> None:
    """Write summary.json and, where there was an evaluation, print the table before / after."""
    from grpo_rust.report import closing_table
    from grpo_rust.report.table import summary_rates

    evaluations = run.evaluations()
    before, after = (evaluations[0], evaluations[-1]) if evaluations else ({}, {})
    run.write_summary(
        {
            "before": summary_rates(before),
            "after": summary_rates(after),
            "steps": steps,
            "seconds": round(seconds, 1),
            "num_prompts": after.get("num_prompts", 0),
            "num_samples": after.get("num_samples", 0),
        }
    )
    if evaluations:
        print(closing_table(before, after))
