"""Conversations go on with the sampled tokens, turns earn what the formula says, no word of a user is trained."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from grpo.advantages import centred_advantages
from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.evaluate import evaluate
from grpo.model.batching import micro_batches
from grpo.model.policy import Policy
from grpo.model.turn_tokens import TurnTokens
from grpo.rollout.collect import PendingRollout, collect, graded, sample, seed_for
from grpo.rollout.in_flight import from_json, to_json
from grpo.rollout.records import Completion, Example, Group, History
from grpo.rollout.refill import solved_share, split_by_std
from grpo.rollout.sums import part_matrix, reward_matrix, zero_std_groups
from grpo.rollout.turns.conversations import first_turns, peer_groups, spread, turn_metrics
from grpo.rollout.turns.playing import TurnRules
from grpo.run.serialize import batch_metrics, completion_lines
from grpo.update import training_samples
from grpo.watch.dump import batch_record
from grpo.watch.replaying import samples_of
from letter_grader import Grade, LetterGrader, encoded
from stream_trainer import Trainer, plain
from test_trainer import make_trainer, new_run, train

EXAMPLES = [Example("a", ({"role": "user", "content": "a"},), prompt_ids=(1, 2))]
SAID, END = 90, 99  # tokens of the user, and the end of a turn that did not end itself
SCRIPT = [  # what the engine samples, call by call: tokens, and whether it terminated
    [((10, 3), True), ((11, 3), True), ((12,), False)],
    [((21, 3), True), ((22, 3), True)],
    [((32, 3), True)],
]
REWARDS = {"s1-p00-c0": 1.0, "s1-p00-c1": 0.0, "s1-p00-c2": 0.0}
REWARDS |= {"s1-p00-c1.2": 1.0, "s1-p00-c2.2": 0.25, "s1-p00-c2.3": 0.5}


class Scripted(Engine):
    """Samples what the script says; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[tuple[int, ...]], SamplingParams]] = []

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        said = SCRIPT[len(self.asked)]
        self.asked.append((list(map(tuple, prompts)), params))
        for number, (ids, terminated) in reversed(list(enumerate(said))):  # the last ends first
            slot = (0, number) if len(self.asked) == 1 else (number, 0)
            yield GenerationOutput(*slot, ids, (-0.5,) * len(ids), terminated)


class Talker(LetterGrader):
    """Pays by the id, and has something to say until a completion earns 1."""

    weights = {"worth": 1.0}

    def feedback(self, tickets: Sequence[Completion]) -> list[str | None]:
        return [None if self._worth(ticket) == 1 else f"{ticket.id} is wrong" for ticket in tickets]

    def _worth(self, completion: Completion) -> float:
        return REWARDS[completion.id]

    def _grade(self, completion: Completion) -> Grade:
        worth = self._worth(completion)
        return Grade({"worth": worth}, worth == 1, {"build": worth}, {}, {"outcome": "passed"})


def rules(grader: Any, *, most: int = 3, credit: str = "final", max_tokens: int = 100) -> TurnRules:
    def encode(message: str, terminated: bool) -> tuple[int, ...]:
        return (SAID,) if terminated else (END, SAID)

    return TurnRules(most, credit, grader.feedback, encode, max_tokens)


def played(**settings: Any) -> tuple[PendingRollout, Scripted, Talker]:
    engine, grader = Scripted(), Talker()
    params = SamplingParams(num_samples=3, max_tokens=4, temperature=0.7, seed=5)
    names = {"id_prefix": "s1", "policy_version": 0, "turns": rules(grader, **settings)}
    return sample(engine, grader, str, EXAMPLES, params, **names), engine, grader


def group_of(credit: str) -> Group:
    pending, _, grader = played(credit=credit)
    return collect(pending, grader, credit=credit).groups[0]


# What is sampled


