"""An operation: what a task asks a function to do, written once in Python, in Rust and in English.

`catalogue` has the tables of operations and the choice of combinations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any

from tiny.rust_types import Element, Setting

__all__ = ["Operation", "operation"]


@dataclass(frozen=True)
class Operation:
    """One thing a function may do.

    Args:
        name: The name in the task set's column `operation`.
        params: The shape of each parameter.
        returns: The shape of the result.
        needs: The trait an element must have; "any" for every element.
        meaning: The Python function that computes expected values.
        bodies: Rust function bodies that all mean the same. `$a $b $c` stand for the parameters, `$copied` for `copied`
            or `cloned`, `$Duo $one $two` for the struct and its fields.
        phrases: English for what is returned, with `$a $b $c` and `$one $two`.
        valid: Whether the operation is defined for these arguments.
    """

    name: str
    params: tuple[str, ...]
    returns: str
    needs: str
    meaning: Callable[..., Any]
    bodies: tuple[str, ...]
    phrases: tuple[str, ...]
    valid: Callable[..., bool] = lambda *_: True

    def applies_to(self, element: Element) -> bool:
        """Whether a task may combine this operation with the element type."""
        if "Duo" in (*self.params, self.returns) and "field" not in element.traits:
            return False
        return self.needs == "any" or self.needs in element.traits

    def body(self, index: int, names: tuple[str, ...], setting: Setting) -> str:
        """The body number `index` with the parameters' names filled in, not indented."""
        duo, one, two = setting.duo
        owned = "owned" in setting.element.traits
        fills = dict(zip("abc", names)) | {"Duo": duo, "one": one, "two": two}
        fills["copied"] = "cloned" if owned else "copied"
        return Template(self.bodies[index % len(self.bodies)]).substitute(fills)

    def phrase(self, index: int, names: tuple[str, ...], setting: Setting) -> str:
        """The phrase number `index` with the parameters' names filled in: what the function returns."""
        fills = dict(zip("abc", (f"`{name}`" for name in names))) | {"one": setting.duo[1], "two": setting.duo[2]}
        return Template(self.phrases[index % len(self.phrases)]).substitute(fills)


def operation(
    name: str,
    shape: str,
    needs: str,
    meaning: Callable[..., Any],
    bodies: str | tuple[str, ...],
    *phrases: str,
    valid: Callable[..., bool] = lambda *_: True,
) -> Operation:
    """An `Operation` from a row of a table.

    Args:
        shape: The parameters and the result, such as `T; T -> bool`.
        bodies: One Rust body, or several that mean the same.
        name, needs, meaning, phrases, valid: As in `Operation`.

    >>> operation("equal", "T; T -> bool", "any", lambda a, b: a == b, "$a == $b", "whether $a equals $b").params
    ('T', 'T')
    """
    params, returns = shape.split(" -> ")
    rust = (bodies,) if isinstance(bodies, str) else bodies
    return Operation(name, tuple(params.split("; ")), returns, needs, meaning, rust, phrases, valid)
