"""Files in Oxen repositories as a source of prompts: `oxen:REPOSITORY/FILE`, local or remote.

A local repository is the nearest folder on the path that has `.oxen` in it. Its file is read where it lies, and refused
while it differs from the last commit: a name in a repository promises a version. Without such a folder the name is that
of a remote one, `namespace/name/FILE` on hub.oxen.ai, or with a host: `https://host:port/namespace/name/FILE`. Its file
is downloaded to a temporary place each time that it is read.

The package `oxenai` runs in a process of its own, with a limit of time: it holds Python's lock while it waits for a
server, so that an address that does not answer would stop everything, Ctrl-C included.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from grpo.errors import BadInput

__all__ = ["OxenRemote", "is_remote_oxen", "oxen_environment", "oxen_file", "oxen_remote", "require_oxen"]

PREFIX = "oxen:"
HUB = "hub.oxen.ai"
FORMS = "give oxen:PATH/FILE for a repository here, or oxen:namespace/name/FILE for one on " + HUB
REMOTE = re.compile(
    r"(?:(https?)://)?(?:([\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+|localhost)/)?([\w-]+/[\w.-]+)(?:/(.+))?"
)
DOWNLOAD_S = 1800.0
STATUS_S = 300.0

DOWNLOADS = """
import sys
from oxen import RemoteRepo
name, host, scheme, file, target = sys.argv[1:]
RemoteRepo(name, host=host, scheme=scheme).download(file, target)
"""
CHECKS = """
import sys
from oxen import Repo
place, file = sys.argv[1:]
repo = Repo(place)
if not repo.log():
    sys.exit("the repository has no commit")
found = repo.status()
_, _, new = str(found).partition("Untracked Files")
untracked = [line.strip() for line in new.splitlines() if line.strip()]
if file in untracked or any(name.endswith("/") and file.startswith(name) for name in untracked):
    sys.exit("the file is in no commit")
if file in {*found.added_files(), *found.modified_files(), *found.unstaged_modified_files()}:
    sys.exit("the file has changes that are in no commit")
"""


class OxenRemote(NamedTuple):
    """A repository on a server, and what of it is named."""

    scheme: str
    host: str
    name: str  # namespace/name
    file: str = ""

    @property
    def url(self) -> str:
        """Its address, as Oxen's `set_remote` takes it."""
        return f"{self.scheme}://{self.host}/{self.name}"


def oxen_remote(text: str) -> OxenRemote | None:
    """The remote repository, or a file in one, that a text names; None for any other text.

    >>> oxen_remote("ox/Rust/train.parquet")
    OxenRemote(scheme='https', host='hub.oxen.ai', name='ox/Rust', file='train.parquet')
    >>> oxen_remote("http://127.0.0.1:3000/me/runs").url
    'http://127.0.0.1:3000/me/runs'
    >>> oxen_remote("/home/me/runs") is oxen_remote("./me/runs") is oxen_remote("runs") is None
    True
    """
    found = REMOTE.fullmatch(text)
    if found is None:
        return None
    return OxenRemote(found[1] or "https", found[2] or HUB, found[3], found[4] or "")


def is_remote_oxen(source: str) -> bool:
    """Whether a source is a file of a remote repository, which a plan does not download."""
    if not source.startswith(PREFIX) or _local(source) is not None:
        return False
    found = oxen_remote(source.removeprefix(PREFIX))
    return found is not None and bool(found.file)


def require_oxen() -> None:
    """Check that the package is there, without loading it. Raises: BadInput."""
    if find_spec("oxen") is None:
        raise BadInput("Oxen repositories need the package oxenai: pip install -e '.[oxen]'")


def oxen_environment() -> dict[str, str]:
    """The environment of a process that imports what this one can import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RUST_BACKTRACE": "0"}


@contextmanager
def oxen_file(source: str) -> Iterator[Path]:
    """A file in a repository.

    Args:
        source: `oxen:REPOSITORY/FILE`.
    Yields: Its path; that of a remote one is gone afterwards.
    Raises:
        BadInput: For a repository or a file that is not there, a file that is not committed as it is, a server that
            does not answer, and where the package is missing.
    """
    local = _local(source)
    remote = None if local is not None else oxen_remote(source.removeprefix(PREFIX))
    if local is None and (remote is None or not remote.file):
        raise BadInput(f"{source} names no file in an Oxen repository (no folder on that path has .oxen): {FORMS}")
    if local is not None and not (local[0] / local[1]).is_file():
        raise BadInput(f"{source}: the Oxen repository {local[0]} has no file {local[1]}")
    require_oxen()
    if local is not None:
        place, file = local
        if problem := _problem([CHECKS, str(place), file], STATUS_S):
            raise BadInput(f"{source}: {problem}: commit it (oxen add, oxen commit), or give its path without oxen:")
        yield place / file
        return
    assert remote is not None
    with tempfile.TemporaryDirectory(prefix="oxen-") as scratch:
        target = Path(scratch) / Path(remote.file).name
        names = [remote.name, remote.host, remote.scheme, remote.file, str(target)]
        problem = _problem([DOWNLOADS, *names], DOWNLOAD_S)
        if problem or not target.is_file():
            raise BadInput(
                f"{source}: cannot get {remote.file} from {remote.url} ({problem or 'nothing came'}): check the name, "
                "the network and, for a private one, oxen config --auth; a repository here needs .oxen in its folder"
            )
        yield target


def _local(source: str) -> tuple[Path, str] | None:
    """The local repository on a path, and the file's name in it; None where no folder on the path is one."""
    path = Path(source.removeprefix(PREFIX)).expanduser()
    for folder in path.parents:
        try:
            if (folder / ".oxen").is_dir():
                return folder, path.relative_to(folder).as_posix()
        except (OSError, ValueError):  # a name that is too long, or holds a NUL
            return None
    return None


def _problem(program: list[str], limit_s: float) -> str:
    """What went wrong with a program, in one line; "" where it ended well."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", *program],
            env=oxen_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {limit_s:g} s"
    said = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (said[-1][-300:] if said else f"it ended with code {done.returncode}")
