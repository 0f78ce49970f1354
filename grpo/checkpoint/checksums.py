"""The step of a checkpoint and the SHA-256 of each of its files: written last, compared before a run resumes.

They find files that are missing, cut off or changed, and a checkpoint under the name of another step. A checkpoint of
15 GB is read once for it, several files at a time: seconds from memory, as long as the disk takes otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from grpo.checkpoint.places import STATE, step_of

__all__ = ["find_damage", "sha256_of", "write_checksums"]

CHECKSUMS = Path(STATE) / "checksums.json"
FORMAT = 2  # of a checkpoint's files and of what is in them; another number is another version
NEEDED = {f"{STATE}/progress.json"}  # a list without it is not one that was written here
THREADS = 4  # files at a time: hashing releases the interpreter


def write_checksums(directory: Path, step: int) -> Path:
    """Write the step of a checkpoint, and size and SHA-256 of every file, into it; the file they are in."""
    found = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    names = [name for name in found if name != str(CHECKSUMS)]
    sums = {name: {"bytes": (directory / name).stat().st_size, "sha256": sha256_of(directory / name)} for name in names}
    written = {"format": FORMAT, "step": step, "files": sums}
    (directory / CHECKSUMS).write_text(json.dumps(written, indent=1), encoding="utf-8")
    return directory / CHECKSUMS


def find_damage(directory: Path) -> str:
    """What is wrong with a checkpoint: another step's name, or the first file that is missing or changed, and how.

    Returns: "" if it is whole. A directory that is not named as a checkpoint may hold any step.
    """
    try:
        written = json.loads((directory / CHECKSUMS).read_text(encoding="utf-8"))
        version, files, step = written["format"], written["files"], written.get("step")
    except FileNotFoundError:
        return f"{CHECKSUMS} is missing: it was not written to its end, or by an older version"
    except KeyError as error:
        return f"{CHECKSUMS} cannot be read (it lacks {error})"
    except (OSError, ValueError, TypeError, RecursionError) as error:
        return f"{CHECKSUMS} cannot be read ({error})"
    if version != FORMAT:
        return f"{CHECKSUMS} has format {version}, and this version reads {FORMAT}"
    if not isinstance(files, dict) or type(step) not in (int, type(None)):
        return f"{CHECKSUMS} is damaged: its files are no JSON object, or its step is no whole number"
    if not NEEDED <= files.keys():
        return f"{CHECKSUMS} is damaged: it does not list {', '.join(sorted(NEEDED - files.keys()))}"
    if None not in (step, named := step_of(directory)) and step != named:  # None: older files have no step
        return f"holds step {step}: it was copied or renamed"
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda item: _damage_of(directory / item[0], item[1]), files.items())
        return next((f"{name} {problem}" for name, problem in zip(files, found, strict=True) if problem), "")


def _damage_of(path: Path, wanted: Mapping[str, Any]) -> str:
    """What is wrong with a file; "" for nothing."""
    try:
        size = path.stat().st_size
        if size != wanted["bytes"]:
            return f"has {size:,} bytes, and {wanted['bytes']:,} were written"
        return "" if sha256_of(path) == wanted["sha256"] else "has other bytes than were written (SHA-256 differs)"
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"cannot be read ({error})"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
