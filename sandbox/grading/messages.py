"""Reads the JSON messages of rustc and clippy, and the summary that libtest prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Message", "Tally", "agrees", "read_messages", "read_tally"]

RESULT_LINE = re.compile(
    rb"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; \d+ filtered out",
    re.MULTILINE,
)
ANNOUNCED = re.compile(rb"^running (\d+) tests?$", re.MULTILINE)
IGNORED_LINE = re.compile(rb"\bignored(?:, [^\n]*)?\n")
FAILED_LINE = b"FAILED\n"  # libtest writes this in one call, so that no other output stands in between
CARGO_PREFIX = b'{"reason":"compiler-message"'
RUSTC_PREFIX = b'{"$message_type":"diagnostic"'


@dataclass(frozen=True)
class Message:
    """One error or warning. `line` counts in `file`, which is src/main.rs except in a batch."""

    level: str
    code: str | None
    text: str
    line: int | None
    file: str | None = None
    rendered: str = field(default="", compare=False)  # an error as a terminal shows it, perhaps with colours


@dataclass(frozen=True)
class Tally:
    """The numbers of tests in a summary."""

    passed: int
    failed: int
    ignored: int


def read_messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """Read the errors, and the warnings that have a code, from lines of cargo's or rustc's JSON."""
    for line in lines:
        if not line.startswith((CARGO_PREFIX, RUSTC_PREFIX)):
            continue
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the limit on output cut it in the middle
        message: dict[str, Any] = record["message"] if line.startswith(CARGO_PREFIX) else record
        level, code = message["level"], (message["code"] or {}).get("code")
        if level.startswith("error") and not message["message"].startswith("aborting due to"):
            yield Message("error", code, message["message"], *_place(message), message.get("rendered") or "")
        elif level == "warning" and code:
            yield Message("warning", code, message["message"], *_place(message))


def read_tally(output: bytes) -> Tally | None:
    """Read the last summary in a test binary's output. It is no proof: a program can print a summary too."""
    found = RESULT_LINE.findall(output)
    return Tally(*map(int, found[-1])) if found else None


def agrees(tally: Tally, output: bytes, *, whole: bool = True) -> bool:
    """Whether a summary agrees with the lines that libtest printed before it.

    libtest announces the number of tests before the first test runs, and prints the line of a failed or an ignored test
    before it starts the next test. A program can add lines to the output but cannot remove any, so that a summary which
    hides a test is always rejected. A summary of libtest's own is rejected only if the program printed lines that look
    like libtest's. Passing tests print very little: if the output is so long that a part was dropped, a summary without
    failures is rejected.

    Args:
        tally: The summary.
        output: The test binary's standard output.
        whole: False when a part of the output was dropped.

    >>> agrees(Tally(passed=2, failed=0, ignored=0), b"running 2 tests\\ntest a ... FAILED\\ntest b ... ok\\n")
    False
    """
    announced = {int(number) for number in ANNOUNCED.findall(output)}
    return (
        (whole or tally.failed > 0)
        and announced == {tally.passed + tally.failed + tally.ignored}
        and output.count(FAILED_LINE) <= tally.failed
        and len(IGNORED_LINE.findall(output)) <= tally.ignored
    )


def _place(message: dict[str, Any]) -> tuple[int | None, str | None]:
    """The line and the file that a message points at."""
    spans = sorted(message["spans"], key=lambda span: not span["is_primary"])
    return (int(spans[0]["line_start"]), str(spans[0]["file_name"])) if spans else (None, None)
