"""On a toolchain that is new to them the cheap paths are compared with cargo, once, and given up where they differ."""

from pathlib import Path

import pytest

from programs import GOOD
from sandbox.grading import self_check
from sandbox.workers import pool as pool_module
from sandbox.workers.pool import SandboxPool

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
    """No toolchain is known, and nothing was ever tried; where what comes out is kept."""
    monkeypatch.setattr(self_check, "PROVEN", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "grpo-rust"


def test_forty_programs_are_there() -> None:
    assert len(self_check.programs()) == 40


def test_a_toolchain_that_is_new_is_tried_once(
    unknown: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    some = dict(list(self_check.programs().items())[:8])
    monkeypatch.setattr(pool_module, "programs", lambda: some)
    with SandboxPool(jobs=2) as pool:
        assert pool.backend == "batch"
        assert "is new to the sandbox" in caplog.text
    caplog.clear()
    with SandboxPool(jobs=1) as pool:
        assert pool.backend == "batch" and not caplog.text


def test_a_path_that_differs_is_given_up_loudly(
    unknown: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chances = {f"chance {i}": BY_CHANCE + f"// {i}\n" for i in range(20)}
    monkeypatch.setattr(pool_module, "programs", lambda: {"good": GOOD, **chances})
    for _ in range(2):  # found out, then remembered
        with SandboxPool(jobs=2) as pool:
            assert pool.backend == "cargo"
        assert "differs from cargo on chance" in caplog.text and "good" not in caplog.text
        caplog.clear()


def test_a_known_toolchain_needs_no_proof(caplog: pytest.LogCaptureFixture) -> None:
    with SandboxPool(jobs=1, backend="direct") as pool:
        assert pool.backend == "direct"
    assert "new to the sandbox" not in caplog.text


def test_a_path_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="exact, direct, batch"):
        SandboxPool(jobs=1, path="fast")
