"""The hostile programs of the folder `attacks`, and what they attack: only things that a test made for them.

A program begins with comments: first what it does, then lines `// key: value`.

    protected: test_failed (PermissionDenied)  the outcome with isolation, and a text that its verdict holds
    control: passed, leaves made:written       the same without isolation, and the traces found on the host afterwards
    needs: root x86_64                         keys of `missing`; the attack is skipped where the host lacks one
    limits: run_cpu_s=2 wall_s=4               those that differ from `LIMITS`
    number: 1000000, control 10                the value of NUMBER, and one without isolation so that it ends
    phases: test                               those of the grading; all if this line is missing

Each capital word of `Host.places` is replaced, everywhere in the program, by its value.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.verdict import PHASES

FOLDER = Path(__file__).parent / "attacks"
LIMITS = Limits(compile_cpu_s=10, run_cpu_s=3, wall_s=30)
SECRET, MODULE = "hunter2", "pub fn stolen() {}\n"
HEADER = re.compile(r"^// (\w+): (.+)$", re.MULTILINE)
EXPECTED = re.compile(r"(?P<outcomes>\w+(?: or \w+)*)(?: \((?P<text>.*)\))?(?:, leaves (?P<traces>.*))?")
KEYS = {"protected", "control", "needs", "limits", "number", "phases"}


@dataclass(frozen=True)
class Expected:
    """The expected result of a grading."""

    outcomes: list[str]
    text: str
    traces: set[str]

    @classmethod
    def read(cls, line: str) -> Expected:
        """Parse the value of a header's line."""
        found = EXPECTED.fullmatch(line)
        assert found, f"{line!r} is no expectation"
        return cls(found["outcomes"].split(" or "), found["text"] or "", set((found["traces"] or "").split()))


@dataclass(frozen=True)
class Attack:
    """One program, and the contents of its header."""

    source: str
    protected: Expected
    control: Expected
    needs: list[str]
    limits: Limits
    numbers: tuple[str, str]  # with isolation, without
    phases: list[str]

    @classmethod
    def read(cls, name: str) -> Attack:
        """Read the attack of a name, for example "run/reads_a_file"."""
        source = (FOLDER / f"{name}.rs").read_text()
        lines = dict(HEADER.findall(source))
        assert lines.keys() <= KEYS, f"{name}: {lines.keys() - KEYS}"
        changes = {key: int(value) for key, value in (pair.split("=") for pair in lines.get("limits", "").split())}
        number, _, harmless = lines.get("number", "").partition(", control ")
        return cls(
            source,
            Expected.read(lines["protected"]),
            Expected.read(lines["control"]),
            lines.get("needs", "").split(),
            replace(LIMITS, **changes),
            (number, harmless or number),
            lines.get("phases", " ".join(PHASES)).split(),
        )

    def fill(self, host: Host, *, harmless: bool = False) -> str:
        """The program's source, with the values of a host; `harmless` takes the number for the control."""
        number = self.numbers[harmless]
        places = {**host.places, "NUMBER": number}
        if number.isdecimal():
            places |= {"OPEN": "(" * int(number), "CLOSE": ")" * int(number)}
        used = re.compile(rf"\b({'|'.join(places)})\b")
        return used.sub(lambda word: places[word[1]], self.source)


def names() -> list[str]:
    """All attacks, by folder and file."""
    return sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.rs"))


def missing(needs: list[str], isolation: Isolation) -> list[str]:
    """The needs of an attack that this host does not meet."""

    def setting(path: str, absent: int) -> int:
        return int(Path(path).read_text()) if Path(path).exists() else absent

    here = {
        "root": os.geteuid() == 0,
        "user": isolation.user is not None,  # else the limit would count all threads of the caller
        "x86_64": os.uname().machine == "x86_64",
        "io_uring": setting("/proc/sys/kernel/io_uring_disabled", 1) == 0,
        "namespaces": setting("/proc/sys/user/max_user_namespaces", 0) > 0
        and setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 1,
        "ptrace": setting("/proc/sys/kernel/yama/ptrace_scope", 0) == 0,
        "ia32": "int80_emulation" in Path("/proc/kallsyms").read_text(),
        "attributes": _takes_attributes(),
        "first_processor": 0 in os.sched_getaffinity(0),
    }
    return [need for need in needs if not here[need]]


