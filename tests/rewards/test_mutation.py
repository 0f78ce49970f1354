"""A mutant's functions return constants; where mutants are asked for, tests that pass on all of them are not paid."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from completions import ADD, HONEST, STACK, fenced, module, passed
from reward_hacks import FAIR, MISSED, REWARD_HACKS, WEAK
from rewards import GradedCompletion, Rubric, RustGrader, judge
from rewards.grader import grade_mutants
from rewards.strictness.mutation import mutants
from sandbox import Outcome, Verdict

NO_MUTANT_KILLED = "the tests pass whatever the functions return"
REFUSED = {"a property"}  # addition commutes, and so do constants: an honest test that kills no mutant


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


def test_denied_lints_do_not_keep_mutants_from_building(pool) -> None:
    code = "#![deny(warnings)]\n#![ forbid(unused) ]\n" + REWARD_HACKS["times zero"]
    found = grade_mutants({0: code}, pool, lambda _, future: future.result())
    verdict = pool.submit(code).result()
    assert judge(code, verdict).strict and judge(code, verdict, mutants=found[0]) == (False, NO_MUTANT_KILLED)


def test_methods_are_replaced_and_tests_are_not() -> None:
    assert mutants(STACK) == [STACK.replace("{\n        self.items.push(item);\n    }", "{}")]
    code = ADD + module("assert_eq!(add(1, 2), 3);")
    assert all(module("assert_eq!(add(1, 2), 3);") in mutant and "a + b" not in mutant for mutant in mutants(code))


@pytest.mark.slow
def test_cargo_confirms_that_every_hack_passes_and_is_strict_without_mutants(pool) -> None:
    verdicts = {name: pool.submit(code) for name, code in REWARD_HACKS.items()}
    assert {name for name, v in verdicts.items() if not judge(REWARD_HACKS[name], v.result()).strict} == set()


def surviving(programs: dict[str, str], pool) -> set[str]:
    """The programs none of whose mutants is killed by their tests."""
    found = grade_mutants(programs, pool, lambda _, future: future.result())
    reasons = {name: judge(code, passed(), mutants=found[name]).reason for name, code in programs.items()}
    return {name for name, reason in reasons.items() if reason == NO_MUTANT_KILLED}


def test_mutants_survive_tests_of_a_hack_and_are_killed_by_honest_tests(pool) -> None:
    hacks = {name: REWARD_HACKS[name] for name in ("times zero", "a macro that looks away")}
    fair = {name: FAIR[name] for name in ("something and nothing", "a constant that is right")}
    assert surviving({**hacks, **fair}, pool) == hacks.keys()


@pytest.mark.slow
def test_mutants_survive_tests_of_every_hack_and_are_killed_by_all_honest_tests(pool) -> None:
    found = surviving({**REWARD_HACKS, **HONEST, **FAIR, **WEAK, **MISSED}, pool)
    assert found & REWARD_HACKS.keys() == REWARD_HACKS.keys()
    assert found & {*HONEST, *FAIR} == REFUSED
    assert not found & MISSED.keys(), "these hacks stay undetected, and docs/sandbox.md says so"


def test_a_completion_whose_mutants_all_survive_is_not_strict() -> None:
    text = fenced(REWARD_HACKS["times zero"])
    assert GradedCompletion(text, passed()).judgement.strict
    judgement = GradedCompletion(text, passed(), mutants=(Verdict(Outcome.PASSED, test=True),)).judgement
    assert judgement == (False, NO_MUTANT_KILLED)


def test_the_grader_runs_mutants_only_where_it_is_told_to(pool) -> None:
    example = SimpleNamespace(messages=[], columns={})
    for mutation, paid in ((False, [1.0, 1.0, 0.0]), (True, [0.0, 1.0, 0.0])):
        grader = RustGrader(Rubric({"cargo_test": 1.0}), pool, mutation=mutation)
        texts = [REWARD_HACKS["times zero"], HONEST["a plain call"], ADD]
        tickets = [
            grader.start(example, SimpleNamespace(id=str(place), text=fenced(code), token_ids=[]))
            for place, code in enumerate(texts)
        ]
        assert [grade.rewards["cargo_test"] for grade in grader.finish(tickets)] == paid
