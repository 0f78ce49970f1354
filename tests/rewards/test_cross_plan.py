"""Which suites of a group are run on which of its codes, under which names, and what the results become."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from completions import ADD, fenced, module, passed
from rewards import Rubric, RustGrader
from rewards.completion import GradedCompletion
from rewards.cross import tester_prompt
from rewards.cross.aligning import aligned
from rewards.cross.parts import parts_of, spans_of
from rewards.cross.plan import Plan, plan
from rewards.cross.result import OTHERS_ALONE
from rewards.cross.row_suites import PromptFacts, row_suites
from rewards.cross.submit import Crossings, GroupCrossing
from rewards.matrix.pass_matrix import ROW, TESTER
from rewards.rust.parse import parse
from rewards.signature.interface import interface_of
from rewards.strictness.submit import Submission
from sandbox.crossing.crossing import Cell, Crossed, Crossing
from sandbox.verdict import Outcome, Verdict

FAILED = Verdict(Outcome.TEST_FAILED, build=True, clippy=True, test=False, genuine=True, failed=1)
SUITE = module("assert_eq!(add(1, 2), 3);")


def graded(code: str, verdict: Verdict | None = None) -> GradedCompletion:
    return GradedCompletion(fenced(code), verdict or passed())


def test_a_program_is_divided_into_code_and_suite():
    parts = parts_of(ADD + SUITE, parse(ADD + SUITE))
    assert parts is not None and (parts.code, parts.suite) == (ADD + "\n", SUITE.rstrip("\n"))
    text = "// é\n" + ADD + "// §\n" + SUITE
    parts = parts_of(text, parse(text))
    assert parts is not None and text[slice(*parts.tests)] == parts.suite == SUITE.rstrip("\n")
    alone = parts_of(ADD, parse(ADD))
    assert alone is not None and (alone.code, alone.suite) == (ADD, "")


@pytest.mark.parametrize(
    "tests",
    [
        SUITE + SUITE.replace("tests", "more"),
        "#[test]\nfn t() { assert_eq!(add(1, 2), 3); }\n",
        SUITE.replace("#[cfg(test)]\n", ""),
    ],
    ids=["two modules", "no module", "a module that is built always"],
)
def test_of_another_program_only_the_code_is_taken(tests):
    parts = parts_of(ADD + tests, parse(ADD + tests))
    assert parts is not None and (parts.code.strip(), parts.suite, parts.tests) == (ADD.strip(), "", None)
    assert spans_of(ADD + tests, ADD + tests, parts) == {}
    assert parts_of(SUITE, parse(SUITE)) is None and parts_of(tests, parse(tests)) is None


OWN = "fn add(a: i32, b: i32) -> i32 {}"
ALIGNED = {
    "fn add(x: i32, y: i32) -> i32 {}": "add",
    "fn sum(x: i32, y: i32) -> i32 {}": "sum",
    "fn sum(x: i64, y: i64) -> i64 {} fn other(x: &str) {}": "sum",
    "fn sum(x: i32, y: i32) -> i32 {} fn more(x: i32, y: i32) -> i32 {}": None,  # which of the two?
    "fn add(x: i32) -> i32 {}": None,
    "fn add(x: &str, y: i32) -> i32 {}": None,
    "fn add(x: i32, y: i32) -> Option<i32> {}": None,
    "struct A; impl A { fn sum(x: i32, y: i32) -> i32 {} }": None,
    "macro_rules! m { () => {} } m!();": None,  # a macro may make it, which nobody can read
    "use self::other as add; fn other(x: &str) {}": None,
    "const add: fn(i32, i32) -> i32 = |x, y| x;": None,
    "struct add(i32, i32);": None,
}


@pytest.mark.parametrize("other", ALIGNED)
def test_a_suite_is_given_the_names_of_another_code(other):
    found = aligned(SUITE, interface_of(OWN), interface_of(other))
    assert found == (None if ALIGNED[other] is None else SUITE.replace("add(", f"{ALIGNED[other]}("))


def test_what_a_suite_does_not_use_need_not_be_there():
    own = interface_of(OWN + " fn helper(x: u8) {} struct Own; impl Own { fn add_all(&self) {} }")
    assert aligned(SUITE, own, interface_of(OWN)) == SUITE


@pytest.mark.parametrize(
    "test", ["let sum = add(1, 2); assert_eq!(sum, 3);", "let add = add(1, 2); assert_eq!(add, 3);"]
)
def test_a_name_that_the_suite_declares_or_uses_is_not_replaced(test):
    assert aligned(module(test), interface_of(OWN), interface_of("fn sum(x: i32, y: i32) -> i32 {}")) is None


def test_a_method_keeps_its_name_and_a_path_does_not():
    suite = module("assert_eq!(super::add(1, 2), x.add(3));")
    found = aligned(suite, interface_of(OWN), interface_of("fn sum(x: i32, y: i32) -> i32 {}"))
    assert found == suite.replace("super::add", "super::sum")


def numbered(number: int) -> str:
    return ADD.replace("a + b", f"a + b + {number} - {number}") + module(f"assert_eq!(add({number}, 2), {number + 2});")


def test_all_suites_of_the_others_are_run_on_each_code():
    made = plan([graded(numbered(n)) for n in range(4)])
    assert made.crossing is not None and len(made.crossing.pairs) == 12
    assert sorted(made.cells) == [(i, j) for i in range(4) for j in range(4) if i != j]
    results = tuple(Cell(Outcome.PASSED if i < 3 else Outcome.TEST_FAILED) for i, _ in made.cells)
    passes = made.matrix(Crossed(Outcome.PASSED, results)).passes
    assert passes.tolist() == [[1, 1, 1, 1]] * 3 + [[0, 0, 0, 1]]


def test_with_partners_each_code_gets_the_suites_after_it():
    made = plan([graded(numbered(n)) for n in range(4)], partners=1)
    assert sorted(made.cells) == [(0, 1), (1, 2), (2, 3), (3, 0)]


def test_equal_texts_are_run_once_and_copies_not_on_each_other():
    one, spaced = numbered(1), numbered(1).replace("    ", "\t") + "// the same\n"
    suite_too = ADD + SUITE
    made = plan([graded(one), graded(spaced), graded(suite_too), graded(numbered(2))])
    assert (0, 1) not in made.cells and (1, 0) not in made.cells, "they are one program"
    assert made.code_ids.tolist() == [0, 0, 2, 3] and made.suite_ids.tolist() == [0, 0, 0, 3]
    assert made.crossing is not None and len(made.crossing.codes) == 4 and len(made.crossing.suites) == 3
    again = plan([graded(suite_too), graded(suite_too.replace("a + b", "b + a")), graded(suite_too)])
    assert again.cells[0, 1] == again.cells[2, 1], "equal codes on one suite are one pair"


def test_who_takes_part():
    no_assert = ADD + module("add(1, 2);")
    broken = Verdict(Outcome.BUILD_ERROR, build=False, clippy=False, test=False)
    own_tests_broken = Verdict(Outcome.TEST_BUILD_ERROR, build=True, clippy=True, test=False)
    with_powers = replace(passed(), outcome=Outcome.UNTRUSTED, powers=("std::process::exit in line 2",))
    group = [
        graded(numbered(0)),
        graded(no_assert),
        graded(numbered(1), own_tests_broken),
        graded(numbered(2), broken),
        graded(numbered(3), with_powers),
        GradedCompletion("no code"),
        graded(ADD),
    ]
    made = plan(group)
    assert {code for code, _ in made.cells} == {1, 2, 6}, "code that builds and has no powers"
    assert {suite for _, suite in made.cells} == {0}, "a suite that ran on its own code, with an assert"


def test_a_code_that_says_what_is_equal_gets_no_foreign_tests():
    always = "#[derive(Debug)]\nstruct Any;\nimpl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n"
    cheat = always + "fn add(_: i32, _: i32) -> Any {\n    Any\n}\n" + SUITE
    generic = cheat.replace("-> Any", "-> impl PartialEq<i32> + std::fmt::Debug")
    made = plan([graded(numbered(0)), graded(generic), graded(cheat)])
    assert all(code == 0 for code, _ in made.cells)


def test_cells_that_say_nothing_are_unknown():
    made = plan([graded(numbered(0)), graded(numbered(1), FAILED)])
    outcomes = (Outcome.TEST_BUILD_ERROR, Outcome.UNTRUSTED, Outcome.NO_TESTS, Outcome.TIMEOUT)
    for outcome, value in zip(outcomes, (np.nan, np.nan, np.nan, 0.0), strict=True):
        passes = made.matrix(Crossed(Outcome.PASSED, (Cell(outcome), None))).passes
        np.testing.assert_equal(passes, [[1, value], [np.nan, 0]])


class CrossingPool:
    """Grades nothing; every crossing waits until it is answered."""

    def __init__(self) -> None:
        self.asked: list[tuple[Crossing, Future[Crossed]]] = []

    def submit(self, source: str) -> Future[Verdict]:
        return Future()

    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]:
        self.asked.append((crossing, Future()))
        return self.asked[-1][1]

    def cancel(self, future: Future[Crossed], reason: str) -> None:
        future.set_result(Crossed(Outcome.TIMEOUT, reason=reason))


def test_a_group_is_crossed_when_its_last_program_is_graded():
    pool = CrossingPool()
    crossings = Crossings(pool, group_size=2)
    sent = [Submission(pool, numbered(n)) for n in range(2)]
    for number, name in ((1, "s1-p00-c1"), (0, "s1-p00-c0")):
        crossings.add(name, fenced(numbered(number)), sent[number])
    sent[0].future.set_result(passed())
    assert not pool.asked
    sent[1].future.set_result(FAILED)
    [(crossing, future)] = pool.asked
    assert crossing.pairs == ((0, 0), (1, 1)), "each code with the suite of the other"
    future.set_result(Crossed(Outcome.PASSED, (Cell(Outcome.PASSED), Cell(Outcome.TEST_FAILED)), 7.5))
    found = crossings.result("s1-p00", 0.0, "late")
    assert found.matrix is not None and found.cpu_ms == 7.5 and not found.reason
    assert found.matrix.passes.tolist() == [[1, 1], [0, 0]], "in the order of their numbers"


def test_a_crossing_that_is_late_is_stopped_and_costs_its_group_alone():
    pool = CrossingPool()
    crossings = Crossings(pool, group_size=2)
    for number in range(2):
        sent = Submission(pool, numbered(number))
        sent.future.set_result(passed())
        crossings.add(f"a-c{number}", fenced(numbered(number)), sent)
    found = crossings.result("a", 0.0, "too late")
    assert (found.matrix, found.outcome, found.reason) == (None, Outcome.HOST_ERROR, "too late")
    assert pool.asked[0][1].done()


def test_a_crossing_that_is_stopped_while_it_is_planned_is_not_sent():
    pool, graded_last = CrossingPool(), Future()

    def planned() -> Plan:
        crossing.cancel("too late")
        return plan([graded(numbered(0)), graded(numbered(1))])

    crossing = GroupCrossing(pool, [graded_last], planned)
    graded_last.set_result(passed())
    assert not pool.asked and crossing.future.result(0).reason == "too late"


def test_a_group_that_is_sampled_again_is_crossed_once_with_nothing_of_the_first():
    """The first attempt ended with two completions of three; the second has them in another order."""
    pool = CrossingPool()
    grader = RustGrader(Rubric({"cross_agreement": 1.0}), pool, group_size=3)
    first = [start(grader, number, numbered(number)) for number in (0, 1)]
    grader.forget(first)
    second = [start(grader, number, numbered(5 + number)) for number in (2, 0)]
    for ticket in (*first, *second):
        ticket.submission.future.set_result(passed())
    assert not pool.asked, "one is missing"
    start(grader, 1, numbered(6)).submission.future.set_result(passed())
    [(crossing, _)] = pool.asked
    assert [f"{number} - {number}" in code for number, code in zip((5, 6, 7), crossing.codes, strict=True)] == [
        True
    ] * 3


def start(grader, number, code):
    example = SimpleNamespace(messages=(), columns={}, tester_ids=())
    return grader.start(example, SimpleNamespace(id=f"s1-p00-c{number}", text=fenced(code), token_ids=()))


def test_a_group_of_nothing_and_one_that_cannot_be_read_say_nothing():
    pool = CrossingPool()
    nothing = GroupCrossing(pool, [], lambda: plan([GradedCompletion("no code")])).future.result()
    assert nothing.matrix is not None and np.isnan(nothing.matrix.passes).all()

    def unreadable() -> Plan:
        raise RecursionError("too deep")

    found = GroupCrossing(pool, [], unreadable).future.result()
    assert (found.matrix, found.outcome, found.reason) == (None, Outcome.PASSED, "RecursionError")


def test_a_failure_of_the_host_is_told():
    pool = CrossingPool()
    crossing = GroupCrossing(pool, [], lambda: plan([graded(numbered(0)), graded(numbered(1))]))
    pool.asked[0][1].set_result(Crossed(Outcome.HOST_ERROR, reason="no space"))
    found = crossing.future.result()
    assert (found.matrix, found.outcome, found.reason) == (None, Outcome.HOST_ERROR, "no space")


TESTS = "```rust\nfn add(a: i32, b: i32) -> i32 {\n    todo!()\n}\n\n" + module("assert_eq!(add(2, 2), 4);") + "```\n"


def test_the_tests_of_testers_are_given_to_every_code_and_belong_to_nobody():
    group = [graded(numbered(0)), graded(numbered(1)), graded(ADD)]
    made = plan(group, [TESTS, "no code", TESTS], partners=1)
    assert sorted(made.cells) == [(0, 1), (0, 3), (0, 5), (1, 0), (1, 3), (1, 5), (2, 0), (2, 3), (2, 5)]
    assert made.crossing is not None and len(made.crossing.suites) == 3, "equal tests are run once"
    cells = tuple(Cell(Outcome.PASSED) for _ in made.crossing.pairs)
    matrix = made.matrix(Crossed(Outcome.PASSED, cells))
    assert matrix.owners.tolist() == [0, 1, 2, -1, -1, -1] and matrix.suite_ids is not None
    assert matrix.suite_ids[3] == matrix.suite_ids[5] and matrix.passes[:, 3].tolist() == [1, 1, 1]
    alone = plan(group, [TESTS], partners=OTHERS_ALONE)
    assert sorted(alone.cells) == [(0, 3), (1, 3), (2, 3)]


def test_the_suites_of_a_row_judge_every_group_of_its_prompt():
    unwritten = ADD.replace("a + b", "todo!()") + module("assert_eq!(add(2, 2), 4);")
    group = [graded(numbered(0)), graded(numbered(1))]
    made = plan(group, [TESTS], suites=[unwritten, "fn add() {}", "no Rust"], partners=OTHERS_ALONE)
    assert sorted(made.cells) == [(0, 2), (0, 3), (1, 2), (1, 3)], "a suite without asserts says nothing"
    besides = plan(group, suites=[unwritten])
    pairs = sorted(besides.cells, key=besides.cells.__getitem__)
    assert pairs == [(0, 2), (0, 1), (1, 2), (1, 0)], "first, as a suite of the group may never end"
    matrix = made.matrix(None)
    assert matrix.owners.tolist() == [0, 1, TESTER, ROW] and matrix.passes.shape == (2, 4)
    pool = CrossingPool()
    crossings = Crossings(pool, group_size=1, partners=OTHERS_ALONE)
    sent = Submission(pool, numbered(0))
    sent.future.set_result(passed())
    for name, suites in (("a", [unwritten]), ("b", [])):
        crossings.add(f"{name}-c0", fenced(numbered(0)), sent, asked=PromptFacts(tuple(suites)))
    assert [len(crossing.suites) for crossing, _ in pool.asked] == [1], "of its own prompt alone"


@pytest.mark.parametrize("given", ["no list", 3, [1], '{"a": 1}', "3"])
def test_a_column_of_suites_that_is_none_is_refused(given):
    with pytest.raises(ValueError, match="the column suites is .*give a list of Rust programs"):
        row_suites({"suites": given})


def test_a_group_with_testers_is_crossed_when_their_tests_are_there():
    pool = CrossingPool()
    crossings = Crossings(pool, group_size=1, testers=2)
    sent = Submission(pool, numbered(0))
    sent.future.set_result(passed())
    crossings.add("s1-p00-c0", fenced(numbered(0)), sent, has_testers=True)
    crossings.add_tests("s1-p00-t1", TESTS)
    assert not pool.asked
    crossings.add_tests("s1-p00-t0", "no code")
    assert len(pool.asked) == 1
    crossings.add("s1-p01-c0", fenced(numbered(1)), sent, has_testers=False)
    assert crossings.result("s1-p01", 0.0, "late").matrix is not None, "a prompt without testers waits for nobody"


STARTS = {
    "fn f(x: u8) -> u8": "```rust\nfn f(x: u8) -> u8 {\n    todo!()",
    "fn f(x: u8) -> u8;\nfn g()": "```rust\nfn f(x: u8) -> u8 {\n    todo!()\n}\n\nfn g() {\n    todo!()",
    "impl A { fn f(&self) }": "",
}


@pytest.mark.parametrize("signature", STARTS)
def test_tests_alone_begin_with_a_function_to_be_written(signature):
    assert tester_prompt.tester_start({"signature": signature}) == STARTS[signature]


def test_of_a_solution_only_the_outline_is_shown():
    code = "#[derive(Debug)]\nstruct P { x: u8 }\n\nfn f(p: P) -> u8 {\n    p.x // secret\n}\n\n"
    solution = code + module("assert!(true);")
    start = tester_prompt.tester_start({"reference": solution})
    assert start == "```rust\n#[derive(Debug)]\nstruct P { x: u8 }\n\nfn f(p: P) -> u8 {\n    todo!()"
    assert (
        tester_prompt.tester_start({"reference": "impl P { fn f() -> u8 { 1 } }"})
        == tester_prompt.tester_start({})
        == ""
    )
