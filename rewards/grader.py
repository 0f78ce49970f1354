"""The trainer's grader: completions go to the sandbox as they end, grades come back by the batch.

Promises one grade per completion, in order, by a deadline. A failure of the host is logged as an error and scores None,
never 0. Left out: sums and advantages, which are the trainer's. `RustGrade` and `RustGrader` implement the protocols of
`grpo.rollout.records` without importing them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from rewards.builtin import gold as score_gold
from rewards.completion import GradedCompletion
from rewards.cross.parts import parts_of, spans_of
from rewards.cross.result import CrossSettings
from rewards.cross.row_suites import asked_of
from rewards.cross.submit import Crossings, group_of
from rewards.feedback import next_message
from rewards.gold.rows import has_gold_tests
from rewards.gold.run import GoldSubmission, gold_of, gold_run
from rewards.group_rewards import GradedGroup
from rewards.rubric import Rubric
from rewards.signature.applying import why_unfit
from rewards.signature.wording import prompt_text
from rewards.strictness.submit import Submission
from rewards.tasks.function import FUNCTION
from rewards.tasks.known import task_of
from rewards.tasks.task import Block, Task
from sandbox.service.grading_pool import BusyMean, GradingPool
from sandbox.verdict import Outcome, Verdict

__all__ = ["RustGrade", "RustGrader"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RustGrade:
    """The scores of one completion, and what else is known about it."""

    rewards: Mapping[str, float | None]  # score by reward function; None: it does not apply
    checks: Mapping[str, float | None] = field(default_factory=dict)  # named facts to average; None: unknown
    seconds: Mapping[str, float] = field(default_factory=dict)  # time by reward function
    verdict: Mapping[str, Any] = field(default_factory=dict)  # what `_record` keeps, as plain JSON values
    solved_by: str = "test_strict"  # the check that says whether the completion solves its prompt
    spans: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)  # characters of its parts
    host_failure: str | None = None  # why the sandbox could not say, so that no reward has a score; None where it could

    @property
    def solved(self) -> bool | None:
        """Whether the completion solves its prompt: it passes `solved_by`. None where that is not known."""
        passed = self.checks.get(self.solved_by)
        return None if passed is None else bool(passed)


class _Example(Protocol):
    """The part of `grpo.rollout.records.Example` that the grader reads."""

    @property
    def messages(self) -> Sequence[Mapping[str, str]]: ...
    @property
    def columns(self) -> Mapping[str, Any]: ...
    @property
    def tester_ids(self) -> Sequence[int]: ...


class _Completion(Protocol):
    """The part of `grpo.rollout.records.Completion` that the grader reads."""

    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def token_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class _Ticket:
    """A completion that is being graded."""

    example: _Example
    completion: _Completion
    task: Task
    submission: Submission | None  # None without code
    wants_gold: bool
    unfit: str | None  # as `why_unfit` says
    gold: GoldSubmission | None


@dataclass(frozen=True)
class _Compared:
    """What comparing it with its group says of a completion."""

    values: Mapping[str, float | None] = field(default_factory=dict)  # by reward
    seconds: float = 0.0
    host_failure: str | None = None  # as of `RustGrade`


class RustGrader:
    """Implements `grpo.rollout.records.Grader` with a rubric and a pool of sandboxes.

    A completion without code fails every check. One that the sandbox could not grade has rewards and checks of None.
    """

    def __init__(
        self,
        rubric: Rubric,
        pool: GradingPool,
        *,
        gold: bool = False,
        mutation: bool = True,
        block: Block = "first",
        solved_by: str = "test_strict",
        deadline_s: float = 300.0,
        credit_apart: bool = False,
        group_size: int = 0,
        testers: int = 0,
        cross: CrossSettings | None = None,
    ) -> None:
        """Set up a grader; nothing runs before `start`.

        Args:
            rubric: The reward functions and their weights.
            pool: The pool that runs the programs; the grader neither starts nor closes it.
            gold: Whether to run gold tests where the data has them even if no reward needs them.
            mutation: Whether to examine what passing tests depend on; a pass counts as strict without that if not.
            block: Which of a completion's code blocks is its program.
            solved_by: The check that says whether a completion solves its prompt: "gold" where the prompt's own tests
                decide, "test_strict" where the completion's do.
            deadline_s: The longest wait for the verdicts of a batch, seconds.
            credit_apart: Whether rewards that judge only the code or only the tests pay only its tokens.
            group_size: Completions of a prompt, for rewards that compare them; 0: those rewards are not computed, as in
                an evaluation.
            testers: Completions for tests alone, for each prompt that has `tester_ids`.
            cross: How they are compared.
        """
        self.weights = rubric.weights
        self.parts: Mapping[str, str] = rubric.parts if credit_apart else {}  # else every reward pays all tokens
        self._rubric = rubric
        self._pool = pool
        self._gold = gold or rubric.needs_gold
        self._mutation = mutation
        self._block = block
        self._solved_by = solved_by
        self._deadline_s = deadline_s
        self._cross = cross or CrossSettings()
        self._crossings = None
        if rubric.needs_crossing and group_size:
            sizes = {"group_size": group_size, "testers": testers, "partners": self._cross.partners}
            self._crossings = Crossings(pool, **sizes, block=block)
        self._busy = BusyMean()

    def start(self, example: _Example, completion: _Completion) -> _Ticket:
        """Send a completion to the sandbox; returns at once."""
        task = task_of(example.columns)
        code = task.extract(completion.text, example.columns, self._block).code
        wants_gold = self._gold and has_gold_tests(example.columns)
        unfit = why_unfit(task, code, example.columns, prompt_text(example.messages)) if wants_gold else None
        run = gold_run(code, example.columns) if wants_gold and code is not None and not unfit else None
        submission = self._submit(code) if code is not None else None
        gold = GoldSubmission(run, self._pool, submission.future) if run and submission else None
        if self._crossings is not None and "tests" in task.gives:
            asked = asked_of(example.messages, example.columns)
            has_testers = bool(example.tester_ids)
            self._crossings.add(completion.id, completion.text, submission, asked=asked, has_testers=has_testers)
        return _Ticket(example, completion, task, submission, wants_gold, unfit, gold)

    def add_tests(self, example: _Example, completion: _Completion) -> None:
        """Take tests that were written without any code; they judge the codes of the prompt's group."""
        if self._crossings is not None:
            self._crossings.add_tests(completion.id, completion.text)

    def forget(self, tickets: Sequence[_Ticket]) -> None:
        """Completions that are sampled again, groups as a whole: their groups are crossed when the others are there.

        Their programs run on: most are sampled again as they were, and others may wait for the same programs.
        """
        if self._crossings is not None:
            for group in {group_of(ticket.completion.id) for ticket in tickets}:
                self._crossings.forget(group)

    def finish(self, tickets: Sequence[_Ticket]) -> list[RustGrade]:
        """Wait for the verdicts, at most until the deadline, and score.

        A program that is not graded by then is named in the log and killed. It counts as a timeout, or, if the sandbox
        had not started it, as a failure of the host.

        Returns: One grade per ticket, in order.
        """
        deadline = time.monotonic() + self._deadline_s
        graded = [self._collect(ticket, deadline) for ticket in tickets]
        _log_failures(graded)
        user: dict[str, list[float | None]] = {}
        user_seconds = 0.0
        if self._rubric.has_user_functions:
            user, user_seconds = self._rubric.user_scores(_trl_arguments(tickets, graded), len(tickets))
        groups = self._group_scores(tickets, graded, deadline)
        grades = []
        for index, (completion, compared) in enumerate(zip(graded, groups, strict=True)):
            values, seconds = self._rubric.timed_score(completion)
            for name, scores in user.items():
                values[name], seconds[name] = scores[index], user_seconds
            values |= compared.values
            seconds |= dict.fromkeys(compared.values, compared.seconds)
            failure = self._host_failure(completion, compared)
            if failure is not None:
                values = dict.fromkeys(values)  # a sum without a paid part would count that as failed
            spans = _spans(completion) if self.parts else {}
            solved_by = self._solved_by if "tests" in completion.task.gives else "gold"
            checks, record = _checks(completion), _record(completion)
            grades.append(RustGrade(values, checks, seconds, record, solved_by, spans, failure))
        return grades

    def feedback(self, tickets: Sequence[_Ticket]) -> list[str | None]:
        """What a user says next of each completion, by its own program alone; waits as `finish` does, scores nothing.

        Returns: None where the program passes strictly, and where the sandbox could not say.
        """
        deadline = time.monotonic() + self._deadline_s
        verdicts = [self._own_verdict(ticket, deadline) for ticket in tickets]
        return [
            next_message(
                GradedCompletion(one.completion.text, verdict, None, self._block, one.task, one.example.columns)
            )
            for one, verdict in zip(tickets, verdicts, strict=True)
        ]

    def busy(self) -> float:
        """The seconds that the pool has spent grading, the mean over the workers that it had at the time."""
        return self._busy.told(self._pool.busy_s, self._pool.jobs)

    def _collect(self, ticket: _Ticket, deadline: float) -> GradedCompletion:
        """A ticket's completion with its verdicts."""
        verdict = self._own_verdict(ticket, deadline)
        row, gold = ticket.example.columns, None
        if ticket.wants_gold:
            found, run = self._wait_for_gold(ticket, deadline), ticket.gold.run if ticket.gold is not None else None
            gold = gold_of(row, run, found, unfit=ticket.unfit, own=verdict)
        return GradedCompletion(ticket.completion.text, verdict, gold, self._block, ticket.task, row)

    def _own_verdict(self, ticket: _Ticket, deadline: float) -> Verdict | None:
        """The verdict on a ticket's program with its own tests; None without code."""
        if (sent := ticket.submission) is None:
            return None
        verdict: Verdict = self._wait(sent.future, sent.cancel, ticket.completion.id, deadline)
        return verdict

    def _wait_for_gold(self, ticket: _Ticket, deadline: float) -> Any:
        """What the sandbox says of a ticket's gold tests; None where nothing was asked."""
        if (sent := ticket.gold) is None:
            return None
        return self._wait(sent.future, sent.cancel, f"{ticket.completion.id} (gold tests)", deadline)

    def _host_failure(self, completion: GradedCompletion, compared: _Compared) -> str | None:
        """Why the sandbox could not give all that is paid of a completion; None where it could."""
        if completion.ungraded or (completion.gold_ungraded and self._rubric.pays_gold):
            return completion.host_failure
        return compared.host_failure if self._rubric.pays_crossing else None

    def _group_scores(
        self, tickets: Sequence[_Ticket], graded: Sequence[GradedCompletion], deadline: float
    ) -> list[_Compared]:
        """What the rewards that compare a group's completions say of each."""
        found = [_Compared()] * len(tickets)
        if self._crossings is None:
            return found
        places: dict[str, list[int]] = {}
        for place, ticket in enumerate(tickets):
            if "tests" not in ticket.task.gives:
                continue
            places.setdefault(group_of(ticket.completion.id), []).append(place)
        for name, own in places.items():
            crossed = self._crossings.result(name, deadline, f"not crossed within {self._deadline_s:g} s")
            group = GradedGroup([graded[place] for place in own], crossed, self._cross)
            scores = self._rubric.group_scores(group)
            for number, place in enumerate(own):
                values = {reward: given[number] for reward, given in scores.items()}
                failure = crossed.reason if crossed.outcome is Outcome.HOST_ERROR else None
                found[place] = _Compared(values, crossed.cpu_ms / 1e3 / len(own), failure)
            if crossed.outcome is Outcome.HOST_ERROR:
                log.error("the sandbox failed to cross the group %s, which gets no score: %s", name, crossed.reason)
        return found

    def _submit(self, code: str) -> Submission:
        """Send a completion's program to the sandbox."""
        return Submission(self._pool, code, examine=self._mutation, thorough=self._rubric.needs_mutation_score)

    def _wait(self, future: Future[Any], cancel: Callable[[str], None], name: str, deadline: float) -> Any:
        """The verdict of a future, which is cancelled if it is not there by the deadline."""
        try:
            return future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            reason = f"not graded within the batch's deadline of {self._deadline_s:g} s"
            cancel(reason)
            verdict = future.result()
            log.warning("%s: %s; it is stopped and counts as a %s", name, reason, verdict.outcome)
            return verdict
        except CancelledError:
            return Verdict(Outcome.HOST_ERROR, reason="the sandbox was closed")


