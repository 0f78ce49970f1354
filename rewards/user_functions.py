"""Loads a user's own functions by name: `package.module:function` or `path/to/file.py:function`.

Promises one type of error, whose message names what cannot be loaded, and why. Left out: checking the signature.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["UserFunctionError", "load_function"]


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
    """Import a Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
