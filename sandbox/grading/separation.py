"""Decides by a program's tokens whether one compilation with the tests also shows what cargo says without them.

This holds if the tests cannot change the result for the rest of the program. The main conditions are:

- Its tests are one private module, which is the last item.
- Nothing outside names that module; the module implements no trait, derives nothing and defines no macro.
- The program sets no lint level other than `allow`.
- Every name that a `use` outside the tests imports is used outside the tests.
- No comment follows the last token, since it could become the documentation of the appended `main`.
- Outside strings and comments it is printable ASCII, so that the lexer certainly sees it as rustc does.

A program with a word of `HAZARDS`, for which linking, the kind of crate, files, environment or `cfg` may matter, is
left to cargo altogether.

In doubt the result is None. The program is then compiled with and without its tests, which costs time and gives the
same verdict. The conditions assume a program that compiles: the caller must also look at the compiler's errors.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.grading.implementations import are_confined
from sandbox.grading.lexer import Token, is_plain, tokens

__all__ = ["HAZARDS", "TestSeparation", "find_test_module", "is_portable_code"]

# Words, also in comments and strings: there they cost time, but no verdict becomes wrong.
WORDS = """
    unsafe unsafe_code extern asm global_asm naked link link_name link_section export_name no_mangle
    no_main no_std no_core crate_type crate_name feature proc_macro cfg_attr cfg_select clippy
    recursion_limit type_length_limit Backtrace env option_env include include_str include_bytes
    fs exists try_exists is_file is_dir metadata symlink_metadata read_dir read_link canonicalize
""".split()
HAZARDS = re.compile(rf"\b(?:{'|'.join(WORDS)})\b|#\s*\[\s*used|\bcfg\b(?!\s*\(\s*test\s*\)\s*\])")
PAIRS = {")": "(", "]": "[", "}": "{"}
TEST_MODULE = ("#", "[", "cfg", "(", "test", ")", "]", "mod")
REACHES_OUT = frozenset(("impl", "derive", "macro_rules", "macro", "macro_export", "macro_use", "include"))
REACHES_IN = frozenset(("test", "bench", "macro_rules", "macro", "macro_export", "macro_use", "include"))
COUNTS_USES = frozenset(("main", "hidden"))  # lints of recursion and of `#[doc(hidden)]` variants look at all uses
DECLARE = frozenset(
    ("let", "mut", "ref", "fn", "struct", "enum", "mod", "type", "const", "static", "trait", "for", "|")
)
LEVELS = frozenset(("deny", "forbid", "warn", "expect"))  # as the first word of an attribute
KNOWS_ITS_PLACE = frozenset(
    ("crate", "static", "unsafe", "extern", "union", "set_hook", "take_hook", "type_name", "type_name_of_val", "TypeId",
     "type_id", "module_path", "Location", "current_exe", "PhantomData")  # the last prints the path of a type
)  # fmt: skip
# Modules: named in a `use`, or before or after `::`. A variable of that name is allowed.
IN_PATHS = frozenset(("process", "thread", "env"))
AS_MACROS = frozenset(("file", "include_str", "include_bytes"))


@dataclass(frozen=True)
class TestSeparation:
    """Where a program's tests begin, if they are separate from the rest of it."""

    last_line: int  # the last line before the tests
    is_portable: bool  # whether the program behaves the same as a module of a larger crate


def find_test_module(source: str) -> TestSeparation | None:
    """Find where a program's tests begin; None when they may change the result for the rest of it.

    >>> find_test_module("fn f() {}\\n#[cfg(test)]\\nmod tests {\\n    #[test]\\n    fn t() { super::f(); }\\n}\\n")
    TestSeparation(last_line=1, is_portable=True)
    >>> find_test_module("fn f() { g() }\\n#[test]\\nfn g() {}\\n") is None
    True
    """
    try:
        found = list(tokens(source))
        start = _start_of_tests(found)
    except ValueError:
        return None
    body, tests = found[:start], found[start:]
    if not body or body[-1].text not in ("}", ";") or not all(map(is_plain, found)):
        return None
    words, inside = {token.text for token in body}, {token.text for token in tests}
    if words & (REACHES_IN | COUNTS_USES) or inside & REACHES_OUT or _sets_levels(found) or _has_files(found):
        return None
    if tests and (tests[len(TEST_MODULE)].text in words or body[-1].line == tests[0].line):
        return None
    if "/" in source[found[-1].end :] or not _uses_all_imports(body):
        return None
    return TestSeparation(body[-1].line, bool(tests) and _is_portable(body, tests[len(TEST_MODULE) :]))


def is_portable_code(code: str) -> bool:
    """Whether a program without tests behaves the same as a module of a larger crate, with tests of any unused name."""
    program = f"{code}\n#[cfg(test)]\nmod t{secrets.token_hex(8)} {{}}"
    separation = None if HAZARDS.search(program) else find_test_module(program)
    return separation is not None and separation.is_portable