def _log_failures(graded: Sequence[GradedCompletion]) -> None:
    """Log as an error that the sandbox could not grade some completions: the run learns from fewer of them."""
    failed = [found.host_failure for found in graded if found.host_failure is not None]
    if failed:
        log.error(
            "the sandbox failed at %d of %d completions, whose rewards from it are unknown: %s",
            len(failed),
            len(graded),
            failed[0],
        )


def _checks(completion: GradedCompletion) -> dict[str, float | None]:
    """Named facts about a completion to average, 1 or 0 or a count; None for what is not known."""
    names = ("build", "clippy", "test", "test_strict", "gold", "gold_applicable", "asserts")
    task = completion.task
    facts = task.facts(completion.text, completion.row, completion.code)
    if completion.ungraded:
        return dict.fromkeys((*names, *facts))
    verdict, program = completion.verdict, completion.program
    phases = (verdict.build, verdict.clippy, verdict.test) if verdict is not None else (False, False, False)
    num_asserts = len({found.text for found in program.asserts}) if program is not None else 0
    values = (
        *map(float, map(bool, phases)),
        float(completion.judgement.strict),
        score_gold(completion).value,
        _applicable(completion),
        float(num_asserts),
    )
    known: dict[str, float | None] = dict(zip(names, values, strict=True))
    if "tests" not in task.gives:
        known |= dict.fromkeys(("test", "test_strict", "asserts"))
    if kind := task.kind(completion.row):
        facts = {**facts, **{f"{name}_{kind}": value for name, value in {"gold": known["gold"], **facts}.items()}}
    return {**known, **facts}


