"""New weights interrupt sampling: no token is lost, each says whose it is, and it goes on where it was.

The engine is `typist`, whose tokens and log-probabilities are counted by hand.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.loss import mismatch_weights
from grpo.model.policy import Policy
from grpo.rollout.partial.drafts import Drafts
from grpo.rollout.partial.interruptions import Interruptions
from grpo.rollout.records import Completion, RolloutBatch
from grpo.rollout.turns.playing import TurnRules
from grpo.run.serialize import batch_metrics, completion_lines
from grpo.timing import BusyClock
from letter_grader import Grade, LetterGrader
from stream_trainer import ByPrompt, ids, plain
from typist import FIRST, LATER, STEPS, STOP, Typist, logprob, make_trainer, steps


def completions(batch: RolloutBatch) -> list[Completion]:
    return [completion for group in batch.groups for completion in group.completions]


def wait_for(there: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while there() is None:
        assert time.monotonic() < until
        time.sleep(0.001)


def expected(sample: int, runs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Tokens and log-probs of a sample whose tokens are of these versions: (version, tokens) in order."""
    versions = [version for version, count in runs for _ in range(count)]
    tokens = [FIRST + sample, *(LATER + version for version in versions[1:])]
    if len(tokens) == 4 + 3 * sample:
        tokens[-1] = STOP
    return tuple(tokens), tuple(logprob(version, place) for place, version in enumerate(versions))


def test_a_completion_goes_on_under_new_weights_and_every_token_says_whose_it_is(policy: Policy) -> None:
    """Batch 2 has five tokens of version 0 when version 1 comes. Sample 3 runs out of tokens at 12."""
    trainer = make_trainer(policy, Typist({(0, 2): 5}))
    batches = steps(trainer, 1, 2, stopped=[1])
    trainer.rollouts.close()
    runs = [((0, 4),), ((0, 5), (1, 2)), ((0, 5), (1, 5)), ((0, 5), (1, 7))]
    assert [completion.versions for completion in completions(batches[1])] == runs * 3
    for completion in completions(batches[1]):
        sample = int(completion.id[-1])
        assert (completion.token_ids, completion.sampler_logprobs) == expected(sample, runs[sample])
        assert completion.terminated == (sample < 3) and completion.policy_version == 0
    assert {completion.versions[0][0] for completion in completions(batches[0])} == {0}
    assert ids(batches) == ids(make_trainer(policy, Typist(), partial=False).run(last=2)), "prompts keep their order"


def test_a_completion_outlives_as_many_updates_as_batches_are_ahead(policy: Policy) -> None:
    engine = Typist({(0, 3): 2, (1, 3): 3})  # batch 3 is begun beside step 1 and goes on beside step 2
    trainer = make_trainer(policy, engine, ahead=2)
    batches = steps(trainer, 1, 4, stopped=[1, 2])
    trainer.rollouts.close()
    runs = [((0, 2), (1, 2)), ((0, 2), (1, 3), (2, 2)), ((0, 2), (1, 3), (2, 5)), ((0, 2), (1, 3), (2, 7))]
    assert [completion.versions for completion in completions(batches[2])] == runs * 3
    for completion in completions(batches[2]):
        sample = int(completion.id[-1])
        assert (completion.token_ids, completion.sampler_logprobs) == expected(sample, runs[sample])
    oldest = [min(completion.policy_version for completion in completions(batch)) for batch in batches]
    assert oldest[:3] == [0, 0, 0] and oldest[3] >= 1, "never older than the batches that are ahead"


def test_without_an_interruption_the_engine_is_asked_as_ever(policy: Policy) -> None:
    engines = [Typist(), Typist()]
    trainers = [make_trainer(policy, engines[partial], partial=partial, num_steps=1) for partial in (False, True)]
    for trainer in trainers:
        trainer.rollouts.sync_weights()
        trainer.rollouts.next_batch(1)
        trainer.rollouts.close()
    assert engines[0].seeds[0] == engines[1].seeds[0]


def test_the_oldest_token_decides_what_is_too_old(policy: Policy) -> None:
    """One update may lie between; batch 3 has tokens that are two older, but for what ended before them: nothing."""
    trainer = make_trainer(policy, Typist({(0, 3): 2, (1, 3): 3}), ahead=2, max_staleness=1)
    batches = steps(trainer, 1, 3, stopped=[1, 2])
    trainer.rollouts.close()
    assert [batch.metrics["policy/stale"] for batch in batches] == [0, 0, 12]
    assert all(reward is None for group in batches[2].groups for reward in group.rewards)