def _takes_attributes() -> bool:
    """Whether temporary files can have extended attributes on this host."""
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.setxattr(file.name, "user.mark", b"x")
        except OSError:
            return False
    return True


class Host:
    """What programs attack. Any user may read and write it, so that only isolation protects it."""

    def __init__(self, launcher: Path) -> None:
        """Keep the launcher, which starts the victim without root's powers, as it starts the programs."""
        self._launcher = launcher
        self._stack = ExitStack()

    def __enter__(self) -> Host:
        stack = self._stack
        self.outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outside-")))
        self.outside.chmod(0o777)
        for name, content in {"secret": SECRET, "module.rs": MODULE, "library.a": "!<arch>\n"}.items():
            (self.outside / name).write_text(content)
            (self.outside / name).chmod(0o666)
        (self.outside / "code.s").write_text(".globl stolen\n.set stolen, 7\n")
        self.shared = Path("/dev/shm", self.outside.name)
        stack.callback(self.shared.unlink, missing_ok=True)
        stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
        addresses: dict[str, tuple[int, int, Any]] = {
            "tcp": (socket.AF_INET, stream, ("127.0.0.1", 0)),
            "udp": (socket.AF_INET, datagram, ("127.0.0.1", 0)),
            "unix": (socket.AF_UNIX, stream, str(self.outside / "socket")),
            "abstract": (socket.AF_UNIX, stream, f"\0{self.outside.name}"),
        }
        self._servers = {}
        for name, (family, kind, address) in addresses.items():
            self._servers[name] = server = stack.enter_context(socket.socket(family, kind))
            server.setblocking(False)
            server.bind(address)
            if kind == stream:
                server.listen()
        (self.outside / "socket").chmod(0o666)
        self._victim = stack.enter_context(
            subprocess.Popen(
                [self._launcher, "--policy", "open", "--landlock", "off", "--", "cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.environ["PATH"], "VICTIMS_SECRET": SECRET},
                bufsize=0,
            )
        )
        stack.callback(self._victim.kill)
        assert self._victim.stdin and self._victim.stdout
        self._victim.stdin.write(b"x")
        self._victim.stdout.read(1)  # the launcher has become `cat`
        self.places = {
            "OUTSIDE": str(self.outside),
            "SHARED": str(self.shared),
            "HOME": str(Path.home()),
            "TCP": str(self._servers["tcp"].getsockname()[1]),
            "UDP": str(self._servers["udp"].getsockname()[1]),
            "ABSTRACT": self.outside.name,
            "PARENT": str(os.getpid()),
            "VICTIM": str(self._victim.pid),
        }
        self._before = self._files()
        self._processes = descendants()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def traces(self) -> set[str]:
        """The differences from the start: files, calls to the servers, the state of the victim, new processes."""
        now, before = self._files(), self._before
        found = {f"made:{name}" for name in now.keys() - before.keys()}
        found |= {f"gone:{name}" for name in before.keys() - now.keys()}
        found |= {f"changed:{name}" for name in now.keys() & before.keys() if now[name] != before[name]}
        found |= {f"called:{name}" for name, server in self._servers.items() if _was_called(server)}
        if self.shared.exists():
            found.add("made:shared")
        if self._victim.poll() is not None:
            found.add("victim:killed")
        elif Path(f"/proc/{self._victim.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            found.add("victim:stopped")
        return found | {f"process:{pid}" for pid in descendants() - self._processes}

    def _files(self) -> dict[str, object]:
        """The contents and attributes of the files outside, except access times, which reading changes."""
        about = self.outside.stat()
        files: dict[str, object] = {".": (about.st_mode, about.st_uid, about.st_gid, os.listxattr(self.outside))}
        for path in self.outside.iterdir():
            about = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            times = about.st_mtime_ns, about.st_ctime_ns
            files[path.name] = (about.st_mode, about.st_uid, about.st_gid, about.st_ino, about.st_nlink, times, content)
        return files


def descendants() -> set[int]:
    """All processes below this one, with orphans, since this process is their reaper."""
    below: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                stat = Path(entry.path, "stat").read_text(errors="replace")
            except OSError:
                continue  # it ended in between
            below.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        children = below.get(waiting.pop(), [])
        found.update(children)
        waiting += children
    return found


def _was_called(server: socket.socket) -> bool:
    """Whether a socket received anything."""
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(1)
        else:
            server.accept()[0].close()
    except BlockingIOError:
        return False
    return True
