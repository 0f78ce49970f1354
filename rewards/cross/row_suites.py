"""What a prompt and its row say of a group: names that its codes have, and test suites that judge every one of them.

The column is `suites`: a list, or one as JSON text, of Rust programs with a test module each, whose functions may be
unwritten. Who wrote them is no matter here: the model before it was trained (`make_dataset.py suites`), or a larger
one. They are no gold tests: one alone may be wrong. What they have over the tests of the group is that they do not
learn, so completions cannot come to agree with them on a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rewards.signature.wording import code_words

__all__ = ["SUITES", "PromptFacts", "asked_of", "row_suites"]

SUITES = "suites"


class PromptFacts(NamedTuple):
    """What a prompt and its row say of a group."""

    suites: tuple[str, ...] = ()  # of the row
    names: frozenset[str] = frozenset()  # that the prompt gives: a code has them, or is none of what was asked for


def asked_of(prompt: str | Sequence[Mapping[str, Any]], columns: Mapping[str, Any]) -> PromptFacts:
    """What a prompt, as text or messages, and its row say. Raises: As `row_suites`."""
    return PromptFacts(row_suites(columns), code_words(prompt))


def row_suites(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """The suites of a row; none where the column is missing or null.

    Raises: ValueError for what is no list of texts.

    >>> row_suites({"suites": '["fn f() { todo!() }"]'}), row_suites({})
    (('fn f() { todo!() }',), ())
    """
    given = columns.get(SUITES)
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        found = given
    if found is None:
        return ()
    if not isinstance(found, list | tuple) or not all(isinstance(text, str) for text in found):
        raise ValueError(f"the column {SUITES} is {str(given)[:60]!r}: give a list of Rust programs as text, or null")
    return tuple(found)
