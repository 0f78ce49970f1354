"""Edits of lines: what is read out of an answer, what is refused and why, and the program that is judged."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.line_edits.edit import LineEdit, lines_of, with_edits
from rewards.line_edits.judging import MAX_LINES, finished, refusal
from rewards.line_edits.reading import edit_answer, read_edit

FILE = "fn f(first: i32, b: i32) -> i32 {\n    let c = a + b;\n    c * a\n}\n"  # `a` is being renamed to `first`
REMAINING = [LineEdit(2, 2, "    let c = first + b;\n"), LineEdit(3, 3, "    c * first\n")]
TEXTS = st.text(alphabet="ab \n\r/-`12lines*\"'{}", max_size=80)


def block(text: str, fence: str = "```") -> str:
    return f"Here:\n{fence}rust\n{text}{fence}\n"


def test_edits_count_the_lines_before_any_of_them():
    edits = [LineEdit(4, 4, ""), LineEdit(1, 2, "x\ny\nz\n"), LineEdit(3, 3, "3\n")]
    assert with_edits("1\n2\n3\n4\n5", edits) == "x\ny\nz\n3\n5"
    assert [edit.growth for edit in edits] == [-1, 1, 0]
    assert with_edits("1\r\n2\r\n", [LineEdit(2, 2, "b\n")]) == "1\r\nb\n"


@pytest.mark.parametrize(
    ("one", "other", "touch"), [((1, 2), (3, 3), False), ((1, 3), (3, 4), True), ((2, 2), (1, 9), True)]
)
def test_edits_touch_where_they_share_a_line(one, other, touch):
    assert LineEdit(*one, "").touches(LineEdit(*other, "")) is touch is LineEdit(*other, "").touches(LineEdit(*one, ""))


@given(TEXTS)
def test_lines_put_together_are_the_text(text):
    assert "".join(lines_of(text)) == text


@pytest.mark.parametrize(
    ("answer", "edit"),
    [
        (block("// lines 2-3\n    c\n"), LineEdit(2, 3, "    c\n")),
        (block("// line 7  \na\n\nb\n"), LineEdit(7, 7, "a\n\nb\n")),
        (block("// lines 2-3\n"), LineEdit(2, 3, "")),
        (block("// lines 4-2\r\na\r\n"), LineEdit(4, 2, "a\n")),  # read here, refused later
        (block("// lines 1-1\n/// ```\n/// f();\n"), LineEdit(1, 1, "/// ```\n/// f();\n")),
    ],
)
def test_an_edit_is_read(answer, edit):
    assert read_edit(answer, "first").edit == edit


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no closed ```rust block"),
        ("// lines 2-3\nc\n", "no closed ```rust block"),
        ("```\n// lines 2-3\nc\n```", "no closed ```rust block"),
        (block("c\n"), "does not begin with a line such as"),
        (block("\n// lines 2-3\nc\n"), "does not begin with a line such as"),
        (block("// lines 2-99999999\nc\n"), "does not begin with a line such as"),
        (block("// lines -1-2\nc\n"), "does not begin with a line such as"),
        (block("// lines ٢-٣\nc\n"), "does not begin with a line such as"),
    ],
)
def test_an_answer_without_an_edit_says_why(answer, reason):
    found = read_edit(answer, "first")
    assert found.edit is None and reason in found.reason


def test_which_block_counts_is_said():
    answer = block("// lines 1-1\na\n") + block("// lines 2-2\nb\n")
    assert (read_edit(answer, "first").edit, read_edit(answer, "last").edit) == (
        LineEdit(1, 1, "a\n"),
        LineEdit(2, 2, "b\n"),
    )


@given(st.integers(1, 9), st.integers(1, 9), TEXTS)
def test_what_is_written_is_read(first, last, text):
    edit = LineEdit(first, last, "".join(f"{line}\n" for line in text.replace("\r", "").split("\n")))
    assert read_edit(edit_answer(edit), "first").edit == edit


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (LineEdit(0, 1, "a\n"), "lines 0-1 are none of a file of 4 lines"),
        (LineEdit(4, 5, "a\n"), "lines 4-5 are none"),
        (LineEdit(3, 2, "a\n"), "lines 3-2 are none"),
        (LineEdit(2, 2, "    let c = b;\n" * (MAX_LINES + 1)), "replaces 1 lines by 13: an edit has at most 12"),
        (LineEdit(2, 2, "    first" + " + first" * 600 + "\n"), "more than 4000 characters"),
        (LineEdit(2, 2, "    let c = a + b;\n"), "changes nothing but space and comments"),
        (LineEdit(2, 2, "\n\n  let c =\n   a+b; // first\n"), "changes nothing but space and comments"),
        (LineEdit(2, 2, "/* first */ let c = a + b;\n"), "changes nothing but space and comments"),
        (LineEdit(1, 1, "fn f(first: i32, b: i32) -> i32 {\n    let a = first;\n"), "has the name a,"),
        (LineEdit(2, 2, "    let c = first + b + 1i64;\n"), "has the name 1i64,"),
        (LineEdit(2, 3, "    unsafe { first }\n"), "has the name unsafe,"),
        (LineEdit(2, 3, "    todo!()\n"), "has the name todo,"),
        (LineEdit(3, 4, "    c * first\n}\n#[cfg(test)]\nmod gold {}\n"), "has the name cfg,"),
        (LineEdit(2, 2, "    let r#a = first;\n"), "has the name r,"),
        (LineEdit(2, 2, "    let ａ = first;\n"), "has the name ａ,"),
        (LineEdit(2, 2, "    match first { _ => b }\n"), "has the name _,"),
    ],
)
def test_what_is_no_edit_of_this_change_is_refused(edit, reason):
    assert reason in refusal(FILE, edit, REMAINING)


@pytest.mark.parametrize(
    "edit",
    [
        *REMAINING,
        LineEdit(2, 3, "    (first + b) * first\n"),
        LineEdit(2, 2, "    let c = if b == 0 { first } else { first + b };\n"),
        LineEdit(4, 4, ""),
        LineEdit(2, 2, "    let c = first /* + b;\n"),  # it will not build
    ],
)
def test_what_has_the_names_of_the_finished_program_is_taken(edit):
    assert refusal(FILE, edit, REMAINING) == ""


@pytest.mark.parametrize(
    ("edit", "program"),
    [
        (REMAINING[0], "first + b;|c * first"),  # the rest is made
        (REMAINING[1], "first + b;|c * first"),  # the other one first: as good
        (LineEdit(2, 2, "    let c = b;\n"), "b;|c * first"),  # what it touches is left to it
        (LineEdit(2, 3, "    let c = b;\n    b\n"), "b;|b"),  # all of it
        (LineEdit(4, 4, "}\n\n"), "a + b;|c * first"),  # it touches none: the next one is left to it
    ],
)
def test_the_judged_program_has_the_edits_that_an_answer_does_not_touch(edit, program):
    lines = [line.strip().removeprefix("let c = ") for line in lines_of(finished(FILE, edit, REMAINING))[1:3]]
    assert "|".join(lines) == program


def test_an_edit_that_inserts_elsewhere_stands_for_the_next_one():
    file = "match x {\n    A => 1,\n    B => 2,\n}\n"
    right = LineEdit(3, 3, "    B => 2,\n    C => 3,\n")
    before = LineEdit(2, 2, "    C => 3,\n    A => 1,\n")
    assert finished(file, before, [right]) == "match x {\n    C => 3,\n    A => 1,\n    B => 2,\n}\n"


@given(TEXTS, st.integers(-2, 9), st.integers(-2, 9))
def test_no_text_raises(text, first, last):
    edit = LineEdit(first, last, text)
    if not refusal(FILE, edit, REMAINING):
        assert text in finished(FILE, edit, REMAINING)
    read_edit(f"```rust\n// lines {first}-{last}\n{text}\n```", "last")


@pytest.mark.parametrize(
    "unit", ["a", "_", "/", "/*", "'", '"', "{", "b ", "first ", "```rust\n", "// lines 1-1\n", "１"]
)
def test_long_answers_take_linear_time(unit):
    begun = time.process_time()
    text = unit * (200_000 // len(unit))
    answer = f"```rust\n// lines 2-2\n{text}\n```"
    edit = read_edit(answer, "first").edit
    assert edit is None or refusal(FILE, edit, REMAINING)
    assert time.process_time() - begun < 2.0
