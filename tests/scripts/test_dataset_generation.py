"""The task set's verb: the same bytes from the same seed, a manifest that is true, and references that pass."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest

import make_dataset
from rewards.gold.rows import gold_kind
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.rust.parse import extract_code
from sandbox import SandboxPool
from tiny.catalogue import HARDER, OPERATIONS, SPLITS
from tiny.python_tasks import BODIES, NUM_ASSERTS

SHIPPED = Path(__file__).parents[2] / "assets" / "tasks"
COMPILED = (4, pytest.param(24, marks=pytest.mark.slow))  # tasks of each split


PANIC = "    panic!()\n}\n"


def small(folder: Path, seed: int = 0) -> dict[str, bytes]:
    counts = ["--train", "30", "--eval", "20", "--harder", "10"]
    assert make_dataset.main(["generate", "--out", str(folder), "--seed", str(seed), *counts]) == 0
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_seed_makes_the_same_bytes_again_and_another_seed_others(tmp_path: Path) -> None:
    assert small(tmp_path / "a") == small(tmp_path / "b")
    assert small(tmp_path / "a")["eval.jsonl"] != small(tmp_path / "c", seed=1)["eval.jsonl"]


def test_the_shipped_files_are_what_the_script_makes(tmp_path: Path) -> None:
    assert make_dataset.main(["generate", "--out", str(tmp_path)]) == 0
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == len(SPLITS) + 1
    assert [name for name, data in made.items() if data != (SHIPPED / name).read_bytes()] == []


def test_the_shipped_manifest_is_true_of_the_shipped_files() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text(encoding="utf-8"))
    for split in SPLITS:
        data = (SHIPPED / f"{split}.jsonl").read_bytes()
        rows = [json.loads(line) for line in data.splitlines()]
        said = manifest["files"][f"{split}.jsonl"]
        assert said["sha256"] == hashlib.sha256(data).hexdigest()
        assert said["rows"] == len(rows) == sum(said["containers"].values())
        assert said["operations"] == len({row["operation"] for row in rows})
        assert set(manifest["columns"]) == set(rows[0])
        if split == "harder":
            assert {row["operation"] for row in rows} == set(manifest["held_out_operations"])
        else:
            assert {row["operation"] for row in rows} <= set(manifest["operations"])
        held_out = {f"{row['operation']}/{row['element']}" for row in rows} & set(manifest["held_out_combinations"])
        assert bool(held_out) == (split == "eval")
    assert f"--train {len((SHIPPED / 'train.jsonl').read_text().splitlines())}" in manifest["made_by"]


@pytest.mark.parametrize("count", COMPILED)
def test_references_pass_their_gold_tests_and_a_body_that_panics_does_not(pool: SandboxPool, count: int) -> None:
    programs = []
    for split in SPLITS:
        rows = [json.loads(line) for line in (SHIPPED / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in random.Random(split).sample(rows, count):
            signature, _, _ = row["reference"].rpartition("{\n    ")
            head = row["reference"][: row["reference"].index("{\n", row["reference"].index("fn ")) + 2]
            assert signature
            assert gold_kind(row) == "cases"
            programs += [
                (gold_run(code, row), value) for code, value in ((row["reference"], True), (head + PANIC, False))
            ]
    futures = [submit_gold(run, pool) for run, _ in programs]
    assert all(
        gold_result(run, future.result()).ok is value for (run, value), future in zip(programs, futures, strict=True)
    )


FAMILY = "is_single,is_empty,length,contains"


def test_a_family_has_prompts_of_its_operations_alone_and_other_types_held_out(tmp_path: Path) -> None:
    words = ["generate", "--operations", FAMILY, "--train", "60", "--eval", "40"]
    for folder in "ab":
        assert make_dataset.main([*words, "--out", str(tmp_path / folder)]) == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert set(files) == {"train.jsonl", "eval.jsonl", "manifest.json"}
    rows = {split: [json.loads(line) for line in files[f"{split}.jsonl"].splitlines()] for split in ("train", "eval")}
    assert {split: len(found) for split, found in rows.items()} == {"train": 60, "eval": 40}
    assert all({row["operation"] for row in found} == set(FAMILY.split(",")) for found in rows.values())
    pairs = [{(row["operation"], row["element"]) for row in found} for found in rows.values()]
    prompts = [{row["prompt"] for row in found} for found in rows.values()]
    assert not pairs[0] & pairs[1] and not prompts[0] & prompts[1]
    manifest = json.loads(files["manifest.json"])
    assert f"generate --operations {FAMILY} --seed 0 --train 60 --eval 40" in manifest["made_by"]
    assert set(manifest["operations"]) == set(FAMILY.split(",")) and manifest["held_out_operations"] == []
    assert {f"{operation}/{element}" for operation, element in pairs[1]} == set(manifest["held_out_combinations"])


def test_demonstrations_of_a_family_are_of_its_operations(tmp_path: Path) -> None:
    words = ["--operations", "is_single,length", "--demonstrations", "20", "--out", str(tmp_path)]
    assert make_dataset.main(["generate", *words]) == 0
    rows = [json.loads(line) for line in (tmp_path / "demonstrations.jsonl").read_text().splitlines()]
    assert len(rows) == 20 and all(".len()" in row["completion"] for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--operations", "length,is_singel"], "no operation is called 'is_singel'; the nearest is is_single, all are"),
        (["--operations", "length,"], "no operation is called ''"),
        (["--operations", "not_empty,lacks"], "train.jsonl would be empty"),
        (["--operations", FAMILY, "--python", "3"], "--python has operations of its own"),
        (["--operations", FAMILY, "--out", "assets/tasks"], "where the shipped files lie"),
    ],
)
def test_a_family_that_cannot_be_is_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_dataset.main(["generate", "--out", str(tmp_path), *words])
    assert stopped.value.code == 2 and message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_more_prompts_of_a_family_than_there_are_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiny.tasks.draw_prompt", lambda request, rng: request.setting.element.name)
    words = ["--operations", FAMILY, "--train", "30", "--out", str(tmp_path)]
    assert make_dataset.main(["generate", *words]) == 2
    assert "30 prompts of train.jsonl: there are not many more than 14 different" in capsys.readouterr().err


def test_a_count_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_dataset.main(["generate", "--out", str(tmp_path), "--eval", "0"])
    assert stopped.value.code == 2
    assert "--eval 0: give at least 1" in capsys.readouterr().err


def test_demonstrations_are_right_and_of_combinations_that_training_asks_for(
    tmp_path: Path, pool: SandboxPool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_dataset.main(["generate", "--demonstrations", "12", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["demonstrations.jsonl"]
    assert "12 demonstrations" in capsys.readouterr().out
    rows = [json.loads(line) for line in (tmp_path / "demonstrations.jsonl").read_text().splitlines()]
    assert len({row["prompt"] for row in rows}) == len({row["task_id"] for row in rows}) == 12
    verdicts = [pool.submit(extract_code(row["completion"])) for row in rows]
    assert [verdict.result().test for verdict in verdicts] == [True] * 12


@pytest.mark.parametrize("option", ["--demonstrations", "--python"])
def test_a_number_of_other_rows_below_one_is_refused(option: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        make_dataset.main(["generate", option, "0", "--out", str(tmp_path)])


def test_more_tasks_in_python_than_there_are_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiny.python_tasks.TEXTS", ("The same text.",))
    assert make_dataset.main(["generate", "--python", "2", "--out", str(tmp_path)]) == 2
    assert "not many more than 1 different" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert make_dataset.main(["generate", "--python", "2", "--out", str(tmp_path / "taken")]) == 3
    assert "taken" in capsys.readouterr().err


def test_tasks_in_python_differ_and_their_code_passes_their_asserts(tmp_path: Path) -> None:
    for folder in "ab":
        assert make_dataset.main(["generate", "--python", "80", "--out", str(tmp_path / folder)]) == 0
    text = (tmp_path / "a" / "python.jsonl").read_text()
    assert text == (tmp_path / "b" / "python.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len({row["text"] for row in rows}) == len({row["task_id"] for row in rows}) == 80
    for row in rows:
        assert len(set(row["test_list"])) == NUM_ASSERTS
        assert len({test.rpartition(" == ")[2] for test in row["test_list"]}) > 1  # no constant passes
        exec("\n".join([row["code"], *row["test_list"]]), {})  # the bodies in Python mean what the operations mean


def test_every_body_in_python_belongs_to_an_operation() -> None:
    assert set(BODIES) <= {operation.name for operation in OPERATIONS} - set(HARDER)
