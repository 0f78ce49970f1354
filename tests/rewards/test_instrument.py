"""Instrumented programs: they keep their lines and results, and every kind of change is switched on and noticed.

What a pass is worth by such evidence is `test_judge.py`'s subject, how runs are made that of
`tests/sandbox/test_evidence.py`.
"""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completions import ADD, HACKS, HONEST, module
from instrumented import CHANGED, FORMS, UNSEEN
from reward_hacks import FAIR, REWARD_HACKS
from rewards.strictness.instrument import MAX_DEPTH, experiment
from rewards.strictness.judge import judge
from rewards.strictness.submit import Submission
from sandbox.evidence.experiment import MAX_IDS, NO_FUNCTION, SUPPORT, Experiment
from sandbox.verdict import Evidence, Outcome
from sandbox.workers.pool import SandboxPool


def made(code: str, *, thorough: bool = True) -> Experiment:
    found = experiment(code, thorough=thorough)
    assert found is not None
    return found


def examined(code: str, pool: SandboxPool, *, thorough: bool = True) -> Evidence:
    return pool.submit_experiment(made(code, thorough=thorough)).result()


def kinds(code: str, evidence: Evidence) -> dict[str, set[bool]]:
    """Whether the tests noticed the changes that were reached and possible, by kind; one that did not end counts."""
    found: dict[str, set[bool]] = {}
    for run in evidence.runs[1:]:
        if run.reached and not run.unknown:
            seen = evidence.noticed(run) or run.endless or not run.passed
            found.setdefault(made(code).mutants[run.mutant - 1].kind, set()).add(seen)
    return found


EVERY = {**HONEST, **HACKS, **REWARD_HACKS, **FAIR}


@pytest.mark.parametrize("name", EVERY)
def test_a_program_keeps_its_text_its_lines_and_where_its_mutants_stand(name: str) -> None:
    if (found := experiment(EVERY[name])) is None:
        return
    every = range(1, len(found.mutants) + 1)
    with_all, without = found.text((), "s"), found.text(every, "s")
    assert with_all.count("\n") == without.count("\n") == EVERY[name].count("\n")
    places = found.places((), "s")
    assert set(places) == set(every) and all(0 <= start < end <= len(with_all) for start, end in places.values())
    assert SUPPORT not in with_all and found.places(every, "s") == {}


@pytest.mark.parametrize("kind", CHANGED)
def test_every_kind_of_change_is_compiled_switched_on_and_noticed(kind: str, pool: SandboxPool) -> None:
    evidence = examined(CHANGED[kind], pool)
    assert evidence.removed == () and evidence.runs[0].passed and evidence.runs[0].failed == ()
    assert kinds(CHANGED[kind], evidence)[kind] == {True}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_must_stay_constant_cannot_be_seen_and_is_not_strict(name: str, pool: SandboxPool) -> None:
    code = UNSEEN[name][0] + module(UNSEEN[name][1])
    verdict = Submission(pool, code).future.result()
    assert verdict.evidence is not None and verdict.evidence.runs[0].passed
    assert judge(code, verdict) == (False, "nothing can be changed in f, so that it cannot be examined")


@pytest.mark.parametrize("name", FORMS)
def test_programs_of_every_form_are_instrumented_and_strict(name: str, pool: SandboxPool) -> None:
    code = FORMS[name][0] + module(FORMS[name][1])
    verdict = Submission(pool, code).future.result()
    assert verdict.test and judge(code, verdict) == (True, "tests that could have failed passed")
    assert verdict.evidence is not None
    fragile = {n for n, mutant in enumerate(made(code, thorough=False).mutants, 1) if mutant.fragile}
    kept = {"generic operands", "constants and statics"}
    assert name in kept or not set(verdict.evidence.removed) - fragile - set(values(code))


TESTS_BY_MACRO = """fn f(x: i32) -> i32 {
    x + 69
}
#[cfg(test)]
mod tests {
    //! Cases in a table.
    #![allow(unused_imports)]
    use super::*;
    macro_rules! cases {
        ($($name:ident: $x:expr => $want:expr,)*) => {
            $(#[test] fn $name() { assert_eq!(f($x), $want); })*
            mod inner {
                use super::*;
                $(#[test] fn $name() { assert_eq!(f($x), $want); })*
            }
        };
    }
    cases! { one: 1 => 70, two: 2 => 71, }
}
"""


