"""Batches come in order and of the promised age, groups without spread are replaced, an engine that dies is revived."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grpo.engines import Engine, EngineDied, GenerationOutput
from grpo.engines.hf import HFEngine
from grpo.model.policy import Policy
from grpo.rollout.records import Completion, RolloutBatch
from grpo.rollout.rows import DataError
from letter_grader import Grade
from stream_trainer import EXAMPLES, STEPS, ByPrompt, Dying, Trainer, ids, plain


class Sleeper(Dying):
    """An engine that notes when it is put to sleep, and may die of it the first time."""

    def __init__(self, engine: Engine, *, dies: bool = False) -> None:
        super().__init__(engine, set())
        self.asleep, self.naps, self._dies = False, 0, dies

    def generate(self, *arguments: Any, **settings: Any) -> Iterator[GenerationOutput]:
        assert not self.asleep
        return super().generate(*arguments, **settings)

    def sleep(self) -> None:
        if self._dies:
            self._dies = False
            raise EngineDied("never woke up")
        self.asleep, self.naps = True, self.naps + 1


class Loading(Dying):
    """An engine with weights of its own, a number, that cannot take new ones while it samples; takes its time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, set(), concurrent=True)
        self.weights, self.sampling, self.sampled_from = -1, False, []

    def generate(self, *arguments: Any, **settings: Any) -> Iterator[GenerationOutput]:
        self.sampling = True
        self.sampled_from.append(self.weights)
        for completion in super().generate(*arguments, **settings):
            time.sleep(0.002)
            yield completion
        self.sampling = False

    def load(self, number: int) -> dict[str, float]:
        assert not self.sampling, "half of its completions would be another policy's"
        self.weights = number
        return {}


def versions(batches: list[RolloutBatch]) -> list[set[int]]:
    return [
        {completion.policy_version for group in batch.groups for completion in group.completions} for batch in batches
    ]


@pytest.mark.parametrize("concurrent", [False, True])
@pytest.mark.parametrize(("ahead", "expected"), [(0, [0, 1, 2, 3, 4]), (1, [0, 0, 1, 2, 3]), (3, [0, 0, 0, 0, 1])])
def test_a_batch_is_as_old_as_promised(policy: Policy, ahead: int, expected: list[int], concurrent: bool) -> None:
    trainer = Trainer(policy, ahead=ahead, engine=Dying(HFEngine(policy), set(), concurrent=concurrent))
    batches = trainer.run()
    trainer.rollouts.close()
    assert versions(batches) == [{version} for version in expected]
    assert ids(batches) == ids(Trainer(policy).run()), "whatever was sampled ahead, prompts keep their order"
    assert [group.completions[0].id for batch in batches for group in batch.groups][::3] == [
        f"s{step}-p00-c0" for step in range(1, 6)
    ]
    assert trainer.rollouts.progress()["in_flight"] == [], "nothing is sampled beyond the last step"


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_weights_are_never_loaded_while_completions_are_written(policy: Policy, ahead: int) -> None:
    engine = Loading(HFEngine(policy))
    trainer = Trainer(policy, ahead=ahead, engine=engine)
    trainer.engine.sync = lambda say: engine.load(trainer.updates)
    trainer.rollouts.sync_weights()
    batches = trainer.run()
    trainer.rollouts.close()
    assert [{version} for version in engine.sampled_from] == versions(
        batches
    ), "what it had is what the completions say"
    assert versions(batches) == [{max(0, step - ahead)} for step in range(STEPS)]


def test_fresh_prompts_do_not_wait_for_the_batch_after(policy: Policy) -> None:
    engine = Loading(HFEngine(policy))
    first = ids(Trainer(policy).run(last=1))[0]
    trainer = Trainer(policy, ahead=1, refill_rounds=1, engine=engine, grader=ByPrompt(solved={first[0]}))
    trainer.run(last=2)
    trainer.rollouts.close()
    samplings = list(dict.fromkeys(name.split("-")[0] for name in trainer.rollouts.grader.started))
    assert samplings[:3] == ["s1", "s1.1", "s2"]


@pytest.mark.parametrize("refill_rounds", [0, 1])
def test_sampling_ahead_in_the_trainers_own_time_is_waited_for(policy: Policy, refill_rounds: int) -> None:
    batch = Trainer(policy, ahead=1, refill_rounds=refill_rounds).run(last=1)[0]
    assert batch.metrics["time/wait_engine"] > 1.1 * batch.metrics["time/generate"] > 0, "two batches were sampled"


