"""The diagnosis: cargo's report on a planted mistake determines the class that was planted."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace

import pytest

from rewards import Rubric, RustGrader
from sandbox import SandboxPool
from tiny.catalogue import combinations
from tiny.diagnosis import CLASSES, mistake_of
from tiny.mistakes import MISTAKES
from tiny.programs import draw_request, draw_solution, gold_tests

OF_EACH = (3, pytest.param(10, marks=pytest.mark.slow))
WRONGLY_CLASSIFIED = 0.2  # of one class


def planted(count: int) -> list[tuple[str, str, str]]:
    """Class, completion and gold tests, `count` of each class."""
    rng = random.Random(3)
    pairs = combinations("train")
    found = []
    for kind, (_, mistake) in MISTAKES.items():
        while sum(item[0] == kind for item in found) < count:
            request = draw_request(*rng.choice(pairs), rng)
            solution = draw_solution(request, rng)
            text = mistake(request, solution, rng)
            if text not in (None, solution.completion()):
                found.append((kind, str(text), gold_tests(request, rng)))
    return found


@pytest.mark.parametrize("count", OF_EACH)
def test_planted_mistakes_are_classified_and_right_completions_show_none(pool: SandboxPool, count: int) -> None:
    rng = random.Random(4)
    cases = planted(count)
    for operation, element in rng.sample(combinations("train"), count):
        request = draw_request(operation, element, rng)
        cases.append(("right", draw_solution(request, rng).completion(), gold_tests(request, rng)))
    grader = RustGrader(Rubric({"cargo_build": 1.0}), pool, gold=True)
    tickets = [
        grader.start(
            SimpleNamespace(messages=(), columns={"gold_tests": gold}),
            SimpleNamespace(id=kind, text=text, token_ids=()),
        )
        for kind, text, gold in cases
    ]
    grades = grader.finish(tickets)
    found = Counter(
        (kind, mistake_of({"checks": grade.checks, "verdict": grade.verdict}))
        for (kind, _, _), grade in zip(cases, grades, strict=True)
    )
    assert found["right", None] == count
    for kind in MISTAKES:
        passed = found[kind, None]  # some mistakes compile and pass: those do not count
        assert found[kind, kind] >= count - WRONGLY_CLASSIFIED * count - passed and passed <= count / 2, found


def test_every_planted_class_can_be_found() -> None:
    assert set(MISTAKES) <= set(CLASSES)


def test_a_completion_without_code_is_none_of_the_planted_mistakes() -> None:
    assert mistake_of({"checks": {"test_strict": 0.0, "gold": 0.0, "build": 0.0}, "verdict": {"code": None}}) == "other"
