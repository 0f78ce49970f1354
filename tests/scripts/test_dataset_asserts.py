"""Asserts are read by their form, and what they call is recorded by running the reference."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dataset.translating.asserts import Form, first_called, instrument
from dataset.translating.reference import AS_GIVEN, ORDERS, Observed, ReferenceFailed, observe, repeat

SCRIPTS = str(Path(__file__).resolve().parents[2] / "scripts")
DOUBLE = "def f(x, y=0):\n    return 2 * x + y"


def observed(tests: str, reference: str = DOUBLE, **settings: bool) -> list[Observed]:
    return observe(instrument(tests, "f"), name="f", reference=reference, **settings)


@pytest.mark.parametrize(
    ("test", "form"),
    [
        ("assert f(1) == 2", Form("equal")),
        ("assert 2 == f(1)", Form("equal")),
        ("assert (f(1) == 2), 'message'", Form("equal")),
        ("assert f(1) is None", Form("equal")),
        ("assert f(1)", Form("true")),
        ("assert bool(f(1))", Form("true")),
        ("assert not f(0)", Form("false")),
        ("assert set(f(1)) == {1}", Form("equal", "set")),
        ("assert sorted(f(1)) == [1]", Form("equal", "sorted")),
        ("assert list(f(1)) == [1]", Form("equal", "list")),
        ("assert math.isclose(f(1), 2)", Form("close", relative=1e-9)),
        ("assert math.isclose(f(1), 2, rel_tol=0.5)", Form("close", relative=0.5)),
        ("assert isclose(2, f(1), rel_tol=0, abs_tol=0.25)", Form("close", absolute=0.25)),
        ("assert abs(f(1) - 2) < 1e-6", Form("close", absolute=1e-6)),
        ("assert math.fabs(2 - f(1)) <= 0.5", Form("close", absolute=0.5)),
        ("assert f(1) == approx(2, abs=0.5)", Form("close", relative=1e-9, absolute=0.5)),
    ],
)
def test_every_form_is_known(test: str, form: Form) -> None:
    found = instrument(test, "f")
    assert found.forms == (form,) and found.num_other == 0


@pytest.mark.parametrize(
    "test",
    ["assert f(1) > 2", "assert f(1) != 2", "assert f(1) in (1, 2)", "assert f(1) == f(2)", "assert len(f(1)) == 2",
     "assert f(1)[0] == 1", "assert f(1).x == 1", "assert g(1) == 2", "assert abs(f(1)) < 3"],
)  # fmt: skip
def test_other_forms_are_counted(test: str) -> None:
    found = instrument(test, "f")
    assert found.forms == () and found.num_other == 1


def test_an_assert_of_two_is_two_and_one_about_nothing_is_none() -> None:
    found = instrument("assert f(1) == 2 and f(2) == 4\nassert True, 'good'", "f")
    assert len(found.forms) == 2 and found.num_other == 0


def test_the_function_is_the_first_that_is_called() -> None:
    assert first_called(["assert math.isclose(area(1), 2)"]) == "area"
    assert first_called(["assert True", "no python (", "assert set(f(1)) == set(g(2))"]) == "f"
    assert first_called(["assert 1 == 1"]) == ""


def test_the_reference_says_what_a_call_returns_and_whether_the_assert_holds() -> None:
    found = observed("assert f(2) == 4\nassert f(2) == 5\nassert f(1, y=3) == 5\nassert f('a') == 1\nassert f(1j)")
    assert [(one.args, one.result, one.holds) for one in found[:3]] == [
        ((2,), 4, True),
        ((2,), 4, False),
        ((1,), 5, True),
    ]
    assert found[2].keywords == {"y": 3}
    assert [one.fault for one in found[3:]] == ["raises TypeError", "a value of type complex"]


def test_loops_and_variables_of_a_check_are_run() -> None:
    check = "def check(candidate):\n    for n in range(3):\n        d = 2 * n\n        assert candidate(n) == d\n"
    found = observe(instrument(check, "candidate"), name="f", reference=DOUBLE, has_check=True)
    assert [(one.args, one.other, one.holds) for one in found] == [((0,), 0, True), ((1,), 2, True), ((2,), 4, True)]


def test_arguments_are_recorded_before_the_call_changes_them() -> None:
    (found,) = observed("assert f([2, 1]) == [1, 2]", "def f(x):\n    x.sort()\n    return x")
    assert found.args == ([2, 1],) and found.result == [1, 2]


def test_without_a_reference_the_assert_says_what_is_expected() -> None:
    found = observed("assert f([1] * 2) == 3\nassert not f([])", "")
    assert [(one.args, one.expected, one.holds) for one in found] == [(([1, 1],), 3, None), (([],), False, None)]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("def f(x):\n    while True:\n        pass", "too much time or memory"),
        ("def f(x):\n    return [0] * 10**10", None),
        ("def g(x):\n    return 1", "does not define the function"),
        ("import nothing_of_this_name", "raise ModuleNotFoundError"),
        ("raise ValueError('x')", "raise ValueError"),
        ("def f(x): return (", "raise SyntaxError"),
        ("import sys\nsys.exit(0)", "raise SystemExit"),
        ("import os\nos._exit(0)", "the reference ends its process"),
    ],
)
def test_a_reference_that_does_not_run_has_a_reason(reference: str, reason: str | None, monkeypatch) -> None:
    monkeypatch.setattr("dataset.translating.reference.CPU_S", 1)
    if reason is None:
        assert observed("assert f(1)", reference)[0].fault == "raises MemoryError"
    else:
        with pytest.raises(ReferenceFailed, match=reason):
            observed("assert f(1)", reference)


@pytest.mark.parametrize(
    "deed",
    ["open('made', 'w')", "__import__('os').system('true')", "__import__('subprocess').run(['true'])",
     "__import__('socket').socket()", "__import__('os').remove('x')", "__import__('os').open('made', 65)",
     "__import__('sqlite3').connect('made')", "__import__('os').symlink('x', 'made')", "open('made', 'ab')"],
)  # fmt: skip
def test_a_reference_may_not_write_start_programs_or_open_sockets(deed: str) -> None:
    (found,) = observed("assert f(1)", f"def f(x):\n    {deed}\n    return True")
    assert found.fault == "raises PermissionError"


def test_long_values_are_no_cases() -> None:
    found = observed("assert f([0] * 2001) == 1\nassert f('a' * 2000) == 1", "def f(x):\n    return 1")
    assert [one.fault for one in found] == ["a value of type list of more than 2000 elements", ""]


@pytest.mark.parametrize("output", ["print('{}')", "__import__('sys').__stdout__.write('{}')", "os.write(1, b'{}')"])
def test_what_a_reference_prints_is_no_record(output: str) -> None:
    (found,) = observed("assert f(1)", f"import os\ndef f(x):\n    {output}\n    return True")
    assert found.result is True


def test_no_file_grows_even_where_the_audit_hook_sees_nothing(tmp_path: Path) -> None:
    program = f"import sys; sys.path.insert(0, {SCRIPTS!r})\n"
    program += "from dataset.translating import recorder; recorder.guard = lambda *_: None; recorder.main()"
    deed = "def f(x):\n    with open('made', 'wb', 0) as file:\n        file.write(b'x')\n    return True"
    asked = {"reference": deed, "setup": "", "name": "f", "tests": instrument("assert f(1)", "f").program}
    asked |= {"has_check": False, "worlds": [], "most_cases": 1, "cpu_s": 5, "memory_mb": 1024, "alarm_s": 60}
    found = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(asked), capture_output=True, text=True, cwd=tmp_path
    )
    assert "'raised': 'OSError'" in found.stdout and (tmp_path / "made").read_bytes() == b""


def test_a_call_is_made_again_alone_and_with_sets_and_maps_in_other_orders() -> None:
    code = "n = 0\ndef f(d):\n    global n\n    n += 1\n    return [n, list(d) + list(set(d))]"
    first, second = observed("assert f({1: 2, 3: 4, 4: 4})\nassert f({2: 2})", code)
    assert (first.result, second.result, second.alone.result) == ([1, [1, 3, 4] * 2], [2, [2, 2]], [1, [2, 2]])
    calls = [(first.args, first.keywords)]
    orders = [world[0].result[1] for world in repeat(calls, ORDERS, name="f", reference=code)]
    assert orders[:2] == [[4, 3, 1] * 2, [3, 4, 1] * 2] and sorted(orders[2][:3]) == [1, 3, 4]
    assert repeat(calls, AS_GIVEN, name="f", reference=code)[0][0].result == [1, [1, 3, 4] * 2]
