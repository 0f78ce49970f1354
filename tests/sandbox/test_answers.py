"""Calls are answered by value, each once, alike alone and in a batch; what else a program does fails with a reason."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from sandbox import Limits, Outcome, SandboxPool
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Call, Calls, OwnType, Variant
from sandbox.answers.records import MAX_BYTES, read_records
from sandbox.answers.together import _is_portable
from sandbox.workers.store import VerdictStore

ADD = "fn add(a: i32, b: i32) -> i32 { a + b }\n"
SIDE = "enum Side { West, East(i32), Both { a: Vec<Side> } }\n"
SIDE_TYPE = OwnType(
    "Side", (Variant("West"), Variant("East", ("0",)), Variant("Both", ("a",), named=True)), is_enum=True
)


def ask(source: str, *values: str, types: tuple[OwnType, ...] = ()) -> Calls:
    return Calls(source, tuple(Call(value) for value in values), types=types)


@pytest.fixture(scope="module")
def quick() -> SandboxPool:
    """A pool with small limits."""
    with SandboxPool(jobs=1, limits=Limits(run_cpu_s=1, wall_s=5, memory_mb=1024)) as pool:
        yield pool


@pytest.mark.parametrize(
    ("value", "term"),
    [
        ("1", "1"),
        ("1u8", '["u8",1]'),
        ("-5i128", '["i128",-5]'),
        ("vec![1usize]", '["s",["usize",1]]'),
        ("0.1f32", '["f32","0.1"]'),
        ("f64::NAN", '["f64","NaN"]'),
        ("1e21", '["f64","1e21"]'),
        ("'\"'", '["c","\\""]'),
        ('"a\\n\\u{1}é"', '"a\\u000a\\u0001é"'),
        ("()", '["t"]'),
        ('(1, "x", [1.5])', '["t",1,"x",["s",["f64","1.5"]]]'),
        ("Some(None::<i32>)", '["k","Some",["k","None"]]'),
        ("std::rc::Rc::new(std::cell::RefCell::new(vec![1]))", '["s",1]'),
        ("std::collections::BTreeMap::from([(1, 2)])", '["m",[1,2]]'),
        ("std::collections::HashSet::from([1])", '["S",1]'),
        ("1.cmp(&2)", '["k","Ordering::Less"]'),
        ("1..3", '["k","Range",1,3]'),
        ("std::time::Duration::from_millis(1)", '["k","Duration",["u128",1000000]]'),
        ('std::borrow::Cow::from("x")', '"x"'),
        ("std::thread::current()", '["o"]'),
        ("Some(std::thread::current())", '["k","Some",["o"]]'),
        ('"x".parse::<i32>()', '["k","Err",["n","ParseIntError",["kind",["k","IntErrorKind::InvalidDigit"]]]]'),
        (
            'vec!["x".parse::<f64>()]',
            '["s",["k","Err",["n","ParseFloatError",["kind",["k","FloatErrorKind::Invalid"]]]]]',
        ),
        ('vec![Err::<i32, Box<dyn std::error::Error>>("x".into())]', '["s",["k","Err",["o"]]]'),
        ("std::num::Wrapping(1)", '["k","Wrapping",1]'),
        ('"1".parse::<i32>()', '["k","Ok",1]'),
        ("Err::<std::thread::Thread, i32>(1)", '["k","Err",1]'),
        (
            "Side::Both { a: vec![Side::West, Side::East(2)] }",
            '["n","Side::Both",["a",["s",["k","Side::West"],["k","Side::East",2]]]]',
        ),
        ('panic!("no {}", 1)', '["!","no 1"]'),
    ],
)
def test_values_of_every_type_have_a_term(value, term, pool):
    answers = pool.submit_calls(ask(SIDE, value, types=(SIDE_TYPE,))).result()
    assert (answers.outcome, answers.terms) == (Outcome.PASSED, (term,)), answers.reason


def test_statements_and_uses_come_before_the_call(pool):
    call = Call("first(&map)", ("let mut map = BTreeMap::new();", "map.insert(1, 2);"))
    source = "fn first(m: &std::collections::BTreeMap<i32, i32>) -> Option<i32> { m.values().next().copied() }\n"
    answers = pool.submit_calls(Calls(source, (call,), ("use super::*;", "use std::collections::BTreeMap;"))).result()
    assert answers.terms == ('["k","Some",2]',)


@pytest.mark.parametrize(
    ("body", "outcome", "count", "reason"),
    [
        ("std::process::exit(0)", Outcome.TEST_FAILED, 1, "ended with exit code 0 before answering call 2 of 3"),
        ("std::process::abort()", Outcome.TEST_FAILED, 1, "ended by signal 6 before answering call 2 of 3"),
        ("loop {}", Outcome.TIMEOUT, 1, "CPU time"),
        ("loop { std::thread::park() }", Outcome.TIMEOUT, 1, "a deadlock"),
        ("std::thread::sleep(std::time::Duration::from_secs(60)); 0", Outcome.TIMEOUT, 1, "wall-clock"),
        ("let v = vec![1u8; 2 << 30]; v.len() as i32", Outcome.OUT_OF_MEMORY, 1, "memory"),
        ("std::fs::remove_file(std::env::args().nth(2).unwrap()).unwrap(); 0", Outcome.FORGED, 0, "was replaced"),
        ('append("[1,5]\\n"); 0', Outcome.FORGED, 2, "line 3 of the answers is no answer to call 3"),
        ('append("[1,5]\\n[2,5]\\n[3,5]\\n"); std::process::exit(0)', Outcome.FORGED, 3, "more answers than calls"),
        ('append("[1,5"); std::process::exit(0)', Outcome.FORGED, 1, "breaks off"),
        ('append("nothing\\n"); std::process::exit(0)', Outcome.FORGED, 1, "no answer to call 2"),
    ],
)
def test_a_program_that_does_not_answer_each_call_once_fails_with_a_reason(body, outcome, count, reason, quick):
    source = (
        "fn one() -> i32 { 1 }\nfn two() -> i32 { "
        + body
        + " }\nfn append(text: &str) { let path = std::env::args().nth(2).unwrap();\nstd::io::Write::write_all(&mut"
        " std::fs::OpenOptions::new().append(true).open(path).unwrap(), text.as_bytes()).unwrap(); }\n"
    )
    answers = quick.submit_calls(ask(source, "one()", "two()", "one()")).result()
    assert (answers.outcome, len(answers.terms)) == (outcome, count) and reason in answers.reason


def test_equal_calls_are_each_made(pool):
    source = "static mut LAST: u8 = 0;\nfn next() -> u8 { unsafe { LAST += 1; LAST } }\n"
    assert pool.submit_calls(ask(source, "next()", "next() + 10", "next()")).result().terms == (
        '["u8",1]',
        '["u8",12]',
        '["u8",3]',
    )


def test_a_program_that_does_not_compile_with_the_calls_has_no_answers(pool):
    for source in ("fn add(a: i32) -> i32 { a }\n", "fn add( {", ADD + "fn main() {}\n", ""):
        answers = pool.submit_calls(ask(source, "add(1, 2)")).result()
        assert answers.outcome is Outcome.BUILD_ERROR and answers.terms == () and "compile" in answers.reason
    assert (
        pool.submit_calls(ask("fn f() -> i32 { let x: u8 = 1 + true; 1 }\n", "f()")).result().diagnostics[0].line == 1
    )


def test_a_program_above_the_limit_is_not_compiled(pool):
    answers = pool.submit_calls(ask("//" + "x" * (300 << 10), "add(1, 2)")).result()
    assert answers.outcome is Outcome.BUILD_ERROR and "sandbox.source_kb" in answers.reason


NEIGHBOURS = [
    ADD,
    ADD.replace("+", "-"),
    "fn add(_: i32, _: i32) -> i32 { panic!() }\n",
    "fn add(a: i32, b: i32) -> i64 { println!(\"[0,7]\"); i64::from(a * b) }\n",
    "fn add(_: i32, _: i32) -> i32 { std::process::exit(3) }\n",
    "trait Lie { fn wire(&self) -> i32; }\nimpl<T> Lie for T { fn wire(&self) -> i32 { 7 } }\n"
    "fn add(a: i32, b: i32) -> i32 { a + b.wire() }\n",
    "fn add(a: i32, b: i32) -> String { a + b }\n",
    "fn main() {}\n" + ADD,
    "use std::ops::Add;\n#[derive(Clone, Copy)]\nstruct N(i32);\n"
    "impl Add<N> for i32 { type Output = i32; fn add(self, n: N) -> i32 { self + n.0 } }\n"
    "fn add(a: i32, b: i32) -> i32 { a + N(b) }\n",
]  # fmt: skip


def test_a_neighbour_in_a_batch_changes_no_answer():
    programs = [
        ask(f"{source}// {number}\nfn other() {{}}\n", "add(4, 3)", "add(1, 1)")
        for number, source in enumerate(NEIGHBOURS)
    ]
    assert sum(map(_is_portable, programs)) >= 5
    with SandboxPool(jobs=1) as together, SandboxPool(jobs=1, backend="direct") as apart:
        blocker = together.submit("fn blocks_the_worker() {}")
        futures = [together.submit_calls(calls) for calls in programs]
        alone = [apart.submit_calls(calls).result() for calls in programs]
        assert [(f.result().outcome, f.result().terms) for f in futures] == [(a.outcome, a.terms) for a in alone]
        assert blocker.result().build
        assert sum(f.result().cpu_ms for f in futures) < sum(a.cpu_ms for a in alone)


@pytest.mark.parametrize(
    "source",
    [
        "fn f() -> i32 { super::g() }\n",
        "fn f() -> i32 { crate::g() }\n",
        "mod m {}\n" + ADD,
        "macro_rules! m { () => {} }\n" + ADD,
        "static X: i32 = 1;\n" + ADD,
        "fn f() { unsafe {} }\n",
        "#![allow(unused)]\n" + ADD,
        "fn f() { su\u200eper::g() }\n",
        'fn f() -> String { format!("{}", module_path!()) }\n',
    ],
)
def test_a_program_that_can_tell_where_it_is_stays_alone(source):
    assert _is_portable(ask(ADD, "add(1, 2)")) and not _is_portable(ask(source, "add(1, 2)"))
    assert not _is_portable(ask(ADD, "crate::add(1, 2)"))


def test_answers_travel_and_are_kept_as_json(tmp_path: Path):
    answers = Answers(Outcome.PASSED, ('"\\ud800"', "3"), ms={"test": 1.5}, reason="x")
    assert pickle.loads(pickle.dumps(answers)) == Answers.from_json(answers.to_json()) == answers
    VerdictStore(tmp_path / "v", size=9).put("key", answers)
    assert VerdictStore(tmp_path / "v", size=9).get("key", Answers) == answers


def test_the_same_calls_are_made_once_and_others_again(pool):
    first, twin = (pool.submit_calls(ask(ADD + "// once\n", "add(1, 2)")) for _ in range(2))
    assert first is twin or first.result() is twin.result()
    assert pool.submit_calls(ask(ADD + "// once\n", "add(2, 2)")).result().terms == ("4",)
    with pytest.raises(ValueError, match="no calls"):
        pool.submit_calls(ask(ADD))


def test_a_call_that_is_cancelled_is_a_timeout(pool):
    with SandboxPool(jobs=1) as alone:
        future = alone.submit_calls(ask("fn f() { loop { std::thread::park() } }\n", "f()"))
        while not any(job.stop for job in alone._pending.values()):
            pass
        alone.cancel(future, "late")
        assert future.result().outcome is Outcome.TIMEOUT and future.result().reason == "late"
        assert alone.submit_calls(ask(ADD, "add(1, 2)")).result().terms == ("3",)


@pytest.mark.parametrize("make", ["missing", "folder", "link", "pipe", "long"])
def test_a_file_of_answers_that_is_none_is_refused_at_once(make, tmp_path: Path):
    path = tmp_path / "answers"
    (tmp_path / "other").write_text("[0,1]\n")
    if make == "folder":
        path.mkdir()
    elif make == "link":
        path.symlink_to(tmp_path / "other")
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "long":
        path.write_bytes(b"x" * (MAX_BYTES + 1))
    assert read_records(path, 1).terms == () and read_records(path, 1).fault
