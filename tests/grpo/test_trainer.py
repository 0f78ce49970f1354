"""A run learns, can be stopped and resumed to the same bits, and is not changed by watching it."""

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from grpo.advantages import gdpo_advantages
from grpo.checkpoint import latest_checkpoint
from grpo.engines import SamplingParams
from grpo.engines.hf import HFEngine
from grpo.evaluate import Evaluation, evaluate
from grpo.model.policy import Policy, load_policy
from grpo.objective import Objective
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Example
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
    **schedule: int,
) -> Trainer:
    examples = encoded(EXAMPLES, policy.encode)
    engine, grader = HFEngine(policy), grader or LetterGrader()
    updater = make_updater(
        policy,
        objective,
        reference=reference,
        schedule=lambda update: 2e-2,
        **{"max_grad_norm": 1.0, "threads": threads, **(update or {})},
    )

    def evaluation(step: int) -> Evaluation:
        params = SamplingParams(num_samples=2, max_tokens=8, temperature=1.0, seed=5)
        names = {"id_prefix": f"e{step}", "max_rows": 4, "policy_version": updater.updates}
        return evaluate(engine, grader, policy.decode, examples, params, **names)

    steps = {"num_steps": 6, "eval_every": 0, "checkpoint_every": 0, "checkpoints_kept": 2, **schedule}
    rollouts = RolloutStream(
        RestartingEngine(engine, sync=None, frees_cuda_cache=False, say=print),
        grader,
        PromptStream(examples, seed=3),
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
        config_toml="",
        **(watching or {}),
    )


def new_run(path: Path) -> RunDirectory:
    return RunDirectory.create(path, config_toml="", environment={})


def train(trainer: Trainer, first_step: int = 1, stop_after: int | None = None) -> bool:
    steps: list[int] = []

    def on_step(step: int, metrics: Mapping[str, float]) -> None:
        steps.append(step)

    # should_stop is asked within a step, before on_step
    return trainer.train(
        first_step=first_step, should_stop=lambda: len(steps) + first_step == stop_after, on_step=on_step, say=print
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
        assert line["idle/engine"] == pytest.approx(1 - line["time/generate"] / line["time/step"], abs=0.02)
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


def test_a_non_finite_loss_keeps_what_is_on_disk(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, checkpoint_every=1)
        grade = trainer.rollouts.grader._grade
        trainer.rollouts.grader._grade = lambda completion: (  # the third step's rewards overflow
            grade(completion) if trainer.updater.updates < 2 else Grade({"letters": 1e38 * len(completion.token_ids)})
        )
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
