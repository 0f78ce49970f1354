"""Filling in the middle: how answers are read, what a middle may not do, and how near it is to the one cut out."""

from __future__ import annotations

import random
import time

import pytest

from completions import passed
from rewards.builtin import PUBLISHED_WEIGHTS
from rewards.completion import GradedCompletion
from rewards.infilling.joining import MAX_MIDDLE, Gap, joined, refused
from rewards.infilling.similarity import MAX_COMPARED, edit_distance, edit_similarity
from rewards.registry import REWARDS
from rewards.rust.grammar import MAX_PARSED
from rewards.tasks.infill import SPANS, TASK
from rewards.tasks.known import task_problem

BEFORE = (
    "struct P { x: i32 }\n\nfn other(v: i32) -> i32 { v }\n\nfn add(a: i32, b: i32) -> i32 {\n    if a > 0 {\n        "
)
AFTER = '\n    }\n    a + b // "sum"\n}\n\nfn last() -> &\'static str { "x" }\n'
MIDDLE = "return b + a;"
GAP = Gap(BEFORE, MIDDLE, AFTER)
ROW = {"task": "infill", "prefix": BEFORE, "middle": MIDDLE, "suffix": AFTER, "span": "statement"}
TOKENS = {**ROW, "infill": "tokens"}
LEAVES, AFTER_IT, BEFORE_IT = "the middle leaves its function", "how the text after it is read", "the text before it"
MOD = Gap("mod m {\n    impl P {\n        pub fn f(&self) -> u8 {\n            ", "1", "\n        }\n    }\n}\n")


def program(middle: str) -> str:
    return BEFORE + middle + AFTER


@pytest.mark.parametrize(
    "middle",
    [
        MIDDLE,
        "",
        "todo!()",
        "return a + b; // in one line",
        "/* said and */ return a;",
        "if b > 0 { return b + a; }\n    } else {\n        return 1;",  # closes a brace of the prefix that is inside
        "fn add(x: i32) -> i32 { x }\n        return add(a);",  # an item of its own, inside
        "let s = \"}\"; let c = '}'; let r = r#\"}\"#; let l = 'l: loop { break 'l; };",
        "let é = 1;",
        "return b + a;\n    }\n    if b > 0 {",  # what the suffix closes is a block, not a function
    ],
)
def test_a_middle_may_do_anything_inside_its_function(middle: str) -> None:
    assert refused(GAP, middle) == ""
    assert TASK.extract(middle, TOKENS, "first") == (program(middle), "")


@pytest.mark.parametrize(
    ("middle", "reason"),
    [
        ("return 1; }\n}\nfn add2() { {", LEAVES),  # the suffix closes another function
        ("} 0 }\nfn add(a: i32, b: i32) -> i32 { if a > 0 {", LEAVES),
        ("} 0 }\nmod tests { fn add() { if true {", LEAVES),
        ("} 0 }\n#[cfg(any())]\nfn gone() { if true {", LEAVES),
        ("} 0 } macro_rules! assert_eq { ($($t:tt)*) => { {", LEAVES),
        ("return a + b; } a + b } /*", LEAVES),  # the rest is a comment
        ('return a + b; } a + b } const X: &str = r#"', LEAVES),
        ("return 1; /* */ /*", LEAVES),
        ("{", LEAVES),
        ("}", LEAVES),
        ("return 1; ignored!{", LEAVES),
        ('return 1; let s = "', ""),  # refused for one of the reasons: the texts of the suffix turn inside out
        ("}}", LEAVES),
    ],
)
def test_a_middle_may_not_take_over_what_is_judged(middle: str, reason: str) -> None:
    assert refused(GAP, middle) and reason in refused(GAP, middle)
    code, said = TASK.extract(middle, TOKENS, "first")
    assert code is None and said == refused(GAP, middle)


