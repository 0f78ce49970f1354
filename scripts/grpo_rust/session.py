"""One session of a run: its directory, what shows and follows it, Ctrl-C, and what is written at the end.

A run has several sessions where it is stopped and resumed. `scripts/train.py` and `scripts/sft.py` share this frame.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO, cast

from grpo.checkpoint.places import find_checkpoints
from grpo.config import TrackSection
from grpo.run.directory import RunDirectory
from grpo.run.provenance import environment
from grpo.run.stuck import Watchdog
from grpo.schema import to_toml
from grpo_rust.cli import ExitCode
from grpo_rust.ranks.restarting import forget_end, torchrun_mark
from grpo_rust.recipe import Recipe
from grpo_rust.terminal.outlook import Outlook
from grpo_rust.terminal.outputs import BarOutput, Output
from grpo_rust.terminal.telling import Teller
from sandbox.service.grading_pool import GradingPool
from sandbox.terminal import LastingOutput

if TYPE_CHECKING:
    from grpo.training_loop import TrainingLoop
    from grpo_rust.following.process import FollowerProcess

__all__ = [
    "ENGINE_LOG",
    "StopRequest",
    "describe_followers",
    "go_on",
    "open_run",
    "refuse_followers",
    "run_session",
    "stopped_early",
    "summarise",
]

ENGINE_LOG = "engine.log"  # in the run's directory
AT_ONCE_S = 15.0  # after the second signal, for what closes engines and sandboxes


def go_on(path: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The command that resumes a run, by the script that runs now; of several machines on each, with its number N."""
    script = f"scripts/{Path(sys.argv[0]).stem}.py"
    ranks, machines = (environment.get(name, "1") for name in ("LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"))
    program = "python" if ranks == machines == "1" else f"torchrun --nproc-per-node {ranks}"
    if machines != "1":
        program += f" --nnodes {machines} --node-rank N --master-addr {environment.get('MASTER_ADDR', 'HOST')}"
    return f"{program} {script} run.resume=true {shlex.quote(f'run.dir={path}')}"


def stopped_early(name: str, path: Path, run: Callable[[], int]) -> int:
    """Call `run`; where a signal ends it at once, say what is left of the run. A reader that goes away ends nothing.

    Args:
        name: The script's name.
        path: The run's directory.
        run: Trains; its exit code is returned.
    """
    with redirect_stdout(cast(TextIO, LastingOutput(sys.stdout))), redirect_stderr(
        cast(TextIO, LastingOutput(sys.stderr))
    ):
        try:
            for number in stop_signals():
                signal.signal(number, _interrupt)  # while the model loads; `StopRequest` comes with the first step
            code = run()
            restarted = "TORCHELASTIC_RUN_ID" in os.environ  # torchrun starts what fails anew
            return ExitCode.DONE if code == ExitCode.STOPPED and restarted else code
        except KeyboardInterrupt:
            text, code = _left_of(path, "stopped at once")
            print(f"{name}: {text}", file=sys.stderr, flush=True)
            return code


def stop_signals() -> list[signal.Signals]:
    """What asks a run to stop: Ctrl-C, SIGTERM, and a terminal that goes away, unless that is ignored (nohup)."""
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop what is being done; nothing more can be asked then."""
    for one in stop_signals():
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _left_of(path: Path, why: str) -> tuple[str, ExitCode]:
    """What to say of a run that ended early, and the exit code."""
    if find_checkpoints(path / "checkpoints"):
        return f"{why}; go on from the last checkpoint: {go_on(path)}", ExitCode.STOPPED
    return "interrupted before the first checkpoint: there is nothing to go on from", ExitCode.INTERRUPTED


def open_run(recipe: Recipe, pool: GradingPool | None) -> RunDirectory:
    """The run's directory, made or, for a run that is resumed, opened; without a pool nothing is graded."""
    if recipe.run.resume:
        run = RunDirectory.resume(
            recipe.run_path(), config_toml=to_toml(recipe.as_begun()), completions=recipe.log.completions
        )
        forget_end(run.path)
        return run
    graded_by = {"rust": pool.toolchain.version, "isolation": str(pool.isolation)} if pool else {}
    return RunDirectory.create(
        recipe.run_path(),
        config_toml=to_toml(recipe),
        environment=environment(
            argv=sys.argv,
            grader=graded_by | torchrun_mark(),
            packages=("tree-sitter", "tree-sitter-rust"),
        ),
        completions=recipe.log.completions,
    )


def refuse_followers(track: TrackSection) -> None:
    """Check that what is to follow the run can be had. Raises: BadInput, with what to install or to give."""
    if names := track.followers():
        from grpo_rust.following.trackers import refuse_missing

        refuse_missing(names, online=track.mode == "online")
    if track.oxen:
        from grpo_rust.following.oxen import oxen_place

        oxen_place(Path("run"), track.oxen)


def describe_followers(track: TrackSection, path: Path) -> list[str]:
    """Lines for a person: what follows the run, and what was understood of where it sends. None where nothing does.

    Args:
        track: The settings.
        path: The run's directory.
    """
    lines = [f"trackers  {', '.join(track.trackers())}, {track.mode}"] if track.trackers() else []
    if track.oxen:
        from grpo_rust.following.oxen import oxen_place

        lines.append(f"oxen      {oxen_place(path, track.oxen)}")
    return lines


