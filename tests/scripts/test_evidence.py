"""Every study writes its pages from what runs left on disk, and every picture that a page shows is there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from evidence import STUDIES, main
from grpo_rust.recipe import load_recipe
from study.arms import CONTROL, DESIGNS, OVERLAP, PARTIAL, QUICKSTART
from study.pretrained import PretrainedRuns, commands

CHECKS = ("build", "clippy", "test", "test_strict", "gold", "asserts")


def write_completions(file: Path, rate: float) -> None:
    """Three prompts with two completions each, a share of which passes everything."""
    passes = [float(number < 6 * rate) for number in range(6)]
    lines = [
        {
            "task_id": f"t{number // 2}",
            "num_tokens": 10 + number,
            "checks": dict.fromkeys(CHECKS, passed),
            "verdict": {"outcome": "passed" if passed else "build_error", "code": "fn f() {}", "diagnostics": []},
        }
        for number, passed in enumerate(passes)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run of every arm, and the completions of each model to both sets of prompts."""
    folder = tmp_path_factory.mktemp("runs")
    names = [f"{arm.name}-0" for arm in (*DESIGNS, QUICKSTART, CONTROL, OVERLAP, *PARTIAL)]
    for held_out in ("eval", "harder"):
        for name, rate in {"warm": 0.5, **dict.fromkeys(names, 1.0)}.items():
            write_completions(folder / f"{name}.{held_out}.jsonl", rate)
    for name in names:
        (folder / name).mkdir()
        (folder / name / "environment.json").write_text('{"commit": {"id": "0123456789"}}')
        step = {"check/build": 0.5, "check/test_strict": 0.25, "check/asserts": 2.0, "policy/entropy": 0.7}
        step |= {"check/gold": 0.5, "time/step": 2.0 if name == "partial2-0" else 3.0}
        (folder / name / "metrics.jsonl").write_text("".join(json.dumps({"step": n, **step}) + "\n" for n in (1, 2)))
    return folder


@pytest.mark.parametrize(
    ("study", "page", "row"),
    [
        ("gains", "evidence.md", "| build | 50.0 % | 100.0 % | +50.0"),
        ("overlap", "studies/overlap.md", "| build | 100.0 % | 100.0 % | +0.0 ± 0.0 |"),
        ("partial", "scale/partial.md", "| `partial2` | 2.0 | 0.67 | 2 | 50.0 | 25.0 | 50.0 |"),
        ("partial", "scale/partial.md", "| `overlap1` | 3.0 | 1.00 | 1 | 50.0 | 25.0 | 50.0 |"),
        ("rewards", "studies/rewards.md", "| `strict_only` | 1 for a strict pass, nothing else | +50.0"),
    ],
)
def test_a_study_writes_its_page_without_running_anything(
    runs: Path, tmp_path: Path, study: str, page: str, row: str
) -> None:
    words = ["--study", study, "--only-report", "--seeds", "1", "--control-seeds", "1", "--samples", "2"]
    assert main([*words, "--runs", str(runs), "--docs", str(tmp_path)]) == 0
    text = (tmp_path / page).read_text(encoding="utf-8")
    assert row in text
    assert f"python scripts/evidence.py --study {study} --only-report" in text and "trained at 0123456" in text
    pictures = re.findall(r"!\[.*\]\((.*)\)", text)
    assert len(pictures) == (study not in ("rewards", "partial")) and all(
        (tmp_path / page).parent.joinpath(picture).exists() for picture in pictures
    )


def test_the_pages_of_the_project_show_pictures_that_exist() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    for page in ("evidence.md", "studies/overlap.md"):
        (picture,) = re.findall(r"!\[.*\]\((.*)\)", (docs / page).read_text(encoding="utf-8"))
        assert (docs / page).parent.joinpath(picture).exists(), page


def test_runs_that_are_not_there_are_the_hosts_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only-report", "--runs", str(tmp_path), "--docs", str(tmp_path)]) == 3
    assert capsys.readouterr().err.startswith("evidence: ") and set(STUDIES) == {
        "gains",
        "rewards",
        "overlap",
        "partial",
        "pretrained",
        "honest",
        "costs",
        "tasks",
    }


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    """A finished warm start and a finished GRPO run: nothing passes at the start of each, everything at its end."""
    for name in ("smollm2-sft", "smollm2-grpo"):
        run = tmp_path / name
        (run / "checkpoints" / "step-000002").mkdir(parents=True)
        (run / "environment.json").write_text('{"commit": {"id": "0123456789"}}')
        (run / "summary.json").write_text('{"steps": 2, "seconds": 90.0, "num_prompts": 3, "num_samples": 2}')
        times = {"time/step": 30.0, "time/train": 20.0, "throughput/tokens_per_s": 10.0}
        step = {"loss/total": 0.5, "check/build": 0.5, "check/test_strict": 0.25, "check/asserts": 2.0, **times}
        (run / "metrics.jsonl").write_text("".join(json.dumps({"step": n, **step}) + "\n" for n in (1, 2)))
        lines = []
        for number, rate in ((0, 0.0), (2, 1.0)):
            write_completions(run / "part.jsonl", rate)
            for line in (run / "part.jsonl").read_text().splitlines():
                lines.append({"step": number, "phase": "eval", **json.loads(line)})
        sampled = {"step": 1, "phase": "train", **lines[0]}
        (run / "completions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [sampled, *lines]))
    return tmp_path


def test_the_page_of_the_real_model_comes_from_what_its_two_runs_left(pretrained: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    words = ["--study", "pretrained", "--only-report", "--runs", str(pretrained), "--docs", str(docs)]
    assert main(words) == 0
    text = (docs / "studies" / "real_model.md").read_text(encoding="utf-8")
    assert text.count("| build | 0.0 % | 100.0 % | +100.0 ± 0.0 |") == 2
    assert text.count("2 steps in 2 minutes with both evaluations, at 0123456; 3 held-out prompts x 2") == 2
    assert "| trained tokens a second of training | 15 | 15 |" in text  # 10 a second x 30 s, in 20 s of training
    assert "| sampling a batch, s |  |  |" in text, "what was not measured stays empty"
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", text)
    assert (docs / "studies" / picture).read_text().count("<g ") == 4


def test_the_page_of_the_real_model_shows_a_run_that_goes_on(pretrained: Path, tmp_path: Path) -> None:
    (pretrained / "smollm2-grpo" / "summary.json").unlink()
    docs = tmp_path / "docs"
    assert main(["--study", "pretrained", "--only-report", "--runs", str(pretrained), "--docs", str(docs)]) == 0
    text = (docs / "studies" / "real_model.md").read_text(encoding="utf-8")
    assert "Not finished: 2 steps so far, at 0123456" in text and text.count("| build |") == 1


def test_the_real_model_is_fetched_fine_tuned_and_trained_in_this_order_and_resumed(pretrained: Path) -> None:
    runs = PretrainedRuns(pretrained)
    ways = commands(runs, model=pretrained / "model", data=pretrained / "data", overrides=["train.max_steps=2"])
    made = [way() for way in ways]
    assert [Path(command.argv[1]).name for command in made] == [
        "get_smollm2.py",
        "make_dataset.py",
        "sft.py",
        "train.py",
    ]
    assert [command.done() for command in made] == [False, False, True, True]
    assert "run.resume=true" in made[2].argv and "train.max_steps=2" not in made[2].argv
    shutil.rmtree(runs.trained)
    last = ways[3]()
    assert not last.done() and f"model.path={runs.warm / 'checkpoints' / 'step-000002'}" in last.argv
    assert load_recipe(last.argv[2], last.argv[3:]).train.max_steps == 2
