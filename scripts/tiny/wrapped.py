"""Operations on values inside something: Option, tuples, and a struct of two fields."""

from __future__ import annotations

from tiny.operation import Operation, operation

__all__ = ["WRAPPED"]

WRAPPED: tuple[Operation, ...] = (
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
    operation("same_option", "Option<T>; Option<T> -> bool", "any", lambda a, b: a == b, "$a == $b",
              "whether $a and $b are equal", "true if $a equals $b"),
    operation("both_some", "Option<T>; Option<T> -> bool", "any", lambda a, b: a is not None and b is not None,
              "$a.is_some() && $b.is_some()",
              "whether both $a and $b hold a value", "true if $a and $b are both Some"),
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
    # fmt: on
)
