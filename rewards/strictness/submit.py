"""Grades a program and, where its tests passed, examines what they depend on: one future for both.

Promises a verdict with evidence for every program whose pass may be strict, and that a program which cannot be
examined takes nothing but its own grade. Left out: judging.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError
from dataclasses import replace
from typing import Any, Protocol

from rewards.rust.parse import parse
from rewards.strictness.instrument import experiment
from rewards.strictness.judge import may_be_strict
from sandbox.errors import PoolClosed
from sandbox.evidence.experiment import Experiment
from sandbox.verdict import Evidence, Outcome, Verdict

__all__ = ["Submission"]

WAIVED = Evidence(Outcome.PASSED, waived=True)
log = logging.getLogger(__name__)


class _Pool(Protocol):
    """The part of `sandbox.workers.pool.SandboxPool` that a submission needs."""

    def submit(self, source: str) -> Future[Verdict]: ...
    def submit_experiment(self, experiment: Experiment) -> Future[Evidence]: ...
    def cancel(self, future: Future[Any], reason: str) -> None: ...


class Submission:
    """A program on its way: `future` gives its verdict with evidence."""

    def __init__(self, pool: _Pool, code: str, *, examine: bool = True, thorough: bool = False) -> None:
        """Send a program to the sandbox; returns at once.

        Args:
            pool: The pool that runs it.
            code: The program.
            examine: Whether to examine what its tests depend on; a pass counts as strict without that if not.
            thorough: Whether to try every change, for the mutation score.
        Raises:
            PoolClosed: The pool is closed.
        """
        self.future: Future[Verdict] = Future()
        self._pool, self._code, self._examine, self._thorough = pool, code, examine, thorough
        self._lock = threading.Lock()
        self._stopped = ""  # why no experiment is started any more
        self._running: Future[Any] = pool.submit(code)
        self._running.add_done_callback(self._graded)

    def cancel(self, reason: str) -> None:
        """Stop it, as `SandboxPool.cancel` does; one that is between grading and experiment starts no experiment."""
        with self._lock:
            self._stopped = reason
            running = self._running
        self._pool.cancel(running, reason)

    def _graded(self, done: Future[Verdict]) -> None:
        """Take the verdict, and start the experiment where the pass may be strict."""
        try:
            verdict = done.result()
        except CancelledError:
            self.future.cancel()
            return
        try:
            program = parse(self._code)
            if may_be_strict(program, verdict):
                self._settle(verdict)
            elif not self._examine:
                self._settle(replace(verdict, evidence=WAIVED))
            elif (made := experiment(self._code, program=program, thorough=self._thorough)) is None:
                nothing = Evidence(Outcome.NO_TESTS, reason="no assert, or nothing that could be changed")
                self._settle(replace(verdict, evidence=nothing))
            else:
                self._experiment(verdict, made)
        except PoolClosed:
            self.future.cancel()  # nobody's grade: the host ended
        except Exception as error:  # whatever a hostile program does to its reader costs its own grade alone
            log.warning("a program cannot be examined: %s: %s", type(error).__name__, error)
            self._settle(replace(verdict, evidence=Evidence(Outcome.BUILD_ERROR, reason=type(error).__name__)))

    def _experiment(self, verdict: Verdict, made: Experiment) -> None:
        """Start the experiment, unless the program was cancelled since its verdict came."""
        with self._lock:
            stopped = self._stopped
            if not stopped:
                self._running = running = self._pool.submit_experiment(made)
        if stopped:
            never = Evidence(Outcome.HOST_ERROR, reason=f"{stopped}: the experiment was never started")
            self._settle(replace(verdict, evidence=never))
        else:
            running.add_done_callback(lambda found: self._examined(verdict, found))

    def _examined(self, verdict: Verdict, done: Future[Evidence]) -> None:
        try:
            evidence = done.result()
        except CancelledError:
            self.future.cancel()
            return
        cpu_ms = round(verdict.cpu_ms + evidence.cpu_ms, 3)
        self._settle(replace(verdict, evidence=evidence, cpu_ms=cpu_ms))

    def _settle(self, verdict: Verdict) -> None:
        try:
            self.future.set_result(verdict)
        except InvalidStateError:
            pass  # cancelled meanwhile
