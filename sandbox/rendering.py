"""rustc's own rendering of an error, as a terminal shows it, in terms of the program's own text.

Promises that lines are counted as in that text, that nothing of the host and of the day is in it (no folder, no hash,
no colours), and a bounded length. Left out: warnings, which have no rendering, and messages in words of our own. Where
clippy's driver compiles (the backends direct and batch), it writes `std::vec::Vec` where rustc writes `Vec`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["own_rendering", "shortened"]

MAX_READ = 20_000  # characters of one rendering: a line of the program may be of any length
COLOURS = re.compile("\x1b\\[[0-9;]*m")
PLACE = re.compile(r"\bsrc/main\.rs:(\d{1,9}):(\d{1,9})(?:: (\d{1,9}):(\d{1,9}))?")
GUTTER = re.compile(r"^ *(\d{1,9})(?= +[|+~-](?: |$))", re.MULTILINE)
STANDARD = re.compile(r"/rustc/[0-9a-f]{40}/")
SOURCES = "lib/rustlib/src/rust/"  # below a toolchain's folder, where it has the standard library's text
LONG_TYPE = re.compile(r"'[^'\n]{0,500}\.long-type-\d+\.txt'")  # a file that rustc writes


def own_rendering(text: str, *, drop_lines: int, hidden: Sequence[str] = ()) -> str:
    """A rendering in terms of the program's own text.

    Args:
        text: As rustc gives it for src/main.rs.
        drop_lines: How many lines stand before the program in that file.
        hidden: Folders of the host, which are left out of paths.

    >>> print(own_rendering("error: bad\\n --> src/main.rs:10:5\\n   |\\n10 |  x\\n   |  ^ here\\n\\n", drop_lines=1))
    error: bad
     --> src/main.rs:9:5
       |
     9 |  x
       |  ^ here
    """
    text = COLOURS.sub("", text[:MAX_READ])
    for folder in hidden:
        text = text.replace(folder, "")
    text = LONG_TYPE.sub("'a file'", STANDARD.sub("", text)).replace(SOURCES, "")
    text = GUTTER.sub(lambda match: str(int(match[1]) - drop_lines).rjust(len(match[0])), text)
    return PLACE.sub(lambda match: _place(match, drop_lines), text).strip("\n")


def shortened(texts: Iterable[str], limit: int) -> Iterator[str]:
    """Texts until so many characters are used up: from then on they are empty. A first one that is longer is cut.

    >>> list(shortened(["abc\\ndef", "g"], 5)), list(shortened(["ab", "cdef", "g"], 5))
    (['abc\\n...', ''], ['ab', '', ''])
    """
    left = limit
    for text in texts:
        if len(text) > left and left == limit:
            text = text[:left].rpartition("\n")[0] + "\n..."
            left = 0
        elif len(text) > left:
            text, left = "", 0
        else:
            left -= len(text)
        yield text


def _place(match: re.Match[str], drop_lines: int) -> str:
    line, column, end_line, end_column = match.groups()
    end = f": {int(end_line) - drop_lines}:{end_column}" if end_line else ""
    return f"src/main.rs:{int(line) - drop_lines}:{column}{end}"
