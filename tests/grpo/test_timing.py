"""Busy seconds add up while something runs; idle shares are what is left of a step."""

import time

import pytest

from grpo.timing import BusyClock, StepTimer


def test_a_clock_counts_what_is_running_and_stops_after_it() -> None:
    clock = BusyClock()
    with clock.running():
        time.sleep(0.02)
        inside = clock.seconds
    assert 0.02 <= inside <= clock.seconds
    before = clock.seconds
    time.sleep(0.01)
    assert clock.seconds == before
    with clock.running():
        time.sleep(0.01)
    assert clock.seconds >= before + 0.01


def test_a_clock_counts_what_ends_in_an_error() -> None:
    clock = BusyClock()
    with pytest.raises(ValueError), clock.running():
        time.sleep(0.01)
        raise ValueError
    assert clock.seconds >= 0.01


def test_a_step_counts_only_what_was_busy_since_it_began() -> None:
    busy = {"engine": 5.0, "sandbox": 7.0, "trainer": 1.0}
    timer = StepTimer({name: lambda name=name: busy[name] for name in busy})
    time.sleep(0.05)
    busy["trainer"] += 0.02
    busy["engine"] += 60.0  # a sampler beside the trainer reports more than the step took
    metrics = timer.metrics()
    assert metrics["time/train"] == pytest.approx(0.02) and metrics["time/sandbox"] == 0.0
    assert metrics["idle/sandbox"] == 1.0 and metrics["idle/engine"] == 0.0
    assert metrics["idle/trainer"] == pytest.approx(1 - 0.02 / metrics["time/step"])
