"""Run one command under limits, and leave nothing of it behind.

The command gets a session of its own, a cleared environment, resource limits and bounded output. It is stopped when
the CPU time of its whole process tree is used up, or, as a backstop, by the wall clock. Afterwards every process it
left is killed and reaped, those that made a session of their own too: call `become_reaper` once in the process that
calls `run`. Left out: isolation. A command can read files and open sockets like its caller.
"""

from __future__ import annotations

import ctypes
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Finished", "Stop", "become_reaper", "run"]

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
FIRST_LOOK_S, LOOK_EVERY_S = 1.0, 0.25  # when the process tree's CPU time is read
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
CHUNK = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True)


class Stop(StrEnum):
    """Why a command was ended from outside."""

    CPU = "cpu"
    WALL = "wall"


@dataclass(frozen=True)
class Finished:
    """A command that is over. `exit_code` is negative for a signal."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    stop: Stop | None
    wall_ms: float
    cpu_ms: float  # user + system, the whole process tree
    peak_memory_mb: float


class _Output:
    """The first and last bytes of a stream."""

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def read(self) -> bytes:
        return bytes(self._head + self._tail[-self._half :])


def become_reaper() -> None:
    """Make this process the parent of every orphan below it, so that `run` can find and kill them."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    cpu_s: int,
    tree_cpu_s: int,
    wall_s: float,
    memory_mb: int,
    file_mb: int,
    output_bytes: int,
    on_start: Callable[[int], None] = lambda pid: None,
) -> Finished:
    """Run a command to its end or to a limit.

    Args: env, all of its environment; cpu_s for any one process and tree_cpu_s for all together; wall_s; memory_mb of
        address space and file_mb of file size, for each process; output_bytes kept of each stream; on_start, told the
        process id, which is also its group's.
    Returns: what happened, when no process of it is left.
    Raises: OSError when the command cannot be started.
    """
    others = set(_children(os.getpid()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    child = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: _restrict(cpu_s, memory_mb, file_mb),
    )
    on_start(child.pid)
    assert child.stdout is not None and child.stderr is not None
    outputs = {child.stdout.fileno(): _Output(output_bytes), child.stderr.fileno(): _Output(output_bytes)}
    try:
        stop = _watch(child.pid, outputs, started, tree_cpu_s, wall_s)
    finally:
        _kill_group(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        _kill_orphans(others)
        stdout, stderr = (_drain(descriptor, output) for descriptor, output in outputs.items())
        child.stdout.close()
        child.stderr.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s_used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Finished(
        child.returncode,
        stdout,
        stderr,
        stop,
        1e3 * (time.monotonic() - started),
        1e3 * cpu_s_used,
        usage.ru_maxrss / 1024,
    )


def _kill_orphans(others: set[int]) -> None:
    """Kill and reap every process that a command left to this one; `others` were children before it."""
    while orphans := set(_children(os.getpid())) - others:
        for pid in orphans:
            _kill(pid)
            os.waitpid(pid, 0)  # its own children become ours: look again


def _watch(pid: int, outputs: dict[int, _Output], started: float, tree_cpu_s: int, wall_s: float) -> Stop | None:
    """Collect output until the process ends or a limit is reached."""
    exited = os.pidfd_open(pid)
    next_look = started + FIRST_LOOK_S
    try:
        with selectors.DefaultSelector() as selector:
            for descriptor in (exited, *outputs):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(timeout=max(0.0, next_look - time.monotonic())):
                    if key.fd == exited:
                        return None
                    data = os.read(key.fd, CHUNK)
                    if data:
                        outputs[key.fd].add(data)
                    else:
                        selector.unregister(key.fd)
                now = time.monotonic()
                if now < next_look:
                    continue
                next_look = now + LOOK_EVERY_S
                if _tree_cpu_s(pid) > tree_cpu_s:
                    return Stop.CPU
                if now - started > wall_s:
                    return Stop.WALL
    finally:
        os.close(exited)


def _restrict(cpu_s: int, memory_mb: int, file_mb: int) -> None:
    """In the new process, before it becomes the command: resource limits, and death with its parent."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_AS, memory_mb << 20, memory_mb << 20),
        (resource.RLIMIT_FSIZE, file_mb << 20, file_mb << 20),
        (resource.RLIMIT_NOFILE, 256, 256),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        allowed = resource.getrlimit(kind)[1]
        if allowed != resource.RLIM_INFINITY:  # never ask for more than this process may give
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(kind, (soft, hard))


def _drain(descriptor: int, output: _Output) -> bytes:
    """What is still in a pipe after its last writer is gone, and all that was kept before."""
    os.set_blocking(descriptor, False)
    try:
        while data := os.read(descriptor, CHUNK):
            output.add(data)
    except BlockingIOError:
        pass
    return output.read()


def _tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process, its living descendants, and the dead ones they waited for."""
    total, pids = 0.0, [pid]
    while pids:
        current = pids.pop()
        try:
            stat = Path(f"/proc/{current}/stat").read_bytes()
        except OSError:
            continue  # it ended in between
        fields = stat.rpartition(b")")[2].split()
        total += sum(map(int, fields[11:15])) / CLOCK_TICKS  # utime, stime, cutime, cstime
        pids += _children(current)
    return total


def _children(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


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
