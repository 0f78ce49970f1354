"""A real engine in a process of its own, interrupted by the updates of a real trainer, in two sessions of one run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from engines import paged_maker
from grpo.checkpoint.latest import latest_checkpoint
from grpo.engines.process import EngineProcess
from grpo.engines.weight_sync import SyncBounds, WeightSync
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy, load_policy
from grpo.objective import Mismatch
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Group, RolloutBatch
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo.run.directory import RunDirectory
from grpo.trainer import Trainer
from grpo.training_loop import Schedule
from letter_grader import LetterGrader, encoded
from test_trainer import EXAMPLES, OBJECTIVE, new_run
from test_update import make_updater

TOLERANCE = 1e-4  # nats: two fp32 forward passes, with and without a cache
LONGEST = 300  # tokens; a random model ends a completion every 260, so updates are done long before
BOUNDS = SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=32, max_tokens=16)
CORRECTED = dataclasses.replace(OBJECTIVE, mismatch=Mismatch("token", "truncate", 0.0, 3.0), max_tokens=LONGEST)


@pytest.fixture
def engine(make_policy: Callable[..., Policy], tmp_path: Path) -> Iterator[EngineProcess]:
    make = paged_maker(make_policy(hidden=64, heads=2), tmp_path / "model")
    started = EngineProcess(make, dtype=torch.float32, log=tmp_path / "engine.log", threads=1)
    yield started
    started.close()


def slow_rate(update: int) -> float:
    """A learning rate that takes as long as a larger model's update: the engine has written something by then."""
    time.sleep(0.2)
    return 2e-2


def session(
    policy: Policy,
    engine: EngineProcess,
    run: RunDirectory,
    kept: dict[int, dict[str, torch.Tensor]],
    batches: list[RolloutBatch],
) -> Trainer:
    """A trainer that keeps the weights of every version, and every batch."""
    examples = encoded(EXAMPLES, policy.encode)
    updater = make_updater(policy, CORRECTED, schedule=slow_rate, max_grad_norm=1.0, micro_batch_tokens=4000)
    proved = WeightSync(policy, engine, [example.prompt_ids for example in examples], BOUNDS)

    def sync(say: Callable[[str], None]) -> dict[str, float]:
        kept[updater.updates] = {name: tensor.clone() for name, tensor in policy.model.state_dict().items()}
        return proved(say)

    rollouts = RolloutStream(
        RestartingEngine(engine, sync=sync, frees_cuda_cache=False, say=print),
        LetterGrader(),
        PromptStream(examples, seed=3),
        policy.decode,
        lambda: updater.updates,
        RolloutSettings(
            seed=1,
            num_steps=3,
            prompts_per_step=2,
            group_size=4,
            max_tokens=LONGEST,
            temperature=1.0,
            ahead=1,
            partial=True,
        ),
    )
    next_batch = rollouts.next_batch
    rollouts.next_batch = lambda step: batches.append(next_batch(step)) or batches[-1]  # type: ignore[method-assign]
    return Trainer(
        rollouts=rollouts,
        updater=updater,
        advantages="group",
        schedule=Schedule(num_steps=3, eval_every=0, checkpoint_every=0),
        run=run,
        evaluate=None,
        describe=lambda evaluation: "",
        kept_texts={},
    )


@pytest.mark.slow
def test_every_token_has_the_log_prob_of_the_weights_that_it_names(
    make_policy: Callable[..., Policy], engine: EngineProcess, tmp_path: Path
) -> None:
    kept: dict[int, dict[str, torch.Tensor]] = {}
    batches: list[RolloutBatch] = []
    metrics: list[dict[str, float]] = []

    def train(trainer: Trainer, first_step: int, last: int) -> None:
        steps: list[int] = []
        trainer.train(
            first_step=first_step,
            should_stop=lambda: bool(steps) and steps[-1] >= last,
            on_step=lambda step, found: (steps.append(step), metrics.append(dict(found)))[0],
            say=print,
        )
        trainer.rollouts.close()

    path = tmp_path / "run"
    with new_run(path) as run:
        train(session(make_policy(hidden=64, heads=2), engine, run, kept, batches), 1, 2)
    checkpoint = latest_checkpoint(path / "checkpoints")
    policy = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    with RunDirectory.resume(path) as run:
        trainer = session(policy, engine, run, kept, batches)
        train(trainer, trainer.resume(checkpoint), 3)

    completions = [completion for batch in batches[1:] for group in batch.groups for completion in group.completions]
    assert len(completions) == 16 and {completion.versions[0][0] for completion in completions} == {0, 1}
    assert sum(len(completion.versions) > 1 for completion in completions[8:]) >= 6, "step 3 goes on with step 2's"
    assert all(sum(count for _, count in one.versions) == len(one.token_ids) <= LONGEST for one in completions)
    for version in kept:
        policy.model.load_state_dict(kept[version])
        found = [gap for batch in batches for group in batch.groups for gap in gaps(policy, group)]
        own, others = [[gap for which, gap in found if (which == version) == is_own] for is_own in (True, False)]
        assert version == 3 or max(own) < TOLERANCE, "no policy has sampled with the last weights"
        assert max(others) > 100 * TOLERANCE
    assert 0 < metrics[2]["policy/older_tokens"] < 1 and metrics[2]["policy/token_staleness_max"] == 1
    assert all(step["sync/gap"] < 1e-5 for step in metrics)


def gaps(policy: Policy, group: Group) -> Iterator[tuple[int, float]]:
    """For each token of a group's completions its version, and how far its log-prob is from the policy's."""
    for completion in group.completions:
        row = TrainingSample(group.example.prompt_ids, completion.token_ids, completion.sampler_logprobs, 0.0)
        (batch,) = micro_batches([row], max_tokens=10_000)
        with torch.no_grad():
            logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
        differences = (logprobs - batch.sampler_logprobs).abs()[batch.mask].tolist()
        versions = [version for version, count in completion.versions for _ in range(count)]
        yield from zip(versions, differences, strict=True)