def run_session(
    trainer: TrainingLoop,
    first_step: int,
    *,
    shown: Callable[[Mapping[str, float]], dict[str, str]],
    output: Output | None = None,
    followed: bool = False,
    stuck_after_s: float = 0.0,
    asked_elsewhere: Callable[[], bool] = lambda: False,
) -> int:
    """Train, and show it; then write the summary and the report, unless the run was stopped. The exit code.

    Args:
        trainer: What trains.
        first_step: 1 for a new run.
        shown: What a person sees of a step's metrics.
        output: What shows the run; None: a bar.
        followed: Whether a process of its own feeds trackers with what the run logs.
        stuck_after_s: After which nothing that happens means that nothing ever will; 0: never.
        asked_elsewhere: Whether somebody asked another process of the run to stop.
    """
    output = output or BarOutput()
    path = trainer.run.path
    Watchdog(path, stuck_after_s)
    stop = StopRequest(trainer.pace.announcement, lambda: _left_of(path, "stopped at once"))
    teller = Teller(trainer, output, shown)
    with _following(path, output.say) if followed else nullcontext() as follower:

        def on_step(step: int, metrics: Mapping[str, float]) -> None:
            teller.on_step(step, metrics)
            if follower is not None:
                follower.listen()

        trainer.on_evaluation = teller.on_evaluation
        output.begin(first_step - 1, trainer.schedule.num_steps)
        with closing(output):
            finished = trainer.train(
                first_step=first_step,
                should_stop=lambda: stop.requested() or asked_elsewhere(),
                on_step=on_step,
                say=output.say,
            )
            teller.on_end()
        return _end(trainer, output, expected=teller.first, finished=finished)


def _end(trainer: TrainingLoop, output: Output, *, expected: Outlook | None, finished: bool) -> int:
    """Write summary and report of a run that is complete, or say how to go on with it. The exit code."""
    from grpo_rust.report import write_report

    path, num_steps = trainer.run.path, trainer.schedule.num_steps
    cost = trainer.limits.cost(trainer.seconds)
    figures = {"seconds": round(trainer.seconds, 1), "usd": None if cost is None else round(cost, 4)}
    if not finished:
        paid = "" if cost is None else f" and {cost:.2f} dollars"
        print(f"stopped after {trainer.seconds / 60:,.1f} minutes{paid}; go on with: {go_on(path)}")
        output.end("stopped", {**figures, "go_on": go_on(path)})
        return ExitCode.STOPPED
    summarise(trainer.run, steps=num_steps, seconds=trainer.seconds, cost=cost, expected=expected)
    report = write_report(path)
    print(f"report    {report}")
    output.end("done", {**figures, "steps": num_steps, "report": str(report)})
    return ExitCode.DONE


def _following(path: Path, say: Callable[[str], None]) -> FollowerProcess:
    """The process that feeds trackers. Its module is loaded only where it is asked for."""
    from grpo_rust.following.process import FollowerProcess

    return FollowerProcess(path, say)


class StopRequest:
    """Ctrl-C, SIGTERM or SIGHUP once: finish the step, save, stop. Twice: stop at once, back to the last checkpoint.

    The second one raises KeyboardInterrupt. Where the main thread is in a call that does not come back to Python, that
    never happens: then a thread ends the process.
    """

    def __init__(self, announcement: Callable[[], str], left: Callable[[], tuple[str, ExitCode]]) -> None:
        """
        Args:
            announcement: What happens after the first signal, as text.
            left: What is said of the run after the second one, and the exit code.
        """
        self._asked = False
        self._announcement, self._left = announcement, left
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=self._insist, args=(reading,), daemon=True, name="signals").start()
        self._numbers = stop_signals()
        for number in self._numbers:
            signal.signal(number, self._on_signal)

    def requested(self) -> bool:
        """Whether someone asked."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            _interrupt(number, frame)
        self._asked = True
        text = f"\n{signal.Signals(number).name}: {self._announcement()}; once more to stop at once\n"
        with suppress(OSError):  # nobody reads it
            os.write(sys.stderr.fileno(), text.encode())

    def _insist(self, reading: int) -> None:
        """End the process some seconds after the second signal, if it is still there."""
        count = 0
        while count < 2:
            count += sum(number in self._numbers for number in os.read(reading, 16))
        time.sleep(AT_ONCE_S)
        text, code = self._left()
        with suppress(OSError):
            os.write(sys.stderr.fileno(), f"{Path(sys.argv[0]).stem}: {text}\n".encode())
        os._exit(code)


def summarise(
    run: RunDirectory, *, steps: int, seconds: float, cost: float | None = None, expected: Outlook | None = None
) -> None:
    """Write summary.json and, where there was an evaluation, print the table before / after.

    Args:
        run: The run's directory.
        steps: How many there were.
        seconds: How long they took.
        cost: In dollars; None where the price is not known.
        expected: What was expected after the first steps.
    """
    from grpo_rust.report import closing_table
    from grpo_rust.report.table import summary_rates

    evaluations = run.evaluations()
    before, after = (evaluations[0], evaluations[-1]) if evaluations else ({}, {})
    record = expected.record() if expected is not None else {}
    total = expected.total_s if expected is not None else None
    run.write_summary(
        {
            "before": summary_rates(before),
            "after": summary_rates(after),
            "steps": steps,
            "seconds": round(seconds, 1),
            "seconds_expected": None if total is None else round(total, 1),
            "usd": None if cost is None else round(cost, 2),
            "usd_expected": record.get("usd_expected"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "num_prompts": after.get("num_prompts", 0),
            "num_samples": after.get("num_samples", 0),
        }
    )
    if evaluations:
        print(closing_table(before, after))
