"""What an API answers, read: anything that is no answer is an error of one kind, whatever is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grpo_rust.rows.well_formed import well_formed

__all__ = ["Answer", "UnreadableReply", "read_reply"]

DEEPEST = 50  # an answer has five levels; deeper ones cannot be written again within Python's limit on recursion
MOST_TOKENS = 10**9  # of one answer
QUOTED = 300  # characters


class UnreadableReply(ValueError):
    """A reply is no answer; the text says why and quotes it."""


@dataclass(frozen=True)
class Answer:
    """What the API answered to one prompt."""

    text: str
    finish_reason: str  # "stop", "length", or another word of the API's
    prompt_tokens: int
    completion_tokens: int
    raw: Mapping[str, Any] = field(default_factory=dict)  # the whole answer


def read_reply(content: bytes) -> Answer:
    """An answer from the content of a reply. Lone surrogates in it become U+FFFD.

    Raises: UnreadableReply.

    >>> read_reply(b'{"choices": [{"message": {"content": "a\\\\ud83d"}}]}').text == "a\\ufffd"
    True
    """
    try:
        raw = json.loads(content)
        _check_depth(raw, DEEPEST)
        raw = well_formed(raw)
        choice = raw["choices"][0]
        text, usage = choice["message"].get("content") or "", raw.get("usage") or {}
        if not isinstance(text, str):
            raise TypeError("the content is no text")
        into, out = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        quoted = ascii(content[:QUOTED])
        raise UnreadableReply(f"an answer that cannot be read ({error!r}): {quoted}") from None
    return Answer(text, str(choice.get("finish_reason") or ""), into, out, raw)


def _count(given: Any) -> int:
    """A number of tokens; 0 where the API does not say. Raises: ValueError, TypeError.

    >>> _count(20.0), _count(None)
    (20, 0)
    """
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError("a number of tokens is no number")
    if not (0 <= given <= MOST_TOKENS and given == int(given)):  # infinity and NaN end at the first part
        raise ValueError(f"{given} is no number of tokens")
    return int(given)


def _check_depth(value: Any, left: int) -> None:
    """Raises: ValueError, for a value that is nested more deeply."""
    if isinstance(value, dict | list):
        if not left:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        for part in value.values() if isinstance(value, dict) else value:
            _check_depth(part, left - 1)
