"""What is read of a function's body: which asserts are reached, what values names stand for, and what calls carry."""

from __future__ import annotations

import pytest

from rewards.rust.parse import parse
from rewards.rust.program import ASSERTS


def body(code: str):
    return parse(f"#[test] fn t() {{ {code} }}").tests[0].body


def reached(code: str) -> list[bool]:
    return [found.reachable for found in body(code).asserts]


@pytest.mark.parametrize(
    "code",
    [
        "return; assert!(x)",
        "{ return; } assert!(x)",
        "if true { return; } assert!(x)",
        "loop { break; assert!(x); }",
        "for i in v { continue; assert!(x); }",
        "if false { assert!(x) }",
        "if !true { assert!(x) }",
        "if 1 > 2 { assert!(x) }",
        "let no = false; if no { assert!(x) }",
        "let a = 1; let b = a; if a != b { assert!(x) }",
        "if cfg!(windows) { assert!(x) }",
        "if true {} else { assert!(x) }",
        "while false { assert!(x) }",
        "match 1 { 2 => assert!(x), _ => {} }",
        "for i in 0..0 { assert!(x) }",
        "for i in (5..2) { assert!(x) }",
        "for i in [] { assert!(x) }",
        "let v = vec![]; for i in v { assert!(x) }",
        "#[cfg(any())] assert!(x);",
        "#[cfg(any())] { assert!(x); }",
        "thread::spawn(|| assert!(x));",
        "drop(|| assert!(x));",
        "let _f = async { assert!(x) };",
        "if cfg!(test) { return; } assert!(x)",
        "loop { return; } assert!(x)",
        "const RUN: bool = false; if RUN { assert!(x) }",
        "if x > 1 && false { assert!(x) }",
        "let _ = false && { assert!(x); true };",
        "let _ = true || { assert!(x); true };",
        'if std::env::var("NO").is_ok() { assert!(x) }',
        'if option_env!("NO").is_some() { assert!(x) }',
        "let v: Vec<u8> = Vec::new(); for i in v.iter() { assert!(x) }",
        "for i in (0..3).take(0) { assert!(x) }",
        "for i in (7..1_0_i32).take(0) { assert!(x) }",
        "None::<u8>.map(|y| assert!(x));",
        "std::iter::empty::<u8>().for_each(|y| assert!(x));",
    ],
)
def test_what_never_runs_is_not_reached(code):
    assert reached(code) == [False]


@pytest.mark.parametrize(
    "code",
    [
        "assert!(x)",
        "if x > 1 { return; } assert!(x)",
        "if true { assert!(x) }",
        "let mut go = false; go = f(); if go { assert!(x) }",
        "for i in 0..3 { assert!(x) }",
        "for i in 2..1_000 { assert!(x) }",
        "for i in 0..0x10 { assert!(x) }",
        "for i in 1..1_0i32 { assert!(x) }",
        "for i in 0..0 + n { assert!(x) }",
        "for i in 3..=3 { assert!(x) }",
        "for i in 0.." + "9" * 5000 + " { assert!(x) }",
        "if a && b { assert!(x) }",
        "let _ = a && { assert!(x); true };",
        "for i in [1] { assert!(x) }",
        "for i in 0..n { if i == 1 { continue; } assert!(x) }",
        "loop { if f() { break; } } assert!(x)",
        "match f() { 2 => assert!(x), _ => {} }",
        "#[allow(unused)] { assert!(x); }",
        "#[cfg(any())] return; assert!(x);",
        "v.iter().for_each(|y| assert!(x));",
        "let _ = return_value; assert!(x)",
    ],
)
def test_what_may_run_is_reached(code):
    assert reached(code) == [True]


def test_plain_values_stand_for_their_names():
    (found,) = body("let a = f(1); let b = a; let mut c = 2; assert_eq!(b, g(a, c), x.a);").asserts
    assert found.arguments == ("b", "g ( a , c )")
    assert found.expanded == ("f ( 1 )", "g ( ( f ( 1 ) ) , c )")


def test_values_that_grow_stop_standing_for_their_names():
    (found,) = body("let x = f(1);" + "let x = x + x + x;" * 50 + "assert!(x)").asserts
    assert len(found.expanded[0]) < 2000


def test_an_assigned_name_is_made_of_what_is_assigned():
    read = body("let a; a = f(1); let mut s = 0; s += g(2); let mut v = h(); v.push(k(3)); fill(&mut v, w);")
    assert {"f"} <= read.bound["a"] and {"g"} <= read.bound["s"] and {"h", "k", "fill", "w"} <= read.bound["v"]


def test_closures_and_inner_functions_are_bodies_of_their_own():
    read = body("let check = |a, b| assert_eq!(a, b); fn inner(x: u8) { assert!(x) } check(f(1), 2);")
    assert set(read.inner) == {"check", "inner"} and not read.asserts
    assert {"a", "b"} <= read.inner["check"].parameters
    assert read.calls["check"] == {"f"}
    assert "check" in read.mentions and "inner" not in read.mentions
    assert [found.macro for found in read.all_asserts()] == ["assert_eq", "assert"]


def test_every_assert_of_the_standard_library_is_known():
    (found,) = [body("".join(f"{macro}!(x, y);" for macro in ASSERTS)).asserts]
    assert [one.macro for one in found] == list(ASSERTS)
    assert [len(one.arguments) for one in found] == [1, 2, 2] * 2
