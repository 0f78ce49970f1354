"""Operations on sequences (`&[T]` or `Vec<T>`): reading, searching, counting, and building new vectors."""

from __future__ import annotations

from tiny.operation import Operation, operation

__all__ = ["SEQUENCE_OPERATIONS"]


def _at(values: list[object], index: int) -> object | None:
    """The value at the index, None outside."""
    return values[index] if 0 <= index < len(values) else None


SEQUENCE_OPERATIONS: tuple[Operation, ...] = (
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
