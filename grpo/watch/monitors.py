"""What can be wrong with a run, by its metrics: pure functions from the steps so far to a finding, or none.

Each takes the metrics of all steps, oldest first, the last one being asked about and perhaps not complete yet: a
monitor whose metric the last step lacks says nothing. A metric that is None or NaN was not a number when it was logged,
and neither is an infinite one, except where being infinite is the disease: a ratio, and the gap to the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median, variance

from grpo.watch.finding import Finding
from grpo.watch.thresholds import Thresholds

__all__ = ["MONITORS", "Steps", "WATCHED", "findings"]

Steps = Sequence[Mapping[str, float | None]]  # metrics with their "step", as `metrics.jsonl` has them
Monitor = Callable[[Steps, Thresholds], Finding | None]
RATIO, RATIO_MEAN, ENTROPY = "policy/ratio_max", "policy/ratio_mean", "policy/entropy"
ZERO_STD, GROUPS, REWARD, ASSERTS = "groups/zero_std", "groups/total", "reward/mean", "check/asserts"
GAP, TRUNCATED, AVAILABLE = "policy/sampler_gap", "completion/truncated", "memory/available"
MEMORY = ("memory/trainer", "memory/engine", "memory/workers")
WATCHED = (RATIO, RATIO_MEAN, ENTROPY, ZERO_STD, GROUPS, REWARD, ASSERTS, GAP, TRUNCATED, AVAILABLE, *MEMORY)
MAY_BE_INFINITE = (RATIO, RATIO_MEAN, GAP)
RATE = "Lower train.lr, num_iterations or num_minibatches, then go on from the last checkpoint"


def findings(steps: Steps, thresholds: Thresholds) -> list[Finding]:
    """What is wrong at the last of the steps, those that stop a run first."""
    found = [finding for monitor in MONITORS if (finding := monitor(steps, thresholds)) is not None]
    return sorted(found, key=lambda finding: not finding.stops)


def exploding_ratio(steps: Steps, t: Thresholds) -> Finding | None:
    """The policy moved away from the one that the batch's log-probs are of; stops."""
    largest, mean = _value(steps[-1], RATIO), _value(steps[-1], RATIO_MEAN)
    stops = largest > t.max_ratio or mean > t.max_ratio_mean
    if not stops and not largest > t.warn_ratio:
        return None
    what = f"the largest importance ratio of a token is {largest:.4g} (watch.max_ratio = {t.max_ratio:g})"
    what += f" and the mean {mean:.4g} (1 is expected)" if not math.isnan(mean) else ""
    return _finding("exploding_ratio", steps, what, RATE, (RATIO, RATIO_MEAN), stops=stops)


def collapsed_entropy(steps: Steps, t: Thresholds) -> Finding | None:
    """The policy writes one completion to each prompt; stops below `min_entropy`, warns far below the first steps."""
    entropies = _known(steps, ENTROPY)
    if not _has(steps[-1], ENTROPY) or len(entropies) < t.entropy_steps:
        return None
    recent = entropies[-t.entropy_steps :]
    stops = max(recent) < t.min_entropy
    early = median(entropies[: t.entropy_steps])
    if not stops and (len(entropies) < 2 * t.entropy_steps or median(recent) >= t.warn_entropy_share * early):
        return None
    what = (
        f"the policy's entropy is {median(recent):.2g} nats a token over {len(recent)} steps, {early:.2g} in the first "
        f"ones (watch.min_entropy = {t.min_entropy:g})"
    )
    advice = (
        "Completions of a group are hardly different, which teaches nothing: lower train.lr, raise loss.clip_high or "
        "loss.entropy_coefficient, or end the run here"
    )
    return _finding("collapsed_entropy", steps, what, advice, (ENTROPY,), stops=stops)


def nothing_to_learn(steps: Steps, t: Thresholds) -> Finding | None:
    """All groups of step after step are zero_std; stops after many."""
    if not _has(steps[-1], ZERO_STD):
        return None
    count, groups = 0, 0.0
    for step in reversed(steps):
        if not _value(step, ZERO_STD) >= 1:
            break
        count, groups = count + 1, groups + max(0.0, _value(step, GROUPS))
    stops = count >= t.max_zero_std_steps and groups >= t.zero_std_groups
    if count < t.warn_zero_std_steps:
        return None
    what = (
        f"in each of the last {count} steps all groups ({groups:.0f} together) have equal rewards, which teaches "
        f"nothing (watch.max_zero_std_steps = {t.max_zero_std_steps})"
    )
    advice = (
        "Where all completions solve their prompts the run is done; else take easier prompts, a larger "
        "sampling.group_size, or pay for a part of the task"
    )
    return _finding("nothing_to_learn", steps, what, advice, (ZERO_STD, GROUPS, REWARD), stops=stops)


def nothing_scored(steps: Steps, t: Thresholds) -> Finding | None:
    """Step after step no completion has a reward, because none applies; stops."""
    last = steps[-t.unscored_steps :]
    if not _has(steps[-1], ZERO_STD) or len(last) < t.unscored_steps or any(_has(step, REWARD) for step in last):
        return None
    what = f"no completion of the last {t.unscored_steps} steps has a reward"
    advice = "No reward of rewards.weights applies to them: completions.jsonl has their verdicts"
    return _finding("nothing_scored", steps, what, advice, (GROUPS,), stops=True)


