"""Published figures of the recipe that this project follows. Nobody measured them here: tables and pictures say so.

All are on the publishers' own 500 held-out prompts, by the protocol `published` of `evaluating.protocol`. Some were
published as counts, others as rounded percentages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PUBLISHED_FIGURES", "Reference"]


@dataclass(frozen=True)
class Reference:
    """A published row: by check the rate, and of how many programs it was published as a count (0: as a percentage)."""

    label: str
    rates: Mapping[str, float]
    num_programs: int = 0


def _counts(label: str, **counts: int) -> Reference:
    return Reference(label, {check: count / 500 for check, count in counts.items()}, 500)


PUBLISHED_FIGURES = (  # Oxen.ai, "Training a Rust 1.5B Coder LM with Reinforcement Learning (GRPO)", 2025
    _counts("Qwen2.5-Coder-1.5B-Instruct, before", build=308, clippy=306, test=111),
    _counts("Qwen2.5-Coder-1.5B-Instruct, after", build=404, clippy=401, test=185),
    Reference("the 3B model", {"build": 0.73}),
    Reference("GPT-4.5", {"build": 0.98, "test": 0.87}),
)
