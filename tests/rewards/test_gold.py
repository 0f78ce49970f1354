"""Gold tests replace the completion's own, whatever its text, and no code of the completion can make them pass."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completions import ADD, module
from rewards.gold import gold_passed, gold_problem, gold_program, has_gold_tests

LIST = {"rust_test_list": ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(0, 0), 0)"]}
MODULE = {
    "gold_tests": "#[cfg(test)]\nmod gold {\n    use super::*;\n"
    "    #[test]\n    fn g() { assert_eq!(add(1, 2), 3); }\n}\n"
}
INSIDE = {"gold_tests": "#[test]\nfn g() { assert_eq!(add(1, 2), 3); }"}
FUNCTIONS = {"rust_test_list": ["#[test]\nfn g() { assert_eq!(add(1, 2), 3); }"]}


@pytest.mark.parametrize(
    "columns", [LIST, MODULE, INSIDE, FUNCTIONS, {"rust_test_list": json.dumps(LIST["rust_test_list"])}]
)
def test_every_form_of_gold_tests_passes_on_right_code_and_fails_on_wrong_code(columns, pool):
    right = gold_program(ADD + module("assert_eq!(add(1, 2), 4);"), columns)
    wrong = gold_program(ADD.replace("+", "-") + module("assert_eq!(add(2, 1), 1);"), columns)
    assert has_gold_tests(columns) and right is not None and wrong is not None
    futures = [pool.submit(program.source, phases=("test",)) for program in (right, wrong)]
    assert gold_passed(right, futures[0].result()) and not gold_passed(wrong, futures[1].result())


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
def test_own_tests_are_cut_out_wherever_they_stand(own):
    program = gold_program(ADD + own + "fn after() {}\n", LIST)
    assert program is not None and "own()" not in program.source and "#[test]\nfn loose" not in program.source
    assert program.source.startswith(ADD) and "fn after() {}\n" in program.source


def test_right_code_passes_gold_tests_though_its_own_tests_lack_cfg(pool):
    program = gold_program(ADD + module("assert_eq!(add(1, 2), 3);").removeprefix("#[cfg(test)]\n"), LIST)
    assert program is not None
    assert gold_passed(program, pool.submit(program.source, phases=("test",)).result())


@pytest.mark.parametrize(
    "columns",
    [{}, {"gold_tests": ""}, {"gold_tests": None}, {"rust_test_list": []}, {"rust_test_list": "[]"}, {"other": "x"}],
)
def test_no_gold_tests_no_program(columns):
    assert gold_program(ADD, columns) is None and not has_gold_tests(columns)


def test_the_completions_own_tests_are_cut_out_at_the_right_bytes():
    code = "// é \udcff 漢\n" + ADD + module("own();") + "fn after() {}\n"
    program = gold_program(code, LIST)
    assert program is not None and program.num_tests == 2
    assert "own()" not in program.source and "mod tests" not in program.source
    assert program.source.startswith("// é ? 漢\n" + ADD) and "\nfn after() {}\n" in program.source


@pytest.mark.parametrize(
    "head",
    [
        "macro_rules! assert_eq {\n    ($a:expr, $b:expr) => {};\n}\n",
        "macro_rules! quiet {\n    ($a:expr, $b:expr) => {};\n}\nuse quiet as assert_eq;\n",
        "mod m {\n    macro_rules! panic {\n        () => {};\n    }\n}\n",
        "struct N;\nimpl PartialEq<i32> for N {\n    fn eq(&self, _: &i32) -> bool {\n        true\n    }\n}\n",
    ],
)
def test_code_that_redefines_an_assert_or_equality_gets_no_program(head):
    assert gold_program(head + ADD, LIST) is None


@pytest.mark.parametrize("given", ["not json", "{}", "3", '"assert!(true)"', 3, [None], ["assert!(true)", " "]])
def test_a_list_that_is_none_is_named(given):
    with pytest.raises(ValueError, match="rust_test_list holds"):
        gold_program(ADD, {"rust_test_list": given})
    assert "rust_test_list holds" in gold_problem({"rust_test_list": given})


@pytest.mark.parametrize("columns", [LIST, MODULE, INSIDE, FUNCTIONS, {}, {"rust_test_list": "[]"}])
def test_what_can_be_used_is_no_problem(columns):
    assert gold_problem(columns) == ""


def test_gold_tests_without_a_test_are_a_problem():
    assert "gold_tests holds no #[test]" in gold_problem({"gold_tests": "assert_eq!(add(1, 2), 3);"})


@given(
    st.text() | st.lists(st.sampled_from(["#[cfg(test)] mod a {", "}", "é", "\udcff", '"', "fn f() {}"])).map(" ".join)
)
def test_any_code_can_be_given_gold_tests(code):
    program = gold_program(code, LIST)
    assert program is None or program.num_tests == 2
