"""Runs a Python reference on the inputs of its tests, in a process with limits, and reads what was recorded."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset.translating import recorder, reordering
from dataset.translating.asserts import Form, Instrumented

__all__ = ["AS_GIVEN", "NOT_IN_TIME", "ORDERS", "Again", "Observed", "ReferenceFailed", "ReferenceStopped", "observe",
           "repeat"]  # fmt: skip

SCRIPTS = Path(__file__).resolve().parents[2]
START = f"import sys; sys.path[:0] = [{str(SCRIPTS)!r}]; from {recorder.__name__} import main; del sys.path[0]; main()"
CPU_S, WALL_S, MEMORY_MB, MOST_CASES = 30, 180, 1024, 64  # the slowest of MBPP needs 5 s, twice that on a busy machine
ORDERS = tuple(reordering.ORDERS)  # worlds in which sets and maps come in another order
AS_GIVEN = ("as given",)  # the world in which they do not
NOT_IN_TIME = "the reference does not end in time"  # by the clock; its CPU time is limited apart from that
ENDED_FROM_OUTSIDE = (-signal.SIGTERM, -signal.SIGHUP)
ENDS_ITS_PROCESS = "the reference ends its process"
LIMITED_BY = (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGALRM, -signal.SIGSEGV, -signal.SIGABRT)


class ReferenceFailed(Exception):
    """The reference or its tests did not run to their end; the text says why, in a few words that can be counted."""


class ReferenceStopped(OSError):
    """Someone ended the process of a reference: that says nothing about the reference."""


@dataclass(frozen=True)
class Again:
    """What became of a call that was made with plain values, apart from the tests."""

    result: Any = None
    fault: str = ""  # why it has no result


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
    alone: Again = field(default_factory=Again)  # the call as the only one, after other random numbers

    @property
    def expected(self) -> Any:
        """What the assert says that the call returns."""
        return self.form.kind == "true" if self.form.kind in ("true", "false") else self.other


def observe(
    tests: Instrumented, *, name: str, reference: str = "", setup: str = "", has_check: bool = False
) -> list[Observed]:
    """Run the tests of a task.

    Args:
        tests: They call the recorder.
        name: The function that is tested.
        reference: Python that defines it; without, the asserts alone say what is expected.
        setup: Python between the reference and the tests.
        has_check: Whether the tests are a function `check(candidate)`.
    Returns: The calls, in order.
    Raises: ReferenceFailed; ReferenceStopped.
    """
    asked = {"tests": tests.program, "has_check": has_check, "worlds": [], "most_cases": MOST_CASES}
    program = {"name": name, "reference": reference, "setup": setup}
    return [_observed(case, tests.forms) for case in _run(asked | program, CPU_S, hash_seed=0)["cases"]]


def repeat(
    calls: Sequence[tuple[Sequence[Any], dict[str, Any]]],
    worlds: Sequence[str],
    *,
    name: str,
    reference: str,
    setup: str = "",
) -> list[list[Again]]:
    """Make calls with plain values, with other hashes and random numbers than those of `observe`.

    Args:
        calls: Arguments by place and by name.
        worlds: `ORDERS` or `AS_GIVEN`.
        name: The function.
        reference: Python that defines it.
        setup: Python after the reference.
    Returns: For each world what became of each call.
    Raises: ReferenceFailed; ReferenceStopped.
    """
    asked = {"calls": repr([(list(args), keywords) for args, keywords in calls]), "worlds": list(worlds)}
    program = {"name": name, "reference": reference, "setup": setup}
    found = _run(asked | program, CPU_S * len(worlds), hash_seed=1)["worlds"]
    return [[_again(call) for call in world] for world in found]


def _run(asked: dict[str, Any], cpu_s: int, *, hash_seed: int) -> dict[str, Any]:
    """Run the recorder: what it wrote. `hash_seed` decides the order of texts in sets.

    Raises: ReferenceFailed; ReferenceStopped.
    """
    limits = {"cpu_s": cpu_s, "memory_mb": MEMORY_MB, "alarm_s": 2 * WALL_S}  # should this process be gone by then
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-B", "-P", "-S", "-s", "-c", START],
                input=json.dumps(asked | limits),
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
    return _read(done)


def _read(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the recorder wrote."""
    if done.returncode in ENDED_FROM_OUTSIDE:
        name = signal.Signals(-done.returncode).name
        raise ReferenceStopped(f"the process of a reference was ended by {name}: give the same command again")
    if not done.stdout and done.returncode not in LIMITED_BY and "MemoryError" not in done.stderr:
        raise ReferenceFailed(ENDS_ITS_PROCESS)
    try:
        found: dict[str, Any] = ast.literal_eval(done.stdout)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ReferenceFailed("the reference needs too much time or memory") from None
    if "error" in found:
        raise ReferenceFailed(found["error"])
    return found


def _observed(case: dict[str, Any], forms: Sequence[Form]) -> Observed:
    return Observed(
        forms[case["form"]],
        tuple(case.get("args", ())),
        case.get("keywords", {}),
        case.get("result"),
        case.get("holds"),
        case.get("other"),
        _fault(case),
        _again(case.get("alone", {})),
    )


def _again(call: dict[str, Any]) -> Again:
    return Again(call.get("result"), _fault(call))


def _fault(call: dict[str, Any]) -> str:
    if "untold" in call:
        return f"a value of type {call['untold']}"
    return f"raises {call['raised']}" if "raised" in call else ""
