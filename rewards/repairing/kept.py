"""Whether a repaired program still has the functions of its input, or has lost the part that was hard.

A function counts as kept where one of its name has most of the words of its body: names, keywords and literals, each as
often as it was there. Comments, strings' insides and macros that are never expanded are no such words' place: what is
moved there counts as lost. Left out: whether what is left is right.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import Tokens, plain_name

__all__ = ["lost_function"]

WORD = re.compile(r"""\w|["']""")
WHOLE = "the program"  # instead of functions, where the input has none that can be read


def lost_function(before: str, after: str) -> str:
    """The first function of a program that another one lacks, or has with too few of its words; "" for none.

    Of a body of n words, n / 3 may be gone, and one of two.

    >>> lost_function("fn f(v: &[u8]) -> usize { v.len }", "fn f(v: &[u8]) -> usize { todo!() }")
    'f'
    """
    if not (is_readable(before) and is_readable(after)):
        return WHOLE
    wanted = _words(before)
    found = _words(after, whole=WHOLE in wanted)
    for name, words in wanted.items():
        count = sum(words.values())
        lost = sum((words - found.get(name, Counter())).values())
        if name not in found or lost > max(count // 3, int(count > 1)):
            return name
    return ""


def _words(code: str, *, whole: bool = False) -> Mapping[str, Counter[str]]:
    """The words in the bodies of functions, by name; of all of the program where it has none, or `whole` says so."""
    root = syntax(code)
    tokens = Tokens(root)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    stack = [] if whole else [root]
    while stack:
        node = stack.pop()
        body = node.child_by_field_name("body") if node.type == "function_item" else None
        if body is not None:
            name = plain_name(node.child_by_field_name("name"))
            found[name].update(filter(WORD.match, tokens.texts(body)))
        stack.extend(reversed(node.children))
    return found or {WHOLE: Counter(filter(WORD.match, tokens.texts(root)))}
