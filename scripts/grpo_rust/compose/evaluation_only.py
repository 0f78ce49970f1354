"""Data whose licence allows evaluation and no training: MultiPL-E, told by its name or by what its rows hold.

A row is MultiPL-E's by one of three signs, at any depth of its columns:

columns   three of those that no other data set has together
tests     a function that begins with `let candidate = name;` and calls `candidate`
a name    such as HumanEval_0_has_close_elements, beside a function in Rust

A prompt alone, under another name, cannot be told from other prompts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grpo.errors import BadInput
from grpo.rollout.records import Example

__all__ = ["check_trainable", "is_evaluation_only_name", "is_evaluation_only_row"]

COLUMNS = {"language", "doctests", "original", "prompt_terminology", "stop_tokens"}
ENOUGH = 3  # of these columns
ALIAS = re.compile(r"fn \w+\(\)\s*\{(?:\s|\\n)*let candidate\s*=\s*\w+\s*;")  # `\n` as such in JSON within a text
NAME = re.compile(r"(?:HumanEval|mbpp)_\d+_\w+")
FUNCTION = re.compile(r"\bfn \w+")


def is_evaluation_only_name(source: str) -> bool:
    """Whether data must not be trained on, by its path or its name on the hub."""
    return "multipl-e" in source.lower()


def is_evaluation_only_row(row: Mapping[str, Any]) -> bool:
    """Whether a row must not be trained on, by what it holds.

    >>> is_evaluation_only_row({"x": {"y": "fn main() { let candidate = add; assert_eq!(candidate(1, 2), 3); }"}})
    True
    """
    columns: set[str] = set()
    texts: list[str] = []
    _collect(row, columns, texts)
    if len(columns & COLUMNS) >= ENOUGH:
        return True
    if any("let candidate" in text and "candidate(" in text and ALIAS.search(text) for text in texts):
        return True
    return any(map(NAME.fullmatch, texts)) and any(map(FUNCTION.search, texts))


def check_trainable(source: str, examples: Sequence[Example]) -> None:
    """Refuse data that must not be trained on.

    Args:
        source: A path, `hf:NAME` or `oxen:REPOSITORY/FILE`.
        examples: What it holds.
    Raises:
        BadInput: With the reason.
    """
    rows = ({**one.columns, "task_id": one.id, "prompt": list(one.messages)} for one in examples)
    if is_evaluation_only_name(source) or any(map(is_evaluation_only_row, rows)):
        raise BadInput(
            f"data.train = {source}: MultiPL-E is for evaluation only, its licence forbids training on it: use "
            "eval_model.py --benchmark"
        )


def _collect(value: Any, columns: set[str], texts: list[str]) -> None:
    """Add the names of all columns that are not empty, and all texts."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, Mapping):
        columns.update(str(name) for name, part in value.items() if part is not None)
        for part in value.values():
            _collect(part, columns, texts)
    elif isinstance(value, list | tuple):
        for part in value:
            _collect(part, columns, texts)
