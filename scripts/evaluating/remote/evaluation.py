"""Evaluating a model behind an API: ask for all answers, then grade them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from evaluating.remote.grading import grade_answers
from evaluating.remote.journal import open_journal
from evaluating.remote.request import request_body
from grpo.evaluate import Evaluation
from grpo.rollout.records import Example
from grpo_rust.compose.graders import build_graders
from grpo_rust.compose.prompts import described
from grpo_rust.recipe import Recipe
from remote_api.asking import Prices, Questioner, ask_all, usage_of
from remote_api.endpoint import Endpoint
from remote_api.options import ApiOptions
from rewards.rubric import Rubric
from sandbox.service.grading_pool import GradingPool

__all__ = ["evaluate_remote"]


def evaluate_remote(
    recipe: Recipe,
    pool: GradingPool,
    examples: Sequence[Example],
    *,
    model: str,
    options: ApiOptions,
    protocol: Mapping[str, Any],
    journal: Path,
) -> tuple[Evaluation, dict[str, Any]]:
    """Ask a model behind an API, and grade what it answers.

    Args:
        recipe: How it is asked, and the rewards.
        pool: Grades the programs.
        examples: The prompts.
        model: The name that the API knows it by.
        options: How the API is reached.
        protocol: Of the evaluation; a journal of another one is refused.
        journal: Keeps the answers, from which the same command goes on after a stop.
    Returns: The evaluation, and what to record of how it was made.
    """
    body = request_body(recipe, options.body)
    header = {"model": model, "base_url": options.base_url, "body": body, "protocol": protocol}
    endpoint = Endpoint(options.base_url, model, options.key, options.timeout_s, options.retries)
    prices, samples = Prices(options.usd_in, options.usd_out), recipe.eval.samples
    jobs = [partial(_ask, example, sample) for example in examples for sample in range(samples)]
    with open_journal(journal, header) as kept:
        try:
            questioner = Questioner(endpoint, kept, body, prices, keep_raw=True)
            ask_all(questioner, jobs, num_answers=len(jobs), at_once=options.at_once)
        except BaseException:
            if kept.answers:
                print(
                    f"{journal} keeps {len(kept.answers)} answers: the same command goes on from there", file=sys.stderr
                )
            raise
        answers = dict(kept.answers)
    rubric = Rubric(recipe.rewards.weights, function_s=recipe.rewards.function_s)
    grader = build_graders(recipe, rubric, pool).evaluation
    evaluation = grade_answers(grader, examples, answers, num_samples=samples)
    tokens = usage_of(answers.values())
    usage = {**asdict(tokens), "usd": prices.usd(tokens)}
    asked = described(recipe, list(examples), gold=True)
    return evaluation, {"prompts_used": str(asked), "base_url": options.base_url, "body": body, "usage": usage}


def _ask(example: Example, sample: int, questioner: Questioner) -> None:
    """One of a prompt's completions."""
    questioner.ask((example.id, sample), example.messages)
