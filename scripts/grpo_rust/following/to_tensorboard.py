"""TensorBoard: event files below the run, written by the package `tensorboard` alone, without torch or TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from grpo.run.metrics import explain
from grpo_rust.following.sent import FOLDER
from grpo_rust.following.trackers import TrackedRun

__all__ = ["EventFiles", "open_run"]


def open_run(run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> EventFiles:
    """A new event file; TensorBoard reads all of a folder as one run."""
    return EventFiles(str(run.path / FOLDER / "tensorboard"))


class EventFiles:
    """Writes scalars, each with its meaning and unit from the table of metrics."""

    def __init__(self, folder: str) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(folder)
        self._explained: set[str] = set()

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Write a step, past the buffer."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars = [self._scalar(key, value) for key, value in values.items()]
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=scalars)))
        self._writer.flush()

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Write an evaluation: its keys are others than those of a step."""
        self.metrics(step, values)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _scalar(self, key: str, value: float) -> Any:
        """One number; its first has the explanation, which TensorBoard shows beside the chart."""
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

        if key in self._explained:
            return Summary.Value(tag=key, simple_value=value)
        self._explained.add(key)
        meaning, unit = explain(key)
        described = SummaryMetadata(
            summary_description=f"{meaning} [{unit}]",
            plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"),
        )
        return Summary.Value(tag=key, simple_value=value, metadata=described)
