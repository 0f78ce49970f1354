"""Untrusted text made safe to show: no markup, and no character that hides or reorders others.

Everything that a model, a program or a data set wrote passes through `escape` before it enters the page. Letters that
look alike are not told apart: a printable character is shown as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["escape", "shortened", "visible"]

# Categories that a reader cannot see: control, format, surrogate, private, unassigned, and separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
_KEPT = "\n\t "
# Letters and fillers that Unicode calls printable and fonts draw as empty space.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_SUSPECT = re.compile(r"[^\n\t -~]")


def _symbol(character: str) -> str:
    """One character, or the printable sign that replaces it."""
    if character in _KEPT:
        return character
    code = ord(character)
    if unicodedata.category(character) not in _UNSEEN and character not in _BLANK:
        return character
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ESC is one sign that reads ESC
    if code == 0x7F:
        return "\u2421"
    return f"⟨U+{code:04X}⟩"


def visible(text: str) -> str:
    """The text with every character that hides or reorders replaced by a printable sign.

    Newline, tab and space stay. C0 controls become control pictures; bidirectional overrides, zero-width characters,
    odd spaces, lone surrogates and unassigned code points become their number.

    Args:
        text: Any string, lone surrogates included.

    Returns: a string that encodes to UTF-8 and reads left to right as it is stored.

    >>> visible("a\\x1b[31mred" + chr(0x202E) + "b")
    'a␛[31mred⟨U+202E⟩b'
    """
    return _SUSPECT.sub(lambda match: _symbol(match.group()), text)


def escape(text: str) -> str:
    """The text after `visible`, safe inside an HTML element or a quoted attribute.

    >>> escape("</script><b>")
    '&lt;/script&gt;&lt;b&gt;'
    """
    return html.escape(visible(text), quote=True)


def shortened(text: str, limit: int) -> tuple[str, int]:
    """The text within `limit` characters, and how many were cut from its middle.

    A long text keeps three quarters of the limit from its start and a quarter from its end, because a program's tests
    and a log's verdict come last.

    Args:
        text: Any string.
        limit: Characters to keep, at least 4.

    Returns: the text, with a line that counts what is missing where it was cut, and the number of characters cut.

    >>> shortened("abcdefghij", 8)
    ('abcdef\\n… 2 characters left out …\\nij', 2)
    """
    missing = len(text) - limit
    if missing <= 0:
        return text, 0
    tail = limit // 4
    head = limit - tail
    return f"{text[:head]}\n… {missing:,} characters left out …\n{text[len(text) - tail:]}", missing
