"""A Python task becomes a Rust task with a signature and gold cases, or is left out with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from dataset.rows import RustTask
from dataset.sources import BadRow, PythonTask, read_task
from dataset.translating.calls import LeftOut
from dataset.translating.translate import translate

MBPP = {
    "task_id": 7,
    "text": "Write a python function to join the words of a tuple by using lambda function.",
    "code": "def joinWords(words, sep):\r\n\treturn sep.join(words)",
    "test_list": ["assert joinWords(('a', 'bc'), '-') == 'a-bc'", "assert joinWords((), '-') == ''"],
    "test_setup_code": "",
    "challenge_test_list": ["assert joinWords(('x',), '+') == 'x'"],
}
HUMAN_EVAL = {
    "task_id": "HumanEval/900",
    "prompt": 'from typing import List\n\n\ndef addAll(xs: List[int]) -> bool:\n    """ Is the sum of xs even?\n\n'
    "    Example:\n    >>> addAll([1, 2])\n    False\n    >>> addAll([2])\n    True\n\n    Of no number it is.\n"
    '    """\n',
    "canonical_solution": "    return sum(xs) % 2 == 0\n",
    "entry_point": "addAll",
    "test": "METADATA = {}\n\ndef check(candidate):\n    for n in range(4):\n"
    "        assert candidate([n, n + 1]) == False\n    assert candidate([]), 'none'\n    assert True\n",
}
ACE_CODE = {
    "id": "oss_1",
    "source": "oss",
    "question": "Write a function merge(first, second) that merges two lists.",
    "test_cases": [
        "assert merge([1], [0.5]) == [0.5, 1]",
        "assert merge([], [2]) == [2]",
        "assert merge([], []) == []",
    ],
}
PLAIN = {"prompt": "Write a function to negate.", "test_list": '["assert neg(1) == -1", "assert neg(-2) == 2"]'}


def task(*asserts: str, code: str = "", text: str = "Do it.") -> RustTask:
    return translate(PythonTask("t", "other", text, asserts, code))


def reason(*asserts: str, code: str = "") -> str:
    with pytest.raises(LeftOut) as raised:
        task(*asserts, code=code)
    return str(raised.value)


# Formats


def test_a_row_of_mbpp() -> None:
    found = translate(read_task(MBPP, 0))
    assert found.task_id == "mbpp-7" and found.source == "mbpp"
    assert found.text == "Write a Rust function to join the words of a tuple."
    assert found.signature == "fn join_words(words: &[&str], sep: &str) -> String"
    assert found.prompt == f"{found.text} It has the signature `{found.signature}`."
    assert [case["expected"] for case in found.gold_cases] == ['"a-bc"', '""', '"x"']
    assert found.gold_cases[0]["call"] == 'join_words(&["a", "bc"], "-")'


def test_a_row_of_human_eval() -> None:
    found = translate(read_task(HUMAN_EVAL, 0))
    assert found.task_id == "humaneval-900" and found.source == "humaneval"
    assert found.signature == "fn add_all(xs: &[i32]) -> bool"
    assert found.prompt.split("\n\n") == [
        "Is the sum of xs even?",
        "Example:\n`add_all(&[1, 2])` returns `false`.\n`add_all(&[2])` returns `true`.",
        "Of no number it is.",
        f"It has the signature `{found.signature}`.",
    ]
    assert [case["call"] for case in found.gold_cases[-2:]] == ["add_all(&[3, 4])", "add_all(&[])"]


def test_a_row_of_ace_code_has_no_reference() -> None:
    found = translate(read_task(ACE_CODE, 0))
    assert found.task_id == "acecode-oss_1" and found.source == "acecode"
    assert found.signature == "fn merge(first: &[i32], second: &[f64]) -> Vec<f64>"
    assert found.gold_cases[0]["expected"] == "vec![0.5, 1.0]" and found.gold_cases[0]["relative"] == 1e-6


def test_a_row_with_a_prompt_and_a_list_of_tests() -> None:
    found = translate(read_task(PLAIN, 3))
    assert found.task_id == "3" and found.signature == "fn neg(arg1: i32) -> i32"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"text": "x"}, "no text and asserts"),
        ({"test_list": ["assert f(1)"]}, "no text and asserts"),
        ({"text": "x", "test_list": "not json"}, "test_list is no list"),
        ({"text": "x", "test_list": [3]}, "test_list is no list"),
        ({**MBPP, "test_imports": 5}, "test_imports is no list"),
        ({**MBPP, "code": 5}, "the column code is no text"),
        ({**HUMAN_EVAL, "test": None}, "no text and asserts"),
        ({**MBPP, "text": "half \ud800"}, "half a surrogate pair"),
        ({**MBPP, "task_id": {"a": [1]}}, "neither a number nor a line of text"),
        ({**MBPP, "task_id": "x\n\u202e"}, "neither a number nor a line of text"),
        ({**MBPP, "task_id": True}, "neither a number nor a line of text"),
        ({**HUMAN_EVAL, "prompt": "def addAll(xs):\n"}, "no text and asserts"),
        ({**HUMAN_EVAL, "prompt": "def addAll(xs:\n"}, "no Python"),
        ({**HUMAN_EVAL, "prompt": 'def g(): pass\ndef addAll(xs):\n    """Undo g."""\n'}, "another function"),
    ],
)
def test_a_row_that_is_no_task_says_what_it_lacks(row: dict[str, Any], found: str) -> None:
    with pytest.raises(BadRow, match=found):
        read_task(row, 0)


