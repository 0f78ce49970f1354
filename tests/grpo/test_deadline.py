"""A call ends in time: what has no end is cut, what has no token gets one, and the next call is not interrupted."""

from __future__ import annotations

import json
import time

import pytest

from grpo.engines import EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy
from grpo.rollout.partial.deadline import WithDeadline
from scripted_engine import ScriptedEngine
from several_engines import PARAMS
from several_engines import PROMPTS as FIVE_PROMPTS
from several_engines import SEEDED, Group, ask, rows
from stream_trainer import EXAMPLES, ByPrompt, Trainer

PROMPTS = [[1, 2], [3, 4], [5, 6]]


def sampled(engine: WithDeadline) -> list[GenerationOutput]:
    outputs = list(engine.generate(PROMPTS, SamplingParams(2, 9, 1.0, seed=7)))
    return sorted(outputs, key=lambda output: (output.prompt, output.sample))


def test_what_has_no_end_in_time_is_cut() -> None:
    scripted = ScriptedEngine()
    scripted.waits_after = 4
    found = sampled(WithDeadline(scripted, 0.05))
    lengths = [len(output.token_ids) for output in found]
    assert lengths == [5, 5, 5, 2, 5, 2]
    assert [output.terminated for output in found] == [True, True, True, False, True, False]
    assert [output.finished for output in found] == [True, True, True, False, True, False], "the others were cut"
    assert not scripted.interrupted() and len(scripted.asked) == 1


def test_what_had_no_token_gets_one() -> None:
    class Late(ScriptedEngine):
        """Ends a call with its first completion where it is interrupted."""

        def generate(self, prompts, params):
            for output in super().generate(prompts, params):
                yield output
                while len(self.asked) == 1 and not self.interrupted():
                    time.sleep(0.001)
                if self.interrupted():
                    return

    late = Late()
    found = sampled(WithDeadline(late, 0.05))
    assert [(output.prompt, output.sample) for output in found] == [(p, s) for p in range(3) for s in range(2)]
    assert late.asked[1] == [(1, 2), (3, 4), (3, 4), (5, 6), (5, 6)], "a prompt for each that is missing"
    assert [output.token_ids[1] for output in found] == [7, 8, 8, 8, 8, 8], "other lots than the first call's"


def test_what_got_its_first_token_after_the_deadline_was_cut_unless_that_is_its_end() -> None:
    class Cold(ScriptedEngine):
        """Has no token before it is interrupted; afterwards a token of each prompt, which ends the first alone."""

        def generate(self, prompts, params):
            until = time.monotonic() + 30
            while params.max_tokens > 1 and not self.interrupted():
                assert time.monotonic() < until, "nobody interrupts it"
                time.sleep(0.001)
            if params.max_tokens == 1:
                yield from (GenerationOutput(place, 0, (9,), (-1.0,), not place) for place in range(len(prompts)))

    found = sampled(WithDeadline(Cold(), 0.05))
    assert [(output.terminated, output.finished) for output in found] == [(True, True)] + [(False, False)] * 5


def test_an_engine_that_dies_before_its_deadline_is_not_interrupted_afterwards() -> None:
    scripted = ScriptedEngine()
    scripted.dies_after = 1
    with pytest.raises(EngineDied):
        sampled(WithDeadline(scripted, 0.2))
    time.sleep(0.3)
    assert not scripted.interrupted()


def test_a_step_waits_no_longer_than_its_deadline(policy: Policy) -> None:
    scripted = ScriptedEngine()
    scripted.waits_after = 10
    trainer = Trainer(policy, engine=scripted, deadline_s=0.1, num_steps=2)
    batches = trainer.run(last=2)
    trainer.rollouts.close()
    for batch in batches:
        cut = [completion for group in batch.groups for completion in group.completions if not completion.terminated]
        assert len(cut) == 2 and {len(completion.token_ids) for completion in cut} == {2}
        assert batch.metrics["rollout/cut"] == 2 / 12


