"""A test that a program fails, and what a terminal shows of it."""

from __future__ import annotations

import re

from rewards.tasks.patch import FILE
from sandbox.project import HEAD
from sandbox.terminal import plain

__all__ = ["shown_failure", "with_test"]

TEST = "works"
PANIC = re.compile(r"^---- \S+ stdout ----\n.*?(?=\n\n\nfailures:|\Z)", re.DOTALL | re.MULTILINE)
THREAD = re.compile(r"(?<=') \(\d+\)(?= panicked at )")  # its number differs with every run
PLACE = re.compile(r"src/main\.rs:(\d+):")
LONGEST = 2000  # characters


def with_test(program: str, check: str) -> str:
    """A program with a test module that makes one assert.

    >>> print(with_test("fn f() {}\\n", "assert!(f());").splitlines()[-3])
            assert!(f());
    """
    test = f"    #[test]\n    fn {TEST}() {{\n        {check}\n    }}\n"
    return f"{program}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{test}}}\n"


def shown_failure(output: str) -> str:
    """The part of a test binary's output that says why a test failed; "" where there is none.

    The file gets the name that the task gives it, and lines are counted in the program itself.

    >>> shown_failure("---- t stdout ----\\nthread 't' (9) panicked at src/main.rs:3:9:\\nno\\n\\n\\nfailures:\\n t")
    "---- t stdout ----\\nthread 't' panicked at src/lib.rs:2:9:\\nno"
    """
    found = PANIC.search(output)
    if found is None:
        return ""
    lines = [line for line in plain(found[0]).split("\n") if not line.startswith("note: run with")]
    text = THREAD.sub("", "\n".join(lines)).strip()
    above = HEAD.count("\n")
    return PLACE.sub(lambda match: f"{FILE}:{int(match[1]) - above}:", text)[:LONGEST]
