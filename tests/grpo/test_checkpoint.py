"""A checkpoint is an ordinary model directory, appears only when whole, and continues training bit for bit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from grpo.checkpoint import CheckpointError, snapshot
from grpo.checkpoint.checksums import find_damage, write_checksums
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.places import find_checkpoints, remove_unfinished
from grpo.checkpoint.snapshot import Snapshot, write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.checkpoint.writer import CheckpointWriter
from grpo.model.policy import Policy, load_policy
from grpo.update import Updater
from test_update import SAMPLES, make_updater, weights


def taken(updater: Updater, step: int) -> Snapshot:
    return take_snapshot(updater, step=step, progress={"prompts_drawn": 7 * step}, texts={"config.toml": "a = 1\n"})


def save(root: Path, updater: Updater, step: int) -> Path:
    return write_checkpoint(root, taken(updater, step))


def small(step: int, write: Callable[[Path], None] = lambda directory: None) -> Snapshot:
    """A checkpoint without a model."""
    return Snapshot(step, write, {"0.exp_avg": torch.ones(2)}, {"trainer_state/progress.json": "{}"})


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


def test_a_step_that_learns_nothing_reports_the_rate_of_the_last_update(
    make_policy: Callable[..., Policy], tmp_path: Path
) -> None:
    updater = make_updater(make_policy(), schedule=lambda update: 1e-3 * (update + 1))
    for _ in range(3):
        updater.update(SAMPLES)
    save(tmp_path, updater, step=3)
    again = make_updater(make_policy(), schedule=lambda update: 1e-3 * (update + 1))
    load_trainer_state(latest_checkpoint(tmp_path), again)
    assert again.update([])["optim/lr"] == updater.update([])["optim/lr"] == pytest.approx(3e-3)


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


def test_what_is_written_is_the_state_when_it_was_copied(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    updater = make_updater(make_policy())
    updater.update(SAMPLES)
    at_once = save(tmp_path / "at once", updater, step=1)
    early = taken(updater, step=1)
    updater.update(SAMPLES)
    later = write_checkpoint(tmp_path / "later", early)
    for name in ("model.safetensors", "trainer_state/optimizer.safetensors", "trainer_state/progress.json"):
        assert (later / name).read_bytes() == (at_once / name).read_bytes(), name


@pytest.mark.parametrize("tied", [False, True])
def test_the_weights_file_is_the_one_that_transformers_writes(
    make_policy: Callable[..., Policy], tmp_path: Path, tied: bool
) -> None:
    policy = make_policy(tied=tied)
    policy.model.save_pretrained(tmp_path / "theirs")
    policy.save(tmp_path / "ours")
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()


EVALUATIONS = [{"step": step, "eval/gold": gold} for step, gold in ((0, 0.9), (2, 0.5), (4, 0.7), (6, None), (8, 0.5))]


@pytest.mark.parametrize(
    ("last", "best", "kept"),
    [
        (2, 0, {8, 10}),
        (1, 1, {4, 10}),
        (1, 2, {4, 8, 10}),  # 2 and 8 are equally good: the later one
        (1, 9, {2, 4, 8, 10}),  # 6 has no such metric
        (9, 1, {2, 4, 6, 8, 10}),
        (2, 1, {4, 8, 10}),
    ],
)
def test_the_newest_and_the_best_are_kept(last: int, best: int, kept: set[int]) -> None:
    assert Keeping(last, best, "gold").kept([2, 4, 6, 8, 10], EVALUATIONS) == kept
    assert Keeping(last, best, "gold").kept([10, 6, 2, 8, 4], EVALUATIONS[::-1]) == kept, "in any order"


def test_checkpoints_that_are_no_longer_kept_are_removed(tmp_path: Path) -> None:
    writer = CheckpointWriter(tmp_path, Keeping(last=1, best=1, best_by="gold"))
    for step in (2, 4, 6, 10):
        writer.save(small(step), [line for line in EVALUATIONS if line["step"] < step])
    writer.wait()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-000004", "step-000010"]
    writer.finish([*EVALUATIONS, {"step": 10, "eval/gold": 0.95}])
    assert list(find_checkpoints(tmp_path)) == [10], "the last evaluation comes after the last checkpoint"


def test_a_damaged_one_that_a_run_left_behind_does_not_count_as_the_newest(tmp_path: Path) -> None:
    for step in (2, 4, 8):
        write_checkpoint(tmp_path, small(step))
    writer = CheckpointWriter(tmp_path, Keeping(last=2))
    writer.newest = 4  # 8 is damaged: the run goes on from 4
    writer.finish([])
    assert list(find_checkpoints(tmp_path)) == [2, 4]
    write_checkpoint(tmp_path, small(8))
    writer.save(small(5), [])
    writer.wait()
    assert list(find_checkpoints(tmp_path)) == [4, 5]


def test_writing_goes_on_beside_the_training_and_one_at_a_time(tmp_path: Path) -> None:
    may_end, writing = threading.Event(), []

    def slow(directory: Path) -> None:
        writing.append(directory.name)
        may_end.wait(20)

    writer = CheckpointWriter(tmp_path, Keeping(last=2))
    writer.save(small(1, slow), [])
    while not writing:
        time.sleep(0.001)
    assert not find_checkpoints(tmp_path), "it has its name only when it is whole"
    second = threading.Thread(target=lambda: writer.save(small(2, slow), []))
    second.start()
    time.sleep(0.1)
    assert second.is_alive() and writing == [".unfinished-step-000001"], "the second waits for the first"
    may_end.set()
    second.join(20)
    writer.wait()
    assert writing == [".unfinished-step-000001", ".unfinished-step-000002"]
    assert list(find_checkpoints(tmp_path)) == [1, 2]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("No space left on device")])
def test_a_full_disk_is_said_at_the_next_one_and_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full_disk(*_: object) -> None:
        raise error

    writer = CheckpointWriter(tmp_path, Keeping(last=2))
    monkeypatch.setattr(snapshot, "save_file", full_disk)
    writer.save(small(1), [])
    with pytest.raises(CheckpointError, match="step-000001: .*No space left.*start afresh"):
        writer.save(small(2), [])
    monkeypatch.undo()
    writer.save(small(1), [])
    writer.wait()
    monkeypatch.setattr(snapshot, "save_file", full_disk)
    writer.save(small(2), [])
    with pytest.raises(CheckpointError, match="step-000002: .*No space left.*from step-000001 with run.resume=true"):
        writer.finish([])
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
    monkeypatch.undo()
    writer.save(small(2), [])
    writer.finish([])
    assert list(find_checkpoints(tmp_path)) == [1, 2]


def test_a_fault_of_the_program_is_not_lost_in_the_thread(tmp_path: Path) -> None:
    def wrong(directory: Path) -> None:
        raise RuntimeError("Already borrowed")

    writer = CheckpointWriter(tmp_path, Keeping())
    writer.save(small(1, wrong), [])
    with pytest.raises(RuntimeError, match="borrowed"):
        writer.wait()
    assert not list(tmp_path.iterdir())


KILLED = """
import sys, time, torch
from pathlib import Path
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.snapshot import Snapshot
from grpo.checkpoint.writer import CheckpointWriter

