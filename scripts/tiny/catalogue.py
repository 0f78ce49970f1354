"""All operations, their combinations with element types, and the split that each combination belongs to.

The tables: single values, sequences (`&[T]` or `Vec<T>`), and values wrapped in an Option, a tuple or a struct of two
fields.

Most operations are learned on most element types and evaluated on the rest, which measures composition. Some operations
are never learned: each has a sibling that is (`choose` for `choose_other`), and they make the harder set. The choice of
combinations is a hash of the two names, so it depends on no order, no seed, and no other entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Literal

from tiny.operation import Operation, operation
from tiny.rust_types import ELEMENTS, Element

__all__ = ["HARDER", "OPERATIONS", "SPLITS", "Split", "combinations", "rivals", "split_of"]

Split = Literal["train", "eval", "harder"]


def _at(values: list[object], index: int) -> object | None:
    """The value at the index, None outside."""
    return values[index] if 0 <= index < len(values) else None


_SCALARS: tuple[Operation, ...] = (
    # fmt: off
    operation("larger", "T; T -> T", "order", max, ("if $a > $b { $a } else { $b }", "$a.max($b)"),
              "the larger of $a and $b", "whichever of $a and $b is greater"),
    operation("smaller", "T; T -> T", "order", min, ("if $a < $b { $a } else { $b }", "$a.min($b)"),
              "the smaller of $a and $b", "whichever of $a and $b is less"),
    operation("equal", "T; T -> bool", "any", lambda a, b: a == b, "$a == $b",
              "whether $a and $b are equal", "true if $a equals $b"),
    operation("differ", "T; T -> bool", "any", lambda a, b: a != b, "$a != $b",
              "whether $a and $b are different", "true if $a is not equal to $b"),
    operation("above", "T; T -> bool", "order", lambda a, b: a > b, "$a > $b",
              "whether $a is greater than $b", "true if $a is above $b"),
    operation("below", "T; T -> bool", "order", lambda a, b: a < b, "$a < $b",
              "whether $a is less than $b", "true if $a is below $b"),
    operation("swap", "T; T -> (T, T)", "any", lambda a, b: (b, a), "($b, $a)",
              "a tuple with $b first and $a second", "the two values as a tuple in swapped order"),
    operation("pair", "T; T -> (T, T)", "any", lambda a, b: (a, b), "($a, $b)",
              "a tuple with $a first and $b second", "the two values as a tuple in the given order"),
    operation("listed", "T; T -> Vec<T>", "any", lambda a, b: [a, b], "vec![$a, $b]",
              "a vector of $a and then $b", "a vector that holds $a followed by $b"),
    operation("listed_back", "T; T -> Vec<T>", "any", lambda a, b: [b, a], "vec![$b, $a]",
              "a vector of $b and then $a", "a vector that holds $b followed by $a"),
    operation("if_equal", "T; T -> Option<T>", "any", lambda a, b: a if a == b else None,
              "if $a == $b { Some($a) } else { None }",
              "$a if it equals $b, otherwise None", "Some of $a when both are equal and None when not"),
    operation("if_different", "T; T -> Option<T>", "any", lambda a, b: a if a != b else None,
              "if $a != $b { Some($a) } else { None }",
              "$a if it differs from $b, otherwise None", "Some of $a when both are different and None when not"),
    operation("if_above", "T; T -> Option<T>", "order", lambda a, b: a if a > b else None,
              "if $a > $b { Some($a) } else { None }",
              "$a if it is greater than $b, otherwise None", "Some of $a when $a is above $b and None when not"),
    operation("choose", "bool; T; T -> T", "any", lambda a, b, c: b if a else c, "if $a { $b } else { $c }",
              "$b if $a is true, otherwise $c", "$b when $a holds and $c when not"),
    operation("choose_other", "bool; T; T -> T", "any", lambda a, b, c: c if a else b, "if $a { $c } else { $b }",
              "$c if $a is true, otherwise $b", "$c when $a holds and $b when not"),
    operation("some_when", "bool; T -> Option<T>", "any", lambda a, b: b if a else None,
              "if $a { Some($b) } else { None }",
              "$b if $a is true, otherwise None", "Some of $b when $a holds and None when not"),
    operation("some_unless", "bool; T -> Option<T>", "any", lambda a, b: None if a else b,
              "if $a { None } else { Some($b) }",
              "None if $a is true, otherwise $b", "Some of $b unless $a holds, in which case None"),
    operation("largest", "T; T; T -> T", "order", max, "$a.max($b).max($c)",
              "the largest of $a, $b and $c", "the greatest of the three values"),
    operation("smallest", "T; T; T -> T", "order", min, "$a.min($b).min($c)",
              "the smallest of $a, $b and $c", "the least of the three values"),
    operation("wrap", "T -> Option<T>", "many", lambda a: a, "Some($a)",
              "$a wrapped in Some", "an Option that holds $a"),
    operation("single", "T -> Vec<T>", "many", lambda a: [a], "vec![$a]",
              "a vector that holds only $a", "a vector with $a as its one element"),
    operation("repeat", "T; usize -> Vec<T>", "any", lambda a, b: [a] * b, "vec![$a; $b]",
              "a vector of $b copies of $a", "a vector that repeats $a $b times"),
    operation("even", "T -> bool", "int", lambda a: a % 2 == 0, "$a % 2 == 0",
              "whether $a is even", "true if $a is an even number"),
    operation("odd", "T -> bool", "int", lambda a: a % 2 == 1, "$a % 2 == 1",
              "whether $a is odd", "true if $a is an odd number"),
    operation("zero", "T -> bool", "int", lambda a: a == 0, "$a == 0",
              "whether $a is zero", "true if $a equals 0"),
    # fmt: on
)

_SEQUENCES: tuple[Operation, ...] = (
    # fmt: off
    operation("first", "S -> Option<T>", "any", lambda a: _at(a, 0), "$a.first().$copied()",
              "the first element of $a, or None if it is empty", "the element at the start of $a, if there is one"),
    operation("last", "S -> Option<T>", "any", lambda a: _at(a, len(a) - 1), "$a.last().$copied()",
              "the last element of $a, or None if it is empty", "the element at the end of $a, if there is one"),
    operation("second", "S -> Option<T>", "any", lambda a: _at(a, 1), "$a.get(1).$copied()",
              "the second element of $a, or None if there is none", "the element of $a at index 1, if there is one"),
    operation("length", "S -> usize", "any", len, "$a.len()",
              "the number of elements in $a", "how many elements $a has"),
    operation("is_empty", "S -> bool", "any", lambda a: not a, "$a.is_empty()",
              "whether $a is empty", "true if $a has no elements"),
    operation("not_empty", "S -> bool", "any", bool, "!$a.is_empty()",
              "whether $a has at least one element", "true if $a is not empty"),
    operation("is_single", "S -> bool", "any", lambda a: len(a) == 1, "$a.len() == 1",
              "whether $a has exactly one element", "true if the length of $a is 1"),
    operation("contains", "S; T -> bool", "any", lambda a, b: b in a, "$a.contains(&$b)",
              "whether $a contains $b", "true if $b is one of the elements of $a"),
    operation("lacks", "S; T -> bool", "any", lambda a, b: b not in a, "!$a.contains(&$b)",
              "whether $b is missing from $a", "true if no element of $a equals $b"),
    operation("starts_with", "S; T -> bool", "any", lambda a, b: a[:1] == [b], "$a.first() == Some(&$b)",
              "whether the first element of $a is $b", "true if $a starts with $b"),
    operation("ends_with", "S; T -> bool", "any", lambda a, b: a[-1:] == [b], "$a.last() == Some(&$b)",
              "whether the last element of $a is $b", "true if $a ends with $b"),
    operation("count", "S; T -> usize", "any", lambda a, b: a.count(b), "$a.iter().filter(|v| **v == $b).count()",
              "how many elements of $a equal $b", "the number of times $b occurs in $a"),
    operation("maximum", "S -> Option<T>", "total", lambda a: max(a, default=None), "$a.iter().$copied().max()",
              "the largest element of $a, or None if it is empty", "the greatest element of $a, if there is one"),
    operation("minimum", "S -> Option<T>", "total", lambda a: min(a, default=None), "$a.iter().$copied().min()",
              "the smallest element of $a, or None if it is empty", "the least element of $a, if there is one"),
    operation("first_or", "S; T -> T", "any", lambda a, b: a[0] if a else b, "$a.first().$copied().unwrap_or($b)",
              "the first element of $a, or $b if it is empty", "the element at the start of $a, by default $b"),
    operation("last_or", "S; T -> T", "any", lambda a, b: a[-1] if a else b, "$a.last().$copied().unwrap_or($b)",
              "the last element of $a, or $b if it is empty", "the element at the end of $a, by default $b"),
    # fmt: on
)

_WRAPPED: tuple[Operation, ...] = (
    # fmt: off
    operation("unwrap_or", "Option<T>; T -> T", "any", lambda a, b: b if a is None else a, "$a.unwrap_or($b)",
              "the value in $a, or $b if there is none", "what $a holds, with $b as the default"),
    operation("is_some", "Option<T> -> bool", "any", lambda a: a is not None, "$a.is_some()",
              "whether $a holds a value", "true if $a is Some"),
    operation("is_none", "Option<T> -> bool", "any", lambda a: a is None, "$a.is_none()",
              "whether $a holds no value", "true if $a is None"),
    operation("or_else", "Option<T>; Option<T> -> Option<T>", "any", lambda a, b: b if a is None else a, "$a.or($b)",
              "$a if it is Some, otherwise $b", "the first of the two that is Some"),
    operation("and_then", "Option<T>; Option<T> -> Option<T>", "any",
              lambda a, b: None if a is None else b, "$a.and($b)",
              "$b if $a is Some, otherwise None", "None if $a is None and $b in all other cases"),
    operation("holds", "Option<T>; T -> bool", "any", lambda a, b: a == b, "$a == Some($b)",
              "whether $a holds $b", "true if $a is Some of $b"),
    operation("left", "(T, T) -> T", "any", lambda a: a[0], "$a.0",
              "the first value of the tuple $a", "the left value of $a"),
    operation("right", "(T, T) -> T", "any", lambda a: a[1], "$a.1",
              "the second value of the tuple $a", "the right value of $a"),
    operation("middle", "(T, T, T) -> T", "any", lambda a: a[1], "$a.1",
              "the middle value of the tuple $a", "the second of the three values in $a"),
    operation("rightmost", "(T, T, T) -> T", "any", lambda a: a[2], "$a.2",
              "the last value of the tuple $a", "the third of the three values in $a"),
    operation("tuple_swap", "(T, T) -> (T, T)", "any", lambda a: (a[1], a[0]), "($a.1, $a.0)",
              "the tuple $a with its values swapped", "a tuple of the two values of $a in the other order"),
    operation("tuple_equal", "(T, T) -> bool", "any", lambda a: a[0] == a[1], "$a.0 == $a.1",
              "whether the two values of $a are equal", "true if both values of the tuple $a are the same"),
    operation("tuple_larger", "(T, T) -> T", "order", max, "if $a.0 > $a.1 { $a.0 } else { $a.1 }",
              "the larger value of the tuple $a", "whichever of the two values of $a is greater"),
    operation("build", "T; T -> Duo", "any", lambda a, b: (a, b), "$Duo { $one: $a, $two: $b }",
              "the struct with $a as $one and $b as $two", "a struct whose $one is $a and whose $two is $b"),
    operation("field_one", "Duo -> T", "any", lambda a: a[0], "$a.$one",
              "the field $one of $a", "the value of $one in $a"),
    operation("field_two", "Duo -> T", "any", lambda a: a[1], "$a.$two",
              "the field $two of $a", "the value of $two in $a"),
    operation("flip", "Duo -> Duo", "any", lambda a: (a[1], a[0]), "$Duo { $one: $a.$two, $two: $a.$one }",
              "the struct $a with its two fields swapped", "a struct with the fields of $a exchanged"),
    operation("fields_equal", "Duo -> bool", "any", lambda a: a[0] == a[1], "$a.$one == $a.$two",
              "whether both fields of $a are equal", "true if $one and $two of $a are the same"),
    operation("fields_larger", "Duo -> T", "order", max, "if $a.$one > $a.$two { $a.$one } else { $a.$two }",
              "the larger field of $a", "whichever of $one and $two of $a is greater"),
    operation("tuple_smaller", "(T, T) -> T", "order", min, "if $a.0 < $a.1 { $a.0 } else { $a.1 }",
              "the smaller value of the tuple $a", "whichever of the two values of $a is less"),
    operation("fields_smaller", "Duo -> T", "order", min, "if $a.$one < $a.$two { $a.$one } else { $a.$two }",
              "the smaller field of $a", "whichever of $one and $two of $a is less"),
    operation("some_left", "(T, T) -> Option<T>", "any", lambda a: a[0], "Some($a.0)",
              "Some of the first value of the tuple $a", "the left value of $a wrapped in Some"),
    operation("some_right", "(T, T) -> Option<T>", "any", lambda a: a[1], "Some($a.1)",
              "Some of the second value of the tuple $a", "the right value of $a wrapped in Some"),
    operation("some_middle", "(T, T, T) -> Option<T>", "any", lambda a: a[1], "Some($a.1)",
              "Some of the middle value of the tuple $a", "the second of the three values in $a wrapped in Some"),
    operation("some_field_one", "Duo -> Option<T>", "any", lambda a: a[0], "Some($a.$one)",
              "Some of the field $one of $a", "the value of $one in $a wrapped in Some"),
    operation("some_field_two", "Duo -> Option<T>", "any", lambda a: a[1], "Some($a.$two)",
              "Some of the field $two of $a", "the value of $two in $a wrapped in Some"),
    operation("list_left", "(T, T) -> Vec<T>", "any", lambda a: [a[0]], "vec![$a.0]",
              "a vector that holds only the first value of $a",
              "a vector with the left value of $a as its one element"),
    operation("list_right", "(T, T) -> Vec<T>", "any", lambda a: [a[1]], "vec![$a.1]",
              "a vector that holds only the second value of $a",
              "a vector with the right value of $a as its one element"),
    operation("outer", "(T, T, T) -> (T, T)", "any", lambda a: (a[0], a[2]), "($a.0, $a.2)",
              "a tuple of the first and the last value of $a", "the tuple $a without its middle value"),
    operation("choose_side", "bool; (T, T) -> T", "any", lambda a, b: b[0] if a else b[1],
              "if $a { $b.0 } else { $b.1 }",
              "the first value of $b if $a is true, otherwise the second",
              "the left value of $b when $a holds and the right one when not"),
    operation("choose_field", "bool; Duo -> T", "any", lambda a, b: b[0] if a else b[1],
              "if $a { $b.$one } else { $b.$two }",
              "the field $one of $b if $a is true, otherwise $two", "$one of $b when $a holds and $two when not"),
    operation("choose_option", "bool; Option<T>; Option<T> -> Option<T>", "any", lambda a, b, c: b if a else c,
              "if $a { $b } else { $c }",
              "$b if $a is true, otherwise $c", "$b when $a holds and $c when not"),
    operation("keep_when", "bool; Option<T> -> Option<T>", "any", lambda a, b: b if a else None,
              "if $a { $b } else { None }",
              "$b if $a is true, otherwise None", "$b when $a holds and None when not"),
    operation("or_some", "Option<T>; T -> Option<T>", "any", lambda a, b: b if a is None else a, "$a.or(Some($b))",
              "$a if it holds a value, otherwise Some of $b", "Some of what $a holds, with $b as the default"),
    operation("or_left", "Option<T>; (T, T) -> T", "any", lambda a, b: b[0] if a is None else a, "$a.unwrap_or($b.0)",
              "the value in $a, or the first value of $b if there is none",
              "what $a holds, with the left value of $b as the default"),
    operation("or_field", "Option<T>; Duo -> T", "any", lambda a, b: b[0] if a is None else a, "$a.unwrap_or($b.$one)",
              "the value in $a, or the field $one of $b if there is none",
              "what $a holds, with $one of $b as the default"),
    # fmt: on
)

OPERATIONS: tuple[Operation, ...] = _SCALARS + _SEQUENCES + _WRAPPED
SPLITS: tuple[Split, ...] = ("train", "eval", "harder")
HARDER = (
    *("pair", "listed", "differ", "below", "odd", "smallest", "choose_other", "some_unless", "if_different"),
    *("not_empty", "lacks", "ends_with", "last_or", "is_none", "tuple_larger", "fields_equal"),
)
_HELD_OUT_SHARE = 0.2  # of the combinations of an operation that several element types have
_FEWEST = 4  # element types an operation needs before any is held out


def split_of(operation: Operation, element: Element) -> Split:
    """The split that this operation on this element type belongs to.

    An operation with fewer than four element types is for training alone: holding one out would leave too few to learn
    from.
    """
    if operation.name in HARDER:
        return "harder"
    if sum(operation.applies_to(other) for other in ELEMENTS) < _FEWEST:
        return "train"
    digest = hashlib.sha256(f"{operation.name}/{element.name}".encode()).digest()
    return "eval" if digest[0] / 256 < _HELD_OUT_SHARE else "train"


def combinations(split: Split, family: Collection[str] = ()) -> list[tuple[Operation, Element]]:
    """Every combination that tasks of this split may ask for: of all operations, or of those that a family names."""
    return [
        (operation, element)
        for operation in OPERATIONS
        for element in ELEMENTS
        if (not family or operation.name in family)
        and operation.applies_to(element)
        and split_of(operation, element) == split
    ]


def rivals(operation: Operation, element: Element) -> list[Operation]:
    """Other operations with the same parameters and result on this element: what a wrong program would compute."""
    return [
        other
        for other in OPERATIONS
        if other.name != operation.name
        and other.params == operation.params
        and other.returns == operation.returns
        and other.applies_to(element)
    ]
