"""The powers of a program: uses of anything with which it could write its tests' report itself.

A test reports through libtest, which runs in the same process as the program. Code with any of these powers can end the
process, write to its streams, read its own files or change its memory, so that nothing that the process says of its
tests is evidence: unsafe code, foreign functions, assembly, symbols and sections of a chosen name, processes, files,
environment, standard streams, panic hooks, files included while compiling. Code without them can only compute, panic,
start threads and print, and libtest captures what tests print; its exit code is then libtest's own.

The compiler finds them, where names are resolved: clippy by the lists in `clippy.toml`, rustc by its lint
`unsafe_code`. `--force-warn` reports every use whatever lint levels the program sets. The reports are no warnings of
the program: `split` takes them out of its messages. Three macros are looked for as words, too, since they leave no trace
where they are read: within `concat!`, and as the body of a naked function. No alias can do without the word.

Not covered: holes in the language itself, such as rustc's issue 25860, by which safe code can reach any memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sandbox.grading.messages import Message
from sandbox.project import Project

__all__ = ["EXAMINE", "FORCE", "UNKNOWN", "lists_directory", "powers_of", "split", "write_lists"]

CODES = ("clippy::disallowed_methods", "clippy::disallowed_types", "clippy::disallowed_macros", "unsafe_code")
EXAMINE = [
    "--crate-name", "rust_program", "--edition=2021", "src/main.rs", "--test", "--emit=metadata", "--error-format=json",
    "--cap-lints=allow",
]  # fmt: skip
FORCE = tuple(word for code in CODES for word in ("--force-warn", code))
UNKNOWN = ("something that the compiler did not report on",)
LISTS = "clippy.toml"
MAX_POWERS = 8
SPELLED = re.compile(r"\b(?:include_str|include_bytes|naked_asm)\b")
USED = re.compile(r"^use of a disallowed (?:method|type|macro) `([^`]*)`")


def lists_directory(project: Project) -> Path:
    """The directory that CLIPPY_CONF_DIR names."""
    return project.directory / "lints"


def write_lists(project: Project) -> None:
    """Write the lists for clippy where the compilers of a project can read them."""
    directory = lists_directory(project)
    directory.mkdir(exist_ok=True)
    (directory / LISTS).write_bytes((Path(__file__).parent / LISTS).read_bytes())


def split(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """A compiler's messages without the reports of powers, and those reports. Messages about the lists are dropped."""
    others: list[Message] = []
    reports: list[Message] = []
    for message in messages:
        if message.file is not None and message.file.endswith(LISTS):
            continue
        (reports if message.level == "warning" and message.code in CODES else others).append(message)
    return others, reports


def powers_of(reports: Iterable[Message], project: Project) -> tuple[str, ...]:
    """What the reports say, for people: each distinct use with its line, the first ones."""
    found = []
    for report in reports:
        used = USED.match(report.text)
        line = project.line_in_source(report.line)
        found.append((used[1] if used else f"unsafe code ({report.text})") + (f" in line {line}" if line else ""))
    for word in SPELLED.finditer(project.source):
        if not any(word[0] in text for text in found):
            found.append(f"{word[0]} in line {project.source.count(chr(10), 0, word.start()) + 1}")
    return tuple(dict.fromkeys(found))[:MAX_POWERS]
