"""What must not leave the machine with a model: paths, the user's and the machine's name, secrets of the environment.

`nameless` takes paths out of a text that is written; `find_private` reads a whole folder and says what is left.
Promises that every byte of every file is looked at for paths and secrets. Names are looked for as whole words and only
in files that people write or read: in a vocabulary or in weights a name of a few letters stands by chance. Left out:
what a data set or a base model says of people.
"""

from __future__ import annotations

import getpass
import mmap
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Private", "find_private", "nameless", "private_of"]

PLACE = re.compile(r"(?<![\w./:~-])(?:~|(?=/))[^\s\"'`,;:=<>()\[\]|]*/([^\s\"'`,;:=<>()\[\]|/]+)/?")
HOMES = re.compile(r"/(?:home|Users)/([^/\s\"':,]+)")
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
SHORTEST_SECRET, SHORTEST_NAME = 8, 3
COMMON = {"root", "user", "users", "home", "localhost", "admin", "runner", "ubuntu", "debian", "nobody"}
READ_BY_PEOPLE = {".md", ".toml", ".jinja"}
SETTINGS = {"config.json", "generation_config.json", "adapter_config.json", "tokenizer_config.json"}


@dataclass(frozen=True)
class Private:
    """Texts that a published folder must not hold; `places` and `secrets` anywhere, `names` as words in texts."""

    places: frozenset[str]
    names: frozenset[str]
    secrets: frozenset[str]


def nameless(text: str) -> str:
    """The text with every absolute path, and every one that begins at the home directory, cut to its last name.

    >>> nameless("data.train=/home/ann/data/train.jsonl hf:org/name scripts/train.py ~/a/mine.py:score")
    'data.train=train.jsonl hf:org/name scripts/train.py mine.py:score'
    """
    return PLACE.sub(r"\1", text)


def private_of(*, texts: Iterable[str], folders: Iterable[Path], environment: Mapping[str, str]) -> Private:
    """What is private on this machine, and on the one that a run's provenance was written on.

    Args:
        texts: Texts of the provenance: what they name below /home or /Users are homes and users.
        folders: Folders of this machine that no file may name, such as the run's; the home directory is always one.
        environment: Environment variables; the values of those that are named as secrets are secrets.
    """
    told = "\n".join(texts)
    users = {name for name in HOMES.findall(told)}
    homes = {found.group() for found in HOMES.finditer(told)}
    home = Path.home()
    places = {str(folder.resolve()) for folder in (home, *folders)} | {str(folder) for folder in folders} | homes
    names = users | {home.name, _user(), socket.gethostname(), socket.gethostname().partition(".")[0]}
    return Private(
        places=frozenset(place for place in places if place.startswith("/") and len(place) > 1),
        names=frozenset(name for name in names if len(name) >= SHORTEST_NAME and name.lower() not in COMMON),
        secrets=frozenset(
            value for name, value in environment.items() if SECRET.search(name) and len(value) >= SHORTEST_SECRET
        ),
    )


def find_private(folder: Path, private: Private) -> list[str]:
    """What of it the files of a folder hold: "FILE holds WHAT", without repeating a secret.

    Args:
        folder: Looked through with all folders in it.
        private: What must not be there.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [f"{path.relative_to(folder)} holds {what}" for path in files for what in _found(path, private)]


def _found(path: Path, private: Private) -> Iterator[str]:
    """What a file, or its name, holds."""
    names = path.name in SETTINGS or path.suffix in READ_BY_PEOPLE
    text = path.name + "\n" + (path.read_text(encoding="utf-8", errors="replace") if names else "")
    for name in sorted(private.names):
        if re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text):
            yield f"the name {name!r}"
    if not path.stat().st_size:
        return
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for place in sorted(private.places):
            after = rb"(?![\w.-])" if place.count("/") > 1 else rb"/[\w.]"  # "/root" alone is a word of vocabularies
            if re.search(re.escape(place.encode()) + after, content):
                yield f"the path {place!r}"
        if any(content.find(secret.encode()) >= 0 for secret in private.secrets):
            yield "the value of an environment variable that is named as a secret"


def _user() -> str:
    """The user's name; empty where the machine has none for this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "")
