"""The grader that the trainer talks to: answers go to the sandbox as they end, grades come back by the batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rewards.builtin import gold as score_gold
from rewards.completion import Gold, GradedCompletion
from rewards.gold import GoldProgram, gold_program, has_gold_tests
from rewards.grade import Grade
from rewards.rubric import Rubric
from rewards.rust.parse import extract_code
from rewards.strictness.mutation import grade_mutants
from sandbox import Outcome, SandboxPool, Verdict

__all__ = ["RustGrader"]

log = logging.getLogger(__name__)


class _Example(Protocol):
    """What is read of an example; `grpo.rollout.records.Example` has it."""

    @property
    def messages(self) -> Sequence[Mapping[str, str]]: ...
    @property
    def columns(self) -> Mapping[str, Any]: ...


class _Completion(Protocol):
    """What is read of a completion; `grpo.rollout.records.Completion` has it."""

    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def token_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class _Ticket:
    """An answer that is being graded."""

    example: _Example
    completion: _Completion
    verdict: Future[Verdict] | None  # None: there is no code
    wants_gold: bool
    gold_program: GoldProgram | None
    gold_verdict: Future[Verdict] | None


class RustGrader:
    """Implements `grpo.rollout.records.Grader` with a rubric and a pool of sandboxes.

    An answer without code fails every check. One that the sandbox could not grade has rewards and checks of None.
    """

    def __init__(
        self,
        rubric: Rubric,
        pool: SandboxPool,
        *,
        gold: bool = False,
        mutation: bool = False,
        deadline_s: float = 300.0,
    ) -> None:
        """Args: gold, whether gold tests are run where the data has them; mutation, whether tests that pass strictly
        are run again on mutants of the program, and must fail; deadline_s, the longest wait for a batch.
        """
        self.weights = rubric.weights
        self._rubric = rubric
        self._pool = pool
        self._gold = gold or "gold" in rubric.weights
        self._mutation = mutation
        self._deadline_s = deadline_s

    def start(self, example: _Example, completion: _Completion) -> _Ticket:
        """Send an answer to the sandbox; returns at once."""
        code = extract_code(completion.text)
        wants_gold = self._gold and has_gold_tests(example.columns)
        gold = gold_program(code, example.columns) if wants_gold and code is not None else None
        return _Ticket(
            example,
            completion,
            self._pool.submit(code) if code is not None else None,
            wants_gold,
            gold,
            self._pool.submit(gold.source, phases=("test",)) if gold is not None else None,
        )

    def finish(self, tickets: Sequence[_Ticket]) -> list[Grade]:
        """Wait for the verdicts, at most until the deadline, and score; one grade a ticket, in order.

        A program that is not graded by then is named in the log and killed; it counts as a timeout, or, if the sandbox
        never came to it, as one that the host could not grade.
        """
        deadline = time.monotonic() + self._deadline_s
        answers = [self._answer(ticket, deadline) for ticket in tickets]
        if self._mutation:
            answers = self._with_mutants(tickets, answers, deadline)
        _tell_failures(answers)
        own: dict[str, list[float | None]] = {}
        own_seconds = 0.0
        if self._rubric.has_own:
            own, own_seconds = self._rubric.own_scores(_arguments(tickets, answers), len(tickets))
        grades = []
        for index, answer in enumerate(answers):
            values, seconds = self._rubric.timed_score(answer)
            for name, scores in own.items():
                values[name], seconds[name] = scores[index], own_seconds
            if answer.ungraded or (answer.gold_ungraded and self.weights.get("gold")):
                values = dict.fromkeys(values)  # a sum without its paid gold tests would count them as failed
            grades.append(Grade(values, _checks(answer), seconds, _record(answer)))
        return grades

    def busy(self) -> float:
        """Seconds since the start in which the pool was grading, the mean over its workers."""
        return self._pool.busy_s / self._pool.jobs

    def _answer(self, ticket: _Ticket, deadline: float) -> GradedCompletion:
        """A ticket with its verdicts."""
        name = ticket.completion.id
        verdict = self._wait(ticket.verdict, name, deadline)
        gold = None
        if ticket.wants_gold:
            gold = Gold(ticket.gold_program, self._wait(ticket.gold_verdict, f"{name} (gold tests)", deadline))
        return GradedCompletion(ticket.completion.text, verdict, gold)

    def _with_mutants(
        self, tickets: Sequence[_Ticket], answers: Sequence[GradedCompletion], deadline: float
    ) -> list[GradedCompletion]:
        """The answers, strict passes with the verdicts on their mutants."""
        strict = {place: answer for place, answer in enumerate(answers) if answer.judgement.strict}
        passes = {place: answer.code for place, answer in strict.items() if answer.code}

        def wait(place: int, future: Future[Verdict]) -> Verdict | None:
            return self._wait(future, f"{tickets[place].completion.id} (mutant)", deadline)

        mutants = grade_mutants(passes, self._pool, wait)
        return [replace(answer, mutants=mutants.get(place, ())) for place, answer in enumerate(answers)]

    def _wait(self, future: Future[Verdict] | None, name: str, deadline: float) -> Verdict | None:
        """A verdict, by the deadline or never."""
        if future is None:
            return None
        try:
            return future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            reason = f"not graded within the batch's deadline of {self._deadline_s:g} s"
            self._pool.cancel(future, reason)
            verdict = future.result()
            log.warning("%s: %s; it is stopped and counts as a %s", name, reason, verdict.outcome)
            return verdict
        except CancelledError:
            return Verdict(Outcome.HOST_ERROR, reason="the sandbox was closed")


def _tell_failures(answers: Sequence[GradedCompletion]) -> None:
    """Be loud about answers that the sandbox could not grade: a run that goes on without them learns from fewer."""
    verdicts = [verdict for answer in answers for verdict in (answer.verdict, answer.gold and answer.gold.verdict)]
    failed = [verdict for verdict in verdicts if verdict and verdict.outcome is Outcome.HOST_ERROR]
    if failed:
        count, reason = len(failed), failed[0].reason
        log.error(
            "the sandbox failed at %d programs of %d answers, which get no score: %s", count, len(answers), reason
        )


def _checks(answer: GradedCompletion) -> dict[str, float | None]:
    """The facts to average over answers."""
    names = ("build", "clippy", "test", "test_strict", "gold", "asserts")
    if answer.ungraded:
        return dict.fromkeys(names)
    verdict = answer.verdict
    said = (verdict.build, verdict.clippy, verdict.test) if verdict is not None else (False, False, False)
    num_asserts = len({found.text for found in answer.program.asserts}) if answer.program is not None else 0
    values = (
        *map(float, map(bool, said)),
        float(answer.judgement.strict),
        score_gold(answer).value,
        float(num_asserts),
    )
    return dict(zip(names, values, strict=True))


def _record(answer: GradedCompletion) -> dict[str, Any]:
    """What is kept of a grading."""
    record: dict[str, Any] = answer.verdict.to_json() if answer.verdict is not None else {}
    record |= {"code": answer.code, "strict_reason": answer.judgement.reason}
    if answer.gold is not None and answer.gold.verdict is not None:
        record["gold"] = answer.gold.verdict.to_json()
    return record


def _arguments(tickets: Sequence[_Ticket], answers: Sequence[GradedCompletion]) -> dict[str, list[Any]]:
    """A batch as TRL hands it to a reward function."""
    columns = sorted({name for ticket in tickets for name in ticket.example.columns})
    return {
        "prompts": [[dict(message) for message in ticket.example.messages] for ticket in tickets],
        "completions": [[{"role": "assistant", "content": ticket.completion.text}] for ticket in tickets],
        "completion_ids": [list(ticket.completion.token_ids) for ticket in tickets],
        "verdicts": [answer.verdict for answer in answers],
        **{name: [ticket.example.columns.get(name) for ticket in tickets] for name in columns},
    }
