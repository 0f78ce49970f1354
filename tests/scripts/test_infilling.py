"""Tasks of filling in the middle: what is cut out, that every row is proven, and how rows and benchmarks are asked."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from benchmark_rows import PACK, file_of
from dataset.infilling.proving import gap_rows, proven
from dataset.infilling.spans import KINDS, cut_out, gap_at, multi_lines, random_spans, single_lines
from evaluating.arguments import parse_request, read_words
from evaluating.benchmarks.catalogue import load_benchmark
from evaluating.benchmarks.references import failing_references
from evaluating.prompts import read_prompts
from evaluating.protocol import protocol_record
from grpo.errors import BadInput
from grpo.model.policy import ModelError
from grpo_rust.compose.policy import load_starting_policy
from grpo_rust.compose.signatures import read_examples
from grpo_rust.recipe import load_recipe
from make_dataset import main
from rewards.demonstration import demonstration
from rewards.infilling.joining import joined, refused
from rewards.tasks.infill import SPANS, TASK
from sandbox import SandboxPool

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "scripts" / "recipes" / "tiny-infill.toml"
BENCHMARK = "humanevalpack-infill-"
PROGRAM = """// é
fn total(v: &[u8]) -> u8 {
    let found = v.iter().map(|one| one + 1).sum::<u8>();

    // a comment
    if found > 1 {
        note(found);
        return found;
    }
    0
}

fn note(_: u8) {}

