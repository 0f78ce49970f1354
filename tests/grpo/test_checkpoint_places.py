"""What is named as a checkpoint and is none: links, files, checkpoints of other steps; and what cannot be removed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grpo.checkpoint import writer as checkpoint_writer
from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.keeping import Keeping
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.places import STATE, find_checkpoints, remove_checkpoint
from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.writer import CheckpointWriter
from test_checkpoint import small


@pytest.mark.parametrize("step", [1, 9])
@pytest.mark.parametrize("kind", ["a file", "a link", "a link that leads nowhere"])
def test_what_is_named_as_a_checkpoint_and_is_no_directory_is_removed(tmp_path: Path, kind: str, step: int) -> None:
    root, elsewhere = tmp_path / "checkpoints", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "model.safetensors").write_bytes(b"mine")
    writer = CheckpointWriter(root, Keeping(last=1))
    writer.save(small(2), [])
    writer.wait()
    for path in (root / f"step-{step:06d}", root / f".unfinished-removed-step-{step:06d}", root / ".unfinished-other"):
        if kind == "a file":
            path.write_text("mine")
        else:
            path.symlink_to(elsewhere if kind == "a link" else tmp_path / "nowhere")
    for last in (2, 3):  # the first replaces its own step
        writer.save(small(last), [])
        writer.finish([])
        assert [path.name for path in root.iterdir()] == [f"step-{last:06d}"]
    assert (elsewhere / "model.safetensors").read_bytes() == b"mine", "only the link was removed"


def test_a_link_in_the_place_of_a_checkpoint_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "step-000002").symlink_to(tmp_path / "nowhere")
    directory = write_checkpoint(tmp_path, small(2))
    assert not directory.is_symlink() and not find_damage(directory)


def test_a_removal_that_fails_loses_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(directory: Path) -> None:
        if directory.name == "step-000001":
            raise PermissionError(1, "Operation not permitted")
        remove_checkpoint(directory)

    monkeypatch.setattr(checkpoint_writer, "remove_checkpoint", refused)
    writer = CheckpointWriter(tmp_path, Keeping(last=1))
    for step in (1, 2, 3):
        writer.save(small(step), [])
    writer.finish([])
    assert list(find_checkpoints(tmp_path)) == [1, 3], "the others are removed"
    assert "cannot remove" in caplog.text and "step-000001: [Errno 1] Operation not permitted" in caplog.text


def test_an_older_one_that_cannot_be_removed_does_not_stop_its_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    write_checkpoint(tmp_path, small(2))
    monkeypatch.setattr(shutil, "rmtree", refused)
    assert not find_damage(write_checkpoint(tmp_path, small(2)))
    assert ".unfinished-removed-step-000002: [Errno 1] Operation not permitted" in caplog.text
    monkeypatch.undo()
    write_checkpoint(tmp_path, small(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000002", "step-000003"]


@pytest.mark.parametrize("copy", [shutil.copytree, lambda path, to: to.symlink_to(path), Path.rename])
def test_a_checkpoint_under_the_name_of_another_step_is_not_taken_for_it(
    tmp_path: Path, copy: Callable[[Path, Path], object]
) -> None:
    two, four = write_checkpoint(tmp_path, small(2)), write_checkpoint(tmp_path, small(4))
    copy(two, tmp_path / "step-000009")
    assert find_damage(tmp_path / "step-000009") == "holds step 2: it was copied or renamed"
    told: list[str] = []
    assert latest_checkpoint(tmp_path, say=told.append) == four
    assert len(told) == 1 and "step-000009: holds step 2" in told[0]


def test_a_checkpoint_of_before_its_step_was_written_is_taken(tmp_path: Path) -> None:
    directory = write_checkpoint(tmp_path, small(2))
    sums = directory / STATE / "checksums.json"
    written = json.loads(sums.read_text())
    assert written.pop("step") == 2
    sums.write_text(json.dumps(written))
    assert not find_damage(directory)
