"""Every program gets exactly one verdict, whatever dies; nothing is graded twice and nothing is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import GOOD, in_test
from sandbox import Limits, Outcome, PoolClosed, SandboxPool, ToolchainError
from sandbox import pool as pool_module


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(jobs=2, limits=Limits(run_cpu_s=5)) as pool:
        yield pool


def wait_until_graded(pool: SandboxPool) -> None:
    """Wait until some worker runs a command."""
    for _ in range(500):
        if any(worker._group.value for worker in pool._workers):
            return
        time.sleep(0.01)
    raise AssertionError("no program was started")


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


def test_a_program_that_kills_two_workers_is_the_hosts_failure() -> None:
    with SandboxPool(jobs=1) as pool:
        future = pool.submit(in_test("std::thread::sleep(std::time::Duration::from_secs(60));"))
        for _ in range(2):
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
        assert queued.result(timeout=1).outcome is Outcome.TIMEOUT
        assert running.result().build
        assert pool.submit("fn queued() {}").result().build, "giving up is not remembered as a verdict"


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


def test_a_killed_parent_leaves_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent("""
        import os
        from sandbox import SandboxPool
        if __name__ == "__main__":
            with SandboxPool(jobs=1) as pool:
                print(pool._workers[0]._process.pid, flush=True)
                os.kill(os.getpid(), 9)
    """))
    root = Path(pool_module.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    worker = Path(f"/proc/{int(done.stdout)}")
    for _ in range(100):
        if not worker.exists() or "zombie" in (worker / "status").read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the worker still runs")


@pytest.mark.parametrize("phases", [(), ("build", "bench")])
def test_phases_that_do_not_exist_are_refused(pool: SandboxPool, phases: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="build, clippy, test"):
        pool.submit(GOOD, phases=phases)


def test_no_cargo_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sandbox.toolchain.OWN_FOLDER", tmp_path)
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