def test_a_comment_may_not_take_in_the_rest_of_its_line() -> None:
    gap = Gap("fn f(a: u8) -> u8 {\n    a ", "+ 1", " * 2;\n    a\n}\n")
    assert AFTER_IT in refused(gap, "+ 1; //") and refused(gap, "+ 1; // b\n    a ") == ""
    touching = Gap("fn f(a: u8) -> u8 {\n    a", "+ 1", ";\n    3\n}\n")
    assert AFTER_IT in refused(touching, " //")  # though no token but the first is lost


def test_a_middle_may_not_make_a_comment_of_what_stands_before_it() -> None:
    gap = Gap("fn f(a: u8) -> u8 {\n    a /", " 2", "\n}\n")
    assert BEFORE_IT in refused(gap, "/ nothing") and refused(gap, " 3") == ""
    cut = Gap("fn f(count: u8) -> u8 {\n    cou", "nt + 1", "\n}\n")  # within a name
    assert refused(cut, "nt") == "" and refused(cut, "nt + 2") == ""


@pytest.mark.parametrize("middle", ["2 } pub fn g(&self) -> u8 { 3", "2 } } impl Q { fn f(&self) -> u8 { 2"])
def test_methods_and_modules_around_the_middle_stay(middle: str) -> None:
    assert refused(MOD, "2") == "" and LEAVES in refused(MOD, middle)


@pytest.mark.parametrize(
    "unit", ["{", "}", "(", "/*", '"', 'r#"', "'", "#[", "<", "`\n", "fn f(){", "é", "\ud800", "\0"]
)
def test_any_text_is_read_in_bounded_time(unit: str) -> None:
    started = time.process_time()
    most = unit * (MAX_MIDDLE // len(unit))
    for text, row in ((most, TOKENS), (f"```rust\n{unit * 3000}\n```", ROW), (unit * 200_000, TOKENS)):
        code, reason = TASK.extract(text, row, "last")
        assert (code is None) is bool(reason)
        assert all(value is None or 0 <= value <= 1 for value in TASK.facts(text, row, code).values())
    assert time.process_time() - started < 3
    assert "longer than any answer" in reason


@pytest.mark.parametrize(
    "middle", ["x", "    x", "\n\n  x\n", "", "a\n```\nb", "```rust\nfn f() {}\n````", "\tx \n", "`", "é\u2028"]
)
def test_an_answer_in_a_chat_keeps_every_character(middle: str) -> None:
    row = {**ROW, "middle": middle}
    answer = f"As asked:\n\n{TASK.answer(row)}\n\nThat is all."
    assert TASK.extract(answer, row, "first").code == (
        program(middle) if not refused(Gap(BEFORE, middle, AFTER), middle) else None
    )
    assert TASK.facts(answer, row, program(middle))["exact_match"] == 1.0
    assert TASK.answer({**row, "infill": "tokens"}) == middle


def test_a_chat_needs_a_block_and_tokens_need_none() -> None:
    assert TASK.extract(MIDDLE, ROW, "first") == (None, "no closed ```rust block in the completion")
    assert TASK.extract(MIDDLE, TOKENS, "first").code == program(MIDDLE)
    two = "```rust\nlet a = 1;\n```\n```rust\nreturn 2;\n```"
    assert [TASK.extract(two, ROW, which).code for which in ("first", "last")] == [
        program("let a = 1;"),
        program("return 2;"),
    ]
    assert TASK.facts(two, ROW, program("return 2;"))["edit_similarity"] == edit_similarity("return 2;", MIDDLE)


def test_a_prompt_marks_the_place_with_what_the_program_does_not_have() -> None:
    prompt = TASK.prompt(ROW)
    assert f"{BEFORE}<MIDDLE>{AFTER}" in prompt and MIDDLE not in prompt
    odd = {**ROW, "prefix": f"// <MIDDLE> ```\n{BEFORE}", "suffix": f"{AFTER}// <MIDDLE_2>\n"}
    assert "<MIDDLE_3>" in TASK.prompt(odd) and "````rust\n" in TASK.prompt(odd)
    assert TASK.prompt(TOKENS) == f"{BEFORE}<MIDDLE>{AFTER}"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "prefix": ""}, "has no text in column 'prefix', the program up to the part"),
        ({**ROW, "middle": " \n"}, "has no text in column 'middle'"),
        ({**ROW, "suffix": 3}, "has no text in column 'suffix'"),
        ({**ROW, "prefix": "fn f()", "middle": "{ 1", "suffix": "}"}, "does not stand inside the body of a function"),
        ({**ROW, "prefix": "struct A {", "middle": "x: u8", "suffix": "}"}, "does not stand inside the body"),
        ({**ROW, "suffix": AFTER + "x" * MAX_PARSED}, "has a program of more than"),
        (ROW, ""),
    ],
)
def test_a_row_that_cannot_be_asked_is_refused(row: dict[str, object], said: str) -> None:
    found = task_problem(row)
    assert said in found and bool(found) is bool(said)


