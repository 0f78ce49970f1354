"""How prompts are asked at the moment, and what comes back: what the parts of a conversation pass to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from grpo.rollout.records import Example

__all__ = ["ChatAnswer", "ChatState", "Sampler", "TaskSource", "prompt_of"]


@dataclass
class ChatState:
    """What commands change."""

    temperature: float
    top_p: float
    max_tokens: int  # of a completion; engines are started for so many
    samples: int = 1
    example: Example | None = None  # what was asked last

    def __str__(self) -> str:
        samples = "1 sample" if self.samples == 1 else f"{self.samples} samples"
        return f"{samples}, temperature {self.temperature:g}, top_p {self.top_p:g}, at most {self.max_tokens} tokens"


class ChatAnswer(NamedTuple):
    """A completion as text."""

    text: str
    num_tokens: int
    truncated: bool  # whether it ran out of tokens


Sampler = Callable[[Example, ChatState, int], Iterator[ChatAnswer]]  # a prompt, how to sample, a seed


class TaskSource(Protocol):
    """Where commands find tasks: `chatting.tasks.DataTasks`."""

    def find(self, name: str) -> Example: ...
    def search(self, words: str, most: int) -> Sequence[Example]: ...


def prompt_of(task: Example) -> str:
    """What the user says in a task."""
    return task.messages[-1]["content"]
