"""A run learns, can be stopped and resumed to the same bits, and is not changed by watching it."""

import dataclasses
import json
import math
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grpo.advantages import gdpo_advantages
from grpo.checkpoint import CheckpointError, writer
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.engines import SamplingParams
from grpo.engines.hf import HFEngine
from grpo.evaluate import Evaluation, evaluate
from grpo.model.policy import Policy, load_policy
from grpo.objective import Objective
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.epochs import Share
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Completion, Example
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo.run.directory import RunDirectory
from grpo.trainer import Trainer
from grpo.training_loop import Schedule
from grpo.update import NonFiniteLoss
from letter_grader import Grade, LetterGrader, encoded
from test_update import PPO, make_updater, weights

EXAMPLES = [Example(f"t{i}", ({"role": "user", "content": text},)) for i, text in enumerate(("one", "two", "xyz"))]
OBJECTIVE = Objective(PPO, "token", max_tokens=8, temperature=1.0)


def make_trainer(
    policy: Policy,
    run: RunDirectory,
    *,
    seed: int = 3,
    prompts: Sequence[Example] = EXAMPLES,
    shares: Sequence[Share] = (),
    ahead: int = 0,
    grader: LetterGrader | None = None,
    evaluates: bool = True,
    advantages: str = "group",
    threads: int = 0,
    objective: Objective = OBJECTIVE,
    reference: Policy | None = None,
    refill_rounds: int = 0,
    watching: Mapping[str, object] | None = None,
    update: Mapping[str, object] | None = None,
    **schedule: Any,
) -> Trainer:
    examples = encoded(prompts, policy.encode)
    engine, grader = HFEngine(policy), grader or LetterGrader()
    updater = make_updater(
        policy,
        objective,
        reference=reference,
        schedule=lambda update: 2e-2,
        **{"max_grad_norm": 1.0, "threads": threads, **(update or {})},
    )

    def evaluation(step: int, should_stop: Callable[[], bool]) -> Evaluation:
        params = SamplingParams(num_samples=2, max_tokens=8, temperature=1.0, seed=5)
        names = {"id_prefix": f"e{step}", "max_rows": 4, "policy_version": updater.updates}
        return evaluate(engine, grader, policy.decode, examples, params, should_stop=should_stop, **names)

    steps = {"num_steps": 6, "eval_every": 0, "checkpoint_every": 0, **schedule}
    rollouts = RolloutStream(
        RestartingEngine(engine, sync=None, frees_cuda_cache=False, say=print),
        grader,
        PromptStream(examples, seed=3, shares=shares),
        policy.decode,
        lambda: updater.updates,
        RolloutSettings(
            seed=seed,
            num_steps=steps["num_steps"],
            prompts_per_step=2,
            group_size=4,
            max_tokens=8,
            temperature=1.0,
            ahead=ahead,
            refill_rounds=refill_rounds,
        ),
    )
    return Trainer(
        rollouts=rollouts,
        updater=updater,
        advantages=advantages,
        schedule=Schedule(**steps),
        run=run,
        evaluate=evaluation if evaluates else None,
        describe=lambda evaluation: f"{evaluation.num_prompts} prompts",
        kept_texts={},
        **(watching or {}),
    )


def new_run(path: Path) -> RunDirectory:
    return RunDirectory.create(path, config_toml="", environment={})


def train(trainer: Trainer, first_step: int = 1, stop_after: int | None = None) -> bool:
    steps: list[int] = []

    def on_step(step: int, metrics: Mapping[str, float]) -> None:
        steps.append(step)

    return trainer.train(
        first_step=first_step,
        should_stop=lambda: first_step + len(steps) - 1 == stop_after,
        on_step=on_step,
        say=print,
    )


