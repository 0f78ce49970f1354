"""Finds implementations that other modules of the same crate could use by inference, without naming a type of theirs.

After `impl Extend<Own> for i32`, the line `n.extend([])` compiles in every module of the crate, since the compiler then
infers `Own`. It never infers the type that a trait is implemented for. So an implementation is confined to its program
if it is for a type of the program, or of a trait of the program: no other module can name those. An implementation for
a reference to an own type is not (`&Default::default() * true`), unless std has many for references, among which no
inference chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.grading.lexer import Token

__all__ = ["are_confined"]

ITEM_BEGINS_AFTER = frozenset(("", "{", "}", ";", "]"))  # elsewhere `impl` is part of a type
LONGEST_HEAD = 500  # words
UNCLEAR = ("?",)
MANY_FOR_REFERENCES = frozenset(("IntoIterator",))


def are_confined(body: Sequence[Token]) -> bool:
    """Whether no other module of the crate can use any implementation in a program.

    Args:
        body: Its tokens, whose brackets match.

    >>> from sandbox.grading.lexer import tokens
    >>> are_confined(list(tokens("struct Own; impl From<Own> for Own { }")))
    True
    >>> are_confined(list(tokens("struct Own; impl From<Own> for String { }")))
    False
    """
    types, traits = _declared(body, ("struct", "enum")), _declared(body, ("trait",))
    texts = [token.text for token in body]
    depth = 0
    for place, (before, text) in enumerate(zip(["", *texts], texts, strict=False)):
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if text == "impl" and before in ITEM_BEGINS_AFTER:
            trait, target = _head(texts[place + 1 : place + LONGEST_HEAD])
            if trait and not (depth == 0 and (_is_own_trait(trait, traits) or _is_own_type(trait, target, types))):
                return False
    return True


def _declared(body: Sequence[Token], kinds: Sequence[str]) -> set[str]:
    """The names of the program's items of some kinds, except those inside of other items."""
    names: set[str] = set()
    depth = 0
    for before, token in zip(body, body[1:], strict=False):
        depth += (before.text in ("(", "[", "{")) - (before.text in (")", "]", "}"))
        if depth == 0 and before.text in kinds:
            names.add(token.text)
    return names


def _head(texts: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The trait and the type of an implementation, from the words after `impl`; no trait for an inherent one."""
    angles = squares = begin = 0
    for place, (before, text) in enumerate(zip(["", *texts], texts, strict=False)):
        squares += (text == "[") - (text == "]")
        angles += (text == "<") - (text == ">" and before not in ("-", "="))
        if (text in ("<", ">") and squares) or (text == "{" and angles):
            return UNCLEAR, UNCLEAR  # perhaps a comparison
        if angles == 0 and text == ">" and begin == 0 and texts[0] == "<":
            begin = place + 1  # the trait follows its parameters
        if text == "for" and texts[place + 1 : place + 2] != ["<"]:
            return texts[begin:place], texts[place + 1 :]
        if text in ("{", "where"):
            return (), ()
    return UNCLEAR, UNCLEAR


def _is_own_trait(trait: Sequence[str], traits: set[str]) -> bool:
    """Whether a trait is one of the program's, named without a path."""
    return trait[0] in traits and (len(trait) == 1 or trait[1] == "<")


def _is_own_type(trait: Sequence[str], target: Sequence[str], types: set[str]) -> bool:
    """Whether an implementation is for one of the program's types, named without a path."""
    name, after, *_ = [*(word for word in target if word not in ("&", "mut") and word[0] != "'"), "", ""]
    allowed = target[:1] != ["&"] or trait[-1] in MANY_FOR_REFERENCES
    return allowed and name in types and after != "::"
