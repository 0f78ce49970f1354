"""Supervised fine-tuning minimises the mean negative log-likelihood of demonstrations, and resumes to the same bits."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.latest import latest_checkpoint
from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy, load_policy
from grpo.rollout.epochs import MixedOrder, Share
from grpo.run.directory import RunDirectory
from grpo.supervised import SupervisedTrainer, demonstration_sample, likelihood_loss, supervised_objective
from grpo.training_loop import Schedule
from test_update import captured_gradient, make_updater, weights

TOLERANCE = 2e-6  # fp32 gradients of different summation order


def demonstrations(policy: Policy) -> list[TrainingSample]:
    shown = {"one": "a", "two": "bb", "three": "ccc", "four": "dddd"}
    return [
        demonstration_sample(policy.encode([{"role": "user", "content": prompt}]), policy.encode_completion(text))
        for prompt, text in shown.items()
    ]


def make_trainer(
    policy: Policy, run: RunDirectory, *, num_steps: int, checkpoint_every: int = 0, shares: Sequence[Share] = ()
) -> SupervisedTrainer:
    return SupervisedTrainer(
        samples=demonstrations(policy),
        batch_size=3,
        seed=1,
        shares=shares,
        updater=make_updater(policy, supervised_objective(), max_grad_norm=1.0),
        schedule=Schedule(num_steps, 0, checkpoint_every, Keeping(last=9)),
        run=run,
        evaluate=None,
        describe=str,
        kept_texts={},
    )


def train(trainer: SupervisedTrainer, *, first_step: int = 1, stop_after: int | None = None) -> bool:
    steps: list[int] = []
    return trainer.train(
        first_step=first_step,
        should_stop=lambda: first_step + len(steps) - 1 == stop_after,
        on_step=lambda step, metrics: steps.append(step),
        say=print,
    )


def new_run(path: Path) -> RunDirectory:
    return RunDirectory.create(path, config_toml="", environment={})


def plain_loss(policy: Policy, samples: list[TrainingSample]) -> torch.Tensor:
    """The mean negative log-likelihood by transformers' own logits, one sequence at a time."""
    total = torch.zeros(())
    for sample in samples:
        logits = policy.model(torch.tensor([sample.token_ids])).logits[0, len(sample.prompt_ids) - 1 : -1]
        total = total + torch.nn.functional.cross_entropy(logits, torch.tensor(sample.completion_ids), reduction="sum")
    return total / sum(len(sample.completion_ids) for sample in samples)


def test_the_gradient_is_that_of_the_mean_negative_log_likelihood(policy: Policy) -> None:
    samples = demonstrations(policy)
    plain_loss(policy, samples).backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in policy.model.parameters()])
    policy.model.zero_grad()
    found = captured_gradient(policy, samples, objective=supervised_objective())
    assert torch.allclose(found, expected, atol=TOLERANCE)
    assert not torch.allclose(1.01 * found, expected, atol=TOLERANCE), "the tolerance would pass anything"


def test_the_logged_loss_is_the_mean_negative_log_likelihood(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, num_steps=1)
        order = [tuple(sample.completion_ids) for sample in trainer._batch(1)]
        batch = [sample for sample in trainer.samples if sample.completion_ids in order]
        expected = float(plain_loss(policy, batch).detach())
        train(trainer)
    [line] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert line["loss/total"] == pytest.approx(expected, abs=1e-5)
    assert line["completion/length_max"] == max(map(len, order))


def test_a_policy_learns_its_demonstrations_by_heart(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        train(make_trainer(policy, run, num_steps=60))
    losses = [json.loads(line)["loss/total"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] > 3 and losses[-1] < 0.2


def test_a_run_in_float16_logs_its_loss_scale(make_policy, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with new_run(tmp_path / "run") as run:
        train(make_trainer(make_policy(dtype=torch.float16), run, num_steps=1))
    [line] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert (line["optim/loss_scale"], line["optim/skipped"]) == (2.0**16, 0)


def test_an_epoch_shows_every_demonstration_once(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, num_steps=4)
        shown = [sample for step in range(1, 5) for sample in trainer._batch(step)]  # 12 of 4: three epochs
    for epoch in range(3):
        assert {sample.completion_ids for sample in shown[4 * epoch : 4 * epoch + 4]} == {
            sample.completion_ids for sample in trainer.samples
        }
    assert shown[:4] != shown[4:8], "epochs are shuffled anew"


def test_demonstrations_of_several_sources_are_shown_by_their_weights(policy: Policy, tmp_path: Path) -> None:
    shares = [Share(3, 1.0), Share(1, 0.5)]
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, num_steps=2, shares=shares)
        shown = [trainer.samples.index(sample) for step in (1, 2) for sample in trainer._batch(step)]
    assert [number == 3 for number in shown] == [False, True, False, False, True, False]
    order = MixedOrder(shares, seed=1)
    assert shown == [order.at(position) for position in range(6)]


def test_a_stopped_run_goes_on_to_the_same_bits(make_policy, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    undisturbed = make_policy()
    with new_run(tmp_path / "whole") as run:
        assert train(make_trainer(undisturbed, run, num_steps=6))
    with new_run(tmp_path / "parts") as run:
        assert not train(make_trainer(make_policy(), run, num_steps=6), stop_after=3)
    checkpoint = latest_checkpoint(tmp_path / "parts" / "checkpoints")
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    with RunDirectory.resume(tmp_path / "parts") as run:
        trainer = make_trainer(resumed, run, num_steps=6)
        assert train(trainer, first_step=trainer.resume(checkpoint))
    assert torch.equal(weights(resumed), weights(undisturbed))
    lines = [json.loads(line) for line in (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_values_in_the_padding_reach_neither_loss_nor_gradient() -> None:
    logprobs = torch.tensor([[-0.5, torch.nan]], requires_grad=True)
    loss = likelihood_loss(logprobs, logprobs.detach(), torch.tensor([1.0]), torch.tensor([[True, False]]))
    loss.sum().backward()
    assert loss.tolist() == [[0.5, 0.0]]
    assert logprobs.grad is not None and logprobs.grad[0, 0] == -1 and not logprobs.grad.isnan().any()


def test_a_completion_ends_with_the_token_that_the_chat_template_ends_turns_with(policy: Policy) -> None:
    ids = policy.encode_completion("ab")
    assert policy.decode(ids) == "ab"
    assert ids[-1] == policy.tokenizer.eos_token_id and len(ids) == 3
