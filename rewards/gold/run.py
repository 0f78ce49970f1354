"""A completion's code with gold tests in place of its own: what the sandbox is given, and what that shows.

A program without tests of its own that does not build cannot pass gold tests: they are not run then, and what such a
program says of itself is not believed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rewards.completion import Gold
from rewards.gold.asked import Asked, in_order
from rewards.gold.computing.own import EQUALITY
from rewards.gold.own_types import own_types, trait_uses
from rewards.gold.result import GoldResult
from rewards.gold.rows import GoldRow, gold_row
from rewards.gold.terms import Panic, Term, equal, read_term, show
from rewards.rust.grammar import is_readable
from rewards.rust.own_methods import takes_over_methods
from rewards.rust.parse import parse, without_tests
from rewards.rust.redefinitions import redefines_comparison
from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.errors import PoolClosed
from sandbox.verdict import Diagnostic, Outcome, Verdict

__all__ = ["GoldRun", "GoldSubmission", "gold_of", "gold_result", "gold_run", "submit_gold"]


UNCOMPILED = (Outcome.BUILD_ERROR, Outcome.TEST_BUILD_ERROR)
_SWITCHES = re.compile(r"\b(?:cfg|cfg_attr|deny|forbid)\b")  # what may fail in a build and not beside gold tests


class _Pool(Protocol):
    """The part of `sandbox.workers.pool.SandboxPool` that runs gold tests."""

    def submit(self, source: str, *, phases: Sequence[str]) -> Future[Verdict]: ...
    def submit_calls(self, calls: Calls) -> Future[Answers]: ...


class _StoppablePool(_Pool, Protocol):
    def cancel(self, future: Future[Any], reason: str) -> None: ...


@dataclass(frozen=True)
class GoldRun:
    """A program and a row's gold tests, ready for the sandbox."""

    row: GoldRow
    calls: Calls | None = None  # for the kind "cases"
    asked: tuple[Asked, ...] = ()  # what its calls are in the row's tests
    refused: frozenset[Asked] = frozenset()  # what it is not asked, since its equality ignores a side
    source: str = ""  # for the kind "tests": a program to grade with `phases=("test",)`
    is_whole: bool = False  # whether its code is the program itself: no tests left out, nothing that gold tests switch

    @property
    def total(self) -> int:
        """The number of gold tests; each assert is one where they are cases."""
        return len(self.row.checks.checks) if self.row.checks is not None else self.row.num_tests


def gold_run(code: str, columns: Mapping[str, Any]) -> GoldRun | None:
    """A completion's code with gold tests instead of its own.

    Args:
        code: The completion's program.
        columns: The columns of the prompt's row in the data.
    Returns: None when the row has no gold tests, when the code is too long to be read, or when the tests are a module
        and the code redefines what that relies on: an assert macro, `panic`, `test`, equality (so that it does not
        use both sides), or a method or an operator that the tests use on what functions return.
    Raises: ValueError, as `rewards.gold.rows.gold_row`.

    >>> run = gold_run("fn f() -> u8 { 1 }", {"rust_test_list": ["assert_eq!(f(), 1);"]})
    >>> run.total, run.calls.calls
    (1, (Call(value='super::f()', statements=(), watched=()),))
    """
    row = gold_row(columns)
    if row is None or not is_readable(code):
        return None
    program = parse(code)
    source = without_tests(code, program)
    is_whole = source == code and not _SWITCHES.search(code)
    if row.checks is not None:
        wanted = {one for check in row.checks.checks for one in check.calls if one.is_for(source)}
        equalities = {one for one in wanted if one.only_if == EQUALITY}
        refused = equalities if equalities and redefines_comparison(source) else set()
        asked = in_order(wanted - refused)
        calls = tuple(one.call for one in asked)
        uses = (*row.checks.uses, *trait_uses(source, calls))
        given = Calls(source, calls, uses, own_types(source))
        return GoldRun(row, given, asked, frozenset(refused), is_whole=is_whole)
    if redefines_comparison(source) or takes_over_methods(source, row.module):
        return None
    return GoldRun(row, source=f"{source}\n{row.module}", is_whole=is_whole)


