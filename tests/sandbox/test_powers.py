"""A program's powers: what is found, and that nothing else of a verdict changes, by any backend."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import GOOD, LIMITS, in_test
from sandbox.grading import powers
from sandbox.grading.backends import BACKENDS
from sandbox.grading.grade import grade
from sandbox.grading.together import grade_together
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import HEAD, MANIFEST, TAIL
from sandbox.verdict import Outcome, Verdict

UNSAFE = {
    "a block": "fn f() { unsafe { std::hint::assert_unchecked(true) } }",
    "a function": "unsafe fn f() {}",
    "a trait": "unsafe trait T {}",
    "an implementation": "struct S;\nunsafe impl Send for S {}",
    "foreign functions that are safe": 'unsafe extern "C" { safe fn getpid() -> i32; }',
    "a foreign static": 'unsafe extern "C" { safe static environ: u8; }',
    "a symbol": "#[unsafe(no_mangle)]\npub extern \"C\" fn my_name() {}",
    "a symbol of the old form": '#[no_mangle]\npub extern "C" fn my_name() {}',
    "a symbol of another name": '#[unsafe(export_name = "other")]\npub extern "C" fn my_name() {}',
    "a symbol of a static": "#[no_mangle]\npub static MY_NAME: u8 = 1;",
    "a section": '#[unsafe(link_section = ".mine")]\nstatic S: u8 = 1;',
    "a macro": "macro_rules! m { ($e:expr) => { unsafe { $e } } }\nfn f() { m!(std::hint::assert_unchecked(true)) }",
    "assembly": 'fn f() { unsafe { core::arch::asm!("") } }',
    "assembly as a function": '#[unsafe(naked)]\nextern "C" fn f() { core::arch::naked_asm!("ret") }',
    "assembly under another name": 'use core::arch::naked_asm as n;\n#[unsafe(naked)]\nextern "C" fn f() { n!("ret") }',
    "its own text within concat!": 'fn f() -> &\'static str { concat!("", include_str!("main.rs")) }',
    "its own text by a macro within concat!": "macro_rules! m { () => { include_str!(\"main.rs\") } }\n"
    'fn f() -> &\'static str { concat!("", m!()) }',
    "its own text under another name": 'use std::include_bytes as b;\nfn f() -> &\'static [u8] { b!("main.rs") }',
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_code_that_can_do_anything_is_a_power(name: str, isolation: Isolation, workdir: Path) -> None:
    source = f"{UNSAFE[name]}\n#[test]\nfn t() {{\n    assert_eq!(1, 1);\n}}\n"
    verdict = grade(source, isolation, LIMITS, workdir, phases=("test",))
    assert verdict.test and verdict.powers and not verdict.genuine
    assert verdict.outcome is Outcome.UNTRUSTED
    assert " in line " in verdict.powers[0]


def test_powers_say_what_and_where_and_are_not_too_many(isolation: Isolation, workdir: Path) -> None:
    many = "".join(f"fn f{i}() {{ std::process::exit({i}); }}\n" for i in range(20))
    verdict = grade(many + GOOD, isolation, LIMITS, workdir, backend="direct")
    assert verdict.powers == tuple(f"std::process::exit in line {i}" for i in range(1, powers.MAX_POWERS + 1))


def test_a_program_that_the_compiler_cannot_examine_is_not_trusted(
    isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.grading.phases.EXAMINE", ["--no-such-option"])
    verdict = grade(GOOD, isolation, LIMITS, workdir, backend="cargo")
    assert (verdict.outcome, verdict.powers, verdict.test) == (Outcome.UNTRUSTED, powers.UNKNOWN, True)


INNOCENT = {
    "printing": in_test('println!("a"); eprintln!("b"); dbg!(add(1, 2)); assert_eq!(add(1, 2), 3);'),
    "threads, panics, time": in_test(
        "let t = std::thread::spawn(|| add(1, 2)); assert_eq!(t.join().unwrap(), 3);"
        " assert!(std::panic::catch_unwind(|| panic!()).is_err());"
        " assert!(std::time::Instant::now().elapsed().as_secs() < 9);"
    ),
    "writing into a value": in_test(
        'use std::io::{BufRead, Cursor, Read, Write}; let mut v = Vec::new(); v.write_all(b"a\\nb").unwrap();'
        " assert_eq!(Cursor::new(v).lines().count(), 2); let mut s = String::new();"
        ' (&b"x"[..]).read_to_string(&mut s).unwrap(); assert_eq!(s, "x"); assert_eq!(add(1, 2), 3);'
    ),
    "names that others have too": GOOD + "mod fs {\n    pub fn read() -> u8 {\n        1\n    }\n}\n"
    "#[test]\nfn exit() {\n    assert_eq!(fs::read(), 1);\n}\n",
    "words in comments and texts": GOOD + '// unsafe std::process::exit(0)\npub const S: &str = "std::fs::read";\n',
    "paths and addresses as values": in_test(
        'assert!(std::path::Path::new("a/b").ends_with("b")); assert!("127.0.0.1".parse::<std::net::IpAddr>().is_ok());'
        " assert_eq!(add(1, 2), 3);"
    ),
    "forbidden unsafe code": "#![forbid(unsafe_code)]\n" + GOOD,
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_only_computes_and_prints_has_no_powers(name: str, isolation: Isolation, workdir: Path) -> None:
    verdict = grade(INNOCENT[name], isolation, LIMITS, workdir)
    assert (verdict.powers, verdict.genuine, verdict.outcome) == ((), True, Outcome.PASSED)


# Nothing else of the verdict changes. A program, and whether it has powers.

WARNED = "fn a(x: u8) -> u8 {\n    return x;\n}\nfn b() {\n    let unused = 1;\n}\n"
EXITS = "fn leave() {\n    std::process::exit(0);\n}\n"
UNCHANGED = {
    "powers": (EXITS + GOOD, True),
    "powers and warnings": (EXITS + WARNED + GOOD, True),
    "warnings are errors": ("#![deny(warnings)]\npub " + EXITS + GOOD, True),
    "all of clippy is an error": ("#![deny(clippy::all)]\npub " + EXITS + GOOD, True),
    "the lists' own lints are errors": (
        "#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]\n" + EXITS + GOOD,
        True,
    ),
    "the lists' own lints are expected": ("#[expect(clippy::disallowed_methods)]\n" + EXITS + GOOD, True),
    "unsafe code is an error": ("#![deny(unsafe_code)]\n" + GOOD.replace("a + b", "unsafe { a + b }"), False),
    "unsafe code is forbidden, and not there": ("#![forbid(unsafe_code)]\n" + GOOD, False),
    "a test with powers fails": (EXITS + in_test("assert_eq!(add(1, 2), 4);"), True),
    "powers in the tests alone": (in_test("let _ = std::io::stdout(); assert_eq!(add(1, 2), 3);"), True),
    "powers and a lint error": (EXITS + GOOD.replace("a + b", "if a == a { a + b } else { 0 }"), True),
    "powers and tests that do not build": (EXITS + in_test('let x: u8 = "x";'), False),
    "none": (GOOD, False),
}  # fmt: skip


def plain_cargo(source: str, isolation: Isolation, directory: Path) -> tuple[tuple[bool, bool, bool], int]:
    """Whether build, clippy and test succeed in a plain project, and clippy's distinct warnings of the program."""
    (directory / "src").mkdir(parents=True)
    (directory / "Cargo.toml").write_text(MANIFEST)
    (directory / "src/main.rs").write_text(HEAD + source + TAIL)
    environment = {**os.environ, "PATH": f"{isolation.toolchain.bin}{os.pathsep}{os.environ['PATH']}"}

    def cargo(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["cargo", *arguments, "--offline"], cwd=directory, env=environment, capture_output=True, check=False
        )

    linted = cargo("clippy", "--message-format=json")
    found = set()
    for line in linted.stdout.splitlines():
        record = json.loads(line)
        if record["reason"] == "compiler-message" and record["message"]["level"] == "warning":
            message = record["message"]
            found |= (
                {(message["message"], *(span["line_start"] for span in message["spans"]))} if message["code"] else set()
            )
    codes = cargo("build").returncode, linted.returncode, cargo("test").returncode
    return (codes[0] == 0, codes[1] == 0, codes[2] == 0), len(found)


