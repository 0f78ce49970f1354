"""The study of the tasks beyond one function: gains and examples from what runs left, by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import evidence
from grpo_rust.arguments import parse_arguments
from study.formats import TASKS, formats_page, recipe_of
from study.running import Command, TrainingRun, training

REPAIR, INFILL = TASKS[0], TASKS[1]


def write_run(folder: Path, name: str, before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> None:
    """A finished run with the gold passes of the completions to each prompt, before and after."""
    run = folder / name
    run.mkdir(parents=True)
    (run / "environment.json").write_text('{"commit": {"id": "0123456789"}}')
    (run / "summary.json").write_text('{"steps": 50, "seconds": 240.0}')
    lines = [{"phase": "train", "step": 1, "task_id": "p0", "checks": {"gold": 1.0, "build": 1.0}}]
    for step, prompts in ((0, before), (25, before), (50, after)):
        for number, passes in enumerate(prompts):
            for gold in passes:
                prompt = f"prompt {number} " + "long " * (2 - number)
                said = {
                    "prompt": prompt,
                    "text": f"```rust\nanswer {step}\n```",
                    "checks": {"gold": gold, "build": 1.0},
                }
                lines.append({"phase": "eval", "step": step, "task_id": f"p{number}", **said})
    (run / "completions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    write_run(runs, "repair-0", [[0, 0], [0, 1], [0, 1]], [[1, 1], [1, 0], [0, 1]])
    write_run(runs, "repair-1", [[0, 0], [0, 0], [1, 1]], [[1, 0], [0, 0], [1, 1]])
    write_run(runs, "infill-0", [[1, 1], [0, 0]], [[1, 1], [0, 1]])
    return runs


def test_gains_are_paired_by_prompt_over_seeds_that_share_their_start(folder: Path) -> None:
    runs = [TrainingRun(REPAIR, 0, folder), TrainingRun(REPAIR, 1, folder), TrainingRun(INFILL, 0, folder)]
    page = formats_page(runs, command="make it")
    # Before, both seeds together: 0, 1/4 and 3/4, mean 1/3. After: 1, 1/2, 1/2 and 1/2, 0, 1; by prompt 3/4, 1/4, 3/4.
    # Differences 3/4, 0, 0: mean 1/4, standard deviation 0.433, half width 1.96 * 0.433 / sqrt(3) = 0.490.
    row = next(line for line in page.splitlines() if line.startswith("| `repair` |"))
    assert "| 50, 4 | 33.3 % | 58.3 % | +25.0 ± 49.0 | 0: +33.3, 1: +16.7 | +0.0 ± 0.0 | reached |" in row
    assert "| `infill` | 50, 4 | 50.0 % | 75.0 % | +25.0 ± 49.0 |" in page
    assert "Made by `make it` at 0123456." in page


def test_the_example_is_the_shortest_prompt_whose_first_completion_was_learned(folder: Path) -> None:
    page = formats_page([TrainingRun(REPAIR, 0, folder), TrainingRun(INFILL, 0, folder)], command="make it")
    assert "### repair: p1\n\n~~~~text\nprompt 1 long\n~~~~\n\nBefore:" in page, "p0 was learned too, and is longer"
    assert page.index("answer 0") < page.index("answer 50") and "answer 25" not in page
    assert "### infill\n\nNone of the first completions failed before and passed after." in page


def test_the_study_writes_its_results_into_the_page(folder: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "tasks.md").write_text("# Tasks\n<!-- results -->\nstale\n<!-- end -->\nMore.\n")
    words = ["--study", "tasks", "--only-report", "--seeds", "2", "--runs", str(folder), "--docs", str(docs)]
    assert evidence.main(words) == 0
    page = (docs / "tasks.md").read_text()
    assert "stale" not in page and page.endswith("<!-- end -->\nMore.\n")
    assert page.count("| `repair` |") == 1 and "| 0: +33.3, 1: +16.7 |" in page and "`patch`" not in page
    assert evidence.main([*words[:-4], "--runs", str(tmp_path / "none"), "--docs", str(docs)]) == 2


@pytest.mark.parametrize(
    ("words", "models"),
    [
        ([], {"assets/tiny-rust-tasks", "assets/tiny-rust-next_edit"}),
        (["--model", "runs/longer"], {"runs/longer"}),
    ],
)
def test_every_run_starts_from_the_model_that_knows_the_formats_or_from_a_named_one(
    words: list[str], models: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Command] = []
    monkeypatch.setattr(evidence, "run_all", lambda commands, *, at_once, say: started.extend(commands))
    folders = ["--runs", str(tmp_path / "runs"), "--docs", str(tmp_path)]
    assert evidence.main(["--study", "tasks", "--seeds", "2", *words, *folders]) == 2, "no run is finished"
    assert len(started) == 2 * len(TASKS)
    assert {parse_arguments(one.argv[2:]).recipe.model.path for one in started} == models


def test_every_run_is_the_tasks_recipe_with_both_evaluations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arm in TASKS:
        run = TrainingRun(arm, 2, tmp_path)
        recipe = parse_arguments(training(run, recipe_of(run), [], evaluates=True).argv[2:]).recipe
        assert recipe.run.seed == 2 and recipe.eval.prompts > 0 and arm.name in recipe.data.train
    with pytest.raises(SystemExit):
        evidence.main(["--study", "tasks", "--arms", "grpo"])
    assert "of --study tasks: repair, infill, patch, next_edit" in capsys.readouterr().err
