"""Batches in flight go into a checkpoint with their grades, and come out to be trained on as they were."""

from __future__ import annotations

import json

import pytest

from grpo.rollout.collect import PendingRollout, collect
from grpo.rollout.in_flight import from_json, to_json
from grpo.rollout.records import Completion, Example
from letter_grader import Grade, LetterGrader

EXAMPLES = {"a": Example("a", (), prompt_ids=(1,)), "b": Example("b", (), prompt_ids=(2,))}
SLOTS = [(prompt, sample) for prompt in (0, 1) for sample in (0, 1)]
BROKEN = Grade({"letters": None}, verdict={"outcome": "host_error", "reason": "no space left"})


def text(token_ids: object) -> str:
    return "abc"


def batch(grades: dict[tuple[int, int], Grade]) -> PendingRollout:
    completions = {slot: Completion(f"s1-{slot}", (3, 4), (-0.1, -0.2), "abc", True, 7) for slot in SLOTS}
    return PendingRollout(list(EXAMPLES.values()), completions, {}, 1.5, grades)


def through_a_checkpoint(pending: PendingRollout, grader: LetterGrader) -> PendingRollout:
    return from_json(json.loads(json.dumps(to_json(3, pending))), EXAMPLES, decode=text, grader=grader)


def test_grades_are_kept_and_nothing_is_graded_again() -> None:
    graded = batch({slot: Grade({"letters": sum(slot) / 3, "short": None}, True) for slot in SLOTS})
    grader = LetterGrader()
    again = collect(through_a_checkpoint(graded, grader), grader)
    assert grader.started == []
    assert [group.rewards for group in again.groups] == [(0.0, pytest.approx(2 / 3)), (pytest.approx(2 / 3), 4 / 3)]


def test_the_parts_of_completions_are_kept_to_the_character() -> None:
    spans = {"code": ((0, 1),), "tests": ((1, 2), (2, 3))}
    graded = batch({slot: Grade({"letters": 1.0}, True, spans=spans) for slot in SLOTS})
    again = through_a_checkpoint(graded, LetterGrader())
    assert again.grades is not None and all(again.grades[slot].spans == spans for slot in SLOTS)


@pytest.mark.parametrize("broken", SLOTS)
def test_a_batch_that_the_host_failed_at_is_graded_again(broken: tuple[int, int]) -> None:
    good = Grade({"letters": 1.0}, True)
    graded, grader = batch({slot: BROKEN if slot == broken else good for slot in SLOTS}), LetterGrader()
    again = collect(through_a_checkpoint(graded, grader), grader)
    assert sorted(grader.started) == sorted(f"s1-{slot}" for slot in SLOTS)
    assert all(reward is not None for group in again.groups for reward in group.rewards)