COMPARED = [
    pytest.param(
        name, marks=() if name in ("powers and warnings", "the lists' own lints are errors") else pytest.mark.slow
    )
    for name in UNCHANGED
]


@pytest.mark.parametrize("name", COMPARED)
def test_looking_for_powers_changes_nothing_that_cargo_says(name: str, isolation: Isolation, workdir: Path) -> None:
    source, has_powers = UNCHANGED[name]
    expected = plain_cargo(source, isolation, workdir / "plain")
    (workdir / "graded").mkdir(mode=0o711)
    for backend in BACKENDS:
        verdicts = graded(source, backend, isolation, workdir / "graded")
        for verdict in verdicts:
            assert ((verdict.build, verdict.clippy, verdict.test), verdict.warnings) == expected, backend
            assert bool(verdict.powers) == has_powers, backend
            assert not any("disallowed" in found.message for found in verdict.diagnostics), backend


def graded(source: str, backend: str, isolation: Isolation, workdir: Path) -> Iterator[Verdict]:
    """The verdict of a backend; of "batch" alone and between two others."""
    yield grade(source, isolation, LIMITS, workdir, backend=backend)
    if backend == "batch":
        others = (GOOD, GOOD + "pub fn more() {}\n")
        found = dict(grade_together([others[0], source, others[1]], isolation, LIMITS, workdir))
        verdict = found[1] or grade(source, isolation, LIMITS, workdir, backend=backend)
        yield verdict
        for number in (0, 2):
            other = found[number]
            assert other is None or (other.outcome, other.powers, other.warnings) == (Outcome.PASSED, (), 0)


