"""Two torchruns, as on two machines, that start one program as ranks of one team."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["two_torchruns"]

ROOT = Path(__file__).resolve().parents[3]


def two_torchruns(program: str, folder: Path, *, ranks: Sequence[int], limit_s: float) -> list[tuple[int, str]]:
    """Run a program, with one restart allowed, until both torchruns have ended.

    Args:
        program: Its text. It finds `failed`, a path in `folder`, as its argument, to remember that it has failed.
        folder: Where it runs.
        ranks: How many each torchrun starts.
    Returns: Of each torchrun its exit code and all that was said.
    """
    (folder / "program.py").write_text(program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--max-restarts", "1"]
    launcher += ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "scripts")))
    machines = [
        subprocess.Popen(
            [*launcher, f"--nproc-per-node={count}", f"--node-rank={number}", "program.py", "failed"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, count in enumerate(ranks)
    ]
    try:
        said = [machine.communicate(timeout=limit_s)[0] for machine in machines]
    finally:
        for machine in machines:
            machine.terminate()
    return [(machine.returncode, words) for machine, words in zip(machines, said, strict=True)]
