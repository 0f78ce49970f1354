"""A damaged or foreign checkpoint is refused in words before any of it is used; a row of the table is a damage."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from grpo.checkpoint import CheckpointError
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.snapshot import Snapshot, write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.errors import GrpoError
from grpo.model.policy import Policy, load_policy
from test_update import SAMPLES, make_updater

Damage = Callable[[Path], object]
STATE, MOMENTS, PROGRESS = "trainer_state", "optimizer.safetensors", "progress.json"


def halve(name: str) -> Damage:
    return lambda at: (at / name).write_bytes((at / name).read_bytes()[: (at / name).stat().st_size // 2])


def write(name: str, content: bytes) -> Damage:
    return lambda at: (at / name).write_bytes(content)


def progress(**changes: object) -> Damage:
    """Change values of progress.json; None removes one."""

    def change(at: Path) -> None:
        found = {**json.loads((at / STATE / PROGRESS).read_text()), **changes}
        (at / STATE / PROGRESS).write_text(json.dumps({k: v for k, v in found.items() if v is not None}))

    return change


def moments(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    def rewrite(at: Path) -> None:
        found = load_file(at / STATE / MOMENTS)
        change(found)
        save_file(found, at / STATE / MOMENTS)

    return rewrite


def directory(name: str) -> Damage:
    return lambda at: ((at / name).unlink(), (at / name).mkdir())


DAMAGES: dict[str, Damage] = {
    "progress.json is cut in half": halve(f"{STATE}/{PROGRESS}"),
    "progress.json is empty": write(f"{STATE}/{PROGRESS}", b""),
    "progress.json is not JSON": write(f"{STATE}/{PROGRESS}", b"step = 3"),
    "progress.json is not UTF-8": write(f"{STATE}/{PROGRESS}", b"\xff\xfe{\x00"),
    "progress.json holds a list": write(f"{STATE}/{PROGRESS}", b"[1, 2]"),
    "progress.json holds null": write(f"{STATE}/{PROGRESS}", b"null"),
    "progress.json nests a hundred thousand lists": write(f"{STATE}/{PROGRESS}", b"[" * 100_000),
    "progress.json is a directory": directory(f"{STATE}/{PROGRESS}"),
    "progress.json is of an older form without the number of updates": progress(updates=None),
    "progress.json has a text as its number of updates": progress(updates="three"),
    "progress.json has a negative number of updates": progress(updates=-1),
    "the moments are cut in half": halve(f"{STATE}/{MOMENTS}"),
    "the moments are empty": write(f"{STATE}/{MOMENTS}", b""),
    "the moments are a pickle": lambda at: torch.save({"a": torch.ones(2)}, at / STATE / MOMENTS),
    "the moments are a directory": directory(f"{STATE}/{MOMENTS}"),
    "the moments have a name that is none": moments(lambda found: found.update(momentum=torch.ones(2))),
    "the moments are of a larger weight": moments(lambda found: found.update({"0.exp_avg": torch.ones(7, 7)})),
    "the moments are of a weight that the model has not": moments(
        lambda found: found.update({"999.exp_avg": torch.ones(2)})
    ),
    "the trainer's state is missing": lambda at: [
        file.unlink() for file in (at / STATE).iterdir()
    ],
}  # fmt: skip


PROGRESS_SUM = f'"{STATE}/{PROGRESS}"'
SUMS: dict[str, tuple[bytes, str]] = {
    "is empty": (b"", "cannot be read"),
    "is not UTF-8": (b"\xff\xfe", "cannot be read"),
    "holds a list": (b"[]", "cannot be read"),
    "holds null": (b"null", "cannot be read"),
    "nests a hundred thousand lists": (b"[" * 100_000, "cannot be read"),
    "has no files": (b'{"format": 2, "step": 1}', "it lacks 'files'"),
    "has a list of files": (b'{"format": 2, "files": []}', "its files are no JSON object"),
    "has no file in its files": (b'{"format": 2, "files": {}}', f"does not list {STATE}/{PROGRESS}"),
    "lists only another file": (b'{"format": 2, "files": {"a": {}}}', f"does not list {STATE}/{PROGRESS}"),
    "has a text as its step": (b'{"format": 2, "step": "1", "files": {}}', "its step is no whole number"),
    "has truth as its step": (b'{"format": 2, "step": true, "files": {}}', "its step is no whole number"),
    "has a list as a checksum": (f'{{"format": 2, "files": {{{PROGRESS_SUM}: []}}}}'.encode(), "cannot be read"),
    "has an empty checksum": (f'{{"format": 2, "files": {{{PROGRESS_SUM}: {{}}}}}}'.encode(), "cannot be read"),
    "has a text as a size": (
        f'{{"format": 2, "files": {{{PROGRESS_SUM}: {{"bytes": "9"}}}}}}'.encode(), "cannot be read"
    ),
    "has a name with a zero": (
        f'{{"format": 2, "files": {{"a\\u0000b": {{}}, {PROGRESS_SUM}: {{}}}}}}'.encode(), "cannot be read"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SUMS)
def test_a_checkpoint_is_damaged_when_its_checksums_json(name: str, tmp_path: Path) -> None:
    texts = {f"{STATE}/{PROGRESS}": "{}"}
    checkpoint = write_checkpoint(tmp_path, Snapshot(1, lambda directory: None, {"0.exp_avg": torch.ones(2)}, texts))
    content, said = SUMS[name]
    (checkpoint / STATE / "checksums.json").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        latest_checkpoint(tmp_path)
    assert said in str(caught.value) and "start afresh" in str(caught.value) and len(str(caught.value)) < 800


@pytest.fixture
def checkpoint(policy: Policy, tmp_path: Path) -> Path:
    """A checkpoint after one update."""
    updater = make_updater(policy)
    updater.update(SAMPLES)
    return write_checkpoint(tmp_path, take_snapshot(updater, step=1, progress={"drawn": 7}, texts={}))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_checkpoint_is_refused_when(name: str, checkpoint: Path, make_policy: Callable[..., Policy]) -> None:
    updater = make_updater(make_policy())
    DAMAGES[name](checkpoint)
    with pytest.raises(CheckpointError, match="start afresh"):
        latest_checkpoint(checkpoint.parent)  # by its checksums
    with pytest.raises(CheckpointError) as caught:
        load_trainer_state(checkpoint, updater)  # by its content
    said = str(caught.value)
    assert str(checkpoint.parent) in said and "start afresh" in said and len(said) < 800
    assert updater.updates == 0, "what was refused changed nothing"


def test_a_checkpoint_of_another_model_is_refused(checkpoint: Path, make_policy: Callable[..., Policy]) -> None:
    with pytest.raises(CheckpointError, match="of another model"):
        load_trainer_state(checkpoint, make_updater(make_policy(hidden=64)))


def test_whole_checkpoints_are_taken(checkpoint: Path, make_policy: Callable[..., Policy]) -> None:
    updater = make_updater(make_policy())
    assert load_trainer_state(checkpoint, updater)["drawn"] == 7 and updater.updates == 1


@pytest.mark.parametrize("damaged", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_checkpoint_whose_model_is_cut_is_refused_by_the_models_reader(checkpoint: Path, damaged: str) -> None:
    halve(damaged)(checkpoint)
    with pytest.raises(GrpoError, match=damaged):
        load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")


@pytest.mark.parametrize("found", [[], ["step-1"], ["step-abcdef"], [".unfinished-step-000004"], ["model"]])
def test_a_folder_without_a_whole_checkpoint_says_so(tmp_path: Path, found: list[str]) -> None:
    for name in found:
        (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match="start afresh"):
        latest_checkpoint(tmp_path)
