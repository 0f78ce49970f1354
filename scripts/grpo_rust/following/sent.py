"""What a tracker has of a run already, kept in the run's directory: a resumed run sends no step twice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from grpo_rust.following.news import Reading

__all__ = ["FOLDER", "Sent"]

FOLDER = "tracking"  # in the run's directory


@dataclass
class Sent:
    """The last step that a tracker has, and what else it has to remember of the run.

    >>> sent = Sent(Path("wandb.json"), metrics=4)
    >>> sent.has(Reading(4, False, {})), sent.has(Reading(4, True, {}))
    (True, False)
    """

    path: Path
    metrics: int = -1  # steps, of the last metrics and the last evaluation
    evaluations: int = -1
    memory: dict[str, str] = field(default_factory=dict)  # such as the run's name on a server
    place: str = ""  # where it was sent to, as `TrackedRun.place` names it
    is_open: bool = False  # whether it was opened and not closed since: it may lack what it was sent

    @classmethod
    def load(cls, run: Path, name: str, place: str = "") -> Sent:
        """What is kept for a tracker; nothing where that is missing, torn or of another place: then all is sent again.

        Args:
            run: The run's directory.
            name: The tracker's.
            place: Where it sends to.
        """
        path = run / FOLDER / f"{name}.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            memory = {str(key): str(value) for key, value in kept["memory"].items()}
            if str(kept.get("place", place)) == place:
                steps = int(kept["metrics"]), int(kept["evaluations"])
                return cls(path, *steps, memory, place, bool(kept.get("is_open")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return cls(path, place=place)

    def has(self, reading: Reading) -> bool:
        """Whether the tracker has it: steps are sent in order."""
        return reading.step <= (self.evaluations if reading.evaluates else self.metrics)

    def note(self, reading: Reading) -> None:
        """Note that the tracker has it now."""
        if reading.evaluates:
            self.evaluations = reading.step
        else:
            self.metrics = reading.step

    def save(self) -> None:
        """Write it, whole or not at all. Raises: OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        steps = {"metrics": self.metrics, "evaluations": self.evaluations}
        record = {**steps, "memory": self.memory, "place": self.place, "is_open": self.is_open}
        unfinished = self.path.with_suffix(".part")
        unfinished.write_text(json.dumps(record) + "\n", encoding="utf-8")
        os.replace(unfinished, self.path)
