"""Texts that can be written as UTF-8. JSON can hold half of a pair of surrogates, `"\\ud83d"`, which no file can."""

from __future__ import annotations

from typing import Any

__all__ = ["well_formed"]


def well_formed(value: Any) -> Any:
    """A JSON value whose lone surrogates are U+FFFD, the replacement character, in keys too.

    Args:
        value: Of the types that `json.loads` gives; anything else stays as it is.
    Raises: RecursionError, for a value that is nested too deeply.

    >>> well_formed({"a": ["x\\ud83dy", 1]}) == {"a": ["x\\ufffdy", 1]}
    True
    """
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # a pair becomes one character
    if isinstance(value, list):
        return [well_formed(part) for part in value]
    if isinstance(value, dict):
        return {well_formed(name): well_formed(part) for name, part in value.items()}
    return value
