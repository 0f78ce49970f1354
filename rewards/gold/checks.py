"""A check: what must hold of the values that a program sent. It says in plain words why it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rewards.gold.asked import Asked, Expression, Values
from rewards.gold.computing.comparing import fitting
from rewards.gold.terms import Panic, Term, Unfit, equal, show

__all__ = ["GoldCheck", "equality", "finishes", "holds", "inequality", "matching", "panics"]


@dataclass(frozen=True)
class GoldCheck:
    """One assert of a gold test."""

    calls: frozenset[Asked]
    fault: Callable[[Values], str]  # why the values fail it; "" where they pass


def equality(one: Expression, other: Expression, *, tolerance: float = 0.0, relative: float = 0.0) -> GoldCheck:
    """Both must be equal; floats may be apart by the tolerance, or by a part of what is expected."""
    given, expected = (one, other) if one.calls else (other, one)

    def fault(values: Values) -> str:
        found, wanted = given.run(values), expected.run(values)
        is_equal = equal(found, wanted, tolerance, relative)
        return "" if is_equal else _returned(given, values, f"{show(wanted)} was expected")

    return _check(fault, one, other)


def inequality(one: Expression, other: Expression) -> GoldCheck:
    """Both must be of one type, and differ."""
    given, refused = (one, other) if one.calls else (other, one)

    def fault(values: Values) -> str:
        found, wanted = given.run(values), refused.run(values)
        apart = fitting(found, wanted) and not equal(found, wanted)
        return "" if apart else _returned(given, values, f"another value than {show(wanted)} was expected")

    return _check(fault, one, other)


def holds(condition: Expression, text: str) -> GoldCheck:
    """The condition must be true."""

    def fault(values: Values) -> str:
        found = condition.run(values)
        if found.kind == "bool" and found.value:
            return ""
        return _returned(condition, values, f"{text} must hold")

    return _check(fault, condition)


def matching(given: Expression, pattern: Callable[[Term], bool], text: str) -> GoldCheck:
    """The value must match a pattern."""

    def fault(values: Values) -> str:
        found = given.run(values)
        return "" if pattern(found) else _returned(given, values, f"{text} was expected")

    return _check(fault, given)


def finishes(given: Expression) -> GoldCheck:
    """It must not panic: a statement of a test whose value is not looked at."""

    def fault(values: Values) -> str:
        given.run(values)
        return ""

    return _check(fault, given)


def panics(given: Expression, message: str = "") -> GoldCheck:
    """It must panic, with a message that contains the given one."""

    def fault(values: Values) -> str:
        try:
            given.run(values)
        except Panic as panic:
            return (
                ""
                if message in str(panic)
                else f"{_names(given)} panicked with {ascii(str(panic)[:200])}, not {message!r}"
            )
        return _returned(given, values, "a panic was expected")

    return _check(fault, given)


def _check(fault: Callable[[Values], str], *expressions: Expression) -> GoldCheck:
    """A check whose fault names panics and values of the wrong type."""
    calls = frozenset[Asked]().union(*(expression.calls for expression in expressions))

    def guarded(values: Values) -> str:
        try:
            return fault(values)
        except Panic as panic:
            return f"{_names(*expressions)} panicked: {ascii(str(panic)[:200])}"
        except Unfit as error:
            return f"{_values(calls, values)}: it cannot be {error}"
        except (OverflowError, ValueError, MemoryError) as error:
            return f"{_values(calls, values)}: {error}"

    return GoldCheck(calls, guarded)


def _names(*expressions: Expression) -> str:
    return " and ".join(
        sorted(asked.text for expression in expressions for asked in expression.calls if not asked.only_if)
    )


def _values(calls: frozenset[Asked], values: Values) -> str:
    """Every call with its value."""
    return ", ".join(sorted(f"{asked.text} {_said(values[asked])}" for asked in calls if asked in values))


def _said(found: Term | Panic) -> str:
    if isinstance(found, Panic):
        return "panicked"
    return "returns a type of its own" if found.kind == "opaque" else f"returned {show(found)}"


def _returned(given: Expression, values: Values, wanted: str) -> str:
    """What came back and what was wanted."""
    return f"{_values(given.calls, values)}; {wanted}"
