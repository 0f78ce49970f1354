"""Ten updates give the numbers they gave yesterday, and the same bits twice in a row."""

import json
import math

import pytest

from golden import STEPS, TRACE, trace

RTOL = 1e-9  # float64, one thread: machines differ in the order of sums only


@pytest.fixture(scope="module")
def today() -> list[dict[str, float]]:
    return trace()


def differences(found: list[dict[str, float]], expected: list[dict[str, float]], rtol: float) -> list[str]:
    """Which numbers are not the expected ones."""
    return [
        f"step {step} {name}: {one[name]!r} and not {other[name]!r}"
        for step, (one, other) in enumerate(zip(found, expected, strict=True))
        for name in other
        if not math.isclose(one[name], other[name], rel_tol=rtol, abs_tol=rtol * 1e-3)
    ]


def test_the_trace_is_the_golden_one(today: list[dict[str, float]]) -> None:
    golden = json.loads(TRACE.read_text())
    assert len(golden) == STEPS and all(line.keys() == today[0].keys() for line in golden)
    assert differences(today, golden, RTOL) == [], "a change that is meant: python tests/grpo/golden.py"


def test_two_runs_on_one_machine_are_equal_to_the_bit(today: list[dict[str, float]]) -> None:
    assert trace() == today


def test_the_trace_sees_a_change_of_one_part_in_ten_million(
    today: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpo.advantages.STD_EPSILON", 1.001e-4)
    assert differences(trace(), today, RTOL)


def test_the_trace_does_what_training_does(today: list[dict[str, float]]) -> None:
    assert today[-1]["optim/updates"] == 2 * STEPS
    assert any(line["policy/clipped_low"] + line["policy/clipped_high"] > 0 for line in today)
    assert any(line["policy/ratio_max"] > 1.01 for line in today) and today[-1]["kl/reference"] > 0
