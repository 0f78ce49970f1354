"""The log of the published experiment: a decorator that writes every call of a reward function to a file of JSON lines.

    experiment = Experiment("outputs/first")

    @experiment.log("cargo_build_rewards.jsonl")
    def cargo_build_reward_func(prompts, completions, task_id, **kwargs) -> list[float]: ...

It takes any function that TRL can call, coroutines too, and those of `rewards.trl_functions`. Each call appends a line
for each completion, in a single write, so several processes may share a file:

timestamp            when the call began, ISO 8601, UTC
step                 updates that TRL's trainer had made before (`trainer_state.global_step`); null without a trainer
function             the name of the function
score                what it returned: a number, or null for None and for what is not a finite number
task_id              the entry of the column `task_id`
rust_prompt          the entry of the column `rust_prompt`, or the last message of the prompt
completion           the text
func_execution_time  seconds that the call took
extracted_code       the program in the completion, null where there is none
tool_output          what the compiler and the tests said, where the call knows it: see `rewards.tool_output`
error                what the function raised, and null where it raised nothing

The first seven but `step` have the published names. Other than the published decorator, one whose function raises logs
that and raises on: a reward that failed must not pass for one that was not given. A line that cannot be written, on a
full disk for example, is told once and ends nothing. Half surrogate pairs become U+FFFD.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from rewards.rust.parse import extract_code
from rewards.tool_output import noted_tool_output, verdict_output
from sandbox.terminal import counted

__all__ = ["Experiment", "ExperimentLog", "log_line"]

Function = TypeVar("Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


class ExperimentLog:
    """A folder of logs of reward functions.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = Experiment(folder)
    ...     @experiment.log("length.jsonl")
    ...     def length(prompts, completions, **columns):
    ...         return [float(len(completion)) for completion in completions]
    ...     scores = length(prompts=["Write it"], completions=["abc"], task_id=["t1"])
    ...     line = json.loads((Path(folder) / "length.jsonl").read_text())
    >>> scores, line["function"], line["score"], line["task_id"], line["rust_prompt"]
    ([3.0], 'length', 3.0, 't1', 'Write it')
    """

    def __init__(self, path: str | Path) -> None:
        """
        Args:
            path: The folder; it is made when the first line is written.
        """
        self.path = Path(path)

    def log(self, file_name: str) -> Callable[[Function], Function]:
        """A decorator that appends every call of a reward function to a file.

        Args:
            file_name: Within the folder. Functions may share one.
        Returns: The decorator. What it returns has the name, the arguments and the result of the function, and raises
            what it raises.
        """
        lines = _AppendedLines(self.path / file_name)

        def decorator(function: Function) -> Function:
            logged = _logged_coroutine(function, lines) if _is_async(function) else _logged(function, lines)
            logged.__name__ = _name(function)
            return cast(Function, logged)

        return decorator


Experiment = ExperimentLog  # as the published code has it; a class of that name would be the second one of the tree


def _logged(function: Callable[..., Any], lines: _AppendedLines) -> Callable[..., Any]:
    """A function whose calls are logged."""

    @functools.wraps(function)
    def logged(*args: Any, **arguments: Any) -> Any:
        with _recorded(function, args, arguments, lines) as call:
            return call.returned(function(*args, **arguments))

    return logged


def _logged_coroutine(function: Callable[..., Any], lines: _AppendedLines) -> Callable[..., Any]:
    """A coroutine function whose calls are logged."""

    @functools.wraps(function)
    async def logged(*args: Any, **arguments: Any) -> Any:
        with _recorded(function, args, arguments, lines) as call:
            return call.returned(await function(*args, **arguments))

    return logged


@dataclass
class _Call:
    """One call of a reward function, as it is logged."""

    function: str
    arguments: Mapping[str, Any]
    noted: Mapping[int, str]
    timestamp: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    began: float = field(default_factory=time.monotonic)
    scores: Sequence[Any] = ()
    error: str | None = None

    def returned(self, result: Any) -> Any:
        """Keep what the function returned. Returns: The same, in a list where it can be read only once."""
        try:
            self.scores = list(result)
        except TypeError:
            self.error = f"returned {type(result).__name__} in place of scores"
            return result
        return self.scores if isinstance(result, Iterator) else result

    def lines(self) -> Iterator[dict[str, Any]]:
        """One line for each completion."""
        seconds = round(time.monotonic() - self.began, 6)
        completions = self.arguments.get("completions") or ()
        step = getattr(self.arguments.get("trainer_state"), "global_step", None)
        error = self.error
        if error is None and len(self.scores) != len(completions):
            error = f"returned {counted(len(self.scores), 'score')} for {counted(len(completions), 'completion')}"
        for place, completion in enumerate(completions):
            text = _text(completion)
            yield log_line(
                timestamp=self.timestamp,
                step=step,
                function=self.function,
                score=self._entry(self.scores, place),
                task_id=self._column("task_id", place),
                prompt=self._prompt(place),
                completion=text,
                seconds=seconds,
                code=extract_code(text),
                tool_output=self._tool_output(place),
                error=error,
            )

    def _column(self, name: str, place: int) -> Any:
        """A completion's entry of a column; None where there is none."""
        return self._entry(self.arguments.get(name), place)

    @staticmethod
    def _entry(column: Any, place: int) -> Any:
        return column[place] if isinstance(column, list | tuple) and place < len(column) else None

    def _prompt(self, place: int) -> str | None:
        """The prompt of a completion without its system message."""
        if isinstance(written := self._column("rust_prompt", place), str):
            return written
        prompt = self._column("prompts", place)
        return None if prompt is None else _text(prompt)

    def _tool_output(self, place: int) -> str | None:
        """What the tools said of a completion: what the function noted, or the verdict that it was given."""
        if place in self.noted:
            return self.noted[place]
        verdict = self._column("verdicts", place)
        return None if verdict is None else verdict_output(verdict)


