"""Do translated tasks compile? Each signature with a `todo!()` body, called as its gold cases say."""

from __future__ import annotations

from collections.abc import Sequence

from tqdm import tqdm

from dataset.rows import RustTask
from rewards.gold.run import gold_result, gold_run, submit_gold
from sandbox.errors import SandboxError
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["compile_problems", "unwritten"]

TODO = "not yet implemented"  # what todo!() panics with


def unwritten(task: RustTask) -> str:
    """The program that a task asks for, without its body."""
    imports = [f"use std::collections::{name};\n" for name in ("HashMap", "HashSet") if name in task.signature]
    return f"{''.join(imports)}{task.signature} {{\n    todo!()\n}}\n"


def compile_problems(tasks: Sequence[RustTask], pool: SandboxPool) -> dict[str, str]:
    """Which tasks do not compile, by name, and why: every call has to reach the `todo!()`.

    Args:
        tasks: With different names.
        pool: Runs them. One that keeps its verdicts answers at once what it was asked before, also after a stop.
    Raises: SandboxError, where the host cannot run them.
    """
    sent = []
    for task in tasks:
        run = gold_run(unwritten(task), {"gold_cases": task.gold_cases})
        assert run is not None
        sent.append((task, run, submit_gold(run, pool)))
    problems = {}
    for task, run, future in tqdm(sent, desc="compiling", unit="", disable=None):
        found = future.result()
        if found.outcome is Outcome.HOST_ERROR:
            raise SandboxError(found.reason)
        if found.outcome is not Outcome.PASSED or not all(TODO in text for text in found.terms):
            problems[task.task_id] = gold_result(run, found).reason
    return problems
