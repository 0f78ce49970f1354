"""`git apply` is the referee of `rewards.edits.unified_diff`: what we apply, git applies to the same text.

Git also applies what we refuse, for one of the reasons in `STRICTER`. Nothing is looser.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from diffs import FILE, draw_diff, mutated
from rewards.edits.unified_diff import apply_diff

STRICTER = {  # what a reason says: why we refuse what git takes
    "stands in no hunk": "git skips any text between patches, and with it changes that the model meant to make",
    "should name the file": "git skips text before the names, and hunks of a header without names",
    "should be the first hunk's": "git skips a file section without hunks",
    "is wanted, the only file": "git drops the first folder of a name, time stamps, and what `..` cancels",
    "ends in the middle of a line": "git skips a last line without an end where it counts it to no hunk",
    "says nothing of the line before it": "git takes every line that starts with a backslash and a space as the mark",
    "follows one without a newline": "git joins two lines then",
    "should have": "git passes over a mark in front of a hunk's first line, and over the second of two",
    "context of hunk": "git takes a line without its newline for one that has it, and joins two lines",
}


@pytest.fixture
def git(tmp_path: Path):
    """`git apply` in a folder that holds the one file, far from any repository."""
    file = tmp_path / FILE
    file.parent.mkdir()
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "HOME": str(tmp_path)}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "apply", "--whitespace=nowarn", "-"]

    def apply(text: str, diff: str) -> str | None:
        file.write_bytes(text.encode())
        done = subprocess.run(command, input=diff.encode(), cwd=tmp_path, env=environment, capture_output=True)
        return file.read_bytes().decode() if done.returncode == 0 else None

    return apply


def compare(git, count: int, seed: int) -> Counter[str]:
    """Diffs, three quarters of them with mistakes, by what came of them; fails where we are looser than git."""
    found: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        text, diff = draw_diff(rng)
        diff = mutated(diff, rng) if rng.random() < 0.75 else diff
        ours, theirs = apply_diff(diff, text, FILE), git(text, diff)
        if ours.text == theirs:
            found["both apply" if theirs is not None else "both refuse"] += 1
            continue
        reasons = [reason for reason in STRICTER if reason in ours.reason]
        assert ours.text is None and reasons, (ours, theirs, text, diff)
        found[reasons[0]] += 1
    return found


def test_we_apply_what_git_applies(git) -> None:
    found = compare(git, 150, seed=1)
    assert found["both apply"] > 30 and found["both refuse"] > 30
    assert found["both apply"] + found["both refuse"] > 0.9 * 150


@pytest.mark.slow
def test_we_apply_what_git_applies_in_thousands(git) -> None:
    found = compare(git, 4000, seed=2)
    assert found["both apply"] > 800 and found["both refuse"] > 800
    assert found["both apply"] + found["both refuse"] > 0.9 * 4000


def test_every_reason_to_be_stricter_is_one(git) -> None:
    """Each refusal of the list is one that git does not share; `both` is refused by both."""
    names, hunk = f"--- a/{FILE}\n+++ b/{FILE}\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    mark = "\\ No newline at end of file\n"
    stricter = {
        "stands in no hunk": ("a\nb\n", f"{names}{hunk}text\n"),
        "should name the file": ("a\nb\n", f"text\n{names}{hunk}"),
        "is wanted, the only file": ("a\nb\n", f"--- x/{FILE}\n+++ y/{FILE}\n{hunk}"),
        "ends in the middle of a line": ("a\nb\n", f"{names}{hunk}text"),
        "says nothing of the line before it": ("a\nb", f"{names}@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline here\n+c\n"),
        "should have": ("a\nb\n", f"{names}@@ -1,2 +1,2 @@\n{mark} a\n-b\n+c\n"),
        "context of hunk": ("a\nb\nd\ne\n", f"{names}@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n{mark}"),
    }
    for reason, (text, diff) in stricter.items():
        assert reason in apply_diff(diff, text, FILE).reason and git(text, diff) is not None, reason
    for diff in (hunk, names, names + hunk.replace("1,2", "1,3"), names + hunk.replace(" a", " x"), names + hunk * 2):
        assert apply_diff(diff, "a\nb\n", FILE).text is None and git("a\nb\n", diff) is None
