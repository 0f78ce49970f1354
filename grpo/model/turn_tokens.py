"""A user's message after a completion as tokens, which go between the sampled ones and are never sampled again.

The words around a message are those that the chat template puts there. A message may hold any text, also what a hostile
program wrote: what would be read as a special token is broken by a space, and what is read as one all the same is
refused. Left out: templates that change earlier turns, since those stay as they were sampled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Any

from grpo.errors import BadInput
from grpo.model.fim import find_fim

__all__ = ["TurnTokens"]

COMPLETION, MESSAGE = "the7assistants7words", "the7users7words"  # stand for what they say; no template has them


class TurnTokens:
    """Encodes what stands between two completions of a conversation."""

    def __init__(self, tokenizer: Any, stop_ids: Set[int]) -> None:
        """
        Args:
            tokenizer: With a chat template.
            stop_ids: Tokens that end a completion.
        Raises:
            BadInput: For a chat template that does not continue a conversation.
        """
        self._tokenizer, self._stop_ids = tokenizer, stop_ids
        self._before, self._after = _around_message(tokenizer)
        structure = _structure(tokenizer, self._before + self._after)
        self._structure_ids = {*stop_ids, *structure}
        longest_first = sorted(structure.values(), key=len, reverse=True)
        self._structure = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._expected = self._structural(self._tokens(MESSAGE))
        self._ends_turn = any(token in stop_ids for token in self._ids(self._before))

    def encode(self, message: str, terminated: bool) -> tuple[int, ...] | None:
        """The tokens between a completion and the next.

        Args:
            message: What the user says of the completion.
            terminated: Whether the completion ended its turn itself; else the tokens begin with that end.
        Returns: Up to and including the header of the assistant's next turn; None where the message cannot be told from
            the words around it.
        """
        ids = self._tokens(self._plain(message))
        if self._structural(ids) != self._expected:
            return None
        if terminated and self._ends_turn:
            end = next(place for place, token in enumerate(ids) if token in self._stop_ids)
            ids = ids[end + 1 :]
        return tuple(ids)

    def _plain(self, message: str) -> str:
        """A message without the text of special tokens, and without what no tokenizer takes."""
        text = message.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair
        return self._structure.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    def _tokens(self, message: str) -> list[int]:
        return self._ids(self._before + message + self._after)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _structural(self, ids: Sequence[int]) -> list[int]:
        """Those of the tokens that mean something to the template."""
        return [token for token in ids if token in self._structure_ids]


def _structure(tokenizer: Any, frame: str) -> dict[int, str]:
    """The tokens that are not read as text, by their ids: special ones, those of the frame of a message, and those for
    filling in the middle."""
    fim = find_fim(tokenizer)
    found = {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content.strip() and (token.special or token.content in frame)
    }
    return found | {tokenizer.convert_tokens_to_ids(spelling): spelling for spelling in (fim.spellings if fim else ())}


def _around_message(tokenizer: Any) -> tuple[str, str]:
    """What the chat template writes between a completion and a user's message, and between that and the next one."""
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": COMPLETION},
        {"role": "user", "content": MESSAGE},
    ]
    try:
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    except Exception as error:  # the template's code is the model's, not ours
        text = str(error)
    _, found, rest = str(text).partition(COMPLETION)
    before, named, after = rest.partition(MESSAGE)
    if not (found and named):
        raise BadInput(
            f"the model's chat template does not go on after the assistant's words ({str(text)[:200]!r}): use "
            "rollout.turns = 1, or another model"
        )
    return before, after
