"""Signatures: whether a program has one, whether a prompt shows it, and whether gold tests apply where none does."""

from __future__ import annotations

import time

import pytest

from completions import fenced, module
from grpo.rollout.records import Completion, Example
from rewards import Rubric, RustGrader, gold_reward_func, trl_functions
from rewards.signature.applying import why_inapplicable
from rewards.signature.fitting import mismatch
from rewards.signature.interface import interface_of, outline
from rewards.signature.wording import shows, with_signature
from sandbox import Outcome, Verdict

TASK = "Find the largest number of a list."
SIGNATURE = "fn largest(items: &[i32]) -> Option<i32>"
ROW = {"signature": SIGNATURE, "rust_test_list": ["assert_eq!(largest(&[1, 5, 2]), Some(5));"]}
BODY = "items.iter().copied().max()"
MOST_SECONDS = 2.0  # CPU time
TESTS = module("assert!(true);")


def example(*, shown: bool, **columns: object) -> Example:
    """The row of the tests, with or without its signature in the prompt."""
    return Example(
        "e", ({"role": "user", "content": with_signature(TASK, SIGNATURE) if shown else TASK},), ROW | columns
    )


def why(wanted: str, given: str, types: str = "") -> str:
    return mismatch(interface_of(outline(wanted, types)), interface_of(given))


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("fn f(x: &[i32]) -> i32", "pub fn f(list: &[i32]) -> i32 { 0 }"),
        ("fn f(x: &[i32]) -> i32", "fn f(x: &Vec<i32>) -> i32 { 0 }"),
        ("fn f(x: &[i32]) -> i32", "fn f<T: Copy>(x: &[T]) -> T { x[0] }"),
        ("fn f(x: &[i32]) -> i32", "fn f<'a>(x: &'a [i64]) -> i64 { 0 }"),
        ("fn f(x: &String) -> String", "fn f(x: &str) -> String { todo!() }"),
        ("fn f(x: &str) -> String", "fn f(x: &str) -> &str { x }"),
        ("fn f(x: i32) -> bool", "const fn f(mut x: i32) -> bool { true }"),
        ("fn f(x: HashMap<String, i32>)", "fn f(x: std::collections::HashMap<String, i32>) {}"),
        ("fn f(x: Vec<Vec<u8>>)", "type Grid = Vec<Vec<u8>>;\nfn f(x: Grid) {}"),
        ("fn f(g: impl Fn(i32) -> i32) -> i32", "fn f<F>(g: F) -> i32 where F: Fn(i32) -> i32 { g(1) }"),
        ("fn f() -> Result<i32, std::io::Error>", "fn f() -> std::io::Result<i32> { todo!() }"),
        ("impl<T> S<T> { fn new() -> Self; }", "struct S<T>(T); impl<T> S<T> { pub fn new() -> S<T> { todo!() } }"),
        ("fn f(x: u8)", "mod m { pub fn f(x: u8) {} }\npub use m::f;"),
        ("fn f(x: u8)", "macro_rules! make { () => { fn f(x: u8) {} } }\nmake!();"),
    ],
)  # fmt: skip
def test_calls_of_a_signature_may_fit(wanted: str, given: str) -> None:
    assert why(wanted, given) == ""


@pytest.mark.parametrize(
    ("wanted", "given", "said"),
    [
        ("fn f(x: &[i32]) -> i32", "fn g(x: &[i32]) -> i32 { 0 }", "it has no f"),
        ("fn f(x: i32) -> i32", "fn f(x: i32, y: i32) -> i32 { 0 }", "f has 2 parameters where 1 parameter would"),
        ("fn f(x: &str) -> i32", "fn f(x: String) -> i32 { 0 }", "f has another type as parameter 1"),
        ("fn f(x: i32, y: &mut [i32])", "fn f(x: i32, y: &[i32]) {}", "f has another type as parameter 2"),
        ("fn f(x: f64)", "fn f(x: i32) {}", "f has another type as parameter 1"),
        ("fn f(x: (i32, i32))", "fn f(x: (i32, i32, i32)) {}", "f has another type as parameter 1"),
        ("fn f() -> Option<i32>", "fn f() -> i32 { 0 }", "f returns another type"),
        ("fn f() -> HashMap<i32, i32>", "fn f() -> BTreeMap<i32, i32> { todo!() }", "f returns another type"),
        ("fn f() -> i32", "fn f() {}", "f returns another type"),
        ("impl S { fn a(&self); }", "struct S; impl S { fn a() {} }", "S::a has 0 parameters where self"),
        ("impl S { fn a(&self); }", "struct S; fn a() {}", "it has no S::a"),
    ],
)  # fmt: skip
def test_what_cannot_be_called_alike_is_named(wanted: str, given: str, said: str) -> None:
    assert why(wanted, given).startswith(said)


