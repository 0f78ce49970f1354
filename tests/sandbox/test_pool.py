"""Every program gets exactly one verdict, also if workers die; none is graded twice, and no process or file is left."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox import Limits, Outcome, PoolClosed, SandboxError, SandboxPool, ToolchainError
from sandbox.isolation.policy import Isolation
from sandbox.isolation.remove_tree import remove_tree
from sandbox.workers import pool as pool_module
from sandbox.workers.handle import WorkerHandle
from sandbox.workers.worker import serve


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(jobs=2, limits=Limits(run_cpu_s=5)) as pool:
        yield pool


@pytest.fixture(scope="module")
def unprotected_pool() -> Iterator[SandboxPool]:
    """A pool without isolation, in which programs can start processes."""
    with SandboxPool(jobs=2, limits=Limits(run_cpu_s=5), isolation="none") as pool:
        yield pool


def wait_until_graded(pool: SandboxPool) -> None:
    """Wait until some worker runs a command."""
    for _ in range(500):
        if any(worker._group.value for worker in pool._workers):
            return
        time.sleep(0.01)
    raise AssertionError("no program was started")


def daemon(seconds: int) -> str:
    """A program whose test starts a process in a session of its own, and hangs."""
    return in_test(
        f'std::process::Command::new("setsid").args(["sleep", "{seconds}"]).spawn().unwrap();'
        " std::thread::sleep(std::time::Duration::from_secs(60));"
    )


def processes(command: str, under: Path | None = None) -> set[int]:
    """The processes with this in their command line."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()[
        1:
    ]
    listed = (line.split(None, 1) for line in found if command in line and str(under or "") in line)
    return {int(pid) for pid, *_ in listed}


def wait_for_process(
    command: str, *, gone: bool = False, other_than: set[int] = frozenset(), under: Path | None = None
) -> set[int]:
    """Wait until such a process runs, or until none does."""
    for _ in range(200):
        found = processes(command, under) - other_than
        if bool(found) != gone:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{command}: {'still runs' if gone else 'was not started'}")


def test_every_program_gets_its_own_verdict(pool: SandboxPool) -> None:
    sources = {
        GOOD: Outcome.PASSED,
        in_test("panic!();"): Outcome.TEST_FAILED,
        "fn": Outcome.BUILD_ERROR,
        "": Outcome.NO_TESTS,
    }
    futures = {source: pool.submit(source) for source in sources}
    assert {source: future.result().outcome for source, future in futures.items()} == sources


def test_submitting_returns_at_once(pool: SandboxPool) -> None:
    started = time.monotonic()
    futures = [pool.submit(f"fn quick{i}() {{}}") for i in range(4)]
    assert time.monotonic() - started < 0.2
    assert all(future.result().build for future in futures)


def test_the_same_program_is_graded_once(pool: SandboxPool) -> None:
    first, second = pool.submit("fn twin() {}"), pool.submit("fn twin() {}")
    assert first is second
    verdict = first.result()
    started = time.monotonic()
    assert pool.submit("fn twin() {}").result() == verdict
    assert time.monotonic() - started < 0.05


def test_other_phases_are_another_question(pool: SandboxPool) -> None:
    assert pool.submit(GOOD, phases=("test",)).result().build is None
    assert pool.submit(GOOD).result().build is True


def test_a_worker_that_dies_is_replaced_and_its_program_graded_again(pool: SandboxPool) -> None:
    future = pool.submit("fn survives() {}")
    wait_until_graded(pool)
    victims = [worker._process.pid for worker in pool._workers]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert future.result().outcome is Outcome.NO_TESTS
    assert pool.submit("fn afterwards() {}").result().build
    assert pool.submit("fn afterwards2() {}").result().build


def test_a_program_that_kills_every_worker_is_the_hosts_failure() -> None:
    with SandboxPool(jobs=1) as pool:
        future = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
        for _ in range(pool_module.ATTEMPTS):
            wait_until_graded(pool)
            os.kill(pool._workers[0]._process.pid, signal.SIGKILL)
            while pool._workers[0]._group.value and not future.done():
                time.sleep(0.01)
        verdict = future.result(timeout=30)
        assert verdict.outcome is Outcome.HOST_ERROR and "died" in verdict.reason
        assert pool.submit("fn fine() {}").result().build, "the pool goes on"


def test_a_straggler_can_be_given_up(pool: SandboxPool) -> None:
    future = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
    wait_until_graded(pool)
    time.sleep(1.0)
    pool.cancel(future, "the batch's deadline of 1 s")
    verdict = future.result(timeout=10)
    assert verdict.outcome is Outcome.TIMEOUT and verdict.reason == "the batch's deadline of 1 s"


