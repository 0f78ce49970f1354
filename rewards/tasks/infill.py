"""Fill in the middle: a program with a part cut out of one of its functions, and the model writes that part.

Asked in the model's own tokens, the whole answer is the middle. Asked in a chat, the middle is what stands in the one
```rust block of the answer, from the first character of its first line: leading white space counts, and the line end
before the closing fence is not a part of it. The program is prefix + middle + suffix to the byte; what an answer
repeats of the suffix stays in it. `rewards.infilling.joining` says what is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rewards.infilling.joining import Gap, joined, refused
from rewards.infilling.similarity import edit_similarity
from rewards.rust.fences import fenced
from rewards.rust.parse import code_blocks
from rewards.tasks.task import Block, Extracted, Row, Task

__all__ = ["SPANS", "TASK"]

SPANS = (  # what a middle may be, as the column `span` names it
    *("expression", "statement", "block", "function", "random"),
    *("single_line", "multi_line", "random_span"),
)
HOLE = "<MIDDLE>"
NO_BLOCK = "no closed ```rust block in the completion"
WORD = re.compile(r"^.*\w.*$", re.MULTILINE)


def _gap(row: Row) -> Gap:
    return Gap(row["prefix"], row["middle"], row["suffix"])


def _in_tokens(row: Row) -> bool:
    """Whether the row is asked in the model's own tokens; without a word on that it is a chat."""
    return row.get("infill") == "tokens"


def _prompt(row: Row) -> str:
    """The user's message: the program with a mark where its middle was."""
    prefix, _, suffix = _gap(row)
    number, hole = 1, HOLE
    while hole in prefix or hole in suffix:
        number, hole = number + 1, f"<MIDDLE_{number + 1}>"
    program = f"{prefix}{hole}{suffix}"
    if _in_tokens(row):
        return program  # for people: the model sees tokens
    return (
        f"A part of this Rust program is missing at {hole}.\n\n{fenced(program)}\n\n"
        "Write the part that belongs there, and nothing of what stands around it, in one ```rust block."
    )


def _answer(row: Row) -> str:
    """The middle that was cut out, as an answer has it."""
    return _gap(row).middle if _in_tokens(row) else fenced(_gap(row).middle)


def _middle(text: str, row: Row, block: Block) -> str | None:
    """The middle in an answer; None without one."""
    if _in_tokens(row):
        return text
    blocks = code_blocks(text)
    return blocks[0 if block == "first" else -1].removesuffix("\n") if blocks else None


def _extract(text: str, row: Row, block: Block) -> Extracted:
    middle = _middle(text, row, block)
    if middle is None:
        return Extracted(None, NO_BLOCK)
    reason = refused(_gap(row), middle)
    return Extracted(None, reason) if reason else Extracted(joined(_gap(row), middle))


def _facts(text: str, row: Row, code: str | None) -> Mapping[str, float | None]:
    """How near the answer's middle is to the one that was cut out; white space around them, and line ends, left out."""
    gap = _gap(row)
    if code is None:
        middle = _middle(text, row, "first")
    else:  # as the block that counts has it
        middle = code[len(gap.prefix) : len(code) - len(gap.suffix)]
    if middle is None:
        return {"exact_match": 0.0, "edit_similarity": 0.0, "repeats_suffix": None}
    given, wanted = (text.replace("\r\n", "\n").strip() for text in (middle, gap.middle))
    return {
        "exact_match": float(given == wanted),
        "edit_similarity": edit_similarity(given, wanted),
        "repeats_suffix": float(_goes_on(gap, middle, is_refused=code is None)),
    }


def _goes_on(gap: Gap, middle: str, *, is_refused: bool) -> bool:
    """Whether a middle goes on into the suffix: it has its first line with a word more often than the original has.

    Of a suffix without a word, brackets alone, that is said of middles that end with it and are refused.
    """
    line = WORD.search(gap.suffix)
    if line is None:
        return is_refused and middle.rstrip().endswith(gap.suffix.strip())
    first = gap.suffix[: line.end()].strip()
    return middle.count(first) > gap.middle.count(first)


def _kind(row: Row) -> str:
    span = row.get("span")
    return span if span in SPANS else ""


TASK = Task(
    name="infill",
    gives=frozenset({"program"}),
    extract=_extract,
    columns={
        "prefix": "the program up to the part that is missing",
        "middle": "that part",
        "suffix": "the rest of the program",
    },
    prompt=_prompt,
    system_prompt="You complete Rust programs.",
    problem=lambda row: _gap(row).problem(),
    facts=_facts,
    kind=_kind,
    answer=_answer,
    infill=lambda row: (row["prefix"], row["suffix"]),
)
