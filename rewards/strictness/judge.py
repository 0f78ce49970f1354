"""Judges whether a pass is strict: whether the tests that passed could have failed.

Code that passes `cargo test` need not test anything. Nothing is concluded from what the tests look like; the evidence
is what happened when they ran (`sandbox.evidence`), in one binary, with one change of the code at a time. A pass is
strict when

- cargo's tests passed, the code builds without them, and no test was ignored;
- libtest itself reported it: the report agrees with itself and with the exit code, and the program has no power to
  write that report (`sandbox.grading.powers`);
- what the tests run is what is delivered: the code outside the tests does not depend on a `cfg`, and the tests add
  nothing to its types;
- the tests reach every assert in them and every function outside them, and every assert holds, also one whose panic the
  test catches, or that stands in a thread; no other panic of theirs is caught or lost;
- for every function that the tests call themselves, by name, operator or trait, they noticed a change of that function
  alone: an assert became false or a panic was reached; for one that returns nothing also if a panic was missed. What
  cannot be changed, such as functions that a macro makes, the tests must not use.

Left out: whether the asserts are many or strong. A change of every function by itself gives the mutation score
(`mutation_score`), which is a reward of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rewards.rust.parse import parse
from rewards.rust.program import Program
from sandbox.verdict import Evidence, Function, Outcome, Run, Verdict

__all__ = ["Judgement", "effective_asserts", "judge", "may_be_strict", "mutation_score", "thoroughness"]

THOROUGH_ASSERTS = 2  # number of asserts from which a strict pass is worth 1


class Judgement(NamedTuple):
    """Whether a pass is strict, and the reason why or why not."""

    strict: bool
    reason: str


def judge(source: str, verdict: Verdict, *, program: Program | None = None) -> Judgement:
    """Whether a program passed tests of its own that could have failed.

    Args:
        source: The program.
        verdict: The sandbox's verdict on it, with evidence (`rewards.strictness.submit`).
        program: `parse(source)`, to save parsing it again; None to parse it here.
    Returns: Whether the pass is strict; where it is not, the first reason that applies.

    >>> from sandbox.verdict import Outcome
    >>> passed = Verdict(Outcome.PASSED, build=True, clippy=True, test=True, genuine=True, passed=1)
    >>> judge("fn f() -> u8 { 1 } #[cfg(test)] mod t { #[test] fn g() { assert_eq!(1, 1); } }", passed)
    Judgement(strict=False, reason='nothing is known of what the tests depend on')
    """
    program = parse(source) if program is None else program
    if reason := may_be_strict(program, verdict):
        return Judgement(False, reason)
    if verdict.evidence is None:
        return Judgement(False, "nothing is known of what the tests depend on")
    if verdict.evidence.waived:
        return Judgement(True, "tests passed; whether they depend on the code was not asked")
    if reason := _weakness(verdict.evidence):
        return Judgement(False, reason)
    return Judgement(True, "tests that could have failed passed")


def may_be_strict(program: Program, verdict: Verdict) -> str:
    """Why a pass is not strict whatever its evidence says; empty where the evidence decides."""
    return next((reason(program, verdict) for applies, reason in CONDITIONS if applies(program, verdict)), "")


# What makes a pass not strict before evidence is needed, each with its reason; the first that applies is reported.
CONDITIONS: tuple[tuple[Callable[[Program, Verdict], bool], Callable[[Program, Verdict], str]], ...] = (
    (lambda p, v: not v.test, lambda p, v: "the tests did not pass"),
    (
        lambda p, v: bool(v.powers),
        lambda p, v: f"uses {v.powers[0]}: it could write the tests' report itself, or know that it is tested",
    ),
    (lambda p, v: not v.genuine, lambda p, v: "the test harness itself did not report the pass"),
    (lambda p, v: v.passed == 0, lambda p, v: "no test ran"),
    (lambda p, v: v.ignored > 0, lambda p, v: "a test is ignored"),
    (lambda p, v: v.build is False, lambda p, v: "the code does not build without its tests"),
    (lambda p, v: not p.test_code, lambda p, v: "no tests in the code"),
    (lambda p, v: p.depends_on_cfg, lambda p, v: "code outside the tests depends on a cfg: not what is delivered ran"),
    (lambda p, v: p.tests_extend_code, lambda p, v: "the tests may change what the code outside them means"),
    (lambda p, v: p.takes_address, lambda p, v: "it looks at addresses, by which code can know that it is tested"),
    (
        lambda p, v: bool(p.shadowed),
        lambda p, v: f"{p.shadowed} is not what it is elsewhere: the program gives this name to something else",
    ),
)


def _weakness(evidence: Evidence) -> str:
    """Why the evidence does not show that the tests depend on the code; empty where it does."""
    if evidence.outcome is not Outcome.PASSED or not evidence.runs:
        return f"what the tests depend on cannot be examined: {evidence.reason}"
    plain, says = evidence.runs[0], dict(evidence.asserts)
    if plain.failed:
        return f"an assert is false and the tests pass: {_shown(says.get(plain.failed[0], 'one that a macro makes'))}"
    if not plain.passed or plain.missed:
        return "the tests fail when every assert is written down instead of ending its test"
    if not plain.held and not any(run.missed for run in evidence.runs):
        return "no test reached an assert"
    if skipped := [text for place, text in evidence.asserts if place not in plain.held and "$" not in text]:
        return f"no test reached the assert {_shown(skipped[0])}"
    if plain.swallowed:
        return f"the tests pass though they panic in line {plain.swallowed[0]}"
    if evidence.alike:
        line, _, place = evidence.alike[0].partition(":")
        if line == "0":
            return "nothing is known of the equality that it defines"
        if place == "0":
            return f"the equality in line {line} does not tell values apart"
        return f"an assert holds for other values, too: {_shown(says.get(evidence.alike[0], 'one that a macro makes'))}"
    if evidence.hidden:
        return f"nothing can be changed in {evidence.hidden[0]}, so that it cannot be examined"
    unreached = [function for number, function in enumerate(evidence.functions) if number not in plain.entered]
    if missing := [function.name for function in unreached if function.kind in ("free", "macro") and function.seen]:
        return f"no test reached the function {missing[0]}"
    if method := _unreached_method(evidence.functions, unreached):
        return f"the tests reach less than half of the methods, and not {method}"
    if evidence.reason:
        return f"the tests are too slow to be examined: {evidence.reason}"
    return _indifference(evidence)


def _is_method(function: Function) -> bool:
    """Whether most of such functions must be reached, not all: methods, and constant functions that no run shows."""
    return function.kind in ("method", "trait") or not function.seen


def _unreached_method(functions: Sequence[Function], unreached: Sequence[Function]) -> str:
    """The largest method that no test reached, where these are half of the methods or more; else empty."""
    missing = [function for function in unreached if _is_method(function)]
    tokens = sum(function.tokens for function in missing)
    half = 2 * tokens >= sum(function.tokens for function in functions if _is_method(function))
    large = 4 * tokens >= sum(function.tokens for function in functions)
    own = sum(function.kind == "method" for function in functions)
    many = 2 * sum(function.kind == "method" for function in missing) >= own > 0
    if missing and ((half and large) or many):
        return max(missing, key=lambda function: function.tokens).name
    return ""


def _indifference(evidence: Evidence) -> str:
    """Which functions the tests run without noticing any change of them; empty for none."""
    plain = evidence.runs[0]
    tried: dict[int, list[Run]] = {number: [] for number, function in enumerate(evidence.functions) if function.asked}
    for run in _needed(evidence):
        tried.setdefault(run.function, []).append(run)
    by_assert = False
    indifferent: list[Function] = []  # that the tests do not call themselves
    for number, runs in tried.items():
        function, changed = evidence.functions[number], [run for run in runs if run.reached and not run.unknown]
        if number not in plain.returned and function.demand == "any change":
            return f"{function.name} never returns in the tests: it only panics"
        if any(map(evidence.noticed, changed)):
            by_panic = all(not ({*run.failed, *run.panics, *run.broken} - set(plain.panics)) for run in changed)
            if by_panic and changed[0].kind == "return" and function.demand == "any change":
                return f"the tests ask of {function.name} only that it panics"
            by_assert |= any(run.failed or set(run.panics) - set(plain.panics) for run in changed)
        elif not function.asked and changed and all(run.passed for run in changed):
            indifferent.append(function)
        elif reason := _unnoticed(function, changed):
            return reason
    if 4 * sum(function.tokens for function in indifferent) > sum(function.tokens for function in evidence.functions):
        return f"the tests pass whatever {max(indifferent, key=lambda function: function.tokens).name} does"
    if by_assert:
        return ""
    return "no change of the code makes an assert false" if tried else "the tests call nothing that could be changed"


def _unnoticed(function: Function, changed: Sequence[Run]) -> str:
    """Why a function may not stay without a change that the tests notice; empty where it may."""
    if function.demand == "nothing" or not function.asked:
        return ""
    if function.demand == "a failure" and (not changed or not all(run.passed for run in changed)):
        return ""
    if not changed:
        return f"nothing can be changed in {function.name}, so that it cannot be examined"
    return f"the tests pass whatever {function.name} does"


def effective_asserts(evidence: Evidence | None) -> frozenset[str]:
    """What the asserts say that held and became false under a change; those that say the same count once.

    Of each function the changes up to the first that the tests notice: whether the others are tried depends on what
    else is rewarded.
    """
    if evidence is None or not evidence.runs:
        return frozenset()
    held, says = set(evidence.runs[0].held), dict(evidence.asserts)
    return frozenset(says.get(place, place) for run in _needed(evidence) for place in run.failed if place in held)


def _needed(evidence: Evidence) -> Iterator[Run]:
    """The runs of changes, of each function up to the one that settles what is asked of it."""
    settled: set[int] = set()
    for run in evidence.runs[1:]:
        if run.function not in settled:
            yield run
        if evidence.settled(run):
            settled.add(run.function)


def thoroughness(evidence: Evidence | None) -> float:
    """What a strict pass is worth: 1/4 for one distinct assert that a change of the code made false, 1 for two."""
    return (min(len(effective_asserts(evidence)), THOROUGH_ASSERTS) / THOROUGH_ASSERTS) ** 2


def mutation_score(evidence: Evidence | None) -> float | None:
    """The share of changes that the tests noticed, by an assert, a panic or no end, times the share of methods reached.

    None where no change was tried.
    """
    if evidence is None:
        return None
    tried = [run for run in evidence.runs[1:] if run.reached and not run.unknown]
    noticed = sum(evidence.noticed(run) or run.endless or not run.passed for run in tried)
    methods = {number: f.tokens for number, f in enumerate(evidence.functions) if _is_method(f)}
    reached = sum(tokens for number, tokens in methods.items() if number in evidence.runs[0].entered)
    share = reached / sum(methods.values()) if reached else 1.0
    return share * noticed / len(tried) if tried else None


def _shown(fact: str) -> str:
    return fact if len(fact) <= 80 else fact[:79] + "…"
