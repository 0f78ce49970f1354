"""Code blocks of Markdown, for prompts and right answers: no line of their text can close them."""

from __future__ import annotations

import re

__all__ = ["fenced"]

TICKS = re.compile("`+")


def fenced(text: str, language: str = "rust") -> str:
    """A text as a code block, with more backticks than stand anywhere in it together.

    >>> print(fenced("/// ```\\nfn f() {}"))
    ````rust
    /// ```
    fn f() {}
    ````
    """
    longest = max((len(ticks) for ticks in TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
