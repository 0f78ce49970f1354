"""The journal of the verb translate: after a stop, what was translated is not translated again.

A translation is named by the content of its task, so that a row that was changed is translated anew, and other rows may
be chosen between two sessions. The header says what a translation depends on besides: this project's code that makes
it, the Python that runs references, and the grammar that gold cases are read by.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataset.rows import RustTask
from dataset.sources import PythonTask
from durable.journal import EntryFormat, LineJournal

__all__ = ["TRANSLATING", "Translation", "TranslationJournal", "content_of", "open_journal"]

ROOT = Path(__file__).resolve().parents[2]
TRANSLATING = ("scripts/dataset/translating", "scripts/dataset/rows.py", "rewards")  # what makes a translation
GRAMMAR = ("tree-sitter", "tree-sitter-rust")
SYNC_S = 1.0  # a wait for the disk is short beside one row, and not beside the hundreds a second of many cores

Translation = RustTask | str  # a task without a name, or the reason why there is none
TranslationJournal = LineJournal[Translation]


def open_journal(path: Path) -> TranslationJournal:
    """Open or begin the journal of a translation, whose entries are named by `content_of`.

    Raises: BadInput, for one of other code or another Python, a file that is none, or one that is being written.
    """
    header = {
        "translating_code": _code_hash(),
        "python": platform.python_version(),
        **{name: version(name) for name in GRAMMAR},
    }
    translations = EntryFormat("translations", ("content",), _written, _read)
    return TranslationJournal(path, header, translations, partial(_differences, names=tuple(header)), sync_s=SYNC_S)


def content_of(task: PythonTask) -> str:
    """A hash of all that a task is, but for its name."""
    return hashlib.sha256(json.dumps(asdict(task) | {"task_id": ""}).encode()).hexdigest()


def _code_hash() -> str:
    """The SHA-256 of the code that makes translations."""
    found = hashlib.sha256()
    for place in TRANSLATING:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def _written(found: Translation) -> dict[str, Any]:
    return {"reason": found} if isinstance(found, str) else {"task": asdict(found)}


def _read(record: Mapping[str, Any]) -> Translation:
    return str(record["reason"]) if "reason" in record else RustTask(**record["task"])


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], *, names: tuple[str, ...]) -> list[str]:
    """What two sessions translate by differently."""
    return [f"{name}: {before[name]} and {now[name]}" for name in names if before[name] != now[name]]
