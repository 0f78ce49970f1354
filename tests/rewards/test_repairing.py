"""Repaired programs beside their input: edits by hand and by the whole table, stages of rustc, lost functions."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.repairing.edits import LEAST, MAX_TOKENS, MOST, change, edit_distance
from rewards.repairing.errors import share_gone
from rewards.repairing.messages import error_text, errors_of
from rewards.rust.kept import lost_function
from sandbox import Diagnostic

ADD = "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"  # 18 tokens
WORDS = st.lists(st.sampled_from("abc"), max_size=7)
SECONDS = 5.0  # of CPU time, many times what it takes


def by_the_table(before, after):
    """The Levenshtein distance by the table that everyone knows."""
    row = list(range(len(after) + 1))
    for i, one in enumerate(before, start=1):
        above, row = row, [i]
        for j, other in enumerate(after, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (one != other)))
    return row[-1]


@settings(max_examples=60)
@given(WORDS, WORDS, st.integers(0, 9))
def test_the_distance_is_that_of_the_table_up_to_the_bound(before, after, most):
    wanted = by_the_table(before, after)
    assert edit_distance(before, after, most) == (wanted if wanted <= most else None)


@pytest.mark.parametrize(
    "after, edits",
    [
        (ADD, 0),
        ("// a comment\nfn add(a:i32,b:i32)->i32{ /* and */ a+b }", 0),
        (ADD.replace("a + b", "a - b"), 1),
        (ADD.replace("a + b", "(a + b)"), 2),
        (ADD + ADD, None),
        ("", None),
    ],
)
def test_changed_tokens_are_counted_by_hand(after, edits):
    assert change(ADD, after).edits == edits


def test_half_of_the_input_may_change_and_bounds_hold():
    assert change(ADD, ADD).allowed == 9 and change("fn f() {}", "fn f() {}").allowed == LEAST
    assert change(ADD * 100, ADD * 100).allowed == MOST
    assert change(ADD, ADD.replace("+", "-")).closeness == pytest.approx(8 / 9)
    assert change("fn f() {}", "struct S { a: u8, b: u8, c: u8, d: u8 }").closeness == 0.0


def test_what_the_right_answer_changes_is_free_and_nothing_is_better_than_it():
    broken = ADD.replace("a + b", "let x = a; let y = b; a + b")
    assert change(broken, ADD, ADD) == (10, 10, 14) and change(broken, ADD, ADD).closeness == 1.0
    assert change(broken, broken.replace("x", "z"), ADD).closeness == 1.0
    assert change(ADD.replace("+", "-"), ADD.replace("b\n", "b + 0\n"), ADD) == (3, 1, 9)
    assert change(ADD.replace("+", "-"), ADD.replace("b\n", "b + 0\n"), ADD).closeness == pytest.approx(7 / 9)


def test_a_right_answer_beyond_the_bound_is_what_a_repair_is_compared_with():
    right = "fn f() {\n" + "    call(1);\n" * (MOST // 2) + "}\n"
    assert change("fn f() { x }", right, right).closeness == 1.0
    assert change("fn f() { x }", right.replace("call(1)", "call(2)", 4), right).closeness == pytest.approx(0.5)
    assert change("fn f() { x }", "fn f() { x }", right).closeness == 0.0


@pytest.mark.parametrize(
    "text",
    ["x " * MAX_TOKENS, "x " * (MAX_TOKENS + 1), "ab" * 400_000, "(" * 3_000, "fn f() { " * 900, '"' * 999, "/*" * 999],
)
def test_hostile_text_is_compared_in_time(text):
    started = time.process_time()
    for pair in ((ADD, text), (text, ADD), (text, text + "y")):
        assert change(*pair).closeness <= 1.0
        assert isinstance(lost_function(*pair), str)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    "before, after, share",
    [
        (["E0308"], [], 1.0),
        (["E0308", "E0308"], ["E0308"], 0.5),
        (["E0308"] * 4, ["E0282"], 0.0),  # a new one of the same stage may hide them
        (["E0308"] * 4, ["E0308", "E0282"], 0.0),
        (["", "", ""], [""], 0.0),  # the parser may have stopped at it
        (["E0308"], ["E0308"], 0.0),  # a copy
        (["E0308"] * 4, [""], 0.0),  # a mistake of syntax hides them all
        (["E0382", "E0308"], ["E0425"], 0.0),  # an unknown name hides both
        (["", "E0425"], ["E0308"], 2 / 3),  # two gone, one in their place
        ([""], ["E0382"] * 3, 0.25),  # it parses now, and shows three more
        (["E0308"], ["E0308"] * 5, 0.0),  # never below 0
        (["E0765"], ["E0425"], 0.5),
        (["E0382"], ["unconditional_panic"], 0.5),  # a lint comes last
    ],
)
def test_errors_are_gone_only_where_the_compiler_got_so_far(before, after, share):
    assert share_gone(before, after) == pytest.approx(share)


TWO = "fn f(v: &[u8]) -> usize { let n = v.len(); n + 1 }\nfn g(a: u8) -> u8 { a.wrapping_add(1) }\n"


@pytest.mark.parametrize(
    "after, lost",
    [
        (TWO, ""),
        (TWO.replace("n + 1", "n + 2"), ""),
        ("mod m { use super::*; }\n" + TWO, ""),
        (TWO.replace("fn g", "fn h"), "g"),
        (TWO.replace("a.wrapping_add(1)", "todo!()"), "g"),
        (TWO.replace("a.wrapping_add(1)", "loop {} // a.wrapping_add(1)"), "g"),
        (TWO.replace("let n = v.len(); n + 1", "0"), "f"),
        ("macro_rules! m { () => { " + TWO + " } }", "f"),
        ('const S: &str = "' + TWO.replace("\n", " ") + '";', "f"),
        ("", "f"),
        (TWO.replace("a.wrapping_add(1)", "stringify!(a.wrapping_add(1)); 0"), "g"),
        (TWO.replace("a.wrapping_add(1)", "todo!(std::concat!(a.wrapping_add(1)))"), "g"),
        (TWO.replace("a.wrapping_add(1)", "macro_rules! m { () => { a.wrapping_add(1) } } 0"), "g"),
        (TWO.replace("a.wrapping_add(1)", "fn unused(a: u8) -> u8 { a.wrapping_add(1) } 0"), "g"),
        ("use std::stringify as vec;\n" + TWO.replace("a.wrapping_add(1)", "vec!(a.wrapping_add(1)); 0"), "g"),
        (
            "macro_rules! vec { ($($t:tt)*) => {} }\n" + TWO.replace("a.wrapping_add(1)", "vec!(a.wrapping_add(1)); 0"),
            "g",
        ),
        (TWO.replace("a.wrapping_add(1)", "std::dbg!(a.wrapping_add(1))"), ""),
    ],
)
def test_a_function_is_lost_without_most_of_its_words(after, lost):
    assert lost_function(TWO, after) == lost


def test_what_the_right_answer_has_not_is_not_missed():
    right = TWO.replace("fn g(a: u8) -> u8 { a.wrapping_add(1) }\n", "")
    assert lost_function(TWO, right) == "g" and lost_function(TWO, right, right) == ""
    assert lost_function(TWO, right.replace("let n = v.len(); n + 1", "0"), right) == "f"
    short = TWO.replace("let n = v.len(); n + 1", "v.len()")
    assert lost_function(TWO, short) == "f" and lost_function(TWO, short, short) == ""
    assert lost_function(TWO, TWO.replace("n + 1", "n"), parts=10) == "" == lost_function(TWO, TWO, parts=10)
    assert lost_function(TWO, TWO.replace("let n = v.len(); n + 1", "v.len() + 1"), parts=10) == "f"


def test_a_program_without_readable_functions_is_looked_at_as_a_whole():
    assert lost_function("add a b i32 return sum", "fn x() {}") == "the program"
    assert lost_function("add a b i32 return sum", "fn add(a: i32, b: i32) { return sum }") == ""


ERRORS = (
    Diagnostic("error", "E0308", "mismatched\ntypes", 2, rendered="error[E0308]: mismatched\n --> src/main.rs:2:5"),
    Diagnostic("error", None, "expected `;`", 1),
    Diagnostic("error", None, "no main", None),
)


def test_errors_are_shown_in_three_ways():
    shown = {style: error_text(ERRORS, style, source=ADD, limit=900) for style in ("terminal", "short", "json")}
    assert shown["terminal"] == (
        "error[E0308]: mismatched\n --> src/main.rs:2:5\n\n"
        "error: expected `;`\n --> src/main.rs:1\n  |\n1 | fn add(a: i32, b: i32) -> i32 {\n  |\n\nerror: no main"
    )
    assert (
        shown["short"]
        == "src/main.rs:2: error[E0308]: mismatched types\nsrc/main.rs:1: error: expected `;`\nerror: no main"
    )
    first = {"level": "error", "code": "E0308", "message": "mismatched\ntypes", "line": 2}
    assert [json.loads(line) for line in shown["json"].splitlines()][0] == first


@pytest.mark.parametrize("style", ["terminal", "short", "json"])
def test_text_is_cut_at_whole_messages_and_the_first_is_there(style):
    many = [ERRORS[1]] * 30
    text = error_text(many, style, source=ADD, limit=200)
    assert (
        len(text) < 240
        and text.endswith(" more errors")
        and text.startswith(error_text(many[:1], style, source=ADD, limit=1))
    )
    assert error_text([], style, source=ADD, limit=9) == ""


def test_lints_of_clippy_and_warnings_are_no_errors():
    lint, warning = Diagnostic("error", "clippy::eq_op", "x", 1), Diagnostic("warning", "unused", "x", 1)
    assert errors_of([lint, *ERRORS, warning]) == list(ERRORS)
