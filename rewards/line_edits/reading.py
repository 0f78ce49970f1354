"""From an answer to its edit: one ```rust block whose first line says which lines the others replace."""

from __future__ import annotations

import re
from typing import NamedTuple

from rewards.line_edits.edit import LineEdit
from rewards.rust.parse import code_blocks
from rewards.tasks.function import NO_CODE
from rewards.tasks.task import Block

__all__ = ["FoundEdit", "edit_answer", "read_edit"]

FIRST_LINE = re.compile(r"// lines? ([0-9]{1,7})(?:-([0-9]{1,7}))?[ \t]*")


class FoundEdit(NamedTuple):
    """The edit in an answer."""

    edit: LineEdit | None  # None: there is none
    reason: str = ""  # why there is none, for a person


def read_edit(answer: str, block: Block) -> FoundEdit:
    r"""The edit in an answer. Takes any text, in linear time.

    Args:
        answer: The model's text.
        block: Which of its code blocks counts.

    >>> read_edit("```rust\n// lines 2-3\nlet a = 1;\n```", "first").edit
    LineEdit(first=2, last=3, text='let a = 1;\n')
    >>> read_edit("```rust\nlet a = 1;\n```", "first").reason
    'the block does not begin with a line such as `// lines 4-5`'
    """
    blocks = code_blocks(answer)
    if not blocks:
        return FoundEdit(None, NO_CODE)
    head, _, text = (blocks[0] if block == "first" else blocks[-1]).partition("\n")
    if (place := FIRST_LINE.fullmatch(head)) is None:
        return FoundEdit(None, "the block does not begin with a line such as `// lines 4-5`")
    return FoundEdit(LineEdit(int(place[1]), int(place[2] or place[1]), text))


def edit_answer(edit: LineEdit) -> str:
    r"""The answer that gives an edit: what `read_edit` reads it from.

    >>> read_edit(edit_answer(LineEdit(2, 2, "")), "last").edit
    LineEdit(first=2, last=2, text='')
    """
    fence = "```"
    while any(line.lstrip().startswith(fence) for line in edit.text.split("\n")):
        fence += "`"
    return f"{fence}rust\n// lines {edit.first}-{edit.last}\n{edit.text}{fence}"
