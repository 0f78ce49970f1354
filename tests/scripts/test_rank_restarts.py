"""Ranks that real torchruns start anew, or do not, after rank 0 or another rank has failed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "scripts"))),
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}
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
    (tmp_path / "program.py").write_text(FAILS_ALONE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--max-restarts", "1"]
    launcher += ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    started = [
        subprocess.Popen(
            [*launcher, f"--nproc-per-node={ranks}", f"--node-rank={number}", "program.py", "failed"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, ranks in enumerate((2, 1))
    ]
    try:
        said = [machine.communicate(timeout=LIMIT_S)[0] for machine in started]
    finally:
        for machine in started:
            machine.terminate()
    assert [machine.returncode for machine in started] == [0, 0], said
    assert "closed" in said[0] and "program: no server answers" in said[0] and "went on" in said[0], said


SEES_NOTHING = """
import sys

import train
from grpo.distributed.place import place_of

if __name__ == "__main__":  # workers of the sandbox import it again
    if place_of().rank:
        from grpo_rust.ranks import following

        following._holds = lambda file, content: False
    sys.exit(train.main())
"""


@pytest.mark.slow
def test_a_folder_that_a_rank_does_not_see_ends_a_run_for_good_before_its_engine_starts(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SEES_NOTHING)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1"]
    settings = ["train.prompts_per_step=2", "sampling.group_size=4", "eval.prompts=0", "train.device=cpu"]
    done = subprocess.run(
        [*launcher, str(tmp_path / "program.py"), "--plain", *settings, f"run.dir={tmp_path / 'run'}"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode != 0 and (tmp_path / "run" / "ended.json").exists(), done
    assert "does not see the run's directory" in (tmp_path / "run" / "ended.json").read_text()
    assert "this run has ended on purpose" in done.stderr, done
    assert not (tmp_path / "run" / "engine.log").exists() and not (tmp_path / "run.restart-1").exists(), done
