"""No program passes gold tests without solving the task, alone or in a batch, and honest programs pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gold_cheats import CHEATS, GOLD, HONEST, MODULE_ROWS, OTHER_ROWS, STATE_ROWS, VALUE_ROWS
from rewards.gold.rows import gold_kind
from rewards.gold.run import GoldResult, gold_result, gold_run, submit_gold
from sandbox import Outcome, SandboxPool


@pytest.fixture(scope="module", params=["batch", "direct"])
def results(request: pytest.FixtureRequest) -> Iterator[dict[str, GoldResult]]:
    """The results of all programs, which are submitted together."""
    with SandboxPool(jobs=2, backend=request.param) as pool:
        runs = {name: gold_run(code, GOLD) for name, code in {**HONEST, **CHEATS}.items()}
        found = {name: submit_gold(run, pool) for name, run in runs.items()}
        assert not any(future.result().outcome is Outcome.HOST_ERROR for future in found.values())
        yield {name: gold_result(run, found[name].result()) for name, run in runs.items()}


def test_all_these_tests_are_read_as_cases():
    assert gold_kind(GOLD) == "cases" and len(CHEATS) >= 40


def test_every_honest_program_passes(results):
    assert {name: results[name].reason for name in HONEST if not results[name].ok} == {}


def test_no_cheat_passes_and_each_has_a_reason(results):
    assert [name for name in CHEATS if results[name].ok] == []
    assert all(results[name].reason for name in CHEATS)


@pytest.mark.parametrize("code", list(HONEST.values())[:3] + list(CHEATS.values())[:3])
def test_nothing_of_what_is_expected_is_given_to_the_sandbox(code):
    calls = gold_run(code, GOLD).calls
    given = repr((calls.calls, calls.uses))
    assert "expected" not in given and "five and five" not in given and "10" not in given and "Some" not in given
    assert "assert" not in given and "!" not in given and "is_none" not in given and "adds" not in given


def test_a_function_of_the_tests_is_read_where_it_is_called(pool):
    checks = "fn check(a: i32, b: i32, sum: i32) { assert_eq!(add(a, b), sum); seen(sum); }\n"
    row = {"gold_tests": checks + "#[test]\nfn t() { check(1, 2, 3); check(5, 5, 10); }"}
    right = "fn add(a: i32, b: i32) -> i32 { a + b }\nfn seen(_n: i32) {}\n"
    programs = [right, right.replace("a + b", "a * 3"), right.replace("{}", "{ panic!() }")]
    runs = [gold_run(code, row) for code in programs]
    assert gold_kind(row) == "cases" and [run.total for run in runs] == [4] * 3
    assert [gold_result(run, submit_gold(run, pool).result()).passed for run in runs] == [4, 3, 2]


@pytest.mark.parametrize("given", [OTHER_ROWS, STATE_ROWS, VALUE_ROWS], ids=["shapes", "states", "values"])
@pytest.mark.parametrize("backend", ["batch", "direct"])
def test_right_programs_pass_tests_of_other_shapes_and_wrong_ones_do_not(backend, given):
    rows = {name: {"gold_tests": f"#[test]\nfn t() {{ {row[0]} }}"} for name, row in given.items()}
    assert {name for name, row in rows.items() if gold_kind(row) != "cases"} == set()
    with SandboxPool(jobs=2, backend=backend) as pool:
        runs = {(name, n): gold_run(row[n], rows[name]) for name, row in given.items() for n in (1, 2)}
        found = {key: submit_gold(run, pool) for key, run in runs.items()}
        results = {key: gold_result(run, found[key].result()) for key, run in runs.items()}
    assert {name: results[name, 1].reason for name in rows if not results[name, 1].ok} == {}
    assert [name for name in rows if results[name, 2].ok] == []


def test_right_programs_pass_tests_that_stay_modules_and_wrong_ones_do_not(pool):
    rows = {name: {"gold_tests": f"#[test]\nfn t() {{ {row[0]} }}"} for name, row in MODULE_ROWS.items()}
    assert {name for name, row in rows.items() if gold_kind(row) != "tests"} == set()
    runs = {(name, n): gold_run(row[n], rows[name]) for name, row in MODULE_ROWS.items() for n in (1, 2)}
    found = {key: submit_gold(run, pool) for key, run in runs.items() if run is not None}
    results = {key: gold_result(runs[key], future.result()) for key, future in found.items()}
    assert {name for name in rows if (name, 1) not in results or not results[name, 1].ok} == set()
    assert [name for name in rows if (name, 2) in results and results[name, 2].ok] == []


def test_the_order_of_calls_is_not_that_of_the_tests():
    first, second = "assert_eq!(half(8), Some(4));", "assert!(half(7).is_none());"
    swapped = {
        "gold_tests": GOLD["gold_tests"].replace(first, "1").replace(second, first).replace("1\n", f"{second}\n")
    }
    assert swapped != GOLD and gold_run("", GOLD).calls.calls == gold_run("", swapped).calls.calls
