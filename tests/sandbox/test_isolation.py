"""What programs may not do on this host, each with a control: the same program succeeds where nothing protects it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox.errors import IsolationError
from sandbox.isolation import Isolation, isolate
from sandbox.limits import Limits
from sandbox.paths import grade
from sandbox.reachable import reachable
from sandbox.toolchain import find_toolchain
from sandbox.verdict import Outcome

pytestmark = pytest.mark.skipif(
    os.environ.get("SANDBOX_ISOLATION") == "none",
    reason="this host has neither Landlock nor bubblewrap, or was told so",
)
LIMITS = Limits(compile_cpu_s=10, run_cpu_s=3, wall_s=30)
LIBC = """#[link(name = "c")]
extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn kill(pid: i32, signal: i32) -> i32;
}
"""


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory of the test's own that any user may read and write: only isolation can be in the way."""
    with tempfile.TemporaryDirectory(prefix="outside-") as directory:
        Path(directory).chmod(0o777)
        (Path(directory) / "secret").write_text("hunter2")
        (Path(directory) / "secret").chmod(0o666)
        yield Path(directory)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Something to talk to, on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


ATTACKS = {
    "reads a file": 'assert_eq!(std::fs::read_to_string("OUTSIDE/secret").unwrap(), "hunter2");',
    "lists a directory": 'assert!(std::fs::read_dir("OUTSIDE").unwrap().next().is_some());',
    "writes a file": 'std::fs::write("OUTSIDE/written", "x").unwrap();',
    "appends to a file": 'std::fs::OpenOptions::new().append(true).open("OUTSIDE/secret").unwrap();',
    "removes a file": 'std::fs::remove_file("OUTSIDE/secret").unwrap();',
    "renames a file": 'std::fs::rename("OUTSIDE/secret", "OUTSIDE/other").unwrap();',
    "makes a directory": 'std::fs::create_dir("OUTSIDE/made").unwrap();',
    "reads through a symbolic link": 'std::os::unix::fs::symlink("OUTSIDE/secret", "link").unwrap();'
    ' assert_eq!(std::fs::read_to_string("link").unwrap(), "hunter2");',
    "makes a hard link": 'std::fs::hard_link("OUTSIDE/secret", "OUTSIDE/link").unwrap();',
    "changes a mode": "use std::os::unix::fs::PermissionsExt;"
    ' std::fs::set_permissions("OUTSIDE", std::fs::Permissions::from_mode(0o755)).unwrap();',
    "sets a time": 'std::fs::File::open("OUTSIDE/secret").unwrap()'
    ".set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();",
    "reads the users of the host": 'assert!(std::fs::read_to_string("/etc/passwd").unwrap().contains("root"));',
    "looks at another process": 'assert!(!std::fs::read("/proc/PARENT/cmdline").unwrap().is_empty());',
    "connects by TCP": 'std::net::TcpStream::connect("127.0.0.1:PORT").unwrap();',
    "listens by TCP": 'std::net::TcpListener::bind("127.0.0.1:0").unwrap();',
    "sends by UDP": 'std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", "127.0.0.1:PORT").unwrap();',
    "opens a unix socket": 'std::os::unix::net::UnixListener::bind("socket").unwrap();',
    "makes a pair of sockets": "std::os::unix::net::UnixStream::pair().unwrap();",
    "starts a shell": 'let status = std::process::Command::new("/bin/sh").args(["-c", "true"]).status();'
    " assert!(status.unwrap().success());",
    "starts itself": 'std::process::Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();',
    "leaves a daemon": 'std::process::Command::new("setsid").args(["sleep", "1"]).spawn().unwrap();',
}
CALLS = {  # number on x86-64, arguments; all harmless, and allowed to any process without protection
    "makes a memory file": (319, 'b"x\\0".as_ptr(), 0'),
    "sets up io_uring": (425, "1, [0u8; 120].as_mut_ptr()"),
    "shares memory": (29, "0, 4096, 0o600"),
    "makes a message queue": (68, "0, 0o600"),
    "makes a user namespace": (272, "0x1000_0000"),
    "asks for a key": (250, "0, -3, 0"),
    "opens a process": (434, "PARENT, 0"),
    "makes a netlink socket": (41, "16, 3, 0"),
    "makes a landlock ruleset": (444, "0usize, 0usize, 1"),
}
COMPILE_TIME = {
    "include_str": 'const SECRET: &str = include_str!("OUTSIDE/secret");\n',
    "include_bytes": 'const SECRET: &[u8] = include_bytes!("OUTSIDE/secret");\n',
    "path of a module": '#[path = "OUTSIDE/module.rs"]\nmod stolen;\n',
}


