"""Three ways to show a run: a bar for a person, plain lines for a log, JSON events for another program.

With JSON, standard output has events alone, one object a line, and everything else goes to standard error, what child
processes print included. No way to show a run moves the cursor but the bar.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any, Protocol, TextIO, cast

from tqdm import tqdm

from grpo.run.json_values import finite
from grpo_rust.terminal.outlook import Outlook
from sandbox.terminal import LastingOutput, plain

__all__ = ["OUTPUTS", "BarOutput", "JsonOutput", "Output", "PlainOutput", "open_output"]

OUTPUTS = ("bar", "plain", "json")


class Output(Protocol):
    """What a run is shown by."""

    def begin(self, done: int, num_steps: int) -> None:
        """So many of so many steps were done before this session."""

    def say(self, text: str) -> None:
        """A line for a person."""

    def notice(self, step: int, fact: str, text: str) -> None:
        """Something worth knowing has happened."""

    def step(self, step: int, metrics: Mapping[str, float], shown: Mapping[str, str], outlook: Outlook) -> None:
        """A step has ended; `shown` is what a person sees of its metrics."""

    def evaluation(self, line: Mapping[str, Any]) -> None:
        """An evaluation has ended: its line of evals.jsonl."""

    def checkpoint(self, step: int, path: str) -> None:
        """A checkpoint is whole on the disk."""

    def end(self, outcome: str, record: Mapping[str, Any]) -> None:
        """The training has ended: done, stopped, or failed."""

    def close(self) -> None:
        """Nothing more is shown step by step."""


class BarOutput:
    """A progress bar, with lines above it."""

    def __init__(self) -> None:
        self._bar: Any = None

    def begin(self, done: int, num_steps: int) -> None:
        self._bar = tqdm(total=num_steps, initial=done, unit="step", dynamic_ncols=True)

    def say(self, text: str) -> None:
        tqdm.write(text)

    def notice(self, step: int, fact: str, text: str) -> None:
        tqdm.write(text)

    def step(self, step: int, metrics: Mapping[str, float], shown: Mapping[str, str], outlook: Outlook) -> None:
        money = {"usd": outlook.cost_text().removesuffix(" dollars")} if outlook.usd is not None else {}
        end = {"end": outlook.end_text()} if outlook.end_text() else {}
        self._bar.set_postfix({**shown, **end, **money}, refresh=False)
        self._bar.update()

    def evaluation(self, line: Mapping[str, Any]) -> None:
        pass

    def checkpoint(self, step: int, path: str) -> None:
        pass

    def end(self, outcome: str, record: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class PlainOutput:
    """One line a step, without a bar and without control characters."""

    def __init__(self) -> None:
        self._num_steps = 0

    def begin(self, done: int, num_steps: int) -> None:
        self._num_steps = num_steps

    def say(self, text: str) -> None:
        print(plain(text), flush=True)

    def notice(self, step: int, fact: str, text: str) -> None:
        self.say(text)

    def step(self, step: int, metrics: Mapping[str, float], shown: Mapping[str, str], outlook: Outlook) -> None:
        parts = [f"{name} {value}" for name, value in shown.items()]
        parts += [f"{metrics['time/step']:.1f} s"] if "time/step" in metrics else []
        parts += [f"end {outlook.end_text()}"] if outlook.end_text() else []
        parts += [outlook.cost_text()] if outlook.cost_text() else []
        self.say(f"step {step}/{self._num_steps}: {', '.join(parts)}")

    def evaluation(self, line: Mapping[str, Any]) -> None:
        pass

    def checkpoint(self, step: int, path: str) -> None:
        self.say(f"checkpoint after step {step}: {path}")

    def end(self, outcome: str, record: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class JsonOutput:
    """One JSON object a line; a number that JSON lacks is null."""

    def __init__(self, stream: TextIO) -> None:
        """
        Args:
            stream: Gets the events and nothing else.
        """
        self._stream = stream
        self._num_steps = 0
        self.ended = False

    def begin(self, done: int, num_steps: int) -> None:
        self._num_steps = num_steps

    def say(self, text: str) -> None:
        print(plain(text), file=sys.stderr, flush=True)

    def notice(self, step: int, fact: str, text: str) -> None:
        self._write({"event": "notice", "step": step, "fact": fact, "text": text})

    def step(self, step: int, metrics: Mapping[str, float], shown: Mapping[str, str], outlook: Outlook) -> None:
        sizes = {"step": step, "num_steps": self._num_steps}
        self._write({"event": "step", **sizes, **outlook.record(), "metrics": dict(metrics)})

    def evaluation(self, line: Mapping[str, Any]) -> None:
        self._write({"event": "evaluation", **line})

    def checkpoint(self, step: int, path: str) -> None:
        self._write({"event": "checkpoint", "step": step, "path": path})

    def end(self, outcome: str, record: Mapping[str, Any]) -> None:
        if not self.ended:
            self.ended = True
            self._write({"event": "end", "outcome": outcome, **record})

    def close(self) -> None:
        pass

    def _write(self, event: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(finite(event)) + "\n")
        self._stream.flush()


@contextmanager
def open_output(kind: str) -> Iterator[Output]:
    """One of the three outputs, for as long as the command runs.

    With "json" the last event is "end" however the command ends, unless its process is killed.

    Args:
        kind: One of `OUTPUTS`.
    """
    if kind != "json":
        yield PlainOutput() if kind == "plain" else BarOutput()
        return
    with _own_stdout() as stream, redirect_stdout(sys.stderr):
        output = JsonOutput(cast(TextIO, LastingOutput(stream)))
        try:
            yield output
            output.end("interrupted", {})
        except BaseException as error:
            output.end("failed", {"error": plain(str(error))})
            raise


@contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Standard output for one writer alone: what anybody else writes there goes to standard error."""
    sys.stdout.flush()
    try:
        shared, errors = sys.stdout.fileno(), sys.stderr.fileno()
    except io.UnsupportedOperation:  # it is no file but an object in this process, which nobody else can reach
        yield sys.stdout
        return
    with os.fdopen(os.dup(shared), "w", encoding="utf-8") as own:
        os.dup2(errors, shared)
        try:
            yield own
        finally:
            os.dup2(own.fileno(), shared)