@pytest.mark.parametrize(
    "hostile",
    [
        f"fn f(x: {'Vec<' * 20_000}i32{'>' * 20_000}) {{}}",
        f"fn f(x: {'&' * 50_000}i32) {{}}",
        "type A0 = (i32, i32);\n"
        + "".join(f"type A{n + 1} = (A{n}, A{n});\n" for n in range(60))
        + "fn f(x: A60) -> A60 { x }",
        "type A = A; fn f(x: A) {}",
        "".join(f"type A{n} = i32; fn f{n}() {{}}\n" for n in range(8000)) + "fn f(x: i32) {}",
        "fn f(x: (" + "A, " * 50_000 + ")) {}",
    ],
)
def test_hostile_types_are_read_in_little_time(hostile: str) -> None:
    started = time.process_time()
    why("fn f(x: Vec<(i32, i32)>) -> i32", hostile)
    assert time.process_time() - started < MOST_SECONDS


def test_own_types_are_compared_by_their_fields_in_any_order() -> None:
    wanted = ("fn f(p: P) -> K", "struct P { x: i32, y: f64 }\nenum K { A, B(u8) }")
    same = "enum K { B(u16), A }\n#[derive(Debug)]\npub struct P { pub y: f64, pub x: i32 }\nfn f(p: P) -> K { K::A }"
    assert why(wanted[0], same, wanted[1]) == ""
    assert why(wanted[0], same.replace("pub y: f64", "pub z: f64"), wanted[1]) == "P has other fields"
    assert why(wanted[0], same.replace("B(u16)", "B"), wanted[1]) == "K has other fields"
    assert why(wanted[0], same.replace("enum K", "enum L"), wanted[1]) == "it has no K"


def test_a_signature_is_shown_in_one_wording() -> None:
    shared = with_signature("Count.", "fn f() -> Rc<u8>")
    assert shared == "Count. It has the signature `fn f() -> Rc<u8>`, with `Rc` of `std::rc`."
    several = with_signature("One.\nTwo.", "fn a()\nfn b(x: P)", "struct P(HashMap<u8, u8>);")
    assert several == (
        "One.\nTwo.\n\nIt has these signatures, with `HashMap` of `std::collections`:\n\n"
        "```rust\nfn a();\nfn b(x: P);\n```\n\n"
        "It uses these types, which you define:\n\n```rust\nstruct P(HashMap<u8, u8>);\n```"
    )
    assert shows(several, "fn a()\nfn b(x: P)") and not shows(several, "fn a()\nfn c()")
    own = with_signature("Order.", "fn f() -> Ordering", "enum Ordering { Up }")
    assert "std::cmp" not in own, "a type of the program's own needs no import"


@pytest.mark.parametrize(
    ("prompt", "unfit"),
    [
        ("Write a function to find the largest.", "it has no largest"),
        ("Write a function `largest`.", None),
        ("Write `fn largest(...)`.", None),
        ("Write largest(items).", None),
    ],
)
def test_a_name_that_was_told_must_be_kept(prompt: str, unfit: str | None) -> None:
    assert why_inapplicable("fn biggest(items: &[i32]) -> Option<i32> { None }", ROW, prompt) == unfit


@pytest.mark.parametrize(
    ("columns", "prompt", "unfit"),
    [
        ({}, "Add two numbers.", "it has no add_all"),
        ({}, "Write add_all.", None),
        ({"gold_tests": "#[test] fn t() { add_all(1); }"}, "Add two numbers.", None),
        ({"rust_test_list": '["assert!(add_all(1))"]'}, "Add two numbers.", "it has no add_all"),
    ],
)
def test_without_a_signature_the_name_alone_decides_and_only_in_the_published_form(columns, prompt, unfit) -> None:
    row = {"rust_test_list": ["assert_eq!(add_all(1), 2);"]} | columns
    assert why_inapplicable("fn plus(a: u8) -> u8 { a }", row, prompt) == unfit
    assert why_inapplicable("fn add_all(a: String) {}", row, prompt) == ("" if unfit else unfit)