def fill(code: str, outside: Path, server: socket.socket) -> str:
    """An attack on what this test made."""
    code = code.replace("OUTSIDE", str(outside)).replace("PARENT", str(os.getpid()))
    return code.replace("PORT", str(server.getsockname()[1]))


@pytest.mark.parametrize("name", ATTACKS)
def test_what_tests_may_not_do(
    name: str, isolation: Isolation, unprotected: Isolation, workdir: Path, outside: Path, server: socket.socket
) -> None:
    source = in_test(fill(ATTACKS[name], outside, server))
    for path in ("direct", "exact"):
        verdict = grade(source, isolation, LIMITS, workdir, path=path, phases=("test",))
        assert (verdict.outcome, verdict.failed) == (Outcome.TEST_FAILED, 1), verdict
    control = grade(source, unprotected, LIMITS, workdir, path="direct", phases=("test",))
    assert control.outcome is Outcome.PASSED, control


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
@pytest.mark.parametrize("name", CALLS)
def test_system_calls_that_are_refused(
    name: str, isolation: Isolation, unprotected: Isolation, workdir: Path, outside: Path, server: socket.socket
) -> None:
    number, arguments = CALLS[name]
    call = f"unsafe {{ syscall({number}, {fill(arguments, outside, server)}) }}"
    refused = f"let got = {call}; assert!(got < 0 && std::io::Error::last_os_error().raw_os_error() == Some(1));"
    assert grade(LIBC + in_test(refused), isolation, LIMITS, workdir, phases=("test",)).outcome is Outcome.PASSED
    control = grade(LIBC + in_test(refused), unprotected, LIMITS, workdir, phases=("test",))
    assert control.outcome is Outcome.TEST_FAILED, "without protection the call does something else"


@pytest.mark.parametrize("name", COMPILE_TIME)
def test_what_compilers_may_not_read(
    name: str, isolation: Isolation, unprotected: Isolation, workdir: Path, outside: Path, server: socket.socket
) -> None:
    (outside / "module.rs").write_text("pub fn f() {}\n")
    source = fill(COMPILE_TIME[name], outside, server) + GOOD
    for path in ("direct", "exact"):
        assert grade(source, isolation, LIMITS, workdir, path=path).outcome is Outcome.BUILD_ERROR
    assert grade(source, unprotected, LIMITS, workdir, path="direct").build


def test_a_signal_reaches_no_other_process(isolation: Isolation, unprotected: Isolation, workdir: Path) -> None:
    for protection, is_hit in ((isolation, False), (unprotected, True)):
        with subprocess.Popen(["sleep", "60"]) as victim:
            source = LIBC + in_test(f"unsafe {{ kill({victim.pid}, 9); }}")
            grade(source, protection, LIMITS, workdir, phases=("test",))
            assert (victim.poll() is not None) == is_hit
            victim.kill()


