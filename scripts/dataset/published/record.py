"""What came of the rows of the published data: counts by reason, and the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset.making import counted, made_with

__all__ = ["Publication", "manifest", "table"]


@dataclass
class Publication:
    """Rows with a signature and gold tests that their own program passes, and what became of the others."""

    rows: list[dict[str, Any]] = field(default_factory=list)  # to be written
    num_rows: int = 0  # that were chosen, and those that are malformed
    malformed: dict[str, str] = field(default_factory=dict)  # why no task can be made of a row, by its number
    unsigned: dict[str, str] = field(default_factory=dict)  # why there is no signature, by name
    failing: dict[str, tuple[str, str]] = field(default_factory=dict)  # why its own program fails, with details
    kinds: Counter[str] = field(default_factory=Counter)  # of gold tests: "cases" or "tests", as of `gold_kind`

    @property
    def num_good(self) -> int:
        """Rows that have both."""
        return self.num_rows - len(self.malformed) - len(self.unsigned) - len(self.failing)

    def reasons(self) -> list[tuple[str, str, int]]:
        """Group, reason and count of what is not good, the most frequent first."""
        groups = (
            ("not a row", Counter(self.malformed.values())),
            ("no signature", Counter(self.unsigned.values())),
            ("its own code fails", Counter(reason for reason, _ in self.failing.values())),
        )
        return [(name, reason, count) for name, found in groups for reason, count in found.most_common()]


def table(found: Publication, *, checked: bool) -> str:
    """The counts, for people; `checked`: whether programs were run with their tests."""
    share = 100 * found.num_good / found.num_rows if found.num_rows else 0.0
    passes = " and code that passes its tests" if checked else ", their code was not run"
    lines = [(str(found.num_good), f"of {found.num_rows} rows have a signature{passes} ({share:.1f} %)")]
    lines += [(str(count), f"{name}: {reason}") for name, reason, count in found.reasons()]
    return counted(lines)


def manifest(
    found: Publication,
    files: Mapping[Path, int],
    *,
    command: str,
    sources: Sequence[str],
    toolchain: str,
    checked: bool,
) -> dict[str, Any]:
    """What was written, and how it was made.

    Args:
        found: What came of the rows.
        files: How many rows each has.
        command: The command line.
        sources: Files that were read.
        toolchain: Of the sandbox; "" where nothing was run.
        checked: Whether programs were run with their tests.
    """
    return {
        "made_by": command,
        **made_with(files, sources),
        "toolchain": toolchain,
        "columns": list(dict.fromkeys(column for row in found.rows for column in row)),
        "rows_read": found.num_rows,
        "rows_good": found.num_good,
        "rows_written": sum(files.values()),
        "left_over_as_their_split_is_full": len(found.rows) - sum(files.values()),
        "checked": checked,
        "gold_kinds": dict(found.kinds),
        "not_good": [{"group": name, "reason": reason, "rows": count} for name, reason, count in found.reasons()],
        "malformed": found.malformed,
        "unsigned": found.unsigned,
        "failing": {name: {"reason": reason, "details": details} for name, (reason, details) in found.failing.items()},
    }
