"""Names that mean something else than a reader of the tests takes them for.

Test code that gives a function's name to something of its own does not test that function. A program that gives a name
of the standard library to something of its own makes tests say other things than they seem to. Read from tokens, since
macros have no syntax. Left out: scopes, but for the block in which a variable is bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

__all__ = ["GivenNames", "compares", "shadowed_functions", "shadowed_items"]

IMPORTS = ("super", "crate", "self")
CONSTANTS, TYPES = ("const", "static", "mod"), ("struct", "enum", "union", "trait", "type")
BEFORE_CLOSURE = ("(", ",", "=", "move", "{", ";", "return", "=>", "&&", "||")
ITEMS = ("struct", "enum", "union", "trait", "fn", "const", "static", "mod")
PRELUDE = frozenset("""
    Some None Ok Err Option Result Vec String Box ToString ToOwned Into From Iterator IntoIterator Clone PartialEq drop
    """.split())
VARIANTS = frozenset(("Some", "None", "Ok", "Err"))
MACROS = frozenset("""
    assert assert_eq assert_ne debug_assert debug_assert_eq debug_assert_ne panic unreachable matches vec format write
    todo unimplemented test
    """.split())


class GivenNames(NamedTuple):
    """The names that a program gives."""

    parts: Set[str]  # to the modules and functions of test code
    free: Set[str]  # to functions outside tests that are no methods
    functions: Set[str]  # to all functions outside tests
    types: Set[str]  # to types and traits outside tests


def shadowed_functions(words: Sequence[str], names: GivenNames) -> Iterator[str]:
    """Functions of the code whose names test code gives to something else.

    Args:
        words: The tokens of test code.
        names: The names that the program gives.
    """
    yield from _by_items(words, names)
    yield from _by_variables(words, names)
    yield from _by_methods(words, names)
    yield from _by_macros(words, names)


def _by_items(words: Sequence[str], names: GivenNames) -> Iterator[str]:
    """By functions, constants, types, imports from elsewhere, and other names of imports."""
    importing = False  # from elsewhere than the program
    for place, (a, b) in enumerate(_pairs(words)):
        after = words[place + 2] if place + 2 < len(words) else ";"
        importing = (importing or (a == "use" and b not in IMPORTS)) and a != ";"
        renamed = importing or (a == "as" and after in (";", ",", "}"))
        if b in names.free and (renamed or a in CONSTANTS or (a == "fn" and not _is_test(words, place))):
            yield b
        elif b in names.types and (renamed or a in TYPES):
            yield b


def _is_test(words: Sequence[str], place: int) -> bool:
    """Whether the function at a token has the attribute `test`."""
    before = list(words[max(0, place - 24) : place])
    while before and before[-1] in ("pub", "async"):
        before.pop()
    while before and before[-1] == "]" and "#" in before:
        start = len(before) - 1 - before[::-1].index("#")
        if before[start:] == ["#", "[", "test", "]"]:
            return True
        before = before[:start]
    return False


def _by_variables(words: Sequence[str], names: GivenNames) -> Iterator[str]:
    """By variables and parameters that are called: what was bound in a block is called before the block ends."""
    depth = 0
    bound: list[tuple[int, str]] = []  # the depth of the block in which a name is bound
    after_statement: list[tuple[int, str]] = []  # names that are bound after the statement of a block
    in_block: list[str] = []  # names that are bound in the next block
    pattern = ""  # the word that starts a pattern
    for place, word in enumerate(words[:-1]):
        before, after = words[place - 1] if place else "", words[place + 1]
        if word == "{":
            depth += 1
            bound += [(depth, name) for name in in_block]
            in_block, pattern = [], ""
        elif word == "}":
            bound = [(at, name) for at, name in bound if at < depth]
            depth -= 1
        elif word == ";":
            bound += [pair for pair in after_statement if pair[0] == depth]
            after_statement = [pair for pair in after_statement if pair[0] < depth]
        elif word in ("let", "for", "fn"):
            starts = word == "let" and before in ("{", "}", ";", "")
            pattern = "let" if starts else "for" if word != "fn" else pattern or "fn"
        elif word == "|" and (pattern == "|" or before in BEFORE_CLOSURE):
            pattern = "" if pattern == "|" else "|"
        elif word in ("=", "in"):
            pattern = ""
        elif word in names.free:
            if after == "(" and before not in (".", "::", "fn") and any(name == word for _, name in bound):
                yield word
            elif after in ("=>", "@") and before != "::":
                yield word  # an arm that takes anything, by the name of a function
            elif pattern == "let" and before not in ("::", "."):
                after_statement.append((depth, word))
            elif (pattern == "for" and before not in ("::", ".")) or (pattern == "fn" and after in (":", ",", ")")):
                in_block.append(word)
            elif pattern == "|":
                bound.append((depth, word))


def _by_methods(words: Sequence[str], names: GivenNames) -> Iterator[str]:
    """By methods of a trait of the tests."""
    depth, traits, starting = 0, [], False  # the depths of the traits that a token stands in
    for a, b in zip(words, words[1:], strict=False):
        starting = (starting or a == "trait") and a != ";"
        if a == "{":
            depth += 1
            if starting:
                traits.append(depth)
                starting = False
        elif a == "}":
            if traits and traits[-1] == depth:
                traits.pop()
            depth -= 1
        elif a == "fn" and traits and b in names.functions:
            yield b


def _by_macros(words: Sequence[str], names: GivenNames) -> Iterator[str]:
    """By functions that a macro of the tests makes by the names that it is given, and that are no tests."""
    made = any(a == "fn" and b[:1] == "$" and words[i - 1 : i] != ["]"] for i, (a, b) in enumerate(_pairs(words)))
    if not made:
        return
    depth = 0
    for place, word in enumerate(words):
        before = words[max(0, place - 2) : place]
        if word in ("(", "[", "{") and (depth or (before[-1:] == ["!"] and before[:1] != ["macro_rules"])):
            depth += 1
        elif word in (")", "]", "}") and depth:
            depth -= 1
        elif depth and word in names.free and words[place + 1 : place + 2] != ["("]:
            yield word


def compares(words: Sequence[str]) -> bool:
    """Whether a program may say itself which values are equal: an implementation of `PartialEq`, anywhere.

    Args:
        words: Its tokens, without the r# of raw names.
    """
    for place, word in enumerate(words):
        header = words[place + 1 : place + 40]
        if word == "PartialEq" and header[:1] == ["as"]:
            return True
        if word == "PartialEq" and header[:1] in (["for"], ["<"]):
            end = header.index("{") if "{" in header else len(header)
            if "for" in header[:end]:
                return True
    return False


def shadowed_items(tests: Sequence[str], code: Sequence[str]) -> Iterator[str]:
    """Names of the standard library that a program gives to items of its own.

    Args:
        tests: The tokens of test code.
        code: The tokens outside.
    """
    yield from (b for a, b in _pairs(tests) if a == "type" and b in PRELUDE)
    words = [*tests, ";", *code]
    variants = {word for word, after in _pairs(words) if word in VARIANTS and after in (",", "}", "{")}
    for place, (a, b) in enumerate(_pairs(words)):
        before = words[place - 1] if place else ""
        if a in ITEMS and b in PRELUDE and not (a == "fn" and b == "drop"):
            yield b
        elif a == "as" and (b in PRELUDE or b in MACROS):
            yield b
        elif (a == "macro_rules!" and b in MACROS) or (before == "macro_rules" and a == "!" and b in MACROS):
            yield b
    if variants and any(_imports_all(words, place) for place, word in enumerate(words) if word == "use"):
        yield min(variants)


def _imports_all(words: Sequence[str], place: int) -> bool:
    """Whether a `use` imports all names of something that is no module around it."""
    path = words[place + 1 : place + 12]
    end = path.index(";") if ";" in path else len(path)
    path = path[:end]
    return path[-2:] == ["::", "*"] and path[-3:-2] not in (["super"], ["crate"], ["self"])


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(words, words[1:], strict=False)
