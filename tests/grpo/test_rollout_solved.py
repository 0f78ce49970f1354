"""Solved prompts are drawn less often; what is known of them is noted at their turn and kept by checkpoints."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from grpo.model.policy import Policy
from grpo.rollout.records import Completion, Group
from grpo.rollout.refill import solved_share
from letter_grader import Grade, LetterGrader
from stream_trainer import EXAMPLES, ByPrompt, Trainer, ids, plain

EASY = {example.id for example in EXAMPLES[:6]}


class ByShare(ByPrompt):
    """Pays each completion by its number, and calls so many of the first ones of easy prompts solved."""

    def __init__(self, num_solved: int, *, unknown: int = 0) -> None:
        super().__init__()
        self.num_solved, self._unknown = num_solved, unknown

    def _grade(self, completion: Completion) -> Grade:
        number = int(completion.id[-1])
        solved = self._of[completion.id] in EASY and number < self.num_solved
        return Grade({"letters": float(number)}, None if number >= 4 - self._unknown else solved)


def drawn(policy: Policy, grader: LetterGrader, **settings: float) -> Counter[str]:
    trainer = Trainer(policy, grader=grader, num_steps=16, **settings)
    return Counter(name for batch in ids(trainer.run(last=16)) for name in batch)


@pytest.mark.parametrize(
    ("num_solved", "unknown", "above", "fewer"),
    [(4, 0, 0.9, True), (3, 0, 0.9, False), (3, 0, 0.75, True), (3, 1, 0.9, True), (4, 4, 0.9, False)],
    ids=["all", "three of four", "three of four are enough", "three of three known", "nothing known"],
)
def test_solved_prompts_are_drawn_less_often(
    policy: Policy, num_solved: int, unknown: int, above: float, fewer: bool
) -> None:
    seen = drawn(policy, ByShare(num_solved, unknown=unknown), solved_above=above, solved_resample_prob=0.1)
    easy = sum(seen[name] for name in EASY)
    assert sum(seen.values()) == 48
    assert 6 <= easy < 14 if fewer else easy == 24
    assert min(seen[name] for name in EASY) >= 1, "a prompt that was never asked is no solved one"


def test_the_setting_does_nothing_by_default(policy: Policy) -> None:
    assert set(drawn(policy, ByShare(4)).values()) == {4}


def test_a_solved_prompt_that_is_failed_later_is_drawn_as_usual_again(policy: Policy) -> None:
    grader = ByShare(4)
    trainer = Trainer(policy, grader=grader, num_steps=200, solved_resample_prob=0.3)
    trainer.run(last=8)
    assert trainer.rollouts.prompts.solved == EASY
    grader.num_solved = 0
    trainer.run(first=9, last=80)
    assert trainer.rollouts.prompts.solved == set()
    before = trainer.rollouts.prompts.position
    trainer.run(first=81, last=90)
    assert trainer.rollouts.prompts.position == before + 30, "no turn is passed over"


@pytest.mark.parametrize("refill_rounds", [0, 2])
@pytest.mark.parametrize("ahead", [0, 2])
def test_going_on_draws_the_same_prompts(policy: Policy, ahead: int, refill_rounds: int) -> None:
    def trainer() -> Trainer:
        settings = {"ahead": ahead, "refill_rounds": refill_rounds, "solved_resample_prob": 0.3, "num_steps": 10}
        return Trainer(policy, grader=ByShare(4), **settings)

    whole = trainer().run(last=10)
    assert ids(whole) != ids(Trainer(policy, grader=ByShare(4), num_steps=10).run(last=10)), "something was passed over"
    for stop in range(1, 10):
        first, second = trainer(), trainer()
        parts = first.run(last=stop)
        progress = json.loads(json.dumps(first.rollouts.progress()))
        assert set(progress["solved_prompts"]) == {g.example.id for b in parts for g in b.groups} & EASY
        second.updates = stop
        second.rollouts.resume(progress)
        assert plain(parts + second.run(first=stop + 1, last=10)) == plain(whole)


def test_the_share_is_of_the_completions_of_which_it_is_known() -> None:
    def share(*solved: bool | None) -> float:
        return solved_share(Group(EXAMPLES[0], (), tuple(Grade({}, one) for one in solved), ()))

    assert (share(True, False, None, True), share(None, None), share(False)) == (2 / 3, 0.0, 0.0)