def _applicable(completion: GradedCompletion) -> float | None:
    """Whether gold tests apply; None where they always do, since the prompt tells what they call."""
    gold = completion.gold
    if gold is None or not gold.is_hidden or completion.gold_ungraded:
        return None
    return float(gold.result is None or not gold.result.inapplicable)


def _record(completion: GradedCompletion) -> dict[str, Any]:
    """What to keep of a completion: the sandbox's verdicts, the code, and the judge's reason."""
    record: dict[str, Any] = completion.verdict.to_json() if completion.verdict is not None else {}
    record |= {"code": completion.code, "strict_reason": completion.judgement.reason}
    if completion.task is not FUNCTION:
        record |= {"task": completion.task.name, "no_code": completion.no_code}
    if (gold := completion.gold) is not None and (gold.verdict is not None or gold.result is not None):
        record["gold"] = gold.verdict.to_json() if gold.verdict is not None else {}
        record["gold"] |= asdict(gold.result) if gold.result is not None else {}
        record["gold"].pop("terms", None)  # long, hostile text
    return record


def _spans(completion: GradedCompletion) -> dict[str, tuple[tuple[int, int], ...]]:
    """Where the code and the tests of a completion stand in its text; nothing where they are not two parts."""
    code, program = completion.code, completion.program
    parts = parts_of(code, program) if code is not None and program is not None else None
    return {} if parts is None or code is None else spans_of(completion.text, code, parts)


def _trl_arguments(tickets: Sequence[_Ticket], graded: Sequence[GradedCompletion]) -> dict[str, list[Any]]:
    """A batch as TRL passes it to a reward function."""
    columns = sorted({name for ticket in tickets for name in ticket.example.columns})
    return {
        "prompts": [[dict(message) for message in ticket.example.messages] for ticket in tickets],
        "completions": [[{"role": "assistant", "content": ticket.completion.text}] for ticket in tickets],
        "completion_ids": [list(ticket.completion.token_ids) for ticket in tickets],
        "verdicts": [completion.verdict for completion in graded],
        **{name: [ticket.example.columns.get(name) for ticket in tickets] for name in columns},
    }
