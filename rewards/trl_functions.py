"""The built-in rewards as functions that TRL can call, under their published names.

    from rewards import cargo_build_reward_func, cargo_test_reward_func
    GRPOTrainer(..., reward_funcs=[cargo_build_reward_func, cargo_test_reward_func])

This module and `rewards` have one such function as an attribute for every reward in `rewards.registry.REWARDS` and in
`rewards.group_rewards.GROUP_REWARDS`. Each takes keyword arguments:

- `completions`: strings, or lists of chat messages of which the last is the completion.
- `verdicts`, optional: one `Verdict` or None per completion; the programs' own tests are not run then, and a pass
  without evidence is not strict. Gold tests, and the tests of a group, are run all the same. What is run, one pool for
  the whole process runs, each program once however many of these functions ask for it. That pool spawns processes, so a
  script that uses it needs `if __name__ == "__main__":`. With SANDBOX_URL and SANDBOX_TOKEN it is a server's
  (`python -m sandbox serve`), and no process is started.
- `prompts`, which the functions of `GROUP_REWARDS` need: completions with equal prompts are a group, whose codes are
  run on each other's tests, and on the programs of the column `suites`, where it is there; for `cross_all` and
  `cross_test_thorough` on the latter alone: without it nobody judges. A call must have whole groups: make the batch of
  a device a multiple of `num_generations`. `group_reward_func` makes such a function with other settings.
- the other columns of the data, one entry per completion; `task` names its task, `gold_reward_func` reads
  `rewards.gold.rows.GOLD_COLUMNS`, and with `prompts` also `rewards.signature.applying.SIGNATURE_COLUMNS`.

Each returns one float from 0 to 1 or None per completion; `PUBLISHED_WEIGHTS` gives the published scale.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import rewards.builtin  # noqa: F401  (registers the rewards for all tasks)
from rewards.completion import Gold, GradedCompletion
from rewards.cross.plan import plan
from rewards.cross.result import OTHERS_ALONE, CrossSettings, partners_conflict
from rewards.cross.row_suites import SUITES, asked_of, row_suites
from rewards.cross.submit import GroupCrossing
from rewards.gold.rows import has_gold_tests
from rewards.gold.run import gold_of, gold_run, submit_gold
from rewards.group_rewards import GROUP_REWARDS, GradedGroup, GroupReward
from rewards.registry import REWARDS, Reward
from rewards.signature.applying import why_unfit
from rewards.signature.wording import prompt_text
from rewards.strictness.submit import Submission
from rewards.tasks.known import task_of
from rewards.tool_output import note_verdicts
from sandbox.service.choose import named_pool
from sandbox.service.grading_pool import GradingPool
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = [found.published_name for found in REWARDS.values()]
__all__ += [found.published_name for found in GROUP_REWARDS.values()]

log = logging.getLogger(__name__)
RewardFunction = Callable[..., list[float | None]]

_pool_lock = threading.Lock()
_pools: list[GradingPool] = []


def __getattr__(name: str) -> RewardFunction:
    """The function of a published name, for TRL."""
    for reward in REWARDS.values():
        if reward.published_name == name:
            return _trl_function(reward)
    for group_reward in GROUP_REWARDS.values():
        if group_reward.published_name == name:
            return _trl_group_function(group_reward)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _trl_function(reward: Reward) -> RewardFunction:
    """A reward as a function for TRL; the same object at every call, so that it can be pickled."""

    def function(
        *,
        completions: Sequence[str | Sequence[Mapping[str, str]]],
        verdicts: Sequence[Verdict | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        found = _read(completions, columns)
        if verdicts is None:
            codes = [one.code if reward.needs_verdict else None for one in found]
            verdicts = _grade_and_examine(codes, thorough=reward.name == "mutation")
        golds = _grade_gold(found, verdicts, columns) if reward.needs_gold else [None] * len(found)
        note_verdicts(
            [
                gold.verdict if gold is not None and reward.on_gold_tests else verdict
                for gold, verdict in zip(golds, verdicts, strict=True)
            ]
        )
        graded = [
            replace(one, verdict=verdict, gold=gold) for one, verdict, gold in zip(found, verdicts, golds, strict=True)
        ]
        return [reward.score(completion).value for completion in graded]

    function.__name__ = function.__qualname__ = reward.published_name
    function.__doc__ = reward.scorer.__doc__
    return function


def group_reward_func(name: str, **numbers: float) -> RewardFunction:
    """A group reward as a function for TRL, with settings of its own, such as `python -m rewards calibrate` prints.

        functions = [cargo_build_reward_func, group_reward_func("cross_calibrated", code_right=0.7, suite_right=0.8)]

    Args:
        name: The reward, as in `rewards.group_rewards.GROUP_REWARDS`.
        numbers: partners, tau, and those of `rewards.matrix.calibrated.Calibration`; each may be missing.
    Raises: ValueError for a name or a number that is not allowed, or of which the reward makes nothing.
    """
    if name not in GROUP_REWARDS:
        raise ValueError(f"{name!r} is no reward of groups; there are {', '.join(GROUP_REWARDS)}")
    reward = GROUP_REWARDS[name]
    settings = CrossSettings.of({"partners": reward.partners, **numbers})
    if why := partners_conflict(name, settings.partners):
        raise ValueError(why)
    return _group_function(reward, settings)


@cache
def _trl_group_function(reward: GroupReward) -> RewardFunction:
    """A group reward as a function for TRL; the same object at every call, so that it can be pickled."""
    return _group_function(reward, CrossSettings(reward.partners))


def _group_function(reward: GroupReward, settings: CrossSettings) -> RewardFunction:
    def function(
        *,
        prompts: Sequence[str | Sequence[Mapping[str, Any]]],
        completions: Sequence[str | Sequence[Mapping[str, str]]],
        verdicts: Sequence[Verdict | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        found = _read(completions, columns)
        if settings.partners == OTHERS_ALONE and not any(SUITES in one.row for one in found):
            _tell_of_no_judge(reward.published_name)
        if verdicts is None:
            verdicts = _grade_and_examine([one.code for one in found], thorough=reward.name == "cross_tests")
        note_verdicts(verdicts)
        graded = [replace(one, verdict=verdict) for one, verdict in zip(found, verdicts, strict=True)]
        groups: dict[str, list[int]] = {}
        for place, prompt in enumerate(prompts):
            if "tests" not in graded[place].task.gives:
                continue
            asked = [prompt, row_suites(graded[place].row)]
            groups.setdefault(json.dumps(asked, sort_keys=True, default=str), []).append(place)
        _tell_of_sizes(tuple(sorted({len(own) for own in groups.values()})))
        crossings = [_crossing([graded[n] for n in own], prompts[own[0]], settings) for own in groups.values()]
        scores: list[float | None] = [None] * len(found)
        for own, crossing in zip(groups.values(), crossings, strict=True):
            crossed = crossing.future.result()
            if crossed.outcome is Outcome.HOST_ERROR:
                log.error(
                    "%s: the sandbox failed to cross a group of %d completions, which get no score: %s",
                    *(reward.published_name, len(own), crossed.reason),
                )
            group = GradedGroup([graded[place] for place in own], crossed, settings)
            for place, score in zip(own, reward.scorer(group), strict=True):
                scores[place] = score.value
        return scores

    function.__name__ = function.__qualname__ = reward.published_name
    function.__doc__ = reward.scorer.__doc__
    return function


@cache  # once for a function
def _tell_of_no_judge(name: str) -> None:
    """Say that the column is missing whose suites should judge."""
    log.warning(
        "%s asks the suites of the column %s, and a call has no such column, so that nobody judges: give it, a list of "
        "Rust programs with tests or null for each prompt (make_dataset.py suites), or use "
        "cross_agreement_reward_func, which asks the group",
        name,
        SUITES,
    )


@cache  # once for the same sizes
def _tell_of_sizes(sizes: tuple[int, ...]) -> None:
    """Say that groups are not whole, or that a prompt has several, as far as that can be seen."""
    if len(sizes) > 1 or 1 in sizes:
        log.warning(
            "completions with equal prompts are a group, and this call has groups of %s: each is compared for itself; "
            "give whole groups, and every prompt once (the rows of a device a multiple of num_generations)",
            " and ".join(map(str, sizes)),
        )


def _crossing(
    group: Sequence[GradedCompletion], prompt: str | Sequence[Mapping[str, Any]], settings: CrossSettings
) -> GroupCrossing:
    """The crossing of a group that is graded; all of a batch wait at once."""
    suites, names = asked_of(prompt, group[0].row)
    planned = partial(plan, group, suites=suites, named=names, partners=settings.partners)
    return GroupCrossing(_process_pool(), [], planned)


def _read(
    completions: Sequence[str | Sequence[Mapping[str, str]]], columns: Mapping[str, Sequence[Any]]
) -> list[GradedCompletion]:
    """The completions, each with its row; nothing is graded. Raises: ValueError for a task that is not known."""
    count = len(completions)  # TRL passes more than columns: its state, functions to log with
    lists = {name: given for name, given in columns.items() if isinstance(given, list | tuple) and len(given) == count}
    rows = [{name: given[index] for name, given in lists.items()} for index in range(count)]
    return [
        GradedCompletion(_text(completion), task=task_of(row), row=row)
        for completion, row in zip(completions, rows, strict=True)
    ]


def _text(completion: str | Sequence[Mapping[str, str]]) -> str:
    """The text of a completion in one of TRL's two forms: a string, or chat messages of which the last is it."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def _process_pool() -> GradingPool:
    """The one pool of this process, started on first use."""
    with _pool_lock:
        if not _pools:
            _pools.append(named_pool() or SandboxPool())
        return _pools[0]


