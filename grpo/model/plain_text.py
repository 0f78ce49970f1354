"""Text as tokens that say only what it says: where a text spells a control token, it is encoded as ordinary text.

A tokenizer finds its added tokens anywhere in a text, so a program that contains `<|im_end|>` would end the user's turn
of its own prompt. `split_special_tokens` of transformers does not prevent that for tokens that are added but not marked
special, as Qwen's for filling in the middle are. So texts are cut within each such spelling and encoded piece by piece.
Left out: added tokens that are neither special nor named by the caller, as `<think>`, which texts may want to use.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from grpo.errors import BadInput

__all__ = ["PlainText", "special_spellings"]

FIRST_MARK, LAST_MARK = 0xE000, 0xF8FF  # characters for private use


def special_spellings(tokenizer: Any) -> frozenset[str]:
    """How the tokens are spelled that a tokenizer marks as special."""
    return frozenset(str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)


class PlainText:
    """Encodes texts with a tokenizer so that none of their tokens is a control token."""

    def __init__(self, tokenizer: Any, spellings: Collection[str]) -> None:
        """
        Args:
            tokenizer: Of transformers.
            spellings: Of the control tokens, all in its vocabulary.
        """
        self._tokenizer = tokenizer
        cut = sorted((spelling for spelling in spellings if len(spelling) > 1), key=lambda one: (-len(one), one))
        self._control = frozenset(tokenizer.convert_tokens_to_ids(cut))
        # zero wide, so that spellings which overlap are all found
        self._starts = re.compile(f"(?={'|'.join(map(re.escape, cut))})") if cut else None

    def pieces(self, text: str) -> list[str]:
        """A text in pieces, none of which spells a control token; in one piece where the text does not."""
        cuts = [found.start() + 1 for found in self._starts.finditer(text)] if self._starts else []
        return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    def encode(self, text: str) -> tuple[int, ...]:
        """A text as tokens, nothing added. Raises: BadInput for a tokenizer that reads control tokens into a text."""
        return tuple(self._encoded(self.pieces(text)))

    def encode_parts(self, text: str, mark: str) -> tuple[int, ...]:
        """A text with control tokens that count, cut at the marks that `mark_in` put into the parts that do not."""
        return tuple(token for part in text.split(mark) if part for token in self._ids(part))

    def mark(self, *texts: str) -> str:
        """A character that is in none of the texts. Raises: BadInput where they have all that stand for nothing."""
        taken = set().union(*texts)
        for sign in map(chr, range(FIRST_MARK, LAST_MARK)):
            if sign not in taken:
                return sign
        raise BadInput("a prompt holds every character for private use, so that none can mark its parts: leave it out")

    def _encoded(self, pieces: Collection[str]) -> Iterator[int]:
        for piece in filter(None, pieces):
            ids = self._ids(piece)
            if not self._control.isdisjoint(ids):
                raise BadInput(
                    f"the tokenizer finds a control token in {piece[:60]!r}, which spells none: leave the text out, or "
                    "use another model"
                )
            yield from ids

    def _ids(self, piece: str) -> list[int]:
        found: list[int] = self._tokenizer(piece, add_special_tokens=False)["input_ids"]
        return found
