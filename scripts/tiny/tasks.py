"""The task set: rows of prompts with gold tests, written as jsonl, and the stream of examples for the warm start.

Training rows and warm-start examples come from the same combinations, evaluation rows only from held-out ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from durable.write_whole import write_whole
from grpo.errors import BadInput
from tiny.catalogue import Split, combinations
from tiny.mistakes import plant
from tiny.operation import Operation
from tiny.phrasing import draw_prompt
from tiny.programs import draw_request, draw_solution, gold_tests, reference
from tiny.rust_types import Element

__all__ = ["COLUMNS", "Demonstration", "FamilyTask", "demonstrations", "make_tasks", "write_jsonl"]

MISSES = 1000  # draws in a row that give no new prompt: there is hardly another one
COLUMNS = {
    "task_id": "train-0000, eval-0000, harder-0000 ...",
    "prompt": "the request in plain English",
    "gold_tests": "a Rust module `#[cfg(test)] mod gold` with three to five asserts against the requested name and "
    "signature, true by the operation's meaning and chosen so that others with the same signature fail",
    "reference": "a solution without tests",
    "operation": "what is asked for; with the element type it makes the combination",
    "element": "the element type",
}


@dataclass(frozen=True)
class FamilyTask:
    """One row of the task set; `gold_tests` is a Rust test module against the requested name and signature."""

    task_id: str
    prompt: str
    gold_tests: str
    reference: str
    operation: str
    element: str


@dataclass(frozen=True)
class Demonstration:
    """One warm-start example; `mistake` is the planted class, empty for a right completion."""

    prompt: str
    completion: str
    mistake: str


def make_tasks(count: int, *, split: Split, seed: int, family: Collection[str] = ()) -> list[FamilyTask]:
    """`count` tasks with different prompts, as equal a number as possible from every combination.

    Args:
        count: The number of rows.
        split: The split whose combinations they ask for.
        seed: Decides everything else.
        family: Names of the operations that tasks may ask for; empty for all.
    Raises: BadInput, where there are not so many different prompts.

    >>> [task.task_id for task in make_tasks(2, split="eval", seed=0)]
    ['eval-0000', 'eval-0001']
    """
    rng = random.Random(f"tasks {split} {seed}")
    tasks: list[FamilyTask] = []
    prompts: set[str] = set()
    misses = 0
    for operation, element in _endless(combinations(split, family), rng):
        if len(tasks) == count:
            break
        request = draw_request(operation, element, rng)
        prompt = draw_prompt(request, rng)
        misses = misses + 1 if prompt in prompts else 0
        if misses == MISSES:
            raise BadInput(
                f"{count} prompts of {split}.jsonl: there are not many more than {len(tasks)} different ones"
            )
        if misses:
            continue
        prompts.add(prompt)
        task_id = f"{split}-{len(tasks):04d}"
        gold = gold_tests(request, rng)
        tasks.append(FamilyTask(task_id, prompt, gold, reference(request), operation.name, element.name))
    return tasks


def _endless(pairs: list[tuple[Operation, Element]], rng: random.Random) -> Iterator[tuple[Operation, Element]]:
    """The combinations in random order, again and again; nothing where there are none."""
    while pairs:
        yield from rng.sample(pairs, len(pairs))


def demonstrations(count: int, *, mistaken: float, seed: int, family: Collection[str] = ()) -> list[Demonstration]:
    """Warm-start examples over training combinations.

    Args:
        count: The number of examples.
        mistaken: The share of them with a planted mistake, 0 to 1.
        seed: Decides everything else.
        family: As in `make_tasks`.
    """
    rng = random.Random(f"demonstrations {seed}")
    shown: list[Demonstration] = []
    for operation, element in _endless(combinations("train", family), rng):
        if len(shown) == count:
            break
        request = draw_request(operation, element, rng)
        solution = draw_solution(request, rng)
        kind, text = plant(request, solution, rng) if rng.random() < mistaken else ("", solution.completion())
        shown.append(Demonstration(draw_prompt(request, rng), text, kind))
    return shown


def write_jsonl(tasks: list[FamilyTask], path: Path) -> None:
    """Write one JSON object a line."""
    write_whole(path, "".join(json.dumps(asdict(task)) + "\n" for task in tasks))
