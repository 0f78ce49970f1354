"""A mutant returns constants; tests that pass on every mutant say nothing, and are not paid where that is asked for."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from answers import ADD, HONEST, STACK, answer, module, passed
from reward_hacks import FAIR, MISSED, REWARD_HACKS, WEAK
from rewards import GradedCompletion, Rubric, RustGrader, judge
from rewards.__main__ import main
from rewards.strictness.mutation import INSENSITIVE, grade_mutants, mutants, notice_nothing
from sandbox import Outcome, Verdict

REFUSED = {"a property"}  # addition commutes, and so do constants: an honest test that notices nothing


@pytest.mark.parametrize(
    ("signature", "values"),
    [
        ("f() -> i32", ("0", "1")),
        ("f() -> usize", ("0", "1")),
        ("f(x: u8) -> bool", ("false", "true")),
        ("f() -> f64", ("0.0", "1.5")),
        ("f() -> char", ("'a'", "'b'")),
        ("f() -> String", ("String::new()", 'String::from("x")')),
        ("f(s: &str) -> &str", ('""', '"x"')),
        ("f() -> Vec<i32>", ("Vec::new()", "vec![1]")),
        ("f() -> Vec<Vec<String>>", ("Vec::new()", "vec![Vec::new()]")),
        ("f() -> Option<(i32, bool)>", ("None", "Some((1, true,))")),
        ("f() -> Result<u8, String>", ("Ok(0)", 'Err(String::from("x"))')),
        ("f() -> Result<(), String>", ("Ok(())", 'Err(String::from("x"))')),
        ("f() -> Box<i32>", ("Box::new(0)", "Box::new(1)")),
        ("f() -> [u8; 3]", ("[0; 3]", "[1; 3]")),
        ("f(v: &[u8]) -> std::option::Option<u8>", ("None", "Some(1)")),
        ("const f() -> u8", None),
    ],
)
def test_a_function_returns_a_constant_of_its_type(signature: str, values: tuple[str, str] | None) -> None:
    if values is None:
        assert mutants("const fn f() -> u8 { 7 }") == ["const fn f() -> u8 { 0 }", "const fn f() -> u8 { 1 }"]
        return
    found = mutants(f"fn {signature} {{ todo!() }}")
    expected = [f"fn {signature} {{ {value} }}" for value in values]
    if signature == "f() -> Vec<Vec<String>>":
        expected[1] = f'fn {signature} {{ vec![vec![String::from("x")]] }}'
    assert found == expected


@pytest.mark.parametrize(
    "code",
    [
        "fn f<T>(x: T) -> T { x }",
        "fn f() -> impl Fn() { || {} }",
        "struct A;\nimpl A { fn new() -> Self { A } }",
        "struct A;\nimpl Default for A { fn default() -> A { A } }",
        "impl std::fmt::Display for A { fn fmt(&self, f: &mut F) -> bool { true } }",
        "async fn f() -> u8 { 1 }",
        "const fn f() -> String { String::new() }",
        "fn f(v: &mut [u8]) -> &mut u8 { &mut v[0] }",
        "fn f();",
        "",
        "fn f( {",
        module("assert!(true);"),
    ],
)
def test_what_has_no_constant_is_left_alone(code: str) -> None:
    assert mutants(code) == []


def test_a_helper_of_the_tests_is_left_alone() -> None:
    code = "fn f() -> u8 { 7 }\n#[cfg(test)]\n// looks\nfn check(x: u8) -> bool { x == 7 }\n"
    assert [mutant.count("x == 7") for mutant in mutants(code)] == [1, 1]


def test_denied_lints_do_not_save_hollow_tests(pool) -> None:
    code = "#![deny(warnings)]\n#![ forbid(unused) ]\n" + REWARD_HACKS["times zero"]
    found = grade_mutants({0: code}, pool, lambda _, future: future.result())
    assert judge(code, pool.submit(code).result()).strict and notice_nothing(found[0])


def test_methods_are_replaced_and_tests_are_not() -> None:
    assert mutants(STACK) == [STACK.replace("{\n        self.items.push(item);\n    }", "{}")]
    code = ADD + module("assert_eq!(add(1, 2), 3);")
    assert all(module("assert_eq!(add(1, 2), 3);") in mutant and "a + b" not in mutant for mutant in mutants(code))


def test_cargo_confirms_that_hollow_tests_pass_and_syntax_takes_them_for_honest(pool) -> None:
    verdicts = {name: pool.submit(code) for name, code in REWARD_HACKS.items()}
    assert {name for name, v in verdicts.items() if not judge(REWARD_HACKS[name], v.result()).strict} == set()


def test_hollow_tests_notice_nothing_and_honest_tests_do(pool) -> None:
    programs = {**REWARD_HACKS, **HONEST, **FAIR, **WEAK, **MISSED}
    found = grade_mutants(programs, pool, lambda _, future: future.result())
    nothing = {name for name in programs if notice_nothing(found[name])}
    assert nothing & REWARD_HACKS.keys() == REWARD_HACKS.keys()
    assert nothing & {*HONEST, *FAIR} == REFUSED
    assert not nothing & MISSED.keys(), "what is beyond it is known, and said where it is documented"


def test_a_mutant_that_does_not_compile_says_nothing() -> None:
    broken, good, bad = (
        Verdict(Outcome.TEST_BUILD_ERROR, test=False),
        Verdict(Outcome.PASSED, test=True),
        Verdict(Outcome.TEST_FAILED, test=False),
    )
    assert not notice_nothing([]) and not notice_nothing([broken]) and not notice_nothing([good, bad])
    assert notice_nothing([good]) and notice_nothing([broken, good])
    assert not notice_nothing([Verdict(Outcome.TIMEOUT, test=False)]), "tests that never end have noticed"


def test_an_answer_whose_tests_notice_nothing_is_not_strict() -> None:
    text = answer(REWARD_HACKS["times zero"])
    assert GradedCompletion(text, passed()).judgement.strict
    judgement = GradedCompletion(text, passed(), mutants=(Verdict(Outcome.PASSED, test=True),)).judgement
    assert judgement == (False, INSENSITIVE)


def test_the_grader_asks_only_where_it_is_told_to(pool) -> None:
    example = SimpleNamespace(messages=[], columns={})
    for mutation, paid in ((False, [1.0, 1.0, 0.0]), (True, [0.0, 1.0, 0.0])):
        grader = RustGrader(Rubric({"cargo_test": 1.0}), pool, mutation=mutation)
        texts = [REWARD_HACKS["times zero"], HONEST["a plain call"], ADD]
        tickets = [
            grader.start(example, SimpleNamespace(id=str(place), text=answer(code), token_ids=[]))
            for place, code in enumerate(texts)
        ]
        assert [grade.rewards["cargo_test"] for grade in grader.finish(tickets)] == paid


def test_the_command_line_asks_where_it_is_told_to(tmp_path, capsys) -> None:
    (tmp_path / "answer.md").write_text(answer(REWARD_HACKS["minus itself"]))
    for flags, score in (([], 1.0), (["--mutation"], 0.0)):
        assert main(["grade", str(tmp_path / "answer.md"), "--json", *flags]) == 0
        assert json.loads(capsys.readouterr().out)["rewards"]["cargo_test"]["score"] == score
