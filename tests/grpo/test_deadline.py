"""A call ends in time: what has no end is cut, what has no token gets one, and the next call is not interrupted."""

from __future__ import annotations

import time

import pytest

from grpo.engines import EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy
from grpo.rollout.partial.deadline import WithDeadline
from scripted_engine import ScriptedEngine
from stream_trainer import Trainer

PROMPTS = [[1, 2], [3, 4], [5, 6]]


def sampled(engine: WithDeadline) -> list[GenerationOutput]:
    outputs = list(engine.generate(PROMPTS, SamplingParams(2, 9, 1.0, seed=7)))
    return sorted(outputs, key=lambda output: (output.prompt, output.sample))


def test_what_has_no_end_in_time_is_cut() -> None:
    scripted = ScriptedEngine()
    scripted.waits_after = 4
    found = sampled(WithDeadline(scripted, 0.05))
    lengths = [len(output.token_ids) for output in found]
    assert lengths == [5, 5, 5, 2, 5, 2] and all(output.finished for output in found)
    assert [output.terminated for output in found] == [True, True, True, False, True, False]
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
