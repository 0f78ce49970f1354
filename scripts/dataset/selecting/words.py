"""Texts as words without what all tasks share, and as overlapping runs of words that are numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["RUN", "Vocabulary", "text_words"]

WORD = re.compile(r"[^\W_]+")  # a name such as word_count is two words
REQUEST = re.compile(
    r"\b(?:please )?(?:write|create|implement|develop|define|design) (?:me )?(?:an?|the) (?:\w+ )??(?:\w+ )??"
    r"(?:function|program|method|script)\b(?: (?:named|called) \S+)?(?: (?:to|that|which|for)\b)?"
)
LANGUAGES = frozenset({"python", "python3", "rust"})
RUN = 3  # words in a run
BITS = 21  # of a word's number: two million words, and a run of three in one small number


def text_words(text: str) -> list[str]:
    """The words of a text in lower case, without the request and the language that most tasks have.

    >>> text_words("Write a Python function to count `word_pairs`, with case!")
    ['count', 'word', 'pairs', 'with', 'case']
    """
    return [word for word in WORD.findall(REQUEST.sub(" ", text.lower())) if word not in LANGUAGES]


class Vocabulary:
    """Numbers words as they come, so that a run of words is one number. Equal runs, and no others, are equal numbers.

    >>> runs = Vocabulary()
    >>> len(runs.runs("a b c d".split(), 3) & runs.runs("x b c d".split(), 3))
    1
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def runs(self, words: Sequence[str], size: int) -> set[int]:
        """Every run of `size` words; of a shorter text the whole, and nothing of an empty one."""
        numbers = [self._numbers.setdefault(word, len(self._numbers) + 1) for word in words]
        size = min(size, len(numbers))
        found = set()
        for start in range(len(numbers) - size + 1 if size else 0):
            run = 0
            for number in numbers[start : start + size]:
                run = run << BITS | number
            found.add(run)
        return found