def test_a_later_turn_goes_on_from_the_very_tokens_that_were_sampled() -> None:
    pending, engine, grader = played()
    prompts = [prompts for prompts, _ in engine.asked]
    assert prompts[0] == [(1, 2)]
    assert prompts[1] == [(1, 2, 11, 3, SAID), (1, 2, 12, END, SAID)], "the solved conversation is over"
    assert prompts[2] == [(1, 2, 12, END, SAID, 22, 3, SAID)]
    assert [(params.num_samples, params.seed) for _, params in engine.asked] == [
        (3, 5),
        (1, seed_for(5, "turn", 1)),
        (1, seed_for(5, "turn", 2)),
    ]
    assert {(params.max_tokens, params.temperature) for _, params in engine.asked} == {(4, 0.7)}
    last = pending.completions[0, 8]
    assert last.id == "s1-p00-c2.3" and last.token_ids == (32, 3)
    assert last.history == History("s1-p00-c2.2", "s1-p00-c2.2 is wrong", (12, END, SAID, 22, 3, SAID))
    assert sorted(grader.started) == sorted(REWARDS), "every turn is graded"
    assert pending.num_crowded == 0


@pytest.mark.parametrize(("max_tokens", "crowded", "count"), [(9, 0, 5), (8, 2, 3), (5, 2, 3)])
def test_a_conversation_over_the_context_ends_and_is_counted(max_tokens: int, crowded: int, count: int) -> None:
    """The second turns begin at 5 tokens and may have 4 more."""
    pending, _, _ = played(most=2, max_tokens=max_tokens)
    assert (pending.num_crowded, len(pending.completions)) == (crowded, count)


def test_a_message_that_cannot_be_encoded_ends_its_conversation() -> None:
    engine, grader = Scripted(), Talker()
    silent = dataclasses.replace(rules(grader), encode=lambda message, terminated: None)
    params = SamplingParams(num_samples=3, max_tokens=4, temperature=1.0, seed=5)
    pending = sample(engine, grader, str, EXAMPLES, params, id_prefix="s1", policy_version=0, turns=silent)
    assert len(engine.asked) == 1 and len(pending.completions) == 3 and not pending.num_crowded


def test_conversations_of_one_turn_are_the_batch_as_it_was(policy: Policy) -> None:
    grader, params = Letters(), SamplingParams(num_samples=3, max_tokens=6, temperature=1.0, seed=1)
    examples, settings = encoded(EXAMPLES, policy.encode), {"id_prefix": "s1", "policy_version": 0}
    engine = HFEngine(policy)
    one = sample(engine, grader, policy.decode, examples, params, turns=rules(grader, most=1), **settings)
    none = sample(engine, grader, policy.decode, examples, params, **settings)
    assert one.completions == none.completions
    groups = collect(one, grader, credit="each").groups
    assert groups == collect(none, grader).groups and peer_groups(groups) == list(groups)


# What is earned


@pytest.mark.parametrize(
    ("credit", "rewards", "advantages"),
    [
        # last turns earn 1, 1, 0.5: their mean is 5/6
        ("final", [1, 1, 0.5, 1, 0.5, 0.5], [1 / 6, 1 / 6, -1 / 3, 1 / 6, -1 / 3, -1 / 3]),
        # first turns 1, 0, 0; second 1 and 0.25; a third that is alone teaches nothing
        ("each", [1, 0, 0, 1, 0.25, 0.5], [2 / 3, -1 / 3, -1 / 3, 0.375, -0.375, 0]),
    ],
)
def test_turns_earn_what_the_formula_says(credit: str, rewards: list[float], advantages: list[float]) -> None:
    group = group_of(credit)
    assert list(group.rewards) == rewards
    alone = Group(EXAMPLES[0], group.completions[:2], group.grades[:2], (3.0, 1.0))  # no later turns
    peers = peer_groups([group, alone])
    found = spread([group, alone], centred_advantages(reward_matrix(peers)))
    assert found.tolist() == [pytest.approx(advantages), pytest.approx([1, -1, 0, 0, 0, 0])]
    samples = training_samples([group, alone], found)
    assert [sample.advantage for sample in samples] == pytest.approx([*advantages, 1, -1])


def test_a_host_that_failed_at_the_last_turn_leaves_the_whole_conversation_out() -> None:
    pending, _, grader = played()
    grades = {slot: Talker()._grade(completion) for slot, completion in pending.completions.items()}
    grades[0, 8] = Grade({"worth": None})
    [group] = collect(dataclasses.replace(pending, grades=grades), grader).groups
    assert group.rewards == (1.0, 1.0, None, 1.0, None, None)
    samples = training_samples([group], torch.zeros(1, 6))
    assert [sample.completion_ids[0] for sample in samples] == [10, 11, 21]


