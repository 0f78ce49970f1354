"""Runs in an interpreter of its own: a reference and its tests, whose calls are written down instead of asserted.

Reads one JSON object from stdin and writes a Python literal, a dictionary, to stdout. It needs the standard library
and `reordering` only. It does one of two things: run tests and
record their calls, each of which is then made again alone; or make calls that are given, in several worlds that differ
in what Python leaves open.

No file can grow (RLIMIT_FSIZE), and an audit hook refuses files that are opened for writing, sockets and processes:
that stops accidents, and no attacker.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from types import CodeType
from typing import Any

from dataset.translating.reordering import (
    ORDERS,
    Order,
    Reordered,
    ReorderedFrozen,
    ReorderedSet,
    SetsInOurOrder,
    anew,
    made,
)

__all__ = ["main"]

SEQUENCES = (list, tuple, set, frozenset)
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename",
           "os.mkdir", "os.rmdir", "shutil.", "ctypes.", "os.kill", "os.chmod", "os.putenv", "os.truncate", "os.link",
           "os.symlink", "os.chown", "os.utime", "sqlite3.", "pty.", "signal.pthread_kill")  # fmt: skip
WRITES = set("wax+")
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
AS_LISTS = ("deque", "range", "dict_keys", "dict_values", "dict_items")
MOST_DIGITS = 60
MOST_ELEMENTS = 2000
DEEPEST = 20
SEED = random.seed
WHAT_FAILS = (Exception, SystemExit)  # of a reference: facts about it


class Untold(Exception):
    """A value that cannot be written down: the text says of which type."""


def plain(value: Any, depth: int = 0) -> Any:
    """A value made of the built-in types alone. Raises: Untold."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) >= 10**MOST_DIGITS:
            raise Untold("int of many digits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Untold("infinite float")
        return float(value)
    if isinstance(value, (str, *SEQUENCES, dict)) and len(value) > MOST_ELEMENTS:
        raise Untold(f"{type(value).__name__} of more than {MOST_ELEMENTS} elements")
    if isinstance(value, str):
        return str(value)
    if depth < DEEPEST and isinstance(value, SEQUENCES):
        parts = [plain(part, depth + 1) for part in value]
        kind = next(kind for kind in SEQUENCES if isinstance(value, kind))
        return set(parts) if kind is frozenset else kind(parts)
    if depth < DEEPEST and isinstance(value, dict):
        return {plain(key, depth + 1): plain(one, depth + 1) for key, one in value.items()}
    if depth < DEEPEST and type(value).__name__ in AS_LISTS:
        return [plain(part, depth + 1) for part in value]
    raise Untold(type(value).__name__)


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if event.startswith(REFUSED):
        raise PermissionError(f"a reference must not use {event}")
    if event == "open":
        _, mode, flags = arguments
        if (isinstance(mode, str) and WRITES & set(mode)) or (isinstance(flags, int) and flags & WRITING_FLAGS):
            raise PermissionError("a reference must not write files")


class ReferenceProgram:
    """The program that defines the function, which may be executed many times."""

    def __init__(self, asked: dict[str, Any], order: Order | None = None) -> None:
        self.name, self.order = asked["name"], order
        self.codes = [self._compiled(asked[part]) for part in ("reference", "setup")]

    def _compiled(self, text: str) -> CodeType:
        if self.order is None:
            return compile(text, "<reference>", "exec")
        return compile(ast.fix_missing_locations(SetsInOurOrder().visit(ast.parse(text))), "<reference>", "exec")

    def space(self) -> dict[str, Any]:
        """The names that it defines, of an execution of its own."""
        found: dict[str, Any] = {"__name__": "reference", "List": list, "math": math}
        if self.order is not None:
            Reordered.order = staticmethod(self.order)
            found |= {"set": ReorderedSet, "frozenset": ReorderedFrozen, "__set__": ReorderedSet, "__made__": made}
        for code in self.codes:
            exec(code, found)
        return found

    def called(self, space: dict[str, Any], args: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        """What a call with plain values returns: `result`, or `raised`, or `untold`."""
        known: dict[Any, Any] = {}
        try:
            given = [anew(one, self.order, known) for one in args]
            named = {key: anew(one, self.order, known) for key, one in keywords.items()}
            return {"result": plain(_listed(space[self.name](*given, **named)))}
        except Untold as error:
            return {"untold": str(error)}
        except WHAT_FAILS as error:
            return {"raised": type(error).__name__}


def _listed(result: Any) -> Any:
    return list(result) if isinstance(result, Iterator) else result


class Recorder:
    """What the rewritten tests call."""

    def __init__(self, function: Callable[..., Any] | None, most: int) -> None:
        self.function, self.most = function, most
        self.cases: list[dict[str, Any]] = []

    def bind(self, *args: Any, **keywords: Any) -> Any:
        """The arguments of a call."""
        return args, keywords

    def case(self, form: int, bound: Any, holds: Callable[[Any], Any], other: Callable[[], Any] | None = None) -> None:
        """Write down one call."""
        if len(self.cases) >= self.most:
            return
        found: dict[str, Any] = {"form": form}
        try:
            found |= {"args": plain(list(bound[0])), "keywords": plain(bound[1])}
            if self.function is not None:
                result = _listed(self.function(*bound[0], **bound[1]))
                found["result"] = plain(result)
                found["holds"] = bool(holds(result))
            if other is not None:
                found["other"] = plain(other())
        except Untold as error:
            found["untold"] = str(error)
        except WHAT_FAILS as error:
            found["raised"] = type(error).__name__
        self.cases.append(found)


def record(asked: dict[str, Any]) -> dict[str, Any]:
    """Execute the reference and the tests; then each call again, as the first and only one after another seed."""
    random.seed(0)
    reference = ReferenceProgram(asked)
    space = reference.space()
    function = space.get(asked["name"]) if asked["reference"] else None
    if asked["reference"] and not callable(function):
        return {"error": "the reference does not define the function"}
    recorder = Recorder(function, asked["most_cases"])
    outside = space | {"__case__": recorder.case, "__bind__": recorder.bind, "candidate": function}
    exec(asked["tests"], outside)
    if asked["has_check"]:
        outside["check"](function)
    chance(1)
    for case in recorder.cases:
        if "result" in case:
            case["alone"] = reference.called(reference.space(), case["args"], case["keywords"])
    return {"cases": recorder.cases}


def repeat(asked: dict[str, Any]) -> dict[str, Any]:
    """Make calls in worlds: a list of what they return for each.

    Where nothing was put into an order in one world, the others would give the same.
    """
    calls = ast.literal_eval(asked["calls"])
    found: list[list[dict[str, Any]]] = []
    used: list[int] = []

    def counted(order: Order, elements: list[Any]) -> list[Any]:
        used.extend([len(elements)] if len(elements) > 1 else [])
        return order(elements)

    for number, world in enumerate(asked["worlds"]):
        if found and not used:
            found.append(found[0])
            continue
        chance(2 + number)
        reference = ReferenceProgram(asked, partial(counted, ORDERS[world]) if world in ORDERS else None)
        space = reference.space()
        found.append([reference.called(space, args, keywords) for args, keywords in calls])
    return {"worlds": found}


def chance(seed: int) -> None:
    """Other random numbers, whatever seed the reference gives: from here on it gives none."""

    class Unseeded(Random):
        """A generator of the reference's own."""

        def seed(self, *_: Any, **__: Any) -> None:
            """Ours, in place of the one that is given."""
            super().seed(seed)

    SEED(seed)
    random.seed = lambda *_, **__: None  # in this process only, which ends soon
    random.Random = Unseeded  # type: ignore[misc]


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked."""
    try:
        return repeat(asked) if asked["worlds"] else record(asked)
    except WHAT_FAILS as error:
        return {"error": f"the reference or its tests raise {type(error).__name__}"}


def main() -> None:
    """Read what is asked, run it within limits, and write what was recorded."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (asked["cpu_s"], asked["cpu_s"]))
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory_mb"] << 20, asked["memory_mb"] << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a pipe is no file: what was recorded can be written
    signal.alarm(asked["alarm_s"])  # ends this process
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a reference writes there is no record
    sys.addaudithook(guard)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = run(asked)
    out.write(repr(found))
