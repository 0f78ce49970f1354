"""Runs in an interpreter of its own: a reference and its tests, whose calls are written down instead of asserted.

Reads one JSON object from stdin and writes a Python literal, a list of dictionaries, to stdout. It needs the standard
library only and is started as a file, so that nothing of the project is on its path. An audit hook refuses files that
are opened for writing, sockets and processes: that stops accidents, and no attacker.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import random
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

SEQUENCES = (list, tuple, set, frozenset)
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename",
           "os.mkdir", "os.rmdir", "shutil.", "ctypes.", "os.kill", "os.chmod", "os.putenv", "os.truncate")  # fmt: skip
WRITES = set("wax+")
AS_LISTS = ("deque", "range", "dict_keys", "dict_values", "dict_items")
MOST_DIGITS = 60
MOST_ELEMENTS = 2000
DEEPEST = 20


class Reversed(set):  # type: ignore[type-arg]
    """A set that is iterated backwards: what depends on the order of a set becomes another result."""

    def __iter__(self) -> Iterator[Any]:
        """The elements, last first."""
        return iter(list(super().__iter__())[::-1])

    def _made(self, found: Any) -> Any:
        return Reversed(found) if isinstance(found, set) else found

    def __and__(self, other: Any) -> Any:
        return self._made(super().__and__(other))

    def __or__(self, other: Any) -> Any:
        return self._made(super().__or__(other))

    def __sub__(self, other: Any) -> Any:
        return self._made(super().__sub__(other))

    def __xor__(self, other: Any) -> Any:
        return self._made(super().__xor__(other))

    def intersection(self, *others: Any) -> Any:
        """As of a set."""
        return self._made(super().intersection(*others))

    def union(self, *others: Any) -> Any:
        """As of a set."""
        return self._made(super().union(*others))

    def difference(self, *others: Any) -> Any:
        """As of a set."""
        return self._made(super().difference(*others))

    def symmetric_difference(self, other: Any) -> Any:
        """As of a set."""
        return self._made(super().symmetric_difference(other))


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


def backwards(value: Any) -> Any:
    """The same value with its maps and sets, which Rust keeps in no order, in the other order."""
    if type(value) in (list, tuple):
        return type(value)(map(backwards, value))
    if type(value) is set:
        return Reversed(value)
    if type(value) is dict:
        return {key: backwards(one) for key, one in reversed(value.items())}
    return value


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if event.startswith(REFUSED):
        raise PermissionError(f"a reference must not use {event}")
    if event == "open" and isinstance(arguments[1], str) and WRITES & set(arguments[1]):
        raise PermissionError("a reference must not write files")


class Recorder:
    """What the rewritten tests call."""

    def __init__(self, function: Callable[..., Any] | None, most: int, is_backwards: bool) -> None:
        self.function, self.most, self.is_backwards = function, most, is_backwards
        self.cases: list[dict[str, Any]] = []

    def bind(self, *args: Any, **keywords: Any) -> Any:
        """The arguments of a call."""
        return backwards((args, keywords)) if self.is_backwards else (args, keywords)

    def case(self, form: int, bound: Any, holds: Callable[[Any], Any], other: Callable[[], Any] | None = None) -> None:
        """Write down one call."""
        if len(self.cases) >= self.most:
            return
        found: dict[str, Any] = {"form": form}
        try:
            found |= {"args": plain(list(bound[0])), "keywords": plain(bound[1])}
            if self.function is not None:
                result = self.function(*bound[0], **bound[1])
                if isinstance(result, Iterator):
                    result = list(result)
                found["result"] = plain(result)
                found["holds"] = bool(holds(result))
            if other is not None:
                found["other"] = plain(other())
        except Untold as error:
            found["untold"] = str(error)
        except Exception as error:  # whatever the reference raises is a fact about it
            found["raised"] = type(error).__name__
        self.cases.append(found)


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Execute the reference and the tests."""
    random.seed(0)
    space: dict[str, Any] = {"__name__": "reference", "List": list, "math": math}
    if asked["backwards"]:
        space["set"] = Reversed
    try:
        exec(asked["reference"], space)
        function = space.get(asked["name"]) if asked["reference"] else None
        if asked["reference"] and not callable(function):
            return {"error": "the reference does not define the function"}
        recorder = Recorder(function, asked["most_cases"], asked["backwards"])
        exec(asked["setup"], space)
        outside = space | {"__case__": recorder.case, "__bind__": recorder.bind, "candidate": function, "set": set}
        exec(asked["tests"], outside)
        if asked["has_check"]:
            outside["check"](function)
    except Exception as error:
        return {"error": f"the reference or its tests raise {type(error).__name__}"}
    return {"cases": recorder.cases}


def main() -> None:
    """Read what is asked, run it within limits, and write what was recorded."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (asked["cpu_s"], asked["cpu_s"]))
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory_mb"] << 20, asked["memory_mb"] << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(asked["alarm_s"])  # ends this process
    out = sys.stdout
    sys.addaudithook(guard)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = run(asked)
    out.write(repr(found))


if __name__ == "__main__":
    main()
