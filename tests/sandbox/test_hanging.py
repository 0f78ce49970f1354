"""What hangs or is killed from outside is the host's failure: noticed, done again, and never a verdict."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox import Outcome, SandboxPool, Verdict
from sandbox.errors import ToolchainError
from sandbox.isolation import process
from sandbox.isolation.disk_usage import Disk
from sandbox.toolchain import Toolchain
from sandbox.workers import handle, hanging
from sandbox.workers.task import Place, WorkerTask
from sandbox.workers.toolchain_files import ToolchainFiles
from test_pool import wait_until_graded

SLEEPS = in_test("std::thread::sleep(std::time::Duration::from_secs(3));")


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(jobs=1) as pool:
        yield pool


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanging, "SILENT_S", 3.0)
    monkeypatch.setattr(handle, "SILENT_S", 3.0)


def test_a_stopped_worker_is_killed_and_its_program_graded_again(
    pool: SandboxPool, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    future = pool.submit(SLEEPS)
    wait_until_graded(pool)
    (stopped,) = pool.worker_pids
    os.kill(stopped, signal.SIGSTOP)
    assert future.result(timeout=60).passed == 2
    assert f"sandbox worker {stopped} hangs (it has not run for 3 s): killed" in caplog.text
    assert "state T (stopped)" in caplog.text and pool.worker_pids != [stopped]


def test_a_worker_that_was_stopped_while_it_had_nothing_to_do_does_not_block_a_large_program(
    pool: SandboxPool, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    pool.submit("fn first() {}").result()
    os.kill(pool.worker_pids[0], signal.SIGSTOP)
    large = f"{GOOD}// {'x' * 250_000}\n"
    assert pool.submit(large).result(timeout=60).outcome is Outcome.PASSED
    assert "does not read its tasks" in caplog.text


@dataclass(frozen=True)
class DeadLocked(WorkerTask[Verdict]):
    """Waits for itself."""

    kind = Verdict
    batch = None

    def run(self, place: Place) -> Verdict:
        lock = threading.Lock()
        with lock:
            lock.acquire()
        raise AssertionError

    @classmethod
    def run_together(cls, tasks: object, place: Place) -> Iterator[tuple[int, Verdict | None]]:
        yield from ()


def test_a_worker_that_waits_for_itself_is_ended_with_its_stacks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with SandboxPool(jobs=1) as pool:
        pool._workers[0]._command_s = 1.0
        monkeypatch.setattr(hanging, "BETWEEN_COMMANDS_S", 1.0)
        verdict = pool.submit_task(DeadLocked()).result(timeout=60)
        assert verdict.outcome is Outcome.HOST_ERROR and "3 workers died" in verdict.reason
        assert "neither answered nor started a command for 2 s" in caplog.text
        assert "lock.acquire" in caplog.text or "in run" in caplog.text, "where it waits"
        assert pool.submit("fn fine() {}").result().build


def test_a_stopped_program_is_ended_by_its_limits(pool: SandboxPool) -> None:
    future = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(4)); // stopped"))
    wait_until_graded(pool)
    began = time.monotonic()
    while not future.done():
        if group := pool._workers[0]._group.value:
            try:
                os.killpg(group, signal.SIGSTOP)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
        assert time.monotonic() - began < 60
    assert future.result().outcome is Outcome.TIMEOUT


def killed(group: int, *, but: int) -> bool:
    """Kill a process group unless there is none, it is the one to spare, or it has just ended; whether it was."""
    if group in (0, but):
        return False
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("phase", ["compile", "run"])
def test_what_somebody_kills_is_graded_again(pool: SandboxPool, phase: str) -> None:
    source = in_test(f"std::thread::sleep(std::time::Duration::from_secs(1)); // killed in {phase}")
    future = pool.submit(source)
    wait_until_graded(pool)
    group = pool._workers[0]._group
    compiler = group.value if phase == "run" else 0
    while not killed(group.value, but=compiler):
        assert not future.done(), "the program was graded before anything was killed"
        time.sleep(0.01)
    assert future.result(timeout=60).outcome is Outcome.PASSED


def test_what_somebody_kills_each_time_has_no_verdict(pool: SandboxPool) -> None:
    source = in_test("std::thread::sleep(std::time::Duration::from_secs(4)); // killed again and again")
    future = pool.submit(source)
    while not future.done():
        with contextlib.suppress(ProcessLookupError):
            if group := pool._workers[0]._group.value:
                os.killpg(group, signal.SIGKILL)
        time.sleep(0.05)
    verdict = future.result()
    assert verdict.outcome is Outcome.HOST_ERROR and "somebody killed the process" in verdict.reason
    assert pool.submit(source.replace("from_secs(4)", "from_secs(0)")).result().outcome is Outcome.PASSED


def run(command: str, tmp_path: Path) -> process.Finished:
    return process.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={},
        tree_cpu_s=5,
        idle_s=5,
        wall_s=10,
        disk=Disk(tmp_path, 100, 1 << 20),
        output_bytes=100,
    )


def test_a_command_that_failed_while_memory_ran_out_may_have_failed_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = iter(range(100))
    monkeypatch.setattr(process, "memory_kills", lambda: next(kills))
    assert run("exit 0", tmp_path).exit_code == 0, "it did what it was to do"
    with pytest.raises(process.MemoryKill, match="memory ran out and the kernel killed a process: lower sandbox.jobs"):
        run("exit 1", tmp_path)
    monkeypatch.setattr(process, "memory_kills", lambda: 7)
    assert run("exit 1", tmp_path).exit_code == 1


def test_the_kernel_says_how_many_it_killed() -> None:
    assert process.memory_kills() >= 0
    assert "oom_kill " in Path("/proc/vmstat").read_text()


def toolchain(folder: Path) -> Toolchain:
    for name in ("bin/rustc", "bin/cargo", "bin/cargo-clippy", "bin/clippy-driver", "lib/librustc_driver-1.so"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "lib/rustlib/here/lib").mkdir(parents=True)
    return Toolchain(folder / "bin", "rustc 1.90.0", "here")


@pytest.mark.parametrize("name", ["bin/cargo", "lib/librustc_driver-1.so"])
def test_a_file_of_the_toolchain_that_is_removed_or_replaced_is_named(tmp_path: Path, name: str) -> None:
    files, path = ToolchainFiles.of(toolchain(tmp_path)), tmp_path / name
    files.check()
    path.write_text("of another version")
    with pytest.raises(ToolchainError, match=rf"no longer the one.*rustc 1\.90\.0.*{path.name} was changed"):
        files.check()
    path.unlink()
    with pytest.raises(ToolchainError, match=f"{path.name} is gone"):
        files.check()


def test_programs_have_no_verdict_while_the_toolchain_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = toolchain(tmp_path)
    watched = ToolchainFiles.of(fake)
    before = (fake.bin / "rustc").stat()
    monkeypatch.setattr(handle.ToolchainFiles, "of", classmethod(lambda cls, given: watched))
    with SandboxPool(jobs=1) as pool:
        future = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(2));"))
        wait_until_graded(pool)
        (fake.bin / "rustc").write_text("newer")
        verdict = future.result()
        assert verdict.outcome is Outcome.HOST_ERROR, "replaced while it was graded"
        assert "no longer the one that this run grades with" in verdict.reason
        assert pool.submit("fn new() {}").result().outcome is Outcome.HOST_ERROR
        (fake.bin / "rustc").write_text("bin/rustc")
        os.utime(fake.bin / "rustc", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert pool.submit("fn new() {}").result().build, "put back, and not remembered"


def test_a_machine_that_stood_still_is_no_silence_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 1000.0, 1001.0])
    monkeypatch.setattr(hanging.time, "monotonic", lambda: next(times))
    watch = hanging.HangWatch(lambda: 1, lambda: 1, command_s=120.0)
    assert [watch.hangs() for _ in range(3)] == ["", "", ""]