def test_the_engine_is_busy_while_it_samples(policy: Policy) -> None:
    engine = Loading(HFEngine(policy))
    trainer = Trainer(policy, ahead=1, engine=engine)
    started = time.perf_counter()
    batches = trainer.run()
    trainer.rollouts.close()
    spent = time.perf_counter() - started
    sampled = sum(batch.metrics["time/generate"] for batch in batches)
    assert sampled <= trainer.rollouts.busy_s < min(spent, 1.2 * sampled)
    assert trainer.rollouts.busy_s > STEPS * 12 * 0.002


@pytest.mark.parametrize("refill_rounds", [0, 2])
@pytest.mark.parametrize("ahead", [0, 2])
def test_going_on_gives_the_same_batches(policy: Policy, ahead: int, refill_rounds: int) -> None:
    solved = {example.id for example in EXAMPLES[::3]}

    def trainer() -> Trainer:
        settings = {"ahead": ahead, "refill_rounds": refill_rounds, "resample_prob": 0.3}
        return Trainer(policy, grader=ByPrompt(solved=solved), **settings)

    whole = trainer().run()
    first = trainer()
    parts = first.run(last=2)
    progress = json.loads(json.dumps(first.rollouts.progress()))
    assert [flight["step"] for flight in progress["in_flight"]] == list(range(3, 3 + ahead))
    second = trainer()
    second.updates = 2
    second.rollouts.resume(progress)
    parts += second.run(first=3)
    assert plain(parts) == plain(whole)