@pytest.mark.parametrize("ahead", [1, 2])
def test_a_run_that_is_stopped_in_the_middle_of_completions_goes_on_with_them(policy: Policy, ahead: int) -> None:
    """Step 2 is stopped with batch 2 + ahead half written; what follows is what follows without a stop."""
    stops = {(0, ahead + 1): 5, (1, 3): 2}
    whole = make_trainer(policy, Typist(stops), ahead=ahead)
    expected_batches = steps(whole, 1, STEPS, stopped=[1, 2])
    whole.rollouts.close()
    first = make_trainer(policy, Typist(stops), ahead=ahead)
    parts = steps(first, 1, 2, stopped=[1, 2])
    progress = json.loads(json.dumps(first.rollouts.progress()))
    assert json.loads(json.dumps(first.rollouts.progress())) == progress, "asking twice changes nothing"
    first.rollouts.close()
    assert "rounds" in progress["in_flight"][0]
    second = make_trainer(policy, Typist(), ahead=ahead)
    second.updates = 2
    second.rollouts.resume(progress)
    second.rollouts.sync_weights()
    parts += steps(second, 3, STEPS)
    second.rollouts.close()
    assert plain(parts)[:3] == plain(expected_batches)[:3]
    assert len({completion.versions for completion in completions(parts[2])}) > 1
    assert ids(parts) == ids(expected_batches)


def test_a_batch_that_was_sampled_keeps_its_grades_and_its_versions(policy: Policy) -> None:
    trainer = make_trainer(policy, Typist({(0, 3): 2}), ahead=2)
    steps(trainer, 1, 1, stopped=[1])
    wait_for(lambda: trainer.rollouts._prefetcher.in_flight[0].sampled)
    progress = json.loads(json.dumps(trainer.rollouts.progress()))
    assert [sorted(set(record) & {"rounds", "completions"}) for record in progress["in_flight"]] == [
        ["completions"],
        ["rounds"],
    ]
    again = make_trainer(policy, Typist(), ahead=2)
    again.updates = 1
    again.rollouts.resume(progress)
    again.rollouts.sync_weights()
    batch = steps(again, 2, 2)[0]
    assert {completion.versions for completion in completions(batch)} == {((0, 4),), ((0, 7),), ((0, 10),), ((0, 12),)}
    assert not [name for name in again.rollouts.grader.started if name.startswith("s2-")]
    for one in (trainer, again):
        one.rollouts.close()


def test_a_batch_that_is_whole_only_while_its_checkpoint_is_taken_is_kept_as_it_was_before(policy: Policy) -> None:
    """What a user says of batch 2 is known when the grades of batch 3, which was whole before, are waited for."""
    said = threading.Event()

    class Grader(LetterGrader):
        def finish(self, tickets: Sequence[Completion]) -> list[Grade]:
            if tickets[0].id.startswith("s3-"):
                said.set()
                assert trainer.rollouts._prefetcher.in_flight[0].result()
            return super().finish(tickets)

    def feedback(tickets: Sequence[Completion]) -> list[None]:
        assert not tickets[0].id.startswith("s2-") or said.wait(10)
        return [None] * len(tickets)

    rules = TurnRules(2, "final", feedback, lambda message, ended: (9, 9), 400)
    trainer = make_trainer(policy, Typist(), ahead=2, turns=rules, grader=Grader())
    steps(trainer, 1, 1)
    trainer.rollouts._prefetcher.go_on()
    wait_for(lambda: trainer.rollouts._prefetcher.in_flight[1].sampled)
    kept = json.loads(json.dumps(trainer.rollouts.progress()))["in_flight"]
    trainer.rollouts.close()
    assert [sorted(set(record) & {"rounds", "completions"}) for record in kept] == [["rounds"], ["completions"]]
    assert all(draft[5] for _, drafts in kept[0]["rounds"] for draft in drafts), "all that was written"


def test_drafts_of_another_question_are_not_gone_on_with() -> None:
    """A later turn may ask otherwise after a resume, since what was found wrong with the turn before may be other."""
    params = SamplingParams(1, 5, 1.0, seed=0)
    drafts = Drafts()
    for number, prompt in enumerate(([1, 2], [3, 4])):
        found = drafts.round(number, [prompt], params)
        found.drafts[0].add(GenerationOutput(0, 0, (7,), (-1.0,), False, False), 3)
    again = Drafts.from_json(json.loads(json.dumps(drafts.to_json())))
    assert again == drafts
    assert again.round(0, [[1, 2]], params).drafts[0].token_ids == (7,)
    assert again.round(1, [[3, 5]], params).drafts[0].token_ids == ()


