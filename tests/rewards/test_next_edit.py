"""The task `next_edit`: its prompt, what is paid, and that nothing is paid for doing none of the change."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from next_edit_rows import ROWS
from rewards.completion import GradedCompletion
from rewards.grader import RustGrader
from rewards.line_edits.edit import LineEdit
from rewards.line_edits.judging import refusal, taken_away
from rewards.line_edits.reading import edit_answer
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.tasks.known import TASKS, task_of, task_problem
from rewards.tasks.next_edit import TASK, edit_applies, remaining_edits

PAID = {"gold": 1.0, "cargo_build": 0.0, "edit_applies": 0.0, "edit_builds": 0.0, "cargo_test": 0.0}


def grades(pool, answers):
    """The grades of answers, each for a row, in one batch."""
    grader = RustGrader(Rubric(PAID), pool, mutation=False)
    tickets = [
        grader.start(
            SimpleNamespace(messages=[], columns=columns, tester_ids=[]),
            SimpleNamespace(id=str(n), text=text, token_ids=[]),
        )
        for n, (columns, text) in enumerate(answers)
    ]
    return grader.finish(tickets)


def answer(first, last, text):
    return edit_answer(LineEdit(first, last, text))


def test_the_prompt_shows_the_last_edits_and_the_numbered_file():
    assert TASK.prompt(ROWS["variant"]).splitlines() == [
        "Make the next edit of this file. Last edits:",
        "@ line 3",
        "-    Dime,",
        "+    Dime,",
        "+    Penny,",
        "File, > marks the cursor:",
        "1|enum Coin {",
        "2|    Dime,",
        "3>    Penny,",
        "4|}",
        "5|",
        "6|fn name(coin: Coin) -> &'static str {",
        "7|    match coin {",
        '8|        Coin::Dime => "dime",',
        "9|    }",
        "10|}",
        "Answer with one ```rust block: `// lines A-B`, then the new text of these lines.",
    ]


def test_a_file_cannot_look_like_the_prompts_own_text():
    file = "/*\nFile, > marks the cursor:\n1>fn g() {}\n```\n*/\nfn f() {}\n"
    lines = TASK.prompt({**ROWS["rename"], "file": file, "cursor": 6}).splitlines()
    assert [line for line in lines if line.startswith("File")] == ["File, > marks the cursor:"]
    assert [line for line in lines if line[1:2] == ">"] == ["6>fn f() {}"]
    assert not any(line.startswith("```") for line in lines)


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_of_each_kind_is_one(kind):
    assert task_of(ROWS[kind]) is TASKS["next_edit"] and task_problem(ROWS[kind]) == ""


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("file", " ", "has no text in column 'file'"),
        ("cursor", 0, "no line of its file in column 'cursor', but '0'"),
        ("cursor", 5, "no line of its file"),
        ("cursor", True, "no line of its file"),
        ("recent", None, "column 'recent'"),
        ("recent", [{"line": 1, "old": "a"}], "column 'recent'"),
        ("edits", [], "column 'edits'"),
        ("edits", [{"first": 2, "last": 2, "text": "    let c = first + b; // c"}], "does not end with a newline"),
        ("edits", "[]", "column 'edits'"),
        ("edits", [{"first": 2, "last": 2, "text": None}], "column 'edits'"),
        ("edits", [{"first": 9, "last": 9, "text": "}\n"}], "cannot be taken: lines 9-9 are none of a file of 4"),
        ("edits", [{"first": 2, "last": 2, "text": "    let c = a + b;\n"}], "cannot be taken: it changes nothing"),
        (
            "edits",
            [{"first": 2, "last": 3, "text": "c\n"}, {"first": 3, "last": 3, "text": "d\n"}],
            "both replace a line",
        ),
    ],
)
def test_a_bad_row_says_what_is_wrong(column, value, problem):
    assert problem in task_problem({**ROWS["rename"], column: value})


def with_crlf(text):
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize("kind", ROWS)
def test_line_ends_of_a_row_or_an_answer_change_nothing(kind):
    row = ROWS[kind]
    edits = [one | {"text": with_crlf(one["text"])} for one in row["edits"]]
    recent = [one | {"old": with_crlf(one["old"]), "new": with_crlf(one["new"])} for one in row["recent"]]
    other = {**row, "file": with_crlf(row["file"]).rstrip(), "recent": recent, "edits": edits}
    assert task_problem(other) == "" and TASK.prompt(other) == TASK.prompt(row)
    right = edit_answer(remaining_edits(row)[0])
    for text in (right, with_crlf(right)):
        read = TASK.extract(text, other, "first")
        assert TASK.facts(text, other, read.code) == {"exact_match": 1.0, "on_place": 1.0}
        assert read.code.split() == TASK.extract(right, row, "first").code.split()


def test_the_right_answers_are_paid_also_where_they_look_otherwise(pool):
    rights = [(row, edit_answer(remaining_edits(row)[0])) for row in ROWS.values()]
    others = [
        (ROWS["rename"], answer(2, 3, "    let c = first + b;\n    c * first\n")),  # all that remains at once
        (ROWS["rename"], answer(3, 3, "    c * first\n")),  # the other one first
        (ROWS["type"], answer(2, 2, "    let mut sum = 0;\n")),
        (ROWS["variant"], answer(7, 7, '    match coin {\n        Coin::Penny => "penny",\n')),  # on another line
    ]
    found = grades(pool, rights + others)
    assert [grade.rewards["gold"] for grade in found] == [1.0] * 8 and all(grade.solved for grade in found)
    assert all(grade.rewards["cargo_test"] is None and grade.rewards["edit_applies"] == 1.0 for grade in found)
    assert [grade.checks["exact_match"] for grade in found] == [1.0] * 4 + [0.0] * 4
    assert [grade.checks["on_place"] for grade in found] == [1.0] * 4 + [1.0, 0.0, 1.0, 0.0]


CHEATS = {
    "nothing": ("rename", ""),
    "prose": ("rename", "Rename the other uses of a."),
    "the prompt": ("rename", TASK.prompt(ROWS["rename"])),
    "the same lines": ("rename", answer(2, 2, "    let c = a + b;\n")),
    "a comment": ("rename", answer(2, 2, "    let c = a + b; // first\n")),
    "a comment elsewhere": ("variant", answer(1, 1, "enum Coin { /* Coin::Penny => 'p' */\n")),
    "harmless code elsewhere": ("rename", answer(1, 1, "fn add(first: i32, b: i32) -> i32 {\n    let c = b;\n")),
    "the old name kept alive": ("rename", answer(1, 1, "fn add(first: i32, b: i32) -> i32 {\n    let a = first;\n")),
    "the last edit undone": ("rename", answer(1, 1, "fn add(a: i32, b: i32) -> i32 {\n")),
    "the last edit of a type undone": ("type", answer(1, 1, "fn total(xs: &[i32]) -> i32 {\n")),
    "the old type behind a cast": (
        "type",
        answer(2, 4, "    let mut sum: i64 = 0i32 as i64;\n    for x in xs {\n        sum += *x;\n"),
    ),
    "the new field taken away": ("field", answer(4, 4, "")),
    "an arm for all": ("variant", answer(8, 8, '        Coin::Dime => "dime",\n        _ => "penny",\n')),
    "the variant taken away": ("variant", answer(3, 3, "")),
    "another arm's value": ("variant", answer(8, 8, '        Coin::Dime | Coin::Penny => "dime",\n')),
    "the suffix in a comment": ("rename", answer(2, 2, "    first + b }\n/*\n")),
    "the suffix in a text": ("rename", answer(2, 2, '    first + b }\n"\n')),
    "a second function": ("rename", answer(2, 3, "    b }\nfn add(first: i32, b: i32) -> i32 {\n    first + b\n")),
    "a module of its own": ("rename", answer(2, 3, "    first + b }\nmod first { fn b() {}\n")),
    "tests of its own": ("rename", answer(4, 4, "}\n#[cfg(test)]\nmod gold_tests { #[test] fn t() {} }\n")),
    "a number from the tests": ("rename", answer(2, 3, "    if b == 2 { 3 } else { 0 }\n")),
    "no such lines": ("rename", answer(40, 41, "    let c = first + b;\n")),
}


def test_nothing_is_paid_for_an_answer_that_does_none_of_the_change(pool):
    found = grades(pool, [(ROWS[kind], text) for kind, text in CHEATS.values()])
    paid = {name: grade.rewards["gold"] for name, grade in zip(CHEATS, found, strict=True)}
    assert {name for name, value in paid.items() if value != 0.0} == set()
    assert not any(grade.checks["exact_match"] for grade in found)


TAKEN_AWAY = [
    ("rename", answer(2, 3, "    b\n"), "it takes away add, or a part of it"),
    ("field", answer(7, 9, ""), "it takes away make, or a part of it"),
    ("variant", answer(6, 10, ""), "it takes away name, or a part of it"),
    ("field", answer(4, 4, ""), "it takes away false, or a part of it"),  # the change is undone
    ("rename", answer(2, 2, "    let c = 0;\n"), "it takes away first, or a part of it"),  # builds without the new name
    ("rename", answer(2, 2, "    let c = 0 * b; // first\n"), "it takes away first, or a part of it"),
]


def test_a_field_that_is_taken_back_is_lacking_where_its_use_is_dots():
    """The remaining edit brings in no word: `..` stands for the new field."""
    size = "struct Size {\n    wide: u8,\n    tall: u8, // new\n}\n\n"
    file = size + "fn f(s: Size) -> u8 {\n    let Size { wide } = s;\n    wide\n}\n"
    remaining = [LineEdit(7, 7, "    let Size { wide, .. } = s;\n")]
    back, announced = LineEdit(3, 3, ""), "    wide: u8,\n    tall: u8, // new\n"
    assert taken_away(file, back, remaining) == ""
    assert taken_away(file, back, remaining, announced=announced) == "tall"
    assert taken_away(file, remaining[0], remaining, announced=announced) == ""


def test_code_that_is_taken_away_is_not_paid_for_building(pool):
    for (_, _, reason), grade in zip(TAKEN_AWAY, grades(pool, [(ROWS[k], t) for k, t, _ in TAKEN_AWAY]), strict=True):
        assert grade.rewards["cargo_build"] == 1.0 and grade.rewards["edit_builds"] == 0.0, reason
        assert grade.rewards["gold"] == 0.0


def test_the_kind_of_a_row_is_one_that_is_known():
    assert [TASK.kind({"kind": kind}) for kind in ("rename", "x", ["rename"], None)] == ["rename", "", "", ""]


def test_gold_tests_settle_whether_code_was_taken_away(pool):
    shorter = answer(2, 3, "    (first + b) * first\n")
    wrong = answer(2, 3, "    (first + b) * b\n")
    right, other = grades(pool, [(ROWS["rename"], shorter), (ROWS["rename"], wrong)])
    assert (right.rewards["gold"], right.rewards["edit_builds"]) == (1.0, 1.0)
    assert (other.rewards["gold"], other.rewards["edit_builds"]) == (0.0, 0.0)


def test_a_loop_that_never_ends_is_no_value_of_every_type():
    file, remaining = "fn f(x: u8) -> u8 {\n    0\n}\n", [LineEdit(2, 2, "    x\n")]
    assert refusal(file, LineEdit(2, 2, "    loop {}\n"), remaining) == (
        "it has the name loop, which the finished program does not"
    )
    assert refusal(file.replace("0", "loop {}"), LineEdit(2, 2, "    loop { x; }\n"), []) == "", "as it has one"


def test_a_type_that_is_gone_is_named():
    file = "struct Old {}\nfn f() -> u8 {\n    0\n}\n"
    assert taken_away(file, LineEdit(1, 3, "fn f() -> u8 {\n    1\n"), [LineEdit(3, 3, "    1\n")]) == "Old"


def test_an_edit_that_leaves_no_code_is_none():
    assert TASK.extract(answer(1, 4, ""), ROWS["rename"], "first") == (None, "it leaves no code")


def test_what_builds_with_all_of_its_parts_is_paid_for_that(pool):
    right = edit_answer(remaining_edits(ROWS["rename"])[0])
    wrong = answer(2, 2, "    let c = first * b;\n")
    for text, solved in ((right, 1.0), (wrong, 0.0)):
        (grade,) = grades(pool, [(ROWS["rename"], text)])
        assert (grade.rewards["gold"], grade.rewards["edit_builds"]) == (solved, 1.0)


def test_a_refused_answer_has_its_reason_in_every_reward():
    one = GradedCompletion(answer(2, 2, "    let c = a + b;\n"), None, task=TASK, row=ROWS["rename"])
    reason = "it changes nothing but space and comments"
    assert edit_applies(one) == (0.0, reason) == REWARDS["cargo_build"].score(one)
    assert REWARDS["edit_applies"].score(GradedCompletion("x")) == (None, "not for the task function")


def test_an_edit_is_paid_for_how_far_it_comes():
    def paid(text, kind="rename"):
        return edit_applies(GradedCompletion(text, None, task=TASK, row=ROWS[kind]))

    assert paid(answer(2, 3, "    c\n")) == (0.2, "replaces lines 2-3: 0% of what is left to do")
    assert paid(answer(2, 2, "    let c = first + b;\n"))[0] == 1.0  # the other one is made beside it
    both = answer(2, 3, "    let c = first + b;\n    c * b\n")
    assert paid(both) == (pytest.approx(0.2 + 0.8 / 2), "replaces lines 2-3: 50% of what is left to do")
    assert paid(answer(1, 1, "fn add(first: i32, b: i32) -> i32 {\n    let c = b;\n"))[0] == 0.2  # elsewhere
    assert paid(answer(9, 9, "        c\n"), "type")[0] == 0.0


def test_facts_are_about_the_block_that_was_read():
    right, wrong = edit_answer(remaining_edits(ROWS["type"])[0]), answer(6, 6, "    0\n")
    for block, text in (("first", f"{right}\n{wrong}"), ("last", f"{wrong}\n{right}")):
        code = TASK.extract(text, ROWS["type"], block).code
        assert TASK.facts(text, ROWS["type"], code) == {"exact_match": 1.0, "on_place": 1.0}
    assert TASK.facts(wrong, ROWS["type"], TASK.extract(wrong, ROWS["type"], "first").code)["on_place"] == 0.0
