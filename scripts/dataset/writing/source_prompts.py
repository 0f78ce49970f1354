"""Rows of Python data sets as prompts: a text, and tests in Python if there are some."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from dataset.sources import BadRow, read_task

__all__ = ["SourcePrompt", "digest", "source_prompts"]

TEXTS = ("question", "text", "prompt")  # columns
MAX_ASSERTS = 10  # shown to the model
MAX_ASSERT_LENGTH = 400  # characters; a longer one is not shown


@dataclass(frozen=True)
class SourcePrompt:
    """A task in Python."""

    task_id: str
    text: str
    asserts: tuple[str, ...] = ()  # in Python


def source_prompts(rows: Iterable[Mapping[str, Any]]) -> tuple[list[SourcePrompt], dict[str, int]]:
    """The prompts of rows, and how many rows are none, by reason.

    A name depends on the row alone and not on its place: it is the data set's, with a hash of the text where there is
    none or where an earlier row has the same.
    """
    prompts: dict[str, SourcePrompt] = {}
    skipped = {"no text": 0, "the same name and text as an earlier row": 0}
    for row in rows:
        prompt = _prompt(row)
        known = prompts.get(prompt.task_id)
        if known is not None and known.text != prompt.text:
            prompt = SourcePrompt(f"{prompt.task_id}-{_hash(prompt.text)}", prompt.text, prompt.asserts)
        if not prompt.text.strip():
            skipped["no text"] += 1
        elif prompt.task_id in prompts:
            skipped["the same name and text as an earlier row"] += 1
        else:
            prompts[prompt.task_id] = prompt
    return list(prompts.values()), {reason: count for reason, count in skipped.items() if count}


def digest(prompts: Sequence[SourcePrompt]) -> str:
    """The SHA-256 of prompts in their order: it tells what was asked about where a source is no file."""
    return hashlib.sha256(json.dumps([astuple(prompt) for prompt in prompts]).encode()).hexdigest()


def _prompt(row: Mapping[str, Any]) -> SourcePrompt:
    """A row's prompt; its text is empty where the row has none."""
    text = next((str(row[column]) for column in TEXTS if row.get(column)), "")
    number = row.get("task_id", row.get("id"))
    name = f"prompt-{_hash(text)}" if number is None else str(number)
    try:
        task = read_task({**row, "task_id": name}, 0)
    except BadRow:  # without tests, which this route does not need
        return SourcePrompt(name, text)
    name = name if number is None else task.task_id
    asserts = [test.strip() for test in task.tests if len(test) <= MAX_ASSERT_LENGTH]
    return SourcePrompt(name, text, tuple(asserts[:MAX_ASSERTS]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
