"""A directory of any shape is removed with everything in it, and nothing outside of it."""

import os
from pathlib import Path

import pytest

from sandbox.isolation.remove_tree import remove_tree


def test_a_tree_deeper_than_any_path_may_be(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_locked_wide_and_oddly_named(tmp_path: Path) -> None:
    top = tmp_path / "top"
    for i in range(50):
        (top / f"d{i}" / "same" / "same").mkdir(parents=True)
        (top / f"d{i}" / "same" / os.fsdecode(b"\xff\n")).write_text("x")
        (top / f"d{i}" / "same").chmod(0)
    os.mkfifo(top / "pipe")
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    (tmp_path / "outside").chmod(0o750)
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "dangling").symlink_to("nowhere")
    os.link(tmp_path / "outside" / "kept", top / "hard")
    remove_tree(top)
    assert (tmp_path / "outside" / "kept").read_text() == "kept"
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o750
    assert not top.exists()


def test_nothing_to_remove_is_fine_and_a_file_is_not(tmp_path: Path) -> None:
    remove_tree(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        remove_tree(tmp_path / "file")
