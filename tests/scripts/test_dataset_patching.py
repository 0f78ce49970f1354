"""`make_dataset.py patch`: every row is proven, none shows what is held out, and what comes to nothing is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from dataset.patching import family_drafts as family
from dataset.patching.drafts import PatchDraft
from dataset.patching.failing_test import shown_failure, with_test
from dataset.patching.mutants import mutants
from dataset.patching.row_asserts import row_asserts
from dataset.patching.row_drafts import row_drafts
from dataset.sources import BadRow
from make_dataset import main
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.rust.grammar import syntax
from rewards.tasks.patch import PATCH, right_answer
from tiny.catalogue import split_of

CLAMP = "fn clamp(n: i32) -> i32 {\n    if n > 9 { 9 } else { n }\n}\n"
GOLD = [f"assert_eq!(clamp({given}), {right});" for given, right in ((1, 1), (7, 7), (10, 9), (12, 9), (40, 9), (9, 9))]
GOOD = {"task_id": "clamp", "prompt": "At most 9.", "reference": CLAMP, "rust_test_list": GOLD}
BAD = {
    "no program in reference or rust_code": {"prompt": "x", "rust_test_list": GOLD},
    "no text that says what the program should do": {"reference": CLAMP, "rust_test_list": GOLD},
    "a program with nothing to mistake": {"reference": "fn f() {}", "rust_test_list": GOLD},
    "a program with tests of its own": {"reference": f"{CLAMP}#[test] fn t() {{}}", "rust_test_list": GOLD},
    "no gold tests": {"prompt": "x", "reference": CLAMP},
    "gold tests that are more than asserts": {
        "prompt": "x",
        "reference": CLAMP,
        "gold_tests": "#[test] fn t() { let n = 1; }",
    },
    "gold tests that cannot be read": {"prompt": "x", "reference": CLAMP, "rust_test_list": ["assert_eq!("]},
    "the column rust_test_list is no list": {"prompt": "x", "reference": CLAMP, "rust_test_list": "["},
    "gold cases with more than a call and what is expected": {
        "prompt": "x",
        "reference": CLAMP,
        "gold_cases": [{"call": "clamp(1)", "expected": "1", "tolerance": 1}],
    },
    "a task_id that an earlier row has": GOOD,
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts are kept in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def prove(rows: list[dict[str, Any]], pool) -> None:
    """Ask the sandbox anew: the right program passes all, the given one the first `kept` and no other."""
    sent = []
    for row in rows:
        for column in ("reference", "program"):
            run = gold_run(row[column], row)
            assert run is not None
            sent.append((row, column, run, submit_gold(run, pool)))
    for row, column, run, future in sent:
        passes = gold_result(run, future.result()).passes
        count = len(row["rust_test_list"])
        kept = row["kept"] if row["kind"] != "addition" else 0  # calls of what is missing stop all of them
        assert passes == (True,) * (count if column == "reference" else kept) + (False,) * (
            0 if column == "reference" else count - kept
        )


def test_rows_become_failing_tests_and_every_other_row_its_reason(tmp_path: Path, pool, capsys) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in (GOOD, *BAD.values())))
    assert main(["patch", str(source), "--out", str(out), "--jobs", "1", "--completions"]) == 0
    [row] = read(out)
    assert (row["task_id"], row["task"], row["kind"], row["format"]) == ("clamp", "patch", "bug", "diff")
    shown = next(line for line in row["program"].splitlines() if "assert_eq!" in line).strip()
    place = row["program"].splitlines().index(f"        {shown}") + 1
    assert shown in GOLD and shown not in row["rust_test_list"] and 0 < row["kept"] < len(row["rust_test_list"])
    assert (
        f"thread 'tests::works' panicked at src/lib.rs:{place}:9:\nassertion `left == right` failed\n" in row["request"]
    )
    assert row["request"].startswith("The program should do what this asks for:\n\nAt most 9.\n\nThis test fails:\n\n")
    assert "/tmp" not in row["request"] and "RUST_BACKTRACE" not in row["request"]
    assert row["completion"] == right_answer(row) and PATCH.row_problem(row) == ""
    assert PATCH.extract(row["completion"], row, "first").code == row["reference"] == with_test(CLAMP, shown)
    prove([row], pool)
    record = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert record["skipped"] == dict.fromkeys(BAD, 1) and record["programs_tried"] == 1 + len(BAD)
    assert (record["rows_written"], record["kinds"], record["formats"]) == (1, {"bug": 1}, {"diff": 1})
    assert "1  of 11 programs are proven rows" in capsys.readouterr().out


@pytest.mark.slow
def test_the_family_gives_mistakes_changes_and_additions(tmp_path: Path, pool) -> None:
    out = tmp_path / "out.jsonl"
    command = ["patch", "family:eval", "--limit", "12", "--out", str(out), "--format", "both", "--jobs", "2"]
    assert main(command) == 0
    rows = read(out)
    assert {row["kind"] for row in rows} == {"bug", "change", "addition"} and len({row["format"] for row in rows}) == 2
    prove(rows, pool)
    assert main(command) == 0 and read(out) == rows


def test_bad_arguments_are_named(tmp_path: Path, capsys) -> None:
    out = ["--out", str(tmp_path / "out.jsonl")]
    for words in (["family:train"], ["family:tests", "--limit", "3"], ["family:train", "x.jsonl", "--limit", "3"]):
        assert main(["patch", *words, *out]) == 2
        assert "family:train, family:eval, family:harder" in capsys.readouterr().err


def test_a_training_draft_shows_nothing_that_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []
    reference = family.reference

    def recorded(request) -> str:
        seen.append((split_of(request.operation, request.setting.element), request.operation.name))
        return reference(request)

    monkeypatch.setattr(family, "reference", recorded)
    drafts: Callable[..., list[PatchDraft]] = lambda split: list(islice(family.family_drafts(split, seed=0), 60))
    training = drafts("train")
    assert {split for split, _ in seen} == {"train"} and len({name for _, name in seen}) > 20
    assert [draft.name for draft in training] == [f"patch-train-{number:04d}" for number in range(60)]
    assert {draft.kind for draft in training} == {"bug", "change", "addition"} and training == drafts("train")
    seen.clear()
    held_out = drafts("eval")
    assert "harder" not in {split for split, _ in seen}
    assert not {draft.right for draft in training} & {draft.right for draft in held_out}
    for draft in (*training, *held_out):
        assert draft.right not in draft.given and draft.given and len(draft.asserts) > draft.num_kept
        assert draft.request and (draft.kind == "addition") == (draft.num_kept > 0)


def test_a_mutant_is_one_small_mistake() -> None:
    first = [CLAMP.replace("n > 9", wrong) for wrong in ("n >= 9", "n < 9", "n > 10", "n > 8")]
    assert set(first) < set(mutants(CLAMP)) and CLAMP.replace("{ 9 } else { n }", "{ n } else { 9 }") in mutants(CLAMP)
    program = (
        "#[derive(Debug)]\nstruct P(u8, u8);\n/* 1 < 2 */\nfn f<T: Ord>(v: &[u8], p: P) -> (u8, bool) {\n"
        "    let all = v.iter().any(|x| *x == 3u8 || true);\n"
        "    (p.1 + v[0..2].len() as u8, all && v.first().is_some())\n}\n"
    )
    found = mutants(program)
    assert len(found) == len(set(found)) and all("derive(Debug)" in text and "1 < 2" in text for text in found)
    for right, wrong in (("any(", "all("), ("== 3u8", "!= 3u8"), ("3u8", "4u8"), ("||", "&&"), ("true", "false")):
        assert program.replace(right, wrong) in found
    for right, wrong in (
        ("p.1", "p.0"),
        ("0..2", "0..=2"),
        ("p.1 + ", "p.1 - "),
        (".first", ".last"),
        ("is_some", "is_none"),
    ):
        assert program.replace(right, wrong) in found
    assert not any(syntax(text).has_error for text in found) and mutants("fn f<T: A + B>() {} // 1") == []


def test_a_failing_test_is_shown_as_a_terminal_shows_it() -> None:
    panic = "\nthread 'tests::works' (41) panicked at src/main.rs:12:9:\nassertion failed: f(\x1b[31m1)\n"
    panic += "note: run with `RUST_BACKTRACE=1`\n"
    output = f"running 1 test\n\nfailures:\n\n---- tests::works stdout ----\n{panic}\n\nfailures:\n    tests::works\n"
    assert shown_failure(output) == (
        "---- tests::works stdout ----\n\nthread 'tests::works' panicked at src/lib.rs:11:9:\nassertion failed: f(1)"
    )
    assert shown_failure("test result: ok") == "" and len(shown_failure(output.replace("f(", "f(" * 9000))) == 2000


def test_gold_tests_are_split_into_asserts() -> None:
    module = "#[cfg(test)] mod gold { use super::*; #[test] fn a() { assert!(f(1)); // one\n assert_ne!(f(2), 3) } }"
    assert row_asserts({"gold_tests": module}) == ["assert!(f(1));", "assert_ne!(f(2), 3);"]
    tests = ["assert!(f(1))", "#[test] fn t() { assert!(f(2)); }"]
    assert row_asserts({"rust_test_list": json.dumps(tests)}) == ["assert!(f(1));", "assert!(f(2));"]
    with pytest.raises(BadRow, match="no gold tests"):
        row_asserts({"gold_cases": "", "rust_test_list": []})
    drafts = list(row_drafts([GOOD, {**GOOD, "task_id": "b", "reference": CLAMP.replace("\n", "\r\n")}], seed=3))
    assert all(isinstance(draft, PatchDraft) and draft.right == CLAMP for draft in drafts)
