"""Whether a changed program still has the functions of its input, or has lost the part that was hard.

A function counts as kept where one of its name has most of the words of its body: names, keywords and literals, each as
often as it was there. Only code that is compiled counts: no comments, no strings' insides, nothing that a macro may
drop (`stringify!`, any macro of the program's own), no function within the function. Left out: whether what is left is
right, and whether it is ever run (`if false { ... }`): the compiler finds the same errors there, but for those of
borrows behind `todo!();`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from tree_sitter import Node

from rewards.rust.grammar import is_readable, syntax
from rewards.rust.tokens import COMMENTS, LITERALS, leaves, node_text, plain_name

__all__ = ["MOST_LOST", "lost_function"]

WORD = re.compile(r"""\w|["']""")
WHOLE = "the program"  # instead of functions, where the input has none that can be read
COMPILED = frozenset("""
    assert assert_eq assert_ne dbg debug_assert debug_assert_eq debug_assert_ne eprint eprintln format matches panic
    print println todo unimplemented unreachable vec write writeln
    """.split())  # the standard library's macros that compile what they are given
CALLS = ("macro_invocation", "token_tree")
MOST_LOST = 3  # one part in so many of a function's words may be gone


def lost_function(before: str, after: str, right: str = "", *, parts: int | None = MOST_LOST) -> str:
    """The first function of a program that another one lacks, or has with too few of its words; "" for none.

    Of a body of n words, n / parts may be gone, and one of two.

    Args:
        before: The program.
        after: The other one.
        right: Where it is known what `before` should become, what that has not is not looked for.
        parts: See above; None: no word may be gone.

    >>> lost_function("fn f(v: &[u8]) -> usize { v.len }", "fn f(v: &[u8]) -> usize { todo!() }")
    'f'
    >>> lost_function("fn f(v: &[u8]) -> usize { v.len }", "fn f(v: &[u8]) -> usize { stringify!(v.len); 0 }")
    'f'
    """
    if not (is_readable(before) and is_readable(after)):
        return WHOLE
    wanted = _words(before)
    found = _words(after, whole=WHOLE in wanted)
    kept = _words(right, whole=WHOLE in wanted) if right and is_readable(right) else None
    for name, all_words in wanted.items():
        if kept is not None and name not in kept:
            continue
        words = all_words if kept is None else all_words & kept[name]
        count = sum(words.values())
        lost = sum((words - found.get(name, Counter())).values())
        if name not in found or lost > (max(count // parts, int(count > 1)) if parts else 0):
            return name
    return ""


def _words(code: str, *, whole: bool = False) -> Mapping[str, Counter[str]]:
    """The words in the bodies of functions, by name; of all of the program where it has none, or `whole` says so."""
    root = syntax(code)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    everything: Counter[str] = Counter()
    for name, leaf in _compiled(root):
        if name:
            found[name]  # one with an empty body, too
        if leaf is not None and WORD.match(text := node_text(leaf)):
            everything[text] += 1
            if name:
                found[name][text] += 1
    return {WHOLE: everything} if whole or not found else found


class _Place(NamedTuple):
    """A node, and the function in whose body it stands; "" for none."""

    node: Node
    function: str


def _compiled(root: Node) -> Iterator[tuple[str, Node | None]]:
    """The tokens that are compiled, each behind the innermost function that it is of; no token begins a function."""
    own = _own_names(root)
    stack = [_Place(root, "")]
    while stack:
        node, function = stack.pop()
        if node.type in COMMENTS or node.type == "macro_definition":
            continue
        if node.child_count == 0 or node.type in LITERALS:
            yield function, node
            continue
        body = node.child_by_field_name("body") if node.type == "function_item" else None
        if body is not None:
            yield (inner := plain_name(node.child_by_field_name("name"))), None
            stack.append(_Place(body, inner))
        read = _without_dropped(node.children, own) if node.type in CALLS else [c for c in node.children if c != body]
        stack += [_Place(child, function) for child in reversed(read)]


def _without_dropped(children: Sequence[Node], own: Set[str]) -> list[Node]:
    """The parts of a macro's call, or of what it is given, without what the macros called there may drop.

    What a macro is given is no syntax yet: a call there is a name, `!` and a group.
    """
    read: list[Node] = []
    for place, child in enumerate(children):
        called = child.type == "token_tree" and place >= 2 and children[place - 1].type == "!"
        name = plain_name(children[place - 2]) if called else ""
        if not called or (name in COMPILED and name not in own):
            read.append(child)
    return read


def _own_names(root: Node) -> frozenset[str]:
    """The names that a program may give to macros: those that it defines, and all words of its imports."""
    found: set[str] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "macro_definition":
            found.add(plain_name(node.child_by_field_name("name")))
        elif node.type in ("use_declaration", "extern_crate_declaration"):
            found.update(node_text(leaf).removeprefix("r#") for leaf in leaves(node))
        else:
            stack.extend(node.children)
    return frozenset(found)
