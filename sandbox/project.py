"""The cargo project in which a program is graded, laid out as in the published recipe.

Edition 2021, no dependencies. The program stands between `#![allow(dead_code)]` and a `main` that prints "Hello World".
As in the recipe, this `main` is always appended: a program with a `main` of its own has two and does not build.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    """A directory for one program: its project, and the home and temporary directories that its environment names."""

    directory: Path  # everything below belongs to this program
    source: str

    @property
    def root(self) -> Path:
        """The directory of Cargo.toml, in which every command runs."""
        return self.directory / "project"

    @property
    def num_lines(self) -> int:
        """The number of lines of src/main.rs."""
        return (HEAD + self.source + TAIL).count("\n")

    def create(self) -> None:
        """Make the directories and the manifest, and write the program."""
        for path in (self.root / "src", self.directory / "home", self.directory / "tmp"):
            path.mkdir(parents=True)
        (self.root / "Cargo.toml").write_text(MANIFEST)
        program = (HEAD + self.source + TAIL).encode("utf-8", "surrogatepass")
        (self.root / "src" / "main.rs").write_bytes(program)

    def line_in_source(self, line: int | None) -> int | None:
        """A line of src/main.rs as a line of the program's own text; None for a line outside it."""
        if line is None:
            return None
        own = line - HEAD.count("\n")
        return own if 1 <= own <= self.source.count("\n") + 1 else None

    def environment(self, binaries: Path) -> dict[str, str]:
        """The whole environment of the program's compilers and tests.

        Args:
            binaries: The toolchain's folder of programs.
        """
        return {
            "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
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