def test_an_engine_that_dies_while_it_writes_loses_the_batch_and_nothing_else(policy: Policy) -> None:
    engine = Typist({(0, 2): 5}, dies=[(0, 2)])
    trainer = make_trainer(policy, engine)
    batches = steps(trainer, 1, 3, stopped=[1])
    trainer.rollouts.close()
    assert engine.restarts == 1 and "meteorite" in trainer.said[0]
    assert {completion.versions for completion in completions(batches[1])} == {
        ((1, 4),),
        ((1, 7),),
        ((1, 10),),
        ((1, 12),),
    }
    assert len(batches) == 3


def test_an_engine_that_dies_of_the_new_weights_has_lost_nothing(policy: Policy) -> None:
    """What it had written is here, and whoever is to go on with it waits."""
    engine = Typist({(0, 2): 5})
    trainer = make_trainer(policy, engine)
    load, failures = trainer.engine.sync, [EngineDied("out of memory")]

    def dying(say: Any) -> Any:
        if trainer.updates == 1 and failures:
            raise failures.pop()
        return load(say)

    trainer.engine.sync = dying
    batches = steps(trainer, 1, 2, stopped=[1])
    trainer.rollouts.close()
    assert engine.restarts == 1
    assert [completion.versions for completion in completions(batches[1])][:2] == [((0, 4),), ((0, 5), (1, 2))]


def test_an_engine_that_ends_early_of_itself_has_failed() -> None:
    class Lazy(Typist):
        def generate(self, prompts: Any, params: Any) -> Any:
            yield GenerationOutput(0, 0, (7,), (-1.0,), False, False)

    interruptions = Interruptions(Lazy(), BusyClock())
    interruptions.go_on(0)
    drafts = Drafts()
    with pytest.raises(EngineDied, match="although nothing interrupted it"):
        list(interruptions.over(drafts, 1).generate([[1]], SamplingParams(1, 5, 1.0, seed=0)))
    interruptions.close()
    assert drafts.lost and drafts.to_json() == [], "so all of the batch is sampled again"


def test_batches_share_the_engine_and_a_new_one_joins_its_call() -> None:
    """The older batch stands first, though it asks later, and what the newer one has written by then goes on."""
    calls: list[tuple[list[tuple[int, ...]], tuple[int, ...], int, int]] = []

    class Noting(Engine):
        def generate(self, prompts: Any, params: SamplingParams) -> Iterator[GenerationOutput]:
            calls.append(([tuple(prompt) for prompt in prompts], params.written, params.num_samples, params.seed))
            if len(calls) == 1:
                joins.set()
                while not self.interrupted():
                    time.sleep(0.001)
                yield GenerationOutput(0, 1, (7, 7), (-1.0, -1.0), False, False)
                return
            for number in range(len(prompts)):
                yield GenerationOutput(number, 0, (8,), (-2.0,), True)

    def ask(step: int, prompt: int, seed: int, count: int) -> list[GenerationOutput]:
        return list(interruptions.over(Drafts(), step).generate([[prompt]], SamplingParams(count, 5, 1.0, seed=seed)))

    interruptions, joins = Interruptions(Noting(), BusyClock()), threading.Event()
    interruptions.go_on(4)
    with ThreadPoolExecutor(1) as thread:
        newer = thread.submit(ask, 2, 20, 100, 2)
        assert joins.wait(10)
        older = ask(1, 10, 500, 1)
        found = newer.result(10)
    interruptions.close()
    assert calls == [([(20,)], (), 2, 100), ([(10,), (20,), (20, 7, 7)], (0, 0, 2), 1, 502)]
    assert [(one.token_ids, one.versions) for one in older] == [((8,), ((4, 1),))]
    assert [(one.sample, one.token_ids, one.logprobs) for one in found] == [
        (0, (8,), (-2.0,)),
        (1, (7, 7, 8), (-1.0, -1.0, -2.0)),
    ]


def test_a_round_that_is_whole_already_disturbs_nobody() -> None:
    """As of a batch that a checkpoint had finished: the call of the others goes on."""

    class Counting(Engine):
        calls = interruptions = 0

        def generate(self, prompts: Any, params: SamplingParams) -> Iterator[GenerationOutput]:
            self.calls += 1
            yield GenerationOutput(0, 0, (8,), (-2.0,), True)

        def interrupt(self, asked: bool) -> None:
            self.interruptions += asked

    engine, drafts, params = Counting(), Drafts(), SamplingParams(1, 5, 1.0, seed=0)
    interruptions = Interruptions(engine, BusyClock())
    interruptions.go_on(0)
    first = list(interruptions.over(drafts, 1).generate([[1]], params))
    kept = Drafts.from_json(drafts.to_json())
    interruptions._running = True  # with the call of another batch
    assert list(interruptions.over(kept, 1).generate([[1]], params)) == first
    assert (engine.calls, engine.interruptions) == (1, 0)
    interruptions.close()


