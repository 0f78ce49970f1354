"""Ranks that real torchruns start anew, or do not, after rank 0 or another rank has failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchruns import two_torchruns

LIMIT_S = 240  # a rank waits 600 s for others that do not come

FAILS_ALONE = """
import sys, time
from pathlib import Path
from grpo.errors import BadInput, HostFailed
from grpo_rust.cli import command
from grpo_rust.ranks.parts import follows, joined
from grpo_rust.recipe import load_recipe

@command("program")
def main():
    recipe = load_recipe(None, ["run.name=one", "train.device=cpu"])
    if follows():
        from grpo_rust.ranks.following import follow_run

        return follow_run(recipe)
    failed = Path(sys.argv[1])
    try:
        with joined(recipe):
            if not failed.exists():
                failed.touch()
                raise HostFailed("no server answers")
    except HostFailed:
        time.sleep(3)  # it closes what it has, undisturbed
        print("closed", flush=True)
        raise
    print("went on", flush=True)
    return 0

sys.exit(main())
"""


@pytest.mark.slow
def test_torchruns_of_all_machines_start_anew_what_rank_zero_alone_has_failed_in(tmp_path: Path) -> None:
    """The second machine's rank must fail too; the second rank of the first machine only once rank 0 has ended."""
    ended = two_torchruns(FAILS_ALONE, tmp_path, ranks=(2, 1), limit_s=LIMIT_S)
    first, _ = (said for _, said in ended)
    assert [code for code, _ in ended] == [0, 0], ended
    assert "closed" in first and "program: no server answers" in first and "went on" in first, ended
