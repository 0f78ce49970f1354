"""Why a completion got each of its rewards: computed anew from its text and its verdict, which the log keeps.

The log has the scores and no reasons. A built-in reward is a function of what the log has, so its reason comes from the
same function; where its score is another one today, that is said. Rewards that compare the completions of a group, and
functions of the user's own, have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from grpo_rust.report.reading import Record, number
from rewards.completion import GradedCompletion, Score
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS
from rewards.rust.parse import extract_code
from sandbox.verdict import Verdict

__all__ = ["Earned", "earned"]

OF_A_GROUP = "compares the completions of its group"
OF_THE_USER = "a function of your own: the log keeps its score alone"
UNREADABLE = "the log has no verdict that today's code can read"
_FACTS = frozenset(field.name for field in fields(Verdict))


class Earned(NamedTuple):
    """One reward of a completion."""

    name: str
    score: float | None
    weight: float
    reason: str

    @property
    def points(self) -> float | None:
        """What it adds to the weighted sum."""
        return None if self.score is None else self.score * self.weight


def earned(record: Record, weights: Mapping[str, float]) -> list[Earned]:
    """The rewards of a completion with their reasons; those that pay come first.

    Args:
        record: A line of `completions.jsonl`.
        weights: Of the run's settings; a reward that they do not have pays nothing.

    >>> [(one.points, one.reason) for one in earned({"text": "", "rewards": {"code_block": 0.0}}, {"code_block": 0.5})]
    [(0.0, 'no closed ```rust block with code in the completion')]
    """
    rewards = record.get("rewards")
    told = record.get("reasons")  # of a completion that was asked for by hand
    completion = graded(record)
    found = []
    for name, value in rewards.items() if isinstance(rewards, dict) else ():
        reason = told.get(name) if isinstance(told, dict) else None
        score, weight = number(value), weights.get(name, 0.0)
        found.append(Earned(name, score, weight, str(reason) if reason else _reason(name, score, completion, record)))
    return sorted(found, key=lambda one: not one.weight)


def graded(record: Record) -> GradedCompletion | None:
    """The completion as the rewards saw it, without gold tests; None where the record cannot be read as one."""
    text, found = record.get("text"), record.get("verdict")
    if not isinstance(text, str) or not isinstance(found, Mapping | None):
        return None
    code = (found or {}).get("code")
    if (found or {}).get("task"):  # its answer is read with its row, which the log does not have
        return None
    facts = {key: value for key, value in (found or {}).items() if key in _FACTS}
    try:
        verdict = Verdict.from_json({"diagnostics": (), "evidence": None, "powers": (), **facts}) if facts else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    block: Any = "last" if code is not None and extract_code(text, "first") != code else "first"
    return GradedCompletion(text, verdict, None, block)


def _reason(name: str, score: float | None, completion: GradedCompletion | None, record: Record) -> str:
    """The reason of one score."""
    if name in GROUP_REWARDS:
        return OF_A_GROUP
    if name not in REWARDS:
        return OF_THE_USER
    if REWARDS[name].on_gold_tests:
        return _gold_reason(record)
    if completion is None:
        return UNREADABLE
    today: Score = REWARDS[name].score(completion)
    if today.value != score:
        shown = "no score" if today.value is None else f"{today.value:g}"
        return f"{today.reason} (today's code gives {shown})"
    return today.reason


def _gold_reason(record: Record) -> str:
    """What the log has of the gold tests."""
    verdict = record.get("verdict")
    gold = verdict.get("gold") if isinstance(verdict, dict) else None
    if not isinstance(gold, dict):
        return "no gold tests for this prompt, or none were run"
    if gold.get("inapplicable"):
        return f"the gold tests do not apply: {gold['inapplicable']}"
    reason = f": {gold['reason']}" if gold.get("reason") else ""
    return f"{gold.get('passed', '?')} of {gold.get('total', '?')} gold tests pass{reason}"
