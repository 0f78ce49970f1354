"""What a completion is worth: cargo's verdict, the prompt's gold tests, and every reward with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grpo.rollout.records import Example
from grpo_rust.recipe import Recipe
from rewards.completion import GradedCompletion, Score
from rewards.gold.rows import has_gold_tests
from rewards.gold.run import GoldSubmission, gold_of, gold_run
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS
from rewards.rubric import RewardError, Rubric
from rewards.signature.applying import why_unfit
from rewards.signature.wording import prompt_text
from rewards.strictness.submit import Submission
from rewards.tasks.known import task_of
from rewards.tasks.task import Block
from sandbox.workers.pool import SandboxPool

__all__ = ["ChatJudge", "Judged"]


@dataclass(frozen=True)
class Judged:
    """A completion with its verdicts, and its scores by reward."""

    graded: GradedCompletion
    scores: dict[str, Score]


class ChatJudge:
    """Grades completions as an evaluation of the recipe does, and computes every reward there is."""

    def __init__(self, recipe: Recipe, pool: SandboxPool) -> None:
        """
        Args:
            recipe: Its rewards, with their weights; built-in ones that it does not name have the weight 0. Those that
                compare groups are left out, and `cargo_test_thorough` has the weight of `cross_test_thorough` as well,
                which pays the same where nobody judges.
            pool: Runs the programs.
        Raises: RewardError for a reward that cannot be loaded.
        """
        given = recipe.rewards.weights
        weights = dict.fromkeys(REWARDS, 0.0) | {name: given[name] for name in given if name not in GROUP_REWARDS}
        weights["cargo_test_thorough"] += given.get("cross_test_thorough", 0.0)
        self.rubric = Rubric(weights, function_s=recipe.rewards.function_s)
        self._mutation = recipe.guard.mutation
        self._block: Block = "last" if recipe.eval.code_block == "last" else "first"
        self._pool = pool

    def start(self, example: Example, text: str) -> PendingJudgement:
        """Send a completion to the sandbox; returns at once. Raises: ValueError for gold tests that cannot be read."""
        row = example.columns
        task = task_of(row)
        code = task.extract(text, row, self._block).code
        has_gold = has_gold_tests(row)
        unfit = why_unfit(task, code, row, prompt_text(example.messages)) if has_gold else None
        if code is None:
            return PendingJudgement(example, text, unfit)
        sent = Submission(self._pool, code, examine=self._mutation, thorough=self._mutation)
        run = gold_run(code, row) if has_gold and not unfit else None
        gold = GoldSubmission(run, self._pool, sent.future) if run is not None else None
        return PendingJudgement(example, text, unfit, sent, gold)

    def finish(self, pending: PendingJudgement) -> Judged:
        """Wait for the sandbox, and score."""
        verdict = pending.sent.future.result() if pending.sent is not None else None
        row, gold = pending.example.columns, None
        if has_gold_tests(row):
            run, found = (one.run, one.future.result()) if (one := pending.gold) is not None else (None, None)
            gold = gold_of(row, run, found, unfit=pending.unfit, own=verdict)
        graded = GradedCompletion(pending.text, verdict, gold, self._block, task_of(row), row)
        scores = self.rubric.score(graded)
        if self.rubric.has_user_functions:
            scores |= self._user_scores(pending, graded)
        others = {name for name, reward in REWARDS.items() if not reward.is_for(graded.task)}
        return Judged(graded, {name: scores[name] for name in self.rubric.weights if name not in others})

    def cancel(self, pending: PendingJudgement) -> None:
        """Stop a completion's programs; nobody waits for their verdicts."""
        if pending.sent is not None:
            pending.sent.cancel("interrupted")
        if pending.gold is not None:
            pending.gold.cancel("interrupted")

    def _user_scores(self, pending: PendingJudgement, graded: GradedCompletion) -> dict[str, Score]:
        """The scores of the user's own functions, called as the trainer calls them."""
        arguments: dict[str, list[Any]] = {
            "prompts": [[dict(message) for message in pending.example.messages]],
            "completions": [[{"role": "assistant", "content": pending.text}]],
            "completion_ids": [[]],
            "verdicts": [graded.verdict],
            **{name: [value] for name, value in pending.example.columns.items()},
        }
        try:
            values, _ = self.rubric.user_scores(arguments, 1)
        except RewardError as error:
            paid = [name for name in self.rubric.weights if name not in REWARDS]
            return {name: Score(None, str(error)) for name in paid}
        return {name: Score(value, "by your function") for name, (value,) in values.items()}


@dataclass(frozen=True)
class PendingJudgement:
    """A completion that is being graded."""

    example: Example
    text: str
    unfit: str | None  # as `why_unfit` says
    sent: Submission | None = None  # None without code
    gold: GoldSubmission | None = None
