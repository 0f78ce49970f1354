"""Does a row's own program pass its own tests here, by the way that completions are judged by gold tests?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from rewards.gold.rows import gold_problem
from rewards.gold.run import GoldRun, gold_result, gold_run, submit_gold
from sandbox.answers.answers import Answers
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool

__all__ = ["check_rows"]

WAITING = 64  # programs for each worker that wait for it: a batch compiles several of them together
UNRESOLVED = ("E0432", "E0433")  # of rustc: a name of another crate, for one
REASONS = {
    Outcome.BUILD_ERROR: "code and tests do not compile",
    Outcome.TEST_BUILD_ERROR: "code and tests do not compile",
    Outcome.TIMEOUT: "a limit on time",
    Outcome.OUT_OF_MEMORY: "a limit on memory",
    Outcome.UNTRUSTED: "code that could write the report of its tests, as unsafe code and files",
    Outcome.FORGED: "code that writes what its tests report",
}


def check_rows(rows: Iterable[Mapping[str, Any]], pool: SandboxPool) -> Iterator[tuple[str, str]]:
    """For each row why its program fails its tests: words that can be counted, and the details; both "" if it passes.

    Args:
        rows: With `rust_code` and gold tests.
        pool: Runs them. One that keeps its verdicts answers at once what it was asked before, also after a stop.
    Raises: SandboxError, where the host cannot run them.
    """
    waiting: deque[tuple[GoldRun, Future[Any]] | tuple[str, str]] = deque()
    for row in rows:
        waiting.append(_sent(row, pool))
        while len(waiting) > WAITING * pool.jobs:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _sent(row: Mapping[str, Any], pool: SandboxPool) -> tuple[GoldRun, Future[Any]] | tuple[str, str]:
    """A row on its way to the sandbox, or why it does not go there."""
    if problem := gold_problem({"rust_test_list": row["rust_test_list"]}):
        return "tests that cannot be read", problem
    run = gold_run(str(row["rust_code"]), {"rust_test_list": row["rust_test_list"]})
    if run is None:
        return "code that redefines what its tests compare with", ""
    return run, submit_gold(run, pool)


def _result(sent: tuple[GoldRun, Future[Any]] | tuple[str, str]) -> tuple[str, str]:
    """What came of a row."""
    run, future = sent
    if isinstance(run, str) or isinstance(future, str):
        return str(run), str(future)
    found: Verdict | Answers = future.result()
    if found.outcome is Outcome.HOST_ERROR:
        raise SandboxError(found.reason)
    result = gold_result(run, found)
    if result.ok:
        return "", ""
    errors = [diagnostic for diagnostic in found.diagnostics if diagnostic.level == "error"]
    if errors and errors[0].code in UNRESOLVED:
        return "code that needs another crate, or an import that is not there", errors[0].message
    if errors and "`main`" in errors[0].message:
        return "code with a main of its own, which programs get here", errors[0].message
    detail = errors[0].message if errors else result.reason
    return REASONS.get(found.outcome, "a test fails"), detail
