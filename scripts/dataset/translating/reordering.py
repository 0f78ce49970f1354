"""Sets and maps of a reference in another order than Python's: what depends on the order becomes another result.

It stands in for whatever makes a set: the names set and frozenset, displays and comprehensions, operators and methods.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

__all__ = ["ORDERS", "Order", "Reordered", "ReorderedFrozen", "ReorderedSet", "SetsInOurOrder", "anew", "made"]

Order = Callable[[list[Any]], list[Any]]


def _shuffled(found: list[Any]) -> list[Any]:
    return Random(len(found)).sample(found, len(found))


ORDERS: dict[str, Order] = {
    "reversed": lambda found: found[::-1],
    "rotated": lambda found: found[1:] + found[:1],
    "shuffled": _shuffled,
}


class Reordered:
    """What a set does, and its elements come in an order of our own: what depends on it becomes another result."""

    order: Order

    def __iter__(self) -> Iterator[Any]:
        """The elements."""
        return iter(self.order(list(super().__iter__())))  # type: ignore[misc]

    def __repr__(self) -> str:
        elements = list(self)
        return f"{{{', '.join(map(repr, elements))}}}" if elements else f"{type(self).__name__}()"


class ReorderedSet(Reordered, set):  # type: ignore[type-arg]
    """A set in another order."""

    def pop(self) -> Any:
        """Remove and return the first element."""
        if not self:
            return super().pop()  # raises, as a set does
        first = next(iter(self))
        self.remove(first)
        return first


class ReorderedFrozen(Reordered, frozenset):  # type: ignore[type-arg]
    """A frozenset in another order."""


KINDS: dict[type, type] = {set: ReorderedSet, frozenset: ReorderedFrozen}
MAKE_SETS = ("and", "or", "sub", "xor", "rand", "ror", "rsub", "rxor")
MAKE_SETS_BY_NAME = ("copy", "intersection", "union", "difference", "symmetric_difference")


def made(value: Any) -> Any:
    """A set of the built-in types as one in our order, any other value as it is."""
    kind = KINDS.get(type(value))
    return value if kind is None else kind(value)


def _making(base: type, name: str) -> Callable[..., Any]:
    method = getattr(base, name)
    return lambda self, *others: made(method(self, *others))


for _base, _kind in KINDS.items():
    _kind.__name__ = _kind.__qualname__ = _base.__name__  # as a reference may write it down
    for _name in (*(f"__{name}__" for name in MAKE_SETS), *MAKE_SETS_BY_NAME):
        setattr(_kind, _name, _making(_base, _name))


class SetsInOurOrder(ast.NodeTransformer):
    """Rewrites what makes a set without a name: displays, comprehensions, and operators, as of views of a map."""

    OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)

    def visit_Set(self, node: ast.Set) -> ast.expr:
        """{a, b}"""
        self.generic_visit(node)
        return _call("__set__", ast.List(node.elts, ast.Load()))

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        """{a for a in b}"""
        self.generic_visit(node)
        return _call("__set__", ast.ListComp(node.elt, node.generators))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """a & b; of a number, as in the many i - 1, it makes no set."""
        self.generic_visit(node)
        makes_none = any(isinstance(one, ast.Constant) for one in (node.left, node.right))
        return node if makes_none or not isinstance(node.op, self.OPERATORS) else _call("__made__", node)

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.MatchValue:
        """A pattern, in which nothing may be called."""
        return node


def _call(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])


def anew(value: Any, order: Order | None, known: dict[Any, Any]) -> Any:
    """A plain value built again: maps and sets in an order, and what is equal and cannot change as one object.

    Args:
        value: A value that `plain` gave.
        order: Of sets and maps; None: theirs.
        known: The objects so far.
    """
    if isinstance(value, list):
        return [anew(part, order, known) for part in value]
    if isinstance(value, dict):
        items = list(value.items())
        return {anew(key, None, known): anew(one, order, known) for key, one in (order(items) if order else items)}
    if isinstance(value, set):
        return set(value) if order is None else ReorderedSet(value)
    built = tuple(anew(part, order, known) for part in value) if isinstance(value, tuple) else value
    try:
        return known.setdefault((type(built), repr(built), hash(built)), built)
    except TypeError:  # a tuple that holds a list
        return built
