"""Whether an edit is one that may be taken, and the program that it is judged by.

The program is the file with the edit, and with those of the change's remaining edits that it does not touch. What it
touches is left to it; where it touches none, the next edit is. So an edit that does nothing of the change leaves a part
of it undone, and data has only rows whose gold tests fail wherever any part of the change is left undone
(`dataset.next_edits.proving`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rewards.edits.distance import progress
from rewards.line_edits.edit import LineEdit, lines_of, with_edits
from rewards.rust.grammar import MAX_PARSED, syntax
from rewards.rust.kept import lost_function
from rewards.rust.parse import has_code, parse
from rewards.rust.tokens import leaves, node_text

__all__ = ["MAX_CHARACTERS", "MAX_LINES", "finished", "refusal", "taken_away", "way_made"]

MAX_LINES = 12  # of a file that an edit replaces, and that it puts there
MOST_TAKEN = 10  # one part in so many of a function's words may be gone
MAX_CHARACTERS = 4_000  # of an edit's text: reading what is no Rust takes longer than its length says
WORD = re.compile(r"\w+")
KEYWORDS = frozenset(
    "as break continue else false for if in let match move mut ref return true where while".split()
)  # of expressions: none begins an item. Without `unsafe`, `_` for whatever is left, and `loop`, which fits any type


def refusal(file: str, edit: LineEdit, remaining: Sequence[LineEdit]) -> str:
    r"""Why an edit is not taken; "" where it is. Linear in the edit and, for one file, bounded.

    An edit goes on with a change that has begun: it has no names of its own. A name that a rename has left can
    therefore not live on (`let old = new;`), nor can a macro, a module or a type come in.

    Args:
        file: Its text.
        edit: Any.
        remaining: Edits of the change that are still to be made.

    >>> change = [LineEdit(2, 2, "    x + x\n")]
    >>> refusal("fn f(x: u8) -> u8 {\n    a + a\n}\n", LineEdit(2, 2, "let a = x; a + a\n"), change)
    'it has the name a, which the finished program does not'
    >>> refusal("fn f(x: u8) -> u8 {\n    a + a\n}\n", LineEdit(2, 2, "  a  + a // done\n"), change)
    'it changes nothing but space and comments'
    """
    num_lines, replaced, given = len(lines_of(file)), edit.last - edit.first + 1, len(lines_of(edit.text))
    if not 1 <= edit.first <= edit.last <= num_lines:
        return f"lines {edit.first}-{edit.last} are none of a file of {num_lines} lines"
    if max(replaced, given) > MAX_LINES:
        return f"it replaces {replaced} lines by {given}: an edit has at most {MAX_LINES}"
    if len(edit.text) > MAX_CHARACTERS or len(file) > MAX_PARSED - MAX_CHARACTERS:
        return f"it has more than {MAX_CHARACTERS} characters, or its file is too long to be read"
    if _tokens(with_edits(file, [edit])) == _tokens(file):
        return "it changes nothing but space and comments"
    known = KEYWORDS.union(WORD.findall(with_edits(file, remaining)))
    for word in WORD.findall(edit.text):
        if word not in known and not word.isdecimal():
            return f"it has the name {word[:40]}, which the finished program does not"
    return "" if has_code(finished(file, edit, remaining)) else "it leaves no code"


def taken_away(file: str, edit: LineEdit, remaining: Sequence[LineEdit], *, announced: str = "") -> str:
    r"""What the program that an edit is judged by lacks of the right one, by name; "" for nothing.

    A function is lacking without nine tenths of its words. Of the words that the change brings in, each must be there
    as often as in the right program. What has undone a change, or taken the rest of it away, builds too.

    Args:
        file: Its text.
        edit: One that `refusal` has nothing against.
        remaining: Edits of the change that are still to be made.
        announced: What those that were made before have put into the file.

    >>> taken_away("fn f() {}\nfn g() {}\n", LineEdit(2, 2, ""), [LineEdit(1, 1, "fn f() { g() }\n")])
    'f'
    >>> taken_away("fn f(new: u8) {\n    g(old)\n}\n", LineEdit(2, 2, "    g(0)\n"), [LineEdit(2, 2, "    g(new)\n")])
    'new'
    """
    right, program = with_edits(file, remaining), finished(file, edit, remaining)
    lost = lost_function(right, program, parts=MOST_TAKEN)
    if lost := lost or min(parse(right).types - parse(program).types, default=""):
        return lost
    now, then, found = (Counter(filter(WORD.match, _tokens(text))) for text in (file, right, program))
    brought = {*(then - now), *WORD.findall(announced)}
    return min((word for word in brought if found[word] < then[word]), default="")


def way_made(file: str, edit: LineEdit, remaining: Sequence[LineEdit]) -> float | None:
    r"""The share of what is left to the right program that an edit does, by tokens; None where that is too much.

    0 for one that does nothing of the change, and for one that breaks as much as it does (`rewards.edits.distance`).

    Args:
        file: Its text.
        edit: One that `refusal` has nothing against.
        remaining: Edits of the change that are still to be made.

    >>> way_made("f(a, a)\n", LineEdit(1, 1, "f(b, a)\n"), [LineEdit(1, 1, "f(b, b)\n")])
    0.5
    """
    before = with_edits(file, _others(edit, remaining))
    texts = (before, finished(file, edit, remaining), with_edits(file, remaining))
    return progress(*(_tokens(text) for text in texts))


def finished(file: str, edit: LineEdit, remaining: Sequence[LineEdit]) -> str:
    r"""The program that an edit is judged by.

    Args:
        file: Its text.
        edit: One that `refusal` has nothing against.
        remaining: Edits of the change that are still to be made, the next one first; no two of them touch.

    >>> finished("a\nb\nc\n", LineEdit(2, 2, "B\n"), [LineEdit(1, 1, "A\n"), LineEdit(2, 2, "?\n")])
    'A\nB\nc\n'
    >>> finished("a\nb\nc\n", LineEdit(3, 3, "C\n"), [LineEdit(1, 1, "A\n"), LineEdit(2, 2, "B\n")])
    'a\nB\nC\n'
    """
    return with_edits(file, [edit, *_others(edit, remaining)])


def _others(edit: LineEdit, remaining: Sequence[LineEdit]) -> list[LineEdit]:
    """The remaining edits that are made beside an edit: those that it does not touch, or all but the next one."""
    left = [one for one in remaining if not one.touches(edit)]
    return left if len(left) < len(remaining) else left[1:]


def _tokens(source: str) -> list[str]:
    """A program without space and comments."""
    return [node_text(leaf) for leaf in leaves(syntax(source))]
