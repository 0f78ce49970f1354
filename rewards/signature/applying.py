"""Whether a row's gold tests apply to a completion that was not shown the signature they call.

A prompt that shows no signature leaves the name and the types of the function to the model, and gold tests written for
others say nothing of such an answer: they are not applicable, and the completion has neither passed nor failed them.
Where the prompt shows the signature, a completion without it fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rewards.gold.rows import GOLD_COLUMNS
from rewards.signature.fitting import mismatch, missing_names
from rewards.signature.interface import Interface, interface_of, outline
from rewards.signature.wording import shows
from rewards.tasks.function import FUNCTION
from rewards.tasks.task import Task

__all__ = ["SIGNATURE_COLUMNS", "called_names", "is_told", "why_inapplicable", "why_unfit"]

SIGNATURE_COLUMNS = ("signature", "types")
CALLED = re.compile(r"(?<![\w.!:])((?:super::|self::)?[a-z_]\w*)\s*\(")  # free functions, not macros or methods
DEFINED = re.compile(r"\bfn\s+(\w+)")
REMEMBERED = 4096  # rows
STANDARD = {"drop", "matches"}


def why_inapplicable(code: str, columns: Mapping[str, Any], prompt: str) -> str | None:
    """Why a row's gold tests do not apply to a program.

    Args:
        code: The completion's program.
        columns: Of the row. `signature` and `types` say what the gold tests call; without them only the names in
            `rust_test_list` do, as in the published data.
        prompt: All that the model was told.
    Returns: "" where they apply; None where the prompt tells what they call, so that the question does not arise.

    >>> row = {"signature": "fn add(a: u8, b: u8) -> u8"}
    >>> why_inapplicable("fn plus(a: u8, b: u8) -> u8 { a + b }", row, "Add two numbers.")
    'it has no add'
    >>> why_inapplicable("fn plus(a: u8, b: u8) -> u8 { a + b }", row, "Write `fn add(a: u8, b: u8) -> u8`.") is None
    True
    """
    signature, types = (str(columns.get(name) or "") for name in SIGNATURE_COLUMNS)
    if signature.strip():
        if shows(prompt, signature):
            return None
        wanted, given = _wanted(signature, types), interface_of(code)
        missing = missing_names(wanted, given)
        return None if any(is_told(name, prompt) for name in missing) else mismatch(wanted, given)
    called = called_names(columns)
    if not called or any(re.search(rf"\b{name}\b", prompt) for name in called):
        return None  # the name may be told, or be a word of English: as long as that is open, tests apply
    given = interface_of(code)
    has_one = given.is_open or not given.names.isdisjoint(called)
    return "" if has_one else f"it has no {called[0]}"


def why_unfit(task: Task, code: str | None, columns: Mapping[str, Any], prompt: str | None) -> str | None:
    """Why a row's gold tests do not apply to an answer, as `why_inapplicable` says.

    Args:
        task: Of the row. All but `function` show the program in the prompt, and with it what gold tests call.
        code: The answer's program; None without one, which has none of the functions.
        columns: Of the row.
        prompt: All that the model was told; None where nobody knows that: then they apply.
    """
    if task is not FUNCTION or prompt is None:
        return None
    return why_inapplicable(code or "", columns, prompt)


@lru_cache(maxsize=REMEMBERED)
def _wanted(signature: str, types: str) -> Interface:
    """The interface of a row."""
    return interface_of(outline(signature, types))


def called_names(columns: Mapping[str, Any]) -> list[str]:
    """The functions that a row's `rust_test_list` calls by name; none where other gold tests come before it."""
    given = columns.get("rust_test_list")
    if not given or any(columns.get(name) for name in GOLD_COLUMNS if name != "rust_test_list"):
        return []
    try:
        tests = json.loads(given) if isinstance(given, str) else given
    except json.JSONDecodeError:
        return []
    text = "\n".join(test for test in tests if isinstance(test, str))
    found = (name.rpartition("::")[2] for name in CALLED.findall(text))
    return sorted(set(found) - set(DEFINED.findall(text)) - STANDARD)


def is_told(name: str, prompt: str) -> bool:
    """Whether a prompt names a function or a type: as code, before a parenthesis, or by a name that is no English word.

    >>> is_told("add", "Write `add`."), is_told("add", "Write a function to add."), is_told("add_all", "Write add_all.")
    (True, False, True)
    """
    last = re.escape(name.rpartition("::")[2])
    pattern = rf"`(?:[^`]*\W)?{last}\b[^`]*`|\b{last}\(" + (rf"|\b{last}\b" if "_" in name else "")
    return re.search(pattern, prompt) is not None
