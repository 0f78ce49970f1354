"""The study of honest rewards: its page says what graded completions say, for the arms and seeds that are there."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import evidence
from grpo_rust.arguments import parse_arguments
from grpo_rust.recipe import DEFAULT_RECIPE, OWN_TESTS_RECIPE, load_recipe
from rewards.cross.result import CrossSettings
from study.arms import GRPO, HONEST, QUICKSTART
from study.honest import COLLUSION_FAMILY, check_data, evaluated_runs, family_data, honest_page
from study.kept import RunFigures, figures_of, kept_runs, untrained_figures
from study.running import Arm, Command, HeldOutSet, TrainingRun, training
from tiny.catalogue import OPERATIONS

HELD_OUT = HeldOutSet("eval", "eval.jsonl", 2, 2)
RIGHT, WRONG, LOOSE = (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)  # strict, gold


def write_completions(file: Path, *prompts: Sequence[tuple[float, float]], asserts: float = 2.0) -> None:
    """Graded completions: for each prompt the strict and gold passes of its completions."""
    lines = [
        {
            "task_id": f"t{number}",
            "num_tokens": 9,
            "checks": {"build": 1.0, "test_strict": strict, "gold": gold, "asserts": asserts},
        }
        for number, completions in enumerate(prompts)
        for strict, gold in completions
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_run(folder: Path, name: str, *prompts: Sequence[tuple[float, float]], data: str = "data/train.jsonl") -> None:
    """An evaluated run with two steps in which 25 % pass strictly and 50 % gold, then 75 % and 50 %."""
    (folder / name).mkdir(parents=True)
    (folder / name / "environment.json").write_text('{"commit": {"id": "0123456789"}}')
    (folder / name / "config.toml").write_text(f'[data]\ntrain = "{folder / data}"\n')
    steps = [{"step": n, "check/test_strict": 0.5 * n - 0.25, "check/gold": 0.5} for n in (1, 2)]
    (folder / name / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    batches = [
        {"phase": "train", "step": step, "checks": {"test_strict": 1.0, "gold": float(n < 4 - step)}}
        for step in range(1, 13)
        for n in range(4)
    ]  # a quarter is wrong in step 1, half in step 2, then 3/4, 1
    evaluated = {"phase": "eval", "step": 12, "checks": {"test_strict": 1.0, "gold": 1.0}}
    (folder / name / "completions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*batches, evaluated]))
    write_completions(folder / f"{name}.eval.jsonl", *prompts)


def figures(folder: Path, run: TrainingRun) -> RunFigures:
    return figures_of(run, HELD_OUT, folder / "data" / "train.jsonl")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The recipe with two seeds, the first of which colludes, and one arm with the seed 4, which is all right."""
    folder = tmp_path / "runs"
    write_run(folder, "grpo-0", [WRONG, WRONG], [WRONG, WRONG])
    write_run(folder, "grpo-1", [RIGHT, WRONG], [RIGHT, RIGHT])
    write_run(folder, "maxrl-4", [RIGHT, RIGHT], [RIGHT, RIGHT])
    write_run(folder, "other-0", [RIGHT, RIGHT], [RIGHT, RIGHT])
    write_completions(folder / "warm.eval.jsonl", [LOOSE, LOOSE], [LOOSE, WRONG])
    (folder / "data").mkdir()
    (folder / "data" / "train.jsonl").write_text("{}\n")
    return folder