def log_line(
    *,
    timestamp: str | None,
    step: int | None,
    function: str,
    score: Any,
    task_id: Any,
    prompt: str | None,
    completion: str,
    seconds: float | None,
    code: str | None,
    tool_output: str | None,
    error: str | None = None,
) -> dict[str, Any]:
    """One line of the log, as values that JSON and UTF-8 have.

    Args:
        timestamp: When the function was called, ISO 8601.
        step: Of the training.
        function: The name of the function.
        score: What it returned for the completion.
        task_id: The name of the row.
        prompt: Its text.
        completion: The text that is scored.
        seconds: That the call took.
        code: The program in the completion.
        tool_output: What the tools said of that.
        error: What the function raised.
    """
    return {
        "timestamp": timestamp,
        "step": _plain(step),
        "function": _plain(function),
        "score": _score(score),
        "task_id": _plain(task_id),
        "rust_prompt": _plain(prompt),
        "completion": _plain(completion),
        "func_execution_time": _score(seconds),
        "extracted_code": _plain(code),
        "tool_output": _plain(tool_output),
        "error": _plain(error),
    }


class _AppendedLines:
    """A file of JSON lines that is only appended to, also by other processes at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._torn = False  # whether the last line that this process wrote lacks its end
        self._told = False

    def append(self, call: _Call) -> None:
        """Write the lines of a call. A failure is told the first time."""
        try:
            self._write("".join(json.dumps(line) + "\n" for line in call.lines()).encode())
        except Exception as error:  # the boundary to a user's values and file system: a log ends no training
            if not self._told:
                _log.warning(
                    "cannot write %s: %s: %s. The training goes on; lines are missing from this log, and further "
                    "failures are not told",
                    self._path,
                    type(error).__name__,
                    error,
                )
            self._told = True

    def _write(self, data: bytes) -> None:
        """Append in one write, which the system keeps apart from the writes of other processes."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            data = b"\n" + data if self._torn else data
            written = os.write(file, data)
            while written < len(data):  # the disk is full, or the data is of gigabytes
                self._torn = True
                written += os.write(file, data[written:])
            self._torn = False
        finally:
            os.close(file)


@contextmanager
def _recorded(
    function: Callable[..., Any], args: Sequence[Any], arguments: Mapping[str, Any], lines: _AppendedLines
) -> Iterator[_Call]:
    """Log one call, which runs within: what it returned, or what it raised."""
    with noted_tool_output() as noted:
        call = _Call(_name(function), _by_name(function, args, arguments), noted)
        try:
            yield call
        except Exception as error:
            call.error = f"{type(error).__name__}: {error}"
            lines.append(call)
            raise
        lines.append(call)


def _by_name(function: Callable[..., Any], args: Sequence[Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of a call by their names, also those that were given by position."""
    if not args:
        return arguments
    try:
        names = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function of C may have no signature
        return arguments
    return {**dict(zip(names, args, strict=False)), **arguments}


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether a call gives a coroutine: of an `async def`, a partial of one, or an object with an async `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _name(function: Callable[..., Any]) -> str:
    """The name of a function, a partial of one, or the type of a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _text(message: Any) -> str:
    """The text of a prompt or completion: it, or the last of its chat messages."""
    if isinstance(message, list | tuple):
        last = message[-1] if message else ""
        message = last.get("content") if isinstance(last, Mapping) else last
    return message if isinstance(message, str) else "" if message is None else str(message)


def _score(value: Any) -> float | None:
    """A score as JSON has it."""
    try:
        score = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None


def _plain(value: Any) -> Any:
    """A value that JSON and UTF-8 have."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
