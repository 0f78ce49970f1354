"""Isolation is found, named and enforced for every kind of caller; honest programs do not notice it.

What hostile programs may not do is in `test_attacks.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile import Attack, Host
from programs import GOOD, in_test
from sandbox.errors import IsolationError
from sandbox.find_rust import find_toolchain
from sandbox.grading.grade import grade
from sandbox.isolation.policy import Isolation
from sandbox.isolation.probe import isolate
from sandbox.isolation.shared_toolchain import publish_toolchain
from sandbox.limits import Limits
from sandbox.verdict import Outcome

pytestmark = pytest.mark.skipif(
    os.environ.get("SANDBOX_ISOLATION") == "none",
    reason="this host has neither Landlock nor bubblewrap, or was told so",
)
LIMITS = Limits(compile_cpu_s=10, run_cpu_s=3, wall_s=30)


HONEST = {
    "threads": "let sum: i32 = (0..50).map(|i| std::thread::spawn(move || i)).map(|t| t.join().unwrap()).sum();"
    " assert_eq!(sum, 1225);",
    "files of its own": 'std::fs::write("a", "x").unwrap(); std::fs::rename("a", "b").unwrap();'
    ' assert_eq!(std::fs::copy("b", std::env::temp_dir().join("c")).unwrap(), 1); std::fs::remove_file("b").unwrap();',
    "time and randomness": "let started = std::time::Instant::now();"
    " std::thread::sleep(std::time::Duration::from_millis(2)); assert!(started.elapsed().as_millis() >= 2);"
    " let mut set = std::collections::HashSet::new(); assert!(set.insert(3));",
    "panics that are caught": 'assert!(std::panic::catch_unwind(|| panic!("x")).is_err());',
    "channels": "let (to, from) = std::sync::mpsc::channel(); std::thread::spawn(move || to.send(7).unwrap());"
    " assert_eq!(from.recv_timeout(std::time::Duration::from_secs(5)).unwrap(), 7);",
    "much memory": "let many = vec![1u8; 300 << 20]; assert_eq!(many[1 << 20], 1);",
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("backend", ["direct", pytest.param("cargo", marks=pytest.mark.slow)])
def test_honest_programs_notice_nothing(name: str, backend: str, isolation: Isolation, workdir: Path) -> None:
    verdict = grade(in_test(HONEST[name]), isolation, LIMITS, workdir, backend=backend)
    assert verdict.test and verdict.outcome is (Outcome.UNTRUSTED if verdict.powers else Outcome.PASSED)


@pytest.mark.parametrize(
    "body", ["std::process::abort();", "fn f(n: u64) -> u64 { f(n + 1) + 1 } assert_eq!(f(0), 1);"]
)
def test_programs_that_die_die_as_without_protection(
    body: str, isolation: Isolation, unprotected: Isolation, workdir: Path
) -> None:
    source = in_test(body)
    ends = [grade(source, protection, LIMITS, workdir, backend="direct") for protection in (isolation, unprotected)]
    assert ends[0].outcome is ends[1].outcome is Outcome.TEST_FAILED
    ended, expected = (re.sub(r"\(\d+\)", "(thread)", end.test_output) for end in ends)
    assert ended == expected


def test_the_protection_is_said_in_words(isolation: Isolation, unprotected: Isolation) -> None:
    assert "Landlock" in str(isolation) and str(unprotected).startswith("NONE")


def test_a_host_without_any_protection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.isolation.probe._candidates", lambda plain, kinds, problems: iter(()))
    with pytest.raises(IsolationError, match='ask for isolation "none" by name'):
        isolate(find_toolchain())
    assert isolate(find_toolchain(), "none").kind == "none"


def test_a_protection_that_does_not_protect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(plain: Isolation, kinds: object, problems: object) -> Iterator[Isolation]:
        yield plain

    monkeypatch.setattr("sandbox.isolation.probe._candidates", pretend)
    with pytest.raises(IsolationError, match="reads a foreign file"):
        isolate(find_toolchain())


@pytest.mark.parametrize("script", ["echo no room >&2; exit 125", "echo no room", "kill -9 $$", None])
def test_a_launcher_that_does_not_say_what_the_kernel_has_is_refused(
    script: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    launcher = tmp_path / "launcher"
    if script is not None:
        launcher.write_text(f"#!/bin/sh\n{script}\n")
        launcher.chmod(0o755)
    monkeypatch.setattr("sandbox.isolation.probe.launcher", lambda toolchain: launcher)
    words = {None: "No such file", "kill -9 $$": "-9"}.get(script, "no room")
    with pytest.raises(IsolationError, match=rf"cannot be protected.*landlock: .*{words}"):
        isolate(find_toolchain(), "landlock")


def test_an_unknown_isolation_is_refused() -> None:
    with pytest.raises(ValueError, match="isolation is 'chroot'; it must be one of auto, landlock"):
        isolate(find_toolchain(), "chroot")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_protects_too(workdir: Path) -> None:
    try:
        isolation = isolate(find_toolchain(), "bubblewrap")
    except IsolationError as error:
        pytest.skip(f"bubblewrap does not work here: {error}")
    for backend in ("direct", "cargo"):
        assert grade(GOOD, isolation, LIMITS, workdir, backend=backend).outcome is Outcome.PASSED
        for name in ("run/reads_a_file", "run/connects_by_tcp", "run/starts_a_shell"):
            with Host(isolation.program) as host:
                verdict = grade(Attack.read(name).fill(host), isolation, LIMITS, workdir, backend=backend)
                assert verdict.outcome is Outcome.TEST_FAILED and not host.traces()


@pytest.mark.parametrize("backend", ["direct", "cargo"])
def test_a_launcher_that_cannot_start_is_the_hosts_failure(
    backend: str, isolation: Isolation, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([isolation.program, "--policy", "run", "--", "/none"], capture_output=True, text=True)
    assert done.returncode == 125 and "No such file" in done.stderr
    words = [str(isolation.program), "--policy", "run", "--none", "x", "--"]
    monkeypatch.setattr(Isolation, "run", lambda _, command, project, limits: [*words, *map(str, command)])
    monkeypatch.setattr(Isolation, "runner", lambda *_: words)
    with pytest.raises(OSError, match='could not start a command: --none "x": no such option'):
        grade(GOOD, isolation, LIMITS, workdir, backend=backend)


@pytest.mark.parametrize("backend", ["direct", "cargo"])
def test_a_program_cannot_speak_for_the_launcher(backend: str, isolation: Isolation, workdir: Path) -> None:
    body = (
        'assert!(std::env::vars().all(|(name, _)| !name.contains("REPORT")));'
        ' assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&std::fs::File::open("/dev/null").unwrap()), 3, "the first free");'
        ' std::io::Write::write_all(&mut std::io::stderr(), b"launcher: no room\\n").unwrap(); std::process::exit(125);'
    )
    verdict = grade(in_test(body), isolation, LIMITS, workdir, backend=backend)
    assert verdict.outcome is Outcome.TEST_FAILED and "launcher: no room" in verdict.test_output
    assert "panicked" not in verdict.test_output and "--policy" not in verdict.test_output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has powers to lose")
def test_root_without_other_users_has_no_powers(isolation: Isolation) -> None:
    command = [isolation.program, "--policy", "open", "--landlock", "off", "--", "/bin/cat", "/proc/self/status"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    powers = dict(line.split(":\t") for line in said.splitlines() if line.startswith("Cap"))
    assert set(powers) == {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} and not any(
        int(x, 16) for x in powers.values()
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_everything_holds_for_a_user_without_rights(isolation: Isolation) -> None:
    toolchain = publish_toolchain(isolation.toolchain)
    programs = [GOOD, Attack.read("run/starts_a_shell").source]
    script = (
        "import os, subprocess, sys, tempfile\n"
        "from pathlib import Path\n"
        "from sandbox import Limits, Toolchain\n"
        "from sandbox.isolation.probe import isolate\n"
        "from sandbox.grading.grade import grade\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"found = isolate(Toolchain(Path({str(toolchain.bin)!r}), {toolchain.version!r},"
        f" {toolchain.host!r}))\n"
        f"outcomes = [grade(source, found, Limits(), Path(sys.argv[1])).outcome for source in {programs!r}]\n"
        "print(found.user, *outcomes)\n"
    )
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        source = Path(__file__).parents[2] / "sandbox"
        shutil.copytree(source, Path(home) / "sandbox")
        environment = {"PATH": os.environ["PATH"], "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", script, home]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["None", "passed", "test_failed"], done.stderr
