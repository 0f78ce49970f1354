"""Which values Rust compares at all, and in which order they are.

That two values differ says nothing where the program returned another type than the test was written for: `!=` then
does not compile in Rust, and is Unfit here.
"""

from __future__ import annotations

from rewards.gold.terms import Term, Unfit, constructor, equal, of_one_width, same_path

__all__ = ["STANDARD", "are_equal", "fitting", "is_own", "is_own_below", "order", "related"]

FAMILIES = (("None", "Some"), ("Ok", "Err"), ("Less", "Equal", "Greater"))  # each in the order of its variants
RANKS = {name: (family, rank) for family, names in enumerate(FAMILIES) for rank, name in enumerate(names)}
STANDARD = frozenset(
    ("Range", "RangeInclusive", "RangeFrom", "RangeTo", "RangeToInclusive", "Duration", "Reverse", "Wrapping",
     "ParseIntError", "ParseFloatError", "ParseBoolError", "ParseCharError", "TryFromIntError")
)  # fmt: skip


def is_own(term: Term) -> bool:
    """Whether a value's type is not of the standard library, or not known."""
    if term.kind != "constructor":
        return term.kind == "opaque"
    before, _, last = str(term.value).rpartition("::")
    if str(term.value) in STANDARD:
        return bool(term.names) and not last.endswith("Error")  # `struct Range { start: u8, end: u8 }` of the program
    return before not in ("", "Option", "Result", "Ordering") or last not in RANKS


def is_own_below(term: Term) -> bool:
    """Whether a value or one of its parts is of such a type."""
    return is_own(term) or any(map(is_own_below, term.parts))


def fitting(one: Term, other: Term) -> bool:
    """Whether two values can be of one type, and all of both is known."""
    if one.kind != other.kind or one.kind == "opaque":
        return False
    match one.kind:
        case "int" | "float":
            return _fitting_numbers(one, other)
        case "tuple":
            same = len(one.parts) == len(other.parts)
            return same and all(map(fitting, one.parts, other.parts))
        case "constructor":
            return _fitting_constructors(one, other)
        case "seq" | "set" | "map":
            parts, twins = one.parts or other.parts, other.parts or one.parts
            pairs = [*((part, twins[0]) for part in parts), *((parts[0], twin) for twin in twins)]
            return all(fitting(*pair) for pair in pairs)
    return True


def _fitting_numbers(one: Term, other: Term) -> bool:
    try:
        of_one_width(one, other)
    except Unfit:
        return False
    return True


def _fitting_constructors(one: Term, other: Term) -> bool:
    if same_path(one.value, other.value):
        if len(one.parts) != len(other.parts) or sorted(one.names) != sorted(other.names):
            return False
        places = [other.names.index(name) for name in one.names] if one.names else range(len(one.parts))
        return all(fitting(part, other.parts[place]) for part, place in zip(one.parts, places, strict=True))
    if not all(map(_is_known, (*one.parts, *other.parts))):
        return False
    return related(str(one.value), str(other.value))


def related(one: str, other: str) -> bool:
    """Whether two paths can be those of variants of one enum.

    >>> related("Some", "None"), related("Side::West", "East"), related("Side::West", "Size::Small")
    (True, True, False)
    """
    if same_path(one, other):
        return True
    left, right = one.split("::"), other.split("::")
    if not is_own(constructor(one)) or not is_own(constructor(other)):
        return left[-1] in RANKS and right[-1] in RANKS and RANKS[left[-1]][0] == RANKS[right[-1]][0]
    if len(left) > 1 and len(right) > 1:
        return left[-2] == right[-2]
    return len(left) > 1 or len(right) > 1  # a variant that the test has imported


def _is_known(term: Term) -> bool:
    return term.kind != "opaque" and all(map(_is_known, term.parts))


def are_equal(one: Term, other: Term) -> bool:
    """Whether two values are equal. Raises: Unfit where Rust does not compare them."""
    if not fitting(one, other):
        raise Unfit("compared")
    return equal(one, other)


def order(one: Term, other: Term) -> int | None:
    """Negative where the first is less, positive where it is greater; None for what has no order, such as NaN.

    Raises: Unfit where Rust does not compare them, or only the program can.
    """
    if one.kind != other.kind:
        raise Unfit("compared by order")
    match one.kind:
        case "int" | "float":
            left, right = (term.value for term in of_one_width(one, other))
            return None if left != left or right != right else (left > right) - (left < right)
        case "str" | "char" | "bool":
            return bool(one.value > other.value) - bool(one.value < other.value)
        case "seq":
            return _order_of_parts(one, other)
        case "tuple" if len(one.parts) == len(other.parts):
            return _order_of_parts(one, other)
        case "constructor" if not is_own(one) and not is_own(other) and fitting(one, other):
            return _order_of_variants(one, other)
    raise Unfit("compared by order")


def _order_of_parts(one: Term, other: Term) -> int | None:
    """The order of the first parts that differ; of two beginnings the shorter is less."""
    for part, twin in zip(one.parts, other.parts, strict=False):
        found = order(part, twin)
        if found != 0:
            return found
    return (len(one.parts) > len(other.parts)) - (len(one.parts) < len(other.parts))


def _order_of_variants(one: Term, other: Term) -> int | None:
    ranks = [RANKS.get(str(term.value).split("::")[-1]) for term in (one, other)]
    if ranks[0] != ranks[1] and ranks[0] is not None and ranks[1] is not None:
        return ranks[0][1] - ranks[1][1]
    if str(one.value) in STANDARD and one.value not in ("Duration", "Reverse", "Wrapping"):
        raise Unfit("compared by order")
    found = _order_of_parts(one, other)
    return -found if found is not None and one.value == "Reverse" else found
