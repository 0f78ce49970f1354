"""What a reader yields, the words of a prompt, and what a row needs beyond the standard library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BenchmarkTask",
    "TaskList",
    "asks",
    "crates_in",
    "in_module",
    "tests_with_imports",
    "without_crate_imports",
]

STANDARD = {"std", "core", "alloc", "crate", "self", "super"}
IMPORT = re.compile(r"^[ \t]*(?:pub )?use (?:::)?(\w+)[^;]*;[ \t]*\n?", re.MULTILINE)
ANSWER = "Answer with the whole program in one ```rust block, using the standard library alone."


@dataclass(frozen=True)
class BenchmarkTask:
    """One task."""

    id: str
    prompt: str
    tests: str  # a test module, put below a completion's code
    reference: str = ""  # a program that solves it, as the benchmark has it; "" where it has none
    columns: Mapping[str, Any] = field(default_factory=dict)  # of a row whose task words the prompt; else empty


@dataclass
class TaskList:
    """The tasks of a benchmark, and why others are left out."""

    tasks: list[BenchmarkTask] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # id -> reason


def asks(request: str, *parts: str) -> str:
    """A prompt: what is wanted, pieces of code, and how to answer.

    >>> asks("Do it.", "fn f() {").splitlines()[:3]
    ['Do it.', '', '```rust']
    """
    blocks = [f"```rust\n{part.strip()}\n```" for part in parts]
    return "\n\n".join([request.strip(), *blocks, ANSWER])


def crates_in(code: str) -> set[str]:
    """The crates besides the standard library's that code imports.

    >>> sorted(crates_in("use rand::Rng;\\nuse std::fmt;\\nuse md5;"))
    ['md5', 'rand']
    """
    return {match[1] for match in IMPORT.finditer(code)} - STANDARD


def without_crate_imports(code: str) -> str:
    """Code without the imports of other crates, which many heads name and few tasks need."""
    return IMPORT.sub(lambda match: match[0] if match[1] in STANDARD else "", code)


def tests_with_imports(tests: str, names: dict[str, str]) -> str:
    """A test module that imports what it uses and its completion need not: names by their paths.

    >>> tests_with_imports("mod tests {\\n    f(HashMap::new());\\n}", {"HashMap": "std::collections::HashMap"})
    'mod tests {\\n    use std::collections::HashMap;\\n    f(HashMap::new());\\n}'
    """
    used = [
        path
        for name, path in names.items()
        if re.search(rf"\b{name}\b", tests) and not re.search(rf"\buse [^;]*\b{name}\b", tests)
    ]
    imports = "".join(f"\n    use {path};" for path in used)
    return re.sub(r"\bmod \w+\s*\{", lambda match: match[0] + imports, tests, count=1)


def in_module(inside: str) -> str:
    """Test functions as a test module."""
    return f"#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{inside.strip()}\n}}\n"
