"""Tests run where cargo runs them: in a package of their own that they may write, by a binary that they may not.

Programs with the words of files are graded by cargo; here the other backends take them too.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from programs import in_test
from sandbox.grading import batch, direct
from sandbox.grading.batch import Batch
from sandbox.grading.grade import grade
from sandbox.grading.separation import find_test_module
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.project import Project
from sandbox.verdict import Verdict

LIMITS = Limits(compile_cpu_s=10, run_cpu_s=3, disk_mb=64)
FILES = {
    "makes files where it is": 'use std::io::Write; let mut made = std::fs::File::create("x.txt").unwrap();'
    ' made.write_all(b"hello").unwrap(); assert_eq!(std::fs::read_to_string("x.txt").unwrap(), "hello");'
    ' std::fs::create_dir_all("a/b").unwrap(); std::fs::rename("x.txt", "a/b/y").unwrap();'
    ' std::fs::remove_dir_all("a").unwrap();',
    "appends to files": 'for text in ["a", "b"] { use std::io::Write; let mut made = std::fs::OpenOptions::new()'
    '.append(true).create(true).open("log").unwrap(); write!(made, "{text}").unwrap(); }'
    ' assert_eq!(std::fs::read("log").unwrap(), b"ab");',
    "makes temporary files": 'let path = std::env::temp_dir().join("x"); std::fs::write(&path, "y").unwrap();'
    " assert!(std::env::temp_dir() != std::env::current_dir().unwrap()); std::fs::remove_file(path).unwrap();",
    "reads its package": 'assert!(std::fs::read_to_string("Cargo.toml").unwrap().contains("rust-program"));'
    ' assert!(std::fs::read_to_string("src/main.rs").unwrap().contains("fn add"));'
    ' let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();'
    " assert_eq!(std::path::PathBuf::from(package), std::env::current_dir().unwrap());",
    "finds only its own": 'let here = std::fs::read_dir(".").unwrap();'
    " let mut found: Vec<_> = here.map(|entry| entry.unwrap().file_name()).collect();"
    ' found.retain(|name| name != "target" && name != "Cargo.lock"); found.sort();'
    ' assert_eq!(found, ["Cargo.toml", "src"]); assert!(std::fs::File::create("../x").is_err());',
}
CHMOD = (
    "use std::os::unix::fs::PermissionsExt; let own = std::env::current_exe().unwrap();"
    " assert!(std::fs::OpenOptions::new().write(true).open(&own).is_err());"
    " let changed = std::fs::File::open(own).unwrap().set_permissions(std::fs::Permissions::from_mode(0o444));"
)


def by_cargo(source: str, isolation: Isolation, workdir: Path) -> Verdict:
    return grade(source, isolation, LIMITS, workdir, backend="cargo")


def by_direct(source: str, isolation: Isolation, workdir: Path) -> Verdict:
    return grade(source, isolation, LIMITS, workdir, backend="direct")


def by_batch(source: str, isolation: Isolation, workdir: Path) -> Verdict:
    return together([f"// a neighbour\n{source}", source], isolation, workdir)[1]


def together(sources: Sequence[str], isolation: Isolation, workdir: Path) -> list[Verdict]:
    """The verdicts on programs that one batch takes."""
    folder = Path(tempfile.mkdtemp(dir=workdir))
    folder.chmod(0o711)
    found = Batch(sources, isolation, LIMITS, folder)
    members = found.compile()
    assert len(members) == len(sources)
    return [found.verdict(member) for member in members]


@pytest.fixture(autouse=True)
def _every_backend_takes_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "HAZARDS", re.compile(r"(?!)"))
    monkeypatch.setattr(batch, "_portable", find_test_module)


@pytest.mark.parametrize("way", [by_cargo, by_direct, by_batch])
@pytest.mark.parametrize("name", FILES)
def test_a_test_uses_its_folder_as_under_cargo(
    name: str, way: Callable[..., Verdict], isolation: Isolation, workdir: Path
) -> None:
    verdict = way(in_test(FILES[name]), isolation, workdir)
    assert (verdict.test, verdict.passed) == (True, 2), verdict.test_output


@pytest.mark.parametrize("way", [by_direct, by_batch])
def test_what_a_test_writes_counts_for_the_disk_limit(
    way: Callable[..., Verdict], isolation: Isolation, workdir: Path
) -> None:
    sleep = "std::thread::sleep(std::time::Duration::from_secs(3));"
    for folder in (".", "../tmp"):
        verdict = way(
            in_test(f'std::fs::write("{folder}/x", vec![1u8; 80 << 20]).unwrap(); {sleep}'), isolation, workdir
        )
        assert "wrote more than 10,000 files or 64 MiB" in verdict.reason


@pytest.mark.parametrize("way", [by_direct, by_batch])
def test_a_test_does_not_own_its_binary(way: Callable[..., Verdict], isolation: Isolation, workdir: Path) -> None:
    if isolation.user is None:
        pytest.skip("programs run as the user of this process")
    verdict = way(in_test(CHMOD + " assert!(changed.is_err());"), isolation, workdir)
    assert verdict.test, verdict.test_output


def test_a_test_that_owns_its_binary_changes_it_for_no_neighbour(isolation: Isolation, workdir: Path) -> None:
    sources = [in_test(f"{CHMOD} assert!(changed.is_ok()); assert_eq!(add({n}, 1), {n} + 1);") for n in range(3)]
    shared = replace(isolation, first_user=None)
    verdicts = together(sources, shared, workdir)
    assert [verdict.test for verdict in verdicts] == [True] * 3, verdicts


def test_bubblewrap_shows_a_test_its_binary_which_others_share(isolation: Isolation, workdir: Path) -> None:
    project = Project(workdir / "one", "")
    project.create()
    binary = workdir / "shared"
    binary.touch()
    command = replace(isolation, kind="bubblewrap").run([binary, "--list"], project, LIMITS)
    at = command.index(str(binary))
    assert command[at - 1 : at + 2] == ["--ro-bind", str(binary), str(binary)]
