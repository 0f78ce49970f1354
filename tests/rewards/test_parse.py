"""A completion's code is found by its fences; the structure of any text is read in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completions import ADD, NO_TESTS, fenced, module
from rewards import extract_code, parse
from rewards.completion import GradedCompletion
from rewards.gold.run import gold_run
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.rust.grammar import MAX_PARSED
from rewards.rust.parse import code_blocks
from sandbox.verdict import Outcome, Verdict

FRAGMENTS = ["```", "```rust", "````", "rust", "\n", "\r\n", " ", "fn f() {}", "~~~", "`", "\udcff", "é"]
CODE = [
    "fn",
    "f",
    "(",
    ")",
    "{",
    "}",
    "#[test]",
    "#[cfg(test)]",
    "mod",
    "let",
    "=",
    "assert!",
    "|",
    "//",
    "/*",
    '"',
    "\udcff",
    "é",
]
CODE += ["if", "false", "use", "as", "return", ";", "impl", "for", "match", "=>", ",", "macro_rules!", "\n"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```rust\nfn a() {}\n```", "fn a() {}\n"),
        ("text\n```rust\nfn a() {}\n```\ntext", "fn a() {}\n"),
        ("```rs\nfn a() {}\n```", "fn a() {}\n"),
        ("```Rust,ignore\nfn a() {}\n```", "fn a() {}\n"),
        ("  ```rust\nfn a() {}\n  ```", "fn a() {}\n"),
        ("```rust\r\nfn a() {}\r\n```\r\n", "fn a() {}\n"),
        ("```rust\n```", None),
        ("```rust\n// soon\n/* and */\n```", None),
        ("``` rust \nfn a() {}\n``` \t", "fn a() {}\n"),
        ("````rust\n```\nfn a() {}\n````", "```\nfn a() {}\n"),
        ("```rust\nfn a() {}\n```\n```rust\nfn b() {}\n```", "fn a() {}\n"),
        ("```text\n```rust\n```\n```rust\nfn a() {}\n```", "fn a() {}\n"),
        ("```rust\nfn a() {}", None),
        ("```\nfn a() {}\n```", None),
        ("```python\nx\n```", None),
        ("``rust\nfn a() {}\n``", None),
        ("fn a() {}", None),
        ("", None),
        ("\ufeff```rust\nfn a() {}\n```", "fn a() {}\n"),
        ("text\n\ufeff```rust\nfn a() {}\n\ufeff```", "fn a() {}\n"),
    ],
)
def test_the_code_is_the_first_closed_rust_block(text, code):
    assert extract_code(text) == code


@given(st.lists(st.sampled_from(FRAGMENTS)).map("".join) | st.text())
def test_blocks_are_parts_of_the_completion_and_never_raise(text):
    blocks = code_blocks(text)
    assert extract_code(text) == (blocks[0] if blocks else None)
    assert len(blocks) <= text.count("```rust") + text.lower().count("rust") + text.lower().count("rs")
    for block in blocks:
        assert block in text.replace("\r\n", "\n")


@given(st.lists(st.sampled_from(CODE)).map(" ".join) | st.text())
def test_any_text_has_a_structure_within_its_bytes(code):
    program = parse(code)
    size = len(code.encode("utf-8", "replace"))
    assert all(0 <= start < end <= size for start, end in program.test_code)
    assert len(program.tests) <= code.count("test")
    assert len(program.asserts) <= code.count("assert")


def test_functions_and_tests_are_told_apart():
    program = parse(
        "struct S<T>(T); impl<T> S<T> { fn m(&self) {} } fn f() { todo!() } mod inner { fn g() {} }\n"
        "#[cfg(test)] fn aside() {}\n"
        "#[cfg(test)]\nmod tests { use super::*; fn help() {} const B: u8 = 2; #[test] fn t() { assert!(true) } }"
    )
    assert set(program.functions) == {"m", "f", "g"} and [t.name for t in program.tests] == ["t"]
    assert (program.functions["f"].statements, program.functions["f"].macros) == (1, {"todo"})
    assert program.num_test_modules == 1 and program.test_names == {"aside", "tests"}


@pytest.mark.parametrize(
    ("code", "depends"),
    [
        ("fn f() {} #[cfg(test)] mod t { #[cfg(unix)] fn g() {} }", False),
        ("#[cfg(not(test))] fn f() {} #[cfg(test)] mod t {}", True),
        ("fn f() -> bool { cfg!(test) }", True),
        ("#[cfg_attr(test, inline)] fn f() {}", True),
        ("#[r#cfg(test)] use a::b;", True),
        ("#[cfg(test)] fn f() {}", False),
        ("m! { #[cfg(test)] fn f() {} }", True),
        ('// cfg(test)\nfn f() { let _ = "cfg"; }', False),
    ],
)
def test_code_that_differs_with_a_cfg_is_seen(code, depends):
    assert parse(code).depends_on_cfg is depends


@pytest.mark.parametrize(
    ("tests", "extends"),
    [
        ("struct Mock; impl Shape for Mock { fn area(&self) -> i32 { 1 } }", False),
        ("trait Ext { fn x(&self); } impl Ext for Sq { fn x(&self) {} }", False),
        ("trait Ext { fn area(&self); } impl Ext for Sq { fn area(&self) {} }", True),
        (
            "trait Ext { fn to_vec(self) -> Vec<u8>; } impl Ext for &[u8] { fn to_vec(self) -> Vec<u8> { vec![] } }",
            True,
        ),
        ("impl Sq { fn sample() -> Sq { Sq } }", False),
        ("impl Sq { fn area(&self) -> i32 { 1 } }", True),
        ("impl Shape for Sq { fn area(&self) -> i32 { 1 } }", True),
        ("impl<T> Shape for T { fn area(&self) -> i32 { 1 } }", True),
        ("type Own = super::Sq; impl Own { fn area(&self) -> i32 { 1 } }", True),
        ("macro_rules! m { ($n:ident) => { impl Sq { fn $n(&self) {} } } }", True),
        ("#[macro_export] macro_rules! m { () => {} }", True),
        ("fn f(x: impl Shape) -> impl Shape { x }", False),
    ],
)
def test_tests_that_may_change_the_code_are_seen(tests, extends):
    code = "trait Shape { fn area(&self) -> i32; } struct Sq; fn f(s: &Sq) -> i32 { s.area() }\n"
    assert parse(f"{code}#[cfg(test)]\nmod t {{ use super::*; {tests} }}").tests_extend_code is extends


@pytest.mark.parametrize("name", ["tests in a comment", "tests in a string"])
def test_comments_and_strings_hold_no_tests(name):
    program = parse(NO_TESTS[name])
    assert (program.tests, program.num_test_modules, program.asserts) == ([], 0, [])


def test_the_attributes_of_a_test_are_read():
    program = parse(
        '#[cfg(test)] mod t { #[test] #[ignore = "slow"] fn a() {} #[test]\n// why\n#[should_panic(expected = "x y")]\n'
        "fn b() {} #[test] #[cfg(unix)] fn c() {} #[test] fn d() {} }"
    )
    seen = [(t.name, t.ignored, t.should_panic) for t in program.tests]
    assert seen == [("a", True, False), ("b", False, True), ("c", False, False), ("d", False, False)]
    assert program.tests[1].attributes == ("test", 'should_panic(expected="x y")')


def test_a_test_module_starts_with_its_attributes_in_bytes():
    code = "// é \udcff\n#[allow(dead_code)]\n#[cfg(test)]\nmod tests {}\nfn after() {}\n"
    (start, end), *others = parse(code).test_code
    encoded = code.encode("utf-8", "replace")
    assert not others and encoded[start:end] == b"#[allow(dead_code)]\n#[cfg(test)]\nmod tests {}"


def test_asserts_are_the_same_when_only_spaces_comments_and_messages_differ():
    program = parse(
        ADD + module('assert_eq!(add(1,2), 3);\n assert_eq!( add(1, 2) /* x */, 3, "m {}", 1 );\n assert!(x > 1);')
    )
    assert [found.text for found in program.asserts] == ["assert_eq(3, add ( 1 , 2 ))"] * 2 + ["assert(x > 1)"]


def test_commas_of_generics_do_not_split_arguments():
    (found,) = parse("#[test] fn t() { assert_eq!(f::<A, B>(1), [1, 2]); }").asserts
    assert found.arguments == "f::<A,B>(1),[1,2]"


@pytest.mark.parametrize(
    "code",
    [
        "fn f() {" + "(" * 100_000,
        "fn f() {" + "let a={" * 7000 + "};" * 7000 + "}",
        "fn f() {" + "fn a(){" * 7000 + "}" * 7000 + "}",
        "fn f() {" + "match {" * 7000 + "1" + "}{}" * 7000 + "}",
        "fn f() {" + "let a=||{" * 6000 + "};" * 6000 + "}",
        "#[test] fn f() {" + "if {" * 9000 + "1" + "}{}" * 9000 + "}",
        "mod a{" * 14_000 + "}" * 14_000,
        "#[cfg(test)] mod t{" + "#[test] fn a(){assert_eq!(f(1),2);}" * 2800 + "}",
        "#[test] fn f(){" + "f(" * 45_000 + ")" * 45_000 + "}",
    ],
    ids=lambda code: f"{code[8:20]}...",
)
def test_a_hundred_kilobytes_of_nesting_take_seconds(code):
    started = time.process_time()
    parse(code)
    assert time.process_time() - started < 10


def test_a_program_that_is_too_long_is_code_that_nobody_reads():
    code = "fn f() -> u8 { 1 }\n" * (MAX_PARSED // 19 + 1)
    completion = GradedCompletion(
        f"```rust\n{code * 8}```", Verdict(Outcome.BUILD_ERROR, False, False, False, reason="x")
    )
    started = time.process_time()
    scores = Rubric(dict.fromkeys(REWARDS, 1.0)).score(completion)
    gold = gold_run(code + module("#[test] fn t() {}"), {"gold_tests": "#[test] fn g() { assert_eq!(f(), 1); }"})
    assert completion.code == code * 8 and gold is None
    assert (scores["non_empty"].value, scores["cargo_build"].reason, scores["code_block"].value) == (0.0, "x", 1.0)
    assert time.process_time() - started < 2
    assert parse(code[: MAX_PARSED // 19 * 19]).functions and not parse(code).functions


@pytest.mark.parametrize("hashes", [1, 7])
def test_raw_strings_that_never_end_take_no_time(hashes):
    code = ("r" + "#" * hashes + '"') * (200_000 // (hashes + 2))
    started = time.process_time()
    assert extract_code(f"```rust\n{code}\n```") == code + "\n" and not parse(code).functions
    ended = code + "\n" + '"' + "#" * hashes  # all but the first are within it
    assert not parse(ended).functions
    assert time.process_time() - started < 2


def test_a_megabyte_of_fences_takes_no_time():
    started = time.process_time()
    code_blocks("```rust\n" * 60_000 + "`" * 500_000)
    code_blocks(fenced(ADD) * 10_000)
    code_blocks("```" + " " * 500_000 + "`")
    code_blocks("```rust" + " \t" * 250_000 + "x`")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("fn f() {} #[cfg(test)] mod t { fn f() {} }", "f"),
        ("fn f() {} #[cfg(test)] mod t { #[test] fn f() {} }", ""),
        ("fn f() {} #[cfg(test)] mod t { static f: fn() = g; }", "f"),
        ("fn f() {} #[cfg(test)] mod t { use std::cmp::max as f; }", "f"),
        ("fn max() {} #[cfg(test)] mod t { use std::cmp::max; }", "max"),
        ("fn max() {} #[cfg(test)] mod t { use super::{max, min}; }", ""),
        ("fn f() {} #[test] fn t() { let f = |x| { x }; f(1); }", "f"),
        ("fn f() {} #[test] fn t() { let f: fn(u8) -> u8 = |x| x; f(1); }", "f"),
        ("fn f() {} #[test] fn t() { let (f, _) = (g, 1); f(1); }", "f"),
        ("fn f() {} #[test] fn t() { let f = f(1); assert_eq!(f, 2); }", ""),
        ("fn f() {} #[test] fn t() { { let f = f(1); } f(1); }", ""),
        ("fn f() {} #[cfg(test)] mod t { fn check(f: fn()) { f(); } }", "f"),
        ("fn f() {} #[test] fn t() { for f in [g] { f(); } }", "f"),
        ("fn f() {} #[test] fn t() { match g { f => f() } }", "f"),
        ("fn f() {} #[test] fn t() { [(g, 1)].iter().for_each(|(f, x)| { f(x); }); }", "f"),
        ("fn f() {} #[cfg(test)] mod t { fn f() {} } #[cfg(test)] mod u { #[test] fn f() {} }", "f"),
        ("struct S; #[cfg(test)] mod t { type S = u8; }", "S"),
        ("struct S; #[cfg(test)] mod t { struct Own; use Own as S; }", "S"),
        ("fn f() {} #[cfg(test)] mod t { type String = u8; }", "String"),
        ("fn f() {} #[test] fn t() { [g].iter().for_each(|f| { f(); }); }", "f"),
        ("struct S; impl S { fn f(&self) {} } #[cfg(test)] mod t { trait T { fn f(self); } }", "f"),
        ("fn f() {} #[cfg(test)] mod t { macro_rules! m { ($n:ident) => { fn $n() {} }; } m!(f); }", "f"),
        ("fn f() {} #[cfg(test)] mod t { macro_rules! m { ($n:ident) => { #[test] fn $n() {} }; } m!(f); }", ""),
        ("macro_rules! vec { () => {}; } fn f() {}", "vec"),
        ("macro_rules! assert_eq { () => {}; } fn f() {}", "assert_eq"),
        ("use mine as assert_eq; fn f() {}", "assert_eq"),
        ("struct String(u8); fn f() {}", "String"),
        ("#[cfg(test)] mod t { fn Some(x: u8) -> u8 { x } }", "Some"),
        ("enum E { Some, Other } use E::*; fn f() {}", "Some"),
        ("enum E { None, Other } use E::Other; fn f() {}", ""),
        ("type Result<T> = std::result::Result<T, String>; fn f() {}", ""),
    ],
)
def test_names_that_mean_something_else_are_seen(code: str, name: str) -> None:
    assert parse(code).shadowed == name


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        ("fn f(x: &u8) -> usize { x as *const u8 as usize }", True),
        ("fn f(x: &[u8]) -> usize { x.as_ptr() as usize }", True),
        ("fn f(x: u8) { let _ = &raw const x; }", True),
        ('fn f(x: &u8) -> String { let p: *const u8 = x; format!("{p:?}") }', True),
        ('fn f(x: &u8) -> String { format!("{x:p}") }', True),
        ("fn f(addr: u8, x: u8) -> u8 { addr * x }", False),
        ('fn f(x: f64) -> String { format!("{x:.2}{x:>p$}", p = 3) }', False),
    ],
)
def test_looking_at_addresses_is_seen(code: str, taken: bool) -> None:
    assert parse(code).takes_address == taken


@pytest.mark.parametrize(
    ("module", "for_tests"),
    [
        ("mod m { fn help() {} #[test] fn t() {} }", True),
        ("mod m { pub fn f() {} #[test] fn t() {} }", False),
        ("#[cfg(test)] mod m { pub fn f() {} #[test] fn t() {} }", True),
        ("mod m { fn f() {} }", False),
    ],
)
def test_a_module_that_holds_tests_is_for_tests_unless_it_offers_something(module: str, for_tests: bool) -> None:
    assert ("m" in parse(module).test_names) == for_tests


@pytest.mark.parametrize(
    ("code", "itself"),
    [
        ("#[derive(PartialEq)] struct S; impl Clone for S {}", False),
        ("struct S; impl PartialEq for S {}", True),
        ("struct S; impl<T> std::cmp::PartialEq<T> for S {}", True),
        ("macro_rules! m { ($t:ty) => { impl PartialEq for $t {} }; }", True),
        ("fn f() { struct S; impl PartialEq for S {} }", True),
        ("fn f<T: PartialEq>(x: T) {}", False),
    ],
)
def test_whether_a_program_says_itself_what_is_equal(code: str, itself: bool) -> None:
    assert parse(code).compares == itself


@pytest.mark.parametrize("trait", ["PartialEq", "r#PartialEq", "std::cmp:: /* of */ PartialEq"])
def test_an_equality_of_its_own_is_seen_however_it_is_written(trait):
    assert parse(f"struct S; impl {trait} for S {{ fn eq(&self, o: &S) -> bool {{ true }} }}").compares
    assert parse(f"use {trait} as Same;").compares and not parse("#[derive(PartialEq)] struct S;").compares
