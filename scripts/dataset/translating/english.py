"""The words of a task, from Python to Rust: small substitutions that never change what is asked for."""

from __future__ import annotations

import doctest
import re

__all__ = ["examples_of", "rust_words"]

SUBSTITUTIONS = [
    (r"^#+ +|> indented block|\* list item|(?:\[link text\]\(https?:// ?)+\)*", ""),
    (r"\bin python\b ?", ""),
    (r"\bwrite an? (?:python |python3 )?(?:function|program|script|code)\b", "Write a Rust function"),
    (r"\bpython function\b", "Rust function"),
    (r"\bpython (?=list|dictionar|tuple|string|set)", ""),
    (r",? ?\b(?:by )?(?:using|with|with the help of|through) (?:the )?(?:python )?"
     r"(?:heap queue algorithm|lambda and map|map and lambda|itertools?|functools|collections|heapq|operator|regex|"
     r"regular expressions?|re|ord\(\)|lambda|(?:list|dictionary) comprehensions?|filter|map|counter|defaultdict|"
     r"enumerate|zip|numpy|nltk|slicing)(?: module| functions?| library)?(?=[.,;]|$| (?:and|to|in|from|for) )", ""),
    (r"\btuple lists?\b", "lists"),
    (r"\bdictionaries\b", "maps"),
    (r"\bdictionary\b", "map"),
    (r"\bdicts?\b", "map"),
    (r"\bTrue\b", "true"),
    (r"\bFalse\b", "false"),
]  # fmt: skip
HEADING = re.compile(r"(?:^|\n)[ \t]*(?:for )?examples?:?\s*\Z", re.IGNORECASE)  # of the examples below it
PARSER = doctest.DocTestParser()


def rust_words(text: str, python_name: str, rust_name: str) -> str:
    """A task in the words of Rust.

    >>> rust_words("Write a python function to sort a dictionary by using lambda function.", "f", "f")
    'Write a Rust function to sort a map.'
    >>> rust_words("addUp returns True if x is even", "addUp", "add_up")
    'add_up returns true if x is even.'
    """
    found = text.strip()
    for pattern, words in SUBSTITUTIONS:
        flags = 0 if pattern[2:6] in ("True", "Fals") else re.IGNORECASE
        found = re.sub(pattern, words, found, flags=flags)
    found = re.sub(rf"\b{re.escape(python_name)}\b", rust_name, found)
    found = re.sub(r"(?<=\S) +(?=[.,;])|(?<=\S)  +(?=\S)", lambda match: "" if _before_mark(match) else " ", found)
    found = found.strip()
    return found if "\n" in found or found[-1:] in ".!?:`)" else f"{found}."


def _before_mark(match: re.Match[str]) -> bool:
    return match.string[match.end() : match.end() + 1] in ".,;"


def examples_of(text: str) -> tuple[str, list[tuple[str, str]]]:
    r"""Cut the examples of the form `>>> f(1)` out of a text.

    Returns: what remains, and the examples as calls with results, both in Python.

    >>> examples_of("Doubles.\nExample:\n>>> f(1)\n2\n\nOf any number.")
    ('Doubles.\n\nOf any number.', [('f(1)', '2')])
    """
    try:
        parts = PARSER.parse(text)
    except ValueError:
        return text, []
    examples = [part for part in parts if isinstance(part, doctest.Example)]
    following = [*parts[1:], ""]
    prose = "".join(
        HEADING.sub("\n", part) if isinstance(after, doctest.Example) else part
        for part, after in zip(parts, following, strict=True)
        if isinstance(part, str)
    )
    prose = re.sub(r"\n{3,}", "\n\n", prose).strip()
    return prose, [(one.source.strip(), one.want.strip()) for one in examples]
