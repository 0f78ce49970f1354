"""Crosses groups while they are sampled: each as soon as all of its programs are graded.

A group is known by the ids of its completions, which end with the completion's number: "s3-p07-c2" is number 2 of the
group "s3-p07", and "s3-p07-t0" the first of its testers. A group that is sampled again, after its engine died, is to be
forgotten before. Promises that no thread waits, and that a group which cannot be crossed costs its own
rewards alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, NamedTuple, Protocol

from rewards.completion import GradedCompletion
from rewards.cross.plan import Plan, plan
from rewards.cross.result import CrossResult
from rewards.cross.row_suites import PromptFacts
from rewards.strictness.submit import Submission
from rewards.tasks.task import Block
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.errors import PoolClosed
from sandbox.verdict import Outcome

__all__ = ["Crossings", "GroupCrossing", "Pool", "group_of"]

log = logging.getLogger(__name__)


class Pool(Protocol):
    """The part of `sandbox.workers.pool.SandboxPool` that a crossing needs."""

    def submit_crossing(self, crossing: Crossing) -> Future[Crossed]: ...
    def cancel(self, future: Future[Any], reason: str) -> None: ...


class GroupCrossing:
    """A group on its way: `future` gives a `CrossResult`."""

    def __init__(self, pool: Pool, graded: Sequence[Future[Any]], group: Callable[[], Plan]) -> None:
        """Wait, without a thread, for the verdicts of a group, and cross it then.

        Args:
            pool: The pool that runs it.
            graded: The futures of the verdicts; without one the crossing starts at once.
            group: Called when all of them are done: what is to be run.
        """
        self.future: Future[CrossResult] = Future()
        self._pool, self._group = pool, group
        self._running: Future[Crossed] | None = None
        self._left = len(graded)
        self._lock = threading.Lock()
        for future in graded:
            future.add_done_callback(self._one_more)
        if not graded:
            self._start()

    def cancel(self, reason: str) -> None:
        """Stop it: its outcome is HOST_ERROR then."""
        self._settle(CrossResult(None, Outcome.HOST_ERROR, reason))
        with self._lock:
            running = self._running
        if running is not None:
            self._pool.cancel(running, reason)

    def _one_more(self, _: Future[Any]) -> None:
        with self._lock:
            self._left -= 1
            is_last = not self._left
        if is_last:
            self._start()

    def _start(self) -> None:
        try:
            made = self._group()
            if made.crossing is None:
                self._settle(CrossResult(made.matrix(None)))
            else:
                with self._lock:
                    if self.future.done():
                        return  # cancelled meanwhile
                    self._running = running = self._pool.submit_crossing(made.crossing)
                running.add_done_callback(lambda done: self._crossed(made, done))
        except (PoolClosed, CancelledError):
            self.future.cancel()  # nobody's grade: the host ended
        except Exception as error:  # whatever hostile programs do to their reader costs their own group alone
            log.warning("a group cannot be crossed: %s: %s", type(error).__name__, error)
            self._settle(CrossResult(None, reason=type(error).__name__))

    def _crossed(self, made: Plan, done: Future[Crossed]) -> None:
        try:
            crossed = done.result()
        except CancelledError:
            self.future.cancel()
            return
        if crossed.outcome is Outcome.PASSED:
            self._settle(CrossResult(made.matrix(crossed), cpu_ms=crossed.cpu_ms))
        else:
            self._settle(CrossResult(None, Outcome.HOST_ERROR, crossed.reason))

    def _settle(self, result: CrossResult) -> None:
        try:
            self.future.set_result(result)
        except InvalidStateError:
            pass  # cancelled meanwhile


class _Sent(NamedTuple):
    text: str
    submission: Submission | None  # None without code


class Crossings:
    """The groups that are being sampled and crossed, each used by one thread at a time."""

    def __init__(
        self, pool: Pool, *, group_size: int, testers: int = 0, partners: int = 0, block: Block = "first"
    ) -> None:
        """
        Args:
            pool: The pool that runs them.
            group_size: The number of completions of a whole group.
            testers: The number of its testers, where its prompt has any.
            partners: As in `rewards.cross.plan.plan`.
            block: Which of a completion's code blocks is its program.
        """
        self._pool, self._partners, self._block = pool, partners, block
        self._size, self._num_testers = group_size, testers
        self._tests: dict[str, dict[int, str]] = {}
        self._asked: dict[str, PromptFacts] = {}
        self._sampled: dict[str, dict[int, _Sent]] = {}
        self._crossing: dict[str, GroupCrossing] = {}

    def add(
        self,
        completion_id: str,
        text: str,
        submission: Submission | None,
        *,
        asked: PromptFacts = PromptFacts(),
        has_testers: bool = False,
    ) -> None:
        """Note a completion. The last one of a group whose prompt has no testers starts the crossing.

        Args:
            completion_id: Names its group.
            text: The completion.
            submission: Its program on its way; None without code.
            asked: What its prompt and its row say.
            has_testers: Whether tests of testers are going to come.
        """
        group, number = _split(completion_id)
        self._asked[group] = asked
        members = self._sampled.setdefault(group, {})
        members[number] = _Sent(text, submission)
        if len(members) == self._size and not (has_testers and self._num_testers):
            self._start(group)

    def add_tests(self, completion_id: str, text: str) -> None:
        """Note the completion of a tester; they come after the group's, and the last one starts the crossing."""
        group, number = _split(completion_id)
        tests = self._tests.setdefault(group, {})
        tests[number] = text
        if len(tests) == self._num_testers:
            self._start(group)

    def result(self, group: str, deadline: float, why: str) -> CrossResult:
        """What the crossing of a group gave, its completions in the order of their numbers. Forgets the group.

        Args:
            group: Its name: `group_of` one of its completions.
            deadline: By `time.monotonic`; a crossing that is not there by then is stopped.
            why: The reason that is given then.
        """
        if group not in self._crossing:
            self._start(group)  # fewer than a whole group
        crossing = self._crossing[group]
        self.forget(group)
        try:
            return crossing.future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            crossing.cancel(why)
            return crossing.future.result()
        except CancelledError:
            return CrossResult(None, Outcome.HOST_ERROR, "the sandbox was closed")

    def forget(self, group: str) -> None:
        """Know nothing of a group any more; a crossing of it that has started goes on."""
        for known in (self._crossing, self._sampled, self._tests, self._asked):
            known.pop(group, None)

    def _start(self, group: str) -> None:
        members = [member for _, member in sorted(self._sampled.get(group, {}).items())]
        futures = [member.submission.future for member in members if member.submission is not None]
        suites, names = self._asked.get(group, PromptFacts())
        testers = [text for _, text in sorted(self._tests.get(group, {}).items())]

        def planned() -> Plan:
            verdicts = [None if sent is None else sent.future.result() for _, sent in members]
            pairs = zip(members, verdicts, strict=True)
            graded = [GradedCompletion(member.text, verdict, block=self._block) for member, verdict in pairs]
            return plan(graded, testers, suites=suites, named=names, partners=self._partners, block=self._block)

        self._crossing[group] = GroupCrossing(self._pool, futures, planned)


def group_of(completion_id: str) -> str:
    """The name of a completion's group.

    >>> group_of("s3-p07-c2")
    's3-p07'
    """
    return _split(completion_id)[0]


def _split(completion_id: str) -> tuple[str, int]:
    group, _, last = completion_id.rpartition("-")
    return (group, int(last[1:])) if last[:1] in ("c", "t") and last[1:].isdecimal() else (completion_id, 0)
