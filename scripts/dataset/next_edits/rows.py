"""From a change to its rows: one for each edit but the first, which nothing announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dataset.next_edits.changing.change import Change
from rewards.line_edits.edit import lines_of
from rewards.line_edits.reading import edit_answer

__all__ = ["MAX_EDITS", "NUM_RECENT", "program_of", "rows_of"]

NUM_RECENT = 3  # edits that a prompt shows at most
MAX_EDITS = 6  # of a change: the ways to leave a part of one undone grow with the square of it


def program_of(row: Mapping[str, Any]) -> str:
    """The right program of a row of any data set; "" without one."""
    found = (row.get(name) for name in ("reference", "rust_code"))
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def rows_of(change: Change, name: str) -> list[dict[str, Any]]:
    """The rows of a change; none where it has one edit, or more than `MAX_EDITS`.

    Args:
        change: With gold tests.
        name: Of its program.
    """
    if len(change.edits) > MAX_EDITS:
        return []
    rows = []
    for num_made in range(1, len(change.edits)):
        recent, remaining = change.recent(num_made, NUM_RECENT), change.remaining(num_made)
        rows.append(
            {
                "task_id": f"{name}-{change.kind}-{num_made}",
                "task": "next_edit",
                "kind": change.kind,
                "file": change.file(num_made),
                "cursor": max(1, recent[-1]["line"] + len(lines_of(recent[-1]["new"])) - 1),
                "recent": recent,
                "edits": [asdict(edit) for edit in remaining],
                "completion": edit_answer(remaining[0]),
                **change.gold,
            }
        )
    return rows
