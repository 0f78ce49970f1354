"""A large model writes Rust tasks, code and tests: what passes is kept, by a rule, and no answer is paid for twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from dataset.sources import read_rows
from dataset.splits import divide, split_of
from dataset.writing.answer_reading import read_asserts, read_code, read_prompt
from dataset.writing.drafts import Draft, Dropped
from dataset.writing.grading import grade_draft
from dataset.writing.passes import PASSES, instruction_hashes, question
from dataset.writing.record import COLUMNS
from dataset.writing.running import without_repeats, write_all
from dataset.writing.source_prompts import digest, source_prompts
from grpo.rollout.prompts import load_examples
from grpo_rust.compose.prompts import check_gold
from grpo_rust.compose.signatures import read_examples
from make_dataset import main
from remote_api.asking import Prices, Questioner
from remote_api.endpoint import Endpoint
from remote_api.journal import Journal
from rewards.gold.rows import gold_kind
from sandbox.errors import SandboxError
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from scripted_api import scripted

ROOT = Path(__file__).resolve().parents[2]
SIZES = (15000, 1000, 500)
STANDARD_DEVIATIONS = 5  # a fair split of 20,000 names is further off once in two million
RUN_CPU_S = 10  # that a program may use

DOUBLE = "pub fn double(n: i32) -> i32 {\n    n * 2\n}"
TOTAL = "pub fn total(numbers: &[i32]) -> i32 {\n    numbers.iter().sum()\n}"
COUNTER = """use std::sync::atomic::{AtomicU8, Ordering};
static COUNT: AtomicU8 = AtomicU8::new(0);
pub fn add(n: u8) -> u8 {
    COUNT.fetch_add(n, Ordering::SeqCst) + n
}"""  # what it returns depends on the order of calls, which gold tests do not keep
OF_DOUBLE = "assert_eq!(double(1), 2);\nassert_eq!(double(-3), -6);\nassert_eq!(double(0), 0);"
OF_COUNTER = "assert_eq!(add(1), 1);\nassert_eq!(add(2), 3);\nassert_eq!(add(3), 6);"
OF_TOTAL = "assert_eq!(total(&[1, 2]), 3);\nassert_eq!(total(&[]), 0);\nassert_ne!(total(&[5]), 4);"


def block(code: str) -> str:
    return f"Here it is:\n```rust\n{code}\n```\n"


# What the model answers in each pass, by the task; "task NAME" is in the source's text and in the rewritten one.
ANSWERS = {
    "double": ("Write task double in Rust.", block(DOUBLE), block(OF_DOUBLE)),
    "total": ("Write task total in Rust.", block(TOTAL), block(OF_TOTAL)),
    "wrong": ("Write task wrong in Rust.", block(DOUBLE), block(OF_DOUBLE.replace("-6", "6"))),
    "broken": ("Write task broken in Rust.", block(DOUBLE.replace("n * 2", "m * 2")), block(OF_DOUBLE)),
    "talk": ("Write task talk in Rust.", "I cannot.", ""),
    "lazy": ("Write task lazy in Rust.", block(DOUBLE), block("assert_eq!(double(1), 2);")),
    "snake": ("Write task snake in Python.", "", ""),
    "empty": ("Write task empty in Rust.", block(DOUBLE), block("assert!(1 < 2);\nassert!(2 < 3);\nassert!(3 < 4);")),
}
REQUESTS = {"double": 3, "total": 3, "wrong": 3, "broken": 3, "talk": 2, "lazy": 3, "snake": 1, "empty": 3}
STARTS = {"Below is a programming task that was": 0, "Solve this": 1, "Below are": 2}


def model(body: dict[str, Any]) -> str:
    """The model: what it answers to a request."""
    content = body["messages"][0]["content"]
    number = next(number for start, number in STARTS.items() if content.startswith(start))
    return next(answers[number] for name, answers in ANSWERS.items() if f"task {name}" in content)


def source_file(folder: Path, *names: str) -> str:
    """A file of Python tasks."""
    rows = [
        {"id": name, "question": f"Write task {name} in Python.", "test_cases": [f"assert {name}(1) == 2"]}
        for name in names or ANSWERS
    ]
    path = folder / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def words(source: str, url: str, out: Path, *more: str) -> list[str]:
    return ["write", source, "--base-url", url, "--model", "m", "--out", str(out), "--jobs", "1", *more]


def content_of(request: dict[str, Any]) -> str:
    return request["messages"][0]["content"]


def journal_lines(out: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal without its head."""
    text = (out / "journal.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines(keepends=True)[1:] if line.endswith("\n")]


# All of it


def test_what_passes_becomes_a_data_set_and_everything_else_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = source_file(tmp_path), tmp_path / "made"
    more = ("--license", "cc-by-4.0", "--at-once", "4")
    prices = ("--usd-per-million-in", "1000", "--usd-per-million-out", "2000")
    with scripted("busy", "half way", "well", text=model) as server:
        assert main(words(source, server.url, out, *more, "--split-sizes", "9", "0", "0", *prices)) == 0
    num_answers = sum(REQUESTS.values())
    assert len(server.requests) == num_answers + 2
    assert server.requests[-1].keys() == {"model", "messages", "temperature", "top_p", "max_tokens"}
    printed = capsys.readouterr()
    assert f"usd={num_answers * 0.05:.4f}" in printed.err  # 10 tokens in, 20 out
    assert f"{num_answers}/{num_answers}" in printed.err  # the bar ends where no more can be asked
    found = json.loads((out / "manifest.json").read_text())
    assert found["counts"] == {
        "rows read": 8,
        "dropped: near-duplicates of another row": 0,
        "rows chosen": 8,
        "prompts": 8,
        "rewritten for Rust": 7,
        "with Rust code": 6,
        "with tests": 5,
        "code passes its tests": 2,
        "with a task that no earlier row has": 2,
        "left over, as their split is full": 0,
        "train": 2,
        "eval": 0,
        "test": 0,
    }
    assert found["skipped"] == {
        "grading: a test fails": 1,
        "grading: the code does not build": 1,
        "grading: the pass is not strict": 1,
        "code: no closed ```rust block with code": 1,
        "tests: fewer than 3 distinct asserts": 1,
        "rewrite: the new task is about Python too": 1,
    }
    assert found["skipped_tasks"]["acecode-lazy"] == "tests: fewer than 3 distinct asserts (1)"
    assert "1  left out: grading: a test fails" in printed.out
    assert found["answers"]["tests"] == {"count": 6, "prompt_tokens": 60, "completion_tokens": 120}
    assert found["usd"] == pytest.approx(num_answers * 0.05) and found["gold_tests"] == {"cases": 2}
    assert found["sources"] == {source: hashlib.sha256(Path(source).read_bytes()).hexdigest()}
    assert found["prompts_sha256"] == digest(source_prompts(read_rows(source))[0])
    train = out / "train.parquet"
    assert found["files"] == {"train.parquet": {"rows": 2, "sha256": hashlib.sha256(train.read_bytes()).hexdigest()}}
    assert found["model"] == "m" and found["instructions"] == instruction_hashes()
    assert found["begun"] <= found["finished"] and "write" in found["made_by"]


def test_half_of_a_character_in_a_source_or_an_answer_stops_nothing(tmp_path: Path) -> None:
    source, out = source_file(tmp_path, "double"), tmp_path / "made"
    Path(source).write_text(Path(source).read_text().replace("in Python.", "in Python \\ud83d."))
    with scripted("well", text=lambda body: model(body) + "\ud83d") as server:
        assert main(words(source, server.url, out, "--split-sizes", "9", "0", "0")) == 0
        assert main(words(source, server.url, out, "--split-sizes", "9", "0", "0")) == 0
        assert len(server.requests) == 3 and "Python \ufffd." in content_of(server.requests[0])
    (example,) = load_examples(str(out / "train.parquet"), split="train", prompt_columns=("rust_prompt",))
    assert example.messages[0]["content"] == "Write task double in Rust.\ufffd"


def test_only_drawn_rows_are_asked_about_and_what_is_close_to_a_benchmark_is_listed(tmp_path: Path) -> None:
    source, out = source_file(tmp_path), tmp_path / "made"
    copied = tmp_path / "mbpp.jsonl"
    copied.write_text(
        json.dumps(
            {"task_id": 1, "text": "Write task total in Python.", "code": "", "test_list": ["assert total(1) == 2"]}
        )
    )
    more = ("--draw", "3", "--seed", "1", "--against", f"mbpp={copied}", "--split-sizes", "9", "0", "0")
    with scripted("well", text=model) as server:
        for _ in range(2):  # a finished folder is one to go on with
            main(words(source, server.url, out, *more))
    found = json.loads((out / "manifest.json").read_text())
    assert found["selection"]["draw"] == 3 and found["counts"]["prompts"] == 3
    close = [json.loads(line)["row_id"] for line in (out / "contamination.jsonl").read_text().splitlines()]
    assert "total" in close and found["counts"]["dropped: close to a benchmark"] == len(close)
    assert not any("task total" in content_of(request) for request in server.requests)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two rows, both for training."""
    folder = tmp_path_factory.mktemp("made")
    with scripted("well", text=model) as server:
        source = source_file(folder, "double", "total")
        assert main(words(source, server.url, folder / "rust-tasks", "--split-sizes", "9", "0", "0")) == 0
    return folder / "rust-tasks"


def test_the_file_is_data_for_training_with_gold_tests(made: Path) -> None:
    path = str(made / "train.parquet")
    examples = read_examples(path, split="train", system_prompt="", show="as_written")
    check_gold(path, examples)
    assert [example.id for example in examples] == ["acecode-double", "acecode-total"]
    assert examples[1].messages[0]["content"] == "Write task total in Rust."
    signature = {"signature": "fn double(n: i32) -> i32", "types": ""}
    assert examples[0].columns == {"rust_code": DOUBLE, "rust_test_list": OF_DOUBLE.split("\n"), **signature}
    shown = read_examples(path, split="train", system_prompt="", show="true")
    assert "fn double(n: i32) -> i32" in shown[0].messages[0]["content"]
    assert [gold_kind(example.columns) for example in examples] == ["cases", "cases"]


def test_a_training_starts_from_it_without_an_edit(made: Path, train_here: Callable[..., Any]) -> None:
    done = train_here(f"data.train={made / 'train.parquet'}", "eval.prompts=0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "train.parquet" in done.stdout


def test_the_card_is_one_that_the_hub_and_datasets_read(made: Path, in_place: None, tmp_path: Path) -> None:
    import datasets
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(made / "README.md")
    assert card.data.license == "other" and card.data.task_categories == ["text-generation"]
    assert card.data.to_dict()["configs"][0]["data_files"] == [{"split": "train", "path": "train.parquet"}]
    assert (
        "# rust-tasks" in card.text and "(`tasks.jsonl`)" in card.text and "| code passes its tests | 2 |" in card.text
    )
    loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 2}
    assert loaded["train"].column_names == list(COLUMNS)


# A stop loses nothing


def start(command: list[str]) -> subprocess.Popen[str]:
    whole = [sys.executable, "scripts/make_dataset.py", *command]
    return subprocess.Popen(whole, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def wait_for(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while not reached():
        time.sleep(0.02)
        assert process.poll() is None


def test_a_kill_loses_what_is_on_its_way_and_the_same_command_asks_for_nothing_twice(tmp_path: Path) -> None:
    source, out, at_once = source_file(tmp_path), tmp_path / "made", 2
    more = ("--at-once", str(at_once), "--split-sizes", "9", "0", "0")
    with scripted("slowly", text=model) as server:
        process = start(words(source, server.url, out, *more))
        wait_for(process, lambda: len(server.requests) >= 6)
        process.kill()
        process.communicate(timeout=60)
        time.sleep(1)  # until the server has noted what was sent
        answered, asked_before = journal_lines(out), len(server.requests)
        assert asked_before - at_once <= len(answered) <= asked_before
        server.script = ["well"]
        assert main(words(source, server.url, out, *more)) == 0
    again = [
        hashlib.sha256(content_of(request).encode()).hexdigest()[:16] for request in server.requests[asked_before:]
    ]
    assert not {line["asked"] for line in answered} & set(again)
    assert len(again) == sum(REQUESTS.values()) - len(answered)
    assert json.loads((out / "manifest.json").read_text())["counts"]["train"] == 2


def test_ctrl_c_keeps_the_answers_that_are_on_their_way(tmp_path: Path) -> None:
    with scripted("slowly", text=model) as server:
        process = start(words(source_file(tmp_path), server.url, tmp_path / "made", "--at-once", "2"))
        wait_for(process, lambda: len(server.requests) >= 4)
        time.sleep(0.2)
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
    answers = len(journal_lines(tmp_path / "made"))
    assert answers == len(server.requests) and f"keeps {answers} answers" in said
    assert not (tmp_path / "made" / "train.parquet").exists()


def test_ctrl_c_ends_programs_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = f"{time.time_ns()}"  # a program that no earlier test has graded: verdicts are kept
    endless = block(DOUBLE.replace("n * 2", f"loop {{\n        std::hint::black_box({new}u64);\n    }}"))
    monkeypatch.setitem(ANSWERS, "double", (ANSWERS["double"][0], endless, ANSWERS["double"][2]))
    with scripted("well", text=model) as server:
        process = start(words(source_file(tmp_path, "double"), server.url, tmp_path / "made"))
        wait_for(process, lambda: len(server.requests) == 3)
        time.sleep(1)
        process.send_signal(2)
        started = time.monotonic()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert time.monotonic() - started < RUN_CPU_S and "keeps 3 answers" in said


def test_a_server_that_fails_for_good_stops_the_work_and_the_rest_is_asked_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = source_file(tmp_path, "double", "total"), tmp_path / "made"
    more = ("--at-once", "1", "--retries", "0", "--split-sizes", "9", "0", "0")
    with scripted("well", "well", "failing", text=model) as server:
        assert main(words(source, server.url, out, *more)) == 3
        assert "keeps 2 answers: the same command goes on" in capsys.readouterr().err
        server.script = ["well"]
        assert main(words(source, server.url, out, *more)) == 0
        assert len(server.requests) == 3 + 4
        assert main(words(source, server.url, out, *more)) == 0
        assert len(server.requests) == 3 + 4  # all is in the journal


def test_a_finished_data_set_is_written_again_for_other_sizes_without_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = source_file(tmp_path, "double", "total"), tmp_path / "made"
    with scripted("well", text=model) as server:
        assert main(words(source, server.url, out, "--split-sizes", "9", "0", "0")) == 0
        assert main(words(source, server.url, out, "--split-sizes", "0", "0", "1")) == 0
    assert len(server.requests) == 6
    assert not (out / "train.parquet").exists() and (out / "test.parquet").exists()
    assert "1  left over, as their split is full" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--model", "n"), "model: m and n"), (("--temperature", "0.7"), "'temperature': 0.2"), ((), "instructions")],
)
def test_a_journal_of_another_model_other_settings_or_other_instructions_is_refused(
    more: tuple[str, ...], said: str, made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not more:
        changed = {**instruction_hashes(), "code": "of another text"}
        monkeypatch.setattr("dataset.writing.command.instruction_hashes", lambda: changed)
    assert main(words(source_file(made.parent, "double"), "http://127.0.0.1:9/v1", made, *more)) == 2
    assert said in capsys.readouterr().err


def test_two_processes_do_not_write_one_journal(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(made / "journal.jsonl", {}, ("task_id", "pass", "asked"), _same):
        assert main(words(source_file(made.parent, "double"), "http://127.0.0.1:9/v1", made)) == 2
    assert "is being written by another process" in capsys.readouterr().err


def test_a_row_that_was_changed_is_asked_about_anew(tmp_path: Path) -> None:
    source, out = source_file(tmp_path, "double"), tmp_path / "made"
    more = ("--split-sizes", "9", "0", "0")
    with scripted("well", text=model) as server:
        assert main(words(source, server.url, out, *more)) == 0
        Path(source).write_text(Path(source).read_text().replace("Write task", "Write the task"))
        assert main(words(source, server.url, out, *more)) == 0
    contents = [content_of(request) for request in server.requests]
    assert len(contents) == 4 and "Write the task double" in contents[3]


def test_a_request_that_is_refused_alone_is_counted_and_a_wrong_key_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = source_file(tmp_path, "double", "total"), tmp_path / "made"
    more = ("--at-once", "1", "--split-sizes", "9", "0", "0")
    with scripted("too long", text=model) as server:
        assert main(words(source, server.url, out, *more)) == 2  # nothing was ever answered
        assert len(server.requests) == 1
        server.script = ["well", "wrong key"]
        assert main(words(source, server.url, out, *more)) == 2
        server.script = ["too long", "well"]
        assert main(words(source, server.url, out, *more)) == 0
    found = json.loads((out / "manifest.json").read_text())
    assert found["skipped"] == {"code: the server refuses the request": 1}
    assert "longer than the model's context" in found["skipped_tasks"]["acecode-double"]
    assert found["counts"]["train"] == 1


def test_an_answer_that_is_cut_off_is_counted_and_nothing_that_passes_is_exit_code_1(tmp_path: Path) -> None:
    source, out = source_file(tmp_path, "double"), tmp_path / "made"
    with scripted("cut", text=model) as server:
        assert main(words(source, server.url, out)) == 1
    found = json.loads((out / "manifest.json").read_text())
    assert found["skipped"] == {"rewrite: the answer is cut off at the limit of tokens": 1}
    assert found["files"] == {} and sorted(path.name for path in out.iterdir()) == ["journal.jsonl", "manifest.json"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--base-url", "ftp://x"), "give the address of the API"),
        (("--split-sizes", "0", "0", "0"), "not all of them 0"),
        (("--min-asserts", "0"), "1 or more"),
        (("--license", "CC BY"), "as cc-by-4.0"),
        (("--body", "[]"), "give a JSON object"),
        (("--out", "made.parquet"), "is a file: give a folder"),
        (("--out", "/dev/null/made"), "nothing can be written to /dev/null/made"),
    ],
)
def test_flags_that_cannot_be_used_say_what_to_give(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(source_file(tmp_path), "http://x/v1", tmp_path / "made", *more)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "made").exists()


def test_the_manifest_is_in_the_folder_when_its_name_has_a_dot(tmp_path: Path) -> None:
    out = tmp_path / "rust-tasks-v1.5"
    with scripted("well", text="no code") as server:
        assert main(words(source_file(tmp_path), server.url, out)) == 1
    assert (out / "manifest.json").exists()


def test_files_of_others_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "train.parquet").write_text("precious")
    assert main(words(source_file(tmp_path), "http://127.0.0.1:9/v1", others)) == 2
    assert "has files and no journal.jsonl" in capsys.readouterr().err
    assert (others / "train.parquet").read_text() == "precious"


class FailingPool:
    """A sandbox on a broken host."""

    jobs = 1

    def submit(self, source: str) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        future.set_result(Verdict(Outcome.HOST_ERROR, reason="no room on the disk"))
        return future


def test_a_host_that_cannot_grade_ends_the_asking_and_drops_nothing(tmp_path: Path) -> None:
    prompts, _ = source_prompts(
        {"id": number, "question": "Write task double in Python.", "test_cases": []} for number in range(50)
    )
    with scripted("well", text=model) as server, Journal(tmp_path / "j", {}, ("id", "pass", "asked"), _same) as journal:
        questioner = Questioner(Endpoint(server.url, "m"), journal, {}, Prices(), keep_raw=False)
        with pytest.raises(SandboxError, match="no room on the disk"):
            write_all(prompts, questioner, FailingPool(), at_once=1, min_asserts=3)  # type: ignore[arg-type]
        assert 3 <= len(server.requests) < 3 * len(prompts)


def _same(*_: object) -> list[str]:
    return []


# Its parts


def test_names_depend_on_the_row_alone() -> None:
    rows = [
        {"id": 7, "question": "q", "test_cases": ["assert f(1) == 2"]},
        {"task_id": 3, "text": "t", "code": "", "test_list": ["assert g() == 1"]},
        {"prompt": "only a text"},
        {"prompt": "only a text"},
        {"id": 7, "question": "another", "test_cases": ["assert f(1) == 2"]},
        {"question": " "},
    ]
    prompts, skipped = source_prompts(rows)
    names = [prompt.task_id for prompt in prompts]
    alone = f"prompt-{hashlib.sha256(b'only a text').hexdigest()[:12]}"
    assert names[:3] == ["acecode-7", "mbpp-3", alone] and names[3].startswith("acecode-7-") and len(names) == 4
    assert digest(prompts) != digest(prompts[1:]) and digest(prompts) == digest(source_prompts(rows)[0])
    assert prompts[0].asserts == ("assert f(1) == 2",) and prompts[2].asserts == ()
    assert skipped == {"no text": 1, "the same name and text as an earlier row": 1}
    assert {prompt.task_id for prompt in source_prompts(rows[2:3] + rows[1:2])[0]} == {alone, "mbpp-3"}


def test_an_instruction_takes_any_text_and_no_place_is_left() -> None:
    parts = {"task": "T${tests}$x", "tests": "P", "rust_prompt": "R", "rust_code": "fn f() {}"}
    assert "T${tests}$x" in question("rewrite", parts)
    assert not any("${" in question(name, {**parts, "task": "T"}) for name in PASSES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (block("assert!(f(1) > 0, \"a;b\");\n// why\nassert_eq!(f(2), \"}\")"), 2),
        (block("#[cfg(test)]\nmod t {\n use super::*;\n #[test]\n fn a() { assert!(f(1)); assert!(!f(2)); }\n}"), 2),
        (block("assert!(f(1));\nassert!(f(1));"), "fewer than 2 distinct asserts (1)"),
        (block("let x = f(1);\nassert!(x);"), "a statement that is no assert (let x = f(1);)"),
        (block("for i in 0..3 { assert!(f(i)); }"), "a statement that is no assert"),
        (block("assert!(f(1)"), "the block is no Rust"),
        ("assert!(f(1));", "no closed ```rust block"),
    ],
)  # fmt: skip
def test_only_asserts_are_read(text: str, found: int | str) -> None:
    if isinstance(found, int):
        assert len(read_asserts(text, at_least=2)) == found
        return
    with pytest.raises(Dropped) as raised:
        read_asserts(text, at_least=2)
    assert found in str(raised.value)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (read_prompt, " \n", "rewrite: an empty answer"),
        (read_prompt, "As in python, sort.", "about Python"),
        (read_code, "fn f() {}", "no closed ```rust block"),
        (read_code, block("struct S;"), "code: no function"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(read: Callable[[str], str], text: str, said: str) -> None:
    with pytest.raises(Dropped, match=said):
        read(text)


def test_code_loses_the_tests_that_were_not_asked_for() -> None:
    own = "\n#[cfg(test)]\nmod tests { use super::*; #[test] fn t() { assert_eq!(double(1), 2); } }"
    assert read_code(block(DOUBLE + own)) == DOUBLE


@pytest.mark.parametrize(
    ("code", "tests", "said"),
    [
        (DOUBLE, OF_DOUBLE, ""),
        (DOUBLE, OF_DOUBLE.replace("-3", '"x"'), "the tests do not build"),
        (COUNTER, OF_COUNTER, "a gold test fails"),
        (f"{DOUBLE}\npub fn other() -> u8 {{ 1 }}", OF_DOUBLE, "the pass is not strict"),
    ],
)
def test_a_draft_is_judged_as_a_completion_is(code: str, tests: str, said: str, pool: SandboxPool) -> None:
    draft = Draft("a", "p", code, tests.split("\n"))
    if not said:
        assert grade_draft(draft, pool) == "cases"
        return
    with pytest.raises(Dropped, match=said):
        grade_draft(draft, pool)


def test_a_draft_that_does_not_end_is_dropped() -> None:
    draft = Draft("a", "p", DOUBLE.replace("n * 2", "loop {}"), OF_DOUBLE.split("\n"))
    with SandboxPool(1, Limits(run_cpu_s=1)) as pool, pytest.raises(Dropped, match="out of time"):
        grade_draft(draft, pool)


def test_of_rows_with_one_task_the_first_is_kept() -> None:
    drafts = [Draft(name, task, "", []) for name, task in (("a", "Add two."), ("b", "add  two.\n"), ("c", "Add."))]
    found = {draft.task_id: (draft, "cases") for draft in drafts} | {"d": Dropped("code", "no function")}
    kept = without_repeats(found)
    assert [name for name, one in kept.items() if not isinstance(one, Dropped)] == ["a", "c"]
    assert str(kept["b"]) == "repeats: the same task as an earlier row (a)" and kept["d"] is found["d"]


def test_the_split_of_a_row_depends_on_its_name_alone_and_sizes_are_kept() -> None:
    names = [f"acecode-{number}" for number in range(20_000)]
    counts = Counter(split_of(name, SIZES) for name in names)
    for split, size in zip(("train", "eval", "test"), SIZES, strict=True):
        expected = len(names) * size / sum(SIZES)
        assert abs(counts[split] - expected) <= STANDARD_DEVIATIONS * expected**0.5
    assert split_of("acecode-1", SIZES) == split_of("acecode-1", [size * 2 for size in SIZES])
    drafts = [Draft(name, "", "", []) for name in names]
    splits, surplus = divide(drafts, SIZES, name=attrgetter("task_id"))
    assert {name: len(rows) for name, rows in splits.items()} == dict(zip(splits, SIZES, strict=True))
    assert surplus == len(names) - sum(SIZES)
    assert divide(drafts[::-1], SIZES, name=attrgetter("task_id"))[0]["test"] == splits["test"][::-1]
    few, none_left = divide(drafts[::50], SIZES, name=attrgetter("task_id"))
    assert none_left == 0
    assert {draft.task_id: name for name, rows in few.items() for draft in rows} == {
        name: split_of(name, SIZES) for name in names[::50]
    }
