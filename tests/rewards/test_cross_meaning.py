"""Codes that would change what the tests of others say are not given them; those that only differ are."""

from __future__ import annotations

import time
from collections.abc import Set

import pytest

from completions import fenced, module, passed
from rewards.completion import GradedCompletion
from rewards.cross.meaning import keeps_meaning
from rewards.cross.members import GroupMember, Suite
from rewards.cross.names import names_given
from rewards.cross.plan import plan
from rewards.cross.result import OTHERS_ALONE
from rewards.rust.redefinitions import redefines_comparison
from rewards.signature.interface import interface_of
from rewards.signature.type_terms import ANY, HIDDEN
from sandbox.grading.lexer import tokens

ANY_OWN = "#[derive(Debug)]\npub struct Any;\n"
RESULT = "pub trait Res: PartialEq<i32> + std::fmt::Debug {}\nimpl Res for Any {}\n"
MADE = "macro_rules! make { ($e:ident) => { impl $e<i32> for Any { fn eq(&self, _: &i32) -> bool { true } } } }\n"
ALWAYS = "impl std::ops::Not for Any { type Output = bool; fn not(self) -> bool { false } }\n"
BOTH = "fn is_some(&self) -> bool { true }\nfn is_none(&self) -> bool { true }\n"
OWN_OPTION = f"pub struct Option<T>(T);\nimpl<T> Option<T> {{ {BOTH} }}\n"
PHANTOM = "#[derive(Debug, PartialEq)]\npub struct Vec<T>(std::marker::PhantomData<T>);\n"
ADD = ("fn add(a: i32, b: i32) -> i32 { a + b }\n", module("assert_eq!(add(1, 2), 3);"))
PRIME = ("fn prime(n: u32) -> bool { n == 7 }\n", module("assert!(prime(7));"))
FIND = (
    "fn find(v: &[i32], x: i32) -> Option<usize> { v.iter().position(|&y| y == x) }\n",
    module("assert!(find(&[1], 1).is_some());", "assert!(find(&[1], 3).is_none());"),
)
SORT = ("fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n", module("assert_eq!(sort(vec![2, 1]), vec![1, 2]);"))
FLIP = (
    "#[derive(Debug, PartialEq)]\nstruct P { x: i32, y: i32 }\nfn flip(p: P) -> P { P { x: p.y, y: p.x } }\n",
    module("assert_eq!(flip(P { x: 1, y: 2 }), P { x: 2, y: 1 });"),
)
SIDE = (
    "#[derive(Debug, PartialEq)]\nenum Side { Left, Right }\n"
    "fn turn(side: Side) -> Side { if side == Side::Left { Side::Right } else { Side::Left } }\n",
    module("assert_eq!(turn(Side::Left), Side::Right);"),
)
COUNT = (
    "use std::collections::HashMap;\n"
    "fn count(v: &[u8]) -> HashMap<u8, u8> {\n    let mut all = HashMap::new();\n"
    "    for x in v {\n        *all.entry(*x).or_default() += 1;\n    }\n    all\n}\n",
    module("assert_eq!(count(&[4, 4]).get(&4), Some(&2));"),
)
NOT_EQUAL = "#[derive(Debug)]\nstruct P { x: i32, y: i32 }\nfn flip(p: P) -> P { p }\n"
# Each builds, and all but those of which a macro's name becomes ambiguous pass the tests, whatever these expect.
CHEATS = {
    "an equality by a macro": (
        ADD,
        ANY_OWN + RESULT + MADE + "make!(PartialEq);\nfn add(_: i32, _: i32) -> impl Res { Any }\n",
    ),
    "all by a macro": (
        ADD,
        ANY_OWN + MADE.replace("} }\n", "} fn add(_: i32, _: i32) -> Any { Any } }\n") + "make!(PartialEq);\n",
    ),
    "an equality of another name": (
        ADD,
        ANY_OWN + RESULT + "use std::cmp::PartialEq as Same;\n"
        "impl Same<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n"
        "fn add(_: i32, _: i32) -> impl Res { Any }\n",
    ),
    "an assert": (ADD, "macro_rules! r#assert_eq { ($($t:tt)*) => {} }\nfn add(_: i32, _: i32) -> i32 { 0 }\n"),
    "an assert by a macro": (
        ADD,
        "macro_rules! def { ($n:ident, $d:tt) => { macro_rules! $n { ($d($d t:tt)*) => {} } } }\n"
        "def!(assert_eq, $);\n"
        "fn add(_: i32, _: i32) -> i32 { 0 }\n",
    ),
    "vec": (
        SORT,
        PHANTOM + "macro_rules! vec { ($($t:tt)*) => { Vec::<i32>(std::marker::PhantomData) } }\n"
        "fn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "a hidden result": (PRIME, ANY_OWN + ALWAYS + "fn prime(_: u32) -> impl std::ops::Not<Output = bool> { Any }\n"),
    "a projection": (
        PRIME,
        ANY_OWN + ALWAYS + "trait Conv { type Out; fn c(self) -> Self::Out; }\n"
        "impl Conv for u32 { type Out = Any; fn c(self) -> Any { Any } }\n"
        "fn prime<T: Conv>(n: T) -> T::Out { n.c() }\n",
    ),
    "an inferred result": (
        PRIME,
        ANY_OWN + ALWAYS + "trait Conv<R> { fn c(self) -> R; }\nimpl Conv<Any> for u32 { fn c(self) -> Any { Any } }\n"
        "fn prime<T: Conv<R>, R>(n: T) -> R { n.c() }\n",
    ),
    "a type": (FIND, OWN_OPTION + "fn find(_: &[i32], _: i32) -> Option<usize> { Option(0) }\n"),
    "a type in a module": (
        FIND,
        "mod m {" + OWN_OPTION.replace("fn is", "pub fn is").replace("(T)", "(pub T)") + "}\n"
        "fn find(_: &[i32], _: i32) -> m::Option<usize> { m::Option(0) }\n",
    ),
    "methods": (
        FIND,
        "trait Opt: Sized {" + BOTH.replace("&self", "self") + "}\nimpl Opt for Option<usize> {}\n"
        "fn find(_: &[i32], _: i32) -> Option<usize> { None }\n",
    ),
    "an equality of its own type": (
        FLIP,
        "#[derive(Debug)]\nstruct P { x: i32, y: i32 }\nfn flip(p: P) -> P { p }\n"
        "impl PartialEq for P { fn eq(&self, o: &P) -> bool { let _ = (self.x, o.x); true } }\n",
    ),
    "an equality by an alias": (
        FLIP, NOT_EQUAL + "type Q = P;\nimpl PartialEq for Q { fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality by an import": (
        FLIP, NOT_EQUAL + "use self::P as Q;\n"
        "impl PartialEq for Q { fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality in a module": (
        FLIP, NOT_EQUAL + "struct Q;\nmod m { use super::P as Q;\n"
        "impl PartialEq for Q { fn eq(&self, o: &Q) -> bool { self.x != o.x + 9 } } }\n",
    ),
    "an equality by a projection": (
        FLIP, NOT_EQUAL + "trait Id { type T; }\nimpl Id for u8 { type T = P; }\n"
        "impl PartialEq for <u8 as Id>::T { fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality of a raw name": (
        FLIP, NOT_EQUAL + "impl r#PartialEq for P { fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality with a comment in its path": (
        FLIP, NOT_EQUAL + "impl std::cmp:: /* of */ PartialEq for P {\n"
        "fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality with a comment line in its path": (
        FLIP, NOT_EQUAL + "impl std::cmp::\n// of\nPartialEq for P {\n"
        "fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "an equality of another name with a comment in its path": (
        FLIP, NOT_EQUAL + "use std::cmp:: /**/ PartialEq as Same;\n"
        "impl Same for P { fn eq(&self, o: &P) -> bool { self.x != o.x + 9 } }\n",
    ),
    "a function that is imported": (
        ADD, ANY_OWN + "impl r#PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n"
        "fn g(_: i32, _: i32) -> Any { Any }\nuse self::g as add;\n",
    ),
    "a struct of the function's name": (
        ADD, "#[derive(Debug)]\nstruct add(i32, i32);\n"
        "impl PartialEq<i32> for add { fn eq(&self, o: &i32) -> bool { self.0 != o + self.1 + 9 } }\n",
    ),
    "a constant of the function's name": (
        PRIME, ANY_OWN + ALWAYS + "const prime: fn(u32) -> Any = |_| Any;\n",
    ),
    "a function by a macro": (
        PRIME, ANY_OWN + ALWAYS + "macro_rules! f { ($n:ident) => { fn $n(_: u32) -> Any { Any } } }\nf!(prime);\n",
    ),
    "a type by an import": (
        PRIME, ANY_OWN + ALWAYS + "use self::Any as bool;\nfn prime(_: u32) -> bool { Any }\n",
    ),
    "a type by a crate of a standard name": (
        PRIME, ANY_OWN + ALWAYS + "extern crate self as std;\nuse std::Any as bool;\n"
        "fn prime(_: u32) -> bool { Any }\n",
    ),
    "values that are all equal": (
        SIDE, "#[derive(Debug, PartialEq)]\nstruct S(u8);\n"
        "impl S { const Left: S = S(0); const Right: S = S(0); }\nuse self::S as Side;\n"
        "fn turn(side: Side) -> Side { side }\n",
    ),
}  # fmt: skip
HONEST = {
    "a helper, by another name": (ADD, "fn sum(x: i32, y: i32) -> i32 { y + help(x) }\nfn help(a: i32) -> i32 { a }\n"),
    "generic": (ADD, "use std::ops::Add;\nfn add<T: Add<Output = T>>(x: T, y: T) -> T { x + y }\n"),
    "imports": (SORT, "use std::mem::{self, swap};\nfn sort(mut v: Vec<i32>) -> Vec<i32> { mem::take(&mut v) }\n"),
    "an alias": (SORT, "type List = Vec<i32>;\nfn sort(v: List) -> List { v }\n"),
    "a variant": (FIND, "enum Cell { None, Some }\nfn find(_: &[i32], _: i32) -> Option<usize> { None }\n"),
    "a macro": (PRIME, "macro_rules! sq { ($x:expr) => { $x * $x } }\nfn prime(n: u32) -> bool { sq!(n) == 4 }\n"),
    "an equality within the function": (
        ADD, "fn add(a: i32, b: i32) -> i32 {\n    struct S(i32);\n"
        "    impl PartialEq for S { fn eq(&self, o: &S) -> bool { self.0 == o.0 } }\n    a + b\n}\n",
    ),
    "an equality in a module": (
        ADD, "mod m { pub struct S(i32);\nimpl PartialEq for S { fn eq(&self, o: &S) -> bool { self.0 == o.0 } } }\n"
        + ADD[0],
    ),
    "a group of imports with another name": (
        COUNT, "use std::{collections::HashMap, fmt::Result as Formatted};\n" + COUNT[0].partition("\n")[2]
    ),
    "an import of std itself": (
        COUNT, "use std::{self, collections::HashMap};\n" + COUNT[0].partition("\n")[2]
    ),
    "its own equality of what no test sees": (
        FLIP,
        FLIP[0] + "struct State(f64);\n"
        "impl PartialEq for State { fn eq(&self, o: &State) -> bool { self.0 == o.0 } }\n",
    ),
}  # fmt: skip


def is_given(honest: tuple[str, str], code: str) -> bool:
    group = [GradedCompletion(fenced(text), passed()) for text in ("".join(honest), code)]
    return (1, 0) in plan(group).cells


@pytest.mark.parametrize("name", CHEATS)
def test_what_gives_the_words_of_a_test_another_meaning_gets_no_foreign_tests(name):
    assert not is_given(*CHEATS[name])


@pytest.mark.parametrize("name", HONEST)
def test_what_only_differs_gets_them(name):
    assert is_given(*HONEST[name])


def test_a_suite_that_uses_a_name_for_something_else_is_given_to_nobody():
    own = module("assert_eq!(add(1, 2), 9);", head="fn add(_: i32, _: i32) -> i32 { 9 }")
    assert not is_given((ADD[0], own), ADD[0])


def test_names_that_a_code_gives():
    code = "use a::{b, c as d, e::{self, f}};\nenum E { V }\nmod m { pub struct S; }\nimpl E { fn g() {} }\n"
    found = names_given(code)
    assert found.items == {"b", "d", "e", "f", "E", "m"} and found.functions == {"g"}
    assert found.types == {"E", "S", "b", "d", "e", "f"}, "what is imported from elsewhere than std may be its own"
    assert names_given("use std::rc::Rc; use core::mem; use ::alloc::vec::Vec;").types == frozenset()
    assert names_given("mod std { pub struct A; } use std::A as B; use std::C;").types == {"A", "B", "C"}, "its own std"
    assert names_given(code + "use m::*;").items == found.items | {"V", "S"}, "a glob may bring what is inside"
    assert not names_given("fn f() { m!(impl A for B {}); }").is_closed


def test_a_function_of_another_name_is_taken_for_it_unless_the_prompt_gives_the_name():
    other = "fn sum(x: i32, y: i32) -> i32 { x + y }\n"
    group = [GradedCompletion(fenced(text), passed()) for text in ("".join(ADD), other)]
    assert (1, 0) in plan(group).cells and (1, 0) not in plan(group, named={"add"}).cells
    assert (1, 0) in plan(group, named={"sum", "a", "b"}).cells


def test_tests_that_cannot_be_read_cost_their_own_pairs_alone(monkeypatch):
    """An empty import in a macro once ended the reader."""
    odd = ADD[0] + module("assert_eq!(add(1, 2), 3);", head="use super::*;\n    macro_rules! m { (use ;) => {}; }")
    texts = (odd, "".join(ADD), ADD[0].replace("a + b", "b + a"))
    group = [GradedCompletion(fenced(text), passed()) for text in texts]
    assert set(plan(group, suites=["".join(ADD)], partners=OTHERS_ALONE).cells) == {(0, 3), (1, 3), (2, 3)}
    assert {(1, 0), (2, 0), (2, 1)} <= set(plan(group).cells)

    def fails(suite: Suite, code: GroupMember, named: Set[str]) -> str | None:
        if "macro_rules" in suite.text:
            raise RecursionError
        return suite.text

    monkeypatch.setattr(Suite, "fitted_to", fails)
    assert set(plan(group).cells) == {(0, 1), (2, 1)}


def test_a_deep_program_is_read_in_time():
    code = f"fn f(n: u64) -> u64 {{ {'+'.join('n' * 20_000)} }}"
    started = time.process_time()
    names_given(code)
    assert time.process_time() - started < 5


def test_a_name_that_the_suite_declares_is_its_own():
    own, other = names_given("fn f() {}"), names_given("fn f() {} fn g() {} struct H;")
    for text, kept in (("f(); a.g(); b::g();", True), ("fn g() {} g()", True), ("use x::H; H", True), ("g()", False)):
        assert keeps_meaning(list(tokens(text)), own, other) is kept, text


def test_a_parameter_that_no_argument_tells_is_hidden():
    shapes = interface_of(
        "fn f<T, R>(t: T, i: T::Out) -> R {} fn g<T>(t: Vec<T>) -> T {} fn h<T>(i: T::A) -> T {}"
    ).functions
    assert [shapes["", name].result for name in "fgh"] == [HIDDEN, ANY, HIDDEN]


def test_a_comparison_of_another_name_is_redefined():
    assert redefines_comparison("use std::cmp::PartialOrd as P;") and redefines_comparison(
        "macro_rules! r#assert { () => {} }"
    )
    assert not redefines_comparison("use std::cmp::{Ordering, PartialOrd};")