def test_threads_come_to_an_end(isolation: Isolation, unprotected: Isolation, workdir: Path) -> None:
    body = (
        "let mut threads = Vec::new(); for _ in 0..1000 { match std::thread::Builder::new().stack_size(65536)"
        ".spawn(|| std::thread::sleep(std::time::Duration::from_millis(300))) { Ok(thread) => threads.push(thread),"
        " Err(_) => break } } let count = threads.len(); for thread in threads { thread.join().unwrap(); }"
        " assert_eq!(count, 1000);"
    )
    assert grade(in_test(body), unprotected, LIMITS, workdir, phases=("test",)).outcome is Outcome.PASSED
    if isolation.user is not None:  # else the threads of all of the caller's processes would be counted
        assert grade(in_test(body), isolation, LIMITS, workdir, phases=("test",)).outcome is Outcome.TEST_FAILED


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
@pytest.mark.parametrize("path", ["direct", "exact"])
def test_honest_programs_notice_nothing(name: str, path: str, isolation: Isolation, workdir: Path) -> None:
    assert grade(in_test(HONEST[name]), isolation, LIMITS, workdir, path=path).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "body", ["std::process::abort();", "fn f(n: u64) -> u64 { f(n + 1) + 1 } assert_eq!(f(0), 1);"]
)
def test_programs_that_die_die_as_without_protection(
    body: str, isolation: Isolation, unprotected: Isolation, workdir: Path
) -> None:
    source = in_test(body)
    ends = [grade(source, protection, LIMITS, workdir, path="direct") for protection in (isolation, unprotected)]
    assert ends[0].outcome is ends[1].outcome is Outcome.TEST_FAILED
    ended, expected = (re.sub(r"\(\d+\)", "(thread)", end.test_output) for end in ends)
    assert ended == expected


def test_the_protection_is_said_in_words(isolation: Isolation, unprotected: Isolation) -> None:
    assert "Landlock" in str(isolation) and str(unprotected).startswith("NONE")


def test_a_host_without_any_protection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.isolation._candidates", lambda plain, kinds: iter(()))
    with pytest.raises(IsolationError, match='ask for isolation "none" by name'):
        isolate(find_toolchain())
    assert isolate(find_toolchain(), "none").kind == "none"


def test_a_protection_that_does_not_protect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(plain: Isolation, kinds: object) -> Iterator[Isolation]:
        yield plain

    monkeypatch.setattr("sandbox.isolation._candidates", pretend)
    with pytest.raises(IsolationError, match="reads a foreign file"):
        isolate(find_toolchain())


def test_an_unknown_isolation_is_refused() -> None:
    with pytest.raises(ValueError, match="isolation is 'chroot'; it must be one of auto, landlock"):
        isolate(find_toolchain(), "chroot")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_protects_too(workdir: Path, outside: Path, server: socket.socket) -> None:
    try:
        isolation = isolate(find_toolchain(), "bubblewrap")
    except IsolationError as error:
        pytest.skip(f"bubblewrap does not work here: {error}")
    for path in ("direct", "exact"):
        assert grade(GOOD, isolation, LIMITS, workdir, path=path).outcome is Outcome.PASSED
        for name in ("reads a file", "connects by TCP", "starts a shell"):
            source = in_test(fill(ATTACKS[name], outside, server))
            assert grade(source, isolation, LIMITS, workdir, path=path).outcome is Outcome.TEST_FAILED


def test_a_launcher_that_cannot_start_is_the_hosts_failure(isolation: Isolation, workdir: Path) -> None:
    broken = Isolation("landlock", isolation.program, isolation.toolchain, landlock=1, mark="word")
    assert broken.failed(b"launcher word: no room\nmore") == "no room"
    assert not broken.failed(b"launcher other: no room") and not broken.failed(b"")
    done = subprocess.run([isolation.program, "--policy", "run", "--", "/none"], capture_output=True, text=True)
    assert done.returncode == 125 and "No such file" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_everything_holds_for_a_user_without_rights(isolation: Isolation) -> None:
    toolchain = reachable(isolation.toolchain)
    programs = [GOOD, in_test(ATTACKS["starts a shell"])]
    script = (
        "import os, subprocess, sys, tempfile\n"
        "from pathlib import Path\n"
        "from sandbox import Limits, Toolchain\n"
        "from sandbox.isolation import isolate\n"
        "from sandbox.paths import grade\n"
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
