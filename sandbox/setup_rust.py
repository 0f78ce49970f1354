"""Make sure that there is a Rust toolchain to grade with; `make train` and `make test` run it first.

Usage:
    python -m sandbox.setup_rust

If there is a usable one (1.80 or newer, with clippy; in the project's own `.rust/`, else on PATH), this prints its name
and ends. Otherwise rustup puts one into `.rust/`: the rustup on PATH, or one that is downloaded from where Rust
publishes it and compared with the checksum published beside it. Nothing outside the project's folder is written, and
deleting `.rust/` undoes it. Standard library only. Exit codes: 0 there is a toolchain, 3 there is none and none could
be installed.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from sandbox import find_rust
from sandbox.errors import ToolchainError
from sandbox.exit_codes import ExitCode
from sandbox.toolchain import Toolchain

RELEASE = "1.95.0"  # one release, not "stable": lints differ between releases, and with them the rewards
PUBLISHED_AT = "https://static.rust-lang.org/rustup"  # rustup's own variable RUSTUP_UPDATE_ROOT names a mirror instead
MACHINES = ("x86_64", "aarch64")
DOWNLOAD_TIMEOUT_S = 60


class SetupFailed(Exception):
    """No toolchain could be installed. The message says what was tried and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Find a toolchain or install one; the exit code."""
    argparse.ArgumentParser(description="Find Rust 1.80 or newer with clippy, or put one into .rust/.").parse_args(argv)
    try:
        found = find_or_install()
    except (ToolchainError, SetupFailed) as error:
        print(f"setup_rust: {error}", file=sys.stderr)
        return ExitCode.HOST_FAILED
    print(f"Rust: {found.version} in {found.bin}")
    return ExitCode.DONE


def find_or_install() -> Toolchain:
    """The toolchain that the sandbox will use.

    Raises: SetupFailed when there is none and none could be installed; ToolchainError when the new one is not usable.
    """
    try:
        return find_rust.find_toolchain()
    except ToolchainError as error:
        print(f"Rust: {error}.", flush=True)
    install(find_rust.OWN_FOLDER)
    return find_rust.find_toolchain()


def install(folder: Path) -> None:
    """Announce and install a toolchain with clippy into a folder, by the rustup on PATH or a downloaded one.

    Raises: SetupFailed when it cannot be installed.
    """
    settings = ["--profile", "minimal", "--component", "clippy"]
    rustup = shutil.which("rustup")
    print(f"Installing Rust {RELEASE} with clippy into {folder} by {rustup or 'a downloaded rustup'} ...", flush=True)
    try:
        folder.mkdir(exist_ok=True)
        if rustup:
            run_rustup([rustup, "toolchain", "install", RELEASE, "--no-self-update", *settings], folder)
            return
        rustup_init = download_rustup_init(folder)
        try:
            run_rustup([str(rustup_init), "-y", "--no-modify-path", "--default-toolchain", RELEASE, *settings], folder)
        finally:
            rustup_init.unlink()
    except OSError as error:
        raise SetupFailed(f"{folder} cannot be written ({error}). {advice()}") from error


def run_rustup(command: Sequence[str], folder: Path) -> None:
    """Run rustup so that it keeps everything inside a folder. Its output is shown. Raises: SetupFailed."""
    own = {"RUSTUP_HOME": str(folder), "CARGO_HOME": str(folder / "cargo")}
    plain = {"RUSTUP_INIT_SKIP_PATH_CHECK": "yes", "RUST_BACKTRACE": "0"}
    done = subprocess.run(command, env=os.environ | own | plain, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SetupFailed(f"rustup did not install Rust {RELEASE}: its own message is above. {advice()}")


def download_rustup_init(folder: Path) -> Path:
    """Download Rust's installer for this machine into a folder and compare it with its checksum; its path.

    Raises: SetupFailed for an unknown machine, without a connection, or where the checksum differs.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in MACHINES:
        raise SetupFailed(f"no installer is known for {sys.platform} on {machine}. {advice()}")
    libc = "gnu" if platform.libc_ver()[0] == "glibc" else "musl"
    root = os.environ.get("RUSTUP_UPDATE_ROOT", PUBLISHED_AT)
    address = f"{root}/dist/{machine}-unknown-linux-{libc}/rustup-init"
    program = download(address)
    expected = download(f"{address}.sha256").decode("ascii", "replace").split()[:1]
    found = hashlib.sha256(program).hexdigest()
    if [found] != expected:
        published = expected[0] if expected else "none"
        raise SetupFailed(f"{address} has the checksum {found}, published is {published}. {advice()}")
    path = folder / "rustup-init"
    path.write_bytes(program)
    path.chmod(0o755)
    return path


def download(address: str) -> bytes:
    """The content at an address. Raises: SetupFailed."""
    try:
        with urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT_S) as response:
            return bytes(response.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SetupFailed(f"{address} cannot be downloaded ({error}). {advice()}") from error


def advice() -> str:
    """What to do without a toolchain, for error messages."""
    return (
        "Connect this machine and try again, or install Rust 1.80 or newer with clippy yourself, so that `rustc` is on "
        "PATH: `rustup toolchain install stable --profile minimal --component clippy`"
    )


if __name__ == "__main__":
    sys.exit(main())