def cells(text: str, *first: str) -> list[str]:
    """The cells of the row that begins with these."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    (row,) = [row for row in rows if row[: len(first)] == list(first)]
    return row[len(first) :]


def test_the_page_has_levels_differences_and_seeds_by_hand(runs: Path) -> None:
    write_run(runs, "maxrl-1", [RIGHT, LOOSE], [RIGHT, RIGHT])
    found = evaluated_runs(HONEST, HELD_OUT, runs)
    assert [(run.arm.name, run.seed) for run in found] == [("grpo", 0), ("grpo", 1), ("maxrl", 1), ("maxrl", 4)]
    untrained = untrained_figures(runs / "warm.eval.jsonl")
    trained = [figures(runs, run) for run in found]
    page = honest_page(untrained, trained, HELD_OUT, image="curves.svg", made="Made by hand.")
    assert "| gold | strict | strict but wrong | pass@2 on gold | build | asserts | colluding seeds |" in page
    # Of grpo, gold is (0 + 1/2)/2 and (0 + 1)/2 at the two prompts: 37.5 %, half width 1.96 * std / sqrt(2).
    half = 100 * 1.96 * (0.25 / math.sqrt(2)) / math.sqrt(2)
    assert half == pytest.approx(24.5)
    gold, strict, wrong, best, build, asserts, colluding = cells(page, "`grpo`", GRPO.meaning, "2")
    assert (gold, strict, wrong) == ("37.5 ± 24.5", "100.0 ± 0.0", "62.5 ± 24.5")
    assert (best, build, asserts) == ("50.0 ± 0.0", "100.0 ± 0.0", "2.00 ± 0.00")
    assert colluding == "1 of 2", "the second seed's 25 % are the untrained model's"
    assert cells(page, "untrained", "", "") == [
        *("75.0 ± 49.0", "25.0 ± 49.0", "25.0 ± 49.0", "100.0 ± 0.0", "100.0 ± 0.0", "2.00 ± 0.00", "")
    ]
    differences = page.partition("## Differences from `grpo`")[2].partition("## By seed")[0]
    assert cells(differences, "`maxrl`", "1")[:3] == ["+25.0 ± 49.0", "−25.0 ± 49.0", "−25.0 ± 49.0"], "of seed 1 alone"
    assert cells(differences, "`maxrl`", "1")[-1] == "+25.0"
    assert "of 2 prompts agree it is 0.0, and the exact one ends 84.2 points away" in page  # 1 - 0.025 ** (1/2)
    seeds = page.partition("## By seed")[2]
    assert cells(seeds, "`grpo`", "0")[:3] == ["0.0 ± 0.0", "100.0 ± 0.0", "100.0 ± 0.0"]
    assert cells(seeds, "`maxrl`", "4")[:3] == ["100.0 ± 0.0", "100.0 ± 0.0", "0.0 ± 0.0"]
    assert cells(seeds, "`maxrl`", "4")[-1] == "97.5", "steps 3 to 12: 3/4 once, then all"


def test_a_page_of_one_arm_compares_nothing(runs: Path) -> None:
    trained = [figures(runs, TrainingRun(GRPO, 1, runs))]
    page = honest_page(untrained_figures(runs / "warm.eval.jsonl"), trained, HELD_OUT, image="curves.svg", made="")
    assert "## Differences" not in page and cells(page, "`grpo`", "1")


def test_arms_without_a_seed_in_common_are_not_compared(runs: Path) -> None:
    trained = [figures(runs, run) for run in evaluated_runs(HONEST, HELD_OUT, runs)]
    page = honest_page(untrained_figures(runs / "warm.eval.jsonl"), trained, HELD_OUT, image="curves.svg", made="")
    assert "## Differences" not in page and cells(page, "`maxrl`", "4")


def test_the_study_writes_page_and_picture_of_what_is_there(runs: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    words = ["--study", "honest", "--only-report", "--samples", "2", "--runs", str(runs), "--docs", str(docs)]
    assert evidence.main(words) == 0
    page = (docs / "honest_rewards.md").read_text(encoding="utf-8")
    assert f"`python scripts/evidence.py {shlex.join(words)}`" in page and "trained at 0123456" in page
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", page)
    drawn = ElementTree.fromstring((docs / picture).read_text(encoding="utf-8"))
    texts = [element.text for element in drawn.iter()]
    assert texts.count("strict") == texts.count("gold") == texts.count("wrong") == 2 and {"grpo", "maxrl"} <= set(texts)


def test_a_page_is_written_again_without_the_runs(runs: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    words = ["--study", "honest", "--samples", "2", "--docs", str(docs)]
    assert evidence.main([*words, "--only-report", "--runs", str(runs)]) == 0
    pages = [path for path in docs.rglob("*") if path.is_file()]
    before = {path: path.read_text() for path in pages}
    assert evidence.main([*words, "--only-report", "--runs", str(tmp_path / "gone")]) == 0
    after = {path: path.read_text().replace(str(tmp_path / "gone"), str(runs)) for path in pages}
    assert after == before


def test_a_run_whose_figures_are_kept_is_not_trained_again(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    words = ["--study", "honest", "--samples", "2", "--docs", str(docs)]
    assert evidence.main([*words, "--only-report", "--runs", str(runs)]) == 0
    asked: list[Command] = []
    monkeypatch.setattr(evidence, "run_all", lambda commands, **_: asked.extend(commands))
    monkeypatch.setattr(TrainingRun, "checkpoint", lambda run: run.path / "step-000002")
    assert evidence.main([*words, "--arms", "grpo", "--seeds", "3", "--runs", str(tmp_path / "new")]) == 0
    assert [one.about for one in asked if one.about.startswith("train")] == ["train grpo-2"]
    asked.clear()
    assert evidence.main([*words, "--arms", "grpo", "--seeds", "2", "--runs", str(tmp_path / "new")]) == 0
    assert [one.about for one in asked] == ["make the data"]


def test_kept_runs_are_of_the_same_prompts(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--study", "honest", "--only-report", "--samples", "2", "--docs", str(tmp_path / "docs")]
    assert evidence.main([*words, "--runs", str(runs)]) == 0
    found = kept_runs(HONEST, tmp_path / "docs" / "studies" / "honest")
    assert [run.name for run in found] == ["untrained-0", "grpo-0", "grpo-1", "maxrl-4"]
    assert (found[1].commit, found[1].steps["strict"]) == ("0123456", [0.25, 0.75])
    for name in ("grpo-0", "grpo-1"):
        shutil.rmtree(runs / name)
        (runs / f"{name}.eval.jsonl").unlink()
    (runs / "data" / "train.jsonl").write_text("{}\n{}\n")
    assert evidence.main([*words, "--runs", str(runs)]) == 2
    assert "maxrl-4 was trained on other prompts than grpo-0" in capsys.readouterr().err
    assert kept_runs(HONEST, tmp_path / "docs" / "studies" / "honest") == found


def test_nothing_evaluated_and_runs_on_other_prompts_are_refused(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", "honest", "--only-report", "--docs", str(tmp_path / "docs")]
    assert evidence.main([*words, "--runs", str(tmp_path)]) == 2
    assert "has no evaluated run of this study" in capsys.readouterr().err
    assert evidence.main([*words, "--samples", "2", "--runs", str(runs), "--data", "assets/tasks"]) == 2
    assert re.search(r"grpo-0 was trained on .*data/train.jsonl, not on assets/tasks", capsys.readouterr().err)
    check_data([TrainingRun(GRPO, 9, runs), TrainingRun(GRPO, 0, runs)], runs / "data", runs)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "train.jsonl").write_bytes((runs / "data" / "train.jsonl").read_bytes())
    check_data([TrainingRun(GRPO, 0, runs)], tmp_path / "copy", runs)
    assert not (tmp_path / "docs").exists()


def test_some_arms_and_seeds_are_run_on_the_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Command] = []
    monkeypatch.setattr(evidence, "run_all", lambda commands, **_: asked.extend(commands))
    monkeypatch.setattr(TrainingRun, "checkpoint", lambda run: run.path / "step-000002")
    words = ["--study", "honest", "--arms", "gold,maxrl", "--first-seed", "3", "--seeds", "2", "--steps", "7"]
    assert evidence.main([*words, "--runs", str(tmp_path), "--docs", str(tmp_path)]) == 2, "nothing was run"
    make, warm, *others = asked
    assert ",".join(COLLUSION_FAMILY) in make.argv and str(tmp_path / "data") in make.argv
    assert f"data.eval={tmp_path}/data/eval.jsonl" in warm.argv
    names = ("maxrl-3", "maxrl-4", "gold-3", "gold-4")
    assert sorted(one.about for one in others) == sorted(
        [f"train {name}" for name in names] + [f"ask {name} (eval)" for name in names]
    )
    (gold,) = [one for one in others if one.about == "train gold-4"]
    recipe = parse_arguments(gold.argv[2:]).recipe
    assert (recipe.run.seed, recipe.train.max_steps, recipe.rewards.weights["gold"]) == (4, 7, 2.0)
    assert (recipe.train.threads, recipe.sandbox.jobs) == (1, 1), "another run has the other core"
    assert recipe.data.train == str(tmp_path / "data" / "train.jsonl")
    (other,) = [one for one in others if one.about == "train maxrl-3"]
    assert parse_arguments(other.argv[2:]).recipe.rewards.weights["gold"] == 0.0, "graded and logged, not paid"


def test_judged_arms_train_on_prompts_with_suites_of_the_untrained_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Command] = []
    monkeypatch.setattr(evidence, "run_all", lambda commands, **_: asked.extend(commands))
    monkeypatch.setattr(TrainingRun, "checkpoint", lambda run: run.path / "step-000002")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"prompt": "x"}\n' * 7)
    words = ["--study", "honest", "--arms", "grpo,frozen", "--seeds", "1", "--runs", str(tmp_path)]
    assert evidence.main([*words, "--docs", str(tmp_path)]) == 2, "nothing was run"
    by_name = {one.about: one for one in asked}
    order = list(by_name)
    assert order.index("ask warm (train)") < order.index("choose suites") < order.index("train frozen-0")
    ask, choose = by_name["ask warm (train)"].argv, by_name["choose suites"].argv
    assert {f"data.eval={tmp_path}/data/train.jsonl", "eval.prompts=7", "guard.mutation=false"} <= set(ask)
    assert ask[-1] == choose[choose.index("--completions") + 1]
    trained = {name: parse_arguments(by_name[f"train {name}-0"].argv[2:]).recipe for name in ("grpo", "frozen")}
    judged = str(tmp_path / "judged-0.9-2a7a374b.jsonl")
    assert trained["frozen"].data.train == choose[choose.index("--out") + 1] == judged and "--judged-only" in choose
    assert trained["grpo"].data.train == str(tmp_path / "data" / "train.jsonl")
    assert trained["frozen"].rewards.cross["partners"] == -1


def test_costs_are_timed_in_turns_without_kept_verdicts_and_give_all_arms_the_time_of_the_first(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[str] = []

    def run_all(commands: Sequence[Command], *, at_once: int, say: object) -> None:
        assert at_once == 1
        for command in commands:
            if command.about.startswith("train "):
                recipe = parse_arguments(command.argv[2:]).recipe
                assert (recipe.train.threads, recipe.sandbox.jobs) == (0, 0), "all cores"
                assert not recipe.sandbox.keep_verdicts and (recipe.train.max_steps, recipe.eval.prompts) == (5, 0)
                timed.append(command.about)
                log = Path(recipe.run.dir) / "metrics.jsonl"
                log.parent.mkdir(parents=True)
                second = 2.0 if "maxrl" in command.about else 1.0
                steps = [{"step": n, "time/step": 90.0 if n == 1 else second * n} for n in (1, 2, 3)]
                log.write_text("".join(json.dumps(step) + "\n" for step in steps))
                (log.parent / "environment.json").write_text('{"commit": {"id": "0123456789"}}')

    monkeypatch.setattr(evidence, "run_all", run_all)
    docs = tmp_path / "docs"
    evidence.main(["--study", "honest", "--only-report", "--samples", "2", "--runs", str(runs), "--docs", str(docs)])
    words = ["--study", "costs", "--arms", "grpo,maxrl", "--runs", str(runs), "--docs", str(docs)]
    assert evidence.main(words) == 0
    assert timed == [f"train {name}-{turn}" for turn in (0, 1) for name in ("grpo", "maxrl")]
    kept = json.loads((docs / "studies" / "honest" / "costs.json").read_text())
    assert kept == {"commits": ["0123456"], "seconds": {"grpo": [2.0, 3.0] * 2, "maxrl": [4.0, 6.0] * 2}}
    assert evidence.main([*words, "--only-report"]) == 0
    page = (docs / "honest_rewards.md").read_text(encoding="utf-8")
    assert "<!-- results -->" in page and page.count("<!-- costs -->") == 1
    table = page.partition("<!-- costs -->")[2]
    assert "| arm | seconds a step | times `grpo` | steps | strict | gold | strict but wrong |" in table
    assert cells(table, "`grpo`") == ["2.5", "1.00", "2", "50.0", "50.0", "37.5"]  # all of its steps
    assert cells(table, "`maxrl`") == ["5.0", "2.00", "1", "25.0", "50.0", "25.0"]


def test_shipped_suites_are_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Command] = []
    monkeypatch.setattr(evidence, "run_all", lambda commands, **_: asked.extend(commands))
    monkeypatch.setattr(TrainingRun, "checkpoint", lambda run: run.path / "step-000002")
    words = ["--study", "honest", "--data", "assets/tasks", "--arms", "gated", "--seeds", "1", "--runs", str(tmp_path)]
    assert evidence.main([*words, "--docs", str(tmp_path)]) == 2, "nothing was run"
    assert [one.about for one in asked] == ["ask warm (eval)", "train gated-0", "ask gated-0 (eval)"]
    assert parse_arguments(asked[1].argv[2:]).recipe.data.train == "assets/tasks/judged-train.jsonl"


def test_the_quickstart_is_the_arm_that_stands_for_it() -> None:
    arm = load_recipe(OWN_TESTS_RECIPE, ["data.train=assets/tasks/judged-train.jsonl", *QUICKSTART.overrides])
    weights = {name: weight for name, weight in arm.rewards.weights.items() if name != "cross_agreement"}  # logged
    recipe = load_recipe(DEFAULT_RECIPE)
    assert CrossSettings.of(arm.rewards.cross) == CrossSettings.of(recipe.rewards.cross)
    rewards = replace(arm.rewards, weights=weights, cross=recipe.rewards.cross)
    assert replace(arm, rewards=rewards, run=recipe.run) == recipe


@pytest.mark.parametrize(
    "words",
    [["--study", "honest", "--arms", "maxlr"], ["--arms", "maxrl"], ["--first-seed", "-1"]],
    ids=["unknown", "another study", "a seed below 0"],
)
def test_arms_and_seeds_that_are_not_there_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        evidence.main(words)
    assert stopped.value.code == 2
    assert "give arms of --study honest: grpo, agreement" in (said := capsys.readouterr().err) or "at least 0" in said


def test_the_family_and_the_arms_exist_and_differ(tmp_path: Path) -> None:
    assert set(COLLUSION_FAMILY) <= {operation.name for operation in OPERATIONS}
    assert "generate" in family_data(tmp_path / "data").argv
    recipes = [
        parse_arguments(training(TrainingRun(arm, 0, tmp_path), evidence.RECIPE, ["rewards.weights.gold=0"]).argv[2:])
        for arm in HONEST
    ]
    assert len({repr((r.recipe.rewards, r.recipe.loss, r.recipe.rollout, r.recipe.train)) for r in recipes}) == len(
        HONEST
    )
    assert len({arm.name for arm in HONEST}) == len(HONEST) and HONEST[0] == Arm("grpo", GRPO.meaning)
