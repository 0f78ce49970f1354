"""The toolchain is the first complete and new enough one; every reason against another is named."""

import os
from pathlib import Path

import pytest

from sandbox import find_rust
from sandbox.errors import ToolchainError
from sandbox.find_rust import find_toolchain


def fake(folder: Path, *, version: str = "1.90.0", without: str = "") -> Path:
    """A toolchain of shell scripts, as `rustup` lays it out."""
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    about = f'printf "rustc {version} (x)\\nhost: some-host\\n"'
    rustc = f'#!/bin/sh\ncase "$1" in --print) echo {folder} ;; *) {about} ;; esac\n'
    for name in ("rustc", "cargo", "cargo-clippy", "clippy-driver"):
        if name != without:
            (binaries / name).write_text(rustc)
            (binaries / name).chmod(0o755)
    return binaries


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder and an empty PATH."""
    monkeypatch.setattr(find_rust, "OWN_FOLDER", tmp_path / ".rust")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    return tmp_path / ".rust" / "toolchains"


def test_the_installed_toolchain_is_called_without_rustups_proxies() -> None:
    found = find_toolchain()
    assert found.cargo.resolve().name == "cargo"
    assert found.version.startswith("rustc 1.")


def test_the_projects_own_comes_before_the_one_on_path(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = fake(tmp_path / "system")
    monkeypatch.setenv("PATH", str(binaries), prepend=os.pathsep)
    assert find_toolchain().bin == binaries
    assert find_toolchain().host == "some-host"
    mine = fake(own / "stable")
    assert find_toolchain().bin == mine


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": "1.63.0"}, "rustc 1.63.0 .*too old"),
        ({"without": "cargo-clippy"}, "lacks cargo-clippy"),
        ({"without": "cargo"}, "lacks cargo"),
        ({"version": "nonsense"}, "does not say its version"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(own: Path, changes: dict[str, str], reason: str) -> None:
    fake(own / "stable", **changes)
    with pytest.raises(ToolchainError, match=f"{reason}.*rustup toolchain install"):
        find_toolchain()


def test_a_useless_own_toolchain_does_not_hide_a_good_one(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(own / "stable", version="1.63.0")
    binaries = fake(tmp_path / "system")
    monkeypatch.setenv("PATH", str(binaries), prepend=os.pathsep)
    assert find_toolchain().bin == binaries