def fewer_asserts(steps: Steps, t: Thresholds) -> Finding | None:
    """Completions test less while they are paid as much or more: the model learns to pass by testing less; warns."""
    known = [step for step in steps if _has(step, ASSERTS) and _has(step, REWARD)]
    if not _has(steps[-1], ASSERTS) or len(known) < 2 * t.window:
        return None
    first, last = known[: t.window], known[-t.window :]
    (asserts, before), error = _means(first, last, ASSERTS)
    (reward, reward_before), reward_error = _means(first, last, REWARD)
    fell = asserts < (1 - t.asserts_fall) * before and before - asserts > t.standard_errors * error
    if not fell or reward < reward_before - reward_error:
        return None
    what = (
        f"completions have {asserts:.2f} asserts over {t.window} steps, {before:.2f} in the first {t.window}, and "
        f"their reward went from {reward_before:.2f} to {reward:.2f}"
    )
    advice = (
        "The model learns to pass by testing less: pay for strict passes by their asserts (cargo_test_thorough), or "
        "try loss.advantages=none"
    )
    return _finding("fewer_asserts", steps, what, advice, (ASSERTS, REWARD))


def sampler_gap(steps: Steps, t: Thresholds) -> Finding | None:
    """The engine's log-probs part from the trainer's; stops where it samples from another policy."""
    gaps = _known(steps, GAP)
    if not _has(steps[-1], GAP) or len(gaps) < t.gap_steps:
        return None
    stops = min(gaps[-t.gap_steps :]) > t.max_sampler_gap
    recent, early = median(gaps[-t.window :]), median(gaps[: 2 * t.window])
    grew = len(gaps) >= 3 * t.window and recent > max(t.warn_gap, t.warn_gap_growth * early)
    if not stops and not grew:
        return None
    what = (
        f"trainer and engine differ by {recent:.3g} nats a token, {early:.3g} in the first steps "
        f"(watch.max_sampler_gap = {t.max_sampler_gap:g})"
    )
    advice = (
        "The engine samples from another policy than is trained: compare sync/gap, lower rollout.overlap or train.lr, "
        "or use model.dtype = float32"
    )
    return _finding("sampler_gap", steps, what, advice, (GAP,), stops=stops)


def all_truncated(steps: Steps, t: Thresholds) -> Finding | None:
    """Hardly a completion ends before it runs out of tokens; warns."""
    shares = _known(steps, TRUNCATED)[-t.window :]
    if not _has(steps[-1], TRUNCATED) or len(shares) < t.window or median(shares) < t.warn_truncated:
        return None
    what = f"{median(shares):.0%} of the completions of the last {t.window} steps ran out of tokens"
    advice = "Raise sampling.max_completion_tokens, or look at completions.jsonl for text that repeats itself"
    return _finding("all_truncated", steps, what, advice, (TRUNCATED,))


def growing_memory(steps: Steps, t: Thresholds) -> Finding | None:
    """A process takes more and more memory, without settling; warns."""
    for name in MEMORY:
        values = _known(steps, name)
        if not _has(steps[-1], name) or len(values) < t.memory_steps:
            continue
        later = values[len(values) // 2 :]
        quarters = [fmean(later[len(later) * i // 4 : len(later) * (i + 1) // 4]) for i in range(4)]
        growth = quarters[-1] - quarters[0]
        rises = all(after - before > growth / 10 for before, after in zip(quarters, quarters[1:], strict=False))
        if not rises or growth < max(t.memory_mb, t.memory_growth * quarters[0]):
            continue
        pace = growth / (0.75 * len(later))  # MB a step: from the middle of the first quarter to that of the last
        left = _value(steps[-1], AVAILABLE)
        until = (
            "" if math.isnan(left) else f"; the machine has {left:,.0f} MB left, enough for {left / pace:,.0f} steps"
        )
        process = name.removeprefix("memory/")
        what = f"the memory of the {process} grew to {values[-1]:,.0f} MB, by {pace:,.0f} MB a step{until}"
        advice = "Stop the run after a checkpoint and go on with run.resume=true, which starts all processes anew"
        return _finding("growing_memory", steps, what, advice, (name, AVAILABLE))
    return None


MONITORS: tuple[Monitor, ...] = (
    exploding_ratio,
    collapsed_entropy,
    nothing_to_learn,
    nothing_scored,
    fewer_asserts,
    sampler_gap,
    all_truncated,
    growing_memory,
)


def _finding(
    name: str, steps: Steps, what: str, advice: str, metrics: Sequence[str], *, stops: bool = False
) -> Finding:
    """A finding at the last step, with the metrics that it is about."""
    last = steps[-1]
    numbers = {metric: _value(last, metric) for metric in metrics if _has(last, metric)}
    return Finding(name, int(last["step"] or 0), what, advice, numbers, stops)


def _value(step: Mapping[str, float | None], name: str) -> float:
    """A metric, NaN where it is missing or infinite without being allowed to."""
    value = step.get(name)
    if value is None or math.isinf(value) and name not in MAY_BE_INFINITE:
        return math.nan
    return float(value)


def _has(step: Mapping[str, float | None], name: str) -> bool:
    return not math.isnan(_value(step, name))


def _known(steps: Steps, name: str) -> list[float]:
    """A metric of all steps that have it."""
    return [value for step in steps if not math.isnan(value := _value(step, name))]


def _means(first: Steps, last: Steps, name: str) -> tuple[tuple[float, float], float]:
    """The mean of a metric in the last and in the first steps, and the standard error of their difference."""
    before, after = _known(first, name), _known(last, name)
    error = math.sqrt(variance(before) / len(before) + variance(after) / len(after))
    return (fmean(after), fmean(before)), error
