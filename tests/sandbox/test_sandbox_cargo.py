"""A verdict repeats what cargo says, names what stopped a program, and does not trust what a program prints."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from programs import GOOD, LIMITS, in_test
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import HEAD, MANIFEST, TAIL
from sandbox.verdict import Outcome, Verdict


def verdict_of(source: str, isolation: Isolation, workdir: Path, **changes: object) -> Verdict:
    verdict = grade(source, isolation, LIMITS, workdir, **changes)
    assert list(workdir.iterdir()) == [], "the work directory is always removed"
    return verdict


# source, outcome, (build, clippy, test), genuine, (passed, failed, ignored)
YES, NO = True, False
CASES = {
    "passes": (GOOD, Outcome.PASSED, (YES, YES, YES), YES, (2, 0, 0)),
    "a test fails": (in_test("assert_eq!(add(1, 2), 4);"), Outcome.TEST_FAILED, (YES, YES, NO), YES, (1, 1, 0)),
    "a test panics": (in_test('panic!("{}", add(1, 2));'), Outcome.TEST_FAILED, (YES, YES, NO), YES, (1, 1, 0)),
    "one test ignored": (
        GOOD.replace("#[test]", "#[test]\n#[ignore]", 1),
        Outcome.PASSED,
        (YES, YES, YES),
        YES,
        (1, 0, 1),
    ),
    "does not build": (GOOD.replace("a + b", '"x"'), Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "tests do not build": (GOOD.replace("use super::*;", ""), Outcome.TEST_BUILD_ERROR, (YES, YES, NO), NO, (0, 0, 0)),
    "no tests": ("fn one() -> u8 {\n    1\n}\n", Outcome.NO_TESTS, (YES, YES, YES), YES, (0, 0, 0)),
    "empty": ("", Outcome.NO_TESTS, (YES, YES, YES), YES, (0, 0, 0)),
    "clippy refuses": (
        GOOD.replace("a + b", "if a == a { a + b } else { 0 }"),
        Outcome.LINT_ERROR,
        (YES, NO, YES),
        YES,
        (2, 0, 0),
    ),
    "own main": (GOOD + "fn main() {}\n", Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "builds only under test": (
        "fn one() -> u8 { helper() }\n#[cfg(test)]\nfn helper() -> u8 { 1 }\n"
        "#[test]\nfn t() { assert_eq!(one(), 1); }\n",
        Outcome.BUILD_ERROR,
        (NO, NO, YES),
        YES,
        (1, 0, 0),
    ),
    "ends in an attribute": (GOOD + "#[test]", Outcome.BUILD_ERROR, (NO, NO, YES), YES, (3, 0, 0)),
    "overflow that check alone misses": (
        "fn f() -> u8 {\n    255u8 + 1\n}\n",
        Outcome.BUILD_ERROR,
        (NO, YES, NO),
        NO,
        (0, 0, 0),
    ),
    "an unclosed string": (GOOD + 'const S: &str = "', Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "an unclosed comment": (GOOD + "/* ", Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "nul byte": ("fn a() {}\0", Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "invalid utf-8": ("// \ud800", Outcome.BUILD_ERROR, (NO, NO, NO), NO, (0, 0, 0)),
    "names of another alphabet": (
        "fn größe() -> u8 { 1 }\n#[cfg(test)]\nmod ωtests { #[test] fn 測() { assert_eq!(super::größe(), 1); } }\n",
        Outcome.PASSED,
        (YES, YES, YES),
        YES,
        (1, 0, 0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_outcome_and_counts(name: str, by_cargo: Callable[..., Verdict]) -> None:
    source, outcome, phases, genuine, counts = CASES[name]
    verdict = by_cargo(source, LIMITS)
    assert (verdict.build, verdict.clippy, verdict.test) == phases
    assert verdict.outcome is outcome
    assert verdict.genuine == genuine
    assert (verdict.passed, verdict.failed, verdict.ignored) == counts


SUMMARY = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
FORGERIES = {
    "exit in a test": in_test(f'println!("\\n{SUMMARY}\\n"); std::process::exit(0);'),
    "a panic hook that exits": in_test("std::panic::set_hook(Box::new(|_| std::process::exit(0))); panic!();"),
    "a constructor before main": (
        '#[used]\n#[unsafe(link_section = ".init_array")]\nstatic BEFORE: extern "C" fn() = before;\n'
        f'extern "C" fn before() {{\n    println!("{SUMMARY}");\n    std::process::exit(0);\n}}\n{GOOD}'
    ),
    "a test that sorts last": GOOD.replace("mod tests", "mod zzzzzz").replace(
        "fn two() {\n        assert_eq!(add(2, 2), 4);", "fn zzzzz() {\n        std::process::exit(0);"
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_cargo_believes_a_forgery_and_the_verdict_does_not(name: str, by_cargo: Callable[..., Verdict]) -> None:
    verdict = by_cargo(FORGERIES[name], LIMITS)
    assert verdict.test, "equal to cargo, which believes exit code 0"
    assert not verdict.genuine and verdict.powers and verdict.outcome is Outcome.UNTRUSTED


@pytest.mark.slow  # the fast tests have an attack of this kind, by direct
def test_a_spinning_test_is_a_timeout_by_cpu_time(isolation: Isolation, workdir: Path) -> None:
    verdict = verdict_of(in_test("loop {}"), isolation, workdir, phases=("test",))
    assert verdict.outcome is Outcome.TIMEOUT and verdict.test is False
    assert "CPU time" in verdict.reason
    assert verdict.cpu_ms < 1000 * (LIMITS.run_cpu_s + 3)


@pytest.mark.slow  # the fast tests have an attack of this kind, by direct
def test_a_spinning_compiler_is_a_timeout(isolation: Isolation, workdir: Path) -> None:
    endless = (
        "#![allow(long_running_const_eval)]\n"
        "const X: u64 = { let mut i = 0; while i < u64::MAX { i += 1; } i };\nfn f() -> u64 { X }\n"
    )
    limits = Limits(compile_cpu_s=2, wall_s=30)
    verdict = grade(endless, isolation, limits, workdir)
    assert verdict.outcome is Outcome.TIMEOUT and verdict.build is False


@pytest.mark.slow  # the fast tests have an attack of this kind, by direct
def test_a_sleeping_test_meets_the_wall_clock(isolation: Isolation, workdir: Path) -> None:
    source = in_test("std::thread::sleep(std::time::Duration::from_secs(600));")
    verdict = grade(source, isolation, Limits(wall_s=4), workdir, phases=("test",))
    assert verdict.outcome is Outcome.TIMEOUT and "wall-clock" in verdict.reason


def test_a_memory_bomb_is_out_of_memory(isolation: Isolation, workdir: Path) -> None:
    source = in_test("let v = vec![1u8; 64 << 30]; assert_eq!(v.len(), 1);")
    assert verdict_of(source, isolation, workdir, phases=("test",)).outcome is Outcome.OUT_OF_MEMORY


def test_a_flood_of_output_is_bounded(isolation: Isolation, workdir: Path) -> None:
    source = in_test('for _ in 0..200_000 { println!("flood flood flood flood"); eprintln!("flood"); } panic!();')
    verdict = verdict_of(source, isolation, workdir, phases=("test",))
    assert (verdict.passed, verdict.failed) == (1, 1), "the summary at the end is still read"
    assert len(verdict.test_output) <= 4000


def test_a_daemon_does_not_outlive_its_test(unprotected: Isolation, workdir: Path) -> None:
    # a process in a session of its own, which a kill of the process group misses
    source = in_test(
        'std::process::Command::new("setsid").args(["sleep", "98765"]).spawn().unwrap();'
        " std::thread::sleep(std::time::Duration::from_millis(200));"
    )
    assert verdict_of(source, unprotected, workdir, phases=("test",)).passed == 2
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 98765" not in running.splitlines()


def test_an_environment_variable_of_the_parent_is_not_seen(
    isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    source = in_test('assert!(std::env::var("SECRET_TOKEN").is_err() && option_env!("SECRET_TOKEN").is_none());')
    assert verdict_of(source, isolation, workdir, phases=("test",)).test


def test_directories_without_permissions_are_removed_too(unprotected: Isolation, workdir: Path) -> None:
    source = in_test(
        'std::fs::create_dir("locked").unwrap(); std::fs::write("locked/file", "x").unwrap();'
        " use std::os::unix::fs::PermissionsExt;"
        ' std::fs::set_permissions("locked", std::fs::Permissions::from_mode(0)).unwrap();'
    )
    assert verdict_of(source, unprotected, workdir, phases=("test",)).test


def test_diagnostics_count_lines_in_the_programs_own_text(isolation: Isolation, workdir: Path) -> None:
    verdict = verdict_of("fn ok() {}\nfn bad() -> u8 {\n    true\n}\n", isolation, workdir, phases=("build",))
    (error,) = verdict.diagnostics
    assert (error.level, error.code, error.line) == ("error", "E0308", 3)
    assert verdict.clippy is None and verdict.test is None


def test_warnings_are_counted_once_each(isolation: Isolation, workdir: Path) -> None:
    source = "fn a(x: u8) -> u8 {\n    return x;\n}\nfn b() {\n    let unused = 1;\n}\n"
    verdict = verdict_of(source, isolation, workdir)
    assert verdict.warnings == 2
    assert {d.code for d in verdict.diagnostics} == {"clippy::needless_return", "unused_variables"}


def test_a_program_over_the_size_limit_is_not_compiled(isolation: Isolation, workdir: Path) -> None:
    verdict = grade("// " + "x" * 3000, isolation, Limits(source_kb=2), workdir)
    assert verdict.outcome is Outcome.BUILD_ERROR and "source_kb" in verdict.reason and not verdict.ms


def test_a_hundred_kilobytes_of_code_are_graded(isolation: Isolation, workdir: Path) -> None:
    source = "".join(f"fn f{i}(x: u64) -> u64 {{\n    x + {i}\n}}\n" for i in range(2600))
    assert len(source) > 100_000 - 20_000
    assert verdict_of(source, isolation, workdir, phases=("build",)).build


@pytest.mark.parametrize(
    "attributes",
    [
        "deny(confusable_idents, uncommon_codepoints)",
        "forbid(non_ascii_idents)",
        "forbid(unused_mut, clippy::complexity)",
    ],
)
def test_what_a_program_forbids_is_not_broken_by_the_sandbox(
    attributes: str, isolation: Isolation, workdir: Path
) -> None:
    source = f"#![{attributes}]\n" + GOOD.replace("a + b", 'a + b + "é".len() as i32 - 2')
    verdict = verdict_of(source, isolation, workdir)
    assert (verdict.outcome, verdict.passed) == (Outcome.PASSED, 2)


PLAIN = ["passes", "clippy refuses"]
SLOW_PLAIN = ["a test fails", "own main", "builds only under test"]


@pytest.mark.parametrize("name", [*PLAIN, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_PLAIN)])
def test_equal_to_plain_cargo_in_a_plain_project(name: str, isolation: Isolation, workdir: Path) -> None:
    source, _, phases, _, _ = CASES[name]
    (workdir / "src").mkdir()
    (workdir / "Cargo.toml").write_text(MANIFEST)
    (workdir / "src" / "main.rs").write_text(HEAD + source + TAIL)
    search = f"{isolation.toolchain.bin}{os.pathsep}{os.environ['PATH']}"  # cargo may be in .rust/ only
    options = {"cwd": workdir, "env": {**os.environ, "PATH": search}, "capture_output": True}
    said = tuple(
        subprocess.run(["cargo", verb, "-q", "--offline"], **options).returncode == 0
        for verb in ("build", "clippy", "test")
    )
    assert said == phases
