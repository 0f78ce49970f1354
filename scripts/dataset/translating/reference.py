"""Runs a Python reference on the inputs of its tests, in a process with limits, and reads what was recorded."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset.translating.asserts import Form, Instrumented

__all__ = ["NOT_IN_TIME", "Observed", "ReferenceFailed", "ReferenceStopped", "observe"]

RECORDER = Path(__file__).with_name("recorder.py")
CPU_S, WALL_S, MEMORY_MB, MOST_CASES = 10, 60, 1024, 64
NOT_IN_TIME = "the reference does not end in time"  # by the clock; its CPU time is limited apart from that
ENDED_FROM_OUTSIDE = (-signal.SIGTERM, -signal.SIGHUP)


class ReferenceFailed(Exception):
    """The reference or its tests did not run to their end; the text says why, in a few words that can be counted."""


class ReferenceStopped(OSError):
    """Someone ended the process of a reference: that says nothing about the reference."""


@dataclass(frozen=True)
class Observed:
    """One call of the function, and what became of it."""

    form: Form
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    result: Any = None  # what the reference returned
    holds: bool | None = None  # whether the assert holds for it; None without a reference
    other: Any = None  # what the assert compares with
    fault: str = ""  # why this call is of no use

    @property
    def expected(self) -> Any:
        """What the assert says that the call returns."""
        return self.form.kind == "true" if self.form.kind in ("true", "false") else self.other


def observe(
    tests: Instrumented,
    *,
    name: str,
    reference: str = "",
    setup: str = "",
    has_check: bool = False,
    backwards: bool = False,
    hash_seed: int = 0,
) -> list[Observed]:
    """Run the tests of a task.

    Args:
        tests: They call the recorder.
        name: The function that is tested.
        reference: Python that defines it; without, the asserts alone say what is expected.
        setup: Python between the reference and the tests.
        has_check: Whether the tests are a function `check(candidate)`.
        backwards: Whether sets and dictionaries are iterated backwards, to see what depends on their order.
        hash_seed: Decides the order of strings in sets.
    Returns: The calls, in order.
    Raises: ReferenceFailed; ReferenceStopped.
    """
    asked = {
        **{"reference": reference, "setup": setup, "tests": tests.program, "name": name, "has_check": has_check},
        **{"backwards": backwards, "most_cases": MOST_CASES, "cpu_s": CPU_S, "memory_mb": MEMORY_MB},
        "alarm_s": 2 * WALL_S,  # should this process be gone by then
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-B", "-P", "-S", "-s", RECORDER],
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=WALL_S,
                cwd=folder,
                process_group=0,  # Ctrl-C goes to the groups in the foreground: it would end the reference midway
                env={"PYTHONHASHSEED": str(hash_seed), "PYTHONIOENCODING": "utf-8:backslashreplace"},
            )
        except subprocess.TimeoutExpired:
            raise ReferenceFailed(NOT_IN_TIME) from None
    return _read(done, tests.forms)


def _read(done: subprocess.CompletedProcess[str], forms: Sequence[Form]) -> list[Observed]:
    """What the recorder wrote."""
    if done.returncode in ENDED_FROM_OUTSIDE:
        name = signal.Signals(-done.returncode).name
        raise ReferenceStopped(f"the process of a reference was ended by {name}: give the same command again")
    try:
        found = ast.literal_eval(done.stdout)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ReferenceFailed("the reference needs too much time or memory") from None
    if "error" in found:
        raise ReferenceFailed(found["error"])
    return [_observed(case, forms) for case in found["cases"]]


def _observed(case: dict[str, Any], forms: Sequence[Form]) -> Observed:
    fault = f"raises {case['raised']}" if "raised" in case else ""
    fault = f"a value of type {case['untold']}" if "untold" in case else fault
    return Observed(
        forms[case["form"]],
        tuple(case.get("args", ())),
        case.get("keywords", {}),
        case.get("result"),
        case.get("holds"),
        case.get("other"),
        fault,
    )