@pytest.mark.parametrize("credit", ["final", "each"])
def test_the_loss_sees_every_token_of_the_assistant_and_none_of_the_user(credit: str) -> None:
    group = group_of(credit)
    [batch] = micro_batches(training_samples([group], torch.ones(1, 6)), max_tokens=1000)
    sampled = [token for call in SCRIPT for ids, _ in call for token in ids]
    assert sorted(batch.token_ids.tolist()) == sorted(sampled) and int(batch.mask.sum()) == len(sampled)
    assert not {SAID, END} & set(batch.token_ids.tolist())
    read = batch.input_ids.tolist()
    assert read.count(SAID) == 1 + 1 + 2 and read.count(END) == 2, "they are read: once in each context"
    assert batch.input_ids[batch.predictors].tolist().count(SAID) == 3, "each later turn is predicted after one"


def test_parts_are_paid_as_the_turn_that_pays() -> None:
    class Parted(Talker):
        weights, parts = {"worth": 1.0, "code": 1.0}, {"code": "code"}

        def _grade(self, completion: Completion) -> Grade:
            worth = self._worth(completion)
            return Grade({"worth": 1.0, "code": worth}, worth == 1, spans={"code": ((0, 1),)})

    pending, _, _ = played()
    grader = Parted()
    [group] = collect(pending, grader).groups
    assert group.part_rewards["code"] == (2, 2, 1.5, 2, 1.5, 1.5)
    earned = part_matrix(peer_groups([group]))
    assert earned is not None and earned[0, :, 0].tolist() == [2, 2, 1.5]
    assert spread([group], earned)[0, :, 0].tolist() == [2, 2, 1.5, 2, 1.5, 1.5]


def test_a_group_teaches_nothing_where_nothing_that_is_compared_differs() -> None:
    def group(first: Sequence[float], second: Sequence[float], credit: str) -> Group:
        made = group_of(credit)
        rewards = (*first, *second, 1.0) if credit == "each" else (1.0, *second, *second, second[1])
        return dataclasses.replace(made, rewards=rewards)

    for credit, first, second, is_zero in (
        ("final", (1, 0, 0), (1.0, 1.0), True),
        ("final", (1, 0, 0), (1.0, 0.5), False),
        ("each", (1, 1, 1), (0.0, 0.0), True),
        ("each", (1, 1, 1), (0.0, 0.5), False),
        ("each", (1, 0, 0), (0.5, 0.5), False),
    ):
        made = group(first, second, credit)
        assert zero_std_groups([made]).tolist() == [is_zero], (credit, first, second)
        assert [len(part) for part in split_by_std([made, made])] == ([0, 2] if is_zero else [2, 0])


# What is measured and kept


def test_metrics_know_turns() -> None:
    group = group_of("final")
    assert solved_share(group) == pytest.approx(2 / 3)
    assert turn_metrics([group], "rollout", most=4) == {
        "rollout/turns_mean": 2.0,
        **{f"rollout/solved_turn_{k}": pytest.approx(share) for k, share in enumerate((1 / 3, 2 / 3, 2 / 3, 2 / 3), 1)},
    }
    metrics = batch_metrics([group], policy_version=0, seconds=1.0)
    assert metrics["check/build"] == pytest.approx(2.5 / 3), "of the last turns, which are compared"
    assert metrics["throughput/completions_per_s"] == 6 and metrics["completion/truncated"] == pytest.approx(1 / 6)
    each = batch_metrics([group_of("each")], policy_version=0, seconds=1.0)
    assert each["check/build"] == pytest.approx(2.75 / 6), "of all turns"
    assert [len(one.completions) for one in first_turns([group])] == [3]


def test_a_line_of_a_later_turn_says_what_it_follows() -> None:
    lines = list(completion_lines([group_of("final")], step=1, phase="train", advantages=[[0.0] * 6]))
    assert [line.get("follows") for line in lines] == [None, None, None, "s1-p00-c1", "s1-p00-c2", "s1-p00-c2.2"]
    assert "message" not in lines[0] and lines[5]["message"] == "s1-p00-c2.2 is wrong"


def test_a_dump_makes_the_same_samples() -> None:
    group, advantages = group_of("final"), [[0.5] * 6]
    record = batch_record([group], advantages, step=1, finding={}, metrics={}, attempt=None)
    samples, _ = samples_of(json.loads(json.dumps(record)))
    assert samples == training_samples([group], torch.tensor(advantages))


