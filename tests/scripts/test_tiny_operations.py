"""The table of operations: enough of them, each said twice in English, and held-out combinations that stay held out."""

from __future__ import annotations

from collections import Counter

import pytest

from tiny.elements import ELEMENTS
from tiny.operation import Operation
from tiny.operations import OPERATIONS, combinations, is_held_out, rivals


def operation(name: str) -> Operation:
    return next(item for item in OPERATIONS if item.name == name)


def test_there_are_at_least_sixty_operations_with_different_names() -> None:
    names = [item.name for item in OPERATIONS]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize("item", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_applies_somewhere_and_has_two_phrases(item: Operation) -> None:
    assert any(item.applies_to(element) for element in ELEMENTS)
    assert len(set(item.phrases)) == 2


def test_learned_and_held_out_combinations_share_nothing_and_miss_nothing() -> None:
    held_out = {(op.name, element.name) for op, element in combinations(held_out=True)}
    learned = {(op.name, element.name) for op, element in combinations(held_out=False)}
    assert not held_out & learned
    assert len(held_out) + len(learned) == sum(op.applies_to(element) for op in OPERATIONS for element in ELEMENTS)
    assert 0.1 < len(held_out) / len(learned) < 0.35


def test_every_held_out_operation_is_learned_on_some_element() -> None:
    learned = Counter(op.name for op, _ in combinations(held_out=False))
    assert all(learned[op.name] >= 2 for op, _ in combinations(held_out=True))


def test_an_operation_of_few_elements_is_never_held_out() -> None:
    initial = operation("initial")
    assert not any(is_held_out(initial, element) for element in ELEMENTS)


def test_rivals_share_the_signature() -> None:
    names = {rival.name for rival in rivals(operation("larger"), ELEMENTS[0])}
    assert names == {"smaller"}
    assert {"above", "differ"} <= {rival.name for rival in rivals(operation("below"), ELEMENTS[0])}