class Moody(ByPrompt):
    """Pays by how often it was asked: a completion that is graded again is paid otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: list[str] = []

    def finish(self, tickets: list[Completion]) -> list[Grade]:
        self.finished += [ticket.id for ticket in tickets]
        return super().finish(tickets)

    def _grade(self, completion: Completion) -> Grade:
        if completion.id.endswith("c0"):
            return Grade({"letters": 0.1 + 0.2, "short": None}, None, {"gold": float("nan")}, {}, {"deep": [1, None]})
        return Grade({"letters": float(len(self.finished))}, False)


@pytest.mark.parametrize("ahead", [1, 2])
@pytest.mark.parametrize("concurrent", [False, True])
def test_batches_in_flight_keep_their_grades(policy: Policy, ahead: int, concurrent: bool) -> None:
    def trainer() -> Trainer:
        return Trainer(
            policy, ahead=ahead, grader=Moody(), engine=Dying(HFEngine(policy), set(), concurrent=concurrent)
        )

    first = trainer()
    first.run(last=2)
    progress = json.loads(json.dumps(first.rollouts.progress()))
    zero_std = set(first.rollouts.prompts.zero_std)
    assert json.dumps(first.rollouts.progress()) == json.dumps(progress), "asking twice grades nothing twice"
    assert len(first.rollouts.grader.finished) == (2 + ahead) * 12
    second = trainer()
    second.updates = 2
    second.rollouts.resume(progress)
    assert second.rollouts.prompts.zero_std == zero_std, "noted when the turn of a batch comes, not when it is graded"
    in_flight = [run.run(first=3, last=2 + ahead) for run in (first, second)]
    assert repr(plain(in_flight[0])) == repr(plain(in_flight[1])), "by repr: NaN differs from itself"
    assert not {f"s{step}-p00-c0" for step in range(3, 3 + ahead)} & set(second.rollouts.grader.started)
    for run in (first, second):
        run.rollouts.close()


def test_going_on_without_the_prompts_in_flight_is_refused(policy: Policy) -> None:
    first = Trainer(policy, ahead=1)
    first.run(last=1)
    missing = ids(first.run(first=2, last=2))[0]
    second = Trainer(policy, prompts=[e for e in EXAMPLES if e.id in missing])
    with pytest.raises(DataError, match="prompts that data.train lacks now"):
        second.rollouts.resume(first.rollouts.progress())


def test_groups_without_spread_are_replaced(policy: Policy) -> None:
    first = ids(Trainer(policy).run(last=1))[0]
    grader = ByPrompt(solved={first[0]}, failed={first[2]})
    batch = Trainer(policy, grader=grader, refill_rounds=2).run(last=1)[0]
    replaced = [group.example.id for group in batch.groups]
    assert replaced[0] == first[1] and len(replaced) == 3 and not {first[0], first[2]} & set(replaced)
    assert batch.metrics["groups/rounds"] == 1
    assert (
        batch.metrics["time/wait_engine"] >= batch.metrics["time/generate"] > 0
    ), "nothing was ahead: all was waited for"
    assert (batch.metrics["groups/dropped_solved"], batch.metrics["groups/dropped_unsolved"]) == (1, 1)
    assert len({completion.id for group in batch.groups for completion in group.completions}) == 12


def test_rounds_are_capped_and_a_batch_without_spread_is_shown_as_it_is(policy: Policy) -> None:
    everything = {example.id for example in EXAMPLES}
    trainer = Trainer(policy, grader=ByPrompt(solved=everything), refill_rounds=2)
    batch = trainer.run(last=1)[0]
    assert len(batch.groups) == 3 and batch.metrics["groups/rounds"] == 2
    assert batch.metrics["groups/dropped_solved"] == 9 and trainer.rollouts.prompts.position == 9


def test_prompts_of_zero_std_groups_are_drawn_less_often(policy: Policy) -> None:
    solved = {example.id for example in EXAMPLES[:6]}

    def drawn(again: float) -> list[str]:
        trainer = Trainer(policy, grader=ByPrompt(solved=solved), resample_prob=again, num_steps=16)
        return [name for batch in ids(trainer.run(last=16)) for name in batch]

    usual, seldom = drawn(1.0), drawn(0.1)
    assert sum(name in solved for name in usual) == 24 == len(usual) / 2
    assert 6 <= sum(name in solved for name in seldom) < 14


def test_completions_of_too_old_weights_have_no_reward(policy: Policy) -> None:
    batches = Trainer(policy, ahead=2, max_staleness=1).run()
    stale = [batch.metrics["policy/stale"] for batch in batches]
    assert stale == [0, 0, 12, 12, 12]
    for batch, count in zip(batches, stale, strict=True):
        assert {reward is None for group in batch.groups for reward in group.rewards} == {count > 0}


@pytest.mark.parametrize("concurrent", [False, True])
@pytest.mark.parametrize("ahead", [0, 1])
def test_an_engine_that_dies_is_started_again_and_the_batch_sampled_again(
    policy: Policy, ahead: int, concurrent: bool
) -> None:
    engine = Dying(HFEngine(policy), {3}, concurrent=concurrent)
    trainer = Trainer(policy, engine=engine, ahead=ahead)
    batches = trainer.run()
    trainer.rollouts.close()
    assert engine.restarts == 1 and len(batches) == STEPS
    assert ids(batches) == ids(Trainer(policy).run()) and all(len(batch.groups) == 3 for batch in batches)
    assert len(trainer.said) == 1 and "out of memory, said the engine" in trainer.said[0]
    assert versions(batches)[2] == {trainer.synced[2]}, "from the weights that it was given when it came back"


def test_an_engine_that_dies_twice_over_a_batch_stops_the_run(policy: Policy) -> None:
    engine = Dying(HFEngine(policy), {2, 3})
    with pytest.raises(EngineDied, match="out of memory"):
        Trainer(policy, engine=engine).run()
    assert engine.restarts == 1
    again = Dying(HFEngine(policy), {2, 4})
    Trainer(policy, engine=again).run()
    assert again.restarts == 2, "a batch between them makes them two accidents"


@pytest.mark.parametrize("dies", [False, True])
def test_an_engine_sleeps_from_the_last_completion_to_the_next_weights(policy: Policy, dies: bool) -> None:
    engine = Sleeper(HFEngine(policy), dies=dies)
    solved = {example.id for example in EXAMPLES[::2]}
    trainer = Trainer(policy, engine=engine, sleeps=True, refill_rounds=2, grader=ByPrompt(solved=solved))

    def wake(say: Callable[[str], None]) -> dict[str, float]:
        engine.asleep = False
        return {}

    trainer.engine.sync = wake
    for step in range(1, STEPS + 1):
        trainer.rollouts.next_batch(step)
        assert engine.asleep, "the update has its memory, and refilling was done before"
        trainer.updates += 1
        trainer.rollouts.sync_weights()
        assert not engine.asleep
    assert engine.naps == STEPS and engine.restarts == int(dies)


def test_an_engine_that_is_not_to_sleep_is_left_awake(policy: Policy) -> None:
    engine = Sleeper(HFEngine(policy))
    Trainer(policy, engine=engine).run()
    assert engine.naps == 0


def test_dying_while_weights_are_loaded_is_survived_too(policy: Policy) -> None:
    engine = Dying(HFEngine(policy), set())
    trainer = Trainer(policy, engine=engine)
    calls: list[Callable[[], None]] = []

    def sync(say: Callable[[str], None]) -> dict[str, float]:
        calls.append(print)
        if len(calls) == 2:
            raise EngineDied("killed")
        return {}

    trainer.engine.sync = sync
    assert len(trainer.run()) == STEPS and engine.restarts == 1
