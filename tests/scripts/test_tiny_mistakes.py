"""Planted mistakes: each class changes the part it is named after, and never returns the right program."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tiny.catalogue import HARDER, OPERATIONS, combinations, rivals
from tiny.mistakes import MISTAKES, plant
from tiny.programs import Request, Solution, draw_request, draw_solution
from tiny.rust_types import ELEMENTS


def example(name: str, element: str = "i32", seed: int = 0) -> tuple[Request, Solution, random.Random]:
    rng = random.Random(seed)
    operation = next(item for item in OPERATIONS if item.name == name)
    request = draw_request(operation, next(item for item in ELEMENTS if item.name == element), rng)
    return request, draw_solution(request, rng), rng


def test_the_weights_of_the_classes_sum_to_one() -> None:
    assert sum(weight for weight, _ in MISTAKES.values()) == pytest.approx(1.0)


def test_a_planted_completion_never_equals_the_right_one_and_classes_come_in_proportion() -> None:
    rng = random.Random(0)
    kinds: Counter[str] = Counter()
    for operation, element in combinations("train"):
        request = draw_request(operation, element, rng)
        solution = draw_solution(request, rng)
        kind, text = plant(request, solution, rng)
        kinds[kind] += 1
        assert text != solution.completion()
    assert set(kinds) == set(MISTAKES)
    assert kinds["syntax"] > kinds["name"]


def test_scope_drops_only_the_import() -> None:
    request, solution, rng = example("equal")
    text = MISTAKES["scope"][1](request, solution, rng)
    assert text is not None and "use super" not in text
    assert text.replace("mod tests {\n", "mod tests {\n    use super::*;\n\n") == solution.completion()


def test_an_expected_mistake_keeps_the_function_and_changes_one_assert() -> None:
    request, solution, rng = example("larger")
    text = MISTAKES["expected"][1](request, solution, rng)
    while text is None:
        text = MISTAKES["expected"][1](request, solution, rng)
    changed = [pair for pair in zip(text.splitlines(), solution.completion().splitlines()) if pair[0] != pair[1]]
    assert len(changed) == 1 and "assert" in changed[0][0]


def test_an_operator_mistake_computes_a_rival() -> None:
    request, solution, rng = example("first")
    text = MISTAKES["operator"][1](request, solution, rng)
    assert text is not None and ("last()" in text or "max()" in text or "min()" in text or "get(1)" in text)


def test_an_operator_mistake_never_shows_an_operation_of_the_harder_set() -> None:
    rng = random.Random(7)
    hidden_rivals = 0
    for operation, element in combinations("train"):
        hidden = [item for item in rivals(operation, element) if item.name in HARDER]
        hidden_rivals += len(hidden)
        for _ in range(8 if hidden else 0):
            request = draw_request(operation, element, rng)
            text = MISTAKES["operator"][1](request, draw_solution(request, rng), rng) or ""
            shown = {item.body(index, request.names, request.setting) for item in hidden for index in (0, 1)}
            assert not any(f"{{\n    {body}\n}}" in text for body in shown)
    assert hidden_rivals > 100, "there must be something to hide"


def test_a_borrow_mistake_drops_the_lifetime_where_there_is_one() -> None:
    request, solution, rng = example("choose", "&str")
    text = MISTAKES["borrow"][1](request, solution, rng)
    assert text is not None and "'a" not in text and "'a" in solution.completion()


def test_an_operation_without_rivals_has_no_operator_mistake() -> None:
    request, solution, rng = example("wrap", "String")
    assert MISTAKES["operator"][1](request, solution, rng) is None
