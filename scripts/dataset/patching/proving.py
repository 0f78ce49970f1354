"""Runs drafts in the sandbox, and makes rows of those that hold what they promise."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dataset.patching.drafts import PatchDraft
from dataset.patching.failing_test import shown_failure, with_test
from rewards.gold.result import GoldResult
from rewards.gold.rows import gold_kind
from rewards.gold.run import gold_result, gold_run, submit_gold
from rewards.tasks.patch import FORMATS, PATCH, right_answer
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["proven"]

TOGETHER = 48  # drafts that are in the sandbox at once
KEPT, ASKED = 3, 4  # gold tests of a row at most, of each kind
Row = dict[str, Any]


def proven(
    drafts: Iterable[PatchDraft | str], pool: SandboxPool, *, format: str = "both", seed: int = 0
) -> Iterator[Row | str]:
    """A row for each draft, or why there is none, in words that can be counted.

    Args:
        drafts: Or reasons why there is none, which are handed on.
        pool: Runs them. One that keeps its verdicts answers at once what it was asked before, also after a stop.
        format: Of the answers, one of `FORMATS`, or "both": drawn for each row.
        seed: Of the draws.
    Raises: SandboxError, where the host cannot run them.
    """
    waiting = iter(drafts)
    while chunk := list(islice(waiting, TOGETHER)):
        sent = [one if isinstance(one, str) else _Trial(one, pool) for one in chunk]
        found = [one if isinstance(one, str) else one.result() for one in sent]
        shown = [one if isinstance(one, str) else _Shown(one, pool) for one in found]
        for one in shown:
            yield one if isinstance(one, str) else _row(one, format, seed)


@dataclass(frozen=True)
class _Fitting:
    """A draft of which a given program fits."""

    draft: PatchDraft
    given: str
    kept: Sequence[str]  # asserts that it passes
    asked: Sequence[str]  # asserts that it fails


class _Trial:
    """A draft in the sandbox."""

    def __init__(self, draft: PatchDraft, pool: SandboxPool) -> None:
        self._draft = draft
        self._whole = gold_kind({"rust_test_list": list(draft.asserts)}) == "cases"
        tried = draft.given if self._whole else ()
        self._right = _Gold(draft.right, draft.asserts, pool) if self._whole else None
        self._given = [_Gold(program, draft.asserts, pool) for program in tried]
        alone = draft.asserts[: draft.num_kept]  # the others do not compile before the patch
        self._alone = [_Gold(program, alone, pool) for program in tried if alone]

    def result(self) -> _Fitting | str:
        """The first given program that fits, or why there is none."""
        draft = self._draft
        right = None if self._right is None else self._right.result()
        if right is None or right.total != len(draft.asserts):
            return "gold tests that are not compared one by one outside the program"
        if not right.ok:
            return "the right program fails its gold tests"
        for place, program in enumerate(draft.given):
            passes = self._passes(place)
            kept = [one for one, passed in zip(draft.asserts, passes, strict=True) if passed]
            asked = [one for one, passed in zip(draft.asserts, passes, strict=True) if not passed]
            if kept and len(asked) > (draft.kind == "bug"):  # one of a bug's is shown
                return _Fitting(draft, program, kept, asked)
        return f"no given program of a {draft.kind} that passes some gold tests and fails others"

    def _passes(self, place: int) -> Sequence[bool]:
        """Which gold tests a given program passes."""
        found = self._given[place].result()
        passes = found.passes if found is not None else ()
        if self._alone:
            before = self._alone[place].result()
            passes = (*(before.passes if before is not None else ()), *passes[self._draft.num_kept :])
        return passes if len(passes) == len(self._draft.asserts) else [False] * len(self._draft.asserts)


class _Gold:
    """A program and asserts in the sandbox."""

    def __init__(self, program: str, asserts: Sequence[str], pool: SandboxPool) -> None:
        self._run = gold_run(program, {"rust_test_list": list(asserts)})
        self._future: Future[Any] | None = None if self._run is None else submit_gold(self._run, pool)

    def result(self) -> GoldResult | None:
        """What came of it; None where it cannot be run. Raises: SandboxError."""
        if self._run is None or self._future is None:
            return None
        found = self._future.result()
        if found.outcome is Outcome.HOST_ERROR:
            raise SandboxError(found.reason)
        return gold_result(self._run, found)


class _Shown:
    """A draft that fits; that of a bug has a failing test, which is on its way to the sandbox."""

    def __init__(self, proof: _Fitting, pool: SandboxPool) -> None:
        self.draft, self.given, self.right = proof.draft, proof.given, proof.draft.right
        self.kept, self.asked = list(proof.kept[:KEPT]), list(proof.asked)
        self._future = None
        if proof.draft.kind == "bug":
            check = next((one for one in self.asked if one.startswith("assert_eq!")), self.asked[0])
            self.asked.remove(check)
            self.given, self.right = with_test(self.given, check), with_test(self.right, check)
            self._future = pool.submit(self.given, phases=("test",))
        self.asked = self.asked[:ASKED]

    def request(self) -> str:
        """What is asked for; "" where the test does not fail as a terminal would show it."""
        if self._future is None:
            return self.draft.request
        verdict = self._future.result()
        if verdict.outcome is Outcome.HOST_ERROR:
            raise SandboxError(verdict.reason)
        failure = shown_failure(verdict.test_output) if verdict.failed == 1 else ""
        return failure and f"{self.draft.request}\n\nThis test fails:\n\n```\n{failure}\n```\n\nRepair the program."


def _row(shown: _Shown, format: str, seed: int) -> Row | str:
    """The row of a draft, whose right answer is read as a model's would be."""
    if not (request := shown.request()):
        return "a failing test that does not say how it fails"
    name = shown.draft.name
    chosen = random.Random(f"format {seed} {name}").choice(tuple(FORMATS)) if format == "both" else format
    row = {
        **{"task_id": name, "task": PATCH.name, "kind": shown.draft.kind, "format": chosen},
        **{"program": shown.given, "request": request, "reference": shown.right},
        **{"rust_test_list": [*shown.kept, *shown.asked], "kept": len(shown.kept)},
    }
    try:
        answer = right_answer(row)
    except ValueError:
        return "a change that search/replace blocks cannot say"
    if PATCH.row_problem(row) or PATCH.extract(answer, row, "first").code != shown.right:
        return "a right answer that is not read as the right program"
    return row
