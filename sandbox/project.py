"""The project that a program is graded in: laid out as in the published recipe, fresh for every program.

Edition 2021, no dependencies; the program stands between `#![allow(dead_code)]` and a `main` that prints "Hello World".
That `main` is appended always, as the recipe does: a program with a `main` of its own has two, and does not build.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain import Toolchain

__all__ = ["HEAD", "MANIFEST", "TAIL", "Project"]

MANIFEST = """[package]
name = "rust-program"
version = "0.1.0"
edition = "2021"

[dependencies]
"""
HEAD = "#![allow(dead_code)]\n"
TAIL = '\n\nfn main() {\n    println!("Hello World");\n}\n'


@dataclass(frozen=True)
class Project:
    """A directory with a program in it, and beside it the only places that a guest is told of."""

    directory: Path  # everything below belongs to this program
    source: str

    @property
    def root(self) -> Path:
        """Where Cargo.toml is; the working directory of every command."""
        return self.directory / "project"

    @property
    def num_lines(self) -> int:
        """Lines of src/main.rs before anything appended."""
        return (HEAD + self.source + TAIL).count("\n")

    def create(self, appended: str = "") -> None:
        """Make the directories and the manifest, and write the program, with something appended to it."""
        for path in (self.root / "src", self.directory / "home", self.directory / "tmp"):
            path.mkdir(parents=True)
        (self.root / "Cargo.toml").write_text(MANIFEST)
        self.write(appended)

    def write(self, appended: str = "") -> None:
        """Write src/main.rs, with something appended; never after the program has run, since the place is its own."""
        program = (HEAD + self.source + TAIL + appended).encode("utf-8", "surrogatepass")
        (self.root / "src" / "main.rs").write_bytes(program)

    def line_in_source(self, line: int | None) -> int | None:
        """A line of src/main.rs as a line of the program's own text, None if it is not in that."""
        if line is None:
            return None
        own = line - HEAD.count("\n")
        return own if 1 <= own <= self.source.count("\n") + 1 else None

    def environment(self, toolchain: Toolchain) -> dict[str, str]:
        """All that a guest's compiler and tests know of the world."""
        return {
            "PATH": f"{toolchain.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.directory / "home"),
            "CARGO_HOME": str(self.directory / "home"),
            "TMPDIR": str(self.directory / "tmp"),
            "LC_ALL": "C",
            "RUST_BACKTRACE": "0",
            "CARGO_INCREMENTAL": "0",
            "CARGO_PROFILE_DEV_DEBUG": "0",
            "CARGO_PROFILE_TEST_DEBUG": "0",
            "CARGO_TERM_COLOR": "never",
        }