# Types


def test_what_has_no_translation_has_a_reason() -> None:
    assert reason("assert f(1) == 'a'", "assert f(2) == 3") == "int beside str"
    assert reason("assert f([]) == []", "assert f([]) == []") == "only empty containers"
    assert reason("assert f(1) is None", "assert f(2) is None") == "the result is always None"
    assert reason("assert f(1) == 1j") == "a value of type complex"
    assert reason("assert f(1) == b'a'") == "a value of type bytes"
    assert reason("assert f() == 1") == "a function without parameters"
    assert reason("assert f(1) == 1", "assert f(1, 2) == 2", "assert f(1, 2, 3) == 2") == "calls of different arity"
    assert reason("assert f(1) == 1", "assert f(1) == 2") == "one call with two results"
    assert reason("assert f(1) > 1") == "an assert of another form"
    assert reason("assert 1 == 1") == "no assert calls a function"
    assert reason("assert f(1) ==") == "no assert calls a function"
    assert reason("assert f(1) == 1", "assert (") == "tests that are no Python"
    assert reason("assert f([1]) == '[1]'") == "a result that is a text of a Python list or tuple"
    assert reason("assert f(1,2,3,4,5,6,7,8) == 1") == "more than 7 parameters"


def test_a_reference_that_fails_an_assert_or_raises_leaves_nothing() -> None:
    assert reason("assert f(1) == 3", code="def f(x): return x") == "the reference fails an assert"
    assert reason("assert f(1) == 3", code="def f(x): return y") == "raises NameError"
    assert reason("assert f(1) == 3", code="def g(x): return 3") == "the reference does not define the function"


def test_asserts_of_another_type_than_most_are_dropped_and_counted() -> None:
    found = task("assert f([1]) == 1", "assert f(['a']) == 1", "assert f([2, 3]) == 2", code="def f(x): return len(x)")
    assert found.signature == "fn f(x: &[i32]) -> i32" and len(found.gold_cases) == 2
    assert found.skipped_asserts == {"another type than most asserts": 1}


def test_arguments_by_name_are_bound_and_unused_parameters_go() -> None:
    code = "def f(a, b=2, type=3): return a + type"
    found = task("assert f(1, type=4) == 5", "assert f(2, type=0) == 2", code=code)
    assert found.signature == "fn f(a: i32, type_value: i32) -> i32" and found.gold_cases[0]["call"] == "f(1, 4)"


def test_what_the_reference_returns_counts_and_an_integer_stays_one() -> None:
    exact = task("assert f(1) == 0.33", "assert f(2) == 0.67", code="def f(x): return round(x / 3, 2)")
    assert exact.gold_cases[0] == {"call": "f(1)", "expected": "0.33", "tolerance": 1e-12, "relative": 1e-6}
    whole = task("assert f(2) == 1", "assert f(4) == 2", code="def f(x): return x / 2")
    assert whole.signature == "fn f(x: i32) -> i32" and whole.gold_cases[1]["expected"] == "2"


def test_calls_that_are_one_in_rust_are_one_or_leave_nothing() -> None:
    found = reason("assert f(1)", "assert not f(1.0)", "assert not f(2.5)")
    assert found == "calls that differ in Python alone, as f(1) and f(1.0)"
    once = task(
        "assert f([1, 2], 1) == 1",
        "assert f((1, 2), 1.0) == 1",
        "assert f([1], 0.5) == 0",
        code="def f(a, b): return int(b)",
    )
    assert [case["call"] for case in once.gold_cases] == ["f(&[1, 2], 1.0)", "f(&[1], 0.5)"]


def test_a_tolerance_comes_from_the_assert() -> None:
    found = task("assert abs(f(1) - 1.5) < 0.01", "assert math.isclose(f(2), 2.5, rel_tol=0.1)")
    assert [(case["tolerance"], case["relative"]) for case in found.gold_cases] == [(0.01, 1e-6), (1e-12, 0.1)]


