"""Whether a program has what a signature says, so that calls written for the one may be made of the other."""

from __future__ import annotations

from rewards.signature.interface import FunctionShape, Interface, OwnShape
from rewards.signature.type_terms import may_fit, owned

__all__ = ["mismatch", "missing_names"]


def missing_names(wanted: Interface, given: Interface) -> list[str]:
    """The functions, methods and types of one interface that another lacks, by name; none where macros may add them.

    A function that is imported under its name counts as there.
    """
    if given.is_open:
        return []
    functions = [
        f"{owner}::{name}" if owner else name
        for owner, name in wanted.functions
        if (owner, name) not in given.functions and (owner or name not in given.names)
    ]
    return functions + [name for name in wanted.types if name not in given.types and name not in given.names]


def mismatch(wanted: Interface, given: Interface) -> str:
    """Why calls written for one interface cannot be made of another; "" where they may fit.

    Functions are compared by name, number and types of their parameters, and by their result; own types by their
    fields. What decides between types is `rewards.signature.type_terms.may_fit`.
    """
    if missing := missing_names(wanted, given):
        return f"it has no {missing[0]}"
    for (owner, name), function in wanted.functions.items():
        if (owner, name) in given.functions and (found := _function(function, given.functions[owner, name])):
            return f"{owner}::{name} {found}" if owner else f"{name} {found}"
    for name, shape in wanted.types.items():
        if name in given.types and not _same_fields(shape, given.types[name]):
            return f"{name} has other fields"
    return ""


def _function(wanted: FunctionShape, given: FunctionShape) -> str:
    """In what a function differs."""
    if wanted.has_self != given.has_self or len(wanted.parameters) != len(given.parameters):
        return f"has {_count(given)} where {_count(wanted)} would be called"
    for number, pair in enumerate(zip(wanted.parameters, given.parameters, strict=True), 1):
        if not may_fit(*pair):
            return f"has another type as parameter {number}"
    return "" if may_fit(owned(wanted.result), owned(given.result)) else "returns another type"


def _count(function: FunctionShape) -> str:
    count = len(function.parameters)
    return f"{'self and ' if function.has_self else ''}{count} parameter{'s' * (count != 1)}"


def _same_fields(wanted: OwnShape, given: OwnShape) -> bool:
    """Whether a type can be made and looked into as another, whatever the order of its fields."""
    ours, theirs = dict(wanted.fields), dict(given.fields)
    return wanted.kind == given.kind and ours.keys() == theirs.keys() and all(may_fit(ours[n], theirs[n]) for n in ours)
