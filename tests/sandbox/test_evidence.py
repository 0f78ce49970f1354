"""Experiments: one binary with a switch before every change, whose runs report what the tests noticed.

The programs here have their switches written by hand: `<N|text>` is text of mutant N, `<N|text|without>` has other text
in its place where mutant N is removed. Where to put switches is `rewards.strictness.instrument`'s subject.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import PoolClosed
from sandbox.evidence import crate as crates
from sandbox.evidence import examine as examining
from sandbox.evidence.examine import examine
from sandbox.evidence.experiment import ALWAYS, MAX_IDS, NO_FUNCTION, SUPPORT, Experiment, Mutant, Part, asserts_text
from sandbox.grading import phases
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.verdict import Evidence, Function, Outcome, Run, Verdict
from sandbox.workers.cache import is_lasting
from sandbox.workers.pool import SandboxPool

LIMITS = Limits(compile_cpu_s=20, run_cpu_s=3, wall_s=30)
MARK = re.compile(r"<(\d+)\|([^|>]*)(?:\|([^>]*))?>")
TESTS = f"mod tests {{ {asserts_text()} use super::*; #[test] fn t() {{ assert_eq!(f(1), 2); }} }}\n"
FUNCTION = "fn f(x: u8) -> u8 { let _call = ::S::enter(0); <1|if ::S::on(1) { return 9; }> x + 1 }\n"
Examine = Callable[..., list[Evidence]]


def made(
    template: str,
    *,
    catches: bool = False,
    equality: int = 0,
    portable: bool = True,
    thorough: bool = False,
    fragile: Sequence[int] = (),
) -> Experiment:
    """The experiment of a program with marks; all mutants change function 0."""
    parts, at = [], 0
    text = template.replace("S::", f"{SUPPORT}::")
    for found in MARK.finditer(text):
        parts += [Part(text[at : found.start()]), Part(found[2], int(found[1]), found[3] or "")]
        at = found.end()
    count = max((int(found[1]) for found in MARK.finditer(text)), default=0)
    kinds = ["operator" if number in fragile else "return" for number in range(1, count + 1)]
    lines = text.split("\n")
    return Experiment(
        (*parts, Part(text[at:])),
        tuple(Mutant(0, kind, number in fragile) for number, kind in enumerate(kinds, 1)),
        functions=(Function("f", 9),),
        asserts=(),
        guards={0: ALWAYS},
        named=(),
        hidden=(),
        test_lines=tuple((n, n) for n, line in enumerate(lines, 1) if line.startswith("mod tests")),
        tests=tuple((n, n) for n, line in enumerate(lines, 1) if "#[test]" in line),
        equality=equality,
        salt=7,
        plan={0: tuple(range(1, count + 1))},
        catches=catches,
        portable=portable,
        thorough=thorough,
    )


@pytest.fixture
def examined(isolation: Isolation, workdir: Path) -> Examine:
    """Make experiments, and return the evidence in their order."""

    def run(*experiments: Experiment, limits: Limits = LIMITS) -> list[Evidence]:
        pairs = list(examine(experiments, isolation, limits, workdir))
        started = [number for number, evidence in pairs if evidence is None]
        found = {number: evidence for number, evidence in pairs if evidence is not None}
        assert set(started) == set(found) == set(range(len(experiments)))
        assert list(workdir.iterdir()) == [], "the work directory is always removed"
        return [found[number] for number in range(len(experiments))]

    return run


def noticed(evidence: Evidence) -> dict[int, bool]:
    return {run.mutant: evidence.noticed(run) for run in evidence.runs[1:]}


def test_a_run_without_a_mutant_comes_first_and_a_change_is_noticed(examined: Examine) -> None:
    (evidence,) = examined(made(FUNCTION + TESTS))
    plain, changed = evidence.runs
    assert (plain.mutant, plain.passed, plain.failed, plain.entered, plain.called) == (0, True, (), (0,), (0,))
    assert (changed.mutant, changed.reached, changed.kind, changed.called_function) == (1, True, "return", True)
    assert plain.held == changed.failed and changed.held == () and changed.passed, "an assert no longer ends its test"
    assert plain.held[0].startswith("2:") and noticed(evidence) == {1: True}
    assert evidence.outcome is Outcome.PASSED and evidence.cpu_ms > 0


def test_mutants_of_a_function_are_tried_until_one_is_noticed_or_all_of_them(examined: Examine) -> None:
    two = FUNCTION.replace("x + 1", "<2|if ::S::on(2) { return 2; }><3|if ::S::on(3) { return 3; }> x + 1")
    order = two.replace("<1|if ::S::on(1) { return 9; }>", "<1|if ::S::on(1) { return x + 1; }>")
    few, every = examined(made(order + TESTS), made(order + TESTS, thorough=True))
    assert noticed(few) == noticed(every) == {1: False, 2: False, 3: True}
    few, every = examined(made(two + TESTS), made(two + TESTS, thorough=True))
    assert (noticed(few), noticed(every)) == ({1: True}, {1: True, 2: False, 3: True})


BROKEN = {
    "syntax": "<1|if ::S::on(1) { return 9; }><2|let = ;>",
    "a name": "<1|if ::S::on(1) { return 9; }><2|no_such_function();>",
    "a type": '<1|if ::S::on(1) { return 9; }><2|let _: u8 = "x";>',
    "a borrow": "<1|if ::S::on(1) { return 9; }><2|let s = String::new(); drop(s); drop(s);>",
    "a constant": "<1|if ::S::on(1) { return 9; }><2|const C: u8 = [1_u8][3]; let _ = C;>",
    "two rounds": '<1|if ::S::on(1) { return 9; }><2|let _: u8 = "x";><3|let = ;>',
    "in a macro of ours": "<1|::S::returns!(1, u8, 2);><2|::S::returns!(2, NoSuchType, 2);>",
    "behind letters of many bytes": '/* öäü 漢字 */ let _ = "ΩΩΩ"; <2|let _: u8 = "ö";>'
    " <1|if ::S::on(1) { return 9; }>",
    "of other text": "<1|if ::S::on(1) { return 9; }><2|let _: u8 = \"x\"|let _: u8 = 1>;",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_mutant_that_does_not_compile_is_removed_and_the_others_work(name: str, examined: Examine) -> None:
    marks = BROKEN[name]
    text = FUNCTION.replace("<1|if ::S::on(1) { return 9; }>", marks) + TESTS
    alone, *together = examined(made(text, portable=False)), *examined(made(text), made(FUNCTION + TESTS))
    for evidence in (alone[0], together[0]):
        assert set(evidence.removed) == {int(number) for number, *_ in MARK.findall(marks)} - {1}
        assert noticed(evidence) == {1: True} and evidence.runs[0].passed
    assert together[1].removed == () and noticed(together[1]) == {1: True}


def test_fragile_mutants_go_first_where_an_error_points_outside_all(examined: Examine) -> None:
    text = FUNCTION.replace("x + 1", "<2|let x: &str = \"\";> let y: u8 = x; y + 1") + TESTS  # fmt: skip
    (evidence,) = examined(made(text, fragile=(2,)))
    assert evidence.removed == (2,) and noticed(evidence) == {1: True}


def test_a_program_that_does_not_compile_says_so_and_takes_nothing_from_others(examined: Examine) -> None:
    wrong = made("fn f(x: u8) -> u8 { no_such_function() }\n" + TESTS)
    unclosed = made("fn f(x: u8) -> u8 { { x }\n" + TESTS)
    good = made(FUNCTION + TESTS)
    found = examined(good, wrong, good, unclosed, good)
    assert [evidence.outcome for evidence in found] == [
        Outcome.PASSED,
        Outcome.TEST_BUILD_ERROR,
        Outcome.PASSED,
        Outcome.TEST_BUILD_ERROR,
        Outcome.PASSED,
    ]
    assert found[1].reason == examining.NOT_COMPILED and found[1].runs == ()
    assert all(noticed(found[number]) == {1: True} for number in (0, 2, 4))


@pytest.mark.parametrize("portable", [True, False])
def test_programs_with_equal_names_share_a_crate_or_not(portable: bool, examined: Examine) -> None:
    other = FUNCTION.replace("x + 1", "x + 2") + TESTS.replace("2)", "3)")
    found = examined(made(FUNCTION + TESTS, portable=portable), made(other, portable=portable))
    assert [evidence.runs[0].passed for evidence in found] == [True, True]
    assert [noticed(evidence) for evidence in found] == [{1: True}] * 2


def test_an_endless_mutant_is_ended_by_its_fuel_and_is_not_noticed_by_an_assert(examined: Examine) -> None:
    text = "fn f(x: u8) -> u8 { let _call = ::S::enter(0);"
    text += " <1|loop { ::S::tick(); if !::S::on(1) { break; } }>"
    (evidence,) = examined(made(text + " x + 1 }\n" + TESTS))
    assert evidence.runs[1].endless and evidence.runs[1].reached
    assert noticed(evidence) == {1: False} and evidence.cpu_ms < 3000


def test_a_mutant_that_waits_or_loops_without_fuel_meets_its_limits(examined: Examine) -> None:
    text = FUNCTION.replace("return 9;", "loop { std::hint::black_box(x); }") + TESTS
    (evidence,) = examined(made(text))
    assert evidence.runs[1].endless and not evidence.runs[1].passed and noticed(evidence) == {1: False}


@pytest.mark.slow
def test_a_slow_program_gets_as_many_runs_as_its_budget_pays(examined: Examine) -> None:
    spin = "let from = std::time::Instant::now(); while from.elapsed().as_millis() < 900 {}"
    marks = "".join(f"<{n}|if ::S::on({n}) {{ let _ = {n}; }}>" for n in range(1, 12))
    text = f"fn f(x: u8) -> u8 {{ let _call = ::S::enter(0); {marks} {spin} x + 1 }}\n{TESTS}"
    (evidence,) = examined(made(text), limits=replace(LIMITS, run_cpu_s=10))
    assert evidence.outcome is Outcome.PASSED and "it was stopped after" in evidence.reason
    assert 2 <= len(evidence.runs) < 12


def test_a_program_that_meets_its_limits_without_a_mutant_is_not_examined(examined: Examine) -> None:
    text = FUNCTION.replace("x + 1", "loop { std::hint::black_box(x); }") + TESTS
    (evidence,) = examined(made(text), limits=replace(LIMITS, run_cpu_s=1))
    assert (evidence.outcome, evidence.runs) == (Outcome.TIMEOUT, ())
    assert evidence.reason == "the instrumented program: used up its CPU time (20 s to compile, 1 s to run)"


@pytest.mark.parametrize(
    ("limits", "words", "lasts"),
    [({"compile_cpu_s": 1}, "used up its CPU time", True), ({"wall_s": 1}, "the wall-clock backstop of 1 s", False)],
)
def test_a_compilation_that_meets_a_limit_is_no_program_that_does_not_compile(
    limits: dict[str, int], words: str, lasts: bool, examined: Examine
) -> None:
    slow = "const SUM: u64 = { let mut n = 0_u64; while n < u64::MAX { n += 1; } n };\n"
    text = slow + FUNCTION.replace("x + 1", "x + SUM as u8") + TESTS
    for evidence in examined(made(text), made(text), limits=replace(LIMITS, **limits)):
        assert (evidence.outcome, evidence.runs) == (Outcome.TIMEOUT, ())
        assert evidence.reason.startswith("compiling the instrumented program: ") and words in evidence.reason
        assert is_lasting(evidence) == lasts


@pytest.mark.parametrize(("budget", "lasts"), [("BUDGET_MS", True), ("BUDGET_S", False)])
def test_evidence_that_a_busy_machine_cut_short_is_not_kept(
    budget: str, lasts: bool, examined: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, budget, 0)
    (evidence,) = examined(made(FUNCTION + TESTS))
    assert evidence.reason.startswith("it was stopped after 0 s of ") and is_lasting(evidence) == lasts


def test_a_run_that_ends_at_a_limit_of_the_load_is_not_kept(examined: Examine) -> None:
    waits = FUNCTION.replace("x + 1", "std::thread::sleep(std::time::Duration::from_secs(60)); x + 1") + TESTS
    (evidence,) = examined(made(waits), limits=replace(LIMITS, idle_s=1))
    assert evidence.outcome is Outcome.TIMEOUT and not is_lasting(evidence)


def test_every_run_is_a_process_of_its_own(examined: Examine) -> None:
    state = "use std::sync::atomic::{AtomicU8, Ordering::SeqCst};\nstatic CALLS: AtomicU8 = AtomicU8::new(0);\n"
    counting = FUNCTION.replace("x + 1", "if CALLS.fetch_add(1, SeqCst) > 0 { return 0; } x + 1")
    counting = counting.replace("<1|if ::S::on(1) { return 9; }>", "<1|if ::S::on(1) { }><2|if ::S::on(2) { }>")
    (evidence,) = examined(made(state + counting + TESTS, thorough=True))
    assert noticed(evidence) == {1: False, 2: False}, "what one run leaves is not there in the next"


def test_files_of_one_run_are_no_evidence_in_the_next_program(examined: Examine) -> None:
    writes = FUNCTION.replace("x + 1", 'if std::fs::write("left", "x").is_err() { return 0; } x + 1') + TESTS
    reads = FUNCTION.replace("x + 1", 'if std::path::Path::new("left").exists() { return 0; } x + 1') + TESTS
    first, second = examined(made(writes), made(reads))
    assert first.runs[0].failed == () and second.runs[0].failed == ()


def test_a_panic_that_stays_away_or_is_reached_is_noticed(examined: Examine) -> None:
    expected = TESTS.replace(
        "#[test] fn t() { ", f"#[test] #[should_panic] fn t() {{ let _e = ::{SUPPORT}::expect(5); "
    )
    expected = expected.replace("assert_eq!(f(1), 2);", "f(1);")
    panics = FUNCTION.replace("x + 1", 'if x < 2 { core::panic!("no") } x')
    (evidence,) = examined(made(panics + expected))
    assert (evidence.runs[0].missed, evidence.runs[1].missed) == ((), (5,)) and noticed(evidence) == {1: True}
    explicit = TESTS.replace("assert_eq!(f(1), 2);", "if f(1) != 2 { panic!(); }")
    (evidence,) = examined(made(FUNCTION + explicit))
    assert evidence.runs[0].panics == () and len(evidence.runs[1].panics) == 1 and noticed(evidence) == {1: True}


def test_a_panic_within_an_assert_breaks_it_if_it_stands_in_test_code(examined: Examine) -> None:
    options = (
        FUNCTION.replace("-> u8 {", "-> Option<u8> {")
        .replace("return 9;", "return None;")
        .replace("x + 1", "Some(x + 1)")
    )
    (evidence,) = examined(made(options + TESTS.replace("f(1), 2", "f(1).unwrap(), 2")))
    assert evidence.runs[1].broken == evidence.runs[0].held and noticed(evidence) == {1: True}
    panics = FUNCTION.replace("return 9;", 'core::panic!("in the code");')
    (evidence,) = examined(made(panics + TESTS))
    assert not evidence.runs[1].passed and noticed(evidence) == {
        1: False
    }, "code that panics is not what an assert sees"


SWALLOWED = {
    "in a thread that is joined": (True, "let _ = std::thread::spawn(|| None::<u8>.unwrap()).join();"),
    "that is caught": (True, "let _ = std::panic::catch_unwind(|| None::<u8>.unwrap());"),
    "in the code, caught": (False, "let _ = std::panic::catch_unwind(|| fails());"),
    "nowhere": (False, ""),
}


@pytest.mark.parametrize("name", SWALLOWED)
def test_panics_of_the_tests_that_fail_no_test_are_seen(name: str, examined: Examine) -> None:
    seen, text = SWALLOWED[name]
    code = (
        FUNCTION
        + "fn fails() { None::<u8>.unwrap(); }\n"
        + TESTS.replace("assert_eq!(f(1), 2);", f"assert_eq!(f(1), 2); {text}")
    )
    (evidence,) = examined(made(code))
    assert evidence.runs[0].passed and evidence.runs[0].swallowed == ((3,) if seen else ())


def test_a_helper_that_panics_as_expected_is_seen(examined: Examine) -> None:
    helper = "fn check(held: bool) { if !held { None::<u8>.unwrap(); } }\n"
    expected = TESTS.replace(
        "#[test] fn t() { ", f"#[test] #[should_panic] fn t() {{ let _e = ::{SUPPORT}::expect(5); "
    )
    text = expected.replace("assert_eq!(f(1), 2);", "assert_eq!(f(1), 2);\ncheck(false);").replace(
        "#[test]", f"\n{helper}#[test]"
    )
    experiment = replace(made(FUNCTION + text), test_lines=((2, 9),), tests=((4, 9),))
    (evidence,) = examined(experiment)
    assert (evidence.runs[0].swallowed, evidence.runs[0].missed) == ((3,), ())


def test_a_function_that_only_panics_does_not_return(examined: Examine) -> None:
    caught = TESTS.replace("assert_eq!(f(1), 2);", "assert_eq!(f(1), 2); let _ = std::panic::catch_unwind(|| f(9));")
    (evidence,) = examined(made(FUNCTION.replace("x + 1", "assert!(x < 5); x + 1") + caught))
    assert evidence.runs[0].returned == (0,)
    (evidence,) = examined(
        made(FUNCTION.replace("x + 1", "core::panic!()") + caught.replace("assert_eq!(f(1), 2);", ""))
    )
    assert (evidence.runs[0].entered, evidence.runs[0].returned) == ((0,), ())


def test_asserts_that_fail_elsewhere_than_in_the_test_are_seen(examined: Examine) -> None:
    tests = TESTS.replace(
        "assert_eq!(f(1), 2);",
        "let _ = std::panic::catch_unwind(|| assert_eq!(f(1), 3));"
        " let _ = std::thread::spawn(|| assert!(f(1) == 4)).join();",
    )
    (evidence,) = examined(made(FUNCTION + tests))
    assert len(evidence.runs[0].failed) == 2 and evidence.runs[0].passed


def test_a_mutant_that_knows_no_value_says_so(examined: Examine) -> None:
    text = "struct Odd; fn f(_: u8) -> Odd { let _call = ::S::enter(0); <1|::S::returns!(1, Odd, 2);> Odd }\n"
    (evidence,) = examined(made(text + TESTS.replace("assert_eq!(f(1), 2);", "f(1); assert!(true);")))
    assert (evidence.runs[1].reached, evidence.runs[1].unknown, evidence.removed) == (True, True, ())


def test_values_of_generic_code_are_known_when_it_runs(examined: Examine) -> None:
    text = (
        "fn g<T>(x: T) -> T { let _call = ::S::enter(0); <1|::S::returns!(1, T, 2);> x }\nfn f(x: u8) -> u8 { g(x) }\n"
    )
    (evidence,) = examined(made(text + TESTS.replace("2)", "1)")))
    assert (evidence.runs[1].unknown, noticed(evidence)) == (False, {1: True})


LENIENT = {
    "lengths": ("impl PartialEq for W { fn eq(&self, o: &W) -> bool { self.0.len() == o.0.len() } }", True),
    "the last of many": ("impl PartialEq for W { fn eq(&self, o: &W) -> bool { self.0.last() == o.0.last() } }", True),
    "everything": ("impl PartialEq for W { fn eq(&self, o: &W) -> bool { self.0.iter().eq(&o.0) } }", False),
}


@pytest.mark.parametrize("name", LENIENT)
def test_an_equality_is_asked_about_values_that_differ_a_little(name: str, examined: Examine) -> None:
    own = (
        f"impl ::{SUPPORT}::Same for W {{ fn same(&self) -> Option<W> {{ ::{SUPPORT}::same_part!(&self.0).map(W) }} }}"
    )
    own += f" impl ::{SUPPORT}::Alter for W {{ fn alter(&mut self, at: &mut usize) -> bool {{ self.0.alter(at) }} }}"
    code = f"use ::{SUPPORT}::Alter as _; struct W(Vec<u8>); {LENIENT[name][0]} {own}\n"
    code += (
        FUNCTION.replace("-> u8", "-> W").replace("return 9;", "return W(vec![9]);").replace("x + 1", "W(vec![x, 7])")
    )
    tests = TESTS.replace(asserts_text(), asserts_text(2)).replace("f(1), 2", "f(1), W(vec![1, 7])")
    mutants = (Mutant(0, "return"), Mutant(NO_FUNCTION, "equality"))
    (evidence,) = examined(replace(made(code + tests, equality=2), mutants=mutants))
    assert evidence.removed == () and evidence.runs[0].passed
    assert evidence.alike == (evidence.runs[0].held if LENIENT[name][1] else ())


def test_a_false_assert_ends_its_test_where_a_panic_may_be_caught(examined: Examine) -> None:
    caught = TESTS.replace("assert_eq!(f(1), 2);", "let _ = std::panic::catch_unwind(|| assert_eq!(f(1), 2));")
    (goes_on,), (ends,) = examined(made(FUNCTION + caught)), examined(made(FUNCTION + caught, catches=True))
    assert (noticed(goes_on), noticed(ends)) == ({1: True}, {1: False})
    (ends,) = examined(made(FUNCTION + TESTS, catches=True))
    assert noticed(ends) == {1: True} and ends.runs[0].passed and not ends.runs[1].passed


def test_functions_that_other_functions_call_are_changed_too(examined: Examine) -> None:
    text = "fn g(x: u8) -> u8 { let _call = ::S::enter(0); <1|if ::S::on(1) { return 9; }> x + 1 }\n"
    text += "fn f(x: u8) -> u8 { let _call = ::S::enter(1); g(x) }\n"
    (evidence,) = examined(
        replace(made(text + TESTS), functions=(Function("g"), Function("f")), guards={0: ALWAYS, 1: ALWAYS})
    )
    assert (evidence.runs[0].called, evidence.runs[1].called_function) == ((1,), False)
    assert [function.asked for function in evidence.functions] == [False, True]


def test_no_more_ids_are_given_than_the_library_counts() -> None:
    records = (Path(crates.__file__).parent / "support/records.rs").read_text()
    assert f"const IDS: usize = {MAX_IDS};" in records


def test_printing_what_looks_like_a_record_is_no_record(examined: Examine) -> None:
    forged = FUNCTION.replace("x + 1", 'eprintln!("\\n{} a 1:0 0", std::any::type_name::<u8>()); x + 1') + TESTS
    (evidence,) = examined(made(forged))
    assert evidence.runs[0].failed == () and noticed(evidence) == {1: True}


def test_a_flood_of_output_is_a_reason_not_evidence(examined: Examine) -> None:
    flood = 'struct D; impl Drop for D { fn drop(&mut self) { for _ in 0..400_000 { eprintln!("0123456789"); } } }\n'
    flood += "thread_local! { static X: D = const { D }; }\n"
    (evidence,) = examined(made(flood + FUNCTION.replace("x + 1", "X.with(|_| ()); x + 1") + TESTS))
    assert evidence.outcome is Outcome.TIMEOUT or noticed(evidence) == {1: True}


def test_a_text_without_its_mutants_is_the_program_and_places_are_where_they_stand() -> None:
    experiment = made("é<1|ab|c>d<2|efg>\n")
    assert experiment.text((), "s") == "éabdefg\n" and experiment.text((1, 2), "s") == "écd\n"
    assert experiment.places((), "s") == {1: (1, 3), 2: (4, 7)}
    assert experiment.places((1,), "s") == {2: (3, 6)}
    named = made("<1|::S::x>y")
    assert named.text((), "word") == "::word::xy" and named.places((), "word") == {1: (0, 9)}


def test_a_failure_of_the_host_is_raised_and_leaves_nothing(
    isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, on_start: object, *, first: bool) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(crates.Crate, "_attempt", fails)
    with pytest.raises(OSError, match="no space left"):
        list(examine([made(FUNCTION + TESTS)], isolation, LIMITS, workdir))
    assert list(workdir.iterdir()) == []


FAILS = FUNCTION.replace("x + 1", 'core::panic!("at once")') + TESTS


@pytest.mark.parametrize("text", ["fn f(", FAILS], ids=["compiling", "running"])
def test_a_full_disk_is_no_evidence(
    text: str, isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "FREE_BYTES_NEEDED", 1 << 62)
    with pytest.raises(OSError, match="no space left"):
        list(examine([made(text)], isolation, LIMITS, workdir))


@pytest.mark.parametrize("commands", [1, 2, 3], ids=["compiling", "running", "running a mutant"])
def test_what_somebody_kills_is_no_evidence(commands: int, isolation: Isolation, workdir: Path) -> None:
    started: list[int] = []

    def kill_the_last(group: int) -> None:
        started.append(group)
        if len(started) == commands:
            os.killpg(group, signal.SIGKILL)

    sleeps = "std::thread::sleep(std::time::Duration::from_secs(1));"  # or it could end before it is killed
    slow = FUNCTION.replace("{ let", f"{{ {sleeps} let") + TESTS
    with pytest.raises(OSError, match="somebody killed the process"):
        list(examine([made(slow)], isolation, LIMITS, workdir, on_start=kill_the_last))


def test_a_linker_that_somebody_kills_is_no_error_of_a_program() -> None:
    def read(text: str, *spans: object) -> list[object]:
        message = {"$message_type": "diagnostic", "message": text, "level": "error", "spans": spans}
        return list(crates._errors(json.dumps(message, separators=(",", ":")).encode()))

    with pytest.raises(OSError, match="somebody killed the linker"):
        read("linking with `cc` failed: signal: 9 (SIGKILL)")
    assert read("linking with `cc` failed: exit status: 1") == []
    assert len(read("linking with `cc` failed: signal: 9 (SIGKILL)", {"of": "compile_error!"})) == 1


def test_a_pool_makes_experiments_beside_programs_and_each_once(pool: SandboxPool) -> None:
    experiments = [made(FUNCTION + TESTS + f"// {number}\n") for number in range(5)]
    futures = [pool.submit_experiment(experiment) for experiment in (*experiments, *experiments)]
    program = pool.submit("fn f() {}\n")
    found = [future.result() for future in futures]
    assert all(noticed(evidence) == {1: True} for evidence in found) and found[:5] == found[5:]
    assert program.result().outcome is Outcome.NO_TESTS
    assert pool.submit_experiment(experiments[0]).done(), "it is kept"
    assert not pool.submit_experiment(replace(experiments[0], salt=8)).done(), "another number draws other values"


def test_a_closed_pool_takes_no_experiment() -> None:
    with SandboxPool(jobs=1) as closed:
        pass
    with pytest.raises(PoolClosed):
        closed.submit_experiment(made(FUNCTION + TESTS))


def test_an_experiment_that_is_cancelled_is_a_timeout_or_was_never_started() -> None:
    slow = FUNCTION.replace("x + 1", "std::thread::sleep(std::time::Duration::from_secs(60)); x + 1") + TESTS
    with SandboxPool(jobs=1) as alone:
        future = alone.submit_experiment(made(slow))
        alone.cancel(future, "too late")
        evidence = future.result(timeout=20)
        assert evidence.outcome in (Outcome.TIMEOUT, Outcome.HOST_ERROR) and "too late" in evidence.reason
        assert alone.submit_experiment(made(FUNCTION + TESTS)).result(timeout=60).outcome is Outcome.PASSED


def test_evidence_goes_through_json_and_comes_back_equal(examined: Examine) -> None:
    (evidence,) = examined(made(FUNCTION.replace("<1|", "<2|no_such();><1|") + TESTS))
    full = replace(
        evidence,
        functions=(Function("f", 20), Function("g", 30, "method", "a failure", False, True)),
        alike=("3:b",),
        hidden=("h",),
        asserts=(("2:a", "assert(x)"),),
        reason="it was stopped",
        waived=True,
    )
    for found in (evidence, full, Evidence(Outcome.TEST_BUILD_ERROR, reason="x")):
        assert Evidence.from_json(json.loads(json.dumps(found.to_json()))) == found
        verdict = Verdict(Outcome.PASSED, evidence=found, powers=("a in line 1",))
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    places = (("1:a",), ("2:b",), ("2:d",), ("2:c",), ("3:c",))
    every = Run(1, 2, "return", True, True, *places, (4,), (5,), (6,), (7,), (8,), True, True, True, True)
    kept = Evidence(Outcome.PASSED, (every,))
    assert Evidence.from_json(json.loads(json.dumps(kept.to_json()))) == kept
    assert Verdict.from_json(Verdict(Outcome.PASSED).to_json()).evidence is None
