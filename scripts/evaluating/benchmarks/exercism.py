"""Exercism's practice exercises for Rust, from a clone of its repository: a folder each.

.docs/instructions.md and .append.md   what is wanted
src/lib.rs                             the stub
tests/<name>.rs                        integration tests; they become a module of the program
.meta/example.rs                       a solution
Cargo.toml                             exercises with dependencies are left out
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from evaluating.benchmarks.tasks import BenchmarkTask, TaskList, asks, crates_in
from grpo.errors import BadInput

__all__ = ["exercism"]

OPTIONAL = re.compile(  # a test of a feature that is off
    r"^#\[test\]\n(?:#\[.*\n)*#\[cfg\(feature.*\n(?:#\[.*\n)*fn [\s\S]*?^\}\n", re.MULTILINE
)


def exercism(root: Path) -> TaskList:
    """The tasks of a clone, or of its folder exercises/practice.

    Raises:
        BadInput: Where there are none.
    """
    folder = root / "exercises" / "practice" if (root / "exercises").is_dir() else root
    found = TaskList()
    for path in sorted(file.parent for file in folder.glob("*/Cargo.toml")):
        tests = sorted((path / "tests").glob("*.rs"))
        name = path.name.replace("-", "_")
        reason = _why_not(path, tests, name)
        if reason:
            found.skipped[path.name] = reason
            continue
        docs = [path / ".docs" / file for file in ("instructions.md", "instructions.append.md")]
        text = "\n\n".join(file.read_text(encoding="utf-8").strip() for file in docs if file.exists())
        prompt = asks(f"{text}\n\nComplete this Rust library.", (path / "src" / "lib.rs").read_text(encoding="utf-8"))
        module = _module(tests[0].read_text(encoding="utf-8"), name)
        reference = (path / ".meta" / "example.rs").read_text(encoding="utf-8")
        found.tasks.append(BenchmarkTask(path.name, prompt, module, reference))
    if not found.tasks:
        raise BadInput(f"{root} holds no exercises: give a clone of github.com/exercism/rust")
    return found


def _why_not(path: Path, tests: list[Path], name: str) -> str:
    """Why an exercise cannot be asked for as one program; "" if it can."""
    cargo = tomllib.loads((path / "Cargo.toml").read_text(encoding="utf-8"))
    needed = {**cargo.get("dependencies", {}), **cargo.get("dev-dependencies", {})}
    if needed:
        return f"it needs the crate {min(needed)}"
    if len(tests) != 1 or not (path / ".meta" / "example.rs").exists():
        return "it is more than one file"
    if others := crates_in(tests[0].read_text(encoding="utf-8")) - {name}:
        return f"its tests need the crate {min(others)}"
    return ""


def _module(tests: str, name: str) -> str:
    """Integration tests as a module: the crate is the program itself, and tests that were to be ignored are not.

    >>> print(_module("use two_fer::twofer;\\n\\n#[test]\\n#[ignore]\\nfn a() { twofer(); }", "two_fer"))
    #[cfg(test)]
    mod tests {
    use super::twofer;
    <BLANKLINE>
    #[test]
    fn a() { twofer(); }
    }
    <BLANKLINE>
    """
    tests = re.sub(r"^\s*#\[ignore[^\]]*\]\n", "", tests, flags=re.MULTILINE)
    tests = OPTIONAL.sub("", tests)
    head, *nested = re.split(r"(?m)^(?=mod \w+ \{)", tests)
    inside = _within(head, name, "super") + "".join(_within(module, name, "super::super") for module in nested)
    return f"#[cfg(test)]\nmod tests {{\n{inside.strip()}\n}}\n"


def _within(tests: str, name: str, root: str) -> str:
    """Tests that say `root` instead of the crate's name."""
    tests = re.sub(rf"\buse {name} as (\w+);", rf"use {root}::{{self as \1}};", tests)
    return re.sub(rf"\b{name}::", f"{root}::", tests)
