"""Drafts from rows with a right program and gold tests: a mistake is planted in the program."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataset.patching.drafts import PatchDraft
from dataset.patching.mutants import mutants
from dataset.patching.row_asserts import row_asserts
from dataset.sources import BadRow, row_name, row_text
from rewards.rust.grammar import is_readable
from rewards.rust.parse import parse

__all__ = ["TRIED", "row_drafts"]

TRIED = 4  # mistakes in a program, of which the first that some of its tests notice is taken
PROGRAMS = ("reference", "rust_code")


def row_drafts(rows: Iterable[Mapping[str, Any]], *, seed: int) -> Iterator[PatchDraft | str]:
    """A draft for each row, or why there is none, in words that can be counted."""
    names: set[str] = set()
    for number, row in enumerate(rows):
        try:
            draft = _draft(row, number, seed)
        except BadRow as error:
            yield str(error)
            continue
        yield "a task_id that an earlier row has" if draft.name in names else draft
        names.add(draft.name)


def _draft(row: Mapping[str, Any], number: int, seed: int) -> PatchDraft:
    """The draft of a row. Raises: BadRow."""
    name = row_name(row, number)
    right = next((row[column] for column in PROGRAMS if isinstance(row.get(column), str) and row[column].strip()), "")
    if not right or not is_readable(right):
        raise BadRow(f"no program in {' or '.join(PROGRAMS)}")
    right = right.replace("\r\n", "\n").rstrip() + "\n"
    if parse(right).test_code:
        raise BadRow("a program with tests of its own")
    found = mutants(right)
    random.Random(f"patch {seed} {name}").shuffle(found)
    if not found:
        raise BadRow("a program with nothing to mistake")
    if not (text := row_text(row).strip()):
        raise BadRow("no text that says what the program should do")
    request = f"The program should do what this asks for:\n\n{text}"
    return PatchDraft(name, "bug", right, tuple(found[:TRIED]), tuple(row_asserts(row)), request)
