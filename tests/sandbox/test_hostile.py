"""Programs that work against the sandbox: by no backend do they hide a failure, escape a limit or leave anything."""

import subprocess
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox.grading import phases
from sandbox.grading.backends import BACKENDS
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict

LIMITS = Limits(compile_cpu_s=8, run_cpu_s=1, wall_s=30)
SUMMARY = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
PRINT = f'{{ use std::io::Write; let _ = std::io::stdout().write_all(b"\\n{SUMMARY}\\n"); }}'
SPIN = "let from = std::time::Instant::now(); while from.elapsed().as_micros() < {} {{}}"
# The second test fails, but a thread of it may end the process before libtest's own summary.
RACES = {
    f"{order} {micros}": f"std::thread::spawn(|| {{ {thread} std::process::exit(0); }}); {test}"
    for micros in (0, 30, 100, 300, 1000)
    for order, thread, test in (
        ("prints, then waits", SPIN.format(micros), f"{PRINT} panic!();"),
        ("waits, then prints", SPIN.format(micros) + PRINT, "panic!();"),
    )
}
# The fast tests take one backend: "batch" grades a single program as "direct" does, and all share limits and launcher.
every_backend = pytest.mark.parametrize(
    "backend", [pytest.param(name, marks=() if name == "direct" else pytest.mark.slow) for name in BACKENDS]
)


def verdict_of(source: str, isolation: Isolation, workdir: Path, backend: str, limits: Limits = LIMITS) -> Verdict:
    verdict = grade(source, isolation, limits, workdir, backend=backend)
    assert list(workdir.iterdir()) == [], "the work directory is always removed"
    return verdict


@every_backend
@pytest.mark.parametrize("race", RACES)
def test_a_thread_that_outruns_libtest_hides_no_failure(
    race: str, backend: str, isolation: Isolation, workdir: Path
) -> None:
    source = GOOD.replace("assert_eq!(add(2, 2), 4);", RACES[race])
    verdict = verdict_of(source, isolation, workdir, backend)
    assert verdict.outcome in (Outcome.UNTRUSTED, Outcome.TEST_FAILED) and not verdict.genuine


@every_backend
def test_a_flood_that_pushes_a_failure_out_of_sight_is_not_believed(
    backend: str, isolation: Isolation, workdir: Path
) -> None:
    flood = 'for _ in 0..40_000 { let _ = std::io::stdout().write_all(b"0123456789\\n"); }'
    source = (
        "#[cfg(test)]\nmod tests {\n    use std::io::Write;\n"
        f"    #[test]\n    fn a() {{ {flood} }}\n    #[test]\n    fn b() {{ panic!(); }}\n"
        f"    #[test]\n    fn c() {{ {flood} {RACES['prints, then waits 30'].removesuffix('panic!();')} }}\n}}\n"
    )
    verdict = verdict_of(source, isolation, workdir, backend, Limits(output_kb=16, run_cpu_s=5))
    assert verdict.outcome in (Outcome.UNTRUSTED, Outcome.TEST_FAILED) and not verdict.genuine


@every_backend
def test_output_that_bypasses_libtest_does_no_harm(backend: str, isolation: Isolation, workdir: Path) -> None:
    source = in_test(
        'use std::io::Write; std::io::stdout().write_all(b"no newline").unwrap(); assert_eq!(add(1, 2), 3);'
    )
    verdict = verdict_of(source, isolation, workdir, backend)
    assert (verdict.test, verdict.passed, verdict.outcome) == (True, 2, Outcome.UNTRUSTED)


@pytest.mark.slow  # the fast tests have an attack of this kind
@every_backend
def test_a_program_that_ignores_the_signal_of_the_cpu_limit_is_a_timeout(
    backend: str, isolation: Isolation, workdir: Path
) -> None:
    source = '#[link(name = "c")]\nextern "C" {\n    fn signal(kind: i32, action: usize) -> usize;\n}\n' + in_test(
        "unsafe { signal(24, 1); } loop { std::hint::black_box(add(1, 2)); }"
    )
    verdict = verdict_of(source, isolation, workdir, backend)
    assert verdict.outcome is Outcome.TIMEOUT and "CPU time" in verdict.reason


