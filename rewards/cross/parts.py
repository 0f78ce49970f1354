"""The two parts of a program: its code, and its test module, which another code may be given in place of its own."""

from __future__ import annotations

from dataclasses import dataclass

from rewards.rust.program import Program

__all__ = ["Parts", "parts_of", "spans_of"]


@dataclass(frozen=True)
class Parts:
    """A program in two parts."""

    code: str  # all but the test module
    suite: str  # the test module with its attributes; empty without one
    tests: tuple[int, int]  # where it stands in the program, in characters


def parts_of(source: str, program: Program) -> Parts | None:
    """Divide a program; None unless one `#[cfg(test)]` module at most holds all test code, and some code is left.

    Args:
        source: The program.
        program: Its structure.

    >>> from rewards.rust.parse import parse
    >>> source = "fn f() {}\\n#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }\\n"
    >>> parts_of(source, parse(source))
    Parts(code='fn f() {}\\n\\n', suite='#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }', tests=(10, 63))
    """
    if len(program.test_code) > 1 or len(program.test_code) != program.num_test_modules:
        return None
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
    Returns: The spans of "code" and "tests"; nothing where the text does not hold the program as it is, which is so for
        line ends that are not "\\n".

    >>> source = "fn f() {}\\n#[cfg(test)]\\nmod t { #[test] fn g() { super::f(); } }\\n"
    >>> spans_of(f"So:\\n{source}", source, Parts("", "", (10, 63)))
    {'code': ((4, 14), (67, 68)), 'tests': ((14, 67),)}
    """
    first = text.find(source)
    if first < 0:
        return {}
    start, end = (first + place for place in parts.tests)
    code = [span for span in ((first, start), (end, first + len(source))) if span[0] < span[1]]
    return {"code": tuple(code), "tests": ((start, end),) if start < end else ()}