def _start_of_tests(found: Sequence[Token]) -> int:
    """The index of the first token of the test module that ends the program; the number of tokens if there is none.

    Raises:
        ValueError: Brackets do not match.
    """
    opened: list[int] = []
    last = -1  # index of the opening bracket that was closed last
    for place, token in enumerate(found):
        if token.kind == "mark" and token.text in "([{":
            opened.append(place)
        elif token.kind == "mark" and token.text in ")]}":
            last = opened.pop() if opened else -1
            if last < 0 or found[last].text != PAIRS[token.text]:
                raise ValueError("brackets do not match")
    if opened:
        raise ValueError("a bracket is not closed")
    start = last - len(TEST_MODULE) - 1
    head = tuple(token.text for token in found[start:last]) if start >= 0 and found[-1].text == "}" else ()
    return start if head[:-1] == TEST_MODULE else len(found)


def _sets_levels(found: Sequence[Token]) -> bool:
    """Whether an attribute sets a lint level other than `allow`."""
    return any(after.text in LEVELS and before.text == "[" for before, after in zip(found, found[1:], strict=False))


def _has_files(found: Sequence[Token]) -> bool:
    """Whether a module is declared as a file of its own."""
    return any(a.text == "mod" and b.text == ";" for a, b in zip(found, found[2:], strict=False))


def _uses_all_imports(body: Sequence[Token]) -> bool:
    """Whether every name that a `use` imports is used outside the tests, and nothing else there has that name."""
    imported: list[str | None] = []
    used: set[str] = set()
    declared = set(_variants(body))
    statement: list[Token] | None = None
    texts = ["", *(token.text for token in body), ""]
    for before, token, after in zip(texts, body, texts[2:], strict=False):
        if statement is not None:
            statement.append(token)
            if token.text == ";":
                imported += _bound(statement)
                statement = None
        elif token.text == "use":
            statement = []
        elif token.kind == "name" and (before in DECLARE or after in (":", "|")):
            declared.add(token.text)
        elif token.kind == "name" and before not in (".", "::"):
            used.add(token.text)
    names = {name for name in imported if name}
    return len(names) == len(imported) and names <= used and not names & declared


def _variants(body: Sequence[Token]) -> Iterator[str]:
    """Yield the names of all variants of enums."""
    depth = 0  # of brackets since the last `enum`
    waiting = False
    for before, token in zip(body, body[1:], strict=False):
        if token.text == "enum":
            depth, waiting = 0, True
        elif token.kind == "mark" and token.text in "([{" and (depth or (waiting and token.text == "{")):
            depth, waiting = depth + 1, False
        elif token.kind == "mark" and token.text in ")]}" and depth:
            depth -= 1
        elif depth == 1 and token.kind == "name" and before.text in ("{", ",", "]"):
            yield token.text


def _bound(statement: Sequence[Token]) -> Iterator[str | None]:
    """Yield the names that a `use` statement imports, from its tokens after `use`; None for an unknown name."""
    before_brace: list[str] = []
    for place, token in enumerate(statement):
        if token.text == "{":
            before_brace.append(statement[place - 2].text if place >= 2 else "")
        elif token.text in (",", "}", ";"):
            name = statement[place - 1] if place else token
            if name.text == "self" and before_brace:
                yield before_brace[-1]
            elif name.kind == "name" and name.text not in ("_", "self"):
                yield name.text
            elif name.text not in ("}", ",", "{"):
                yield None
            if token.text == "}" and before_brace:
                before_brace.pop()


def _is_portable(body: Sequence[Token], tests: Sequence[Token]) -> bool:
    """Whether a program behaves the same as a module of a larger crate.

    Args:
        body: The tokens outside the tests.
        tests: Those of the test module, from its name on.
    """
    texts, within = [token.text for token in body], [token.text for token in tests]
    if "mod" in texts or "super" in texts or "mod" in within or not are_confined(body):
        return False
    both = texts + within
    neighbours = zip(["", *both], both, [*both[1:], ""], strict=False)
    imported = set(_in_uses(both))
    return not any(
        text in KNOWS_ITS_PLACE
        or (text in IN_PATHS and (number in imported or "::" in (before, after)))
        or (text in AS_MACROS and (number in imported or after == "!"))
        or (before, text) in (("#", "!"), ("pub", "use"))
        for number, (before, text, after) in enumerate(neighbours)
    ) and not _climbs(within)


def _climbs(tests: Sequence[str]) -> bool:
    """Whether the tests may name the parent of the program: by a `super` that does not begin a path or a `use`."""
    imported = set(_in_uses(tests))
    pairs = enumerate(zip(tests, tests[1:], strict=False), 1)
    return any(
        text == "super" and (before == "::" or (number in imported and before != "use"))
        for number, (before, text) in pairs
    )


def _in_uses(texts: Sequence[str]) -> Iterator[int]:
    """Yield the places of the tokens of all `use` statements."""
    inside = False
    for place, text in enumerate(texts):
        inside = (inside or text == "use") and text != ";"
        if inside:
            yield place
