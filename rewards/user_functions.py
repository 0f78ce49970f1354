"""Functions of the user's own, by name: `package.module:function` or `path/to/file.py:function`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["OwnFunctionError", "load_function"]


class OwnFunctionError(ValueError):
    """The named function cannot be loaded; says why."""


def load_function(name: str) -> Callable[..., Any]:
    """The function of that name; importing its module runs the module's code.

    Raises: OwnFunctionError for a name that is none, a module that cannot be imported, or what is no function.

    >>> load_function("math:hypot")(3.0, 4.0)
    5.0
    """
    place, colon, function_name = name.rpartition(":")
    if not colon:
        raise OwnFunctionError(f"{name!r} names no function: write package.module:function or path/to/file.py:function")
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        function: Callable[..., Any] = getattr(module, function_name)
    except Exception as error:  # the boundary to code that is not ours: importing it may raise anything
        raise OwnFunctionError(f"cannot load {name!r}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise OwnFunctionError(f"{name!r} is a {type(function).__name__} and not a function")
    return function


def _load_file(path: Path) -> Any:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
