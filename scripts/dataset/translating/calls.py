"""The calls in a task's tests, with what they return: from a task to cases that can be typed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataset.sources import PythonTask
from dataset.translating.asserts import Form, Instrumented, instrument, python_tree
from dataset.translating.choosing import Case
from dataset.translating.joined import nearly_equal
from dataset.translating.reference import ORDERS, Again, Observed, observe, repeat

__all__ = ["ASCENDING", "LeftOut", "TaskCalls", "task_calls"]

MOST_CASES = 20
ASCENDING = "The result is in ascending order."
OTHER_FORM = "an assert of another form"
ORDER_DECIDES = "a result that depends on the order of a set or a dict"
UNDECIDED = "a result that more decides than the values of the arguments: earlier calls, chance, the kind of object"

WRAPPED_BY: dict[str, Callable[[Any], Any]] = {
    **{"set": set, "frozenset": set, "sorted": sorted, "list": list, "tuple": tuple, "float": float}
}


class LeftOut(Exception):
    """A task that has no translation; the text says why, in words that can be counted."""


@dataclass(frozen=True)
class TaskCalls:
    """The calls of one function that a task's tests make."""

    parameters: list[str]  # of the function in Python, those that the calls give
    num_by_place: int  # parameters that the calls give by place; the others by name
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
    return TaskCalls(parameters, num_given, list(found.values())[:MOST_CASES], reasons)


def _observed(task: PythonTask, name: str) -> tuple[Instrumented, list[Observed]]:
    """The calls of a task's tests. Where sets decide the order of a result, it is a set."""
    called = _parameter_of_check(task.check) if task.check else name
    try:
        tests = instrument(task.check or "\n".join(test.strip() for test in task.tests), called)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise LeftOut("tests that are no Python") from None
    if not tests.forms:
        raise LeftOut(OTHER_FORM if tests.num_other else "no assert calls the function")
    program = {"name": name, "reference": task.reference, "setup": task.setup}
    observed = observe(tests, **program, has_check=bool(task.check))
    useful = [one for one in observed if not _fault(one)]
    if not task.reference or not useful:
        return tests, observed
    worlds = repeat([(one.args, one.keywords) for one in useful], ORDERS, **program)
    return tests, _decided(observed, list(zip(*worlds, strict=True)))


def _parameter_of_check(check: str) -> str:
    """The name that `check` has for the function."""
    functions = [node for node in ast.walk(python_tree(check)) if isinstance(node, ast.FunctionDef)]
    return next((node.args.args[0].arg for node in functions if node.name == "check" and node.args.args), "candidate")


def _decided(observed: Sequence[Observed], again: Sequence[Sequence[Again]]) -> list[Observed]:
    """Calls whose results the values of their arguments decide.

    Args:
        observed: The calls, each of which was also made alone.
        again: For each call without a fault, what it returned with sets and maps in other orders.

    Where the order of a result depends on such things, the result is sorted if the asserts say so of all, else it is a
    set. Where something else does, no call is of use.
    """
    useful = [one for one in observed if not _fault(one)]
    runs = [(one.alone, *others) for one, others in zip(useful, again, strict=True)]
    pairs = [(one.result, other) for one, others in zip(useful, runs, strict=True) for other in others]
    if all(not other.fault and nearly_equal(result, other.result) for result, other in pairs):
        return list(observed)
    if not all(not other.fault and _same_elements(result, other.result) for result, other in pairs):
        is_alone = all(not one.alone.fault and nearly_equal(one.result, one.alone.result) for one in useful)
        return [replace(one, fault=one.fault or (ORDER_DECIDES if is_alone else UNDECIDED)) for one in observed]
    wrapper = "sorted" if all(_is_ascending(one.other) for one in useful) else "set"
    return [replace(one, form=replace(one.form, wrapper=wrapper)) for one in observed]


def _same_elements(one: Any, other: Any) -> bool:
    """Whether two results hold the same elements, each once."""
    if not all(isinstance(found, list | tuple | set) for found in (one, other)):
        return False
    try:
        return set(one) == set(other) and len(set(one)) == len(one) == len(other)
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
    found = [node for node in ast.walk(python_tree(reference)) if isinstance(node, ast.FunctionDef)]
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
    wrap = partial(_wrapped, one.form)
    returned = wrap(one.expected if one.holds is None else one.result)
    is_sorted = one.form.wrapper == "sorted"
    said = wrap(one.expected) if not is_sorted else list(one.expected)
    notes = frozenset((ASCENDING,)) if is_sorted else frozenset[str]()
    return Case(args, returned, said, (one.form.relative, one.form.absolute), notes, wrap)


def _wrapped(form: Form, value: Any) -> Any:
    """What an assert compares, of what the function returns. Raises: LeftOut."""
    wrapper = form.wrapper
    if form.kind in ("true", "false") or wrapper == "bool":
        return bool(value)
    if wrapper and wrapper not in WRAPPED_BY:
        raise LeftOut(f"an assert about {wrapper}(...)")
    try:
        found = WRAPPED_BY[wrapper](value) if wrapper else value
    except (TypeError, ValueError):
        raise LeftOut(f"an assert about {wrapper}(...)") from None
    return float(found) if form.kind == "close" and isinstance(found, int) else found
