"""An experiment: a program with switches, and the order in which they are turned on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.verdict import Function

__all__ = ["ALWAYS", "MAX_IDS", "NO_FUNCTION", "RECORDING", "SUPPORT", "Experiment", "Mutant", "Part", "asserts_text"]

SUPPORT = "SUPPORT_OF_EVIDENCE"  # stands for the name of the library in `Part.text`
MAX_IDS = 256  # mutants, asserts and functions of a program, each
NO_FUNCTION = -1  # the function of a mutant that changes nothing, which gives other mutants a value
ALWAYS = 0  # the mutant that is never removed: no mutant
RECORDING = {
    **{"assert": "held", "assert_eq": "held_eq", "assert_ne": "held_ne", "panic": "panics"},
    **{"debug_assert": "held", "debug_assert_eq": "held_eq", "debug_assert_ne": "held_ne"},
    **{"unreachable": "unreachables"},
}


def asserts_text(equality: int = 0) -> str:
    """What stands at the start of test code, and gives the asserts another meaning there and within.

    Args:
        equality: The mutant with which `assert_eq!` looks at values that differ a little; 0 for none.
    """
    ours = {**RECORDING, "assert_eq": f"held_alike!({equality}, "} if equality else RECORDING
    return "".join(
        f"macro_rules! {name} {{ ($($all:tt)*) => {{ ::{SUPPORT}::{way if '(' in way else way + '!('}$($all)*) }} }} "
        for name, way in ours.items()
    )


class Part(NamedTuple):
    """A piece of the instrumented text."""

    text: str
    mutant: int = ALWAYS  # the mutant that it belongs to
    without: str = ""  # the text in its place where that mutant is removed


class Mutant(NamedTuple):
    """One change. Its number is its place in `Experiment.mutants`, from 1."""

    function: int  # the number of the function in which it stands; or NO_FUNCTION
    # "return", "nothing", "operator", "relation", "condition", "constant", "statement"; "value", "equality": no change
    kind: str
    fragile: bool = False  # whether it must be removed first if the program does not compile with it


@dataclass(frozen=True)
class Experiment:
    """A program with switches, and which to turn on in what order."""

    parts: tuple[Part, ...]  # their texts make the program
    mutants: tuple[Mutant, ...]
    functions: tuple[Function, ...]  # a function's number is its place, from 0
    asserts: tuple[tuple[str, str], ...]  # each assert of test code: its place, and what it says
    guards: Mapping[int, int]  # of functions that write down when they are entered: the mutant with which they do
    named: tuple[int, ...]  # functions whose names test code calls, or that a macro makes
    hidden: tuple[str, ...]  # names that test code uses and that stand for code which cannot be changed
    test_lines: tuple[tuple[int, int], ...]  # the first and the last line of each part of test code
    tests: tuple[tuple[int, int], ...]  # of each `#[test]` function
    equality: int  # the mutant with which asserts look at values that differ a little; 0 for none
    salt: int  # from which values are drawn
    plan: Mapping[int, tuple[int, ...]]  # mutants of each function in the order in which they are tried
    catches: bool  # whether the program may go on after a panic, so that a false assert must end its test to be noticed
    portable: bool  # whether it can share a crate
    thorough: bool = False  # whether a function's mutants go on after the first that is noticed

    def text(self, removed: Collection[int], support: str) -> str:
        """The program without some mutants. `support` is the library's name."""
        return "".join(self._pieces(removed)).replace(SUPPORT, support)

    def places(self, removed: Collection[int], support: str) -> dict[int, tuple[int, int]]:
        """Where each mutant that is left begins and ends in `text`, in characters."""
        found: dict[int, tuple[int, int]] = {}
        at = 0
        for part, piece in zip(self.parts, self._pieces(removed), strict=True):
            end = at + len(piece.replace(SUPPORT, support))
            if part.mutant != ALWAYS and part.mutant not in removed:
                found[part.mutant] = (found.get(part.mutant, (at, 0))[0], end)
            at = end
        return found

    def _pieces(self, removed: Collection[int]) -> Iterator[str]:
        return (part.without if part.mutant in removed else part.text for part in self.parts)
