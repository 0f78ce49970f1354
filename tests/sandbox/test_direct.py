"""The backend `direct` gives cargo's verdict on every program: by its own rules, or by calling cargo."""

from collections.abc import Callable
from pathlib import Path

import pytest

from programs import GOOD, LIMITS, facts, in_test
from sandbox.grading.grade import grade
from sandbox.grading.separation import HAZARDS
from sandbox.isolation.policy import Isolation
from sandbox.verdict import PHASES, Verdict
from test_sandbox_cargo import CASES, FORGERIES

EDGES = {
    "unsafe code": GOOD.replace("a + b", "unsafe { std::hint::black_box(a + b) }"),
    "unsafe that the program forbids": "#![forbid(unsafe_code)]\n" + GOOD.replace("a + b", "unsafe { a + b }"),
    "a denied warning": "#![deny(warnings)]\n" + GOOD.replace("a + b", "let unused = 1; a + b"),
    "a denied clippy warning": "#![deny(clippy::needless_return)]\n" + GOOD.replace("a + b", "return a + b;"),
    "a lint error that is rustc's": GOOD.replace("a + b", "let x: u8 = 256; a + b + i32::from(x)"),
    "a lint error and a type error": GOOD.replace("a + b", 'let x: u8 = 256; "x"'),
    "a panic that only a build sees": GOOD.replace("a + b", "let xs = [1]; xs[3] + a + b"),
    "tests that only a build refuses": in_test("let xs = [1]; assert_eq!(xs[3], add(1, 2));"),
    "only outside tests": GOOD.replace("#[cfg(test)]\nmod", "#[cfg(not(test))]\nfn only() {}\n#[cfg(test)]\nmod"),
    "a feature that does not exist": '#[cfg(feature = "x")]\nfn f() {}\n' + GOOD,
    "an unstable feature": "#![feature(let_chains)]\n" + GOOD,
    "a linker argument": '#[link(name = "nothing")]\nextern "C" {}\n' + GOOD,
    "no main": "#![no_main]\n" + GOOD,
    "endless": "struct A<T>(T);\nfn f<T>(x: T, n: u8) { if n > 0 { f(A(x), n - 1) } }\n#[test] fn t() { f(1, 2) }\n",
    "a constant that panics": "const X: u8 = [1u8][2];\nfn f() -> u8 { X }\n",
    "the package's name": in_test('assert_eq!(env!("CARGO_PKG_NAME"), "rust-program"); assert_eq!(add(1, 2), 3);'),
    "the crate's name": in_test('assert!(module_path!().starts_with("rust_program::tests"));'),
    "the file's name": in_test('assert_eq!(file!(), "src/main.rs");'),
    "the working directory": in_test('assert!(std::path::Path::new("Cargo.toml").exists());'),
    "the environment": in_test('assert_eq!(std::env::var("CARGO_PKG_VERSION").unwrap(), "0.1.0");'),
    "an aborting test": in_test("std::process::abort();"),
    "a test that exits badly": in_test("std::process::exit(3);"),
    "a test killed by a signal": in_test("fn f(n: u64) -> u64 { if n == 0 { 0 } else { 1 + f(n + 1) } } f(1);"),
    "should panic": GOOD.replace("#[test]", "#[test]\n    #[should_panic]", 1),
    "a result as a test": in_test("").replace("fn one() {", 'fn one() -> Result<(), String> { Err("no".into())'),
    "macro": "macro_rules! m { ($x:expr) => {$x + 1} }\nfn f() -> u8 { m!(1) }\n#[test] fn t() { assert_eq!(f(), 2) }",
    "threads": in_test("let t = std::thread::spawn(|| add(1, 2)); assert_eq!(t.join().unwrap(), 3);"),
}


SLOW_PHASES = [("build",), ("clippy",), ("test",), ("clippy", "test")]
PHASE_SETS = [("build", "test"), *(pytest.param(phases, marks=pytest.mark.slow) for phases in SLOW_PHASES)]


@pytest.fixture
def both(
    isolation: Isolation, workdir: Path, by_cargo: Callable[..., Verdict]
) -> Callable[..., tuple[Verdict, Verdict]]:
    """Grade a program by direct and by cargo."""

    def graded(source: str, phases: tuple[str, ...] = PHASES) -> tuple[Verdict, Verdict]:
        return grade(source, isolation, LIMITS, workdir, backend="direct", phases=phases), by_cargo(
            source, LIMITS, phases
        )

    return graded


PROGRAMS = {**{name: case[0] for name, case in CASES.items()}, **FORGERIES, **EDGES}
# A program with a hazard is graded by cargo anyway: the fast tests compare one of them.
HAZARDOUS = [name for name, source in PROGRAMS.items() if HAZARDS.search(source)]
COMPARED = [pytest.param(name, marks=pytest.mark.slow if name in HAZARDOUS[1:] else ()) for name in PROGRAMS]


@pytest.mark.parametrize("name", COMPARED)
def test_both_backends_say_the_same(name: str, both: Callable[..., tuple[Verdict, Verdict]]) -> None:
    direct, cargo = both(PROGRAMS[name])
    assert facts(direct) == facts(cargo)


@pytest.mark.parametrize("phases", PHASE_SETS)
@pytest.mark.parametrize(
    "name", ["passes", "a test fails", "tests do not build", "clippy refuses", "an unclosed string"]
)
def test_both_backends_say_the_same_of_any_phases(
    name: str, phases: tuple[str, ...], both: Callable[..., tuple[Verdict, Verdict]]
) -> None:
    direct, cargo = both(CASES[name][0], phases)
    assert direct.outcome is cargo.outcome
    assert (direct.build, direct.clippy, direct.test) == (cargo.build, cargo.clippy, cargo.test)


def test_direct_is_cheaper_than_cargo(both: Callable[..., tuple[Verdict, Verdict]]) -> None:
    pairs = [both(GOOD + f"// {i}\n") for i in range(3)]
    assert sum(direct.cpu_ms for direct, _ in pairs) < sum(cargo.cpu_ms for _, cargo in pairs) / 2


@pytest.mark.parametrize(
    ("text", "hazard"),
    [
        ("#[cfg(test)]", False),
        ("#[cfg( test )]", False),
        ("#[cfg(not(test))]", True),
        ("cfg!(test)", True),
        ("#[cfg(all(test))]", True),
        ('#![recursion_limit = "4"]', True),
        ("#[allow(clippy::all)]", True),
        ("# [ used ]", True),
        ("let used = linked;", False),
        ("#![forbid(unsafe_code)]", True),
        ('env!("CLIPPY_ARGS")', True),
        ('std::fs::read("Cargo.lock")', True),
        ('Path::new("Cargo.lock").exists()', True),
    ],
)
def test_what_is_left_to_cargo(text: str, hazard: bool) -> None:
    assert bool(HAZARDS.search(text)) == hazard


@pytest.mark.parametrize("text", ["no newline", "error: test failed, to rerun pass `--bin rust-program`\\nmore"])
@pytest.mark.parametrize("end", ["panic!()", "std::process::abort()"])
def test_cargos_own_words_are_no_output_of_the_tests(text: str, end: str, isolation: Isolation, workdir: Path) -> None:
    program = in_test(f'use std::io::Write; std::io::stderr().write_all(b"{text}").unwrap(); {end};')
    outputs = [grade(program, isolation, LIMITS, workdir, backend=name).test_output for name in ("cargo", "direct")]
    assert [output.endswith(text.replace("\\n", "\n")) for output in outputs] == [True, True]
