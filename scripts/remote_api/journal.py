"""The journal of answers: every one that was paid for, on disk before anything else is done with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from durable.journal import EntryFormat, LineJournal, Slot
from remote_api.reply import Answer

__all__ = ["Journal", "Slot"]


class Journal(LineJournal[Answer]):
    """Answers by the names of their questions."""

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        slot: Sequence[str],
        differences: Callable[[Mapping[str, Any], Mapping[str, Any]], list[str]],
    ) -> None:
        """Open or begin a journal.

        Args:
            path: Of the file.
            header: What is asked of whom, plain JSON values.
            slot: What the parts of a question's name are called in the file.
            differences: As of `LineJournal`.
        Raises: As `LineJournal`.
        """
        answers = EntryFormat("answers", slot, dataclasses.asdict, lambda record: Answer(**record))
        super().__init__(path, header, answers, differences)

    @property
    def answers(self) -> Mapping[Slot, Answer]:
        """The answers so far."""
        return self.entries