def test_an_order_that_only_sets_or_maps_decide_is_said_or_does_not_count() -> None:
    code = "def f(xs): return list(set(xs))"
    ascending = task("assert f([2, 1]) == [1, 2]", "assert f([4, 3, 3]) == [3, 4]", code=code)
    assert "The result is in ascending order." in ascending.prompt and "-> Vec<i32>" in ascending.signature
    code = "def f(d): return list(d)"
    keys = task("assert f({2: 'a', 1: 'b'}) == [2, 1]", "assert f({3: 'c'}) == [3]", code=code)
    assert "-> HashSet<i32>" in keys.signature and keys.gold_cases[0]["expected"] == "HashSet::from([1, 2])"
    code = "def f(d): return ','.join(d)"
    assert reason("assert f({'b': 1, 'a': 2}) == 'b,a'", code=code).startswith("a result that depends on the order")
    twice = "def f(xs): return 2 * list(set(xs))"
    assert reason("assert f([1, 2]) == [1, 2, 1, 2]", code=twice).startswith("a result that depends on the order")
    sums = task("assert f({2: 1, 1: 2}) == 3", "assert f({1: 1}) == 1", code="def f(d): return sum(set(d.values()))")
    assert sums.signature == "fn f(d: &HashMap<i32, i32>) -> i32"


def test_sorted_around_the_call_is_said() -> None:
    found = task(
        "assert sorted(f(3)) == [1, 2]", "assert sorted(f(2)) == [1]", code="def f(n): return range(n - 1, 0, -1)"
    )
    assert found.gold_cases[0]["expected"] == "vec![1, 2]" and "ascending" in found.text


def test_names_of_rust_replace_those_of_python() -> None:
    found = task(
        "assert maxOf([1]) == 1", "assert maxOf([2]) == 2", code="def maxOf(L): return max(L)", text="Do maxOf."
    )
    assert found.text == "Do max_of." and found.signature == "fn max_of(l: &[i32]) -> i32"


def test_names_with_other_letters_become_ascii_or_leave_the_task_out() -> None:
    found = task(
        "assert größe(1) == 2", "assert größe(2) == 3", code="def größe(é): return é + 1", text="Write größe(é)."
    )
    assert found.signature == "fn grosse(e: i32) -> i32" and found.gold_cases[0]["call"] == "grosse(1)"
    assert found.text == "Write grosse(é)."
    no_form = "a name with letters that ASCII has no form of"
    assert reason("assert λ(1) == 2", "assert λ(2) == 3") == no_form
    assert reason("assert f(1) == 2", "assert f(2) == 3", code="def f(λ): return λ + 1") == no_form


# Examples


@pytest.mark.parametrize(
    ("python", "rust"),
    [
        ("f([1, 2]) == 3", "`f(&[1, 2])` returns `3`."),
        ("  * f([]) ==> 0", "`f(&[])` returns `0`."),
        ("f([5]) ➞ 5  # five", "`f(&[5])` returns `5`."),
        (">>> f([5]) == 5", "`f(&[5])` returns `5`."),
        ("for f([5]) = 5", "`f(&[5])` returns `5`."),
        (">>> f([5, 6])\n11", "`f(&[5, 6])` returns `11`."),
        (">>> f([5, 6])\nabc", ">>> f([5, 6])\nabc"),
        ("f([1]) returns 1 since it is alone", "f([1]) returns 1 since it is alone."),
        ("f(xs) == 3", "f(xs) == 3."),
        ("f([1], 2) == 3", "f([1], 2) == 3."),
        ("f([1]) == 'a'", "f([1]) == 'a'."),
        ("g(f([1])) == 1", "g(f([1])) == 1."),
    ],
)
def test_examples_become_rust_where_they_are_calls_with_values(python: str, rust: str) -> None:
    found = task("assert f([1, 2]) == 3", "assert f([]) == 0", code="def f(xs): return sum(xs)", text=python)
    assert found.text.removeprefix("* ") == rust


def test_words_within_an_example_stay() -> None:
    text = "Say True.\n>>> f('True  dict .')\nTrue"
    found = task("assert f('a')", "assert not f('')", code="def f(s): return bool(s)", text=text)
    assert found.text == 'Say true.\n`f("True  dict .")` returns `true`.'


@pytest.mark.parametrize(
    ("text", "asserts"),
    [
        ("f(['a']) == 3", ("f([1]) == 1", "f([]) == 0")),
        ("Double it.\n>>> f(3000000000)\n6000000000", ("f(1) == 1", "f(2) == 2")),
        ("f('2,3') ==> '2,3'", ("f(1) == 1", "f(2) == 2")),
        ("f(1) ==> 3000000000", ("f(1) == 1", "f(2) == 2")),
        ("The next letter: f('ab')\nf('ab') ==> 'b'", ("f('a') == 'b'", "f('b') == 'c'")),
        ("f(9007199254740993) == 1", ("f(0.5) == 1", "f(1) == 2")),
    ],
)
def test_an_example_that_the_types_do_not_hold_leaves_the_task_out(text: str, asserts: tuple[str, ...]) -> None:
    with pytest.raises(LeftOut, match="an example in the text that the types do not hold"):
        task(*(f"assert {one}" for one in asserts), text=text)


def test_a_check_may_name_its_parameter_as_it_wants() -> None:
    check = HUMAN_EVAL["test"].replace("candidate", "c")
    assert len(translate(read_task({**HUMAN_EVAL, "test": check}, 0)).gold_cases) == 5