def test_tests_that_a_macro_makes_are_examined(pool: SandboxPool) -> None:
    verdict = Submission(pool, TESTS_BY_MACRO).future.result()
    assert verdict.passed == 4 and judge(TESTS_BY_MACRO, verdict) == (True, "tests that could have failed passed")
    hollow = TESTS_BY_MACRO.replace("assert_eq!(f($x), $want)", "assert!(f($x) < i32::MAX)")
    assert judge(hollow, Submission(pool, hollow).future.result()) == (False, "the tests pass whatever f does")


def test_a_module_of_tests_may_import_what_it_compares_with(pool: SandboxPool) -> None:
    code = TESTS_BY_MACRO.partition("#[cfg(test)]")[0]
    code += "mod tests {\n    use super::f;\n    use std::{assert_eq, panic};\n    #[test]\n    fn one() {\n"
    code += "        assert_eq!(f(1), 70);\n        assert!(panic::catch_unwind(|| f(i32::MAX)).is_err());\n    }\n}\n"
    verdict = Submission(pool, code).future.result()
    assert verdict.test and judge(code, verdict) == (True, "tests that could have failed passed")


def values(code: str) -> list[int]:
    """The mutants that only give types values, and those that return a type that has none."""
    mutants = enumerate(made(code, thorough=False).mutants, 1)
    return [number for number, mutant in mutants if mutant.function == NO_FUNCTION or mutant.kind == "return"]


@pytest.mark.parametrize(
    "code",
    ["", "fn f( {", ADD, module("assert!(true);"), "// only text", ADD + module("assert!(true);") + f"// {SUPPORT}"],
    ids=["nothing", "no syntax", "no tests", "no code", "a comment", "our own name"],
)
def test_what_cannot_be_examined_makes_no_experiment(code: str) -> None:
    assert experiment(code) is None


@settings(max_examples=80)
@given(
    st.text()
    | st.lists(
        st.sampled_from([*"{}()[]<>;,'\"#!é\udcff", "fn f", "#[test]", "const ", "r#", "/*", "mod t", "->"])
    ).map("".join)
)
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for code in (
        text,
        ADD + text + module("assert_eq!(add(1, 2), 3);"),
        f"fn f() -> u8 {{ {text} }} #[test] fn t() {{}}",
    ):
        if (found := experiment(code)) is not None:
            assert found.text((), "s").count("\n") == code.encode("utf-8", "replace").decode().count("\n")


DEEP = {
    "parentheses": "fn f() -> i32 {{\n    {0}70{1}\n}}\n",
    "blocks": "fn f() -> i32 {{\n    {2}70{3}\n}}\n",
    "conditions": "fn f() -> i32 {{\n    {4}70{5}\n}}\n",
    "sums": "fn f() -> i32 {{\n    70{6}\n}}\n",
}


@pytest.mark.parametrize("depth", [60, 700, 10_000])
@pytest.mark.parametrize("form", DEEP)
def test_deep_nesting_raises_nothing_and_costs_others_nothing(form: str, depth: int, pool: SandboxPool) -> None:
    ways = ["(", ")", "{", "}", "if true {", "} else { 1 }"]
    code = DEEP[form].format(*(way * depth for way in ways), " + 0" * depth) + module("assert_eq!(f(), 70);")
    started = time.process_time()
    found = made(code, thorough=False)
    assert time.process_time() - started < 10 and len(found.mutants) < MAX_IDS
    deep, other = Submission(pool, code), Submission(pool, HONEST["a plain call"] + f"// {form} {depth}\n")
    verdict, neighbour = deep.future.result(), other.future.result()
    assert judge(HONEST["a plain call"], neighbour).strict
    assert verdict.outcome is not Outcome.HOST_ERROR
    if depth < MAX_DEPTH and verdict.test:
        assert judge(code, verdict).strict


def test_more_functions_and_asserts_than_there_are_numbers(pool: SandboxPool) -> None:
    functions = "".join(f"fn f{i}(x: i32) -> i32 {{\n    x + {i}\n}}\n" for i in range(300))
    asserts = "\n".join(f"        assert_eq!(f{i}(70), {70 + i});" for i in range(300))
    code = functions + module(asserts)
    found = made(code, thorough=False)
    assert max(len(found.mutants), len(found.functions)) < MAX_IDS <= 300 <= len(found.asserts)
    verdict = Submission(pool, code).future.result()
    assert verdict.evidence is not None and verdict.evidence.runs[0].passed
    assert len(verdict.evidence.runs[0].held) == 300
    judgement = judge(code, verdict)
    assert not judgement.strict and judgement.reason.startswith("nothing can be changed in f")