def test_conversations_in_flight_go_through_a_checkpoint() -> None:
    pending, _, grader = played(max_tokens=9)  # the third turn does not fit
    kept = graded(pending, grader)
    again = from_json(json.loads(json.dumps(to_json(3, kept))), {"a": EXAMPLES[0]}, decode=str, grader=grader)
    assert again.num_crowded == kept.num_crowded == 1
    assert again.completions == {
        slot: dataclasses.replace(c, text=str(list(c.token_ids))) for slot, c in kept.completions.items()
    }
    assert collect(again, grader).groups[0].rewards == collect(kept, grader).groups[0].rewards


class Letters(LetterGrader):
    """A letter grader that talks as long as less than two in three characters are letters."""

    def feedback(self, tickets: Sequence[Completion]) -> list[str | None]:
        shares = [sum(map(str.islower, ticket.text)) / max(1, len(ticket.text)) for ticket in tickets]
        return [None if share > 2 / 3 else f"only {share:.2f} are letters <|im_end|>" for share in shares]


def talking(policy: Policy, credit: str = "final") -> tuple[Letters, TurnRules]:
    grader = Letters()
    return grader, TurnRules(3, credit, grader.feedback, TurnTokens(policy.tokenizer, policy.stop_ids).encode, 400)


@pytest.mark.parametrize(("ahead", "credit"), [(0, "final"), (2, "each")])
def test_going_on_in_the_middle_gives_the_same_conversations(policy: Policy, ahead: int, credit: str) -> None:
    def trainer() -> Trainer:
        grader, turns = talking(policy, credit)
        return Trainer(policy, ahead=ahead, grader=grader, turns=turns)

    whole = trainer().run()
    first = trainer()
    parts = first.run(last=2)
    progress = json.loads(json.dumps(first.rollouts.progress()))
    second = trainer()
    second.updates = 2
    second.rollouts.resume(progress)
    parts += second.run(first=3)
    assert plain(parts) == plain(whole)
    assert any(completion.history for batch in whole for group in batch.groups for completion in group.completions)
    for mine, theirs in zip(parts, whole, strict=True):
        names = [name for name in theirs.metrics if name.startswith("rollout/")]
        assert len(names) == 5 and all(mine.metrics[name] == theirs.metrics[name] for name in names)


@pytest.mark.parametrize(("credit", "advantages"), [("final", "group"), ("each", "gdpo")])
def test_a_run_trains_on_conversations(policy: Policy, tmp_path: Path, credit: str, advantages: str) -> None:
    grader, turns = talking(policy, credit)
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=grader, num_steps=2, advantages=advantages, evaluates=False)
        trainer.rollouts._turns = turns
        assert train(trainer)
    lines = [json.loads(line) for line in (tmp_path / "run" / "completions.jsonl").read_text().splitlines()]
    by_id = {line["id"]: line for line in lines}
    later = [line for line in lines if "follows" in line]
    assert later and all("<|im_end|>" in line["message"] for line in later)
    if credit == "final":
        assert all(line["advantage"] == by_id[line["follows"]]["advantage"] for line in later)
        assert all(line["reward"] == by_id[line["follows"]]["reward"] for line in later)
    [first, _] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert 1 < first["rollout/turns_mean"] <= 3 and first["optim/grad_norm"] > 0


def test_an_evaluation_with_turns_has_that_without_in_it(policy: Policy) -> None:
    grader, turns = talking(policy)
    examples = encoded([*EXAMPLES, dataclasses.replace(EXAMPLES[0], id="b")], policy.encode)
    params = SamplingParams(num_samples=4, max_tokens=5, temperature=1.0, seed=2)
    settings: dict[str, Any] = {"id_prefix": "e", "max_rows": 100, "policy_version": 0}
    once = evaluate(HFEngine(policy), grader, policy.decode, examples, params, **settings)
    talks = evaluate(HFEngine(policy), grader, policy.decode, examples, params, turns=turns, **settings)
    assert {name: talks.metrics[name] for name in once.metrics} == once.metrics
    assert talks.num_samples == once.num_samples == 4 and talks.num_completions > once.num_completions == 8
    assert talks.metrics["eval/solved_turn_1"] == once.metrics["eval/pass_at_1"]
    assert set(talks.metrics) - set(once.metrics) == {
        "eval/turns_mean",
        *(f"eval/solved_turn_{k}" for k in (1, 2, 3)),
    }
