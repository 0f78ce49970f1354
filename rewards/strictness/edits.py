"""Edits of a text by insertion, each belonging to a mutant without which it can be left out."""

from __future__ import annotations

from tree_sitter import Node

from sandbox.evidence.experiment import ALWAYS, Part

__all__ = ["Edits"]


class Edits:
    """The edits of a program. Places are bytes.

    Where edits meet at one place, what closes stands before what is put between, before what opens, before what is
    replaced; of two that close the inner one stands first, of two that open the outer one.
    """

    def __init__(self, source: str) -> None:
        self._source = source.encode("utf-8", "replace")
        # Start and order, end, text, mutant, and what stands there without the mutant if that is not the old text.
        self._edits: list[tuple[tuple[int, int, int, int], int, str, int, str | None]] = []

    def line(self, at: int) -> int:
        """The line of a place, from 1."""
        return self._source.count(b"\n", 0, at) + 1

    def insert(self, at: int, text: str, mutant: int = ALWAYS, without: str | None = None) -> None:
        """Put text at a place, and another one where the mutant is removed."""
        self._edits.append(((at, 1, 0, len(self._edits)), at, text, mutant, without))

    def around(self, node: Node, before: str, after: str, mutant: int) -> None:
        """Put text before and after a node."""
        start, end, count = node.start_byte, node.end_byte, len(self._edits)
        self._edits.append(((start, 2, start - end, count), start, before, mutant, None))
        self._edits.append(((end, 0, end - start, -count), end, after, mutant, None))

    def replace(self, node: Node, text: str, mutant: int = ALWAYS) -> None:
        """Put text in place of a node."""
        self._edits.append(((node.start_byte, 3, 0, 0), node.end_byte, text, mutant, None))

    def parts(self) -> tuple[Part, ...]:
        """The edited text."""
        parts, at = [], 0
        for (start, *_), end, text, mutant, without in sorted(self._edits, key=lambda edit: edit[0]):
            if start > at:
                parts.append(Part(self._text(at, start)))
            parts.append(Part(text, mutant, self._text(start, end) if without is None else without))
            at = max(at, end)
        return (*parts, Part(self._text(at, len(self._source))))

    def _text(self, start: int, end: int) -> str:
        return self._source[start:end].decode("utf-8", "replace")
