"""The task repair: its prompt and rows, and rewards that no copy, rewrite, deletion or hiding mistake earns."""

from __future__ import annotations

import json

import pytest

from completions import fenced, passed
from grpo.rollout.prompts import encode_prompts
from grpo.rollout.rows import DataError
from grpo_rust.compose.signatures import read_examples
from rewards.completion import Gold, GradedCompletion
from rewards.gold.result import GoldResult
from rewards.registry import REWARDS
from rewards.repairing.wording import repair_prompt, right_answer
from rewards.rubric import Rubric
from rewards.tasks.known import TASKS, task_problem
from rewards.tasks.repair import TASK, errors_removed, stays_close
from rewards.trl_functions import stays_close_reward_func
from sandbox import Diagnostic, Outcome, Verdict
from sandbox.answers.answers import Answers

RIGHT = "fn add(a: i32, b: i32) -> i32 {\n    let sum = a + b;\n    sum\n}\n"
BROKEN = RIGHT.replace("a + b", "a + c")
OTHER = "fn add(a: i32, b: i32) -> i32 {\n    [a, b].iter().copied().sum::<i32>()\n}\n"
ROW = {
    "task": "repair",
    "broken": BROKEN,
    "diagnostics": "error[E0425]: cannot find value `c`",
    "errors": ["E0425"],
    "rust_test_list": ["assert_eq!(add(1, 2), 3);"],
}
SOLVED = Gold(GoldResult(1, 1, "", "cases"), Answers(Outcome.PASSED))
HALF = Gold(GoldResult(1, 2, "", "cases"), Answers(Outcome.PASSED))
MOVED = "fn zz() {\n    let s = String::new();\n    drop(s);\n    drop(s);\n}\n"
FAILED = Gold(GoldResult(0, 1, "add(1, 2) is 4", "cases"), Answers(Outcome.PASSED))


def answered(code, *, gold=SOLVED, verdict=None, row=ROW):
    return GradedCompletion(fenced(code), verdict or passed(), gold, task=TASK, row=row)


def unbuilt(*codes):
    """The verdict on a program with these errors."""
    return Verdict(Outcome.BUILD_ERROR, False, diagnostics=tuple(Diagnostic("error", code, "x", 1) for code in codes))


def test_the_task_is_known_by_its_file_and_its_rewards_are_for_no_other():
    assert TASKS["repair"] is TASK and TASK.gives == {"program", "block"}
    for name in ("stays_close", "errors_removed"):
        assert REWARDS[name].score(GradedCompletion(fenced(RIGHT), passed())) == (None, "not for the task function")
    assert Rubric({"stays_close": 1.0}).needs_gold and Rubric({"errors_removed": 1.0}).needs_gold
    assert REWARDS["errors_removed"].needs_verdict


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"broken": " "}, "has no text in column 'broken', the program to repair"),
        (
            {"diagnostics": ""},
            "does not say what is wrong with its program: give a text in diagnostics, failures, tests",
        ),
        ({"failures": ["x"]}, "has no text in column 'failures'"),
        ({"request": 3}, "has no text in column 'request'"),
        ({"errors": "E0308"}, "in column errors: give a list of codes"),
        ({"errors": [3]}, "in column errors: give a list of codes"),
    ],
)
def test_a_row_that_cannot_be_asked_is_refused_in_words(columns, words):
    assert words in task_problem({**ROW, **columns})


def test_errors_may_be_json_text_or_missing():
    assert not task_problem({**ROW, "errors": '["E0425", ""]'}) and not task_problem({**ROW, "errors": None})
    assert errors_removed(answered(RIGHT, row={**ROW, "errors": '["E0425"]'})).value == 1.0


def test_a_prompt_has_what_is_known_and_a_fence_that_its_program_cannot_close():
    program = 'fn f() -> &\'static str {\n    "\n```\n"\n}'
    said = repair_prompt(
        {"broken": program, "failures": "f() is 1", "tests": "mod t {}", "request": "Give three ticks."}
    )
    assert said.startswith("Give three ticks.\n\nThis Rust program has to be repaired:\n\n````rust\n" + program)
    assert (
        said.index("Its tests say:")
        < said.index("These tests have to pass:\n\n```rust\nmod t {}")
        < said.index("Answer")
    )
    assert "The compiler says" not in said


def test_line_ends_of_an_answer_are_those_of_rustc():
    assert TASK.extract("```rust\r\nfn f() {\r\n}\r\n```\r\n", {}, "first").code == "fn f() {\n}\n"


def test_a_prompt_over_the_limit_is_an_error_or_left_out(tmp_path):
    path = tmp_path / "rows.jsonl"
    long = {**ROW, "broken": BROKEN + "// x\n" * 500}
    path.write_text("".join(json.dumps(row) + "\n" for row in (ROW, long)))
    examples = read_examples(str(path), split="train", system_prompt="In Rust.", show="as_written")
    assert (
        examples[0].messages[0]["content"] == TASK.system_prompt
        and "cannot find value" in examples[0].messages[1]["content"]
    )
    encode = {"max_tokens": 1500, "encode": lambda messages: tuple(map(ord, messages[-1]["content"]))}
    assert len(encode_prompts(examples, long_prompts="skip", **encode)) == 1
    with pytest.raises(DataError, match="1 of 2 prompts are longer than data.max_prompt_tokens"):
        encode_prompts(examples, long_prompts="error", **encode)


