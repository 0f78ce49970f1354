"""Commits a run, as it lies on disk, to an Oxen repository, and pushes that where it has a remote.

    python -m grpo_rust.following.oxen_commit RUN REPOSITORY STEP

The run has a folder of its name in the repository, so that runs may share one, also while they train: one commits at a
time. Another run of that name that is kept there already stays, and this one gets NAME-2. Its logs are there up to
their last whole line, in parts: `completions.jsonl`, `completions.0002.jsonl` and so on, each of about `PART` bytes.
Oxen keeps a file that changed as a whole, and so the parts before the last one are kept once. The report is made for
the commit. A remote repository gets a branch of the run's name, as in the published experiment.

Where the user has no name in Oxen's settings, the commits are by "grpo-rust". Exit code 0 for a commit, or nothing new;
1 with one line on stderr.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from grpo.errors import GrpoError
from grpo.rollout.oxen_source import OxenRemote, require_oxen
from grpo_rust.following.oxen import oxen_place
from grpo_rust.report.reading import is_step, parse_record, read_run

__all__ = ["copy_run", "last_step", "main", "own_folder"]

PART = 250_000  # bytes of a part of a log, and the rest of its last line
LOGS = ("metrics.jsonl", "completions.jsonl", "evals.jsonl")
IDENTITY = "environment.json"
DOCUMENTS = ("config.toml", IDENTITY, "summary.json")
REMOTE = "origin"


def main(argv: Sequence[str] | None = None) -> int:
    """Make one commit; the exit code."""
    run, repository, step = argv if argv is not None else sys.argv[1:]
    try:
        _commit(Path(run), repository, int(step))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the boundary to Oxen: a panic of its Rust code is a BaseException
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


def _commit(run: Path, repository: str, step: int) -> None:
    """Commit a run, and push it."""
    require_oxen()
    from oxen import Repo

    place = oxen_place(run, repository)
    folder = place.folder.resolve()
    _wait_for_others(folder)
    repo = Repo(str(folder), mkdir=True)
    if not (folder / ".oxen").is_dir():
        repo.init()
    _name_author(folder)
    own = own_folder(run, folder)
    copy_run(run, own)
    repo.add(str(own))
    staged = repo.status()
    if [*staged.added_files(), *staged.modified_files(), *staged.removed_files()]:
        step = last_step(own) or step
        repo.commit(f"step {step} of {own.name}")
    if place.remote is not None:
        try:
            _push(repo, place.remote, own.name)
        except ValueError as error:
            raise ValueError(f"step {step} is committed in {place.folder}, but not pushed: {error}") from error


def _wait_for_others(folder: Path) -> None:
    """Wait while other runs commit to the repository, which Oxen refuses, and keep them waiting for this process.

    The lock is on the folder itself and ends with the process, as those that Oxen has on its databases do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)


def own_folder(run: Path, repository: Path) -> Path:
    """The run's folder in a repository: that of its name, or NAME-2 and so on where another run of that name has it.

    A run is known by its environment.json, which is written once, when it begins.
    """
    own, name = run / IDENTITY, run.resolve().name
    for folder in (repository / (name if number == 1 else f"{name}-{number}") for number in count(1)):
        kept = folder / IDENTITY
        if not (own.is_file() and kept.is_file()) or own.read_bytes() == kept.read_bytes():
            return folder
    raise AssertionError("there is always another number")


def copy_run(run: Path, folder: Path) -> None:
    """Copy what is kept of a run: whole lines of its logs, its documents, and its report as of now.

    Args:
        run: The run directory, which is only read.
        folder: Where it is kept; what is the same there already is not written again.
    Raises:
        OSError: When the host refuses.
    """
    from grpo_rust.report.page import page_html

    folder.mkdir(parents=True, exist_ok=True)
    for log in [*(run / name for name in LOGS), *sorted((run / "rewards").glob("*.jsonl"))]:
        if log.is_file():
            _copy_log(log, folder / log.relative_to(run))
    for document in (run / name for name in DOCUMENTS):
        if document.is_file():
            _write(folder / document.name, document.read_bytes())
    try:
        _write(folder / "report.html", page_html(read_run(run)).encode("utf-8"))
    except GrpoError:
        pass  # before the first step there is nothing to report


def last_step(folder: Path) -> int:
    """The last step that is kept in a folder; 0 where there is none. It may be past the one that was asked for."""
    parts = sorted(folder.glob("metrics*.jsonl"))  # metrics.0002.jsonl, ..., metrics.jsonl, which is the first one
    lines = parts[-2 if len(parts) > 1 else -1].read_bytes().splitlines() if parts else []
    record = parse_record(lines[-1]) if lines else None
    return int(record["step"]) if record is not None and is_step(record.get("step")) else 0


def _copy_log(log: Path, target: Path) -> None:
    """Copy the whole lines of a log in parts; a log that a resumed run cut has fewer parts."""
    target.parent.mkdir(exist_ok=True)
    number = 0
    for number, part in enumerate(_parts(log), start=1):
        _write(_numbered(target, number), part)
    while (surplus := _numbered(target, number := number + 1)).exists():
        surplus.unlink()


def _numbered(target: Path, number: int) -> Path:
    """The file of a part."""
    return target if number == 1 else target.with_name(f"{target.stem}.{number:04d}.jsonl")


def _parts(log: Path) -> Iterator[bytes]:
    """The whole lines of a log, in parts that depend on nothing but what stands before their ends."""
    with open(log, "rb") as lines:
        part: list[bytes] = []
        size = 0
        for line in lines:
            if not line.endswith(b"\n"):
                break  # the trainer is writing it, or a crash tore it
            part.append(line)
            size += len(line)
            if size >= PART:
                yield b"".join(part)
                part, size = [], 0
        if part:
            yield b"".join(part)


def _write(path: Path, data: bytes) -> None:
    """Write a file, unless that is what it holds."""
    if not path.is_file() or path.stat().st_size != len(data) or path.read_bytes() != data:
        path.write_bytes(data)


def _push(repo: Any, remote: OxenRemote, name: str) -> None:
    """Push the run's branch. Raises: ValueError, for what Oxen refuses."""
    branch = re.sub(r"[^\w.-]", "-", name)
    repo.set_remote(REMOTE, remote.url)  # asks the server who it is
    if repo.current_branch is None or repo.current_branch.name != branch:
        repo.checkout(branch, create=not repo.branch_exists(branch))
    repo.push(REMOTE, branch)


def _name_author(folder: Path) -> None:
    """Give the commits an author where the user has no name in Oxen's settings, which stay as they are."""
    from oxen import util
    from oxen.user import config_user

    settings = Path(util.get_oxen_config_dir())
    if (settings / "user_config.toml").is_file():
        return
    own = folder / ".oxen" / "author"
    own.mkdir(exist_ok=True)
    keys = settings / "auth_config.toml"  # of remote repositories: named, so that they lie in one place alone
    if keys.is_file() and not (own / keys.name).is_symlink():
        (own / keys.name).symlink_to(keys)
    os.environ["OXEN_CONFIG_DIR"] = str(own)
    config_user("grpo-rust", "grpo-rust@localhost")


if __name__ == "__main__":
    sys.exit(main())
