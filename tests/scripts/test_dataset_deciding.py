"""A gold case says what the arguments decide: not order, earlier calls, chance, or what only Python tells apart."""

from __future__ import annotations

import pytest

from dataset.rows import RustTask
from dataset.sources import PythonTask
from dataset.translating.calls import ORDER_DECIDES, UNDECIDED, LeftOut
from dataset.translating.joined import nearly_equal
from dataset.translating.translate import CONSTANT, TOLD_APART, translate


def task(code: str, *asserts: str, setup: str = "", text: str = "Do it.") -> RustTask:
    return translate(PythonTask("t", "other", text, asserts, code, setup))


def reason(code: str, *asserts: str, setup: str = "") -> str:
    with pytest.raises(LeftOut) as raised:
        task(code, *asserts, setup=setup)
    return str(raised.value)


def three(body: str, *pairs: tuple[str, str], setup: str = "") -> str:
    """Why a function of `x` is left out, with asserts of an argument and its result each."""
    return reason(f"def f(x):\n    return {body}", *(f"assert f({one}) == {two}" for one, two in pairs), setup=setup)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("list(x)[len(x) // 2]", [("{'a': 1, 'b': 2, 'c': 3}", "'b'"), ("{'x': 1}", "'x'")]),
        ("next(iter(x))", [("OrderedDict([('b', 1), ('a', 2)])", "'b'"), ("OrderedDict(z=1, y=2)", "'z'")]),
        ("next(iter(x))", [("defaultdict(int, {'b': 1, 'a': 2})", "'b'"), ("defaultdict(int, z=1)", "'z'")]),
        ("''.join(x[0])", [("[OrderedDict([('b', 1), ('a', 2)])]", "'ba'"), ("[{'c': 1}]", "'c'")]),
        ("next(iter(x))", [("frozenset([3, 1, 2])", "1"), ("frozenset([5, 4])", "4")]),
        ("set(x).pop()", [("[3, 1, 2]", "1"), ("[9, 4]", "9"), ("[33, 1]", "33")]),
        ("list({y % 10 for y in x})[0]", [("[19, 8]", "8"), ("[25, 13]", "3")]),
        ("list({x[0], x[1]})[0]", [("[2, 1]", "1"), ("[4, 3]", "3")]),
        ("list(frozenset(x))[0]", [("[2, 1]", "1"), ("[4, 3]", "3")]),
        ("list(dict.fromkeys(x).keys() & {1, 2, 3, 4})[0]", [("[2, 1]", "1"), ("[4, 3]", "3")]),
        ("list(set(x).union([1]))[0]", [("[2, 1]", "1"), ("[4, 3]", "1"), ("[7, 0]", "0")]),
        ("list({0} | set(x))[-1]", [("[2, 1]", "2"), ("[4, 3]", "4")]),
    ],
)
def test_a_result_that_an_order_decides_leaves_the_task_out(body: str, pairs: list[tuple[str, str]]) -> None:
    setup = "from collections import OrderedDict, defaultdict"
    assert three(body, *pairs, setup=setup) == ORDER_DECIDES


def test_what_does_not_depend_on_an_order_stays() -> None:
    code = "def f(x):\n    s = {y for y in x} - {0}\n    s.add(9)\n    while len(s) > 1:\n        s.remove(min(s))\n"
    found = task(f"{code}    return s.pop() - len(repr({{1}}))", "assert f([1, 11]) == 8", "assert f([1]) == 6")
    assert [case["expected"] for case in found.gold_cases] == ["8", "6"]
    close = "assert math.isclose(f({1: .1, 2: .2, 3: .3}), .6)"
    sums = task("def f(d): return sum({*d.values()})", close, "assert f({1: 2.5}) == 2.5")
    assert len(sums.gold_cases) == 2


@pytest.mark.parametrize(
    ("code", "asserts"),
    [
        ("def f(x, acc=[]):\n    acc.append(x)\n    return acc[:]", ["f(1) == [1]", "f(2) == [1, 2]"]),
        ("n = 0\ndef f(x):\n    global n\n    n += x\n    return n", ["f(1) == 1", "f(2) == 3"]),
        ("seen = {}\ndef f(s): return seen.setdefault(s, len(seen))", ["f('a') == 0", "f('b') == 1"]),
        ("import random\ndef f(x): return random.randint(1, x)", ["f(900) == 865", "f(901) == 395"]),
        (
            "import random\ndef f(x):\n    random.seed(3)\n    return random.randint(1, x)",
            ["f(900) == 244", "f(1900) == 488"],
        ),
        (
            "import random\ndef f(x): return random.Random(5).randint(1, x)",
            ["f(900) == 638", "f(1900) == 1276"],
        ),
        ("def f(x, y): return x is y", ["f(1, 1) == True", "f(1000, int('1000')) == False", "f(2, 3) == False"]),
        ("def f(x): return x.popitem(last=False)[0]", ["f(OrderedDict(a=1)) == 'a'", "f(OrderedDict(b=1)) == 'b'"]),
    ],
)
def test_a_result_that_more_than_its_arguments_decide_leaves_the_task_out(code: str, asserts: list[str]) -> None:
    tests = [f"assert {one}" for one in asserts]
    assert reason(code, *tests, setup="from collections import OrderedDict") == UNDECIDED


