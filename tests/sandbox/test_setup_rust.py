"""The contract of `setup_rust`: a usable toolchain is named, a missing one is installed into the project's own folder,
announced first, and what cannot be installed is one clear message and exit code 3.

rustup is a shell script here that lays out a toolchain of shell scripts, and Rust's server a local one: nothing leaves
this machine.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox import find_rust, setup_rust
from sandbox.setup_rust import main

RUSTUP = """#!/bin/sh
PATH=/usr/bin:/bin
echo "called $(basename "$0") $*, CARGO_HOME=$CARGO_HOME"
bin="$RUSTUP_HOME/toolchains/fake/bin"
mkdir -p "$bin"
for name in rustc cargo cargo-clippy clippy-driver; do
    cat > "$bin/$name" <<END
#!/bin/sh
case "\\$1" in --print) echo "$RUSTUP_HOME/toolchains/fake" ;; *) printf 'rustc 1.95.0 (fake)\\nhost: here\\n' ;; esac
END
    chmod +x "$bin/$name"
done
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose folder has a space, without Rust; PATH is an empty folder."""
    folder = tmp_path / "my project" / ".rust"
    folder.parent.mkdir()
    (tmp_path / "path").mkdir()
    monkeypatch.setattr(find_rust, "OWN_FOLDER", folder)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:9")
    return folder


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a local server from which rustup-init is downloaded, with its checksum."""
    root = tmp_path / "server"
    libc = "gnu" if platform.libc_ver()[0] == "glibc" else "musl"
    folder = root / "dist" / f"{platform.machine()}-unknown-linux-{libc}"
    folder.mkdir(parents=True)
    (folder / "rustup-init").write_text(RUSTUP)
    (folder / "rustup-init.sha256").write_text(f"{hashlib.sha256(RUSTUP.encode()).hexdigest()} *./rustup-init\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(root)))
    monkeypatch.setenv("RUSTUP_UPDATE_ROOT", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def put_rustup_on_path(tmp_path: Path, script: str) -> None:
    rustup = tmp_path / "path" / "rustup"
    rustup.write_text(script)
    rustup.chmod(0o755)


def test_an_installed_toolchain_is_named_on_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    output = capfd.readouterr()
    assert output.out.startswith("Rust: rustc 1.")
    assert output.out.count("\n") == 1 and not output.err


def test_rustup_on_path_installs_into_the_projects_own_folder_and_says_so_first(
    own: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_rustup_on_path(tmp_path, RUSTUP)
    assert main([]) == 0
    why, announced, called, found = capfd.readouterr().out.splitlines()
    assert "no usable Rust toolchain: no rustc in .rust/ or on PATH" in why
    assert announced == f"Installing Rust 1.95.0 with clippy into {own} by {tmp_path}/path/rustup ..."
    assert "rustup toolchain install 1.95.0 --no-self-update --profile minimal --component clippy," in called
    assert called.endswith(f"CARGO_HOME={own}/cargo")
    assert found == f"Rust: rustc 1.95.0 (fake) in {own}/toolchains/fake/bin"
    assert main([]) == 0
    assert capfd.readouterr().out == found + "\n"


def test_without_rustup_a_downloaded_one_installs_and_is_removed(
    own: Path, published: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    output = capfd.readouterr().out
    assert "by a downloaded rustup ..." in output
    assert "rustup-init -y --no-modify-path --default-toolchain 1.95.0 --profile minimal --component clippy," in output
    assert [path.name for path in own.iterdir()] == ["toolchains"]


@pytest.mark.parametrize("checksum", ["0" * 64 + " *./rustup-init\n", "", "\xff"])
def test_a_download_that_is_not_what_was_published_is_never_run(
    own: Path, published: Path, checksum: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (published / "rustup-init.sha256").write_text(checksum, encoding="latin-1")
    assert main([]) == 3
    output = capfd.readouterr()
    assert "has the checksum" in output.err and "called" not in output.out
    assert list(own.iterdir()) == []


def test_without_a_connection_one_message_says_what_to_do(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 3
    (message,) = capfd.readouterr().err.splitlines()
    assert message.startswith("setup_rust: http://127.0.0.1:9/dist/")
    assert "cannot be downloaded" in message and "install Rust 1.80 or newer with clippy" in message


def test_a_failing_rustup_is_not_the_end_of_its_message(
    own: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_rustup_on_path(tmp_path, "#!/bin/sh\necho 'error: no space' >&2\nexit 1\n")
    assert main([]) == 3
    first, second = capfd.readouterr().err.splitlines()
    assert first == "error: no space"
    assert second.startswith("setup_rust: rustup did not install Rust 1.95.0: its own message is above. Connect")


def test_a_rustup_that_installs_nothing_usable_is_a_failure(
    own: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_rustup_on_path(tmp_path, "#!/bin/sh\nexit 0\n")
    assert main([]) == 3
    assert "setup_rust: no usable Rust toolchain" in capfd.readouterr().err


def test_a_machine_without_an_installer_is_told_so(
    own: Path, published: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup_rust.platform, "machine", lambda: "pdp11")
    assert main([]) == 3
    assert "no installer is known for linux on pdp11" in capfd.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_so(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own.write_text("a file where the folder should be")
    assert main([]) == 3
    assert f"{own} cannot be written" in capfd.readouterr().err
