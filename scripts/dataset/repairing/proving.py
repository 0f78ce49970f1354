"""What the sandbox says of right and of broken programs: everything that a row of a repair task claims."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from rewards.gold.run import GoldRun, gold_result, gold_run, submit_gold
from rewards.repairing.messages import errors_of
from sandbox.answers.answers import Answers
from sandbox.errors import SandboxError
from sandbox.verdict import Diagnostic, Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = ["Tried", "in_order", "try_program"]

WAITING = 64  # programs for each worker that wait for it: a batch compiles several of them together
LIMITS = (Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY)
Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Tried:
    """What is known of a program that was built, and run with gold tests where there are any."""

    builds: bool
    errors: tuple[Diagnostic, ...] = ()  # of the compiler
    gold: bool | None = None  # whether it passes the gold tests; None without any
    failures: str = ""  # what they said where it does not
    problem: str = ""  # why nothing can be said of it, in words that can be counted

    @property
    def codes(self) -> list[str]:
        """The codes of its errors, "" for one without."""
        return [error.code or "" for error in self.errors]


def try_program(code: str, gold: Mapping[str, Any], pool: SandboxPool) -> Callable[[], Tried]:
    """Send a program to the sandbox; returns at once.

    Args:
        code: The program.
        gold: Its gold tests by column; empty for none.
        pool: Runs it.
    Returns: A function that waits for what is found. Raises: SandboxError, where the host cannot run it.
    """
    built = pool.submit(code, phases=("build",))
    run = gold_run(code, gold) if gold else None
    sent = submit_gold(run, pool) if run is not None else None
    return lambda: _tried(built, run, sent, redefines=bool(gold) and run is None)


def in_order(given: Iterable[Given], start: Callable[[Given], Callable[[], Found]], jobs: int) -> Iterator[Found]:
    """The results of many programs, in order, with a bounded number of them on their way.

    >>> list(in_order([1, 2, 3], lambda number: lambda: number * number, jobs=1))
    [1, 4, 9]
    """
    waiting: deque[Callable[[], Found]] = deque()
    for one in given:
        waiting.append(start(one))
        if len(waiting) > WAITING * jobs:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _tried(built: Future[Verdict], run: GoldRun | None, sent: Future[Any] | None, *, redefines: bool) -> Tried:
    verdict = _result(built)
    errors = tuple(errors_of(verdict.diagnostics))
    if verdict.outcome in LIMITS:
        return Tried(False, errors, problem="the compiler reached a limit")
    if not verdict.build:
        if sent is not None:
            _result(sent)  # a failure of the host must not go unseen
        return Tried(False, errors, problem="" if errors else "it does not build, and the compiler has no error")
    if redefines:
        return Tried(True, problem="it redefines what the gold tests compare with")
    if run is None or sent is None:
        return Tried(True)
    found: Verdict | Answers = _result(sent)
    result = gold_result(run, found)
    said = found.test_output if isinstance(found, Verdict) else ""
    return Tried(True, gold=result.ok, failures="" if result.ok else said.strip() or result.reason)


def _result(future: Future[Any]) -> Any:
    """What the sandbox says. Raises: SandboxError, where the host failed."""
    found = future.result()
    if found.outcome is Outcome.HOST_ERROR:
        raise SandboxError(found.reason)
    return found
