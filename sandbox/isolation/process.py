"""Runs one command under limits, and leaves no process of it behind.

The command gets a session of its own, a cleared environment and bounded output. It is stopped when its process tree has
used up the CPU time or the disk space that it was given, when all of it has only waited for too long, at once when it
is in a deadlock, and, as a backstop, by the wall clock. Afterwards every process that it left is killed and reaped. To
reach those that made a session of their own, the process that calls `run` must have called `become_reaper` once.

Left to the launcher: what a command may reach, and the limits of each single process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sandbox.isolation.disk_usage import Disk
from sandbox.isolation.process_tree import Deadlock, IdleTime, children_of, cpu_seconds, threads_of, tree_of

__all__ = [
    "Finished",
    "MemoryKill",
    "Stop",
    "Terminated",
    "become_reaper",
    "kill_children",
    "listen_for_the_end",
    "memory_kills",
    "run",
]

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PARENT_ENDED = signal.SIGUSR2
FIRST_LOOK_S, LOOK_EVERY_S = 1.0, 0.25  # when the CPU time and disk of the process tree are measured
CHUNK = 1 << 16
REPORT = "LAUNCHER_REPORT"  # tells the launcher the descriptor for its own failure, which no command gets
REPORT_BYTES = 4096
_libc = ctypes.CDLL(None, use_errno=True)
_ended: int | None = None  # readable once this process was asked to end


class Stop(StrEnum):
    """The limit that stopped a command."""

    CPU = "cpu"
    IDLE = "idle"
    DEADLOCK = "deadlock"
    WALL = "wall"
    DISK = "disk"


class Terminated(BaseException):
    """This process was asked to end while it ran a command. Not an Exception, since the command did not fail."""


class MemoryKill(OSError):
    """The kernel ended processes for lack of memory while a command ran, which may have failed for that."""


@dataclass(frozen=True)
class Finished:
    """A command that has ended. `exit_code` is negative for a signal."""

    exit_code: int
    stdout: bytes
    stdout_cut_at: int | None  # where in stdout bytes were dropped, None if it is complete
    stderr: bytes
    stderr_cut_at: int | None
    stop: Stop | None
    wall_ms: float
    cpu_ms: float  # user + system, the whole process tree
    peak_memory_mb: float
    not_started: str  # why the launcher could not start the command; empty if it could


class _Output:
    """Keeps the first and the last bytes of a stream, half of the limit each."""

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._size = 0
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        self._size += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def read(self) -> bytes:
        return bytes(self._head + self._tail[-self._half :])

    @property
    def cut_at(self) -> int | None:
        return self._half if self._size > 2 * self._half else None


def listen_for_the_end() -> int:
    """Make `run` raise Terminated after SIGTERM, and after the thread that started this process ended.

    The kernel may give a signal to any thread, and Python's handlers run in the main thread only: while that waits, one
    given to another thread would not be noticed. So the signals write to a pipe, whichever thread gets them. Every
    other signal with a handler in Python would write there too: those, which can be an imported script's alone, are
    taken away.

    Returns: A descriptor that other code can wait for too. It is readable after either, and has the signals' numbers.
    """
    global _ended
    _ended, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, PARENT_ENDED):
        signal.signal(number, lambda *_: None)  # it raises nothing: an exception would be lost where none is expected
    _libc.prctl(PR_SET_PDEATHSIG, PARENT_ENDED, 0, 0, 0)
    return _ended


def become_reaper() -> None:
    """Make this process the parent of every orphan below it, so that `run` finds and kills them."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    tree_cpu_s: int,
    idle_s: float,
    wall_s: float,
    disk: Disk,
    output_bytes: int,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Finished:
    """Run a command to its end or to a limit.

    Args:
        command: Program and arguments.
        cwd: Its working directory.
        env: Its whole environment.
        tree_cpu_s: CPU seconds for it and all processes that it starts.
        idle_s: Wall-clock seconds in which all of them only sleep.
        wall_s: Wall-clock seconds in all.
        disk: Where it may write, and how much.
        output_bytes: Bytes kept of each output stream.
        on_start: Called with its process id, which is also its process group.
    Returns: What happened. No process of it is left then.
    Raises:
        OSError: The command cannot be started.
        Terminated: This process was asked to end. No process of the command is left then either.
        MemoryKill: The command failed, and meanwhile the kernel killed a process for lack of memory.
    """
    kills = memory_kills()
    others = set(children_of(os.getpid()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    child, report = _start(command, cwd, env)
    on_start(child.pid)
    assert child.stdout is not None and child.stderr is not None
    out, err = _Output(output_bytes), _Output(output_bytes)
    outputs = {child.stdout.fileno(): out, child.stderr.fileno(): err}
    try:
        stop = _watch(child.pid, outputs, started, _Allowed(tree_cpu_s, idle_s, wall_s, disk), others)
    finally:
        _kill_group(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        kill_children(spare=others)
        for descriptor, output in outputs.items():
            _drain(descriptor, output)
        child.stdout.close()
        child.stderr.close()
        failure = _Output(REPORT_BYTES)
        _drain(report, failure)
        os.close(report)
    if stop is None and child.returncode and memory_kills() != kills:
        raise MemoryKill(errno.ENOMEM, "memory ran out and the kernel killed a process: lower sandbox.jobs")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s_used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Finished(
        child.returncode,
        out.read(),
        out.cut_at,
        err.read(),
        err.cut_at,
        stop,
        1e3 * (time.monotonic() - started),
        1e3 * cpu_s_used,
        usage.ru_maxrss / 1024,
        failure.read().decode("utf-8", "replace"),
    )


def memory_kills() -> int:
    """How many processes of this machine the kernel has killed for lack of memory; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def kill_children(*, spare: Collection[int] = ()) -> None:
    """Kill and reap every child of this process, and every orphan that becomes its child meanwhile."""
    while children := set(children_of(os.getpid())) - set(spare):
        for pid in children:
            _kill(pid)
            os.waitpid(pid, 0)  # its children become ours, and the loop finds them


def _start(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command; the process, and the descriptor on which the launcher says why it could not start it."""
    reading, writing = os.pipe()
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env={**env, REPORT: str(writing)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            start_new_session=True,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return child, reading


@dataclass(frozen=True)
class _Allowed:
    """What a command may use before it is stopped."""

    tree_cpu_s: int
    idle_s: float
    wall_s: float
    disk: Disk

    def reached(
        self, tree: Collection[int], idle: IdleTime, deadlock: Deadlock, started: float, now: float
    ) -> Stop | None:
        """The limit that a command with these processes has reached, None for none."""
        used = cpu_seconds(tree)
        if used > self.tree_cpu_s:
            return Stop.CPU
        if now - started > self.wall_s:
            return Stop.WALL
        if self.disk.is_used_up([threads_of(pid) for pid in tree]):
            return Stop.DISK
        if deadlock.look(tree):
            return Stop.DEADLOCK
        return Stop.IDLE if idle.look(tree, used, now) > self.idle_s else None


def _watch(
    pid: int,
    outputs: dict[int, _Output],
    started: float,
    allowed: _Allowed,
    others: set[int],
) -> Stop | None:
    """Collect output until the process ends or reaches a limit; `others` were children of this process before."""
    exited = os.pidfd_open(pid)
    next_look = started + FIRST_LOOK_S
    idle, deadlock = IdleTime(started), Deadlock()
    try:
        with selectors.DefaultSelector() as selector:
            for descriptor in (exited, *outputs, *([] if _ended is None else [_ended])):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(timeout=max(0.0, next_look - time.monotonic())):
                    if key.fd == exited:
                        return None
                    if key.fd == _ended:
                        raise Terminated
                    data = os.read(key.fd, CHUNK)
                    if data:
                        outputs[key.fd].add(data)
                        idle.interrupt()
                    else:
                        selector.unregister(key.fd)
                now = time.monotonic()
                if now < next_look:
                    continue
                next_look = now + LOOK_EVERY_S
                # Orphans of the command count too: they are children of this process now.
                tree = tree_of(set(children_of(os.getpid())) - others)
                if stop := allowed.reached(tree, idle, deadlock, started, now):
                    return stop
    finally:
        os.close(exited)


def _drain(descriptor: int, output: _Output) -> None:
    """Read the rest of a pipe that has no writer any more."""
    os.set_blocking(descriptor, False)
    try:
        while data := os.read(descriptor, CHUNK):
            output.add(data)
    except BlockingIOError:
        pass


def _kill_group(pid: int) -> None:
    """End a whole process group, if it is still there."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _kill(pid: int) -> None:
    """End a process, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
