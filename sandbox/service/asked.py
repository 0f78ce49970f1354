"""What a request asks for: a table of the four things that a pool does, and how their JSON is read.

| path | body | what a pool does with each |
|---|---|---|
| /verdicts | `{"source": ...}` or `{"programs": [...]}` | `SandboxPool.submit` |
| /evidence | `{"experiments": [...]}` | `SandboxPool.submit_experiment` |
| /answers | `{"calls": [...]}` | `SandboxPool.submit_calls` |
| /crossed | `{"crossings": [...]}` | `SandboxPool.submit_crossing` |

Experiments, calls and crossings are the fields of their classes, as `sandbox.service.records` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, NoReturn, Protocol

from sandbox.answers.answers import Answers
from sandbox.answers.calls import Calls
from sandbox.crossing.crossing import Crossed, Crossing
from sandbox.evidence.experiment import MAX_IDS, Experiment
from sandbox.service.records import read_record
from sandbox.service.service_limits import ServiceLimits
from sandbox.service.wire import Refusal
from sandbox.verdict import PHASES, Evidence, Verdict

__all__ = ["KINDS", "AskedTasks", "Kind", "Send", "read_asked"]

Send = Callable[[], "Future[Any]"]  # gives a task to the pool
MAX_CALLS = 4096
MAX_PAIRS = 16_384  # of one crossing: those of 128 completions


class _Pool(Protocol):
    """The part of `sandbox.workers.pool.SandboxPool` that programs need; records name their method in `KINDS`."""

    backend: str

    def submit(self, source: str, *, phases: Sequence[str], backend: str) -> Future[Verdict]: ...


class Kind(NamedTuple):
    """One thing that a pool does."""

    many: str  # the name of the list in a request
    result: type[Any]  # the class of its results
    record: type[Any] | None = None  # what is sent; None: a program
    method: str = "submit"  # of the pool


KINDS: Mapping[str, Kind] = {
    "/verdicts": Kind("programs", Verdict),
    "/evidence": Kind("experiments", Evidence, Experiment, "submit_experiment"),
    "/answers": Kind("calls", Answers, Calls, "submit_calls"),
    "/crossed": Kind("crossings", Crossed, Crossing, "submit_crossing"),
}


class AskedTasks(NamedTuple):
    """A request that was read."""

    sends: Sequence[Send]
    is_one: bool = False  # whether the answer is the one result and no list


def read_asked(path: str, body: bytes, pool: _Pool, limits: ServiceLimits) -> AskedTasks:
    """Read a request's body.

    Args:
        path: One of `KINDS`.
        body: What was sent.
        pool: Where the tasks will go; nothing is sent yet.
        limits: How many programs, and how long.
    Raises: Refusal, with what was given and what is allowed.
    """
    kind, asked = KINDS[path], _object(body)
    is_one = path == "/verdicts" and "source" in asked
    if is_one:
        return AskedTasks([_program(asked, {}, "the request", pool, limits)], is_one=True)
    many = asked.get(kind.many)
    if type(many) is not list or not many:
        refuse(f"the request has no list {kind.many!r}, or it is empty; {path} needs one")
    if len(many) > limits.largest_request:
        refuse(f"{len(many):,} {kind.many}; {limits.largest_request:,} are allowed in one request", 413)
    rest = {name: value for name, value in asked.items() if name != kind.many}
    if kind.record is None:
        given = enumerate({"source": one} if type(one) is str else one for one in many)
        return AskedTasks([_program(one, rest, f"programs[{number}]", pool, limits) for number, one in given])
    if rest:
        refuse(f"the request has {sorted(rest)[0][:80]!r}; {path} knows {kind.many!r} only")
    return AskedTasks([_record(kind, one, f"{kind.many}[{number}]", pool, limits) for number, one in enumerate(many)])


def refuse(words: str, status: int = 400) -> NoReturn:
    """Refuse a request whose body was read, so that its connection may go on."""
    raise Refusal(status, words, closes=False)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    try:
        asked = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        refuse(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}")
    except RecursionError:
        refuse("the body is nested too deep")
    except ValueError as error:  # no JSON, or a number with thousands of digits
        refuse(f"the body is not JSON: {str(error)[:200]}")
    if type(asked) is not dict:
        refuse("the body is no JSON object")
    return asked


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _program(
    one: Any, defaults: Mapping[str, Any], place: str, pool: _Pool, limits: ServiceLimits
) -> Callable[[], Future[Verdict]]:
    """How one program is sent."""
    if type(one) is not dict or type(one.get("source")) is not str:
        refuse(f"{place} has no string 'source', and is none")
    merged = {**defaults, **one}
    if unknown := sorted(set(merged) - {"source", "phases", "backend"}):
        refuse(f"{place} has {unknown[0][:80]!r}; known are source, phases, backend")
    phases, backend = merged.get("phases", list(PHASES)), merged.get("backend", "")
    if type(phases) is not list or not phases or not all(type(one) is str and one in PHASES for one in phases):
        refuse(f"{place}: phases are {json.dumps(phases)[:80]}; give a list of some of {', '.join(PHASES)}")
    if backend not in ("", "cargo", pool.backend):
        refuse(f"{place}: the backend is {json.dumps(backend)[:80]}; this server has {pool.backend!r} and 'cargo'")
    source = one["source"]
    _measure([source], place, limits)
    ordered = tuple(phase for phase in PHASES if phase in phases)
    return partial(pool.submit, source, phases=ordered, backend=backend)


def _record(kind: Kind, one: Any, place: str, pool: _Pool, limits: ServiceLimits) -> Send:
    """How one record is sent."""
    try:
        record = read_record(kind.record, one, place)
    except ValueError as error:
        refuse(str(error))
    _measure(_texts(record, place), place, limits)
    return partial(getattr(pool, kind.method), record)


def _texts(record: Experiment | Calls | Crossing, place: str) -> Iterator[str]:
    """The programs of a record. Raises: Refusal, for one that asks for too much work."""
    if isinstance(record, Experiment):
        _count(len(record.mutants), MAX_IDS, f"{place}.mutants")
        yield "".join(part.text for part in record.parts)
    elif isinstance(record, Calls):
        _count(len(record.calls), MAX_CALLS, f"{place}.calls")
        yield "\n".join((record.source, *(text for call in record.calls for text in call.texts)))
    else:
        _count(len(record.pairs), MAX_PAIRS, f"{place}.pairs")
        yield from (*record.codes, *record.suites)


def _count(number: int, most: int, place: str) -> None:
    if not 0 < number <= most:
        refuse(f"{place} is a list of {number:,}; 1 to {most:,} are allowed", 413 if number else 400)


def _measure(texts: Sequence[str] | Iterator[str], place: str, limits: ServiceLimits) -> None:
    """Refuse texts that are too long."""
    largest = limits.max_program_kb << 10
    for text in texts:
        if (size := len(text.encode("utf-8", "surrogatepass"))) > largest:
            refuse(f"{place} has {size:,} bytes of text; {largest:,} are allowed", 413)
