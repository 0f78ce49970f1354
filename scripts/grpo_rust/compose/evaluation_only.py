"""Data whose licence allows evaluation and no training, told by its name or its columns."""

from __future__ import annotations

from collections.abc import Sequence, Set

from grpo.errors import BadInput
from grpo.rollout.records import Example

__all__ = ["check_trainable", "is_evaluation_only"]

MULTIPL_E = {"name", "language", "tests", "stop_tokens", "prompt_terminology"}  # columns, besides its prompts


def is_evaluation_only(source: str, columns: Set[str]) -> bool:
    """Whether data must not be trained on, by its path or name on the hub, or by its columns."""
    return "multipl-e" in source.lower() or columns >= MULTIPL_E


def check_trainable(source: str, examples: Sequence[Example]) -> None:
    """Refuse data that must not be trained on.

    Args:
        source: A path, or `hf:NAME`.
        examples: What it holds; all have the same columns.
    Raises:
        BadInput: With the reason.
    """
    if is_evaluation_only(source, examples[0].columns.keys() if examples else set()):
        raise BadInput(
            f"data.train = {source}: MultiPL-E is for evaluation only, its licence forbids training on it: use "
            "eval_model.py --benchmark"
        )
