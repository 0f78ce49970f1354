"""What of a recipe decides the costs of a step, as flat values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MEAN_SHARE", "PROMPT_SHARE", "StepSettings"]

MEAN_SHARE = 0.5  # of the longest completion, the mean one: 400 of 786 in docs/h100.md
PROMPT_SHARE = 0.6  # of the longest prompt: 300 of 512 in docs/h100.md


@dataclass(frozen=True)
class StepSettings:
    """Settings of a recipe; `from_recipe` makes them."""

    prompts: int  # of a step
    group_size: int
    max_prompt_tokens: int
    max_completion_tokens: int
    dtype: str = "float32"  # of the matrix products
    lora_rank: int = 0
    num_iterations: int = 1
    num_minibatches: int = 1
    micro_batch_tokens: int = 8192
    gradient_checkpointing: bool = False
    overlap: int = 0
    kv_cache_gb: float = 0.0  # of an engine; 0: what its rows need

    @property
    def completions(self) -> int:
        """Completions of a step."""
        return self.prompts * self.group_size

    @property
    def mean_tokens(self) -> float:
        """The length of a completion that a plan assumes."""
        return MEAN_SHARE * self.max_completion_tokens

    @property
    def prompt_tokens(self) -> float:
        """The length of a prompt that a plan assumes."""
        return PROMPT_SHARE * self.max_prompt_tokens