def grades(pool, prompt: Example, *codes: str):
    grader = RustGrader(Rubric({"gold": 1.0, "cargo_build": 1.0}), pool, gold=True, mutation=False)
    texts = [fenced(code + TESTS) if code else "no code" for code in codes]
    sent = [grader.start(prompt, Completion(f"c{n}", (1,), (-0.5,), text, True, 0)) for n, text in enumerate(texts)]
    return grader.finish(sent)


RIGHT = f"pub {SIGNATURE} {{ {BODY} }}\n"
WRONG = RIGHT.replace("max", "min")
RENAMED = RIGHT.replace("largest", "biggest")
OTHER_RESULT = f"fn largest(items: &[i32]) -> i32 {{ *{BODY.replace('.copied()', '')}.unwrap() }}\n"
GENERIC = "fn largest<T: Ord + Copy + From<String>>(items: &[T]) -> Option<T> { items.iter().copied().max() }\n"
BROKEN = RENAMED.replace("max()", "max(")


def test_gold_tests_that_do_not_apply_have_no_score_and_are_counted_apart(pool) -> None:
    found = grades(pool, example(shown=False), RIGHT, WRONG, RENAMED, OTHER_RESULT, GENERIC, BROKEN, "")
    assert [one.checks["gold"] for one in found] == [1, 0, None, None, None, 0, 0]
    assert [one.checks["gold_applicable"] for one in found] == [1, 1, 0, 0, 0, 1, 1]
    assert [one.rewards["gold"] for one in found] == [1, 0, None, None, None, 0, 0]
    assert all(one.rewards["cargo_build"] == 1 for one in found[:5]), "the other rewards are as they are"
    assert found[2].verdict["gold"]["inapplicable"] == "it has no largest"
    assert found[4].verdict["gold"]["inapplicable"].startswith("their calls do not compile with the code")


def test_renaming_the_function_pays_no_more_than_failing(pool) -> None:
    failed, renamed = grades(pool, example(shown=False), WRONG, RENAMED)
    assert sum(value or 0 for value in failed.rewards.values()) == sum(value or 0 for value in renamed.rewards.values())


def test_where_the_signature_was_shown_every_mismatch_fails(pool) -> None:
    found = grades(pool, example(shown=True), RIGHT, WRONG, RENAMED, OTHER_RESULT, GENERIC, BROKEN, "")
    assert [one.checks["gold"] for one in found] == [1, 0, 0, 0, 0, 0, 0]
    assert [one.checks["gold_applicable"] for one in found] == [None] * 7


def test_rows_whose_tests_stay_a_module_follow_the_same_rule(pool) -> None:
    loop = {"rust_test_list": ["for n in 0..3 { if n > 0 { assert_eq!(largest(&[n, 5]), Some(5)); } }"]}
    found = grades(pool, example(shown=False, **loop), RIGHT, WRONG, RENAMED, GENERIC)
    assert [one.checks["gold"] for one in found] == [1, 0, None, None]


def test_a_failure_of_the_host_is_not_an_answer_to_whether_they_apply() -> None:
    from test_grader import FixedPool

    (found,) = grades(FixedPool(Verdict(Outcome.HOST_ERROR, reason="no disk")), example(shown=False), RIGHT)
    assert found.checks["gold"] is None and found.checks["gold_applicable"] is None


def test_the_function_for_trl_follows_the_prompts() -> None:
    columns = {name: [value] * 2 for name, value in ROW.items()}
    prompts = [example(shown=shown).messages for shown in (False, True)]
    for code, hidden in ((RENAMED, None), (GENERIC, None), (OTHER_RESULT, None), (BROKEN, 0.0), (WRONG, 0.0)):
        assert gold_reward_func(completions=[fenced(code)] * 2, prompts=prompts, **columns) == [hidden, 0.0]


def test_trls_function_blames_no_program_for_what_the_host_could_not_build(monkeypatch: pytest.MonkeyPatch) -> None:
    from test_grader import FixedPool

    monkeypatch.setattr(trl_functions, "_pools", [FixedPool(Verdict(Outcome.HOST_ERROR, reason="no disk"))])
    columns = {name: [value] for name, value in ROW.items()}
    prompts = [example(shown=False).messages]
    assert gold_reward_func(completions=[fenced(RENAMED)], prompts=prompts, **columns) == [None]
