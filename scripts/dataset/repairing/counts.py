"""The table of error codes with what came of them, and the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset.making import counted, made_with

__all__ = ["COLUMNS", "Repairs"]

COLUMNS: Mapping[str, str] = {
    "task_id": "of the row or completion that it was made of, with the planted error code",
    "task": "repair",
    "broken": "the program to repair, without tests where the row has gold tests",
    "diagnostics": "the compiler's errors; empty where the program builds",
    "failures": "what the gold tests said of a program that builds",
    "errors": 'the codes of all errors, "" for one without; empty where the program builds',
    "code": "the error code that was planted; empty in rows from a run",
    "request": "what the program is for, where it was asked for",
    "completion": "the right answer, where it is known: what supervised fine-tuning imitates",
    "program": "the same for all rows that are made of one program, or of one prompt: a split keeps them together",
    "gold_tests, gold_cases or rust_test_list": "of the row that it was made of",
}


@dataclass
class Repairs:
    """The rows that were made, and what became of the rest."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    num_read: int = 0  # rows of a data set, or completions of a run
    skipped: Counter[str] = field(default_factory=Counter)  # of what was read, by reason
    planted: Counter[str] = field(default_factory=Counter)  # programs with a mistake, by the code aimed at
    unproven: Counter[tuple[str, str]] = field(default_factory=Counter)  # of these, by code and reason

    @property
    def kept(self) -> Counter[str]:
        """Rows by error code: the one that was planted, else the first."""
        return Counter(row.get("code") or (row["errors"] or ["tests fail"])[0] or "no code" for row in self.rows)

    def table(self) -> str:
        """The counts, for people."""
        lines = [(str(len(self.rows)), f"rows; read were {self.num_read}")]
        lines += [(str(count), f"left out: {reason}") for reason, count in self.skipped.most_common()]
        reasons: Counter[str] = Counter()
        for (_, reason), count in self.unproven.items():
            reasons[reason] += count
        lines += [(str(count), f"planted, and left out: {reason}") for reason, count in reasons.most_common()]
        kept = self.kept
        return "\n".join([counted(lines), f"by error code ({len(kept)}):", _columns(kept)])

    def manifest(
        self, files: Mapping[Path, int], *, command: str, sources: Sequence[str], toolchain: str, style: str
    ) -> dict[str, Any]:
        """What was written, and how it was made.

        Args:
            files: How many rows each has.
            command: The command line.
            sources: Files that were read.
            toolchain: Of the sandbox.
            style: How diagnostics are shown.
        """
        unproven: dict[str, dict[str, int]] = {}
        for (code, reason), count in sorted(self.unproven.items()):
            unproven.setdefault(code, {})[reason] = count
        return {
            "made_by": command,
            **made_with(files, sources),
            "toolchain": toolchain,
            "columns": dict(COLUMNS),
            "diagnostics_as": style,
            "rows_read": self.num_read,
            "rows_written": sum(files.values()),
            "left_over_as_their_split_is_full": len(self.rows) - sum(files.values()),
            "skipped": dict(self.skipped.most_common()),
            "by_error_code": dict(sorted(self.kept.items())),
            "planted": dict(sorted(self.planted.items())),
            "planted_but_unproven": unproven,
        }


def _columns(counts: Mapping[str, int], width: int = 6) -> str:
    """Counts by name, several in a line."""
    cells = [f"{name:>10} {count:>4}" for name, count in sorted(counts.items())]
    return "\n".join("".join(cells[start : start + width]) for start in range(0, len(cells), width))