def test_what_was_cut_is_counted_also_in_replaced_groups_and_over_a_resume(policy: Policy) -> None:
    def trainer() -> Trainer:
        scripted = ScriptedEngine()
        scripted.waits_after = 10
        settings = {"deadline_s": 0.1, "ahead": 1, "num_steps": 2, "refill_rounds": 1}
        return Trainer(policy, engine=scripted, grader=ByPrompt(failed={one.id for one in EXAMPLES}), **settings)

    first, second = trainer(), trainer()
    batch = first.rollouts.next_batch(1)
    assert batch.num_graded == 24 and batch.metrics["rollout/cut"] == 4 / 24, "a batch, and one in the place of it"
    kept = json.loads(json.dumps(first.rollouts.progress()))
    first.rollouts.close()
    second.rollouts.resume(kept)
    assert second.rollouts.next_batch(2).metrics["rollout/cut"] == 4 / 24
    second.rollouts.close()


def test_without_a_deadline_nothing_is_said_of_it(policy: Policy) -> None:
    trainer = Trainer(policy, engine=ScriptedEngine(), num_steps=1)
    (batch,) = trainer.run(last=1)
    trainer.rollouts.close()
    assert "rollout/cut" not in batch.metrics


def cut_at(seconds: float, group: Group) -> list[GenerationOutput]:
    """What a call of several engines gives that has a deadline."""
    made = WithDeadline(group.several, seconds).generate(FIVE_PROMPTS, PARAMS)
    return sorted(made, key=lambda one: (one.prompt, one.sample))


def lengths_of_heads(made: list[GenerationOutput], whole: list[GenerationOutput]) -> list[int]:
    """How long each completion is that was cut: it is the beginning of what it is without a deadline."""
    pairs = list(zip(made, whole, strict=True))
    assert all(one.token_ids == other.token_ids[: len(one.token_ids)] for one, other in pairs)
    assert all(one.finished == (one == other) for one, other in pairs)
    return [len(one.token_ids) for one, other in pairs if one != other and not one.terminated]


@SEEDED
def test_what_a_dead_engine_left_may_be_cut_while_others_sample_it(seeds_prompts: bool) -> None:
    """None of it goes on from other seeds, so the call has not failed."""
    undisturbed = ask(Group(seeds_prompts=seeds_prompts).start())
    group = Group(seeds_prompts=seeds_prompts)
    group.start()
    group.engines[0].dies_after, group.engines[1].waits_after = 2, 4
    made = cut_at(0.2, group)
    assert lengths_of_heads(made, undisturbed) == [2] * 7, "two of the living one's six, five of the dead one's nine"
    assert len(group.said) == 1 and "engine e0 is left out" in group.said[0]
    assert group.several.metrics() == {"engines/alive": 1, "engines/deaths": 1, "engines/resampled": 7}


@SEEDED
def test_what_a_dead_engine_left_and_no_other_began_in_time_gets_a_token_of_its_own(seeds_prompts: bool) -> None:
    group = Group(seeds_prompts=seeds_prompts)
    group.start()
    dead, living = group.engines
    dead.dies_after, living.waits_after, living.begins_nothing = 2, 4, True
    made = cut_at(0.2, group)
    assert rows(made) == [(prompt, k) for prompt in range(5) for k in range(3)]
    assert living.asked[1:] == [[(10,), (12,), (14,)], [(10,), (10,), (12,), (12,), (14,), (14,), (14,)]]
    assert len(group.said) == 1 and "engine e0 is left out" in group.said[0]


def test_what_a_straggler_left_may_be_cut_while_others_sample_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpo.engines.shared_call.LEAST_S", 0.1)
    monkeypatch.setattr("grpo.engines.shared_call.LOOK_EVERY_S", 0.02)
    undisturbed = ask(Group().start())
    group = Group(straggler=1.0)
    group.start()
    slow, other = group.engines
    slow.hangs_after, other.waits_after = 4, 6  # the other one ends its own six completions
    made = cut_at(2.0, group)
    assert lengths_of_heads(made, undisturbed) == [2] * 3, "of the five that the straggler left"
    assert len(group.said) == 1 and "sampling.straggler" in group.said[0]
    assert group.several.metrics() == {"engines/alive": 1, "engines/deaths": 1, "engines/resampled": 5}
