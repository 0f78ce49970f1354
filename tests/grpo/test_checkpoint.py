"""A checkpoint is an ordinary model directory, appears only when whole, and continues training bit for bit."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from grpo import checkpoint
from grpo.checkpoint import CheckpointError, latest_checkpoint, load_trainer_state, save_checkpoint
from grpo.model.policy import Policy, load_policy
from grpo.update import Updater
from test_update import SAMPLES, make_updater, weights


def save(root: Path, updater: Updater, step: int, keep: int = 2) -> Path:
    return save_checkpoint(
        root,
        step=step,
        updater=updater,
        progress={"prompts_drawn": 7 * step},
        config_toml="a = 1\n",
        keep=keep,
    )


def test_training_goes_on_bit_for_bit(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    policy = make_policy()
    updater = make_updater(policy, weight_decay=0.1)
    for _ in range(3):
        updater.update(SAMPLES)
    save(tmp_path, updater, step=3)
    for _ in range(3):
        updater.update(SAMPLES)

    resumed = load_policy(str(latest_checkpoint(tmp_path)), device=torch.device("cpu"), compute_dtype="float32")
    again = make_updater(resumed, weight_decay=0.1)
    progress = load_trainer_state(latest_checkpoint(tmp_path), again)
    assert progress == {"step": 3, "updates": 3, "prompts_drawn": 21}
    for _ in range(3):
        again.update(SAMPLES)
    assert torch.equal(weights(resumed), weights(policy))
    assert again.updates == 6


def test_without_the_adam_state_it_would_not(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    policy = make_policy()
    updater = make_updater(policy)
    updater.update(SAMPLES)
    save(tmp_path, updater, step=1)
    updater.update(SAMPLES)
    forgetful = load_policy(str(latest_checkpoint(tmp_path)), device=torch.device("cpu"), compute_dtype="float32")
    make_updater(forgetful).update(SAMPLES)
    assert not torch.equal(weights(forgetful), weights(policy))


def test_transformers_loads_it_as_it_is(policy: Policy, tmp_path: Path) -> None:
    directory = save(tmp_path, make_updater(policy), step=12)
    assert directory.name == "step-000012"
    model = AutoModelForCausalLM.from_pretrained(directory)
    assert torch.equal(model.lm_head.weight, policy.model.lm_head.weight)
    messages = [{"role": "user", "content": "fn é() {}"}]
    loaded = AutoTokenizer.from_pretrained(directory)
    ids = loaded.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert tuple(ids) == policy.encode(messages)
    assert not list(directory.rglob("*.bin")) and not list(directory.rglob("*.pt")), "no pickles"


def test_only_the_newest_are_kept(policy: Policy, tmp_path: Path) -> None:
    updater = make_updater(policy)
    for step in (1, 2, 3, 10):
        save(tmp_path, updater, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000003", "step-000010"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("No space left on device")])
def test_a_full_disk_is_said_and_leaves_the_older_one(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    updater = make_updater(policy)

    def full_disk(*_: object) -> None:
        raise error

    monkeypatch.setattr(checkpoint, "save_file", full_disk)
    with pytest.raises(CheckpointError, match="step-000001: .*No space left.*start afresh"):
        save(tmp_path, updater, step=1)
    monkeypatch.undo()
    save(tmp_path, updater, step=1)
    monkeypatch.setattr(checkpoint, "save_file", full_disk)
    with pytest.raises(CheckpointError, match="step-000002: .*No space left.*from step-000001 with run.resume=true"):
        save(tmp_path, updater, step=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
    monkeypatch.undo()
    assert save(tmp_path, updater, step=2) == latest_checkpoint(tmp_path)
    assert not list(tmp_path.glob(".unfinished-*"))


def test_nothing_to_resume_from_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["progress.json", "optimizer.safetensors"])
def test_a_damaged_state_says_which_file(policy: Policy, tmp_path: Path, name: str) -> None:
    updater = make_updater(policy)
    updater.update(SAMPLES)
    directory = save(tmp_path, updater, step=1)
    damaged = directory / "trainer_state" / name
    damaged.write_bytes(damaged.read_bytes()[:-3])
    with pytest.raises(CheckpointError, match="trainer_state"):
        load_trainer_state(directory, updater)
