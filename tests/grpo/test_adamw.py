"""AdamW with moments of 8 bits moves weights as AdamW does, in a quarter of its memory, and resumes to the same bits.

Most of it needs torchao, which the extra `adam8bit` installs, and is skipped without it: torchao talks on every import.
"""

from collections.abc import Callable
from importlib import util
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.config import TrainSection
from grpo.model.policy import Policy, load_policy
from grpo.optimizer import adamw
from grpo.optimizer.adamw import BLOCK, SMALLEST, make_adamw, named_state, restored_state
from grpo.schema import ConfigError
from grpo.update import Updater
from test_update import SAMPLES, make_updater, weights

TORCHAO = pytest.mark.skipif(util.find_spec("torchao") is None, reason="torchao is not installed")
MOVED_WITHIN = 0.1  # of AdamW's way, relative; measured after 20 updates: 0.077, and 0.32 with another beta
BYTES_WITHIN = 0.001  # relative, of the moments with 8 bits


def eight_bit_updater(policy: Policy, **changes: object) -> Updater:
    return make_updater(policy, **{"optimizer": "adamw8bit", "weight_decay": 0.1, **changes})


def has_8_bits(parameter: torch.Tensor) -> bool:
    return parameter.numel() >= SMALLEST and parameter.numel() % BLOCK == 0


def way(updater: Updater) -> torch.Tensor:
    """How far 20 updates move the weights."""
    before = weights(updater.policy)
    for _ in range(20):
        updater.update(SAMPLES)
    return weights(updater.policy) - before


def signs(updater: Updater) -> dict[tuple[int, str], bool]:
    """Whether each moment with 8 bits has a sign; the first moments have one."""
    state = updater.optimizer.state_dict()["state"]
    return {(i, name): t.signed for i, entry in state.items() for name, t in entry.items() if hasattr(t, "signed")}


@TORCHAO
def test_moments_of_8_bits_move_weights_as_moments_of_float32_do(make_policy: Callable[..., Policy]) -> None:
    slowly = {"schedule": lambda update: 1e-4}
    full = way(make_updater(make_policy(hidden=128), weight_decay=0.1, **slowly))
    small = way(eight_bit_updater(make_policy(hidden=128), **slowly))
    assert 0 < (small - full).norm() < MOVED_WITHIN * full.norm()
    other = way(eight_bit_updater(make_policy(hidden=128), **slowly, betas=(0.5, 0.99)))
    assert (other - full).norm() > MOVED_WITHIN * full.norm(), "the tolerance must be able to fail"


@TORCHAO
def test_large_parameters_have_moments_of_8_bits_and_others_of_float32(make_policy: Callable[..., Policy]) -> None:
    policy = make_policy(hidden=128)
    updater = eight_bit_updater(policy)
    updater.update(SAMPLES)
    state = updater.optimizer.state
    kinds = {has_8_bits(p): {type(state[p][name]).__name__ for name in ("exp_avg", "exp_avg_sq")} for p in state}
    assert kinds == {True: {"OptimState8bit"}, False: {"Tensor"}}
    large = sum(p.numel() for p in state if has_8_bits(p))
    held = [t for key, t in named_state(updater.optimizer).items() if key.endswith(("codes", "scale"))]
    assert sum(t.nbytes for t in held) == pytest.approx((2 + 8 / 256) * large, rel=BYTES_WITHIN)


@TORCHAO
def test_the_schedule_reaches_an_optimizer_whose_rate_is_a_tensor(make_policy: Callable[..., Policy]) -> None:
    still = make_policy(hidden=128)
    before = weights(still)
    updater = eight_bit_updater(still, schedule=lambda update: 0.0 if update == 0 else 1e-3)
    assert updater.update(SAMPLES)["optim/lr"] == 0.0 and torch.equal(weights(still), before)
    assert updater.update(SAMPLES)["optim/lr"] == pytest.approx(1e-3) and not torch.equal(weights(still), before)


@TORCHAO
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_training_goes_on_bit_for_bit(make_policy: Callable[..., Policy], tmp_path: Path, dtype: str) -> None:
    policy = make_policy(hidden=128, dtype=getattr(torch, dtype))
    updater = eight_bit_updater(policy)
    for _ in range(3):
        updater.update(SAMPLES)
    write_checkpoint(tmp_path, take_snapshot(updater, step=3, progress={}, texts={}))
    for _ in range(3):
        updater.update(SAMPLES)

    checkpoint = latest_checkpoint(tmp_path)
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype=dtype)
    again = eight_bit_updater(resumed)
    load_trainer_state(checkpoint, again)
    for _ in range(3):
        again.update(SAMPLES)
    assert torch.equal(weights(resumed), weights(policy)) and again.updates == 6
    assert signs(updater) == signs(again) and set(signs(again).values()) == {True, False}
    ours, theirs = named_state(updater.optimizer), named_state(again.optimizer)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


@TORCHAO
@pytest.mark.parametrize("written", ["adamw", "adamw8bit"])
def test_moments_of_the_other_optimizer_are_refused(
    make_policy: Callable[..., Policy], tmp_path: Path, written: str
) -> None:
    updater = make_updater(make_policy(hidden=128), optimizer=written)
    updater.update(SAMPLES)
    checkpoint = write_checkpoint(tmp_path, take_snapshot(updater, step=1, progress={}, texts={}))
    [other] = {"adamw", "adamw8bit"} - {written}
    with pytest.raises(CheckpointError, match=f'written with train.optimizer = "{written}"'):
        load_trainer_state(checkpoint, make_updater(make_policy(hidden=128), optimizer=other))


def test_the_state_of_adamw_has_the_names_it_always_had(policy: Policy, tmp_path: Path) -> None:
    updater = make_updater(policy)
    updater.update(SAMPLES)
    checkpoint = write_checkpoint(tmp_path, take_snapshot(updater, step=1, progress={}, texts={}))
    stored = load_file(checkpoint / "trainer_state" / "optimizer.safetensors")
    assert {key.split(".", 1)[1] for key in stored} == {"step", "exp_avg", "exp_avg_sq"}
    restored = restored_state(stored, updater.optimizer)
    assert all(
        torch.equal(restored[index][name], tensor)
        for index, entry in updater.optimizer.state_dict()["state"].items()
        for name, tensor in entry.items()
    )


def test_without_torchao_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adamw, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "grpo-rust\[adam8bit\]"'):
        make_adamw("adamw8bit", [torch.zeros(2, 2)], [], lr=1.0, betas=(0.9, 0.99), decay=0.0)
    assert make_adamw(TrainSection().optimizer, [torch.zeros(2, 2)], [], lr=1.0, betas=(0.9, 0.99), decay=0.0)
