"""What can be typed besides prompts: commands that start with a colon."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from chatting.tasks import DataTasks, prompt_of
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.recipe import Recipe

__all__ = ["ChatState", "Then", "obey"]

HELP = """\
a line            is a prompt; end it with \\ to go on in the next, or put lines between two lines of \"\"\"
an empty line     asks the last prompt again, with another seed
:task ID          asks a task of the data, with its gold tests
:tasks WORDS      lists tasks of data.eval that have these words in them
:samples N        completions of each prompt, 1 to 16
:temperature X    0 is greedy
:top_p X          sample from the most probable tokens only, as many as have this probability together; 1: from all
:settings         what is set
:quit             ends, as Ctrl-D does; Ctrl-C stops an answer"""
MOST_SAMPLES = 16
MOST_LISTED = 10


class Then(Enum):
    """What comes after a command."""

    ASK = "ask"
    READ = "read"
    END = "end"


@dataclass
class ChatState:
    """What commands change."""

    temperature: float
    top_p: float
    samples: int
    max_tokens: int  # of a completion; engines are started for so many
    example: Example | None = None  # what was asked last

    @classmethod
    def of(cls, recipe: Recipe) -> ChatState:
        """The settings of a recipe's evaluations, with one sample."""
        return cls(recipe.eval.temperature, recipe.eval.top_p, 1, recipe.sampling.max_completion_tokens)

    def __str__(self) -> str:
        samples = "1 sample" if self.samples == 1 else f"{self.samples} samples"
        return f"{samples}, temperature {self.temperature:g}, top_p {self.top_p:g}, at most {self.max_tokens} tokens"


def obey(line: str, state: ChatState, tasks: DataTasks) -> tuple[str, Then]:
    """Do what a command says.

    Args:
        line: What was typed, colon included.
        state: What it may change.
        tasks: The tasks of the data.
    Returns: What to print, and what comes next.
    Raises:
        BadInput: For a command that cannot be done; says which can.
    """
    name, _, rest = line.removeprefix(":").partition(" ")
    rest = rest.strip()
    match name:
        case "quit" | "q" | "exit":
            return "", Then.END
        case "help" | "h" | "?":
            return HELP, Then.READ
        case "task":
            state.example = tasks.find(rest)
            return prompt_of(state.example), Then.ASK
        case "tasks":
            return _listed(tasks, rest), Then.READ
        case "samples":
            state.samples = int(_number(name, rest, lambda n: n in range(1, MOST_SAMPLES + 1), "1 to 16"))
        case "temperature":
            state.temperature = _number(name, rest, lambda x: x >= 0 and math.isfinite(x), "0 or more")
        case "top_p":
            state.top_p = _number(name, rest, lambda x: 0 < x <= 1, "above 0 and at most 1")
        case "settings":
            pass
        case _:
            raise BadInput(f":{name} is no command; :help lists them")
    return str(state), Then.READ


def _number(name: str, text: str, allowed: Callable[[float], bool], range_: str) -> float:
    """The number that a command is given. Raises: BadInput."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not allowed(value):
        raise BadInput(f":{name} {text}: give a number, {range_}")
    return value


def _listed(tasks: DataTasks, words: str) -> str:
    """Tasks, each in a line."""
    found = tasks.search(words, MOST_LISTED + 1)
    lines = [f"{task.id}  {' '.join(prompt_of(task).split())[:100]}" for task in found[:MOST_LISTED]]
    return "\n".join([*lines, "..."] if len(found) > MOST_LISTED else lines) or f"no task has {words} in it"
