"""Tests are called separate only if they cannot change the result for the rest; None for all other programs."""

import pytest

from programs import GOOD, in_test
from sandbox.grading.separation import find_test_module

TESTS = GOOD[GOOD.index("#[cfg(test)]") :]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (GOOD, 3),
        ("fn f() {}\n", 1),
        ("fn f() {}\n// of the tests\n" + TESTS, 1),
        ("use std::collections::HashMap;\nfn f() -> HashMap<u8, u8> { HashMap::new() }\n" + TESTS, 2),
        ("use std::fmt::{self, Display};\nfn f(x: impl Display) -> fmt::Result { Ok(()) }\n" + TESTS, 2),
        ("#![allow(unused)]\n#[derive(Debug)]\nstruct A;\nimpl A {}\n" + TESTS, 4),
        (GOOD.replace("a + b", "a.deny() + b.expect(1)"), 3),
    ],
)
def test_tests_that_stand_apart(source: str, line: int) -> None:
    found = find_test_module(source)
    assert found is not None and found.last_line == line


REASONS = {
    "no program": "",
    "tests alone": TESTS,
    "a test outside": GOOD.replace("fn add", "#[test]\nfn t() {}\nfn add"),
    "an attribute at the end": GOOD + "#[test]",
    "a modifier at the end": GOOD + "async",
    "a macro at the end": GOOD + "m!",
    "code after the tests": GOOD + "fn after() {}",
    "two test modules": GOOD + TESTS.replace("mod tests", "mod more"),
    "tests that are named outside": "use tests::*;\n" + GOOD,
    "tests that implement a trait": in_test("struct A; impl Default for A { fn default() -> A { A } }"),
    "tests that derive": in_test("#[derive(Default)] struct A;"),
    "a macro in tests": in_test("macro_rules! m { () => {} }"),
    "a macro outside": "macro_rules! m { () => {} }\n" + GOOD,
    "a public test module": GOOD.replace("mod tests", "pub mod tests"),
    "another attribute": GOOD.replace("#[cfg(test)]", "#[cfg(test)]\n#[allow(unused)]"),
    "an attribute before": GOOD.replace("#[cfg(test)]", "#[derive(Debug)]\n#[cfg(test)]"),
    "tests in the middle of a line": GOOD.replace("}\n\n#[cfg(test)]", "} #[cfg(test)]"),
    "a denied lint": "#![deny(warnings)]\n" + GOOD,
    "a denied lint further down": GOOD.replace("fn add", "#[deny(unused)]\nfn add"),
    "an expected lint": GOOD.replace("fn add", "#[expect(unused)]\nfn add"),
    "an import for the tests": "use std::collections::HashMap;\n" + GOOD,
    "an import that is a method too": "use std::cmp::max;\n" + GOOD.replace("a + b", "a.max(b)"),
    "an import that is a variant too": "use std::cmp::max;\nenum E {\n    max,\n}\n" + GOOD,
    "an import that is a field too": "use std::cmp::max;\nstruct E {\n    max: u8,\n}\n" + GOOD,
    "an import that is a variable too": "use std::cmp::max;\n" + GOOD.replace("a + b", "let max = a; max + b"),
    "an import that ends a path too": "use std::str::FromStr;\nfn f<T: std::str::FromStr>() {}\n" + GOOD,
    "a raw test": "#[r#test]\nfn t() {}\n" + GOOD,
    "a raw level": "#![r#deny(unused)]\n" + GOOD,
    "raw tests": "fn f() { tests::g(); }\n" + GOOD.replace("mod tests", "mod r#tests"),
    "a comment at the end": GOOD + "// the end",
    "a call of main": GOOD.replace("a + b", "main(); a + b"),
    "an import of a trait": "use std::fmt::Write as _;\n" + GOOD,
    "an import of everything": "use std::collections::*;\n" + GOOD,
    "an unclosed brace": "fn f() {\n" + GOOD,
    "an unclosed string": GOOD + '"',
    "brackets that cross": "fn f() { ( } )\n" + GOOD,
    "a file of its own": "mod other;\n" + GOOD,
    "a use that is none": "struct A;\nfn f() -> use<'a> } ; { ) ( ;\n" + GOOD,
    "use and nothing else": "use } ; use { self } , * ; use self ; use",
    "another alphabet": "fn größe() {}\n" + GOOD,
}


