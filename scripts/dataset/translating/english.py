"""The words of a task, from Python to Rust: small substitutions that never change what is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

__all__ = ["Words", "rust_words", "task_words"]

_ONLY_PYTHON = (
    r"heap queue algorithm|lambda and map|map and lambda|itertools?|functools|heapq|ord\(\)|lambda|defaultdict|"
    r"(?:list|dictionary) comprehensions?|numpy|nltk"
)
_BY = r",? ?\b(?:by )?(?:using|with|with the help of|through) (?:the )?(?:python )?"
_END = r"(?=[.,;]|$| (?:and|to|in|from|for) )"
SUBSTITUTIONS = [
    (r"^#+ +|> indented block|\* list item|(?:\[link text\]\(https?:// ?)+\)*", ""),
    (r"^in python(?: ?3)?,? ", ""),
    (r",? \bin python(?: ?3)?(?: code| language)?(?=[.,;:!?]|$| )", ""),
    (r"\bwrite an? (?:python |python3 )?(?:function|program|script|code)\b", "Write a Rust function"),
    (r"\bpython function\b", "Rust function"),
    (r"\bpython (?=list|dictionar|tuple|string|set)", ""),
    (rf"{_BY}(?:{_ONLY_PYTHON})(?: module| functions?| library)?{_END}", ""),
    (rf"{_BY}(?:collections|operator|regex|regular expressions?|re|filter|map|counter|enumerate|zip|slicing)"
     rf" (?:module|functions?|library){_END}", ""),
    (rf",? ?\b(?:by )?using (?:the )?(?:python )?(?:regex|regular expressions?|collections|slicing|enumerate){_END}",
     ""),
]  # fmt: skip
OF_MAPS = [(r"\bdictionaries\b", "maps"), (r"\bdictionary\b(?! order)", "map"), (r"\bdicts?\b", "map")]
QUOTED = (  # texts and code, which stay as they are
    r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)‘[^’\n]*’(?!\w)|(?<!\w)'[^'\n]*'(?!\w)"
)
WRITTEN_AS_CODE = r"_|\d|[a-z][A-Z]"  # in a name: it is no word of English
ASIDE = "\x01{}\x01"  # stands for a quoted text while words are replaced
ARROW = r"(?:==+>|=+>|==|-+>|➞|➜|→|=|should return|returns?)"
KEPT = "\x00{}\x00"  # stands for an example while words are replaced


@dataclass(frozen=True)
class Words:
    """What of a task its words must fit."""

    python_name: str  # of the function
    rust_name: str
    has_map: bool = True  # whether the signature has a map: only then a dictionary is one
    values: frozenset[str] = frozenset()  # the texts in its cases: words that mean one of them stay


def rust_words(text: str, words: Words) -> str:
    """A task in the words of Rust. Quoted texts stay, and code but for the function's name.

    >>> rust_words("Write a python function to sort a dictionary by using lambda function.", Words("f", "f"))
    'Write a Rust function to sort a map.'
    >>> rust_words("addUp returns True if 'True' is even", Words("addUp", "add_up"))
    "add_up returns true if 'True' is even."
    """
    aside: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        aside.append(_renamed_in_code(match[0], words))
        return ASIDE.format(len(aside) - 1)

    found = re.sub(QUOTED, put_aside, text.strip(), flags=re.DOTALL)
    for pattern, replacement in [*SUBSTITUTIONS, *(OF_MAPS if words.has_map else ())]:
        found = re.sub(pattern, partial(_replaced, words, replacement), found, flags=re.IGNORECASE)
    found = re.sub(r"\b(True|False)\b", lambda match: _replaced(words, match[0].lower(), match), found)
    called = "" if re.search(WRITTEN_AS_CODE, words.python_name) else r"(?=\()"
    found = re.sub(rf"\b{re.escape(words.python_name)}\b{called}", words.rust_name, found)
    found = re.sub(r"(?<=\S) +(?=[.,;])|(?<=\S)  +(?=\S)", lambda match: "" if _before_mark(match) else " ", found)
    found = re.sub(ASIDE.format(r"(\d+)"), lambda match: aside[int(match[1])], found.strip())
    return found if "\n" in found or found[-1:] in ".!?:`)\x00" else f"{found}."


def _replaced(words: Words, replacement: str, match: re.Match[str]) -> str:
    return match[0] if match[0].strip() in words.values else replacement


def _renamed_in_code(quoted: str, words: Words) -> str:
    """Code in backticks with the function's name in Rust: where it is called, or all of it."""
    if not quoted.startswith("`"):
        return quoted
    name = re.escape(words.python_name)
    return re.sub(rf"(?<![\w.]){name}(?=\()|(?<=`){name}(?=`)", words.rust_name, quoted)


def _before_mark(match: re.Match[str]) -> bool:
    return match.string[match.end() : match.end() + 1] in ".,;"


def task_words(text: str, words: Words, example: Callable[[str, str], str]) -> str:
    r"""A text with examples in the words of Rust.

    Args:
        text: The task.
        words: What they must fit.
        example: From a call and its result in Python to the example in Rust; "" where it has none and is to stay.

    >>> print(task_words("Doubles.\n>>> f(1)\n2\nAnd f(2) => 4\nf(2) => 4", Words("f", "f"), "{} gives {}".format))
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

    call = rf"(?P<call>{re.escape(words.python_name)}\(.*\))"
    prompted = rf"(?m)^(?P<before>[ \t]*)>>>[ \t]*{call}[ \t]*\n[ \t]*(?P<result>\S.*)$"
    in_line = (
        rf"(?m)^(?P<before>[ \t]*(?:[-*][ \t]*)?)(?:>>>[ \t]*|for[ \t]+)?{call}\s*#?\s*{ARROW}[ \t]*(?P<result>\S.*)$"
    )
    replaced = rust_words(re.sub(in_line, keep, re.sub(prompted, keep, text)), words)
    return re.sub(KEPT.format(r"(\d+)"), lambda found: kept[int(found[1])], replaced)