def test_processes_that_left_the_tree_use_its_cpu_time_too(unprotected: Isolation, workdir: Path) -> None:
    spin = "(setsid sh -c 'while :; do :; done' &); (setsid sh -c 'while :; do :; done' &)"
    source = in_test(
        f'std::process::Command::new("sh").args(["-c", "{spin}"]).status().unwrap();'
        " std::thread::sleep(std::time::Duration::from_secs(20));"
    )
    verdict = verdict_of(source, unprotected, workdir, "direct")
    assert verdict.outcome is Outcome.TIMEOUT and "CPU time" in verdict.reason
    assert sum(verdict.ms.values()) < 15_000


@every_backend
def test_tests_that_never_end_cost_neither_build_nor_clippy(backend: str, isolation: Isolation, workdir: Path) -> None:
    verdict = verdict_of(in_test("loop {}"), isolation, workdir, backend)
    assert (verdict.build, verdict.clippy, verdict.test) == (True, True, False)
    verdict = verdict_of(
        in_test("loop {}").replace("a + b", "if a == a { a + b } else { 0 }"), isolation, workdir, backend
    )
    assert (verdict.build, verdict.clippy, verdict.test) == (True, False, False)


@pytest.mark.slow  # the fast tests have test_remove_tree.py for this
@every_backend
def test_directories_nested_by_the_thousand_are_removed(backend: str, isolation: Isolation, workdir: Path) -> None:
    source = in_test(
        'for _ in 0..1200 { std::fs::create_dir("d").unwrap(); std::env::set_current_dir("d").unwrap(); }'
        " assert_eq!(add(1, 2), 3);"
    )
    assert verdict_of(source, isolation, workdir, backend, Limits(run_cpu_s=8)).test


@every_backend
def test_a_full_disk_is_the_hosts_failure(
    backend: str, isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "FREE_BYTES_NEEDED", 1 << 62)
    with pytest.raises(OSError, match="no space left"):
        grade("fn", isolation, LIMITS, workdir, backend=backend)
    assert list(workdir.iterdir()) == []


@every_backend
def test_what_a_run_leaves_is_not_compiled(backend: str, isolation: Isolation, workdir: Path) -> None:
    plant = (
        'std::fs::create_dir(".cargo").unwrap(); std::fs::remove_file("src/main.rs").unwrap();'
        ' std::fs::write(".cargo/config.toml", "[build]\\nrustc = \\"/nowhere\\"").unwrap();'
        ' std::fs::create_dir("src/main.rs").unwrap();'
    )
    source = (
        "fn one() -> u8 { helper() }\n#[cfg(test)]\nfn helper() -> u8 { 1 }\n"  # builds under test only: it runs twice
    )
    verdict = verdict_of(source + f"#[test]\nfn t() {{ {plant} assert_eq!(one(), 1); }}\n", isolation, workdir, backend)
    assert (verdict.outcome, verdict.test, verdict.passed) == (Outcome.BUILD_ERROR, True, 1)


def test_no_process_of_any_of_them_is_left() -> None:
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "while :; do :; done" not in running


@pytest.mark.slow  # the fast tests have attacks of this kind
@pytest.mark.parametrize(
    "body",
    [
        'for i in 0.. { std::fs::write(format!("{i}"), "x").unwrap(); }',
        'for i in 0.. { std::fs::create_dir(format!("{i}")).unwrap(); }',
        'for i in 0.. { std::fs::write(format!("{i}"), vec![1u8; 9 << 20]).unwrap(); }',
    ],
    ids=["files", "directories", "bytes"],
)
def test_a_full_disk_is_prevented(body: str, isolation: Isolation, workdir: Path) -> None:
    limits = Limits(run_cpu_s=30, wall_s=60, disk_mb=200, files=3000)
    verdict = verdict_of(in_test(body), isolation, workdir, "direct", limits)
    assert verdict.outcome is Outcome.TIMEOUT and "wrote more than 3,000 files or 200 MiB" in verdict.reason
    assert verdict.ms["test"] < 20_000
