"""The section of a recipe on rewards: functions, weights, how groups are compared, and what of it goes together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from grpo.config import CheckpointSection, RolloutSection
from grpo.schema import ConfigError, option
from rewards.cross.result import CrossSettings
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS, published_weights

__all__ = ["GuardSection", "RewardsSection", "Sections", "group_conflicts", "refuse_unexamined"]

EXAMINED = ("cargo_test_thorough", "cross_test_thorough", "mutation")  # 0 where nobody asked what tests notice
JUDGED_BY_ALL = ("cross_all", "cross_test_thorough")  # ask every code the same suites


@dataclass(frozen=True)
class RewardsSection:
    """The reward functions, their weights, and how long their verdicts are waited for."""

    weights: Mapping[str, float] = option(
        published_weights(),
        "weight of every reward function in the sum: its name in the rubric, package.module:function or "
        "path/to/file.py:function of your own; 0 computes and logs it without paying",
        low=-1000,
        high=1000,
        source="published recipe",
    )
    credit: str = option(
        "whole",
        "whole: every reward pays all tokens of a completion; apart: one that judges only the code (gold, "
        "cross_agreement ...) or only the tests (mutation, cross_tests ...) pays only its tokens",
        choices=("whole", "apart"),
    )
    cross: Mapping[str, float] = option(
        {"partners": 0.0, "tau": 1.0},
        "how the rewards cross_* compare a group, whose codes run on each other's tests: partners is how many of the "
        "others' suites each code is given (0: all, -1: none, where rollout.testers or the column suites of the data "
        "judge), tau how many wrong codes a suite must tell apart for full pay; code_right, suite_right, "
        "wrong_passes_right, wrong_passes_wrong, right_passes_wrong and flake are what cross_calibrated believes",
        low=-1,
        high=1000,
        source="estimated",
    )
    max_unscored: float = option(
        0.1,
        "share of a batch's or an evaluation's completions that the host may fail to grade; above it the run stops "
        "before it learns from them, with the reasons",
        low=0,
        high=1,
    )
    deadline_s: float = option(
        300.0, "longest wait for a batch's verdicts once sampling has ended", unit="s", low=1, high=86_400
    )
    function_s: float = option(
        300.0,
        "longest time for a reward function of your own to score a batch; then it scores None. 0: no limit, and it "
        "runs in the main thread and not in one of its own",
        unit="s",
        low=0,
        high=86_400,
        source="estimated: a batch's verdicts take as long at most",
    )

    def conflicts(self) -> list[str]:
        """Unknown rewards, and weights that are all 0; a user's own functions are loaded later."""
        found = [
            f"rewards.weights.{name}: no such reward; the nearest is {_nearest(name)}, your own is called "
            "package.module:function or path/to/file.py:function"
            for name in self.weights
            if name not in REWARDS and name not in GROUP_REWARDS and ":" not in name
        ]
        try:
            CrossSettings.of(self.cross)
        except ValueError as error:
            found.append(f"rewards.cross: {error}")
        paid, known = [name for name, weight in self.weights.items() if weight], [*REWARDS, *GROUP_REWARDS]
        if self.credit == "apart" and paid and not any(map(_pays_a_part, paid)):
            found.append(
                'rewards.credit = "apart": no reward with a weight judges only code or only tests, so all pay all '
                f'tokens: use "whole", or give a weight to one of {", ".join(filter(_pays_a_part, known))}'
            )
        if not any(self.weights.values()):
            found.append("rewards.weights: every weight is 0, so there is nothing to learn: give one reward a weight")
        return found

    def cross_settings(self) -> CrossSettings | None:
        """How groups are compared; None where `cross` cannot be used."""
        try:
            return CrossSettings.of(self.cross)
        except ValueError:
            return None


@dataclass(frozen=True)
class GuardSection:
    """What is required of passing tests, beyond that the harness reports them."""

    mutation: bool = option(
        True, "run tests that pass again, with one change of the code at a time: they must notice, or are not strict"
    )


class Sections(Protocol):
    """The sections of a recipe that rewards of groups depend on."""

    @property
    def rewards(self) -> RewardsSection: ...
    @property
    def rollout(self) -> RolloutSection: ...
    @property
    def checkpoint(self) -> CheckpointSection: ...


def group_conflicts(recipe: Sections) -> list[str]:
    """Settings that exclude each other, or do nothing, where rewards compare the completions of a group."""
    found, weights = [], recipe.rewards.weights
    partners, named = recipe.rewards.cross.get("partners", 0), [name for name in GROUP_REWARDS if name in weights]
    if recipe.rollout.testers and not named:
        found.append(
            f"rollout.testers = {recipe.rollout.testers}: no reward asks for their tests; give cross_agreement a weight"
        )
    paid = [name for name in named if weights[name]]
    if paid and recipe.checkpoint.keep_best and recipe.checkpoint.best_by == "reward_mean":
        found.append(
            f"checkpoint.best_by = reward_mean: evaluations do not compare groups, so {paid[0]} is no part of "
            "their reward: use gold or pass_at_1"
        )
    if partners < 0 and "cross_tests" in weights:
        found.append(
            "rewards.cross.partners = -1: cross_tests says what a suite tells apart in its group, and none of "
            "the group's is run: use partners = 0 or more"
        )
    if partners > 0 and (all_asked := [name for name in JUDGED_BY_ALL if name in weights]):
        found.append(
            f"rewards.cross.partners = {partners:g}: {all_asked[0]} asks for all suites that judge a group, and each "
            "code would be given others: use -1 for those of the data or of testers, or 0 for the group's too"
        )
    if not named and recipe.rewards.cross_settings() not in (None, CrossSettings()):
        found.append(
            "rewards.cross: no reward compares the completions of a group; give one a weight, 0 to log it: "
            f"{', '.join(GROUP_REWARDS)}"
        )
    return found


def refuse_unexamined(rewards: RewardsSection, guard: GuardSection) -> None:
    """Refuse to train by rewards that are 0 for every completion. Raises: ConfigError."""
    if not guard.mutation and (paid := [name for name in EXAMINED if rewards.weights.get(name)]):
        raise ConfigError(
            f"guard.mutation = false: {paid[0]} pays for changes of the code that tests notice, and none is tried: "
            "use true, or cargo_test in its place"
        )


def _nearest(name: str) -> str:
    """The name of the known reward that is most like this one."""
    return max([*REWARDS, *GROUP_REWARDS], key=lambda known: SequenceMatcher(None, name, known).ratio())


def _pays_a_part(name: str) -> bool:
    """Whether a reward judges only code or only tests; of a user's own functions none does."""
    known = REWARDS.get(name) or GROUP_REWARDS.get(name)
    return known is not None and known.pays is not None
