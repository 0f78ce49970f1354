"""Loads a user's own functions by name, `package.module:function` or `path/to/file.py:function`, and calls them.

Promises one type of error for a function that cannot be loaded, and that calling one ends: by its scores, or by an
error that says what it gave and what is wanted. Left out: checking the signature.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import itertools
import math
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sized
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

__all__ = ["UserFunctionError", "load_function", "scores_of"]

SHOWN = 80  # characters of a value in a message
_numbers = itertools.count()  # of the files that were imported


class UserFunctionError(ValueError):
    """The named function cannot be loaded; the message says why."""


def load_function(name: str) -> Callable[..., Any]:
    """Load a function. That imports its module and so runs the module's code.

    Args:
        name: `package.module:function` or `path/to/file.py:function`.
    Raises: UserFunctionError for a name of another form, a module that cannot be imported, a function that the module
        does not have, or an object that cannot be called.

    >>> load_function("math:hypot")(3.0, 4.0)
    5.0
    """
    place, colon, function_name = name.rpartition(":")
    if not colon:
        raise UserFunctionError(
            f"{name!r} names no function: write package.module:function or path/to/file.py:function"
        )
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        function: Callable[..., Any] = getattr(module, function_name)
    except (Exception, SystemExit) as error:  # the boundary to the user's code: importing it may raise anything
        raise UserFunctionError(f"cannot load {name!r}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise UserFunctionError(f"{name!r} is a {type(function).__name__} and not a function")
    return function


def _load_file(path: Path) -> Any:
    """Import a Python file as a module of a name that no other has, anew each time."""
    name = f"_user_file_{next(_numbers)}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for the types in annotations
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def scores_of(
    function: Callable[..., Any], arguments: Mapping[str, Any], count: int, *, limit_s: float = 0.0
) -> list[float | None]:
    """Call a user's reward function.

    Args:
        function: As TRL calls it; it may be a coroutine.
        arguments: Its arguments by keyword.
        count: The number of completions.
        limit_s: Seconds; then it is left alone in a thread that does not keep the process from ending. 0: no limit, and
            no thread.
    Returns: One finite number or None for each completion.
    Raises:
        TimeoutError: When the time is over.
        ValueError: For anything else than such numbers, with what was given.
        Exception: What the function raises.

    >>> scores_of(lambda completions: [len(text) for text in completions], {"completions": ["ab", ""]}, 2)
    [2.0, 0.0]
    """
    wanted = f"give a list of {count} finite numbers, one per completion, or None where it does not apply"
    result = _called(function, arguments, limit_s)
    if isinstance(result, str | bytes | Mapping) or not isinstance(result, Iterable) or not isinstance(result, Sized):
        raise ValueError(f"returned {_shown(result)}: {wanted}")
    if len(result) != count:
        raise ValueError(f"returned {len(result)} scores: {wanted}")
    return [_score(number, value, wanted) for number, value in enumerate(result)]


def _score(number: int, value: Any, wanted: str) -> float | None:
    """One score. An infinite one would make every advantage of its group NaN."""
    if value is None:
        return None
    try:
        score = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"returned {_shown(value)} for completion {number}: {wanted}") from None
    if isinstance(value, str | bytes) or not math.isfinite(score):
        raise ValueError(f"returned {_shown(value)} for completion {number}: {wanted}")
    return score


def _called(function: Callable[..., Any], arguments: Mapping[str, Any], limit_s: float) -> Any:
    """What a function returns, in a thread of its own where there is a limit of time."""
    if not limit_s:
        return _awaited(function, arguments)
    answer: Future[Any] = Future()

    def call() -> None:
        try:
            answer.set_result(_awaited(function, arguments))
        except BaseException as error:  # also SystemExit, of which nobody would hear in a thread
            answer.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    threading.Thread(target=call, daemon=True, name="reward").start()
    try:
        return answer.result(limit_s)
    except FutureTimeout:
        if answer.done():  # it raised a TimeoutError of its own
            raise
        raise TimeoutError(
            f"did not return within {limit_s:g} s (rewards.function_s), and is left alone: raise the limit if the "
            "function needs longer"
        ) from None


def _awaited(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What a function or a coroutine returns."""
    result = function(**arguments)
    return asyncio.run(_wait(result)) if inspect.isawaitable(result) else result


async def _wait(result: Any) -> Any:
    return await result


def _shown(value: Any) -> str:
    """A value and its type, short."""
    text = repr(value)
    return f"{text if len(text) <= SHOWN else text[:SHOWN] + '...'} ({type(value).__name__})"
