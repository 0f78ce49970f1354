"""The two parts of a program: its code, which others may test, and its test module, which others may be tested by."""

from __future__ import annotations

from dataclasses import dataclass

from rewards.rust.parse import without_tests
from rewards.rust.program import Program

__all__ = ["Parts", "parts_of", "spans_of"]


@dataclass(frozen=True)
class Parts:
    """A program in two parts."""

    code: str  # all but what is for tests
    suite: str  # the test module with its attributes; empty without one, or where tests stand elsewhere too
    tests: tuple[int, int] | None  # where it stands in the program, in characters; None where tests stand elsewhere too


def parts_of(source: str, program: Program) -> Parts | None:
    """Divide a program; None where no code is left. One `#[cfg(test)]` module that holds all test code is its suite.

    Args:
        source: The program.
        program: Its structure.

    >>> from rewards.rust.parse import parse
    >>> source = "fn f() {}\\n#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }\\n"
    >>> parts_of(source, parse(source))
    Parts(code='fn f() {}\\n\\n', suite='#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }', tests=(10, 63))
    """
    if len(program.test_code) > 1 or len(program.test_code) != program.num_test_modules:
        code = without_tests(source, program)
        return Parts(code, "", None) if code.strip() else None
    encoded = source.encode("utf-8", "replace")  # as `parse` counts its bytes
    [(start, end)] = program.test_code or [(len(encoded), len(encoded))]
    before, suite, after = (encoded[a:b].decode("utf-8") for a, b in ((0, start), (start, end), (end, None)))
    if not (before + after).strip():
        return None
    return Parts(before + after, suite, (len(before), len(before) + len(suite)))


def spans_of(text: str, source: str, parts: Parts) -> dict[str, tuple[tuple[int, int], ...]]:
    """Where the code and the tests of a program stand in the completion that holds it, in characters.

    Args:
        text: The completion.
        source: Its program.
        parts: The program in two parts.
    Returns: The spans of "code" and "tests"; nothing where tests stand in several places, and where the text does not
        hold the program as it is, which is so for line ends that are not "\\n".

    >>> source = "fn f() {}\\n#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }\\n"
    >>> spans_of(f"So:\\n{source}", source, Parts("", "", (10, 63)))
    {'code': ((4, 14), (67, 68)), 'tests': ((14, 67),)}
    """
    first = text.find(source)
    if first < 0 or parts.tests is None:
        return {}
    start, end = (first + place for place in parts.tests)
    code = [span for span in ((first, start), (end, first + len(source))) if span[0] < span[1]]
    return {"code": tuple(code), "tests": ((start, end),) if start < end else ()}