def test_powers_of_one_program_in_a_batch_are_not_its_neighbours(isolation: Isolation, workdir: Path) -> None:
    sources = [GOOD, EXITS + GOOD, GOOD + "pub fn more() {}\n"]
    found = {number: verdict for number, verdict in grade_together(sources, isolation, LIMITS, workdir) if verdict}
    assert {number: verdict.powers for number, verdict in found.items()} == {
        0: (),
        1: ("std::process::exit in line 2",),
        2: (),
    }
    assert [found[number].outcome for number in range(3)] == [Outcome.PASSED, Outcome.UNTRUSTED, Outcome.PASSED]


@pytest.mark.parametrize("backend", ["direct", pytest.param("cargo", marks=pytest.mark.slow)])
def test_a_flood_of_reports_hides_no_power_and_no_warning(backend: str, isolation: Isolation, workdir: Path) -> None:
    warned = "pub fn a() {\n    let unused = 1;\n}\npub fn g(_: u32) {}\n"
    source = warned + "pub fn f() { " + "g(std::process::id());" * 2500 + "}\n" + warned.replace(" g", " h") + GOOD
    verdict = grade(source.replace("fn a", "fn b", 1), isolation, LIMITS, workdir, backend=backend)
    assert (verdict.powers, verdict.warnings, verdict.outcome) == (powers.UNKNOWN, 2, Outcome.UNTRUSTED)


def test_a_failure_to_find_powers_is_no_limit_of_the_program(isolation: Isolation, workdir: Path) -> None:
    limits = Limits(compile_cpu_s=20, run_cpu_s=1, wall_s=60)
    verdict = grade(in_test("loop {}"), isolation, limits, workdir, backend="direct")
    assert verdict.outcome is Outcome.TIMEOUT and "powers" not in verdict.reason
