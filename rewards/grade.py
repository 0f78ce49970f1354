"""What the rubric says of one answer: a `grpo.rollout.records.Grade`, without needing `grpo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Grade"]


@dataclass(frozen=True)
class Grade:
    """Scores per reward function (None: does not apply), named facts to average, seconds per function, the verdict."""

    rewards: Mapping[str, float | None]
    checks: Mapping[str, float | None] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
