"""A run that is asked to stop, or that reaches a limit, saves what it has and goes on to the same end."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grpo.checkpoint.latest import latest_checkpoint
from grpo.model.policy import Policy
from grpo.run.directory import RunDirectory
from grpo.run.stopping import Pace, RunLimits
from grpo.trainer import Trainer
from test_trainer import lines, make_trainer, new_run, train

HOUR = 3600.0
MakePolicy = Callable[..., Policy]


class Asked:
    """Somebody who asks to stop, from the moment that something happens."""

    def __init__(self) -> None:
        self.now = False
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def run_until(trainer: Trainer, asked: Asked, *, first_step: int = 1) -> tuple[bool, list[int]]:
    """Train until the end or until somebody asks; whether the run is complete, and the steps that were done."""
    steps: list[int] = []
    complete = trainer.train(
        first_step=first_step,
        should_stop=lambda: asked.now,
        on_step=lambda step, metrics: steps.append(step),
        say=asked.say,
    )
    return complete, steps


def finish(make_policy: MakePolicy, path: Path, **settings: Any) -> list[int]:
    """Resume a run and train to its end; the steps that were done."""
    checkpoint = latest_checkpoint(path / "checkpoints")
    with RunDirectory.resume(path) as run:
        trainer = make_trainer(make_policy(), run, **settings)
        trainer.updater.policy.model.load_state_dict(_weights(checkpoint), strict=False)
        complete, steps = run_until(trainer, Asked(), first_step=trainer.resume(checkpoint))
    assert complete
    return steps


def _weights(checkpoint: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(checkpoint / "model.safetensors")


def texts(path: Path) -> list[tuple[object, object]]:
    return [(line["id"], line["text"]) for line in lines(path / "completions.jsonl")]


def of_steps(path: Path) -> list[int]:
    return sorted(int(found.name[5:]) for found in (path / "checkpoints").glob("step-*"))


@pytest.mark.parametrize("step", [0, 2])
def test_an_evaluation_in_which_somebody_asks_is_given_up_and_repeated(
    make_policy: MakePolicy, tmp_path: Path, step: int
) -> None:
    """Before the first step too: what is saved then is a run in which nothing was trained."""
    settings = {"num_steps": 3, "eval_every": 2}
    with new_run(tmp_path / "whole") as run:
        assert train(make_trainer(make_policy(), run, **settings))
    path, asked = tmp_path / "stopped", Asked()
    with new_run(path) as run:
        trainer = make_trainer(make_policy(), run, **settings)
        evaluation = trainer.evaluate
        assert evaluation is not None
        counted: list[int] = []

        def interrupted(number: int, should_stop: Callable[[], bool]) -> Any:
            def asks() -> bool:
                counted.append(1)
                asked.now = number == step and len(counted) > 2
                return should_stop()

            counted.clear()
            return evaluation(number, asks)

        trainer.evaluate = interrupted
        assert run_until(trainer, asked) == (False, list(range(1, step + 1)))
    assert len(counted) == 3, "it is not sampled to its end"
    assert (path / "evals.jsonl").exists() == (step > 0), "nothing of what was given up is recorded"
    assert of_steps(path) == [step]
    assert finish(make_policy, path, **settings) == list(range(step + 1, 4))
    assert texts(path) == texts(tmp_path / "whole")


def test_asked_during_a_step_the_evaluation_after_it_waits_for_the_resume(
    make_policy: MakePolicy, tmp_path: Path
) -> None:
    asked = Asked()
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(make_policy(), run, num_steps=3, eval_every=1)
        step = trainer.recorded_step

        def interrupted(number: int) -> dict[str, float]:
            asked.now = number == 2
            return step(number)

        trainer.recorded_step = interrupted  # type: ignore[method-assign]
        assert run_until(trainer, asked) == (False, [1, 2])
        assert [line["step"] for line in run.evaluations()] == [0, 1]
    assert of_steps(tmp_path / "run") == [2] and "evaluating the weights after step 2" not in asked.said


def test_asked_in_the_last_step_of_a_run_without_evaluations_the_run_is_complete(
    make_policy: MakePolicy, tmp_path: Path
) -> None:
    asked = Asked()
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(make_policy(), run, num_steps=1, evaluates=False)
        asked.now = False
        save = trainer._save_checkpoint
        trainer._save_checkpoint = lambda step: (save(step), setattr(asked, "now", True))  # type: ignore[method-assign]
        assert run_until(trainer, asked) == (True, [1])


def test_a_checkpoint_that_is_there_is_not_written_again(make_policy: MakePolicy, tmp_path: Path) -> None:
    asked, written = Asked(), list[int]()
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(make_policy(), run, num_steps=3, evaluates=False, checkpoint_every=1)
        save = trainer._save_checkpoint

        def counted(step: int) -> None:
            written.append(step)
            save(step)
            asked.now = step == 2

        trainer._save_checkpoint = counted  # type: ignore[method-assign]
        assert run_until(trainer, asked) == (False, [1, 2])
    assert written == [1, 2]


@pytest.mark.parametrize("name", ["train.max_hours", "train.max_cost"])
def test_a_limit_stops_before_it_is_passed_and_again_at_once_after_a_resume(
    make_policy: MakePolicy, tmp_path: Path, name: str
) -> None:
    hours = 1.0
    limits = RunLimits(max_hours=hours) if name == "train.max_hours" else RunLimits(0.0, 2.0, usd_per_hour=2.0)
    path = tmp_path / "run"
    settings = {"num_steps": 3, "evaluates": False}
    with new_run(path) as run:
        trainer = make_trainer(make_policy(), run, **settings)
        trainer.limits, trainer.pace = limits, Pace({"step": [0.4 * HOUR], "checkpoint": [0.2 * HOUR]})
        step = trainer.recorded_step

        def slow(number: int) -> dict[str, float]:
            trainer.seconds_before += 0.3 * HOUR  # the time passes, and the pace of before is what is known
            return step(number)

        trainer.recorded_step = slow  # type: ignore[method-assign]
        trainer.pace.during = _unmeasured  # type: ignore[assignment]
        first = Asked()
        assert run_until(trainer, first) == (False, [1, 2])
        assert trainer.seconds < HOUR
    (said,) = first.said
    assert said.startswith(f"{name} = ") and f"resume it with a higher {name} to go on" in said
    with RunDirectory.resume(path) as run:
        trainer, again = make_trainer(make_policy(), run, **settings), Asked()
        trainer.limits = limits
        following = trainer.resume(latest_checkpoint(path / "checkpoints"))
        assert run_until(trainer, again, first_step=following) == (False, [])
    assert again.said == first.said and trainer.saved == 2
    assert finish(make_policy, path, **settings) == [3], "without the limit it goes on"


def _unmeasured(kind: str) -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_what_is_said_to_the_one_who_asks_is_what_is_going_to_happen() -> None:
    pace = Pace({"step": [30.0, 50.0], "checkpoint": [5.0], "evaluation": [600.0]})
    said = {}
    for kind in ("step", "evaluation", "checkpoint"):
        with pace.during(kind):
            said[kind] = pace.announcement()
    assert said["step"] == "finishing this step and saving, about 45 s"
    assert said["evaluation"] == "giving up the evaluation, which is repeated after the resume, and saving, about 5 s"
    assert said["checkpoint"] == "finishing the checkpoint, about 5 s"
    fresh = Pace()
    with fresh.during("step"):
        assert fresh.announcement() == "finishing the first step, of which nobody knows how long it takes, and saving"
        time.sleep(0.01)
    assert fresh.mean("step") == pytest.approx(0.01, abs=0.2)


def test_a_pace_survives_a_checkpoint_and_forgets_old_times() -> None:
    pace = Pace({"step": [100.0] * 20 + [1.0] * 8})
    assert pace.mean("step") == 1.0 and Pace(pace.to_json()).mean("step") == 1.0
    with pytest.raises(KeyError), pace.during("step"):
        raise KeyError
    assert pace.mean("step") == 1.0, "what was broken off is no time of a step"
