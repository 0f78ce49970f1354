"""The calls in a task's tests, with what they return: from a task to cases that can be typed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataset.sources import PythonTask
from dataset.translating.asserts import Instrumented, instrument
from dataset.translating.choosing import Case
from dataset.translating.reference import Observed, observe

__all__ = ["ASCENDING", "LeftOut", "TaskCalls", "task_calls"]

MOST_CASES = 20
ASCENDING = "The result is in ascending order."
OTHER_FORM = "an assert of another form"


class LeftOut(Exception):
    """A task that has no translation; the text says why, in words that can be counted."""


@dataclass(frozen=True)
class TaskCalls:
    """The calls of one function that a task's tests make."""

    parameters: list[str]  # of the function in Python, those that the calls give
    cases: list[Case]
    dropped: Counter[str]  # asserts that are not among them, by reason


def task_calls(task: PythonTask, name: str) -> TaskCalls:
    """Run the tests of a task and read their calls.

    Args:
        task: The task.
        name: The function.
    Raises: LeftOut, ReferenceFailed.
    """
    tests, observed = _observed(task, name)
    reasons = Counter(fault for one in observed if (fault := _fault(one)))
    if tests.num_other:
        reasons[OTHER_FORM] += tests.num_other
    useful = [one for one in observed if not _fault(one)]
    if not useful or 2 * len(useful) < len(observed) + tests.num_other:
        raise LeftOut(reasons.most_common(1)[0][0] if reasons else "no assert")
    parameters, alike = _of_one_arity(useful, _parameters(task.reference, name, task.text), reasons)
    num_given = len(alike[0].args)
    found: dict[str, Case] = {}
    for one in alike:
        args = (*one.args, *(one.keywords[key] for key in parameters[num_given:]))
        case = _case(one, args)
        if found.setdefault(repr(args), case).expected != case.expected:
            raise LeftOut("one call with two results")
    return TaskCalls(parameters, list(found.values())[:MOST_CASES], reasons)


def _observed(task: PythonTask, name: str) -> tuple[Instrumented, list[Observed]]:
    """The calls of a task's tests. Where sets decide the order of a result, it is a set."""
    called = "candidate" if task.check else name
    try:
        tests = instrument(task.check or "\n".join(test.strip() for test in task.tests), called)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise LeftOut("tests that are no Python") from None
    if not tests.forms:
        raise LeftOut(OTHER_FORM if tests.num_other else "no assert calls the function")
    settings: dict[str, Any] = {"name": name, "reference": task.reference, "setup": task.setup}
    settings["has_check"] = bool(task.check)
    observed = observe(tests, **settings)
    if not task.reference:
        return tests, observed
    again = observe(tests, **settings, backwards=True, hash_seed=1)
    return tests, _in_one_order(observed, again)


def _in_one_order(observed: Sequence[Observed], again: Sequence[Observed]) -> list[Observed]:
    """Calls that were made twice, with sets and maps in two orders.

    Where the order of a result depends on that, the result is sorted if the asserts say so of all, else it is a set.
    """
    pairs = list(zip(observed, again, strict=False))
    if all(_fault(one) or one.result == other.result for one, other in pairs):
        return list(observed)
    if not all(_fault(one) or _same_elements(one, other) for one, other in pairs):
        differ = "a result that depends on the order of a set or a dict"
        return [replace(one, fault=one.fault or differ) for one in observed]
    ascending = all(_fault(one) or _is_ascending(one.other) for one in observed)
    wrapper = "sorted" if ascending else "set"
    return [replace(one, form=replace(one.form, wrapper=wrapper)) for one in observed]


def _same_elements(one: Observed, other: Observed) -> bool:
    """Whether two results hold the same elements, each once."""
    if not all(isinstance(found.result, list | tuple | set) for found in (one, other)):
        return False
    try:
        return set(one.result) == set(other.result) and len(set(one.result)) == len(one.result)
    except TypeError:
        return False


def _is_ascending(values: Any) -> bool:
    try:
        return isinstance(values, list | tuple) and list(values) == sorted(values)
    except TypeError:
        return False


def _fault(one: Observed) -> str:
    """Why a call is of no use."""
    return one.fault or ("the reference fails an assert" if one.holds is False else "")


def _parameters(reference: str, name: str, text: str) -> list[str]:
    """The parameters of a function in Python, as the reference or the text writes them; none where neither does."""
    try:
        found = [node for node in ast.walk(ast.parse(reference)) if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        found = []
    functions = [node for node in found if node.name == name]
    if functions:
        return [one.arg for one in [*functions[-1].args.posonlyargs, *functions[-1].args.args]]
    written = re.search(rf"\b{re.escape(name)}\(([^()]*)\)", text)
    words = [part.partition(":")[0].partition("=")[0].strip() for part in written[1].split(",")] if written else []
    return words if all(word.isidentifier() for word in words) else []


def _of_one_arity(
    useful: Sequence[Observed], names: list[str], reasons: Counter[str]
) -> tuple[list[str], list[Observed]]:
    """The parameters that most calls give, and those calls. Raises: LeftOut where most is less than half."""
    shapes = Counter(_shape(one) for one in useful)
    (num_args, keywords), most = shapes.most_common(1)[0]
    if 2 * most < len(useful):
        raise LeftOut("calls of different arity")
    if most < len(useful):
        reasons["calls of different arity"] += len(useful) - most
    used = [names[place] if place < len(names) else f"arg{place + 1}" for place in range(num_args)]
    used += sorted(keywords, key=lambda key: names.index(key) if key in names else len(names))
    if not used:
        raise LeftOut("a function without parameters")
    return used, [one for one in useful if _shape(one) == (num_args, keywords)]


def _shape(one: Observed) -> tuple[int, tuple[str, ...]]:
    return len(one.args), tuple(sorted(one.keywords))


def _case(one: Observed, args: tuple[Any, ...]) -> Case:
    """A call with what it returns, after the function around it. Raises: LeftOut."""
    returned = one.expected if one.holds is None else one.result
    said, wrapper, notes = one.expected, one.form.wrapper, frozenset[str]()
    try:
        if one.form.kind in ("true", "false") or wrapper == "bool":
            returned = bool(returned)
        elif wrapper in ("set", "frozenset"):
            returned, said = set(returned), set(said)
        elif wrapper == "sorted":
            returned, said, notes = sorted(returned), list(said), frozenset((ASCENDING,))
        elif wrapper == "list":
            returned, said = list(returned), list(said)
        elif wrapper == "tuple":
            returned, said = tuple(returned), tuple(said)
        elif wrapper == "float":
            returned, said = float(returned), float(said)
        elif wrapper:
            raise LeftOut(f"an assert about {wrapper}(...)")
    except (TypeError, ValueError):
        raise LeftOut(f"an assert about {wrapper}(...)") from None
    if one.form.kind == "close":
        returned, said = (float(value) if isinstance(value, int) else value for value in (returned, said))
    return Case(args, returned, said, (one.form.relative, one.form.absolute), notes)
