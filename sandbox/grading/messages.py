"""What rustc and clippy say in JSON, and what libtest says in its last line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Message", "Tally", "agrees", "read_messages", "read_tally"]

RESULT_LINE = re.compile(
    rb"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; \d+ filtered out",
    re.MULTILINE,
)
ANNOUNCED = re.compile(rb"^running (\d+) tests?$", re.MULTILINE)
IGNORED_LINE = re.compile(rb"\bignored(?:, [^\n]*)?\n")
FAILED_LINE = b"FAILED\n"  # libtest ends the line of a test with one write, so that nothing gets in between
CARGO_PREFIX = b'{"reason":"compiler-message"'
RUSTC_PREFIX = b'{"$message_type":"diagnostic"'


@dataclass(frozen=True)
class Message:
    """One error or warning; `line` counts in `file`, which is src/main.rs but for batches."""

    level: str
    code: str | None
    text: str
    line: int | None
    file: str | None = None


@dataclass(frozen=True)
class Tally:
    """The counts of a test run."""

    passed: int
    failed: int
    ignored: int


def read_messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """The errors, and the warnings that have a code, in lines of cargo's or rustc's JSON."""
    for line in lines:
        if not line.startswith((CARGO_PREFIX, RUSTC_PREFIX)):
            continue
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # cut in the middle by the output's bound
        message: dict[str, Any] = record["message"] if line.startswith(CARGO_PREFIX) else record
        level, code = message["level"], (message["code"] or {}).get("code")
        if level.startswith("error") and not message["message"].startswith("aborting due to"):
            yield Message("error", code, message["message"], *_place(message))
        elif level == "warning" and code:
            yield Message("warning", code, message["message"], *_place(message))


def read_tally(output: bytes) -> Tally | None:
    """The last summary in a test binary's output; a program can print one too, so it proves nothing."""
    found = RESULT_LINE.findall(output)
    return Tally(*map(int, found[-1])) if found else None


def agrees(tally: Tally, output: bytes, *, whole: bool = True) -> bool:
    """Whether a summary can be libtest's own, by what libtest printed before it.

    A program can add lines to its output but take none away: the number of tests is announced before the first one
    runs, and each that failed or was ignored has said so before the next. So no summary passes here that hides a test.
    What a program prints can only make an honest summary look wrong, and only if it looks like libtest's lines. Passing
    tests print next to nothing: where so much was printed that some of it was dropped, no pass is believed.

    Args: output, the test binary's standard output; whole, False when some of it was dropped.

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
    """The line that a message points at, and its file."""
    spans = sorted(message["spans"], key=lambda span: not span["is_primary"])
    return (int(spans[0]["line_start"]), str(spans[0]["file_name"])) if spans else (None, None)
