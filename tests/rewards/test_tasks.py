"""Tasks: one file is enough, rows name them, and what an answer does not give is not scored."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import rewards.tasks
from completions import ADD, fenced, passed
from grpo.errors import BadInput
from grpo_rust.compose.signatures import read_examples
from rewards.completion import GradedCompletion
from rewards.grader import RustGrader
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.tasks import known
from rewards.tasks.task import Extracted, Task
from rewards.trl_functions import cargo_build_reward_func, cargo_test_reward_func

FILE = """
from rewards.tasks.task import Extracted, Task

TASK = Task("shout", frozenset({"program"}), lambda text, row, block: Extracted(text.lower()), {"words": "what to say"},
            prompt=lambda row: f"Shout {row['words']}", system_prompt="Loudly.")
"""
QUIET = Task(
    "shout",
    frozenset({"program"}),
    lambda text, row, block: Extracted(row["before"] + text) if text else Extracted(None, "nothing said"),
    {"before": "the beginning"},
    prompt=lambda row: f"Go on: {row['before']}",
    system_prompt="Quietly.",
    facts=lambda text, row, code: {"length": float(len(text))},
)


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr(known, "TASKS", {**known.TASKS, "shout": QUIET})


def test_a_file_in_the_folder_is_a_task(tmp_path, monkeypatch):
    (tmp_path / "shouting.py").write_text(FILE)
    monkeypatch.setattr(rewards.tasks, "__path__", [*rewards.tasks.__path__, str(tmp_path)])
    found = known._found()
    assert list(found)[0] == "function" and found["shout"].extract("FN", {}, "first") == ("fn", "")
    assert "shout" not in known.TASKS  # found when the package is loaded


@pytest.mark.parametrize("column", ["shuot", ["shout"], {"a": 1}, 3])
def test_data_of_an_unknown_task_is_refused_with_its_row(column, quiet, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "Add."}\n' + json.dumps({"prompt": "Add.", "task": column}) + "\n")
    with pytest.raises(BadInput, match=r"a.jsonl: row 1 has the task .* Known are function, .*shout"):
        read_examples(str(path), split="train", system_prompt="", show="as_written")


def test_rows_of_several_tasks_are_asked_each_in_its_way(quiet, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "Add."}\n{"task": "shout", "before": "fn "}\n')
    add, shout = read_examples(str(path), split="train", system_prompt="In Rust.", show="as_written")
    assert [message["content"] for message in add.messages] == ["In Rust.", "Add."]
    assert [message["content"] for message in shout.messages] == ["Quietly.", "Go on: fn "]
    assert shout.columns == {"task": "shout", "before": "fn "}
    _, without = read_examples(str(path), split="train", system_prompt="", show="true")
    assert [message["role"] for message in without.messages] == ["user"]
    path.write_text('{"task": "shout", "before": ""}\n')
    with pytest.raises(BadInput, match="row 0 has no text in column 'before', the beginning, which the task shout"):
        read_examples(str(path), split="train", system_prompt="", show="as_written")


def test_what_an_answer_does_not_give_is_not_scored(quiet):
    row = {"task": "shout", "before": "fn "}
    one = GradedCompletion("f() {}", passed(), task=QUIET, row=row)
    scores = Rubric(dict.fromkeys(REWARDS, 1.0)).score(one)
    assert one.code == "fn f() {}" and scores["cargo_build"].value == 1.0
    for name in ("cargo_test", "asserts", "test_block", "code_block", "mutation"):
        assert scores[name] == (None, "not for the task shout")
    silent = GradedCompletion("", None, task=QUIET, row=row)
    assert REWARDS["cargo_build"].score(silent) == (0.0, "nothing said")


def test_the_grader_reads_each_answer_with_its_task(quiet):
    sent = []

    def submit(source, **_):
        sent.append(source)
        return SimpleNamespace(add_done_callback=lambda call: None)

    grader = RustGrader(Rubric({"cargo_build": 1.0, "cargo_test": 1.0}), SimpleNamespace(submit=submit, cancel=None))
    texts = [("f() {}", {"task": "shout", "before": "fn "}), (fenced(ADD), {"task": "of another meaning"})]
    tickets = [
        grader.start(SimpleNamespace(messages=[], columns=row), SimpleNamespace(id="c", text=text, token_ids=[]))
        for text, row in texts
    ]
    assert sent[0] == "fn f() {}" and sent[1].strip() == ADD.strip()
    for ticket in tickets:
        ticket.submission.future.set_result(passed())
    shout, add = grader.finish(tickets)
    assert shout.rewards["cargo_test"] is None and add.rewards["cargo_test"] is not None
    assert shout.checks["length"] == 6.0 and "length" not in add.checks
    assert shout.checks["test_strict"] is None and add.checks["test_strict"] is not None
    assert (shout.solved_by, add.solved_by) == ("gold", "test_strict")
    assert shout.verdict["task"] == "shout" and "task" not in add.verdict


def test_functions_for_trl_read_the_rows_too(quiet):
    row = {"task": ["shout", None], "before": ["fn ", ""], "trainer_state": object()}
    texts = ["f() {}", fenced(ADD)]
    assert cargo_build_reward_func(completions=texts, verdicts=[passed(), passed()], **row) == [1.0, 1.0]
    assert cargo_test_reward_func(completions=texts, verdicts=[passed(), passed()], **row)[0] is None
