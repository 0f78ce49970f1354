"""Each disease is found in several histories that have it, and in none that does not: real ones and made ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import pytest

from grpo.watch.finding import Finding, WatchStopped
from grpo.watch.monitors import MAY_BE_INFINITE, WATCHED, findings
from grpo.watch.thresholds import Thresholds
from grpo.watch.watching import EARLY, LATE, RunWatch

LIMITS = Thresholds()
History = list[dict[str, float | None]]


def healthy(steps: int = 100, *, seed: int = 0, **changes: Callable[[int], float | None]) -> History:
    """The quickstart's figures on straight lines, with noise; `changes` replace a metric by a function of the step."""
    draw = random.Random(seed)
    history: History = []
    for step in range(1, steps + 1):
        done = step / steps
        line: dict[str, float | None] = {
            "step": step,
            "policy/ratio_max": 1.0,
            "policy/ratio_mean": 1.0,
            "policy/entropy": 0.21 - 0.10 * done + 0.01 * draw.gauss(0, 1),
            "policy/sampler_gap": 5e-7 * (1 + 0.1 * draw.random()),
            "groups/total": 16.0,
            "groups/zero_std": 0.4 * done * draw.random(),
            "reward/mean": 1.1 + 1.3 * done + 0.15 * draw.gauss(0, 1),
            "check/asserts": 1.8 + 0.7 * done + 0.15 * draw.gauss(0, 1),
            "completion/truncated": 0.02 * draw.random(),
            "memory/trainer": 900 + 200 * (1 - math.exp(-step / 5)) + 5 * draw.random(),
            "memory/workers": 300 + 40 * draw.random(),
            "memory/available": 16_000.0,
        }
        history.append(line | {name.replace("__", "/"): value(step) for name, value in changes.items()})
    return history


def seen(history: History, limits: Thresholds = LIMITS) -> Iterator[Finding]:
    """What is found at any of the steps."""
    for last in range(1, len(history) + 1):
        yield from findings(history[:last], limits)


def first(history: History, name: str, *, stops: bool, limits: Thresholds = LIMITS) -> Finding:
    """The first finding of a name, and of what it does."""
    return next(finding for finding in seen(history, limits) if finding.name == name and finding.stops == stops)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_in_a_healthy_run(seed: int) -> None:
    assert list(seen(healthy(seed=seed))) == []


def test_nothing_is_found_in_a_healthy_run_of_another_kind() -> None:
    """In bfloat16, one batch ahead, half of the groups zero_std and once all of them: as the real model's run."""
    changes = {
        "policy__sampler_gap": lambda step: 4e-4 + 2e-3 * min(1.0, step / 20),
        "policy__entropy": lambda step: 0.095 * 0.99**step,
        "groups__zero_std": lambda step: 1.0 if step == 76 else 0.5,
        "policy__ratio_max": lambda step: 1 + 3 * (step % 7) / 7,
    }
    assert list(seen(healthy(**changes))) == []


@pytest.mark.parametrize(("ratio", "mean", "stops"), [(25, 1.1, False), (4e3, 1.2, True), (90, 6.0, True)])
def test_a_ratio_that_explodes_is_found(ratio: float, mean: float, stops: bool) -> None:
    def late(value: float) -> Callable[[int], float]:
        return lambda step: value if step == 30 else 1.0

    history = healthy(policy__ratio_max=late(ratio), policy__ratio_mean=late(mean))
    found = first(history, "exploding_ratio", stops=stops)
    assert found.step == 30 and found.numbers["policy/ratio_max"] == ratio
    assert f"{ratio:.4g}" in str(found) and "train.lr" in str(found)


@pytest.mark.parametrize(
    ("entropy", "stops"),
    [
        (lambda step: 0.2 * 0.9**step, False),  # a tenth of the first steps' before it is nothing
        (lambda step: 2.0 if step < 40 else 0.15, False),
        (lambda step: 0.2 * 0.8**step, True),
        (lambda step: 0.2 if step < 25 else 2e-4, True),
    ],
)
def test_entropy_that_collapses_is_found(entropy: Callable[[int], float], stops: bool) -> None:
    history = healthy(policy__entropy=entropy)
    found = first(history, "collapsed_entropy", stops=stops)
    assert found.step < 100 and "nats" in str(found)
    if not stops:
        assert entropy(found.step) < 0.1 * entropy(1) * 1.01


def test_a_policy_of_low_entropy_from_the_beginning_is_no_collapse() -> None:
    assert list(seen(healthy(policy__entropy=lambda step: 0.004))) == []