def test_a_result_in_a_random_order_is_a_set() -> None:
    code = "import random\ndef f(x):\n    random.shuffle(x)\n    return x"
    found = task(code, "assert set(f([1, 2, 3, 4, 5, 6])) == {1, 2, 3, 4, 5, 6}", "assert set(f([7])) == {7}")
    assert "-> HashSet<i32>" in found.signature


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("isinstance(x, int)", [("1", "True"), ("2.0", "False"), ("3.5", "False")]),
        ("str(x)", [("1", "'1'"), ("2.0", "'2.0'"), ("2.5", "'2.5'")]),
        ("str(sum(x))", [("[1, 2]", "'3'"), ("[1.5, 2.5]", "'4.0'")]),
        ("isinstance(x, tuple)", [("(1, 2, 3, 4)", "True"), ("[1, 3]", "False")]),
        ("[isinstance(y, tuple) for y in x]", [("[(1,), [1, 3]]", "[True, False]"), ("[]", "[]")]),
        ("[type(y) is int for y in x.values()]", [("{1: 2}", "[True]"), ("{1: 2.5}", "[False]")]),
        ("None if x is None else type(x) is int", [("1", "True"), ("2.5", "False"), ("None", "None")]),
    ],
)
def test_a_reference_that_tells_apart_what_the_type_joins_leaves_the_task_out(
    body: str, pairs: list[tuple[str, str]]
) -> None:
    assert three(body, *pairs) == TOLD_APART


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("x * 2", [("1", "2"), ("2.5", "5.0")]),
        ("len(set(x))", [("[(1,), (1, 2), (1,)]", "2"), ("[]", "0")]),  # tuples of two lengths; a list has no hash
        ("len({tuple(y) for y in x})", [("[(1,), [1, 2], (1,)]", "2"), ("[[2]]", "1"), ("[]", "0")]),
        ("x[0] + (9,)", [("[(1, 2, 3, 4), [5]]", "(1, 2, 3, 4, 9)"), ("[(1,), (6,)]", "(1, 9)")]),
    ],
)
def test_a_reference_that_does_not_tell_them_apart_stays(body: str, pairs: list[tuple[str, str]]) -> None:
    found = task(f"def f(x):\n    return {body}", *(f"assert f({one}) == {two}" for one, two in pairs))
    assert len(found.gold_cases) == len(pairs)


def test_arguments_by_name_are_given_so_when_a_call_is_made_again() -> None:
    found = task("def f(a, *, b): return a + b", "assert f(1, b=2) == 3", "assert f(1.5, b=2.5) == 4")
    assert [case["expected"] for case in found.gold_cases] == ["3", "4"]


def test_an_integer_that_no_float_holds_does_not_become_one() -> None:
    odd = [("9007199254740993", "True"), ("0.5", "False")]
    assert three("x % 2 == 1", *odd) == "an integer that no float holds beside floats"
    assert task("def f(x): return x * 1.5", "assert f(2**60) == 1.5 * 2**60", "assert f(0.5) == 0.75").gold_cases


def test_a_task_that_a_constant_solves_is_left_out() -> None:
    assert three("True", ("1", "True"), ("2", "True")) == CONSTANT
    assert three("x", ("1", "1")) == CONSTANT


# Floats


def test_floats_near_zero_leave_the_task_out() -> None:
    near = "a float that is too close to zero"
    assert three("6.67e-11 * x", ("1.0", "6.67e-11"), ("2.0", "1.334e-10")) == near
    tests = ["assert math.isclose(f(1.0), 6.6e-34)", "assert math.isclose(f(2.0), 1.32e-33)"]
    assert reason("def f(x): return 6.6e-34 * x", *tests) == near
    assert task("def f(x): return x - 1", "assert f(1.0) == 0.0", "assert f(2.5) == 1.5").gold_cases


def test_the_tolerance_is_a_part_of_each_float() -> None:
    found = task("def f(m): return [m, m * 1e10]", "assert f(1.0) == [1.0, 1e10]", "assert f(2.0) == [2.0, 2e10]")
    assert found.gold_cases[0]["tolerance"] == 1e-12 and found.gold_cases[0]["relative"] == 1e-6


def test_results_are_compared_as_rust_would() -> None:
    assert nearly_equal([0.1 + 0.2], [0.3]) and not nearly_equal(1.0, 1.0001) and nearly_equal(0.0, 5.5e-17)
    assert nearly_equal((1, 2.0), [1.0, 2]) and not nearly_equal([1], [1, 2])
    assert nearly_equal({1: 0.3}, {1: 0.1 + 0.2}) and not nearly_equal({1: 1}, {2: 1})
    assert not nearly_equal(True, 1) and not nearly_equal(1.0, True) and not nearly_equal(None, 0)
