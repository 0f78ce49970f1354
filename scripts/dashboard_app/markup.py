"""HTML that cannot be injected into: an element escapes each child and each attribute that is not `Markup` itself.

`Markup` comes from `element` and `joined`, which escape, and from `trusted`, which is for what the report has drawn and
escaped. `require_markup` is the gate before the browser: a plain string does not pass it.
"""

from __future__ import annotations

from collections.abc import Iterable

from grpo_rust.report.visible import escape

__all__ = ["Markup", "element", "joined", "require_markup", "trusted"]

_EMPTY = frozenset({"br", "hr"})


class Markup(str):
    """Text that is HTML, with everything in it escaped that had to be."""

    __slots__ = ()


Child = str | None


def joined(children: Iterable[Child]) -> Markup:
    """Children one after the other; a plain string is escaped, None is left out.

    >>> joined(["a < b", element("b", "c"), None])
    'a &lt; b<b>c</b>'
    """
    parts = (child if isinstance(child, Markup) else escape(child) for child in children if child is not None)
    return Markup("".join(parts))


def element(tag: str, *children: Child, kind: str = "", **attributes: str | bool) -> Markup:
    """One element.

    Args:
        tag: A name of this program's own, never text from a file.
        children: Text, which is escaped, or `Markup`.
        kind: Its CSS classes.
        attributes: By name, an underscore for a hyphen; True for one without a value, False for none.

    >>> element("p", "<i>", kind="read", title='"x"')
    '<p class="read" title="&quot;x&quot;">&lt;i&gt;</p>'
    """
    written = {"class": kind, **attributes} if kind else attributes
    head = "".join(
        f" {name.replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for name, value in written.items()
        if value is not False
    )
    if tag in _EMPTY:
        return Markup(f"<{tag}{head}>")
    return Markup(f"<{tag}{head}>{joined(children)}</{tag}>")


def trusted(html: str) -> Markup:
    """HTML that `grpo_rust.report` made, which escapes as this module does."""
    return Markup(html)


def require_markup(html: object) -> str:
    """The HTML as a string, for the browser.

    Raises:
        TypeError: For anything but `Markup`.
    """
    if not isinstance(html, Markup):
        raise TypeError(f"{type(html).__name__} is no Markup: make it with element or joined")
    return str(html)
