"""Was the pass earned? Judges source and verdict together; cargo's word alone is cheap to buy.

A strict pass needs all of: cargo's tests passed, libtest itself said so, nothing was ignored, and at least one test
that runs holds an assert which depends on code outside the tests. The judge is syntactic and errs on the side of not
paying. Left out: whether an assert is strong enough to catch a wrong function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import NamedTuple

from rewards.rust.function_body import ASSERTS, Body
from rewards.rust.parse import Program, TestFunction, parse
from rewards.strictness.tautology import never_fails
from sandbox import Verdict

__all__ = ["Judgement", "effective_asserts", "judge"]


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
    return not effective_asserts(program)


def _catches_panics(program: Program, verdict: Verdict) -> bool:
    bodies = [test.body for test in program.tests] + list(program.helpers.values())
    return any("catch_unwind" in body.names for body in bodies)


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
    """The distinct asserts, by their text, that run, can fail, and depend on code outside the tests.

    >>> code = "fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert!(true); assert_eq!(super::f(), 1); } }"
    >>> sorted(effective_asserts(parse(code)))
    ['assert_eq(super :: f ( ) , 1)']
    """
    return frozenset().union(*(_earned(test, program) for test in program.tests))


def _earned(test: TestFunction, program: Program) -> frozenset[str]:
    """The earned asserts of a test; one that should panic asserts nothing."""
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
    """A test and every function of the tests that it mentions, and that those mention."""
    bodies, waiting, seen = [], [test], {id(test)}
    inner: dict[str, list[Body]] = {}
    mentioned: set[str] = set()
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
    """Every name that the tests bind, with the names that its value is made of."""
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
        waiting += sources.get(name, ())
    return False