def overflow_after(trainer: Trainer, *, updates: int) -> None:
    """Let rewards overflow float32 once the trainer has done so many updates."""
    grade = trainer.rollouts.grader._grade
    trainer.rollouts.grader._grade = lambda completion: (
        grade(completion) if trainer.updater.updates < updates else Grade({"letters": 1e38 * len(completion.token_ids)})
    )


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_learns_and_writes_everything_once(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        assert train(make_trainer(policy, run, num_steps=12))
    metrics = lines(tmp_path / "run" / "metrics.jsonl")
    assert [line["step"] for line in metrics] == list(range(1, 13))
    first, last = ([line["reward/mean"] for line in metrics[part]] for part in (slice(0, 3), slice(-3, None)))
    assert sum(last) > sum(first) + 0.5, "the letter reward must rise"
    completions = lines(tmp_path / "run" / "completions.jsonl")
    assert len(completions) == 12 * 8 + 2 * 6 and len({line["id"] for line in completions}) == len(completions)
    train_completions = [line for line in completions if line["phase"] == "train"]
    for group in range(0, len(train_completions), 4):
        assert math.fsum(line["advantage"] for line in train_completions[group : group + 4]) == pytest.approx(
            0, abs=1e-4
        )
    for name in ("letters", "short"):
        assert len(lines(tmp_path / "run" / "rewards" / f"{name}.jsonl")) == 12 * 8
    assert [line["step"] for line in lines(tmp_path / "run" / "evals.jsonl")] == [0, 12]
    assert latest_checkpoint(tmp_path / "run" / "checkpoints").name == "step-000012"


class FirstGrader(LetterGrader):
    """Has a score for the first completion of a batch, and none for the others."""

    def finish(self, tickets: Sequence[Completion]) -> list[Grade]:
        return [Grade({"letters": None if place else 0.25, "short": None}) for place in range(len(tickets))]


def test_one_scored_completion_has_a_mean_and_no_spread(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        assert train(make_trainer(policy, run, num_steps=1, grader=FirstGrader(), evaluates=False))
    (metrics,) = lines(tmp_path / "run" / "metrics.jsonl")
    assert metrics["reward/mean"] == 2.0 * 0.25 and "reward/std" not in metrics


class BusyGrader(LetterGrader):
    """Works a tenth of the time that has passed."""

    def busy(self) -> float:
        return time.perf_counter() / 10


def test_idle_shares_are_what_is_left_of_a_step(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        train(make_trainer(policy, run, evaluates=False, grader=BusyGrader()))
    for line in lines(tmp_path / "run" / "metrics.jsonl"):
        assert line["idle/sandbox"] == pytest.approx(0.9, abs=0.02)
        assert line["time/sandbox"] == pytest.approx(line["time/step"] / 10, rel=0.2)
        generating = line["time/generate"] / line["time/step"]
        assert line["idle/engine"] == pytest.approx(1 - generating, abs=0.1)  # two clocks: others may run between them
        assert line["idle/trainer"] == pytest.approx(1 - line["time/train"] / line["time/step"], abs=1e-6)


@pytest.mark.parametrize("ahead", [0, 2])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_stopped_and_resumed_equals_never_stopped(
    make_policy: Callable[..., Policy], tmp_path: Path, stop_after: int, ahead: int
) -> None:
    whole = make_policy()
    with new_run(tmp_path / "whole") as run:
        train(make_trainer(whole, run, eval_every=3, ahead=ahead))

    with new_run(tmp_path / "parts") as run:
        assert not train(make_trainer(make_policy(), run, eval_every=3, ahead=ahead), stop_after=stop_after)
    checkpoint = latest_checkpoint(tmp_path / "parts" / "checkpoints")
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    with RunDirectory.resume(tmp_path / "parts") as run:
        trainer = make_trainer(resumed, run, eval_every=3, ahead=ahead)
        first_step = trainer.resume(checkpoint)
        assert first_step == stop_after + 1 and 0 < trainer.seconds_before < trainer.seconds
        assert train(trainer, first_step=first_step)

    assert torch.equal(weights(resumed), weights(whole))
    untimed = [
        [
            [
                {k: v for k, v in line.items() if not k.startswith(("time", "throughput", "seconds", "idle"))}
                for line in lines(path)
            ]
            for path in sorted((tmp_path / name).rglob("*.jsonl"))
        ]
        for name in ("whole", "parts")
    ]
    assert untimed[0] == untimed[1]


def resume(make: Callable[..., Trainer], path: Path, **settings: object) -> tuple[Trainer, int]:
    """A trainer that goes on with the run, and its next step."""
    checkpoint = latest_checkpoint(path / "checkpoints")
    policy = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    trainer = make(policy, RunDirectory.resume(path), **settings)
    return trainer, trainer.resume(checkpoint)


@pytest.mark.parametrize(
    "stop_after", [1, 2, 3, 4]
)  # 2 batches of 2 prompts: an epoch of 3 ends within step 2, after 3
def test_a_run_goes_on_in_the_middle_of_an_epoch_and_at_its_end(
    make_policy: Callable[..., Policy], tmp_path: Path, stop_after: int
) -> None:
    def asked(name: str) -> list[object]:
        return [line["task_id"] for line in lines(tmp_path / name / "completions.jsonl")]

    with new_run(tmp_path / "whole") as run:
        train(make_trainer(make_policy(), run, evaluates=False))
    with new_run(tmp_path / "parts") as run:
        train(make_trainer(make_policy(), run, evaluates=False), stop_after=stop_after)
    trainer, first_step = resume(make_trainer, tmp_path / "parts", evaluates=False)
    turn = 2 * stop_after
    assert trainer.rollouts.prompts.place == f"prompt {turn % 3 + 1} of 3 of epoch {turn // 3 + 1}"
    assert train(trainer, first_step=first_step)
    assert asked("parts") == asked("whole")
    epochs = [asked("parts")[start : start + 12 : 4] for start in range(0, 48, 12)]
    assert all(len(set(epoch)) == 3 for epoch in epochs), "no prompt is skipped or repeated"


@pytest.mark.parametrize("num_steps", [2, 1])  # 1: asked for fewer steps than were done
def test_a_complete_run_is_only_evaluated(policy: Policy, tmp_path: Path, num_steps: int) -> None:
    with new_run(tmp_path / "run") as run:
        assert train(make_trainer(policy, run, num_steps=2))
    (tmp_path / "run" / "evals.jsonl").write_text("")
    logged = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    trainer, first_step = resume(make_trainer, tmp_path / "run", num_steps=num_steps)
    assert first_step == 3 and train(trainer, first_step=first_step)
    assert [line["step"] for line in lines(tmp_path / "run" / "evals.jsonl")] == [2]
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == logged


def test_a_damaged_checkpoint_costs_its_steps_and_no_bit(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    keeping = Keeping(last=2, best=1, best_by="reward_mean")
    settings = {"eval_every": 2, "checkpoint_every": 1, "keeping": keeping, "ahead": 1}
    whole = make_policy()
    with new_run(tmp_path / "whole") as run:
        train(make_trainer(whole, run, **settings))
    with new_run(tmp_path / "parts") as run:
        train(make_trainer(make_policy(), run, **settings), stop_after=4)
    checkpoints = tmp_path / "parts" / "checkpoints"
    (checkpoints / "step-000004" / "model.safetensors").write_bytes(b"")
    (checkpoints / ".unfinished-step-000005" / "trainer_state").mkdir(parents=True)
    trainer, first_step = resume(make_trainer, tmp_path / "parts", **settings)
    assert first_step == 4 and not list(checkpoints.glob(".unfinished-*")), "what a killed session left is removed"
    assert train(trainer, first_step=first_step)
    assert torch.equal(weights(trainer.updater.policy), weights(whole))
    kept = [sorted(path.name for path in (tmp_path / name / "checkpoints").iterdir()) for name in ("whole", "parts")]
    assert kept[0] == kept[1] and {"step-000005", "step-000006"} < set(kept[0]) | {"of the best"}


def test_a_checkpoint_that_cannot_be_written_stops_the_run_at_the_next(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, checkpoint_every=2)
        snapshot = policy.snapshot

        def fails_at_four() -> Callable[[Path], None]:
            def full(directory: Path) -> None:
                raise OSError(28, "No space left on device")

            return full if trainer.updater.updates == 4 else snapshot()

        policy.snapshot = fails_at_four
        with pytest.raises(CheckpointError, match="step-000004: .*No space.*continue from step-000002"):
            train(trainer)
    assert [line["step"] for line in lines(tmp_path / "run" / "metrics.jsonl")] == [1, 2, 3, 4, 5, 6]


def test_the_logs_are_on_the_disk_before_the_checkpoint_that_relies_on_them(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    with new_run(tmp_path / "run") as run:
        train(make_trainer(policy, run, num_steps=1))
    order = ["evals.jsonl", "metrics.jsonl", "completions.jsonl", "letters.jsonl", "model.safetensors"]
    assert sorted(order, key=synced.index) == ["metrics.jsonl", "evals.jsonl", *order[2:]]
    assert synced.index("checksums.json") < synced.index("checkpoints"), "the rename comes last"


def test_what_a_checkpoint_costs_is_a_metric_of_the_step_after_it(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        train(make_trainer(policy, run, evaluates=False, checkpoint_every=2))
    measured = {line["step"]: line.get("time/checkpoint") for line in lines(tmp_path / "run" / "metrics.jsonl")}
    assert {step for step, seconds in measured.items() if seconds} == {3, 5}


class Drawing(LetterGrader):
    """Adds a random number to every reward, from each generator of the process in turn."""

    def finish(self, tickets: Sequence[Completion]) -> list[Grade]:
        draws = [
            random.random,
            lambda: float(np.random.rand()),
            lambda: float(torch.rand(())),
            lambda: random.gauss(0, 1),
        ]
        return [Grade({"letters": draws[number % 4](), "short": None}, False) for number, ticket in enumerate(tickets)]


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_reward_that_draws_lots_goes_on_where_it_was(
    make_policy: Callable[..., Policy], tmp_path: Path, ahead: int
) -> None:
    settings = {"evaluates": False, "ahead": ahead}
    generators = random.getstate(), np.random.get_state(), torch.get_rng_state()
    with new_run(tmp_path / "whole") as run:
        train(make_trainer(make_policy(), run, **settings, grader=Drawing()))
    random.setstate(generators[0]), np.random.set_state(generators[1]), torch.set_rng_state(generators[2])
    with new_run(tmp_path / "parts") as run:
        train(make_trainer(make_policy(), run, **settings, grader=Drawing()), stop_after=3)
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    trainer, first_step = resume(make_trainer, tmp_path / "parts", **settings, grader=Drawing())
    train(trainer, first_step=first_step)
    rewards = [[line["reward"] for line in lines(tmp_path / name / "completions.jsonl")] for name in ("whole", "parts")]
    assert rewards[0] == rewards[1] and len(set(rewards[0])) == 6 * 8


def test_evaluating_does_not_change_training(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    watched, alone = make_policy(), make_policy()
    with new_run(tmp_path / "watched") as run:
        train(make_trainer(watched, run, eval_every=1))
    with new_run(tmp_path / "alone") as run:
        train(make_trainer(alone, run, evaluates=False))
    assert torch.equal(weights(watched), weights(alone))
    assert not (tmp_path / "alone" / "evals.jsonl").exists()
    assert len(lines(tmp_path / "watched" / "evals.jsonl")) == 7


def test_weights_are_updated_with_the_threads_that_the_sandbox_leaves(policy: Policy, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    before = torch.get_num_threads()
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, num_steps=1, threads=before + 1)
        logprobs, generate = policy.completion_logprobs, trainer.rollouts.engine.engine.generate

        def watched_generate(*arguments: object, **settings: object) -> object:
            seen.append((0, torch.get_num_threads()))
            return generate(*arguments, **settings)

        def watched_logprobs(*arguments: object, **settings: object) -> object:
            seen.append((1, torch.get_num_threads()))
            return logprobs(*arguments, **settings)

        policy.completion_logprobs, trainer.rollouts.engine.engine.generate = watched_logprobs, watched_generate
        train(trainer)
    assert seen == [(0, before), (1, before + 1)]


def test_another_seed_is_another_run(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    one, other = make_policy(), make_policy()
    for name, policy, seed in (("one", one, 3), ("other", other, 4)):
        with new_run(tmp_path / name) as run:
            train(make_trainer(policy, run, seed=seed))
    assert not torch.equal(weights(one), weights(other))


def test_what_a_run_has_taken_is_noted_after_every_step(policy: Policy, tmp_path: Path) -> None:
    """So that the time of a session that is killed counts, though no checkpoint has it."""
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, num_steps=3, checkpoint_every=2)
        noted: list[float] = []
        trainer.train(
            first_step=1, should_stop=lambda: False, on_step=lambda *_: noted.append(run.seconds()), say=print
        )
    assert 0 < noted[0] < noted[1] < noted[2] <= trainer.seconds
    (tmp_path / "run" / "seconds").write_text("5000.0")  # a later session was killed
    resumed, _ = resume(make_trainer, tmp_path / "run", evaluates=False, num_steps=3)
    assert resumed.seconds > 5000


def test_what_a_write_of_a_checkpoint_takes_is_known_to_whoever_stops(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, num_steps=2, checkpoint_every=1)
        assert trainer.pace.saving() is None
        train(trainer)
    written, copied = trainer.pace.mean("write"), trainer.pace.mean("checkpoint")
    assert written and copied and trainer.pace.saving() == written + copied


def test_a_checkpoint_is_written_to_its_end_when_the_step_after_it_fails(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(root: Path, snapshot: Any) -> Path:
        time.sleep(0.5)
        return write_checkpoint(root, snapshot)

    monkeypatch.setattr(writer, "write_checkpoint", slowly)
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, checkpoint_every=2)
        overflow_after(trainer, updates=2)
        with pytest.raises(NonFiniteLoss):
            train(trainer)
        assert latest_checkpoint(run.checkpoints).name == "step-000002"


def test_a_non_finite_loss_keeps_what_is_on_disk(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, checkpoint_every=1)
        overflow_after(trainer, updates=2)
        with pytest.raises(NonFiniteLoss):
            train(trainer)
    assert [line["step"] for line in lines(tmp_path / "run" / "metrics.jsonl")] == [1, 2]
    checkpoint = latest_checkpoint(tmp_path / "run" / "checkpoints")
    assert checkpoint.name == "step-000002"
    kept = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    assert weights(kept).isfinite().all()


def test_gdpo_standardises_each_paid_reward_by_itself(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        assert train(make_trainer(policy, run, num_steps=2, advantages="gdpo"))
    completions = [line for line in lines(tmp_path / "run" / "completions.jsonl") if line["phase"] == "train"]
    rewards = torch.tensor(
        [[math.nan if value is None else value for value in line["rewards"].values()] for line in completions[:8]]
    )
    expected = gdpo_advantages(rewards.reshape(2, 4, 2), torch.tensor(list(LetterGrader.weights.values())))
    assert [line["advantage"] for line in completions[:8]] == pytest.approx(expected.flatten().tolist(), abs=1e-5)


def test_a_kl_in_the_reward_is_taken_off_and_reported(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    objective = dataclasses.replace(OBJECTIVE, kl_beta=0.5, kl_estimate="k1", kl_in_reward=True)
    policy = make_policy()
    with new_run(tmp_path / "run") as run:
        assert train(make_trainer(policy, run, num_steps=3, objective=objective, reference=make_policy()))
    measured = [line["kl/reference"] for line in lines(tmp_path / "run" / "metrics.jsonl")]
    assert measured[0] == pytest.approx(0.0, abs=1e-6), "before the first update policy and reference are one"
    assert measured[-1] > 0.01