def submit_gold(run: GoldRun, pool: _Pool) -> Future[Any]:
    """Send a run to the sandbox; the future's result is for `gold_result`."""
    if run.calls is not None:
        return pool.submit_calls(run.calls)
    return pool.submit(run.source, phases=("test",))


class GoldSubmission:
    """Gold tests on their way: `future` gives what the sandbox says of `run`."""

    def __init__(self, run: GoldRun, pool: _StoppablePool, own: Future[Verdict] | None = None) -> None:
        """Send gold tests to the sandbox, at once or as soon as their program is known to build; returns at once.

        Args:
            run: The gold tests.
            pool: The pool that runs them.
            own: The verdict on the program as it is, in all phases. It is waited for where the program has no tests of
                its own; tests that do not compile would say nothing of the code.
        Raises: PoolClosed: The pool is closed.
        """
        self.future: Future[Verdict | Answers] = Future()
        self.run, self._pool = run, pool
        self._lock = threading.Lock()
        self.running: Future[Any] | None = None
        self._stopped = ""
        if own is not None and run.is_whole:
            own.add_done_callback(self._graded)
        else:
            self._send()

    def cancel(self, reason: str) -> None:
        """Stop them, as `SandboxPool.cancel` does."""
        with self._lock:
            self._stopped = reason
            running = self.running
        if running is not None:
            self._pool.cancel(running, reason)
        else:
            self._settle(_without_run(self.run, Outcome.HOST_ERROR, f"{reason}: it was never started"))

    def _graded(self, own: Future[Verdict]) -> None:
        """Send the gold tests of a program that builds; those of another one fail as it does."""
        try:
            verdict = own.result()
            if verdict.build:
                self._send()
            else:
                self._settle(_unbuilt(self.run, verdict))
        except (CancelledError, PoolClosed):
            self.future.cancel()  # nobody's grade: the host ended
        except Exception as error:  # the pool's thread would drop it, and nobody would ever get a result
            self._settle(_without_run(self.run, Outcome.HOST_ERROR, f"{type(error).__name__}: {error}"))

    def _send(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self.running = running = submit_gold(self.run, self._pool)
        running.add_done_callback(self._done)

    def _done(self, running: Future[Any]) -> None:
        try:
            self._settle(running.result())
        except CancelledError:
            self.future.cancel()

    def _settle(self, found: Verdict | Answers) -> None:
        try:
            self.future.set_result(found)
        except InvalidStateError:
            pass  # cancelled meanwhile


def gold_of(
    columns: Mapping[str, Any],
    run: GoldRun | None,
    found: Verdict | Answers | None,
    *,
    unfit: str | None,
    own: Verdict | None,
) -> Gold:
    """The gold tests of an answer: one rule for the trainer, for TRL's functions and for a chat.

    An answer whose code does not build has failed them, whatever its signature. One that builds, and that was not told
    the signature, has neither passed nor failed them where it lacks what they call, or where their calls do not compile
    with it.

    Args:
        columns: The columns of the prompt's row in the data, which has gold tests.
        run: What was run of them; None where nothing was: without code, where they cannot be added to it, and for an
            answer that is unfit.
        found: What the sandbox says of that; None where nothing was run.
        unfit: As `rewards.signature.applying.why_unfit` says.
        own: The verdict on the answer's program as it is, of which the build is read; None without code. Where the
            sandbox failed at it, nobody knows that it does not build. Not read where `unfit` is None.
    """
    may_build = own is not None and (bool(own.build) or own.outcome is Outcome.HOST_ERROR)
    if unfit:
        row = gold_row(columns)
        assert row is not None
        reason, why = ("", unfit) if may_build else ("no code that builds", "")
        return Gold(GoldResult(0, GoldRun(row).total, reason, row.kind, why), None, True)
    result = gold_result(run, found) if run is not None and found is not None else None
    is_hidden = unfit is not None
    if is_hidden and may_build and result is not None and found is not None and found.outcome in UNCOMPILED:
        result = replace(result, inapplicable=f"their calls do not compile with the code: {result.reason}")
    return Gold(result, found, is_hidden)


def gold_result(run: GoldRun, found: Verdict | Answers) -> GoldResult:
    """The result of a run from what the sandbox found. A failure of the host has to be looked for before."""
    if isinstance(found, Verdict):
        return _of_module(run, found)
    values, fault = _values(run, found)
    faults = []
    assert run.row.checks is not None
    for check in run.row.checks.checks:
        missing = (check.calls & set(run.asked)) - values.keys()
        faults.append((fault or "it was not called") if missing else check.fault(values))
    passes = tuple(not text and found.outcome is not Outcome.FORGED for text in faults)
    reason = next((text for text in faults if text), fault)
    return GoldResult(sum(passes), run.total, reason, "cases", passes=passes)


def _values(run: GoldRun, found: Answers) -> tuple[dict[Asked, Term | Panic], str]:
    """The values by call, and why some are missing."""
    values: dict[Asked, Term | Panic] = dict.fromkeys(run.refused, Panic("its own equality ignores a side"))
    repeated: dict[Asked, tuple[Term, ...]] = {}
    for one, text in zip(run.asked, found.terms, strict=False):
        try:
            term = read_term(text)
        except Panic as panic:
            values[one] = panic
            continue
        except ValueError:
            return values, f"the answer to {one.text} is no value"
        if one.again and len(term.parts) != len(one.again) + 1:
            return values, f"the answer to {one.text} is no value"
        values[one] = term.parts[-1] if one.again else term
        repeated[one] = term.parts[:-1]
    for one, terms in repeated.items():
        for earlier, term in zip(one.again, terms, strict=False):
            known = values.get(earlier)
            if isinstance(known, Term) and known != term and not equal(known, term):
                values[one] = Panic(f"{earlier.text} is {show(known)}, and {show(term)} when the test is run again")
    return values, "" if found.outcome is Outcome.PASSED else found.reason or str(found.outcome)


def _of_module(run: GoldRun, verdict: Verdict) -> GoldResult:
    """The result of a test module: every gold test passed, and the test harness itself reported that.

    Where other tests ran beside them, nobody can say which passed, and none counts.
    """
    ran = verdict.passed + verdict.failed + verdict.ignored
    passed = verdict.passed if ran == run.total else 0
    if verdict.test and verdict.genuine and passed == run.total:
        return GoldResult(passed, run.total, "", "tests")
    errors = [diagnostic.message for diagnostic in verdict.diagnostics if diagnostic.level == "error"]
    counts = (
        f"{ran} tests ran, and {run.total} are gold" if ran > run.total else f"{passed} of {run.total} gold tests pass"
    )
    return GoldResult(passed, run.total, verdict.reason or next(iter(errors), counts), "tests")


def _unbuilt(run: GoldRun, verdict: Verdict) -> Verdict | Answers:
    """What is said of gold tests that were not run, as their program does not build, or nobody knows whether it does.

    Nothing of the program's own tests is taken over: a program that does not build can have some that pass.
    """
    if verdict.build is None:  # its grading was stopped, or the host failed
        return _without_run(run, Outcome.HOST_ERROR, verdict.reason)
    errors = [found.message for found in verdict.diagnostics if found.level == "error"]
    reason = verdict.reason or ": ".join(["it does not compile", *errors[:1]])
    return _without_run(run, verdict.outcome, reason, verdict.diagnostics)


def _without_run(
    run: GoldRun, outcome: Outcome, reason: str, diagnostics: tuple[Diagnostic, ...] = ()
) -> Verdict | Answers:
    """What the sandbox would say of gold tests that it could not run."""
    if run.calls is not None:
        return Answers(outcome, diagnostics=diagnostics, reason=reason)
    outcome = Outcome.TEST_BUILD_ERROR if outcome is Outcome.BUILD_ERROR else outcome  # only tests are asked for
    return Verdict(outcome, diagnostics=diagnostics, reason=reason)
