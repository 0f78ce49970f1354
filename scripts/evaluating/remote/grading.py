"""Answers as graded groups: text goes to the grader as it is, without tokens and log-probabilities of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from grpo.evaluate import Evaluation, evaluation_metrics
from grpo.rollout.collect import PendingRollout, collect
from grpo.rollout.records import Completion, Example, Grader, Group
from remote_api.journal import Slot
from remote_api.reply import Answer

__all__ = ["grade_answers"]

AT_ONCE = 64  # completions handed over before their grades are waited for: the grader's deadline is for so many


def grade_answers(
    grader: Grader, examples: Sequence[Example], answers: Mapping[Slot, Answer], *, num_samples: int
) -> Evaluation:
    """Grade answers that are all there.

    Args:
        grader: Grades them.
        examples: The prompts.
        answers: By task and number.
        num_samples: Answers to each prompt.
    """
    started = time.perf_counter()
    groups: list[Group] = []
    size = max(1, AT_ONCE // num_samples)
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        completions: dict[tuple[int, int], Completion] = {}
        tickets: dict[tuple[int, int], Any] = {}
        for place, example in enumerate(chunk):
            for sample in range(num_samples):
                slot = (place, sample)
                completions[slot] = _completion(f"e-p{start + place:02d}-c{sample}", answers[example.id, sample])
                tickets[slot] = grader.start(example, completions[slot])
        groups += collect(PendingRollout(chunk, completions, tickets, 0.0), grader).groups
    metrics, counts = evaluation_metrics(groups)
    return Evaluation(tuple(groups), metrics, counts, time.perf_counter() - started)


def _completion(name: str, answer: Answer) -> Completion:
    """An answer as a completion without tokens."""
    return Completion(
        id=name,
        token_ids=(),
        sampler_logprobs=(),
        text=answer.text,
        terminated=answer.finish_reason != "length",
        policy_version=0,
        reported_tokens=answer.completion_tokens,
    )
