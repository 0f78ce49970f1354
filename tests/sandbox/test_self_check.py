"""On a toolchain that is new, a backend is compared with cargo once, and replaced by cargo where the two differ."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from programs import GOOD
from sandbox.grading import self_check
from sandbox.verdict import Outcome, Verdict
from sandbox.workers import pool as pool_module
from sandbox.workers.pool import SandboxPool
from sandbox.workers.task import WorkerTask

# The clock decides: two gradings agree on all of these once in a million times.
BY_CHANCE = """#[cfg(test)]
mod tests {
    #[test]
    fn t() {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
        assert!(nanos / 1024 % 2 == 0);
    }
}
"""


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let no toolchain be known and none have been compared; return the directory of results."""
    monkeypatch.setattr(self_check, "KNOWN_TOOLCHAINS", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "grpo-rust"


def test_forty_programs_are_there() -> None:
    assert len(self_check.programs()) == 40


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_a_toolchain_that_is_new_is_compared_once(
    count: int, unknown: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    some = dict(list(self_check.programs().items())[:count])
    monkeypatch.setattr(pool_module, "programs", lambda: some)
    with SandboxPool(jobs=2) as pool:
        assert pool.backend == "batch"
        assert "is new to the sandbox" in caplog.text
    caplog.clear()
    with SandboxPool(jobs=1) as pool:
        assert pool.backend == "batch" and not caplog.text


def test_a_backend_that_differs_is_replaced_by_cargo_with_a_warning(
    unknown: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Differing(SandboxPool):
        """Gives a verdict of its own on one program, by every backend but cargo."""

        def submit_task(self, task: WorkerTask[Any]) -> Future[Any]:
            if task.source != "fn odd() {}" or task.backend == "cargo":
                return super().submit_task(task)
            future: Future[Verdict] = Future()
            future.set_result(Verdict(Outcome.PASSED))
            return future

    monkeypatch.setattr(pool_module, "programs", lambda: {"good": GOOD, "odd": "fn odd() {}"})
    for _ in range(2):  # found, then remembered
        with Differing(jobs=1) as pool:
            assert pool.backend == "cargo"
        assert "differs from cargo on odd" in caplog.text and "good" not in caplog.text
        caplog.clear()


@pytest.mark.slow
def test_backends_that_really_differ_are_found(
    unknown: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chances = {f"chance {i}": BY_CHANCE + f"// {i}\n" for i in range(20)}
    monkeypatch.setattr(pool_module, "programs", lambda: {"good": GOOD, **chances})
    for _ in range(2):  # found, then remembered
        with SandboxPool(jobs=2) as pool:
            assert pool.backend == "cargo"
        assert "differs from cargo on chance" in caplog.text and "good" not in caplog.text
        caplog.clear()


def test_a_known_toolchain_needs_no_self_check(caplog: pytest.LogCaptureFixture) -> None:
    with SandboxPool(jobs=1, backend="direct") as pool:
        assert pool.backend == "direct"
    assert "new to the sandbox" not in caplog.text


def test_a_backend_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="cargo, direct, batch"):
        SandboxPool(jobs=1, backend="fast")
