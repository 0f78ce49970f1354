"""A run whose ranks torchrun has started anew (`--max-restarts`): it goes on from its last checkpoint by itself.

A run's environment.json has a mark of the torchrun that began it, so that the directory of another run is never taken
for one to go on with. Left out: a rank 0 that torchrun starts on another machine; it refuses the directory.

A run that has ended on purpose would do so again. It leaves a note for the torchrun that starts it anew, until somebody
resumes it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from grpo.checkpoint.places import find_checkpoints
from grpo.errors import GrpoError, RunStopped
from grpo.run.directory import ENVIRONMENT
from grpo.run.lock import RunBusy, lock_run
from grpo_rust.recipe import Recipe

__all__ = ["after_restart", "end_noted", "forget_end", "torchrun_mark"]

MARK = "torchrun"  # of environment.json, and of the note
NOTE = "ended.json"  # in the run's directory: why it has ended on purpose


def after_restart(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> Recipe:
    """The recipe as it is, or resumed where this is not the first start; a run without a checkpoint is put aside.

    An earlier start of this torchrun has made the directory then. torchrun's own count is not asked: it leaves out the
    starts that follow machines which come or go.

    Args:
        recipe: The settings.
        environment: Of this process.
    Raises:
        RunStopped: Where an earlier start of this torchrun has ended on purpose.
    """
    path = recipe.run_path()
    if why := _read(path / NOTE, environment).get("why"):
        raise RunStopped(
            f"this run has ended on purpose, and torchrun starts it anew in vain: {why}. Correct that first, then go "
            "on with run.resume=true"
        )
    if recipe.run.resume or not _is_ours(path, environment):
        return recipe
    if find_checkpoints(path / "checkpoints"):
        return dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, resume=True))
    names = (path.with_name(f"{path.name}.restart-{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())  # an earlier try may have left some
    path.rename(aside)
    print(f"restarted before its first checkpoint: the run begins anew, and what there was is in {aside}", flush=True)
    return recipe


@contextmanager
def end_noted(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Around a run: if it ends on purpose, by an error of any rank, the next start by this torchrun is to know.

    Nothing is noted before the run has a directory, and in a directory that another process writes.

    Args:
        recipe: As `after_restart` has returned it.
        environment: Of this process.
    """
    try:
        yield
    except GrpoError as error:
        path, mark = recipe.run_path(), torchrun_mark(environment)
        is_the_runs = (path / ENVIRONMENT).is_file() if recipe.run.resume else _is_ours(path, environment)
        if error.recurs and mark and is_the_runs:
            with suppress(OSError, RunBusy), lock_run(path):
                (path / NOTE).write_text(json.dumps({**mark, "why": str(error)}), encoding="utf-8")
        raise


def forget_end(path: Path) -> None:
    """Remove the note of an earlier end from a run's directory, which this process has locked: the run goes on."""
    with suppress(OSError):
        (path / NOTE).unlink()


def torchrun_mark(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What tells the torchrun that started this process from all others, for environment.json; nothing without one."""
    if "TORCHELASTIC_RUN_ID" not in environment:
        return {}
    agent = os.getppid()
    try:
        started = Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    names = (environment["TORCHELASTIC_RUN_ID"], platform.node(), str(agent), started)
    return {MARK: hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]}


def _is_ours(path: Path, environment: Mapping[str, str]) -> bool:
    """Whether an earlier start of this torchrun has made a run's directory."""
    return bool(_read(path / ENVIRONMENT, environment))


def _read(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """A JSON object with the mark of this torchrun; {} where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    mark = torchrun_mark(environment)
    return found if mark and isinstance(found, dict) and found.get(MARK) == mark[MARK] else {}