def test_a_program_still_in_the_queue_can_be_given_up() -> None:
    with SandboxPool(jobs=1) as pool:
        running = pool.submit("fn running() {}")
        queued = pool.submit("fn queued() {}")
        pool.cancel(queued, "late")
        verdict = queued.result(timeout=1)
        assert verdict.outcome is Outcome.HOST_ERROR, "a program that never ran is not scored"
        assert verdict.reason == "late: it was never started"
        assert running.result().build
        assert pool.submit("fn queued() {}").result().build, "giving up is not remembered as a verdict"


def test_programs_of_a_nice_pool_yield_to_others_and_keep_their_verdicts() -> None:
    """Niceness is the 19th field of /proc/PID/stat; a process's children are listed with its thread."""
    spinning = in_test("let end = std::time::Instant::now(); while end.elapsed().as_secs() < 3 {} assert_eq!(1, 1);")
    with SandboxPool(jobs=1, nice=7) as pool:
        future = pool.submit(spinning)
        found: dict[str, int] = {}
        while not future.done():
            found |= dict(_niceness(pool.worker_pids[0]))
            time.sleep(0.05)
        assert future.result().outcome is Outcome.PASSED
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert len(found) >= 2 and set(found.values()) == {mine + 7}, found


def _niceness(pid: int) -> Iterator[tuple[str, int]]:
    """The name and niceness of a process and of all that it started."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(")")
        yield f"{pid}{name}", int(rest.split()[16])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _niceness(int(child))
    except OSError:
        return  # it has ended


def test_closing_leaves_no_process_and_no_file() -> None:
    with SandboxPool(jobs=2) as pool:
        directory = pool._directory
        pids = [worker._process.pid for worker in pool._workers]
        hanging = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
        queued = [pool.submit(f"fn never{i}() {{}}") for i in range(20)]
        wait_until_graded(pool)
    assert not directory.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert hanging.cancelled() and queued[-1].cancelled()
    with pytest.raises(PoolClosed, match="closed"):
        pool.submit("fn late() {}")


def test_a_directory_that_cannot_be_removed_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(directory: Path) -> None:
        raise OSError(16, "Device or resource busy")

    with SandboxPool(jobs=1) as pool, monkeypatch.context() as patch:
        hanging = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
        wait_until_graded(pool)
        patch.setattr("sandbox.workers.handle.remove_tree", fails)
        pool.close()
    remove_tree(pool._directory)
    assert hanging.cancelled() and not any(thread.is_alive() for thread in pool._threads)
    assert f"cannot remove the work directory {pool._directory}: [Errno 16]" in caplog.text


def test_giving_up_is_quick_and_leaves_no_daemon(unprotected_pool: SandboxPool) -> None:
    future = unprotected_pool.submit(daemon(76541))
    wait_for_process("sleep 76541")
    started = time.monotonic()
    unprotected_pool.cancel(future, "late")
    assert future.result(timeout=0).reason == "late"
    assert time.monotonic() - started < 0.2
    wait_for_process("sleep 76541", gone=True)
    assert unprotected_pool.submit("fn next_one() {}").result().build


def test_a_killed_worker_leaves_no_daemon(unprotected_pool: SandboxPool) -> None:
    future = unprotected_pool.submit(daemon(76542))
    wait_for_process("sleep 76542")
    running = [worker._process for worker in unprotected_pool._workers]
    for process in filter(None, running):  # none: it was stopped before, and is started with its next program
        os.kill(process.pid, signal.SIGKILL)
    pids = wait_for_process("sleep 76542", other_than=processes("sleep 76542"))  # of the second attempt
    assert len(pids) == 1
    unprotected_pool.cancel(future, "enough")
    wait_for_process("sleep 76542", gone=True)


def test_a_worker_that_cannot_be_started_is_the_hosts_failure_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(**_: object) -> str:
        raise OSError(28, "No space left on device")

    with SandboxPool(jobs=1) as pool:
        os.kill(pool._workers[0]._process.pid, signal.SIGKILL)
        pool._workers[0]._process.join()
        with monkeypatch.context() as patch:
            patch.setattr("sandbox.workers.handle.tempfile.mkdtemp", no_room)
            verdict = pool.submit("fn f() {}").result(timeout=10)
        assert verdict.outcome is Outcome.HOST_ERROR and "No space left" in verdict.reason
        assert pool.submit("fn f() {}").result(timeout=30).build, "not remembered, and the pool goes on"


def test_a_worker_that_is_not_started_leaves_nothing(
    isolation: Isolation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_room(process: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", no_room)
    worker, before = WorkerHandle(serve, tmp_path, isolation, Limits()), os.listdir("/proc/self/fd")
    for _ in range(2):
        with pytest.raises(OSError, match="temporarily unavailable"):
            worker.start()
    assert list(tmp_path.iterdir()) == [] and len(os.listdir("/proc/self/fd")) == len(before)


def test_a_worker_that_died_idle_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "ATTEMPTS", 1)
    with SandboxPool(jobs=1) as pool:
        os.kill(pool._workers[0]._process.pid, signal.SIGKILL)
        pool._workers[0]._process.join()
        assert pool.submit("fn f() {}").result(timeout=30).build


def test_no_room_at_the_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(SandboxError, match="TMPDIR"):
        SandboxPool(jobs=1)


PARENT = """
import os, sys, tempfile, time
sys.path.insert(0, {root!r})
from sandbox import SandboxPool
if __name__ == "__main__":
    tempfile.gettempdir()  # writes a file to see that it can, and leaves it when it is interrupted
    print("here", flush=True)
    with SandboxPool(jobs=2, isolation="none") as pool:
        pool.submit({source!r})
        held = b"x" * ({held_mb} << 20)
        print("ready", flush=True)
        for _ in range(1200):
            time.sleep(0.05)  # a signal that comes just before a sleep is noticed after it