#[cfg(test)]
mod tests {
    #[test]
    fn t() {
        assert_eq!(super::total(&[1]), 2);
    }
}
"""
ADD = {
    "task_id": "add",
    "prompt": "Add two\nnumbers.",
    "reference": "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n",
    "gold_tests": "#[test]\nfn t() {\n    assert_eq!(add(1, 2), 3);\n    assert_eq!(add(0, 5), 5);\n}",
}


def parts(*kinds: str) -> set[str]:
    """All that can be cut out of the program, by enough draws."""
    cuts = cut_out(PROGRAM, kinds, random.Random(0), 1000)
    assert all(cut.kind in kinds for cut in cuts)
    return {gap_at(PROGRAM, cut.start, cut.end).middle for cut in cuts}


def test_parts_are_cut_where_the_grammar_has_them() -> None:
    found = "let found = v.iter().map(|one| one + 1).sum::<u8>();"
    note = "if found > 1 {\n        note(found);\n        return found;\n    }"
    assert parts("statement") == {found, note, "note(found);", "return found;", "0"}
    assert parts("expression") == {
        "v.iter().map(|one| one + 1).sum::<u8>()", "v.iter().map(|one| one + 1)", "v.iter()", "|one| one + 1",
        "one + 1", "found > 1",
    }  # fmt: skip
    whole = f"{found}\n\n    // a comment\n    {note}\n    0"
    assert parts("function") == {whole}
    assert parts("block") == {
        whole, whole[:-6], f"{note}\n    0", "note(found);\n        return found;",
    }  # fmt: skip
    assert not parts("function") & parts("statement")


def test_every_part_is_a_gap_that_its_own_middle_fits() -> None:
    for kind in KINDS:
        for _, start, end in cut_out(PROGRAM, [kind], random.Random(1), 1000):
            gap = gap_at(PROGRAM, start, end)
            assert joined(gap, gap.middle) == PROGRAM and gap.problem() == refused(gap, gap.middle) == ""
            assert "assert_eq" not in gap.middle
    assert set(KINDS) | {"single_line", "multi_line", "random_span"} == set(SPANS)


def test_a_draw_is_the_same_every_time_and_takes_kinds_in_turn() -> None:
    drawn = [cut_out(PROGRAM, list(KINDS), random.Random(seed), 5) for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1] != drawn[2] and sorted(cut.kind for cut in drawn[0]) == sorted(KINDS)
    assert len({cut[1:] for cut in cut_out(PROGRAM, list(KINDS), random.Random(0), 20)}) == 20
    assert (
        cut_out("struct A;", list(KINDS), random.Random(0), 5)
        == []
        == cut_out("fn f() {}", list(KINDS), random.Random(0), 5)
    )


def test_lines_are_those_of_the_body_that_have_code() -> None:
    lines = [gap_at(PROGRAM, one.start, one.end).middle for one in single_lines(PROGRAM)]
    assert [line.strip() for line in lines] == [
        "let found = v.iter().map(|one| one + 1).sum::<u8>();", "if found > 1 {", "note(found);", "return found;",
        "}", "0",
    ]  # fmt: skip
    assert all(line.startswith("    ") and line.endswith("\n") for line in lines)
    assert [(one.first, one.last) for one in single_lines(PROGRAM)] == [(n, n) for n in (0, 3, 4, 5, 6, 7)]
    runs = multi_lines(PROGRAM)
    assert len(runs) == 6 * 7 // 2 and {(one.first, one.last) for one in runs} >= {(0, 0), (0, 7), (3, 6)}
    spans = random_spans(PROGRAM, random.Random(0), 10)
    assert len(set(spans)) == 10 and spans == random_spans(PROGRAM, random.Random(0), 10)
    assert random_spans("fn f() {}", random.Random(0), 10) == [] == single_lines("fn f() { 1 }")


def test_rows_that_ask_for_nothing_are_left_out(pool: SandboxPool) -> None:
    unneeded = {
        **ADD,
        "task_id": "b",
        "reference": "fn add(a: i32, b: i32) -> i32 {\n    if a > 9 { return b; }\n    a + b\n}",
    }
    wrong = {**ADD, "task_id": "c", "reference": "fn add(a: i32, b: i32) -> i32 {\n    a - b\n}"}
    rows = [
        ADD,
        unneeded,
        wrong,
        {"reference": "fn f() { 1; }"},
        {"prompt": "x"},
        {**ADD, "task_id": "d", "gold_tests": "#"},
    ]
    settings: dict[str, Any] = {"per_program": 9, "seed": 0, "with_request": True}
    found = list(proven(gap_rows(rows, ["statement"], **settings), pool))
    assert [(one.program_id, one.row.get("middle"), why) for one, why in found if one.program_id == "add"] == [
        ("add", "a + b", "")
    ]
    by_middle = {one.row["middle"]: why for one, why in found if one.program_id == "b"}
    assert by_middle["a + b"] == "" and by_middle["if a > 9 { return b; }"] == "it passes with an empty middle"
    assert by_middle["return b;"] == "it passes with todo!() as its middle" or "empty" in by_middle["return b;"]
    reasons = [why for one, why in found if one.program_id not in ("add", "b")]
    assert reasons == [
        "the program itself does not pass its gold tests",
        "no gold tests",
        "no program in a column reference or rust_code",
        "gold tests that cannot be read",
    ]


def test_the_verb_writes_rows_that_are_asked_and_keeps_a_program_on_one_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, out = tmp_path / "rows.jsonl", tmp_path / "made"
    row = {**ADD, "reference": ADD["reference"].replace("a + b", "a + b + 0")}
    source.write_text("".join(json.dumps({**row, "task_id": f"add-{n}"}) + "\n" for n in range(3)))
    words = ["infill", str(source), "--spans", "expression", "--per-program", "2", "--jobs", "1"]
    assert main([*words, "--out", str(out), "--split-sizes", "1", "1", "1"]) == 0  # 5 programs are run
    assert "6  of 6 parts are proven rows" in capsys.readouterr().out
    record = json.loads((out / "manifest.json").read_text())
    assert record["programs"] == 3 and record["spans"] == {"expression": 6} and not record["skipped"]
    seen: dict[str, str] = {}
    for file in out.glob("*.parquet"):
        for example in read_examples(str(file), split="train", system_prompt="", show="as_written"):
            assert seen.setdefault(example.columns["program_id"], file.name) == file.name
            assert example.columns["prefix"].startswith("// Add two\n// numbers.\nfn add(")
    with pytest.raises(SystemExit):
        main(["infill"])
    assert main([*words, "--spans", "line", "--out", str(tmp_path / "x.jsonl")]) == 2
    assert "--spans line: no such kind; there are expression, statement" in capsys.readouterr().err


def test_a_row_is_asked_in_a_chat_or_in_tokens(tmp_path: Path) -> None:
    row = {"task": "infill", "prefix": "fn f() -> u8 {\n    ", "middle": "1\n", "suffix": "}\n", "span": "random"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    for system, infill in (("In Rust.", "chat"), ("In Rust.", "tokens"), ("", "chat")):
        (one,) = read_examples(str(path), split="train", system_prompt=system, show="true", infill=infill)
        is_chat = infill == "chat"
        assert one.infill == (None if is_chat else (row["prefix"], row["suffix"]))
        assert [message["role"] for message in one.messages] == ["system", "user"][not system :]
        answer = demonstration(one.columns)
        assert answer == ("```rust\n1\n\n```" if is_chat else "1\n")
        assert TASK.extract(answer, one.columns, "first").code == "fn f() -> u8 {\n    1\n}\n"


@pytest.mark.parametrize(("kind", "count"), [("single-line", 3), ("multi-line", 6), ("random-span", 10)])
def test_a_benchmark_has_its_solutions_with_one_part_cut_out_of_each(
    kind: str, count: int, tmp_path: Path, pool: SandboxPool
) -> None:
    second = {**PACK, "task_id": "Rust/5"}
    found = load_benchmark(f"{BENCHMARK}{kind}", str(file_of("humanevalpack", tmp_path, [PACK, second])))
    assert len(found.tasks) == 2 * count == len({task.id for task in found.tasks})
    assert {task.id.rpartition("/")[0] for task in found.tasks[:2]} == {"Rust/0", "Rust/5"}  # one of each problem first
    for task in found.tasks:
        columns = task.columns
        assert columns["prefix"] + columns["middle"] + columns["suffix"] == task.reference
        assert columns["span"] == kind.replace("-", "_") and "/*\n Count words.\n*/" in columns["prefix"]
        assert "fn main" not in task.reference and TASK.row_problem(columns) == ""
    assert failing_references(found.tasks, pool) == {}


def test_a_benchmark_is_evaluated_as_the_recipe_says(tmp_path: Path, pool: SandboxPool) -> None:
    file = file_of("humanevalpack", tmp_path, [PACK])
    words = [str(ROOT / "assets" / "tiny-rust"), "--benchmark", f"{BENCHMARK}single-line={file}"]
    for infill in ("chat", "tokens"):
        request = parse_request([*words, f"data.infill={infill}", "eval.prompts=2", f"--out={tmp_path / 'out'}"], "")
        examples = read_prompts(request, pool)
        assert len(examples) == 2 and all((one.infill is None) is (infill == "chat") for one in examples)
        assert all(TASK.kind(one.columns) == "single_line" and one.columns["gold_tests"] for one in examples)
        protocol = protocol_record("recipe", request.recipe, examples, request.source)
        assert protocol["settings"]["data.infill"] == infill
    others = protocol_record("recipe", request.recipe, [], request.source)
    assert "data.infill" not in others["settings"]


def test_what_cannot_be_asked_in_tokens_says_what_to_do() -> None:
    with pytest.raises(BadInput, match="an API takes messages and no tokens; give data.infill=chat"):
        read_words(["api:x/y", "data.infill=tokens"])
    recipe = load_recipe(RECIPE, [f"model.path={ROOT / 'assets' / 'tiny-rust'}", "data.infill=tokens"])
    with pytest.raises(ModelError, match='set data.infill = "chat"'):
        load_starting_policy(recipe)
