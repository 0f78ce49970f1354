"""The family's tasks as they would stand in a data set for Python: what `make_dataset.py translate` starts from.

They are about whole numbers, and leave out the harder operations, structs and Option.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from string import Template
from typing import Any

from grpo.errors import BadInput
from tiny.catalogue import OPERATIONS
from tiny.operation import Operation
from tiny.programs import draw_request
from tiny.rust_types import ELEMENTS, Setting, draw

__all__ = ["BODIES", "python_tasks"]

BODIES = {  # by operation; `$a $b $c` stand for the parameters
    "larger": "max($a, $b)",
    "smaller": "min($a, $b)",
    "equal": "$a == $b",
    "above": "$a > $b",
    "swap": "($b, $a)",
    "listed_back": "[$b, $a]",
    "choose": "$b if $a else $c",
    "largest": "max($a, $b, $c)",
    "single": "[$a]",
    "even": "$a % 2 == 0",
    "zero": "$a == 0",
    "length": "len($a)",
    "is_empty": "len($a) == 0",
    "is_single": "len($a) == 1",
    "contains": "$b in $a",
    "starts_with": "len($a) > 0 and $a[0] == $b",
    "count": "$a.count($b)",
    "first_or": "$a[0] if $a else $b",
    "left": "$a[0]",
    "right": "$a[1]",
    "tuple_equal": "$a[0] == $a[1]",
    "list_left": "[$a[0]]",
    "list_right": "[$a[1]]",
}
NUM_ASSERTS = 4
MISSES = 1000  # draws in a row of one operation that give nothing new: there is hardly another text of it
INTEGER = next(element for element in ELEMENTS if element.name == "i32")
TEXTS = (
    "Implement the Python function `{name}`. It returns {phrase}. With tests.",
    "Write a Python function `{name}` that returns {phrase}. Include unit tests.",
)


def python_tasks(count: int, *, seed: int) -> list[dict[str, Any]]:
    """Rows in MBPP's form: `task_id`, `text`, `code` and `test_list`, all different.

    Args:
        count: The number of rows.
        seed: Decides what is drawn.
    Raises: BadInput, where there are not so many.
    """
    rng, misses = random.Random(f"python {seed}"), 0
    operations = [one for one in OPERATIONS if one.name in BODIES]
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < count:
        row = _row(operations[len(rows) % len(operations)], rng)
        misses = misses + 1 if row["text"] in rows else 0
        if misses == MISSES:
            raise BadInput(f"{count} tasks in Python: there are not many more than {len(rows)} different ones")
        rows.setdefault(row["text"], row)
    return [{"task_id": f"python-{number:04d}", **row} for number, row in enumerate(rows.values())]


def _row(operation: Operation, rng: random.Random) -> dict[str, Any]:
    """A task that asks for an operation under some name."""
    request = draw_request(operation, INTEGER, rng)
    body = Template(BODIES[operation.name]).substitute(dict(zip("abc", request.names)))
    phrase = operation.phrase(rng.randrange(2), request.names, request.setting)
    cases = _cases(operation, request.setting, rng)
    asserts = [f"assert {request.name}({', '.join(map(repr, given))}) == {value!r}" for given, value in cases]
    return {
        "text": rng.choice(TEXTS).format(name=request.name, phrase=phrase),
        "code": f"def {request.name}({', '.join(request.names)}):\n    return {body}\n",
        "test_list": asserts,
    }


def _cases(operation: Operation, setting: Setting, rng: random.Random) -> list[tuple[Sequence[Any], Any]]:
    """Arguments with what is expected, all different; not all expect one value, as a constant would pass then."""
    found: dict[str, tuple[Sequence[Any], Any]] = {}  # in order
    while len(found) < NUM_ASSERTS:
        arguments = draw(operation.params, setting, rng)
        found[repr(arguments)] = (arguments, operation.meaning(*arguments))
    cases = list(found.values())
    others = random.Random(repr(cases))  # of its own, so that the other tasks stay what they are
    while all(value == cases[0][1] for _, value in cases):
        arguments = draw(operation.params, setting, others)
        cases[-1] = (arguments, operation.meaning(*arguments))
    return cases