"""


def start_parent(tmp_path: Path, source: str, held_mb: int = 0) -> subprocess.Popen[str]:
    """Another process with a pool of its own, all of whose files are in `tmp_path / "tmp"`."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "parent.py").write_text(
        PARENT.format(root=str(Path(pool_module.__file__).parents[2]), source=source, held_mb=held_mb)
    )
    return subprocess.Popen(
        [sys.executable, tmp_path / "parent.py"],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("held_mb", [0, 1500])  # memory takes time to give back: the parent's threads end before it
def test_a_killed_parent_leaves_no_process_and_no_file(held_mb: int, tmp_path: Path) -> None:
    parent = start_parent(tmp_path, daemon(76543), held_mb)
    assert parent.stdout is not None and [parent.stdout.readline() for _ in range(2)][-1] == "ready\n"
    wait_for_process("sleep 76543")
    parent.kill()
    parent.communicate()
    wait_for_process("sleep 76543", gone=True)
    wait_for_process("sandbox-", gone=True, under=tmp_path)
    for _ in range(100):
        if not list((tmp_path / "tmp").iterdir()):
            return
        time.sleep(0.05)
    raise AssertionError(f"left: {list((tmp_path / 'tmp').rglob('*'))}")


@pytest.mark.parametrize("delay_s", [0.0, 0.06, 0.12, None])  # while workers start; None: while they work
def test_ctrl_c_ends_a_pool_without_a_word_from_its_workers(delay_s: float | None, tmp_path: Path) -> None:
    parent = start_parent(tmp_path, in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
    assert parent.stdout is not None and parent.stdout.readline() == "here\n"
    if delay_s is None:
        assert parent.stdout.readline() == "ready\n"
    time.sleep(delay_s or 0.0)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
    _, said = parent.communicate(timeout=30)
    assert said.rstrip().endswith("KeyboardInterrupt"), said  # the parent's own
    assert not any(word in said for word in ("spawn_main", "sandbox/workers/worker.py", "Exception ignored")), said
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_worker_that_waits_ends_whichever_of_its_threads_gets_the_signal() -> None:
    with SandboxPool(jobs=1) as pool:
        (pid,) = pool.worker_pids
        (beats,) = {int(name) for name in os.listdir(f"/proc/{pid}/task")} - {pid}
        worker = pool._workers[0]._process
        assert worker is not None and ctypes.CDLL(None).tgkill(pid, beats, signal.SIGTERM) == 0
        worker.join(3)
        assert worker.exitcode == 0


@pytest.mark.parametrize("phases", [(), ("build", "bench")])
def test_phases_that_do_not_exist_are_refused(pool: SandboxPool, phases: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="build, clippy, test"):
        pool.submit(GOOD, phases=phases)


def test_no_cargo_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sandbox.find_rust.OWN_FOLDER", tmp_path)
    with pytest.raises(ToolchainError, match=r"no rustc .* on PATH.*Install Rust 1.80"):
        SandboxPool(jobs=1)


def test_a_toolchain_that_cannot_link_is_found_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "PROBE", "this is not Rust")
    with pytest.raises(ToolchainError, match="C linker"):
        SandboxPool(jobs=1)


def test_importing_the_sandbox_loads_nothing_heavy() -> None:
    code = (
        "import sys, sandbox; print(sorted({'torch', 'numpy', 'transformers', 'rewards', 'grpo'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_script_without_a_guard_ends_with_an_error_that_says_so(tmp_path: Path) -> None:
    use = "with SandboxPool(jobs=1) as pool: print(pool.submit('fn f() {}').result().outcome)\n"
    unguarded, guarded = tmp_path / "unguarded.py", tmp_path / "guarded.py"
    unguarded.write_text(f"from sandbox import SandboxPool\n{use}")
    guarded.write_text(f"from sandbox import SandboxPool\nif __name__ == '__main__':\n    {use}")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done, works = (
        subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, env=environment)
        for script in (unguarded, guarded)
    )
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and done.stdout == "" and last.startswith("sandbox.errors.SandboxError: 3 workers died")
    assert 'put the code that starts it under `if __name__ == "__main__":`' in last
    assert (works.stdout, works.stderr) == ("no_tests\n", "")
