"""Was the pass earned? Judges source and verdict together; cargo's word alone is cheap to buy.

A strict pass needs all of: cargo's tests passed, libtest itself said so, nothing was ignored, and at least one test
that runs holds an assert which depends on code outside the tests. The judge is syntactic and errs on the side of not
paying. Left out: whether an assert is strong enough to catch a wrong function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rewards.rust import ASSERTS, UNWRITTEN, Assert, Program, TestFunction, parse
from sandbox import Verdict

__all__ = ["Judgement", "judge"]


class Judgement(NamedTuple):
    """Whether a pass is strict, and in plain words why or why not."""

    strict: bool
    reason: str


def judge(source: str, verdict: Verdict, *, program: Program | None = None) -> Judgement:
    """Whether a program passed tests of its own that could have failed.

    Args: source, the program; verdict, what the sandbox said of it; program, `parse(source)` if that is known already.
    Returns: strict or not, with the first reason against it.

    >>> from sandbox import Outcome
    >>> passed = Verdict(Outcome.PASSED, build=True, clippy=True, test=True, genuine=True, passed=1)
    >>> judge("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(1, 1); } }", passed)
    Judgement(strict=False, reason='no assert depends on code outside the tests')
    """
    if not verdict.test:
        return Judgement(False, "the tests did not pass")
    program = parse(source) if program is None else program
    for applies, reason in CONDITIONS:
        if applies(program, verdict):
            return Judgement(False, reason)
    return Judgement(True, "tests that could have failed passed")


def _no_dependent_assert(program: Program, verdict: Verdict) -> bool:
    return not any(_is_earned(test, program) for test in program.tests)


CONDITIONS: tuple[tuple[Callable[[Program, Verdict], bool], str], ...] = (
    (lambda p, v: not v.genuine, "the test harness itself did not report the pass"),
    (lambda p, v: v.passed == 0, "no test ran"),
    (lambda p, v: v.ignored > 0, "a test is ignored"),
    (lambda p, v: not p.tests, "no #[test] function in the code"),
    (lambda p, v: bool(p.redefined & {*ASSERTS, "panic", "test"}), "an assert macro is redefined"),
    (lambda p, v: any("catch_unwind" in t.body.names for t in p.tests), "a test catches its own panics"),
    (lambda p, v: not (p.functions or p.constants), "no code outside the tests"),
    (_no_dependent_assert, "no assert depends on code outside the tests"),
)


def _is_earned(test: TestFunction, program: Program) -> bool:
    """Whether a test that runs can fail because of the code under test."""
    if test.ignored or test.conditional:
        return False
    local = {**{name: body.names for name, body in program.helpers.items()}, **test.body.bound}
    under_test = (program.functions.keys() | program.constants) - local.keys()
    if test.should_panic:  # earned when the code under test, and nothing in the test itself, can panic
        own = test.body.macros & {*ASSERTS, *UNWRITTEN, "panic", "unreachable"}
        return not own and _reaches(test.body.names, local, under_test)
    asserts = [*test.body.asserts]
    for name in test.body.names & program.helpers.keys() - test.body.bound.keys():
        asserts += program.helpers[name].asserts
        local = {**program.helpers[name].bound, **local}
    return any(_can_fail(found) and _reaches(found.names, local, under_test) for found in asserts)


def _can_fail(found: Assert) -> bool:
    """Whether an assert is reached and is not true by its form alone."""
    if not found.reachable or found.macro.startswith("debug_"):
        return False
    if len(found.arguments) == 2:
        return found.arguments[0] != found.arguments[1]
    words = found.arguments[0].split(" ")
    always = any(pair in (("||", "true"), ("true", "||")) for pair in zip(words, words[1:], strict=False))
    left, equals, right = found.arguments[0].partition(" == ")
    return not always and not (equals and left == right)


def _reaches(names: frozenset[str], local: dict[str, frozenset[str]], under_test: set[str]) -> bool:
    """Whether names lead, over local bindings, to the code under test."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in under_test:
            return True
        waiting += local.get(name, ())
    return False
