"""A row before it is one: written and not graded, written and graded, or dropped."""

from __future__ import annotations

from dataclasses import dataclass

from rewards.gold.result import GoldKind

__all__ = ["Draft", "Dropped", "Written"]


@dataclass(frozen=True)
class Draft:
    """A row that is not graded yet."""

    task_id: str
    rust_prompt: str
    rust_code: str
    rust_test_list: list[str]  # assert statements


Written = tuple[Draft, GoldKind]  # a draft that passes, and the kind of its gold tests


class Dropped(Exception):
    """A prompt ends here, without a row."""

    def __init__(self, step: str, reason: str, detail: str = "") -> None:
        """
        Args:
            step: A pass, "grading" or "repeats".
            reason: In words that can be counted.
            detail: What is special to this prompt.
        """
        super().__init__(f"{step}: {reason}" + f" ({detail})" * bool(detail))
        self.step, self.reason = step, f"{step}: {reason}"
