"""Comparing runs: hand-computed intervals, tables that say what the numbers say, curves that are well-formed."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from grpo.errors import HostFailed
from grpo_rust.arguments import parse_arguments
from study.arms import CONTROL, DESIGNS, HONEST, PARTIAL
from study.comparisons import difference
from study.completions import by_prompt, check, passes_at, strict_but_wrong
from study.curves import Curve, Panel, draw, read_curve
from study.gains import Gain, paired_gain
from study.running import Arm, Command, HeldOutSet, TrainingRun, run_all, training
from study.tables import by_seed_table, gains_table, verdicts

BEFORE = {"p": (0.0, 0.0), "q": (1.0, 1.0), "r": (0.0, 1.0)}
AFTER = {"p": (1.0, 0.0), "q": (1.0, 1.0), "r": (1.0, 1.0)}
TOLERANCE = 1e-12


def test_a_gain_is_paired_by_prompt() -> None:
    gain = paired_gain(BEFORE, [AFTER])
    deviation = math.sqrt(((0.5 - 1 / 3) ** 2 * 2 + (0 - 1 / 3) ** 2) / 2)  # of 0.5, 0 and 0.5
    assert gain.points == pytest.approx(1 / 3, abs=TOLERANCE)
    assert gain.half_width == pytest.approx(1.96 * deviation / math.sqrt(3), abs=TOLERANCE)
    unpaired = 1.96 * math.sqrt(2 * 0.25 / 3 + 2 * (1 / 12) / 3) / math.sqrt(2)
    assert abs(gain.half_width - unpaired) > 0.05, "the tolerance must tell paired from unpaired"


def test_seeds_are_averaged_and_each_is_shown() -> None:
    gain = paired_gain(BEFORE, [AFTER, BEFORE])
    assert gain.by_seed == pytest.approx((1 / 3, 0.0), abs=TOLERANCE)
    assert gain.points == pytest.approx(1 / 6, abs=TOLERANCE)


def test_prompts_that_one_side_lacks_are_left_out() -> None:
    assert paired_gain({**BEFORE, "s": (0.0,)}, [AFTER]).num_prompts == 3
    with pytest.raises(ValueError, match="1 prompts in common"):
        paired_gain({"p": (0.0,)}, [AFTER])


def test_completions_that_could_not_be_graded_are_left_out() -> None:
    lines = [{"task_id": "p", "checks": {"build": value}} for value in (1.0, None, 0.0)]
    assert by_prompt(lines, check("build")) == {"p": (1.0, 0.0)}


def test_pass_at_k_is_estimated_for_every_prompt() -> None:
    assert passes_at(2, {"p": (1.0, 0.0, 0.0, 0.0), "q": (0.0,)}) == {"p": (0.5,)}


def gain(before: float, after: float, half_width: float = 0.05) -> Gain:
    return Gain(before, after, half_width, (after - before,), 200)


def test_a_table_shows_rates_as_percentages_and_counts_as_they_are() -> None:
    table = gains_table({"build": gain(0.5, 0.75), "asserts": gain(2.0, 1.9, 0.1)}, head="arm")
    assert "| build | 50.0 % | 75.0 % | +25.0 ± 5.0 |" in table
    assert "| asserts a completion | 2.00 | 1.90 | −0.10 ± 0.10 |" in table
    assert "| build | +25.0 |" in by_seed_table(
        dict.fromkeys(("build", "clippy", "test_strict", "gold", "strict_but_wrong"), gain(0.5, 0.75)), [0]
    )


def test_a_completion_is_strict_but_wrong_when_its_own_tests_pass_and_the_gold_tests_do_not() -> None:
    found = {
        (s, g): strict_but_wrong({"checks": {"test_strict": s, "gold": g}})
        for s in (0.0, 1.0, None)
        for g in (0.0, 1.0, None)
    }
    assert [pair for pair, wrong in found.items() if wrong] == [(1.0, 0.0)]
    assert [pair for pair, wrong in found.items() if wrong is None] == [pair for pair in found if None in pair]


def test_verdicts_follow_from_the_numbers() -> None:
    good = {"build": gain(0.6, 0.8), "test_strict": gain(0.2, 0.46), "gold": gain(0.6, 0.9), "asserts": gain(2.0, 1.8)}
    assert "not reached" not in verdicts(good, {name: gain(0.6, 0.62) for name in good})
    short = {**good, "build": gain(0.6, 0.79, 0.3), "asserts": gain(2.0, 1.7)}
    told = verdicts(short, {name: gain(0.6, 0.7) for name in good})
    assert told.count("**not reached**") == 6  # the gain, its interval, the asserts, and three controls that learned


def test_every_arm_is_a_recipe_that_can_be_run(tmp_path: Path) -> None:
    for arm in (*DESIGNS, CONTROL, *HONEST, *PARTIAL):
        argv = training(TrainingRun(arm, 3, tmp_path), "scripts/recipes/tiny-own-tests.toml", ["train.threads=1"]).argv
        recipe = parse_arguments(argv[2:]).recipe
        assert (recipe.run.seed, recipe.eval.prompts, recipe.run.dir) == (3, 0, str(tmp_path / f"{arm.name}-3"))
        assert recipe.train.prompts_per_step * recipe.sampling.group_size == 128, "budgets must be equal"


def test_a_stopped_run_goes_on_and_a_finished_one_is_not_repeated(tmp_path: Path) -> None:
    run = TrainingRun(CONTROL, 0, tmp_path)
    for name in ("step-000002", "step-000002.bak", "step-01"):
        (run.path / "checkpoints" / name).mkdir(parents=True)
    command = training(run, "r.toml", [])
    assert "run.resume=true" in command.argv and "r.toml" not in command.argv and not command.done()
    (run.path / "summary.json").touch()
    assert command.done()
    assert run.checkpoint().name == "step-000002"


def test_a_run_that_has_nothing_but_a_copy_of_a_checkpoint_begins(tmp_path: Path) -> None:
    run = TrainingRun(CONTROL, 0, tmp_path)
    (run.path / "checkpoints" / "step-000002.bak").mkdir(parents=True)
    assert "run.resume=true" not in training(run, "r.toml", []).argv


def test_commands_that_are_done_are_not_run_and_failures_name_their_log(tmp_path: Path) -> None:
    made = tmp_path / "made"
    write = (sys.executable, "-c", f"open({str(made)!r}, 'w')")
    said: list[str] = []
    commands = [
        Command("done before", (sys.executable, "-c", "raise SystemExit(1)"), tmp_path / "a.log", lambda: True),
        Command("new", write, tmp_path / "b.log", made.exists),
    ]
    run_all(commands, at_once=2, say=said.append)
    assert made.exists() and all("new" in text for text in said)
    failing = Command(
        "bad", (sys.executable, "-c", "print('why'); raise SystemExit(7)"), tmp_path / "c.log", lambda: False
    )
    with pytest.raises(HostFailed, match="bad ended with code 7: read .*c.log"):
        run_all([failing], at_once=1, say=said.append)
    assert "why" in (tmp_path / "c.log").read_text()


@pytest.mark.parametrize("at_once", [1, 2])
def test_nothing_is_started_after_a_failure_and_what_runs_ends(tmp_path: Path, at_once: int) -> None:
    def writes(name: str, code: str) -> Command:
        path = tmp_path / name
        argv = (sys.executable, "-c", f"{code}; open({str(path)!r}, 'w')")
        return Command(name, argv, tmp_path / f"{name}.log", path.exists)

    running = writes("running", "import time; time.sleep(2)")
    commands = [writes("bad", "1 / 0"), *[running] * (at_once - 1), writes("later", "pass")]
    with pytest.raises(HostFailed, match="bad ended with code 1"):
        run_all(commands, at_once=at_once, say=print)
    assert not (tmp_path / "later").exists() and running.done() == (at_once == 2)


def test_nothing_is_started_after_an_interrupt(tmp_path: Path) -> None:
    later = tmp_path / "later"
    commands = f"""
        import sys
        from pathlib import Path
        from study.running import Command, run_all
        log = Path({str(tmp_path / "log")!r})
        both = (sys.executable, "-c", "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(2)")
        later = (sys.executable, "-c", "open({str(later)!r}, 'w')")
        run_all([Command("a", both, log, log.exists), Command("b", later, log, lambda: False)], at_once=1, say=print)
    """
    search = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    script = (sys.executable, "-c", textwrap.dedent(commands))
    ended = subprocess.run(script, capture_output=True, text=True, env=search, check=False)
    assert "KeyboardInterrupt" in ended.stderr and not later.exists()


def test_completions_of_a_run_lie_beside_it_by_held_out_set(tmp_path: Path) -> None:
    assert (
        TrainingRun(CONTROL, 1, tmp_path).completions(HeldOutSet("eval", "e.jsonl", 2, 2))
        == tmp_path / "shuffled-1.eval.jsonl"
    )


def test_two_arms_are_compared_over_all_their_seeds(tmp_path: Path) -> None:
    held_out = HeldOutSet("eval", "eval.jsonl", 2, 1)

    def arm(name: str, *seeds: tuple[float, float]) -> list[TrainingRun]:
        runs = [TrainingRun(Arm(name, ""), number, tmp_path) for number in range(len(seeds))]
        for run, builds in zip(runs, seeds, strict=True):
            checks = [
                dict.fromkeys(("clippy", "test", "test_strict", "gold", "asserts"), 1.0) | {"build": b} for b in builds
            ]
            lines = [{"task_id": p, "num_tokens": 5, "checks": c} for p, c in zip("pq", checks, strict=True)]
            run.completions(held_out).write_text("".join(json.dumps(line) + "\n" for line in lines))
        return runs

    none, one = arm("none", (0.0, 1.0), (1.0, 1.0)), arm("one", (1.0, 1.0), (1.0, 0.0))
    gain = difference(none, one, held_out)["build"]  # p: 0.5 to 1; q: 1 to 0.5
    assert (gain.before, gain.after, gain.points) == (0.75, 0.75, 0.0)
    assert gain.half_width == pytest.approx(1.96 * math.sqrt(0.5) / math.sqrt(2))


def test_curves_are_drawn_as_xml_with_a_line_and_a_band_for_each_arm(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text("".join(json.dumps({"step": step, "check/build": 0.5 + step / 100}) + "\n" for step in range(1, 9)))
    curve = read_curve("a < b", [log, log], "check/build")
    assert curve.seeds[0][0] == 0.51 and len(curve.seeds) == 2
    picture = ElementTree.fromstring(
        draw([Panel("builds", (curve, Curve("flat", ((0.1, 0.1),))), 100.0)], "runs & runs")
    )
    kinds = [element.get("class") for element in picture.iter()]
    assert kinds.count("line c0") == kinds.count("band c0") == kinds.count("line c1") == 1
    assert "a < b" in [element.text for element in picture.iter()]