def test_the_closer_the_repair_the_more_it_earns():
    one, rewritten = stays_close(answered(RIGHT)), stays_close(answered(OTHER))
    assert one.value == pytest.approx(1 - 1 / 11) and one.reason == "1 tokens were changed"  # of 23
    assert 0.0 <= rewritten.value < 0.3
    known = {**ROW, "completion": right_answer(RIGHT)}
    assert stays_close(answered(RIGHT, row=known)).value == 1.0


@pytest.mark.parametrize(
    "completion",
    [
        answered(BROKEN, gold=FAILED, verdict=unbuilt("E0425")),  # a copy
        answered(BROKEN + "// changed", gold=FAILED, verdict=unbuilt("E0425")),
        answered(BROKEN.replace("c;", "a;"), gold=FAILED),  # builds, and is wrong
        answered(RIGHT, gold=Gold(None, None)),  # takes equality over
        GradedCompletion("no code", None, Gold(None, None), task=TASK, row=ROW),
        answered(RIGHT, gold=None, verdict=unbuilt("E0308")),
        answered(BROKEN, gold=None),  # the same tokens cannot be a repair
    ],
)
def test_what_does_not_work_is_close_to_nothing(completion):
    assert stays_close(completion).value == 0.0


def test_closeness_is_unknown_where_nothing_says_whether_it_works():
    host = Verdict(Outcome.HOST_ERROR, reason="disk")
    assert (
        stays_close(answered(RIGHT, gold=Gold(GoldResult(0, 1, "disk", "cases"), Answers(Outcome.HOST_ERROR)))).value
        is None
    )
    assert stays_close(answered(RIGHT, gold=None, verdict=host)).value is None
    assert stays_close(answered(RIGHT, gold=None, row={**ROW, "errors": []})).value is None
    assert stays_close(answered(RIGHT, gold=None)).value > 0.9
    assert errors_removed(answered(RIGHT, verdict=host)).value is None
    assert errors_removed(answered(RIGHT, row={**ROW, "errors": []})).value is None
    assert stays_close_reward_func(completions=[fenced(RIGHT)], task=["repair"], broken=[BROKEN]) == [None]


@pytest.mark.parametrize(
    "code, verdict, value",
    [
        (RIGHT, passed(), 1.0),
        (BROKEN, unbuilt("E0425"), 0.0),
        (BROKEN.replace("let sum", "let _ = stringify!(let sum").replace("sum\n", ");\n    0\n"), passed(), 0.0),
        (BROKEN.replace("let sum", "todo!(stringify!(let sum").replace("sum\n", "))\n"), passed(), 0.0),
        (BROKEN.replace("c;", "c"), unbuilt(None), 0.0),  # a mistake of syntax hides the name
        (BROKEN.replace("c;", "1.5;"), unbuilt("E0277"), 0.0),  # another in its place
        (BROKEN.replace("c;", "b;") + "fn main() {}", unbuilt("E0428", "E0428"), 0.0),
        ("fn add(a: i32, b: i32) -> i32 {\n    todo!()\n}\n", passed(), 0.0),
        ("fn other() {}\n", passed(), 0.0),
        ("#[cfg(any())]\n" + RIGHT + "#[cfg(not(any()))]\nfn add(_: i32, _: i32) -> i32 {\n    0\n}\n", passed(), 0.0),
        ("/*\n" + RIGHT + "*/\nfn x() {}", passed(), 0.0),
        (RIGHT, Verdict(Outcome.TIMEOUT, False, reason="build: CPU"), 0.0),
    ],
)
def test_errors_are_removed_by_repairing_alone(code, verdict, value):
    assert errors_removed(answered(code, verdict=verdict, gold=None)).value == value


def test_gold_tests_settle_whether_what_builds_is_a_repair():
    """What is left out was not needed, where they pass; what runs into `todo!()` passes none."""
    hidden = RIGHT.replace("let sum", "todo!();\n    let sum")
    assert errors_removed(answered(OTHER)).value == 1.0 and errors_removed(answered(OTHER, gold=None)).value == 0.0
    assert errors_removed(answered(hidden, gold=FAILED)) == (0.0, "0 of 1 gold tests pass: add(1, 2) is 4")
    assert errors_removed(answered(RIGHT, gold=HALF)).value == 0.5
    assert errors_removed(answered("fn other() {}\n", gold=HALF)).value == 0.0


