"""Where defaults come from, in the words that `--help` prints."""

from __future__ import annotations

__all__ = ["PROTOTYPE", "PUBLISHED", "TRL"]

PUBLISHED = (
    "published recipe"  # the GRPO run of Oxen.ai that trained Qwen2.5-Coder-1.5B-Instruct on a compiler's feedback
)
PROTOTYPE = "prototype"  # a trial of the shipped model's size on two cores, one seed per setting
TRL = "TRL 1.16"
