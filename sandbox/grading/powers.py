"""The powers of a program: uses of anything with which it could write its tests' report itself.

A test reports through libtest, which runs in the same process as the program. Code with any of these powers can end the
process, write to its streams, read its own files or change its memory, so that nothing that the process says of its
tests is evidence: unsafe code, foreign functions, assembly, symbols and sections of a chosen name, processes, files,
environment, standard streams, panic hooks, files included while compiling. Code without them can only compute, panic,
start threads and print, and libtest captures what tests print; its exit code is then libtest's own.

The compiler finds them, where names are resolved: clippy by the lists in `clippy.toml`, rustc by its lint
`unsafe_code`. `--force-warn` reports every use whatever lint levels the program sets. The reports are no warnings of
the program: `split` takes them out of its messages. What no lint reports needs a word that stands in the text, since no
macro can make one (`_words`): `extern` for foreign functions, `unsafe` in an attribute, a macro's name in `concat!`. So
does rustc's issue 25860, by which safe code can reach any memory: a reference to a reference, both with a lifetime.

The lists also have what tells a program where it is called, such as the name of a thread or the address of a function:
code that knows that it is tested is not what is delivered.

Not covered: other holes in the language, such as rustc's issue 57893.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.grading.lexer import Token, is_plain, tokens
from sandbox.grading.messages import Message
from sandbox.project import Project

__all__ = ["EXAMINE", "FORCE", "UNKNOWN", "lists_directory", "powers_of", "split", "write_lists"]

CODES = (
    "clippy::disallowed_methods", "clippy::disallowed_types", "clippy::disallowed_macros",
    "clippy::fn_to_numeric_cast_any", "unsafe_code",
)  # fmt: skip
EXAMINE = [
    "--crate-name", "rust_program", "--edition=2021", "src/main.rs", "--test", "--emit=metadata", "--error-format=json",
    "--cap-lints=allow",
]  # fmt: skip
FORCE = tuple(word for code in CODES for word in ("--force-warn", code))
UNKNOWN = ("something that the compiler did not report on",)
LISTS = "clippy.toml"
MAX_POWERS = 8
SPELLED = frozenset(("include_str", "include_bytes", "naked_asm", "Termination"))  # leave no trace in some places
PLACES = frozenset(("file", "column", "module_path"))  # as macros, by their own or another name
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
        text = f"unsafe code ({report.text})" if report.code == "unsafe_code" else report.text
        found.append((used[1] if used else text) + (f" in line {line}" if line else ""))
    return tuple(dict.fromkeys([*found, *_words(project.source)]))[:MAX_POWERS]


def _words(source: str) -> Iterator[str]:
    """The powers that stand in a program's text, as far as no lint reports them."""
    try:
        found = list(tokens(source))
    except ValueError:
        found = []
    if not found or not all(map(is_plain, found)):  # rustc may see other tokens: look at the text
        lines = enumerate(source.split("\n"), 1)
        found = [Token("name", word, n, 0) for n, line in lines for word in re.findall(r"\w+|[&!]|'\w+", line)]
    words = [token.text for token in found]
    for token, after in zip(found, [*words[1:], ""], strict=False):
        word, where = token.text, f" in line {token.line}"
        if word == "unsafe" or (word == "extern" and after != "crate"):
            yield ("unsafe code" if word == "unsafe" else "foreign functions") + where
        if word in SPELLED or (word in PLACES and after in ("!", "as")):
            yield word + where
    if any(a == "$" and c == "!" for a, c in zip(words, words[2:], strict=False)):  # a macro by a name that is given
        yield from (f"{t.text} in line {t.line}" for t in found if t.text in PLACES or t.text in SPELLED)
    marks = [word for word in words if word != "mut"]
    for a, b, c, d in zip(marks, marks[1:], marks[2:], marks[3:], strict=False):
        if a == c == "&" and b[:1] == d[:1] == "'":
            yield "a reference to a reference, both with a lifetime (rustc's issue 25860)"