@pytest.mark.parametrize(
    "code, verdict, gold, value",
    [
        (BROKEN.replace("let sum", "return a;\n    let sum"), passed(), HALF, 0.0),  # no error, and nothing repaired
        (BROKEN.replace("a + c", "a + todo!()"), passed(), HALF, 0.0),
        (BROKEN.replace("a + c", "a + todo!()") + MOVED, unbuilt("E0382"), FAILED, 0.0),  # so that no test is run
        (RIGHT.replace("let sum", "let mut sum"), passed(), HALF, 0.0),  # one token right, and one wrong
        (RIGHT.replace("sum\n", "sun\n"), unbuilt("E0425"), FAILED, 0.0),
        (RIGHT, passed(), HALF, 0.5),
        (OTHER, passed(), SOLVED, 1.0),
    ],
)
def test_what_only_hides_errors_is_no_step_to_the_right_answer(code, verdict, gold, value):
    row = {**ROW, "completion": right_answer(RIGHT)}
    assert errors_removed(answered(code, gold=gold, verdict=verdict, row=row)).value == value


def test_a_macro_in_place_of_the_mistake_hides_it_though_it_is_a_token_nearer():
    right = "fn f(v: Vec<u8>) -> usize {\n    let w = v.clone();\n    v.len() + w.len()\n}\n"
    row = {**ROW, "broken": right.replace("v.clone()", "v"), "errors": ["E0382"], "completion": right_answer(right)}
    hidden = answered(right.replace("v.clone()", "todo!()"), gold=HALF, row=row)
    assert errors_removed(hidden).value == 0.0
    assert errors_removed(answered(right, gold=HALF, row=row)).value == 0.5


def test_one_of_two_errors_repaired_is_a_step():
    row = {**ROW, "broken": BROKEN.replace("sum\n}", "sun\n}"), "errors": ["E0425", "E0425"]}
    row["completion"] = right_answer(RIGHT)
    assert errors_removed(answered(BROKEN, gold=FAILED, verdict=unbuilt("E0425"), row=row)).value == 0.5
    blank = row["broken"].replace("+ c", "+ todo!()")
    assert errors_removed(answered(blank, gold=FAILED, verdict=unbuilt("E0425"), row=row)).value == 0.0


def test_without_a_right_answer_each_code_counts_once_and_no_other_may_come():
    """The compiler gives one message for all mistakes of a line with the same words, whatever line they come from."""
    broken = BROKEN.replace("let sum", "let one = c;\n    let two = c;\n    let sum")
    far = "fn add(a: i32, b: i32) -> i32 {\n" + "    let _ = a;\n" * 40 + "    a + b\n}\n"
    for known in ({}, {"completion": right_answer(far)}):
        row = {**ROW, **known, "broken": broken, "errors": ["E0425"] * 3}
        joined = answered(" ".join(broken.split()) + "\n", gold=None, verdict=unbuilt("E0425"), row=row)
        assert errors_removed(joined) == (0.0, "3 errors before, 1 now, of each code one counts")
        blank = answered(broken.replace("= c", "= todo!()") + MOVED, gold=None, verdict=unbuilt("E0382"), row=row)
        assert errors_removed(blank) == (0.0, "3 errors before, 1 now, among them E0382, which the input has not")
        two = {**row, "errors": ["E0425", "E0425", "E0308"]}
        assert errors_removed(answered(broken, gold=None, verdict=unbuilt("E0308"), row=two)).value == 0.5
        assert errors_removed(answered(broken, gold=None, verdict=passed(), row=two)).value == 1.0


@pytest.mark.parametrize("known", [{}, {"completion": right_answer(RIGHT)}])
def test_what_hides_its_errors_is_not_close_to_them_where_nothing_but_the_compiler_says_whether_it_works(known):
    dropped = "macro_rules! z {\n    ($($t:tt)*) => {};\n}\nz! {\n" + BROKEN + "}\n"
    for code in ("#[cfg(any())]\n" + BROKEN, dropped):
        assert stays_close(answered(code, gold=None, row={**ROW, **known})).value == 0.0
    assert stays_close(answered(RIGHT, gold=None, row={**ROW, **known})).value > 0.9


def test_a_prompt_has_the_lines_that_the_compiler_counted():
    assert "```rust\n\n\n  fn f() {}\n```" in repair_prompt({"broken": "\n\n  fn f() {}\n", "failures": "no"})


def test_facts_say_how_much_was_changed():
    assert TASK.facts("", ROW, RIGHT) == {"edited_tokens": 1.0, "unchanged": 0.0}
    assert TASK.facts("", ROW, BROKEN + " // x") == {"edited_tokens": 0.0, "unchanged": 1.0}
    assert TASK.facts("", ROW, "struct S;" * 40) == {"edited_tokens": None, "unchanged": 0.0}
    assert TASK.facts("", {}, None) == {"edited_tokens": None, "unchanged": None}


@pytest.mark.parametrize("program", [RIGHT, "/*\n  ```\n  x\n  ```\n*/\n" + RIGHT, "// ````\n" + RIGHT])
def test_a_right_answer_is_read_back_as_its_program(program):
    assert TASK.extract(right_answer(program), ROW, "first").code == program
