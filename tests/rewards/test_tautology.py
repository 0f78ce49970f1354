"""An assert that is true by its form is found, and one that could fail never is."""

from __future__ import annotations

import pytest

from rewards.rust.parse import parse
from rewards.strictness.tautology import never_fails

TRUE = [
    "assert_eq!(x, x)", "assert_eq!(f(1), f( 1 ))", "assert_eq!(&x, x.clone())", "assert_eq!((x), x)",
    "assert!(x == x)", "assert!(x <= x)", "assert!(x >= x)", "assert!(!(x != x))", "assert!(!(x < x))",
    "assert!(true)", "assert!(1 < 2)", "assert!(x || true)", "assert!(true || x)", "assert!(!(x && false))",
    "assert!(x == 1 || x != 1)", "assert!(x < 1 || x >= 1)", "assert!(p || !p)", "assert!(!p || p)",
    "assert!((x == x) && (y == y))", "assert!(x == 4 || 1 == 1)", "assert!(!(!(x == x)))", "assert!(!(p && !p))",
    "assert_eq!(super::f(1), f(1))", "assert_eq!(crate::f(1), self::f(1))", "assert!(matches!(x, _))",
    "assert!(matches!(f(1), Some(_) | None))", "assert!(matches!(f(1), Ok(..) | Err(_)))",
    "assert!(f(1).is_some() || f(1).is_none())", "assert!(x.is_err() || x.is_ok())",
]  # fmt: skip
OPEN = [
    "assert_eq!(x, y)", "assert_ne!(x, y)", "assert_ne!(x, x)", "assert_eq!(f(1), f(2))", "assert_eq!(x, -x)",
    "assert!(x)", "assert!(x == y)", "assert!(x != x)", "assert!(x < x)", "assert!(p || q)", "assert!(p && true)",
    "assert!(x == 1 || x != 2)", "assert!(!(x == x))", "assert!((x == x) && y)", "assert!(!p)", "assert!(!(p || q))",
    "assert!((a)(b) == (a)(c))", "assert!(false || p)", "assert!(matches!(x, Some(_)))",
    "assert!(matches!(x, Some(1) | None))", "assert!(x.is_some() || y.is_none())", "assert!(!matches!(x, _))",
    "assert_eq!(a::f(1), b::f(1))", "assert!()", "assert_eq!()", "assert!(",
]  # fmt: skip


def asserted(text: str):
    return parse(f"#[test] fn t() {{ {text}; }}").asserts


@pytest.mark.parametrize("text", TRUE)
def test_what_is_true_by_its_form_never_fails(text):
    assert all(map(never_fails, asserted(text))) and asserted(text)


@pytest.mark.parametrize("text", OPEN)
def test_what_may_fail_is_left_alone(text):
    assert not any(found.names and never_fails(found) for found in asserted(text))


def test_a_condition_that_is_too_long_is_left_alone():
    (found,) = asserted("assert!(" + " || ".join(["x == x"] * 200) + ")")
    assert not never_fails(found)