@pytest.mark.parametrize("reason", REASONS)
def test_tests_that_may_matter_to_the_rest(reason: str) -> None:
    assert find_test_module(REASONS[reason]) is None


@pytest.mark.parametrize(
    ("change", "is_portable"),
    [
        (("a + b", "a * b"), True),
        (("a + b", "let process = a; process + b"), True),
        (("a + b", "{ std::process::exit(3) }"), False),
        (("a + b", "crate::add(a, b)"), False),
        (("a + b", 'println!("{}", file!()); a + b'), False),
        (("a + b", 'println!("{}", std::any::type_name::<u8>()); a + b'), False),
        (("a + b", "static X: i32 = 1; a + b + X"), False),
        (("a + b", 'let x: &\'static str = ""; a + b + x.len() as i32'), True),
        (("a + b", "std::thread::yield_now(); a + b"), False),
        (("use super::*;", "use super::super::*;"), False),
        (("use super::*;", "use super::add;"), True),
        (("fn add", "#![allow(unused)]\nfn add"), False),
        (("fn add", "mod inner {}\nfn add"), False),
        (("fn add", "pub use std::cmp::max;\nfn f() { max(1, 2); }\nfn add"), False),
    ],
)
def test_what_can_tell_where_it_is(change: tuple[str, str], is_portable: bool) -> None:
    found = find_test_module(GOOD.replace(*change))
    assert found is not None and found.is_portable == is_portable


def test_a_program_without_tests_is_no_part_of_a_batch() -> None:
    found = find_test_module("fn f() {}\n")
    assert found is not None and not found.is_portable


@pytest.mark.parametrize(
    ("head", "is_portable"),
    [
        ("std::fmt::Display for Own", True),
        ("From<Vec<i32>> for Own", True),
        ("<T> Show<T> for Vec<T>", True),
        ("Show<u8> for &[u8]", True),
        ("<'a, F: Fn(&'a u8) -> u8> Iterator for Pair<'a, F>", True),
        ("<F: for<'a> Fn(&'a u8)> Iterator for Pair<'_, F>", True),
        ("<'a> IntoIterator for &'a Own", True),
        ("<T> Pair<'_, T>", True),
        ("From<Own> for String", False),
        ("PartialEq<Own> for [u8]", False),
        ("<'a> Iterator for Box<Own>", False),
        ("Neg for &'_ mut Own", False),
        ("fmt::Show<u8> for String", False),
        ("From<Own> for Own::Other", False),
        ("From<Own> for Inner", False),
        ("Extend<Pair<{ 1 < 2 }>> for i32", False),
        ("<T: Into<[u8; 3 > 2 & (2 > 1)]>> From<Own> for i32", False),
        ("Pair<'_, [u8; 3]>", True),
        ("Show<(" + "u8, " * 500 + ")> for Own", False),
    ],
)
def test_an_implementation_that_others_could_use_is_seen(head: str, is_portable: bool) -> None:
    items = "struct Own;\nenum Pair<'a, T> { A(&'a T) }\ntrait Show<T> {}\nfn f() { struct Inner; }\n"
    found = find_test_module(f"{items}impl {head} {{}}\n{GOOD}")
    assert found is not None and found.is_portable == is_portable


def test_an_implementation_in_a_function_is_seen() -> None:
    for text in ("struct Own; fn f() { impl From<Own> for Own {} }", "struct Own; fn f() { {} impl Own {} }"):
        found = find_test_module(f"{text}\n{GOOD}")
        assert found is not None and found.is_portable == ("From" not in text)
