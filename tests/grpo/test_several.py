"""A call is divided among engines; whichever of them dies, nothing is lost, comes twice, or changes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from grpo.engines import EngineDied, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.engines.several import Several
from grpo.engines.weight_sync import SyncBounds, WeightsDiffer, WeightSync
from grpo.errors import BadInput
from grpo.model.policy import Policy
from grpo.rollout.engine_restart import RestartingEngine
from grpo.run import stuck
from scripted_engine import ScriptedEngine
from several_engines import PARAMS, PROMPTS, SEEDED, Group, ask, rows
from stream_trainer import Dying, Trainer, plain


def test_each_engine_gets_whole_groups_and_each_completion_comes_once_under_its_own_prompt() -> None:
    group = Group()
    completions = ask(group.start())
    assert rows(completions) == [(prompt, k) for prompt in range(5) for k in range(3)]
    assert all(made.token_ids[4] == PROMPTS[made.prompt][0] for made in completions)
    assert group.engines[0].asked == [[(10,), (12,), (14,)]] and group.engines[1].asked == [[(11,), (13,)]]


def test_how_many_engines_there_are_changes_nothing_where_they_seed_prompts() -> None:
    alone, seven = ask(Group(1).start()), ask(Group(7).start())
    assert alone == ask(Group(2).start()) == seven
    assert {made.token_ids[2] for made in alone} == set(range(5)), "the seed goes by the number in the whole call"


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_one_that_cannot_be_closed_leaves_no_other_open(bad: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("no such process")

    group = Group(3)
    several = group.start()
    monkeypatch.setattr(group.engines[bad], "close", fails)
    with pytest.raises(OSError, match="no such process"):
        several.close()
    assert [engine.closed for engine in group.engines] == [number != bad for number in range(3)]


@SEEDED
@pytest.mark.parametrize("after", [0, 1, 5])
def test_one_that_dies_in_the_middle_changes_no_completion(seeds_prompts: bool, after: int) -> None:
    undisturbed = ask(Group(seeds_prompts=seeds_prompts).start())
    group = Group(seeds_prompts=seeds_prompts)
    several = group.start()
    group.engines[1].dies_after = after
    assert ask(several) == undisturbed
    assert "engine e1 is left out" in group.said[0] and f"e1 died after {after}" in group.said[0]
    assert several.metrics() == {"engines/alive": 1, "engines/deaths": 1, "engines/resampled": 6 - after}
    again = group.engines[0].asked[1]
    assert again == ([(13,)] if seeds_prompts and after == 5 else [(11,), (13,)]), "whole groups, or the whole part"
    assert ask(several) == undisturbed or not seeds_prompts
    assert len(group.engines[1].asked) == 1, "it is not asked again before the next weights"


def test_what_one_had_to_sample_is_divided_among_all_others() -> None:
    group = Group(3)
    several = group.start()
    group.engines[0].dies_after = 0
    expected = ask(Group(1).start())
    assert ask(several) == expected
    assert [engine.asked[1:] for engine in group.engines[1:]] == [[[(10,)]], [[(13,)]]]


def test_it_comes_back_with_the_next_weights() -> None:
    group = Group()
    several = group.start()
    group.engines[1].dies_after = 2
    ask(several)
    group.engines[1].dies_at_restart = True
    group.load(2)
    assert several.metrics()["engines/alive"] == 1 and len(group.said) == 1, "that it is still dead is not news"
    group.engines[1].dies_at_restart = False
    group.load(3)
    assert several.metrics() == {"engines/alive": 2, "engines/deaths": 0, "engines/resampled": 0}
    assert group.said[1:] == ["engine e1 is back"]
    assert {made.token_ids[0] for made in ask(several)} == {3} and len(group.engines[1].asked) == 2


def test_one_that_dies_at_the_start_or_takes_no_weights_is_done_without() -> None:
    group = Group()
    group.engines[0].dies_at_restart = True
    several = group.start()
    assert rows(ask(several)) == [(prompt, k) for prompt in range(5) for k in range(3)]
    assert len(group.said) == 1 and "e0 does not answer" in group.said[0]
    group.engines[0].dies_at_restart = False
    group.engines[1].dies_at_load = True
    group.load(2)
    assert several.metrics()["engines/alive"] == 1 and "e1 took no weights" in group.said[-1]
    assert {made.token_ids[0] for made in ask(several)} == {2} and not group.engines[1].asked[1:]


def test_one_that_hangs_is_given_up_when_the_others_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpo.engines.shared_call.LEAST_S", 0.3)
    monkeypatch.setattr("grpo.engines.shared_call.LOOK_EVERY_S", 0.05)
    group = Group(straggler=2.0)
    several = group.start()
    group.engines[0].hangs_after = 4
    began = time.monotonic()
    assert ask(several) == ask(Group(1).start())
    assert 0.3 < time.monotonic() - began < 10 and "sampling.straggler" in group.said[0]
    assert several.metrics() == {"engines/alive": 1, "engines/deaths": 1, "engines/resampled": 5}
    group.load(2)
    assert group.engines[0].restarts == 1 and several.metrics()["engines/alive"] == 2


def test_one_that_writes_longer_completions_is_no_straggler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpo.engines.shared_call.LEAST_S", 0.1)
    monkeypatch.setattr("grpo.engines.shared_call.LOOK_EVERY_S", 0.02)
    group = Group(straggler=2.0)
    several = group.start()
    long, short = group.engines
    long.pause_s, short.tokens, short.pause_s = 0.08, 1, 0.02  # nine completions in 0.72 s; six in 0.12 s, a token each
    assert len(ask(several)) == 15 and several.metrics()["engines/deaths"] == 0


def test_when_all_hang_or_only_one_is_left_nobody_is_a_straggler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpo.engines.shared_call.LEAST_S", 0.1)
    monkeypatch.setattr("grpo.engines.shared_call.LOOK_EVERY_S", 0.05)
    group = Group(3, straggler=1.0)
    several = group.start()
    group.engines[0].hangs_after = group.engines[1].hangs_after = 0
    stream = several.generate(PROMPTS, PARAMS)
    assert len([next(stream) for _ in range(3)]) == 3, "the third engine's prompt"
    time.sleep(0.4)
    group.engines[0].abandon()  # dies by itself
    assert len(list(stream)) == 12 and several.metrics()["engines/deaths"] == 2
    assert "e0 was abandoned" in group.said[0] and "sampling.straggler" in group.said[1]


@SEEDED
def test_when_all_die_it_is_said_of_each_and_the_run_restarts_them_once(seeds_prompts: bool) -> None:
    group = Group(seeds_prompts=seeds_prompts, wait_s=5.0)
    several = group.start()
    for engine in group.engines:
        engine.dies_after = 1
    with pytest.raises(EngineDied, match=r"no engine is left, of 2:\n  e0: e0 died after 1\n  e1: e1 died after 1"):
        ask(several)
    with pytest.raises(EngineDied, match="no engine is left"):
        ask(several)
    with pytest.raises(EngineDied, match="no engine is left"):
        several.probe(PROMPTS, PARAMS)
    synced: list[int] = []
    sync = lambda say: synced.append(1) or group.load(4) or {}  # noqa: E731
    restarting = RestartingEngine(several, sync=sync, frees_cuda_cache=False, say=group.said.append)
    assert {made.token_ids[0] for made in restarting.with_restart(lambda: ask(several))} == {4} and synced == [1]


def test_a_restart_waits_for_the_first_that_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpo.engines.several.RETRY_S", 0.05)
    group = Group(wait_s=0.2)
    several = group.start()
    for engine in group.engines:
        engine.dies_after, engine.dies_at_restart = 0, True
    with pytest.raises(EngineDied):
        ask(several)
    with pytest.raises(EngineDied, match="e0 is not back"):
        several.restart()
    several._wait_s = 30.0
    tries: list[int] = []

    def second_time() -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise EngineDied("not yet")
        return ScriptedEngine.restart(group.engines[1])

    group.engines[1].dies_at_restart = False
    group.engines[1].restart = second_time  # type: ignore[method-assign]
    before = stuck._progress
    assert several.restart() is False and len(tries) == 3 and several.metrics()["engines/alive"] == 1
    assert stuck._progress == before + 2, "to wait, within its limit, is nothing for the watchdog to end"


def test_one_that_ends_a_call_early_counts_as_dead() -> None:
    group = Group()
    several = group.start()
    group.engines[0].ends_early = True
    assert ask(several) == ask(Group(1).start()) and "ended a call before all" in group.said[0]


def test_a_request_that_is_refused_is_the_callers_mistake_and_nobodys_death() -> None:
    group = Group()
    several = group.start()
    with pytest.raises(ValueError, match="at least 1"):
        list(several.generate([()], PARAMS))
    group.engines[0].generate = _refuses  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="too long for me"):
        ask(several)
    assert several.metrics()["engines/alive"] == 2 and not group.said


def _refuses(prompts: object, params: object) -> Iterator[GenerationOutput]:
    yield GenerationOutput(0, 0, (1,), (-1.0,), True)
    raise ValueError("too long for me")


def test_who_loses_interest_does_not_disturb_the_next() -> None:
    group = Group()
    several = group.start()
    stream = several.generate(PROMPTS, PARAMS)
    next(stream)
    stream.close()
    assert ask(several) == ask(Group(1).start())


def test_one_that_can_never_be_used_stops_the_start_but_not_a_run() -> None:
    group = Group()

    def unfit() -> ScriptedEngine:
        raise BadInput("e1 has another model")

    with pytest.raises(BadInput, match="another model"):
        Several({"e0": lambda: group.engines[0], "e1": unfit}, say=group.said.append)
    assert group.engines[0].closed
    several = group.start()
    group.engines[1].dies_after = 0
    ask(several)
    group.engines[1].restart = unfit  # type: ignore[assignment]
    group.load(2)
    assert several.metrics()["engines/alive"] == 1


def test_a_run_is_the_same_though_an_engine_dies_and_comes_back(policy: Policy) -> None:
    """The batches of a rollout stream, with all of their completions, seeds and ids."""

    def run(deaths: set[int]) -> tuple[list[Any], Several, list[str]]:
        engines = {"first": Dying(HFEngine(policy), set()), "second": Dying(HFEngine(policy), deaths)}
        said: list[str] = []
        several = Several({name: partial(lambda one: one, engine) for name, engine in engines.items()}, say=said.append)
        trainer = Trainer(policy, engine=several)
        trainer.engine.sync = lambda say: several.load_weights([]) or {}  # type: ignore[assignment, func-returns-value]
        batches = trainer.run()
        trainer.rollouts.close()
        return plain(batches), several, said

    undisturbed, _, _ = run(set())
    batches, several, said = run({2, 4})
    assert batches == undisturbed
    assert [text.split()[:3] for text in said] == [["engine", "second", "is"]] * 4
    assert [metric for metric in several.metrics().values()][:2] == [2, 2], "both are back, and two deaths were counted"


def test_every_engine_is_proved_by_itself(make_policy: Callable[..., Policy]) -> None:
    """One that the weights do not reach is found, also among others that are right."""

    class Shifted(HFEngine):
        shift = 0.0

        def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
            for made in super().generate(prompts, params):  # type: ignore[arg-type]
                logprobs = tuple(logprob + self.shift for logprob in made.logprobs)
                yield GenerationOutput(made.prompt, made.sample, made.token_ids, logprobs, made.terminated)

    policy = make_policy()
    engines = {name: Shifted(policy) for name in ("first", "second", "third")}
    several = Several({name: partial(lambda one: one, engine) for name, engine in engines.items()}, say=print)
    bounds = SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=32, max_tokens=8)
    sync = WeightSync(policy, several, [(5, 6, 7), (9,)], bounds)
    metrics = sync(print)
    assert metrics["sync/gap"] < 1e-5 and metrics["engines/alive"] == 3
    for shift in (0.5, math.nan):
        engines["second"].shift = shift
        with pytest.raises(WeightsDiffer, match=rf"log-probs \(second\) differ from the trainer's by ({shift:.2g})"):
            sync(print)


def interrupted(group: Group) -> list[GenerationOutput]:
    """What a call gives that is interrupted once every engine has begun its part."""
    found: list[GenerationOutput] = []
    for made in group.several.generate(PROMPTS, PARAMS):
        found.append(made)
        if all(engine.asked for engine in group.engines):
            group.several.interrupt(True)
    group.several.interrupt(False)
    return sorted(found, key=lambda made: (made.prompt, made.sample))


@SEEDED
def test_an_interrupted_call_ends_with_what_all_have_and_goes_on_from_there(seeds_prompts: bool) -> None:
    group = Group(seeds_prompts=seeds_prompts)
    group.start()
    for engine in group.engines:
        engine.waits_after = 1
    begun = interrupted(group)
    assert rows(begun) == [(prompt, k) for prompt in range(5) for k in range(3)]
    heads = [made for made in begun if not made.finished]
    assert len(begun) - len(heads) == 2 and {len(head.token_ids) for head in heads} == {2}
    for engine in group.engines:
        engine.waits_after = -1
    contexts = [(*PROMPTS[head.prompt], *head.token_ids) for head in heads]
    going_on = SamplingParams(1, 5, 1.0, seed=8, written=(2,) * len(heads))
    tails = sorted(group.several.generate(contexts, going_on), key=lambda made: made.prompt)
    assert [made.prompt for made in tails] == list(range(len(heads)))
    assert all(len(tail.token_ids) == 3 and tail.finished for tail in tails)
    assert group.said == [] and group.several.metrics()["engines/deaths"] == 0


@SEEDED
@pytest.mark.parametrize("begins_nothing", [False, True])
def test_an_interruption_before_what_a_dead_engine_left_is_made_again_fails_the_call(
    seeds_prompts: bool, begins_nothing: bool
) -> None:
    """Else what had ended on it is kept, and what had not gets other lots: short completions would become more."""
    group = Group(seeds_prompts=seeds_prompts)
    group.start()
    group.engines[0].dies_after, group.engines[1].waits_after = 2, 0
    group.engines[1].begins_nothing = begins_nothing
    with pytest.raises(EngineDied, match="new weights came before what an engine left"):
        interrupted(group)
    group.several.interrupt(False)
    group.engines[1].waits_after = -1
    group.load(2)
    assert len(ask(group.several)) == 15 and group.said[-1] == "engine e0 is back"


def test_what_an_engine_that_is_interrupted_has_not_begun_is_missing_and_no_death() -> None:
    group = Group()
    group.start()
    group.engines[0].waits_after, group.engines[1].ends_early = 1, True
    begun = interrupted_at_once(group)
    assert {made.prompt for made in begun} == {0, 2, 4} and group.said == []


def interrupted_at_once(group: Group) -> list[GenerationOutput]:
    """What a call gives that is interrupted before it begins."""
    group.several.interrupt(True)
    found = list(group.several.generate(PROMPTS, PARAMS))
    group.several.interrupt(False)
    return found