def test_an_endless_change_takes_no_more_than_its_fuel(pool: SandboxPool) -> None:
    code = "fn f(n: u32) -> u32 {\n    let mut i = 0;\n    while i < n {\n        i += 1;\n    }\n    i\n}\n"
    code += module("assert_eq!(f(70), 70);")
    evidence = examined(code, pool)
    ended = [run for run in evidence.runs[1:] if run.endless]
    assert ended and {run.kind for run in ended} <= {"statement", "constant", "relation", "operator"}
    assert evidence.reason == "" and evidence.cpu_ms < 4000


def test_a_counter_cannot_fake_evidence(pool: SandboxPool) -> None:
    code = "use std::sync::atomic::{AtomicI32, Ordering::SeqCst};\nstatic RUNS: AtomicI32 = AtomicI32::new(0);\n"
    code += "fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n"
    code += module("let _ = add(1, 2);\n        assert!(RUNS.fetch_add(1, SeqCst) == 0);")
    verdict = Submission(pool, code).future.result()
    assert verdict.test and judge(code, verdict) == (False, "the tests pass whatever add does")


# Generated programs: arithmetic on wrapping numbers in nested forms, whose results are known because they are computed
# here as well.

M = 1 << 32


def generated(seed: int) -> tuple[str, list[tuple[int, int]]]:
    """A program of three functions of one number, and what the last of them gives for some arguments."""
    draw = random.Random(seed)

    def number(depth: int, called: list[tuple[str, object]]) -> tuple[str, object]:
        kind = draw.randrange(7 if depth else 2)
        if kind == 0:
            value = draw.randrange(1, 50)
            return f"{value}u32", lambda x: value
        if kind == 1:
            return "x", lambda x: x
        one, other = number(depth - 1, called), number(depth - 1, called)
        (a, f), (b, g) = one, other
        if kind == 2:
            return f"({a}).wrapping_add({b})", lambda x: (f(x) + g(x)) % M
        if kind == 3:
            return f"(({a}) % 97 + ({b}) % 89)", lambda x: f(x) % 97 + g(x) % 89
        if kind == 4:
            return f"if {a} < {b} {{ {b} }} else {{ ({a}) / 3 }}", lambda x: g(x) if f(x) < g(x) else f(x) // 3
        if kind == 5:
            text = f"{{ let mut n = {a}; for i in 0..3 {{ n = n.wrapping_mul(2).wrapping_add(i); }} n }}"
            return text, lambda x: (f(x) * 8 + 4) % M
        if called:
            name, h = draw.choice(called)
            return f"{name}({a})", lambda x: h(f(x))
        return f"match {a} {{ 0 => 7u32, n if n > 5 => n.wrapping_sub(5), n => n.wrapping_mul(2) }}", lambda x: (
            7 if f(x) == 0 else f(x) - 5 if f(x) > 5 else f(x) * 2
        )

    functions: list[tuple[str, object]] = []
    text = ""
    for index in range(3):
        body, result = number(4, functions)
        text += f"pub fn f{index}(x: u32) -> u32 {{\n    {body}\n}}\n"
        functions.append((f"f{index}", result))
    given = [(x, functions[-1][1](x)) for x in (0, 1, 7, 1000, 123456)]  # type: ignore[operator]
    return text, given


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 60), marks=pytest.mark.slow)], ids=["few", "many"])
def test_a_generated_program_passes_its_tests_with_no_mutant_on(seeds: range, pool: SandboxPool) -> None:
    programs = {}
    for seed in seeds:
        text, results = generated(seed)
        programs[seed] = text + module("\n        ".join(f"assert_eq!(f2({x}), {value});" for x, value in results))
    sent = {seed: pool.submit_experiment(made(code, thorough=False)) for seed, code in programs.items()}
    graded = {seed: pool.submit(code, phases=("test",)) for seed, code in programs.items()}
    for seed in seeds:
        evidence = sent[seed].result()
        assert graded[seed].result().test, programs[seed]
        assert evidence.outcome is Outcome.PASSED and evidence.removed == (), programs[seed]
        assert evidence.runs[0].passed and not evidence.runs[0].failed and len(evidence.runs[0].held) == 5, programs[
            seed
        ]
