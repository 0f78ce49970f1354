"""Rates, intervals and pass@k equal hand numbers; dependent completions do not narrow an interval."""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.evaluate import clustered_mean, evaluate, evaluation_metrics, pass_at_k
from grpo.rollout.records import Completion, Example, Group
from letter_grader import Grade, LetterGrader


def group(strict: list[float | None], rewards: list[float | None]) -> Group:
    completions = tuple(Completion(str(i), (1, 2, 3), (-1.0,) * 3, "", True, 0) for i in range(len(strict)))
    grades = tuple(
        Grade(rewards={}, solved=None if value is None else value > 0, checks={"test_strict": value, "gold": None})
        for value in strict
    )
    return Group(Example("t", ({"role": "user", "content": "p"},)), completions, grades, tuple(rewards))


def test_clustered_mean_of_single_observations_is_the_textbook_interval() -> None:
    values = [1.0, 0.0, 0.0, 1.0, 1.0]
    mean, half_width = clustered_mean([[value] for value in values])
    sample_variance = sum((value - 0.6) ** 2 for value in values) / 4
    assert mean == pytest.approx(0.6)
    assert half_width == pytest.approx(1.96 * math.sqrt(sample_variance / 5))


def test_copies_of_a_completion_are_no_evidence() -> None:
    once = clustered_mean([[1.0], [0.0], [1.0]])
    thrice = clustered_mean([[1.0] * 3, [0.0] * 3, [1.0] * 3])
    assert thrice == pytest.approx(once)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    generator, covered = random.Random(0), 0
    for _ in range(400):
        clusters = []
        for _ in range(60):
            chance = generator.choice([0.1, 0.9])  # completions to one prompt agree with each other
            clusters.append([float(generator.random() < chance) for _ in range(4)])
        mean, half_width = clustered_mean(clusters)
        covered += abs(mean - 0.5) <= half_width
    assert 0.91 <= covered / 400 <= 0.98


def test_nothing_known_is_not_a_number() -> None:
    assert all(map(math.isnan, clustered_mean([[], []])))
    mean, half_width = clustered_mean([[1.0, 0.0]])
    assert mean == 0.5 and math.isnan(half_width)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 1, 2), (5, 3, 2), (6, 0, 3), (6, 6, 1), (8, 2, 8)])
def test_pass_at_k_equals_counting_every_draw(n: int, c: int, k: int) -> None:
    draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_more_than_was_sampled_is_refused() -> None:
    with pytest.raises(ValueError, match="between 1 and the number of samples, 2"):
        pass_at_k(2, 1, 3)


def test_metrics_leave_out_what_nobody_knows() -> None:
    metrics, counts = evaluation_metrics([group([1.0, 0.0], [2.0, None]), group([None, 1.0], [None, 1.0])])
    assert metrics["eval/test_strict"] == pytest.approx(2 / 3)
    assert counts["test_strict"] == (2.0, 3)
    assert "eval/gold" not in metrics
    assert metrics["eval/reward_mean"] == 1.5
    assert metrics["eval/length_mean"] == 3.0
    assert metrics["eval/pass_at_1"] == pytest.approx((0.5 + 1.0) / 2)
    assert "eval/pass_at_2" not in metrics, "one prompt has only one completion that was graded"


def test_pass_at_k_is_over_the_prompts_for_which_something_is_known() -> None:
    metrics, _ = evaluation_metrics([group([1.0, 0.0], [1.0, 1.0]), group([None, None], [1.0, 1.0])])
    assert (metrics["eval/pass_at_1"], metrics["eval/pass_at_2"]) == (0.5, 1.0)


def test_a_chunk_is_graded_while_the_next_one_is_sampled() -> None:
    happened: list[str] = []

    class Noting(Engine):
        def generate(self, prompts: Any, params: SamplingParams) -> Iterator[GenerationOutput]:
            happened.append(f"sample {len(prompts)}")
            for number in range(len(prompts)):
                yield GenerationOutput(number, 0, (number,), (-1.0,), True)

    class Waiting(LetterGrader):
        def finish(self, tickets: Sequence[Completion]) -> list[Grade]:
            happened.append(f"wait for {len(tickets)}")
            return super().finish(tickets)

    prompts = [Example(name, ({"role": "user", "content": name},), prompt_ids=(1,)) for name in "abcde"]
    asked = {"id_prefix": "e", "max_rows": 2, "policy_version": 3}
    found = evaluate(Noting(), Waiting(), lambda ids: "text", prompts, SamplingParams(1, 8, 1.0, seed=0), **asked)
    assert happened == ["sample 2", "sample 2", "wait for 2", "sample 1", "wait for 2", "wait for 1"]
    assert [group.example.id for group in found.groups] == list("abcde") and found.counts["build"] == (5.0, 5)
    assert not evaluate(Noting(), Waiting(), lambda ids: "text", [], SamplingParams(1, 8, 1.0, seed=0), **asked).groups
