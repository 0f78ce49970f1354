"""One run directory as it grows: metrics, evaluations, settings, and an index of its completions.

Promises: `poll` reads what is new and no more, about eight megabytes of completions at a time; a run that is not there
yet, or that has no line yet, is an empty one. One thread polls; others may look at any time. Left out: the texts, which
`record` reads from the disk one by one.
"""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboard_app.completion_index import CompletionTable
from grpo.run.growing_file import GrowingFile
from grpo_rust.report.reading import CompletionIndex, Record, RunFiles, is_step, number, parse_record, summary_of

__all__ = ["LiveRun"]

_OPEN_S = 120.0  # a run whose logs have not grown for so long, and that is not finished, is called silent


class LiveRun:
    """A run that is followed.

    >>> LiveRun(Path("runs/none")).poll()
    False
    """

    def __init__(self, path: Path) -> None:
        """
        Args:
            path: The run's directory.
        """
        self.path = path
        self.label = path.resolve().name
        self.index = CompletionTable()
        self.version = 0  # grows with every change
        self.problem = ""  # why the last poll failed
        self._lock = threading.RLock()
        self._metrics = GrowingFile(path / "metrics.jsonl")
        self._evals = GrowingFile(path / "evals.jsonl")
        self._completions = GrowingFile(path / "completions.jsonl")
        self._steps: dict[int, Record] = {}
        self._evaluated: dict[int, Record] = {}
        self._unreadable: dict[str, int] = {}
        self._config: tuple[Record, str] = ({}, "")
        self._summary: Record | None = None
        self._progress: Record = {}
        self._stamps: dict[str, tuple[int, int]] = {}
        self._watched = False  # whether the steps have been read before
        self._since, self._grew = time.monotonic(), False  # when they grew last; else when they were first looked at
        self._behind = False  # whether the index has yet to reach the end of the completions

    def poll(self) -> bool:
        """Read what is new; whether anything is. A file that cannot be read is named in `problem`."""
        changed = False
        try:
            changed = self._poll_documents()
            changed = self._poll_steps() or changed
            changed = self._poll_log(self._evals, self._evaluated) or changed
            changed = self._poll_completions() or changed
            problem = ""
        except OSError as error:
            problem = f"cannot read {error.filename or self.path}: {error.strerror or error}"
        except Exception as error:  # whatever a foreign file does: the thread that follows all runs goes on
            problem = f"cannot read {self.path}: {type(error).__name__}: {error}"
        if problem != self.problem:
            changed, self.problem = True, problem
        self.version += changed
        return changed

    @property
    def reading(self) -> float:
        """The share of `completions.jsonl` that the index has, 0 to 1; 1 where only a torn line is left."""
        log = self._completions
        return min(1.0, log.offset / log.size) if self._behind else 1.0

    def files(self) -> RunFiles:
        """The run as the report's pictures and tables take it; without completions, which `index` has."""
        with self._lock:
            steps = tuple(self._steps[step] for step in sorted(self._steps))
            config, text = self._config
            section = config.get("run")
            name = str(section.get("name") or "") if isinstance(section, dict) else ""
            return RunFiles(
                path=self.path,
                name=name or self.label,
                config=config,
                config_text=text,
                summary=summary_of(self._summary, steps),
                progress=self._progress,
                steps=steps,
                evals=tuple(self._evaluated[step] for step in sorted(self._evaluated)),
                unreadable=dict(self._unreadable),
            )

    def record(self, entry: CompletionIndex) -> Record:
        """The whole record of a completion; empty where the file has become another one since."""
        try:
            with open(self.path / "completions.jsonl", "rb") as file:
                file.seek(entry.offset)
                found = parse_record(file.readline()) or {}
        except OSError:
            return {}
        return found if found.get("step") == entry.step else {}

    def weights(self) -> dict[str, float]:
        """The weights of the rewards, as far as the settings have them."""
        section = self._config[0].get("rewards")
        weights = section.get("weights") if isinstance(section, dict) else None
        found = weights.items() if isinstance(weights, dict) else ()
        return {name: weight for name, value in found if (weight := number(value)) is not None}

    def setting(self, section: str, key: str) -> Any:
        """One setting; None where it is missing."""
        found = self._config[0].get(section)
        return found.get(key) if isinstance(found, dict) else None

    def seconds(self) -> float:
        """How long the run has taken over all its sessions, as far as it has written it down."""
        try:
            noted = float((self.path / "seconds").read_text())
        except (OSError, ValueError):
            noted = 0.0
        with self._lock:
            logs = (("time/step", self._steps), ("time/checkpoint", self._steps), ("time/eval", self._evaluated))
            spent = sum(number(line.get(key)) or 0.0 for key, lines in logs for line in lines.values())
            total = number((self.files().summary or {}).get("seconds"))
        return total or max(noted, spent)

    def state(self) -> str:
        """Whether the run is finished, training, or silent.

        The clock of the machine that writes the run may be wrong: it counts until the run grows, and no longer.
        """
        if self.files().summary is not None:
            return "finished"
        try:
            written = (self.path / "metrics.jsonl").stat().st_mtime
        except OSError:
            return "not begun"
        quiet = time.monotonic() - self._since
        quiet = quiet if self._grew else max(quiet, time.time() - written)
        return "training" if quiet < _OPEN_S else f"silent for {quiet / 60:,.0f} min"

    def _poll_documents(self) -> bool:
        """Read settings, summary and progress where they are new."""
        changed = False
        for name in ("config.toml", "summary.json", "progress.json"):
            path = self.path / name
            try:
                status = path.stat()
            except FileNotFoundError:
                if self._stamps.pop(name, None) is not None:
                    changed = True
                    self._document(name, b"")
                continue
            stamp = (status.st_mtime_ns, status.st_size)
            if self._stamps.get(name) != stamp:
                self._stamps[name], changed = stamp, True
                self._document(name, path.read_bytes())
        return changed

    def _document(self, name: str, data: bytes) -> None:
        """Take one of the files that are written whole."""
        with self._lock:
            if name == "config.toml":
                self._config = _toml(data)
            elif name == "summary.json":
                self._summary = parse_record(data)
            else:
                self._progress = parse_record(data) or {}

    def _poll_steps(self) -> bool:
        """Read the new steps, and note when there were some."""
        changed = self._poll_log(self._metrics, self._steps)
        if changed and self._watched:
            self._since, self._grew = time.monotonic(), True
        self._watched = True
        return changed

    def _poll_log(self, log: GrowingFile, lines: dict[int, Record]) -> bool:
        """Read the new lines of a log that has one line a step."""
        changed, more = False, True
        while more:
            found = log.read()
            changed, more = changed or found.anew or bool(found.lines), found.more
            with self._lock:
                if found.anew:
                    lines.clear()
                    self._unreadable.pop(log.path.name, None)
                for _, record in self._records(log, found.lines):
                    lines[record["step"]] = record
        return changed

    def _poll_completions(self) -> bool:
        """Read the next part of the completions."""
        found = self._completions.read()
        self._behind = found.more
        if found.anew:
            self.index.clear()
            self._unreadable.pop(self._completions.path.name, None)
        if found.lines:
            self.index.add(self._records(self._completions, found.lines))
        return found.anew or bool(found.lines)

    def _records(self, log: GrowingFile, lines: list[tuple[int, bytes]]) -> list[tuple[int, Mapping[str, Any]]]:
        """The records among lines; those that are none are counted."""
        found = []
        for offset, line in lines:
            record = parse_record(line) if line.strip() else {}
            if record is None or (record and not is_step(record.get("step"))):
                self._unreadable[log.path.name] = self._unreadable.get(log.path.name, 0) + 1
            elif record:
                found.append((offset, record))
        return found


def _toml(data: bytes) -> tuple[Record, str]:
    """Settings, parsed and as text."""
    text = data.decode("utf-8", errors="replace")
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError:
        return {}, text
