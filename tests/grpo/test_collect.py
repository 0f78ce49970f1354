"""Groups come back complete and in order, every completion is graded as it ends, missing rewards stay missing."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from grpo.engines import EngineDied, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.model.policy import Policy
from grpo.rollout.collect import Rollout, collect, sample, seed_for
from grpo.rollout.records import Example, Group
from grpo.rollout.sums import reward_matrix, single_rewards, weighted_sum
from letter_grader import Grade, LetterGrader, encoded

EXAMPLES = [Example(name, ({"role": "user", "content": name},)) for name in ("alpha", "b")]


def run(policy: Policy, grader: LetterGrader, seed: int = 0) -> Rollout:
    policy.stop_ids = frozenset(range(0, len(policy.tokenizer), 3))  # completions of different lengths
    examples = encoded(EXAMPLES, policy.encode)
    params = SamplingParams(num_samples=3, max_tokens=10, temperature=1.0, seed=seed)
    pending = sample(HFEngine(policy), grader, policy.decode, examples, params, id_prefix="s4", policy_version=7)
    return collect(pending, grader)


def test_groups_are_complete_and_in_order(policy: Policy) -> None:
    groups = run(policy, LetterGrader()).groups
    assert [group.example.id for group in groups] == ["alpha", "b"]
    assert [c.id for group in groups for c in group.completions] == [f"s4-p0{p}-c{k}" for p in (0, 1) for k in range(3)]
    for group in groups:
        assert group.example.prompt_ids == policy.encode(group.example.messages)
        for completion, grade in zip(group.completions, group.grades, strict=True):
            assert completion.policy_version == 7
            assert completion.text == policy.decode(completion.token_ids)
            assert grade == LetterGrader()._grade(completion), "every completion has its own grade"


def test_completions_are_graded_in_the_order_they_end(policy: Policy) -> None:
    grader = LetterGrader()
    groups = run(policy, grader).groups
    lengths = {c.id: len(c.token_ids) for group in groups for c in group.completions}
    arrived = [lengths[completion_id] for completion_id in grader.started]
    assert arrived == sorted(arrived) and len(set(arrived)) > 1


def test_what_a_dead_engine_sampled_is_forgotten_and_nothing_else_is(policy: Policy) -> None:
    class DiesOfTheThird(HFEngine):
        def generate(self, *arguments: Any, **settings: Any) -> Iterator[GenerationOutput]:
            yield from islice(super().generate(*arguments, **settings), 2)
            raise EngineDied("out of memory")

    grader, params = LetterGrader(), SamplingParams(num_samples=3, max_tokens=10, temperature=1.0, seed=0)
    examples = encoded(EXAMPLES, policy.encode)
    with pytest.raises(EngineDied):
        dying = DiesOfTheThird(policy)
        sample(dying, grader, policy.decode, examples, params, id_prefix="s4", policy_version=7)
    assert grader.forgotten == grader.started and len(grader.started) == 2
    run(policy, grader)
    assert len(grader.forgotten) == 2 and len(grader.started) == 8


def test_testers_see_a_prompt_of_their_own_and_change_no_group(policy: Policy) -> None:
    policy.stop_ids = frozenset(range(0, len(policy.tokenizer), 3))
    plain = encoded(EXAMPLES, policy.encode)
    start = "fn f()"
    asked = replace(plain[1], tester_start=start, tester_ids=plain[1].prompt_ids + policy.encode_start(start))
    params, grader, alone = SamplingParams(3, 10, 1.0, seed=0), LetterGrader(), LetterGrader()
    settings: dict[str, Any] = {"id_prefix": "s4", "policy_version": 7}
    engine = HFEngine(policy)
    found = sample(engine, grader, policy.decode, [plain[0], asked], params, testers=2, **settings)
    assert found.completions == sample(engine, alone, policy.decode, plain, params, **settings).completions
    assert grader.started[: len(alone.started)] == alone.started and not alone.tests
    assert sorted(grader.tests) == ["s4-p01-t0", "s4-p01-t1"], "an example without a prompt for tests has no testers"
    assert all(text.startswith(start) for text in grader.tests.values())  # the token that ends a text is none of it
    assert max(map(len, grader.tests.values())) > len(start)


def test_testers_do_not_write_the_completions_again(policy: Policy) -> None:
    """Even where they have the same prompt, so that the same seed would give the same tokens."""
    [plain] = encoded(EXAMPLES[:1], policy.encode)
    grader, asked = LetterGrader(), replace(plain, tester_ids=plain.prompt_ids)
    params = SamplingParams(3, 10, 1.0, seed=0)
    settings: dict[str, Any] = {"id_prefix": "s4", "policy_version": 7, "testers": 3}
    found = collect(sample(HFEngine(policy), grader, policy.decode, [asked], params, **settings), grader)
    assert not set(grader.tests.values()) & {completion.text for completion in found.groups[0].completions}


def test_a_seed_gives_one_batch(policy: Policy) -> None:
    assert run(policy, LetterGrader(), seed=1).groups == run(policy, LetterGrader(), seed=1).groups
    assert run(policy, LetterGrader(), seed=1).groups != run(policy, LetterGrader(), seed=2).groups


@pytest.mark.parametrize(
    ("rewards", "total"),
    [
        ({"letters": 0.5, "short": 1.0}, 2.0),
        ({"letters": 0.5, "short": None}, 1.0),
        ({"letters": None, "short": None}, None),
        ({"letters": 0.0, "short": None}, 0.0),
    ],
)
def test_a_reward_that_does_not_apply_is_not_a_zero(rewards: dict[str, float | None], total: float | None) -> None:
    assert weighted_sum(Grade(rewards).rewards, LetterGrader.weights) == total


def test_the_reward_matrix_marks_missing_rewards(policy: Policy) -> None:
    groups = run(policy, LetterGrader()).groups
    object.__setattr__(groups[0], "rewards", (1.0, None, 2.0))
    matrix = reward_matrix(groups)
    assert matrix.shape == (2, 3)
    assert matrix[0, 0] == 1.0 and math.isnan(matrix[0, 1])


def test_seeds_differ_by_purpose_and_step() -> None:
    seeds = {seed_for(seed, purpose, step) for seed in (0, 1) for purpose in ("train", "eval") for step in range(50)}
    assert len(seeds) == 200 and all(0 <= seed < 2**63 for seed in seeds)


def test_a_completion_without_a_reward_has_no_single_rewards_either() -> None:
    """A stale completion keeps its grade and loses its reward."""
    grades = (Grade({"letters": 1.0, "short": None}), Grade({"letters": 0.5, "short": 2.0}))
    group = Group(Example("t", ()), (), grades, (2.0, None))
    scores = single_rewards([group], ["letters", "short"])
    assert scores.shape == (1, 2, 2) and scores[0, 0, 0] == 1.0
    assert scores.isnan().tolist() == [[[False, True], [True, True]]]
