"""Rewards that pay one part of a completion: what each token earns, its advantage and its gradient; runs with parts.

The numbers are worked out by hand or by a loop; a run with parts resumes and replays to the same bits as one without.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from grpo.advantages import ADVANTAGES, gdpo_advantages, group_advantages
from grpo.checkpoint.updater_state import load_trainer_state
from grpo.loss import LOSSES
from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy, load_policy
from grpo.objective import Objective, bind
from grpo.rollout.records import UNPAID, Completion, Example, Group
from grpo.rollout.sums import paid_parts, part_matrix, part_sums, zero_std_groups
from grpo.rollout.token_parts import NO_PART, token_advantages
from grpo.schema import ConfigError
from grpo.trainer import Trainer
from grpo.update import NonFiniteLoss, training_samples
from grpo.watch.replaying import read_batch, replay, samples_of
from letter_grader import Grade, LetterGrader
from test_objective import VALUES
from test_trainer import OBJECTIVE, lines, make_trainer, new_run, resume, train
from test_update import SAMPLES, captured_gradient, loop_gradient, make_updater, weights
from test_watch import watch

TOLERANCE = 1e-7  # fp32 gradients of the same sums
CODE, TESTS = "code", "tests"


class Halves(LetterGrader):
    """The first half of a text is code, the second tests, its last character neither; each is paid for its symbols."""

    weights = {"code_symbols": 2.0, "test_symbols": 1.0, "short": 0.5}
    parts: Mapping[str, str] = {"code_symbols": CODE, "test_symbols": TESTS}

    def _grade(self, completion: Completion) -> Grade:
        text, half = completion.text, len(completion.text) // 2
        spans = {CODE: [(0, half)], TESTS: [(half, max(half, len(text) - 1))]}
        code, tests = (sum(ord(c) % 5 for c in text[s:e]) / max(1, e - s) for [(s, e)] in spans.values())
        rewards = {"code_symbols": code, "test_symbols": tests, "short": None if completion.terminated else 0.0}
        return Grade(rewards, None, spans=spans)


class OnlyTests(Halves):
    """Tests are paid, and nothing else."""

    weights = {"code_symbols": 0.0, "test_symbols": 1.0, "short": 0.0}


def group(grades: Sequence[Grade], grader: object, *, unscored: Sequence[int] = ()) -> Group:
    sums = part_sums(grades, grader)
    rewards = tuple(None if k in unscored else 0.0 for k in range(len(grades)))
    return Group(Example("p", (), prompt_ids=(1,)), (), tuple(grades), rewards, sums)


# Sums


def test_each_part_earns_what_pays_all_and_what_pays_it() -> None:
    grader = Halves()
    grades = [
        Grade({"code_symbols": 0.5, "test_symbols": 0.25, "short": 1.0}),
        Grade({"code_symbols": None, "test_symbols": 1.0, "short": None}),
    ]
    assert paid_parts(grader) == (CODE, TESTS, UNPAID)
    assert part_sums(grades, grader) == {CODE: (1.5, None), TESTS: (0.75, 1.0), UNPAID: (0.5, None)}
    matrix = part_matrix([group(grades, grader)])
    assert matrix is not None and matrix.nan_to_num(nan=-1).tolist() == [[[1.5, 0.75, 0.5], [-1.0, 1.0, -1.0]]]
    stale = part_matrix([group(grades, grader, unscored=[0])])
    assert stale is not None and stale[0, 0].isnan().all() and stale[0, 1, 1] == 1.0


def test_without_a_paid_part_there_are_none() -> None:
    free = type("Free", (Halves,), {"weights": {"code_symbols": 0.0, "test_symbols": 0.0, "short": 1.0}})()
    assert paid_parts(free) == () and part_sums([Grade({"short": 1.0})], free) == {}
    assert part_matrix([group([Grade({"short": 1.0})], free)]) is None


@pytest.mark.parametrize(
    ("scores", "spans", "is_zero"),
    [
        ([(1.0, 1.0), (1.0, 1.0)], {CODE: [(0, 1)], TESTS: [(1, 2)]}, True),
        ([(1.0, 0.0), (0.5, 1.0)], {CODE: [(0, 1)], TESTS: [(1, 2)]}, False),  # the sums are 2 and 2
        ([(1.0, 0.0), (0.5, 1.0)], {}, True),  # and no token tells them apart
    ],
)
def test_a_group_teaches_nothing_if_none_of_its_parts_does(
    scores: list[tuple[float, float]], spans: dict[str, list[tuple[int, int]]], is_zero: bool
) -> None:
    grades = [Grade({"code_symbols": code, "test_symbols": tests}, spans=spans) for code, tests in scores]
    assert zero_std_groups([group(grades, Halves())]).tolist() == [is_zero]


# Gradients


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_equal_advantages_by_token_give_the_gradient_of_one_by_completion(
    make_policy: Callable[..., Policy], name: str
) -> None:
    function, aggregation = LOSSES[name]
    objective = Objective(bind(function, VALUES), aggregation, max_tokens=16, temperature=0.8, off_policy_max_kl=3.0)
    by_token = [dataclasses.replace(s, token_advantages=(s.advantage,) * len(s.completion_ids)) for s in SAMPLES]
    one, other = (captured_gradient(make_policy(), samples, objective=objective) for samples in (SAMPLES, by_token))
    assert torch.allclose(one, other, atol=TOLERANCE, rtol=0) and one.norm() > 1000 * TOLERANCE


def test_the_gradient_is_that_of_a_loop_over_tokens(make_policy: Callable[..., Policy]) -> None:
    """A completion whose tokens have advantages 1, 0, -2, 0.5 is the sum of four in which one token has one."""
    values = (1.0, 0.0, -2.0, 0.5)
    parted = [dataclasses.replace(SAMPLES[0], advantage=9.0, token_advantages=values), *SAMPLES[1:]]
    gradient = captured_gradient(make_policy(), parted, micro_batch_tokens=9)
    expected = loop_gradient(make_policy(), [dataclasses.replace(SAMPLES[0], advantage=0.0), *SAMPLES[1:]], 0.8)
    policy, total = make_policy(), sum(len(sample.completion_ids) for sample in SAMPLES)
    logits = policy.model(torch.tensor([SAMPLES[0].token_ids])).logits[0] / 0.8
    logprobs = logits[2:-1].log_softmax(-1)[range(4), list(SAMPLES[0].completion_ids)]
    loss = -(torch.tensor(values) * logprobs).sum() / total
    expected += torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(policy.model.parameters()))])
    assert torch.allclose(gradient, expected, atol=2e-6, rtol=1e-3)
    assert not torch.allclose(gradient, captured_gradient(make_policy(), SAMPLES), atol=2e-6, rtol=1e-3)


def test_a_completion_whose_tokens_all_have_none_costs_nothing(policy: Policy) -> None:
    zero = dataclasses.replace(SAMPLES[0], advantage=1.0, token_advantages=(0.0,) * 4)
    assert make_updater(policy).minibatch([zero, *SAMPLES[1:]]).kept == [1, 3]


def test_clipped_tokens_are_counted_by_the_sign_of_their_own_advantage(policy: Policy) -> None:
    sample = dataclasses.replace(SAMPLES[0], token_advantages=(1.0, 1.0, 0.0, -1.0))
    updater = make_updater(policy, num_iterations=2, schedule=lambda update: 0.0)
    minibatch = updater.minibatch([sample])
    updater.prepare(minibatch, alone=False)
    (old,) = minibatch.old
    old.logprobs[:] -= torch.tensor([1.0, 0.0, 1.0, -1.0])  # ratios e, 1, e, 1 / e
    (part,) = updater.measure(minibatch)
    assert (part["clipped_high"].item(), part["clipped_low"].item()) == (1, 1)


# Runs


def parted(path: Path, make: Callable[..., Policy], grader: LetterGrader, **settings: Any) -> tuple[Policy, Trainer]:
    """A run of a few steps, its policy and its trainer."""
    policy = make()
    with new_run(path) as run:
        trainer = make_trainer(policy, run, evaluates=False, grader=grader, **settings)
        train(trainer)
    return policy, trainer


def first_batch(make: Callable[..., Policy], path: Path, grader: LetterGrader, **settings: Any) -> tuple[Any, Trainer]:
    """The samples that the first update of a run learns from."""
    seen: list[list[TrainingSample]] = []
    with new_run(path) as run:
        trainer = make_trainer(make(), run, evaluates=False, grader=grader, num_steps=1, **settings)
        update = trainer.updater.update
        trainer.updater.update = lambda samples: seen.append(samples) or update(samples)
        train(trainer)
    return seen[0], trainer


def test_only_the_tokens_of_the_paid_part_and_of_none_get_gradient(
    make_policy: Callable[..., Policy], tmp_path: Path
) -> None:
    samples, trainer = first_batch(make_policy, tmp_path / "run", OnlyTests())
    decode, learned = make_policy().decode, 0
    for sample in samples:
        text, ends = decode(sample.completion_ids), []
        for count in range(len(sample.completion_ids)):
            ends.append(len(decode(sample.completion_ids[: count + 1])))
        half = len(text) // 2
        for end, value in zip(ends, sample.token_advantages, strict=True):
            assert value == (0.0 if 0 < end <= half else sample.advantage), "tests, no part, and whole are one sum here"
        learned += any(sample.token_advantages)
    assert learned
    batch = trainer.updater.minibatch(samples).batches[0]
    logprobs = torch.zeros(batch.mask.shape, requires_grad=True)
    trainer.updater.objective.loss(
        batch, logprobs, logprobs.detach(), logprobs.detach(), None, torch.ones(len(batch.rows)), token_weight=1.0
    )[0].backward()
    assert logprobs.grad is not None and ((logprobs.grad != 0) == (batch.advantages != 0)).all()
    assert 0 < (batch.advantages != 0).sum() < batch.mask.sum()


@pytest.mark.parametrize("advantages", [*ADVANTAGES, "gdpo"])
def test_each_part_is_compared_with_that_part_of_the_group(
    make_policy: Callable[..., Policy], tmp_path: Path, advantages: str
) -> None:
    grader = Halves()
    parted(tmp_path / "run", make_policy, grader, num_steps=1, advantages=advantages)
    logged = lines(tmp_path / "run" / "completions.jsonl")
    scores: dict[str, list[float]] = {name: [] for name in grader.weights}
    for line in logged:
        for name, score in line["rewards"].items():
            scores[name].append(math.nan if score is None else score)
    columns = {name: torch.tensor(values).reshape(2, 4) for name, values in scores.items()}
    for part, own in ((CODE, "code_symbols"), (TESTS, "test_symbols")):
        names = [own, "short"]
        if advantages == "gdpo":
            paid = torch.tensor([grader.weights[name] for name in names])
            expected = gdpo_advantages(torch.stack([columns[name] for name in names], dim=2), paid)
        else:
            total = sum(grader.weights[name] * columns[name].nan_to_num() for name in names)
            expected = ADVANTAGES[advantages](total)
        found = [line["part_advantages"][part] for line in logged]
        assert found == pytest.approx(expected.flatten().tolist(), abs=1e-4)
        assert any(found)


def test_a_kl_in_the_reward_is_taken_off_every_part(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    objective = dataclasses.replace(OBJECTIVE, kl_beta=0.5, kl_estimate="k1", kl_in_reward=True)
    settings = {"objective": objective, "reference": make_policy(seed=1), "advantages": "none", "num_steps": 1}
    parted(tmp_path / "with", make_policy, Halves(), **settings)
    plain = {"advantages": "none", "num_steps": 1}
    parted(tmp_path / "without", make_policy, Halves(), **plain)
    charged, free = (lines(tmp_path / name / "completions.jsonl") for name in ("with", "without"))
    taken: list[list[float]] = [[], [], []]
    for one, other in zip(charged, free, strict=True):
        assert one["text"] == other["text"]
        taken[0].append(one["advantage"] - other["advantage"])
        for place, part in ((1, CODE), (2, TESTS)):
            taken[place].append(one["part_advantages"][part] - other["part_advantages"][part])
    assert taken[1] == pytest.approx(taken[0], abs=1e-5) and taken[2] == pytest.approx(taken[0], abs=1e-5)
    assert max(map(abs, taken[0])) > 0.1


def test_a_grader_without_spans_trains_as_without_parts(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    class Spanless(Halves):
        def _grade(self, completion: Completion) -> Grade:
            return dataclasses.replace(super()._grade(completion), spans={})

    class Partless(Halves):
        parts: Mapping[str, str] = {}

    ends = [
        weights(parted(tmp_path / kind.__name__, make_policy, kind(), num_steps=3)[0])
        for kind in (Spanless, Partless, Halves)
    ]
    assert torch.allclose(ends[0], ends[1], atol=1e-6) and not torch.allclose(ends[0], ends[2], atol=1e-4)


def test_a_loss_that_mixes_the_tokens_is_refused_with_parts(policy: Policy, tmp_path: Path) -> None:
    gspo, token = (
        Objective(bind(LOSSES[name][0], VALUES), "sequence", max_tokens=8, temperature=1.0)
        for name in ("luspo", "gspo_token")
    )
    with new_run(tmp_path / "run") as run:
        with pytest.raises(ConfigError, match='loss.name = "gspo_token"'):
            make_trainer(policy, run, grader=Halves(), objective=gspo)
        make_trainer(policy, run, grader=Halves(), objective=token)
        make_trainer(policy, run, grader=LetterGrader(), objective=gspo)


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_run_with_parts_resumes_to_the_same_bits(
    make_policy: Callable[..., Policy], tmp_path: Path, ahead: int
) -> None:
    settings = {"evaluates": False, "ahead": ahead, "num_steps": 4}
    whole, _ = parted(tmp_path / "whole", make_policy, Halves(), ahead=ahead, num_steps=4)
    with new_run(tmp_path / "parts") as run:
        assert not train(make_trainer(make_policy(), run, grader=Halves(), **settings), stop_after=2)
    trainer, first_step = resume(make_trainer, tmp_path / "parts", grader=Halves(), **settings)
    assert train(trainer, first_step=first_step)
    assert torch.equal(weights(trainer.updater.policy), weights(whole))
    one, other = (lines(tmp_path / name / "completions.jsonl") for name in ("whole", "parts"))
    assert [line["part_advantages"] for line in one] == [line["part_advantages"] for line in other]


def test_a_stopped_step_with_parts_is_made_again(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    class Overflowing(Halves):
        def _grade(self, completion: Completion) -> Grade:
            grade = super()._grade(completion)
            return dataclasses.replace(grade, rewards={**grade.rewards, "code_symbols": 1e37 * len(completion.text)})

    with new_run(tmp_path / "run") as run:
        settings = {"evaluates": False, "advantages": "none", "watching": watch()}
        trainer = make_trainer(make_policy(), run, grader=Overflowing(), **settings)
        with pytest.raises(NonFiniteLoss):
            train(trainer)
    dump = tmp_path / "run" / "dumps" / "step-000001"
    record = read_batch(dump)
    made = record["groups"][0]["completions"][0]
    half = len(made["text"]) // 2
    assert made["spans"] == {CODE: [[0, half]], TESTS: [[half, max(half, len(made["text"]) - 1)]]}
    assert len(made["token_advantages"]) == len(made["token_ids"])
    assert trainer.updater.attempt is not None
    samples, _ = samples_of(record)
    assert json.dumps([s.token_advantages for s in samples]) == json.dumps(
        [s.token_advantages for s in trainer.updater.attempt.minibatch.samples]
    )
    updater = make_updater(load_policy(str(dump), device=torch.device("cpu"), compute_dtype="float32"), OBJECTIVE)
    updater._max_grad_norm = 1.0
    load_trainer_state(dump, updater)
    again = replay(updater, record)
    assert again.differences == [] and not math.isfinite(again.grad_norm)


def test_samples_have_the_advantage_of_each_tokens_part() -> None:
    completions = tuple(Completion(f"c{k}", (1, 2, 3), (0.0,) * 3, "abc", True, 0) for k in range(2))
    grades = (Grade({"code_symbols": 1.0, "test_symbols": 1.0}), Grade({"code_symbols": 0.0, "test_symbols": 1.0}))
    made = Group(
        Example("p", (), prompt_ids=(7,)),
        completions,
        grades,
        (3.0, 1.0),
        part_sums(grades, Halves()),
        ((0, 1, NO_PART), (NO_PART, 0, 0)),
    )
    whole = group_advantages(torch.tensor([[3.0, 1.0]]))
    by_part = torch.tensor([[[0.5, 0.25, 0.0], [-0.5, -0.25, 0.0]]])
    by_token = token_advantages([made], whole, by_part)
    one, other = training_samples([made], whole, by_token)
    high = whole[0, 0].item()
    assert one.token_advantages == (0.5, 0.25, high) and one.advantage == high
    assert other.token_advantages == (-high, -0.5, -0.5)
