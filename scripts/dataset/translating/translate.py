"""One Python task with tests, as a Rust task with a signature and gold cases, or the reason why there is none.

Nothing is guessed from words but what `choosing.Hints` holds: types come from the values in the asserts, and expected
values from the reference, which is run.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from dataset.rows import RustTask
from dataset.sources import PythonTask
from dataset.translating.asserts import first_called
from dataset.translating.calls import LeftOut, TaskCalls, task_calls
from dataset.translating.choosing import Case, Types, choose, hints_of
from dataset.translating.english import task_words
from dataset.translating.inferring import RustType, Untyped, type_text, walk
from dataset.translating.naming import NoRustName, parameter_names, rust_name
from dataset.translating.reference import ReferenceFailed
from dataset.translating.rust_literals import literal
from rewards.gold.rows import gold_kind, gold_problem
from rewards.signature.wording import with_signature

__all__ = ["translate"]

TOLERANCE = 1e-6  # of floats, as a part of the expected value
MOST_PARAMETERS = 7  # as clippy wants it


def translate(task: PythonTask) -> RustTask:
    """Translate a task. Raises: LeftOut.

    >>> asserts = ("assert f(1) == 2", "assert f(2) == 4")
    >>> row = translate(PythonTask("1", "other", "Write a function to double.", asserts, "def f(x): return 2 * x"))
    >>> row.signature, row.gold_cases[0]
    ('fn f(x: i32) -> i32', {'call': 'f(1)', 'expected': '2'})
    """
    name = task.name or first_called(list(task.tests))
    if not name:
        raise LeftOut("no assert calls a function")
    try:
        return _translate(task, name)
    except (Untyped, ReferenceFailed, NoRustName) as error:
        raise LeftOut(str(error)) from None


def _translate(task: PythonTask, name: str) -> RustTask:
    calls = task_calls(task, name)
    types, kept = choose(calls.cases, hints_of(task.text, task.reference, name, calls.parameters))
    if len(types.parameters) > MOST_PARAMETERS:
        raise LeftOut(f"more than {MOST_PARAMETERS} parameters")
    if any(_is_python_text(case.expected) for case in kept):
        raise LeftOut("a result that is a text of a Python list or tuple")
    if len(kept) < len(calls.cases):
        calls.dropped["another type than most asserts"] += len(calls.cases) - len(kept)
    gold = _gold(rust_name(name), types, kept)
    if problem := gold_problem({"gold_cases": gold}) or gold_kind({"gold_cases": gold}) != "cases":
        raise LeftOut(f"gold cases that cannot be read: {problem}")
    return _row(task, name, types, gold, replace(calls, cases=kept))


def _is_python_text(value: Any) -> bool:
    """Whether a result is what Python prints of a container."""
    if not isinstance(value, str) or value[:1] not in ("[", "(", "{"):
        return False
    try:
        return isinstance(ast.literal_eval(value), list | tuple | dict | set)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def _gold(function: str, types: Types, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The gold cases. Raises: Untyped; LeftOut where two calls differ in Python alone, as f(1) and f(1.0)."""
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        value, call = _fitting(case, types.result), _call(function, case.args, types)
        row: dict[str, Any] = {"call": call, "expected": literal(value, types.result)}
        if any(part.kind == "f64" for part in walk(types.result)):
            row["tolerance"] = _tolerance(value, case)
        if found.setdefault(call, row)["expected"] != row["expected"]:
            raise LeftOut("calls that differ in Python alone, as f(1) and f(1.0)")
    return list(found.values())


def _fitting(case: Case, kind: RustType) -> Any:
    """What the reference returned, or what the assert says where only that has the type."""
    return case.expected if _fits(case.expected, kind) else case.said


def _fits(value: Any, kind: RustType) -> bool:
    """Whether a value can be written as a type."""
    if kind.kind == "option":
        return value is None or _fits(value, kind.parts[0])
    if kind.kind in ("seq", "set"):
        accepted = (list, tuple) if kind.kind == "seq" else (set,)
        return isinstance(value, accepted) and all(_fits(part, kind.parts[0]) for part in value)
    if kind.kind == "tuple":
        is_one = isinstance(value, list | tuple) and len(value) == len(kind.parts)
        return is_one and all(map(_fits, value, kind.parts))
    if kind.kind == "map":
        return isinstance(value, dict) and all(all(map(_fits, item, kind.parts)) for item in value.items())
    if kind.kind == "f64":
        return isinstance(value, int | float) and not isinstance(value, bool)
    accepted_by = {"bool": bool, "char": str, "text": str}
    wanted = accepted_by.get(kind.kind, int)
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _call(function: str, args: Sequence[Any], types: Types) -> str:
    given = (literal(value, kind, borrowed=True) for value, kind in zip(args, types.parameters, strict=True))
    return f"{function}({', '.join(given)})"


def _tolerance(value: Any, case: Case) -> float:
    """How far floats may be apart: what the assert says, else a millionth of the smallest, or 1e-9 of the greatest
    where that is more, and never less than 1e-9."""
    sizes = [abs(number) for number in _floats(value)]
    greatest, smallest = max(sizes, default=0.0), min((size for size in sizes if size), default=0.0)
    relative, absolute = case.tolerance
    return float(max(absolute, relative * greatest, TOLERANCE * smallest, 1e-9 * greatest, 1e-9))


def _floats(value: Any) -> list[float]:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return [float(value)]
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [number for part in parts for number in _floats(part)]


def _row(task: PythonTask, name: str, types: Types, gold: list[dict[str, Any]], calls: TaskCalls) -> RustTask:
    """The row, with its English."""
    function = rust_name(name)
    parameters = (
        f"{one}: {type_text(kind, borrowed=True)}"
        for one, kind in zip(parameter_names(calls.parameters), types.parameters, strict=True)
    )
    signature = f"fn {function}({', '.join(parameters)}) -> {type_text(types.result)}"
    words = task_words(task.text, name, function, partial(_example, name, function, types))
    words = " ".join([words, *sorted({note for case in calls.cases for note in case.notes})])
    return RustTask(
        task.task_id, with_signature(words, signature), words, signature, gold, task.source, dict(calls.dropped)
    )


def _example(name: str, function: str, types: Types, source: str, want: str) -> str:
    """An example in Rust; "" where it has no such form."""
    try:
        call = ast.parse(source, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != name:
            return ""
        args, result = [ast.literal_eval(one) for one in call.args], ast.literal_eval(want)
        if call.keywords or not all(map(_fits, [*args, result], [*types.parameters, types.result])):
            return ""
        return f"`{_call(function, args, types)}` returns `{literal(result, types.result)}`."
    except (ValueError, SyntaxError, TypeError, Untyped):
        return ""
