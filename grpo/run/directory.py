"""The directory of a run: its settings, its logs and its summary.

A new run refuses an existing directory. A logged line is with the operating system when the call returns; a crash can
tear the last one, and `truncate_after` removes it together with everything younger than the checkpoint that a resumed
run starts from. A write that fails (a full disk) names the file and loses nothing already written. Numbers that JSON
lacks become null. Left out: the checkpoints, and what the lines mean (`grpo.run.serialize`, `grpo.run.metrics`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from grpo.errors import BadInput, HostFailed
from grpo.run.json_values import finite
from grpo.run.lock import lock_run
from grpo.run.metrics import explain
from grpo.whole_file import whole_file

__all__ = [
    "CONFIG",
    "ENVIRONMENT",
    "LogDamaged",
    "RunDirectory",
    "RunExists",
    "RunNotFound",
    "RunWriteFailed",
    "reward_file_name",
    "truncate_log",
]

CONFIG = "config.toml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
COMPLETIONS = "completions.jsonl"
EVALUATIONS = "evals.jsonl"
SUMMARY = "summary.json"
PROGRESS = "progress.json"
SECONDS = "seconds"
REWARDS = "rewards"
LONGEST_NAME = 80  # characters of a reward function's name in its file's name: file systems stop at 255 bytes


class RunExists(BadInput):
    """The directory of a new run is already there."""


class RunNotFound(BadInput):
    """There is no run to resume in the directory."""


class RunWriteFailed(HostFailed):
    """A file of the run could not be written (a full disk, a lost mount); names the file."""


class LogDamaged(HostFailed):
    """A line of a log is no JSON object with a step, and not because a crash tore the last one; names file and line."""


class RunDirectory:
    """Where a run writes. Make one with `create` or `resume`; use it as a context manager or call `close`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     with RunDirectory.create(Path(scratch) / "first", config_toml="", environment={}) as run:
    ...         run.log_evaluation({"step": 0, "eval/build": 0.5})
    ...     (run.path / "evals.jsonl").read_text()
    '{"step": 0, "eval/build": 0.5}\\n'
    """

    def __init__(self, path: Path, *, completions: bool = True) -> None:
        """
        Args:
            path: An existing run directory.
            completions: Whether completions are logged.
        """
        self.path = path
        self._keep_completions = completions
        self._lock: BinaryIO | None = None
        self._logs: dict[Path, BinaryIO] = {}

    @classmethod
    def create(
        cls, path: str | Path, *, config_toml: str, environment: Mapping[str, Any], completions: bool = True
    ) -> RunDirectory:
        """Make the directory of a new run, with its resolved settings and its environment in it.

        Args:
            path: Where nothing exists yet.
            config_toml: The resolved settings.
            environment: Plain JSON values, see `grpo.run.provenance`.
            completions: Whether completions are logged.
        Raises:
            RunExists: When there is anything at the path.
            RunWriteFailed: When the host refuses.
        """
        run = cls(Path(path), completions=completions)
        cls.refuse_existing(run.path)
        with _writing(run.path):
            run.checkpoints.mkdir(parents=True)
            (run.path / REWARDS).mkdir()
            run._lock = lock_run(run.path)
        _write_whole(run.path / CONFIG, config_toml)
        _write_whole(run.path / ENVIRONMENT, json.dumps(environment, indent=2) + "\n")
        return run

    @staticmethod
    def refuse_existing(path: str | Path) -> None:
        """Check that a new run may be made at the path, long before it is. Raises: RunExists."""
        if os.path.lexists(path):
            raise RunExists(
                f"{path} exists already: give the run another run.dir or run.name, or continue it with run.resume=true"
            )

    @classmethod
    def resume(cls, path: str | Path, *, config_toml: str = "", completions: bool = True) -> RunDirectory:
        """Open the directory of a run that was stopped; call `truncate_after` before anything is logged.

        Args:
            path: The directory.
            config_toml: The resolved settings from now on; "" where they are the same.
            completions: Whether completions are logged.
        Raises:
            RunNotFound: When no run was started there.
            RunBusy: While another process writes it.
        """
        run = cls(Path(path), completions=completions)
        if not (run.path / CONFIG).is_file():
            raise RunNotFound(
                f"{path} holds no run (it has no {CONFIG}): check run.dir, or start a new run without run.resume"
            )
        with _writing(run.path):
            run._lock = lock_run(run.path)
        if config_toml:
            _write_whole(run.path / CONFIG, config_toml)
        return run

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints belong."""
        return self.path / "checkpoints"

    @property
    def dumps(self) -> Path:
        """Where the steps belong that were stopped."""
        return self.path / "dumps"

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a step's metrics; KeyError for one that `grpo.run.metrics` does not explain."""
        for key in metrics:
            explain(key)
        self._append(self.path / METRICS, [{"step": step, **metrics}])

    def log_completions(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append completions, unless the run keeps none."""
        if self._keep_completions:
            self._append(self.path / COMPLETIONS, lines)

    def log_rewards(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append scores, each to the file of its "function"."""
        by_function: dict[str, list[Mapping[str, Any]]] = {}
        for line in lines:
            by_function.setdefault(line["function"], []).append(line)
        for function, scores in by_function.items():
            self._append(self.path / REWARDS / reward_file_name(function), scores)

    def log_evaluation(self, line: Mapping[str, Any]) -> None:
        """Append an evaluation."""
        self._append(self.path / EVALUATIONS, [line])

    def evaluations(self) -> list[dict[str, Any]]:
        """The evaluations logged so far, oldest first; a torn last line is left out."""
        path = self.path / EVALUATIONS
        return [line for _, line in _lines(path)] if path.exists() else []

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics logged so far, None for what was not a number; a torn last line is left out."""
        path = self.path / METRICS
        return [line for _, line in _lines(path)] if path.exists() else []

    def note_seconds(self, seconds: float) -> None:
        """Note how long the run has taken, over all its sessions: what a session that is killed took is not lost."""
        with _writing(self.path / SECONDS):
            (self.path / SECONDS).write_text(f"{seconds:.3f}\n")

    def seconds(self) -> float:
        """What was noted last; 0 where nothing was, or a crash tore it."""
        try:
            return float((self.path / SECONDS).read_text())
        except (OSError, ValueError):
            return 0.0

    def write_progress(self, progress: Mapping[str, Any]) -> None:
        """Write progress.json: where the run stands, for those who watch it. Never half, but not past a crash.

        Raises: OSError, which is no reason to end a run: nothing of it is needed to go on.
        """
        unfinished = self.path / f".{PROGRESS}.unfinished"
        unfinished.write_text(json.dumps(finite(progress)) + "\n")
        os.replace(unfinished, self.path / PROGRESS)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, replacing an older one only when the new one is complete."""
        _write_whole(self.path / SUMMARY, json.dumps(finite(summary), indent=2) + "\n")

    def truncate_after(self, step: int) -> None:
        """Forget every logged line of a later step, and a line torn by a crash, so that a resumed run repeats none.

        Args:
            step: The checkpoint's.
        Raises:
            RunWriteFailed: When the host refuses.
            LogDamaged: For a damaged line that is not the last.
        """
        self.close()
        logs = [self.path / name for name in (METRICS, EVALUATIONS, COMPLETIONS)]
        for path in [*logs, *self._rewards()]:
            if path.exists():
                truncate_log(path, step)
        evaluated = {line["step"] for line in self.evaluations()}
        if (self.path / COMPLETIONS).exists():  # an evaluation that was cut off is repeated: its completions come again
            truncate_log(
                self.path / COMPLETIONS,
                step,
                keep=lambda line: line.get("phase") != "eval" or line["step"] in evaluated,
            )

    def sync(self) -> None:
        """Ask for the logs to reach the disk: a checkpoint that follows relies on them. Raises: OSError."""
        for path in (self.path / METRICS, self.path / EVALUATIONS, self.path / COMPLETIONS, *self._rewards()):
            if path.exists():
                with open(path, "rb") as log:
                    os.fsync(log.fileno())

    def _rewards(self) -> list[Path]:
        """The logs of the reward functions that have one by now."""
        return sorted((self.path / REWARDS).glob("*.jsonl"))

    def close(self) -> None:
        """Close the logs; logging again opens them again."""
        logs, self._logs = self._logs, {}
        for path, log in logs.items():
            with _writing(path):
                log.close()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except RunWriteFailed:
            if error_type is None:  # else the error on its way is the first and better one
                raise
        finally:
            if self._lock is not None:
                self._lock.close()

    def _append(self, path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append JSON lines in one go, past every buffer of this process."""
        data = b"".join(json.dumps(finite(line)).encode() + b"\n" for line in lines)
        with _writing(path):
            if path not in self._logs:
                self._logs[path] = open(path, "ab", buffering=0)
            while data:
                written = self._logs[path].write(data)
                data = data[written:]


def reward_file_name(function: str) -> str:
    """The log's file name for a reward function: its own name where that is a plain word.

    Any other (`package.module:function`, `path/to/file.py:function`) is cut to the function's name and told apart by
    six digits of a hash of the whole.

    >>> reward_file_name("cargo_build"), reward_file_name("mine/rewards.py:short_code")
    ('cargo_build.jsonl', 'short_code-6c001f.jsonl')
    """
    if function.isascii() and function.isidentifier() and len(function) <= LONGEST_NAME:
        return f"{function}.jsonl"
    short = "".join(c if c.isascii() and c.isalnum() else "_" for c in function.rsplit(":", 1)[-1])[:LONGEST_NAME]
    return f"{short}-{hashlib.sha256(function.encode()).hexdigest()[:6]}.jsonl"


def truncate_log(path: Path, step: int, *, keep: Callable[[Mapping[str, Any]], bool] = lambda line: True) -> None:
    """Keep the lines of a log whose "step" is at most `step` and for which `keep` says so; drop a torn last line.

    Raises:
        LogDamaged: With file and line, for a damaged line before the last.
        RunWriteFailed: When the host refuses.
    """
    with _writing(path), whole_file(path) as rewritten, open(rewritten, "wb") as output:
        output.writelines(raw for raw, line in _lines(path) if line["step"] <= step and keep(line))


def _lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Every whole line of a log, as it stands and as JSON."""
    with open(path, "rb") as log:
        for number, raw in enumerate(log, start=1):
            if not raw.endswith(b"\n"):
                return  # torn by a crash: only the last line can lack its end
            try:
                line = json.loads(raw)
                if type(line["step"]) is not int:
                    raise ValueError(f"its step is {line['step']!r:.40}, and a step is a whole number")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise LogDamaged(
                    f"{path}, line {number} is damaged ({error}): remove that line, or start afresh in another run.dir"
                ) from error
            yield raw, line


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    with _writing(path), whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failure of the host into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise RunWriteFailed(
            f"cannot write {path}: {error.strerror or error}. What was written before is kept: make room or mend the "
            "directory, then continue with run.resume=true"
        ) from error