def test_facts_say_how_near_the_middle_is() -> None:
    exact = {"exact_match": 1.0, "edit_similarity": 1.0, "repeats_suffix": 0.0}
    assert TASK.facts(f"\n  {MIDDLE}\n", TOKENS, program(f"\n  {MIDDLE}\n")) == exact
    near = TASK.facts("return b - a;", TOKENS, program("return b - a;"))
    assert TASK.facts("", {**ROW, "middle": "return b\r\n+ a;"}, program("return b\n+ a;")) == exact
    assert near["exact_match"] == 0.0 and near["edit_similarity"] == pytest.approx(1 - 1 / len(MIDDLE))
    assert TASK.facts("none", ROW, None) == {"exact_match": 0.0, "edit_similarity": 0.0, "repeats_suffix": None}
    on = MIDDLE + AFTER
    assert TASK.facts(on, TOKENS, None)["repeats_suffix"] == 1.0
    brackets = {**TOKENS, "prefix": "fn f() -> u8 {\n    ", "suffix": "\n}\n", "middle": "1"}
    assert TASK.facts("1\n}", brackets, None)["repeats_suffix"] == 1.0
    assert TASK.facts("{ 1 }", brackets, "fn f() -> u8 {\n    { 1 }\n}\n")["repeats_suffix"] == 0.0
    assert [TASK.kind({**ROW, "span": span}) for span in (*SPANS, "a/b", None)] == [*SPANS, "", ""]


def test_rewards_judge_the_joined_program() -> None:
    one = GradedCompletion(MIDDLE, passed(), task=TASK, row=TOKENS)
    assert one.code == program(MIDDLE) and REWARDS["cargo_build"].score(one).value == 1.0
    for name in ("code_block", "test_block", "asserts"):
        assert name in PUBLISHED_WEIGHTS and REWARDS[name].score(one) == (None, "not for the task infill")
    bad = GradedCompletion("}", None, task=TASK, row=TOKENS)
    assert REWARDS["cargo_build"].score(bad).value == 0.0 and LEAVES in REWARDS["cargo_build"].score(bad).reason


def by_hand(one: str, other: str) -> int:
    """Levenshtein's distance, cell by cell."""
    row = list(range(len(other) + 1))
    for i, x in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def test_the_distance_is_that_of_the_table() -> None:
    draw = random.Random(0)
    for _ in range(300):
        one, other = ("".join(draw.choices("abc", k=draw.randrange(90))) for _ in range(2))
        assert edit_distance(one, other) == by_hand(one, other), (one, other)


def test_long_texts_are_compared_as_far_as_time_allows() -> None:
    assert edit_similarity("a" * 50_000, "a" * 50_000) == 1.0
    assert edit_similarity("x" + "a" * 49_998 + "y", "z" + "a" * 49_998 + "w") < 1.0
    assert edit_similarity("ab" * MAX_COMPARED, "c" * 2 * MAX_COMPARED) == 0.0
    assert joined(GAP, "x") == program("x")
