"""Gold tests replace the completion's own, whatever its text; most are values that are compared outside the program."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completions import ADD, module
from rewards.gold.rows import gold_kind, gold_problem, has_gold_tests
from rewards.gold.run import GoldResult, gold_result, gold_run, submit_gold
from sandbox import SandboxPool

LIST = {"rust_test_list": ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(0, 0), 0)"]}
MODULE = {
    "gold_tests": "#[cfg(test)]\nmod gold {\n    use super::*;\n"
    "    #[test]\n    fn g() { assert_eq!(add(1, 2), 3); }\n}\n"
}
INSIDE = {"gold_tests": "#[test]\nfn g() { assert_eq!(add(1, 2), 3); }"}
FUNCTIONS = {"rust_test_list": ["#[test]\nfn g() { assert_eq!(add(1, 2), 3); }"]}
CASES = {"gold_cases": [{"call": "add(1, 2)", "expected": "3", "tolerance": None}]}
LOOP = {"gold_tests": "#[test]\nfn g() { for n in 0..3 { assert_eq!(add(n, 2), n + 2); } }"}


def result(code: str, columns: dict, pool: SandboxPool) -> GoldResult:
    run = gold_run(code, columns)
    assert run is not None
    return gold_result(run, submit_gold(run, pool).result())


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (LIST, "cases"),
        (MODULE, "cases"),
        (INSIDE, "cases"),
        (FUNCTIONS, "cases"),
        (CASES, "cases"),
        ({"gold_cases": json.dumps(CASES["gold_cases"])}, "cases"),
        ({"rust_test_list": json.dumps(LIST["rust_test_list"])}, "cases"),
        (LOOP, "tests"),
    ],
)
def test_every_form_of_gold_tests_passes_on_right_code_and_fails_on_wrong_code(columns, kind, pool):
    right, wrong = ADD + module("assert_eq!(add(1, 2), 4);"), ADD.replace("+", "-") + module(
        "assert_eq!(add(2, 1), 1);"
    )
    assert has_gold_tests(columns) and gold_kind(columns) == kind
    assert result(right, columns, pool).ok and not result(wrong, columns, pool).ok


@pytest.mark.parametrize(
    "own",
    [
        module("own();").removeprefix("#[cfg(test)]\n"),
        module("own();").replace("cfg(test)", "cfg(all(test, unix))"),
        "#[test]\nfn loose() {\n    own();\n}\n",
        "mod inner {\n" + module("own();") + "}\n",
    ],
    ids=["without cfg", "another cfg", "without a module", "in a module"],
)
@pytest.mark.parametrize("columns", [LIST, LOOP])
def test_own_tests_are_cut_out_wherever_they_stand(own, columns):
    run = gold_run(ADD + own + "fn after() {}\n", columns)
    source = run.source if run.calls is None else run.calls.source
    assert "own()" not in source and "#[test]\nfn loose" not in source
    assert source.startswith(ADD) and "fn after() {}\n" in source


def test_the_completions_own_tests_are_cut_out_at_the_right_bytes():
    code = "// é \udcff 漢\n" + ADD + module("own();") + "fn after() {}\n"
    run = gold_run(code, LIST)
    assert run.total == 2 and "own()" not in run.calls.source and "mod tests" not in run.calls.source
    assert run.calls.source.startswith("// é ? 漢\n" + ADD) and "\nfn after() {}\n" in run.calls.source


@pytest.mark.parametrize(
    "columns",
    [{}, {"gold_tests": ""}, {"gold_tests": None}, {"rust_test_list": []}, {"rust_test_list": "[]"}, {"other": "x"}],
)
def test_no_gold_tests_no_run(columns):
    assert gold_run(ADD, columns) is None and not has_gold_tests(columns) and gold_kind(columns) is None


@pytest.mark.parametrize(
    "head",
    [
        "macro_rules! assert_eq {\n    ($a:expr, $b:expr) => {};\n}\n",
        "macro_rules! quiet {\n    ($a:expr, $b:expr) => {};\n}\nuse quiet as assert_eq;\n",
        "mod m {\n    macro_rules! panic {\n        () => {};\n    }\n}\n",
        "struct N;\nimpl PartialEq<i32> for N {\n    fn eq(&self, _: &i32) -> bool {\n        true\n    }\n}\n",
    ],
)
def test_code_that_redefines_an_assert_or_equality_is_no_matter_unless_libtest_runs_it(head, pool):
    assert gold_run(head + ADD, LOOP) is None
    assert result(head + ADD, LIST, pool).ok and not result(head + ADD.replace("+", "-"), LIST, pool).ok


@pytest.mark.parametrize("given", ["not json", "{}", "3", '"assert!(true)"', 3, [None], ["assert!(true)", " "]])
def test_a_list_that_is_none_is_named(given):
    with pytest.raises(ValueError, match="rust_test_list holds"):
        gold_run(ADD, {"rust_test_list": given})
    assert "rust_test_list holds" in gold_problem({"rust_test_list": given})


@pytest.mark.parametrize(
    "given",
    [
        "not json",
        [3],
        [{}],
        [{"call": "f(1)"}],
        [{"call": "f(1)", "expected": "1", "panics": True}],
        [{"call": "f(1)", "expectd": "1"}],
        [{"call": "f(1)", "expected": "g(1)"}],
        [{"call": "1", "expected": "1"}],
        [{"call": "f(1", "expected": "1"}],
        [{"call": "f(1)", "matches": "Some(x) if x > 3"}],
    ],
)
def test_cases_that_are_none_are_named(given):
    assert "gold_cases holds" in gold_problem({"gold_cases": given})


@pytest.mark.parametrize("columns", [LIST, MODULE, INSIDE, FUNCTIONS, CASES, LOOP, {}, {"rust_test_list": "[]"}])
def test_what_can_be_used_is_no_problem(columns):
    assert gold_problem(columns) == ""


def test_gold_tests_without_a_test_are_a_problem():
    assert "gold_tests holds no #[test]" in gold_problem({"gold_tests": "assert_eq!(add(1, 2), 3);"})


@given(
    st.text() | st.lists(st.sampled_from(["#[cfg(test)] mod a {", "}", "é", "\udcff", '"', "fn f() {}"])).map(" ".join)
)
def test_any_code_can_be_given_gold_tests(code):
    assert gold_run(code, LIST).total == 2
    run = gold_run(code, LOOP)
    assert run is None or run.total == 1
