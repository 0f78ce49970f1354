"""The dashboard's end of a prompt by hand: starts the process with the model when it is first asked, and asks it.

One model at a time: another checkpoint ends the process before. It ends with the dashboard, whose end closes its input.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from grpo.checkpoint.places import find_checkpoints
from grpo.errors import BadInput, HostFailed

__all__ = ["ModelProcess", "checkpoints", "the_model", "words_of"]

SCRIPTS = Path(__file__).resolve().parents[2]
_MOST_SAID = 2_000  # characters of what a process that failed said last
_END_S = 20.0


def checkpoints(run: Path) -> dict[str, Path]:
    """The checkpoints of a run by their names, the newest first.

    >>> checkpoints(Path("runs/none"))
    {}
    """
    found = find_checkpoints(run / "checkpoints")
    return {path.name: path for path in reversed(found.values())}


def words_of(run: Path, checkpoint: Path | None) -> list[str]:
    """The words for `answering`: a checkpoint, the run's own recipe, and one sandbox worker, since it may train.

    Raises:
        BadInput: For a run without a checkpoint.
    """
    if checkpoint is None:
        raise BadInput(f"{run} has no checkpoint yet: train longer, or set checkpoint.every")
    recipe = [str(run / "config.toml")] if (run / "config.toml").is_file() else []
    return [str(checkpoint), *recipe, "sandbox.jobs=1"]


@lru_cache(maxsize=1)
def the_model() -> ModelProcess:
    """The one of this process, ended with it."""
    asked = ModelProcess()
    atexit.register(asked.close)
    return asked


class ModelProcess:
    """The process with a model; none until the first `ask`."""

    def __init__(self, command: Sequence[str] = ("-m", "dashboard_app.asking.answering")) -> None:
        """
        Args:
            command: What Python runs; its words follow.
        """
        self._command = command
        self._lock = threading.Lock()
        self._words: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[bytes] | None = None
        self.seed = 0

    @property
    def loaded(self) -> str:
        """The model that is loaded; empty where none is."""
        alive = self._process is not None and self._process.poll() is None
        return self._words[0] if alive else ""

    def state(self) -> str:
        """Whether a model is loaded, and which."""
        return f"{self.loaded} is loaded." if self.loaded else "No model is loaded; the first question loads it."

    def ask(self, words: Sequence[str], prompt: str, *, samples: int, temperature: float) -> list[Mapping[str, Any]]:
        """Ask a model, which is loaded first where it is not.

        Args:
            words: The model and its settings.
            prompt: What the user says.
            samples: Completions.
            temperature: 0 is greedy.
        Returns: A record a completion, as `completions.jsonl` has it, with the reasons of its rewards.
        Raises:
            BadInput: For a prompt that cannot be asked.
            HostFailed: Where the model cannot be loaded, or its process ended.
        """
        if not prompt.strip():
            raise BadInput("the prompt is empty: type one")
        with self._lock:
            try:
                self._load(list(words))
                self.seed += 1
                self._send({"prompt": prompt, "samples": samples, "temperature": temperature, "seed": self.seed})
                return self._answers()
            except BadInput:
                raise
            except BaseException:  # interrupted, too: what it would still say is no answer to the next question
                self.close()
                raise

    def _answers(self) -> list[Mapping[str, Any]]:
        """The records of one question, to the last. Raises: As `ask`."""
        found: list[Mapping[str, Any]] = []
        while "done" not in (answer := self._answer()):
            if "error" in answer:
                raise BadInput(str(answer["error"]))
            found.append(answer)
        return found

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.close()
            process.wait(_END_S)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        process.stdout.close()

    def _load(self, words: list[str]) -> None:
        """Have the process of these words, with the model loaded."""
        if words == self._words and self.loaded:
            return
        self.close()
        self._words = words
        self._said = tempfile.TemporaryFile()
        path = os.pathsep.join([str(SCRIPTS.parent), str(SCRIPTS), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, *self._command, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
        )
        self._answer()

    def _send(self, request: Mapping[str, Any]) -> None:
        """Write a request. Raises: HostFailed."""
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        except (OSError, ValueError):  # it has ended, or another window has ended it
            raise self._failed() from None

    def _answer(self) -> dict[str, Any]:
        """The next line of the process. Raises: HostFailed where it ended."""
        process = self._running()
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        except ValueError:  # another window has ended it
            line = ""
        if not line:
            raise self._failed()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running(self) -> subprocess.Popen[str]:
        """The process. Raises: HostFailed where another window has ended it."""
        if self._process is None:
            raise HostFailed("the model was unloaded meanwhile: ask again")
        return self._process

    def _failed(self) -> HostFailed:
        """What the process said before it ended."""
        self.close()
        assert self._said is not None
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip()[-_MOST_SAID:]
        return HostFailed(f"the process with the model ended: {said or 'it said nothing'}")
