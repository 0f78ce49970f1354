"""The diagnosis: what cargo says of a planted mistake tells which class was planted."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace

from rewards import Rubric, RustGrader
from sandbox import SandboxPool
from tiny.diagnosis import CLASSES, mistake_of
from tiny.mistakes import MISTAKES
from tiny.operations import combinations
from tiny.programs import draw_answer, draw_request, gold_tests

OF_EACH = 10
WRONGLY_TOLD = 2  # of one class


def planted() -> list[tuple[str, str, str]]:
    """Class, answer and gold tests, as many of each class."""
    rng = random.Random(3)
    pairs = combinations("train")
    found = []
    for kind, (_, mistake) in MISTAKES.items():
        while sum(item[0] == kind for item in found) < OF_EACH:
            request = draw_request(*rng.choice(pairs), rng)
            answer = draw_answer(request, rng)
            text = mistake(request, answer, rng)
            if text not in (None, answer.text()):
                found.append((kind, str(text), gold_tests(request, rng)))
    return found


def test_planted_mistakes_are_told_apart_and_right_answers_show_none() -> None:
    rng = random.Random(4)
    cases = planted()
    for operation, element in rng.sample(combinations("train"), OF_EACH):
        request = draw_request(operation, element, rng)
        cases.append(("right", draw_answer(request, rng).text(), gold_tests(request, rng)))
    with SandboxPool(2) as pool:
        grader = RustGrader(Rubric({"cargo_build": 1.0}), pool, gold=True)
        tickets = [
            grader.start(
                SimpleNamespace(messages=(), columns={"gold_tests": gold}),
                SimpleNamespace(id=kind, text=text, token_ids=()),
            )
            for kind, text, gold in cases
        ]
        grades = grader.finish(tickets)
    told = Counter(
        (kind, mistake_of({"checks": grade.checks, "verdict": grade.verdict}))
        for (kind, _, _), grade in zip(cases, grades, strict=True)
    )
    assert told["right", None] == OF_EACH
    for kind in MISTAKES:
        passed = told[kind, None]  # some mistakes compile and pass: those are none
        assert told[kind, kind] >= OF_EACH - WRONGLY_TOLD - passed and passed <= OF_EACH // 2, told


def test_every_planted_class_can_be_told() -> None:
    assert set(MISTAKES) <= set(CLASSES)


def test_an_answer_without_code_is_none_of_the_planted_mistakes() -> None:
    assert mistake_of({"checks": {"test_strict": 0.0, "gold": 0.0, "build": 0.0}, "verdict": {"code": None}}) == "other"
