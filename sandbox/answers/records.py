"""Reads the file that a program writes its answers to. Both the file and its content may be hostile."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

__all__ = ["MAX_BYTES", "Records", "read_records"]

MAX_BYTES = 1 << 19  # of all answers together


class Records(NamedTuple):
    """The answers in a file, up to the first that is missing or wrong."""

    terms: tuple[str, ...]
    fault: str = ""  # what is wrong with the file; "" where every line is an answer in its turn


def read_records(path: Path, count: int) -> Records:
    """Read the answers to `count` calls, which are lines `[number,term]` in the order of the calls.

    Lines are accepted as text: whether a term means something is for its reader to say.
    """
    data = _read(path)
    if data is None:
        return Records((), "the file of answers was replaced")
    if len(data) > MAX_BYTES:
        return Records((), f"the answers have more than {MAX_BYTES:,} bytes")
    *lines, rest = data.decode("utf-8", "replace").split("\n")
    terms: list[str] = []
    for number, line in enumerate(lines):
        head = f"[{number},"
        if number >= count:
            return Records(tuple(terms), "more answers than calls")
        if not line.startswith(head) or not line.endswith("]"):
            return Records(tuple(terms), f"line {number + 1} of the answers is no answer to call {number + 1}")
        terms.append(line[len(head) : -1])
    return Records(tuple(terms), "the last answer breaks off" if rest else "")


def _read(path: Path) -> bytes | None:
    """The start of a regular file; None for anything else: a link, a pipe, a directory, nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = b""
        while len(data) <= MAX_BYTES and (more := os.read(descriptor, MAX_BYTES + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)