@pytest.mark.parametrize("since", [1, 60])
def test_steps_that_teach_nothing_are_counted_and_stop(since: int) -> None:
    history = healthy(groups__zero_std=lambda step: 1.0 if step >= since else 0.3)
    assert first(history, "nothing_to_learn", stops=False).step == since + 4
    stopping = first(history, "nothing_to_learn", stops=True)
    assert stopping.step == since + 19 and "last 20 steps" in str(stopping)


def test_one_group_that_teaches_starts_the_count_again() -> None:
    history = healthy(groups__zero_std=lambda step: 1.0 if step % 5 else 15 / 16)
    assert list(seen(history)) == []


def test_small_batches_stop_later_since_chance_alone_makes_them_zero_std() -> None:
    history = healthy(groups__zero_std=lambda step: 1.0, groups__total=lambda step: 2.0)
    assert first(history, "nothing_to_learn", stops=True).step == LIMITS.zero_std_groups / 2


@pytest.mark.parametrize("since", [1, 8])
def test_steps_without_any_reward_stop(since: int) -> None:
    history = healthy(20, reward__mean=lambda step: None if step >= since else 1.0)
    assert first(history, "nothing_scored", stops=True).step == since + 2


def test_two_steps_without_any_reward_do_not() -> None:
    history = healthy(20, reward__mean=lambda step: None if step % 3 else 1.0)
    assert not [finding for finding in seen(history) if finding.name == "nothing_scored"]