def write(directory):
    (directory / "model.safetensors").write_bytes(b"half of it")
    print("writing", flush=True)
    time.sleep(60)

writer = CheckpointWriter(Path(sys.argv[1]), Keeping())
writer.save(Snapshot(2, write, {}, {}), [])
writer.wait()
"""


def test_killed_while_it_writes_leaves_what_the_next_session_removes(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, small(1))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".unfinished-step-000002", "step-000001"]
    assert latest_checkpoint(tmp_path).name == "step-000001"
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


STATE = "trainer_state"


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        (cut, f"{STATE}/optimizer.safetensors", "has 77 bytes, and 80 were written"),
        (flip, f"{STATE}/optimizer.safetensors", "has other bytes than were written"),
        (Path.unlink, f"{STATE}/progress.json", "is missing"),
        (Path.unlink, f"{STATE}/checksums.json", "is missing: it was not written to its end, or by an older version"),
        (cut, f"{STATE}/checksums.json", "cannot be read"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    tmp_path: Path, damage: Callable[[Path], None], name: str, said: str
) -> None:
    older, newer = write_checkpoint(tmp_path, small(1)), write_checkpoint(tmp_path, small(2))
    told: list[str] = []
    assert latest_checkpoint(tmp_path, say=told.append) == newer and told == []
    damage(newer / name)
    assert latest_checkpoint(tmp_path, say=told.append) == older
    assert len(told) == 1 and f"{newer}: {name} {said}" in told[0]
    damage(older / name)
    with pytest.raises(CheckpointError, match="no checkpoint is whole") as caught:
        latest_checkpoint(tmp_path, say=told.append)
    assert all(f"{path}: {name} {said}" in str(caught.value) for path in (older, newer))


def test_a_checkpoint_of_another_layout_is_not_guessed_at(tmp_path: Path) -> None:
    directory = write_checkpoint(tmp_path, small(1))
    sums = directory / STATE / "checksums.json"
    sums.write_text(json.dumps({**json.loads(sums.read_text()), "format": 1}))
    assert "has format 1, and this version reads 2" in find_damage(directory)


def test_every_file_has_a_checksum_and_further_ones_do_no_harm(policy: Policy, tmp_path: Path) -> None:
    directory = save(tmp_path, make_updater(policy), step=1)
    sums = json.loads((directory / STATE / "checksums.json").read_text())["files"]
    files = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert set(sums) == files - {f"{STATE}/checksums.json"} and "model.safetensors" in sums
    (directory / "README.md").write_text("mine")
    assert not find_damage(directory)
    shutil.copytree(directory, tmp_path / "moved")
    assert not find_damage(tmp_path / "moved")
    (directory / "config.toml").write_text("a = 2\n")
    assert find_damage(directory).startswith("config.toml has other bytes")
    write_checksums(directory, 1)
    assert not find_damage(directory)


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
