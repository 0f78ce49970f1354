"""Puts `sandbox`, `rewards` and `grpo` together: recipes, composing a run from one, planning it, and its report.

The only package that imports all three. `pip install` installs it beside them; the commands in scripts/ are thin.

    recipe           every setting of a run                 arguments        the command line that makes one
    conflicts        settings that exclude each other
    compose          from a recipe to a trainer             sandbox_pool     from a recipe to sandbox workers
    engine_choice    which engine a recipe gets             checks           the grader's checks by name
    session          one session of a run: its directory, signals, what is written at the end
    resuming         what a resumed run may change          ranks            a run on several ranks
    serving          engines outside of the trainer's GPU   scaling          what several GPUs need, by formula
    following        feeds trackers, in a process apart     terminal         what is shown of a run while it trains
    plan             what a run is going to do: run_size, resources, time_estimate, memory_estimate, known_sizes,
                     prompt_counts
    rows             rows and texts from outside
    report           one page that shows a run              cli              exit codes and messages of every command
    environments     the tasks and rewards for verifiers, OpenEnv and TRL
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["RustEnv", "RustHarness", "RustTaskset"]  # what verifiers looks for under the id grpo-rust


def __getattr__(name: str) -> Any:
    """What verifiers takes, which is loaded only when it asks for them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("grpo_rust.environments.for_verifiers"), name)