def test_closing_lets_go_of_what_waits_for_weights() -> None:
    interruptions, errors = Interruptions(Typist(), BusyClock()), []

    def sample() -> None:
        try:
            list(interruptions.over(Drafts(), 1).generate([[1]], SamplingParams(1, 5, 1.0, seed=0)))
        except EngineDied as error:
            errors.append(str(error))

    thread = threading.Thread(target=sample)
    thread.start()
    interruptions.close()
    thread.join(10)
    assert not thread.is_alive() and errors == ["sampling has ended before this batch did"]


def test_later_turns_are_interrupted_too(policy: Policy) -> None:
    """A conversation's second turn is a call of its own, in which every row is a sample 0."""
    rules = TurnRules(2, "final", lambda tickets: ["again"] * len(tickets), lambda message, ended: (9, 9), 400)
    trainer = make_trainer(policy, Typist({(0, 2): 7 + 2}), turns=rules, group_size=2)
    batches = steps(trainer, 1, 2, stopped=[1])
    trainer.rollouts.close()
    first, second = [
        [completion.versions for completion in completions(batches[1]) if (completion.history is None) == is_first]
        for is_first in (True, False)
    ]
    assert set(first) == {((0, 4),), ((0, 7),)} and set(second) == {((0, 2), (1, 2))}


def test_refilled_groups_are_of_the_weights_of_their_step(policy: Policy) -> None:
    names = ids(make_trainer(policy, Typist(), partial=False, ahead=0).run(last=2))[1]
    trainer = make_trainer(policy, Typist(), refill_rounds=1, grader=ByPrompt(solved={names[0]}))
    batches = steps(trainer, 1, 2)
    trainer.rollouts.close()
    fresh = [completion.versions for completion in completions(batches[1]) if completion.id.startswith("s2.1-")]
    assert fresh == [((1, 4),), ((1, 7),), ((1, 10),), ((1, 12),)]


def test_an_engine_that_samples_in_the_trainers_own_time_is_refused(policy: Policy) -> None:
    with pytest.raises(ValueError, match="samples while the trainer updates"):
        make_trainer(policy, HFEngine(policy))  # type: ignore[arg-type]


def test_every_token_is_corrected_for_the_weights_that_sampled_it() -> None:
    """exp(old - sampler) by hand: two tokens of version 3, whose log-probs are -1 and -2, one of version 4 with -0.5.

    The policy before its update gives them -0.9, -2.3 and -0.5. The product is the weight of the whole completion under
    the policy that changed on the way, so the sequence level is right too.
    """
    old, sampler = torch.tensor([[-0.9, -2.3, -0.5]]), torch.tensor([[-1.0, -2.0, -0.5]])
    bounds: dict[str, Any] = {"mask": torch.ones(1, 3).bool(), "bound": "truncate", "low": 0.0, "high": 3.0}
    by_token = mismatch_weights(old, sampler, level="token", **bounds)
    assert by_token[0].tolist() == pytest.approx([math.exp(0.1), math.exp(-0.3), 1.0])
    whole = mismatch_weights(old, sampler, level="sequence", **bounds)
    assert whole[0].tolist() == pytest.approx([math.exp(-0.2)] * 3) == [float(by_token.prod())] * 3


def test_versions_are_logged_and_counted(policy: Policy) -> None:
    """Batch 2, learned from after one update: per group 19 tokens of version 0 and 14 of version 1."""
    trainer = make_trainer(policy, Typist({(0, 2): 5}))
    groups = steps(trainer, 1, 2, stopped=[1])[1].groups
    trainer.rollouts.close()
    metrics = batch_metrics(groups, policy_version=1, seconds=1.0)
    assert metrics["policy/token_staleness"] == pytest.approx(19 / 33)
    assert metrics["policy/token_staleness_max"] == 1 and metrics["policy/staleness"] == 1
    assert metrics["policy/older_tokens"] == pytest.approx(19 / 33) and metrics["rollout/continued"] == 0.75
    lines = list(completion_lines(groups, step=2, phase="train"))
    assert [line["versions"] for line in lines[:2]] == [[[0, 4]], [[0, 5], [1, 2]]]
    plain_groups = make_trainer(policy, Typist(), partial=False).run(last=1)[0].groups
    assert "versions" not in next(completion_lines(plain_groups, step=1, phase="train"))
    assert not {key for key in batch_metrics(plain_groups, policy_version=0, seconds=1.0) if "token_stal" in key}
