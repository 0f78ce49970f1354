"""The words of a task, from Python to Rust: small substitutions that never change what is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["rust_words", "task_words"]

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
]  # fmt: skip
ARROW = r"(?:==+>|=+>|==|-+>|➞|➜|→|=|should return|returns?)"
KEPT = "\x00{}\x00"  # stands for an example while words are replaced


def rust_words(text: str, python_name: str, rust_name: str) -> str:
    """A task in the words of Rust.

    >>> rust_words("Write a python function to sort a dictionary by using lambda function.", "f", "f")
    'Write a Rust function to sort a map.'
    >>> rust_words("addUp returns True if x is even", "addUp", "add_up")
    'add_up returns true if x is even.'
    """
    found = text.strip()
    for pattern, words in SUBSTITUTIONS:
        found = re.sub(pattern, words, found, flags=re.IGNORECASE)
    found = re.sub(r"\b(True|False)\b", lambda match: match[0].lower(), found)
    found = re.sub(rf"\b{re.escape(python_name)}\b", rust_name, found)
    found = re.sub(r"(?<=\S) +(?=[.,;])|(?<=\S)  +(?=\S)", lambda match: "" if _before_mark(match) else " ", found)
    found = found.strip()
    return found if "\n" in found or found[-1:] in ".!?:`)\x00" else f"{found}."


def _before_mark(match: re.Match[str]) -> bool:
    return match.string[match.end() : match.end() + 1] in ".,;"


def task_words(text: str, python_name: str, rust_name: str, example: Callable[[str, str], str]) -> str:
    r"""A text with examples in the words of Rust.

    Args:
        text: The task.
        python_name: The function's name in Python.
        rust_name: In Rust.
        example: From a call and its result in Python to the example in Rust; "" where it has none and is to stay.

    >>> print(task_words("Doubles.\n>>> f(1)\n2\nAnd f(2) => 4\nf(2) => 4", "f", "f", "{} gives {}".format))
    Doubles.
    f(1) gives 2
    And f(2) => 4
    f(2) gives 4
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        shown = example(found["call"], found["result"])
        kept.append(shown)
        return f"{found['before']}{KEPT.format(len(kept) - 1)}" if shown else found[0]

    call = rf"(?P<call>{re.escape(python_name)}\(.*\))"
    prompted = rf"(?m)^(?P<before>[ \t]*)>>>[ \t]*{call}[ \t]*\n[ \t]*(?P<result>\S.*)$"
    in_line = (
        rf"(?m)^(?P<before>[ \t]*(?:[-*][ \t]*)?)(?:>>>[ \t]*|for[ \t]+)?{call}\s*#?\s*{ARROW}[ \t]*(?P<result>\S.*)$"
    )
    words = rust_words(re.sub(in_line, keep, re.sub(prompted, keep, text)), python_name, rust_name)
    return re.sub(KEPT.format(r"(\d+)"), lambda found: kept[int(found[1])], words)