def by_fives(*values: float) -> Callable[[int], float]:
    """Five steps of each value, and then the last, with the noise of a batch of 64."""
    draw = random.Random(1)
    return lambda step: values[min((step - 1) // 5, len(values) - 1)] + 0.08 * draw.gauss(0, 1)


@pytest.mark.parametrize(
    ("asserts", "reward"),
    [
        (by_fives(2.07, 1.78, 1.27, 1.06), by_fives(1.12, 1.19, 1.20, 1.20)),  # a real run that learned to test less
        (by_fives(3.0, 2.5, 2.0, 1.6, 1.2, 1.0), by_fives(1.0, 1.2, 1.4, 1.6, 1.8, 2.0)),
        (by_fives(2.0, 2.0, 2.0, 2.0, 0.5), by_fives(1.0)),
    ],
)
def test_fewer_asserts_at_the_same_reward_are_found(
    asserts: Callable[[int], float], reward: Callable[[int], float]
) -> None:
    history = healthy(40, check__asserts=asserts, reward__mean=reward)
    found = first(history, "fewer_asserts", stops=False)
    assert found.step < 35 and "testing less" in found.advice


@pytest.mark.parametrize(
    ("asserts", "reward"),
    [
        (by_fives(2.0, 1.5, 1.0), by_fives(1.2, 0.9, 0.6)),  # everything gets worse: another disease
        (by_fives(2.0, 1.9, 1.8, 1.7), by_fives(1.0, 1.5, 2.0)),  # less than a quarter
    ],
)
def test_asserts_that_fall_with_the_reward_or_little_are_not(
    asserts: Callable[[int], float], reward: Callable[[int], float]
) -> None:
    assert list(seen(healthy(40, check__asserts=asserts, reward__mean=reward))) == []


@pytest.mark.parametrize(
    ("gap", "stops"),
    [
        (lambda step: 1e-3 * 1.2**step, False),
        (lambda step: 5e-7 if step < 40 else 0.2, False),
        (lambda step: 5e-7 if step < 40 else 3.0, True),
        (lambda step: 1.5, True),
    ],
)
def test_a_gap_to_the_engine_that_grows_is_found(gap: Callable[[int], float], stops: bool) -> None:
    found = first(healthy(60, policy__sampler_gap=gap), "sampler_gap", stops=stops)
    assert "sync/gap" in found.advice


def test_one_bad_draw_of_the_gap_is_nothing() -> None:
    assert list(seen(healthy(policy__sampler_gap=lambda step: 2.0 if step % 10 == 0 else 5e-7))) == []


@pytest.mark.parametrize("share", [0.96, 1.0])
def test_completions_that_never_end_are_found(share: float) -> None:
    found = first(healthy(completion__truncated=lambda step: share if step > 20 else 0.1), "all_truncated", stops=False)
    assert 23 < found.step <= 28 and "max_completion_tokens" in found.advice


@pytest.mark.parametrize("process", ["trainer", "engine", "workers"])
def test_memory_that_grows_is_found_with_the_steps_that_are_left(process: str) -> None:
    history = healthy(**{f"memory__{process}": lambda step: 1000.0 + 50 * step})
    found = first(history, "growing_memory", stops=False)
    assert f"memory of the {process}" in str(found) and "by 50 MB a step" in str(found)
    assert "enough for 320 steps" in str(found)


@pytest.mark.parametrize(
    "memory",
    [
        lambda step: 1000.0 if step < 50 else 4000.0,  # a step: a longer batch than before
        lambda step: 1000.0 + 3 * step,  # slow: 300 MB in 100 steps
        lambda step: 20_000.0 + 30 * step,  # much of it, but a small part
        lambda step: 1000 + 3000 * abs(math.sin(step / 7)),
    ],
)
def test_memory_that_settles_or_swings_is_not(memory: Callable[[int], float]) -> None:
    assert list(seen(healthy(memory__trainer=memory))) == []


def test_a_metric_that_was_no_number_is_left_out() -> None:
    history = healthy(40)
    for line in history[::3]:
        line["policy/entropy"] = None
        line["policy/ratio_max"] = math.nan
    assert list(seen(history)) == []


@pytest.mark.parametrize("value", [math.inf, -math.inf])
@pytest.mark.parametrize("every", [1, 3])
def test_an_infinite_metric_is_left_out_and_stops_no_monitor(value: float, every: int) -> None:
    for name in WATCHED:
        if name not in (*MAY_BE_INFINITE, "reward/mean"):
            history = healthy(45)
            for line in history[::every]:
                line[name] = value
            assert list(seen(history)) == [], name


def test_rewards_that_are_infinite_now_and_then_are_left_out() -> None:
    history = healthy(45)
    for i, line in enumerate(history[::3]):
        line["reward/mean"] = math.inf if i % 2 else -math.inf
    assert list(seen(history)) == []


@pytest.mark.parametrize("metric", ["policy/ratio_max", "policy/ratio_mean"])
def test_an_infinite_ratio_is_an_exploding_one(metric: str) -> None:
    history = healthy(20)
    history[14][metric] = math.inf
    found = first(history, "exploding_ratio", stops=True)
    assert found.step == 15 and found.numbers[metric] == math.inf and "inf" in str(found)


def test_an_infinite_gap_to_the_engine_stops() -> None:
    history = healthy(20, policy__sampler_gap=lambda step: math.inf if step > 10 else 5e-7)
    assert first(history, "sampler_gap", stops=True).step == 13


# The watch: what stops, and what is said


def fed(history: History) -> tuple[RunWatch, list[str]]:
    watch, said = RunWatch(LIMITS, memory=dict), []
    for line in history:
        metrics = {name: value for name, value in line.items() if name != "step" and value is not None}
        said += [f"{finding.name}@{finding.step}" for finding in watch.after_step(int(line["step"] or 0), metrics)]
    return watch, said


def test_a_warning_is_said_once_until_it_clears() -> None:
    sick = {*range(20, 26), *range(40, 43)}
    _, said = fed(healthy(60, policy__ratio_max=lambda step: 30.0 if step in sick else 1.0))
    assert said == ["exploding_ratio@20", "exploding_ratio@40"]


def test_a_resumed_watch_remembers_what_it_saw_and_said() -> None:
    history = healthy(60, groups__zero_std=lambda step: 1.0 if step > 40 else 0.2)
    whole, said = fed(history[:59])
    assert said == ["nothing_to_learn@45"]
    resumed = RunWatch(LIMITS, memory=dict)
    resumed.begin(history[:59])
    for watch in (whole, resumed):
        with pytest.raises(WatchStopped, match="step 60: in each of the last 20 steps") as caught:
            watch.before_batch(60, {"groups/zero_std": 1.0, "groups/total": 16.0})
        assert caught.value.finding.name == "nothing_to_learn"
        assert watch.after_step(60, {"groups/zero_std": 1.0, "groups/total": 16.0}) == [], "said by the session before"


def test_what_only_warns_does_not_stop() -> None:
    watch, _ = fed(healthy(20))
    watch.before_batch(21, {"groups/zero_std": 1.0, "groups/total": 16.0})
    watch.before_update({"policy/ratio_max": 30.0, "policy/ratio_mean": 1.0})
    with pytest.raises(WatchStopped, match="step 21: the largest importance ratio of a token is 2000"):
        watch.before_update({"policy/ratio_max": 2000.0, "policy/ratio_mean": 1.0})


def test_a_long_run_is_remembered_by_its_first_and_its_last_steps() -> None:
    watch, said = fed(healthy(EARLY + LATE + 50, policy__entropy=lambda step: 0.2 if step < 2 * EARLY else 0.01))
    assert said == [f"collapsed_entropy@{2 * EARLY + 5}"]
    assert len(watch._history) == EARLY + LATE
    assert [watch._history[i]["step"] for i in (0, EARLY - 1, EARLY, -1)] == [1, EARLY, EARLY + 51, EARLY + LATE + 50]
