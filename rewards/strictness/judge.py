"""Judges whether a pass is strict: whether the tests that passed could have failed.

Code that passes `cargo test` need not test anything, so source and verdict are judged together. A pass is strict when

- cargo's tests passed, libtest itself reported it, and no test was ignored;
- at least one test that runs has an assert that can fail and depends on code outside the tests;
- nothing that the asserts compare with is redefined, and the tests do not catch their own panics;
- the tests fail on a mutant, where mutants that compile were graded (`rewards.strictness.mutation`).

The judge reads syntax alone; a pass that syntax cannot decide on is not strict. Left out: whether an assert is strong
enough to catch a wrong function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from rewards.rust.parse import parse
from rewards.rust.program import ASSERTS, Body, Program, TestFunction
from rewards.strictness.tautology import never_fails
from sandbox.verdict import Outcome, Verdict

__all__ = ["Judgement", "effective_asserts", "judge", "kills"]

NOT_COMPILED = (Outcome.BUILD_ERROR, Outcome.TEST_BUILD_ERROR, Outcome.HOST_ERROR)


class Judgement(NamedTuple):
    """Whether a pass is strict, and the reason why or why not."""

    strict: bool
    reason: str


def judge(
    source: str, verdict: Verdict, *, program: Program | None = None, mutants: Iterable[Verdict] = ()
) -> Judgement:
    """Whether a program passed tests of its own that could have failed.

    Args:
        source: The program.
        verdict: The sandbox's verdict on it.
        program: `parse(source)`, to save parsing it again; None to parse it here.
        mutants: The verdicts on its mutants; empty where none were graded.
    Returns: Whether the pass is strict; where it is not, the reason is the first of `CONDITIONS` that applies.

    >>> from sandbox.verdict import Outcome
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
    if _all_survive(mutants):
        return Judgement(False, "the tests pass whatever the functions return")
    return Judgement(True, "tests that could have failed passed")


def kills(verdict: Verdict) -> bool:
    """Whether the tests fail on a mutant, given the verdict on it; False for a mutant that does not compile."""
    return verdict.outcome not in NOT_COMPILED and not verdict.test


def _all_survive(verdicts: Iterable[Verdict]) -> bool:
    """Whether at least one mutant compiles and the tests pass on every one that does."""
    compiled = [verdict for verdict in verdicts if verdict.outcome not in NOT_COMPILED]
    return bool(compiled) and not any(map(kills, compiled))


def _no_dependent_assert(program: Program, verdict: Verdict) -> bool:
    return not effective_asserts(program)


def _catches_panics(program: Program, verdict: Verdict) -> bool:
    bodies = [test.body for test in program.tests] + list(program.helpers.values())
    return any("catch_unwind" in body.names for body in bodies)


# What makes a pass not strict, each with the reason that is reported; the first that applies is.
CONDITIONS: tuple[tuple[Callable[[Program, Verdict], bool], str], ...] = (
    (lambda p, v: not v.genuine, "the test harness itself did not report the pass"),
    (lambda p, v: v.passed == 0, "no test ran"),
    (lambda p, v: v.ignored > 0, "a test is ignored"),
    (lambda p, v: not p.tests, "no #[test] function in the code"),
    (lambda p, v: bool(p.redefined & {*ASSERTS, "panic", "test"}), "an assert macro is redefined"),
    (lambda p, v: p.redefines_equality, "equality is redefined without looking at both sides, or by the tests"),
    (_catches_panics, "the tests catch their own panics"),
    (lambda p, v: not (p.functions or p.constants), "no code outside the tests"),
    (_no_dependent_assert, "no assert depends on code outside the tests"),
)


def effective_asserts(program: Program) -> frozenset[str]:
    """The asserts that run, can fail, and depend on code outside the tests; equal ones count once.

    Returns: The texts of these asserts, as `Assert.text`.

    >>> code = "fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert!(true); assert_eq!(super::f(), 1); } }"
    >>> sorted(effective_asserts(parse(code)))
    ['assert_eq(super :: f ( ) , 1)']
    """
    return frozenset().union(*(_effective(test, program) for test in program.tests))


def _effective(test: TestFunction, program: Program) -> frozenset[str]:
    """The effective asserts of one test.

    A test that is ignored, depends on a `cfg`, or should panic has none. An assert is followed into the helpers and
    closures that the test mentions. A name that the tests define or import hides the code under test of that name.
    """
    if test.ignored or test.conditional or test.should_panic:
        return frozenset()
    bodies = _called(test.body, program)
    hidden = program.helpers.keys() | program.imports.keys() | program.test_items
    hidden = hidden.union(*(body.hidden for body in bodies))
    under_test = (program.functions.keys() | program.constants | program.types) - hidden
    sources = _sources(bodies, program)
    asserts = [found for body in bodies for found in body.asserts]
    return frozenset(
        found.text
        for found in asserts
        if found.reachable
        and not found.macro.startswith("debug_")
        and not never_fails(found)
        and _reaches(found.names, sources, under_test)
    )


def _called(test: Body, program: Program) -> list[Body]:
    """A test's body and those of the helpers, inner functions and closures that it mentions, directly or not.

    An inner function counts as mentioned wherever its name is, before or after the body that defines it is read.
    """
    bodies, waiting, seen = [], [test], {id(test)}
    inner: dict[str, list[Body]] = {}  # inner functions of the bodies so far, by name
    mentioned: set[str] = set()  # names that the bodies so far mention
    while waiting:
        body = waiting.pop()
        bodies.append(body)
        for name, function in body.inner.items():
            inner.setdefault(name, []).append(function)
        for name in (body.mentions - mentioned) | (body.inner.keys() & (mentioned | body.mentions)):
            helper = program.helpers.get(name)
            for function in [*inner.get(name, ()), *([helper] if helper is not None else [])]:
                if id(function) not in seen:
                    seen.add(id(function))
                    waiting.append(function)
        mentioned |= body.mentions
    return bodies


def _sources(bodies: Sequence[Body], program: Program) -> dict[str, frozenset[str]]:
    """Every name that the tests define, with the names that its value is made of.

    The value of a function is made of every name in its body; that of a parameter, of the arguments of all calls.
    """
    sources: dict[str, frozenset[str]] = dict(program.imports)
    named = {**program.helpers, **{name: inner for body in bodies for name, inner in body.inner.items()}}
    flows = [(name, function.names) for name, function in named.items()]
    for body in bodies:
        flows += body.bound.items()
        for name, arguments in body.calls.items():
            if name in named:
                flows += [(parameter, arguments) for parameter in named[name].parameters]
    for name, value in flows:
        sources[name] = sources.get(name, frozenset()) | value
    return sources


def _reaches(names: frozenset[str], sources: Mapping[str, frozenset[str]], under_test: Set[str]) -> bool:
    """Whether some of the names depend on the code under test, directly or through `sources`."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in under_test:
            return True
        waiting += sources.get(name, ())
    return False