def _grade_and_examine(codes: Sequence[str | None], *, thorough: bool) -> list[Verdict | None]:
    """A verdict with evidence for every program; None where there is no program."""
    sent = [None if code is None else Submission(_process_pool(), code, thorough=thorough) for code in codes]
    return [None if submission is None else submission.future.result() for submission in sent]


def _grade_gold(
    found: Sequence[GradedCompletion], verdicts: Sequence[Verdict | None], columns: Mapping[str, Sequence[Any]]
) -> list[Gold | None]:
    """The gold tests of each completion's program; None for rows without gold tests."""
    prompts = columns.get("prompts", [None] * len(found))
    pending = [_start_gold(*given) for given in zip(found, verdicts, prompts, strict=True)]
    return [None if one is None else one() for one in pending]


def _start_gold(
    one: GradedCompletion, verdict: Verdict | None, prompt: str | Sequence[Mapping[str, Any]] | None
) -> Callable[[], Gold] | None:
    """Send the gold tests of a program to the sandbox, and the program itself where it matters whether it builds.

    Returns: What waits for both; None for a row without gold tests.
    """
    if not has_gold_tests(one.row):
        return None
    told = prompt if prompt is None or isinstance(prompt, str) else prompt_text(prompt)
    unfit, code = why_unfit(one.task, one.code, one.row, told), one.code
    run = gold_run(code, one.row) if code is not None and not unfit else None
    sent = submit_gold(run, _process_pool()) if run is not None else None
    own = _process_pool().submit(code) if verdict is None and code is not None and unfit is not None else None

    def wait() -> Gold:
        found, built = sent.result() if sent is not None else None, own.result() if own is not None else verdict
        return gold_of(one.row, run, found, unfit=unfit, own=built)

    return wait
