"""Data whose licence allows evaluation and no training, told by its name or its columns."""

from __future__ import annotations

from collections.abc import Sequence

from grpo.errors import BadInput
from grpo.rollout.records import Example

__all__ = ["check_trainable"]

MULTIPL_E = {"name", "language", "tests", "stop_tokens", "prompt_terminology"}  # columns, besides its prompts


def check_trainable(source: str, examples: Sequence[Example]) -> None:
    """Refuse data that must not be trained on.

    Args:
        source: A path, or `hf:NAME`.
        examples: What it holds; all have the same columns.
    Raises:
        BadInput: With the reason.
    """
    columns = examples[0].columns.keys() if examples else set()
    if "multipl-e" in source.lower() or columns >= MULTIPL_E:
        raise BadInput(
            f"data.train = {source}: MultiPL-E is for evaluation only, its licence forbids training on it: use "
            "eval_model.py --benchmark"
        )
