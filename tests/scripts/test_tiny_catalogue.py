"""The table of operations: enough of them, each said twice in English, and held-out combinations that stay held out."""

from __future__ import annotations

from collections import Counter

import pytest

from tiny.catalogue import HARDER, OPERATIONS, SPLITS, combinations, rivals, split_of
from tiny.operation import Operation
from tiny.rust_types import ELEMENTS


def operation(name: str) -> Operation:
    return next(item for item in OPERATIONS if item.name == name)


def test_there_are_at_least_sixty_operations_to_learn_and_all_have_different_names() -> None:
    names = [item.name for item in OPERATIONS]
    assert len(names) == len(set(names))
    assert len({op.name for op, _ in combinations("train")}) >= 60


@pytest.mark.parametrize("item", OPERATIONS, ids=lambda item: item.name)
def test_every_operation_applies_somewhere_and_has_two_phrases(item: Operation) -> None:
    assert any(item.applies_to(element) for element in ELEMENTS)
    assert len(set(item.phrases)) == 2


def test_the_splits_share_no_combination_and_miss_none() -> None:
    found = [(op.name, element.name) for split in SPLITS for op, element in combinations(split)]
    assert len(found) == len(set(found)) == sum(op.applies_to(element) for op in OPERATIONS for element in ELEMENTS)
    assert 0.15 < len(combinations("eval")) / len(combinations("train")) < 0.35


def test_every_held_out_combination_has_an_operation_that_is_learned_on_others() -> None:
    learned = Counter(op.name for op, _ in combinations("train"))
    assert all(learned[op.name] >= 2 for op, _ in combinations("eval"))


def test_the_harder_operations_are_in_no_other_split() -> None:
    others = {op.name for split in ("train", "eval") for op, _ in combinations(split)}
    assert {op.name for op, _ in combinations("harder")} == set(HARDER)
    assert not others & set(HARDER)


def test_an_operation_of_few_elements_is_for_training_alone() -> None:
    few = [op for op in OPERATIONS if sum(map(op.applies_to, ELEMENTS)) < 4 and op.name not in HARDER]
    assert all(split_of(op, element) == "train" for op in few for element in ELEMENTS if op.applies_to(element))


def test_rivals_share_the_signature() -> None:
    names = {rival.name for rival in rivals(operation("larger"), ELEMENTS[0])}
    assert names == {"smaller"}
    assert {"above", "differ"} <= {rival.name for rival in rivals(operation("below"), ELEMENTS[0])}
