"""Which settings the algorithm has: one frozen section per subject, every default with its source.

How settings are read, checked and explained is `grpo.schema`. The functions of `grpo` take flat arguments; only the
package that composes a run reads these sections. It also adds the sections of the rewards and of the sandbox.
"""

from __future__ import annotations

from grpo.config.loss import LossSection
from grpo.config.model import LoraSection, ModelSection
from grpo.config.rollout import RolloutSection, SamplingSection
from grpo.config.run import CheckpointSection, DataSection, EvalSection, LogSection, RunSection
from grpo.config.track import TrackSection
from grpo.config.training import TrainSection
from grpo.config.watch import WatchSection

__all__ = [
    "CheckpointSection",
    "DataSection",
    "EvalSection",
    "LogSection",
    "LoraSection",
    "LossSection",
    "ModelSection",
    "RolloutSection",
    "RunSection",
    "SamplingSection",
    "TrackSection",
    "TrainSection",
    "WatchSection",
]
