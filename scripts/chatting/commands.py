"""What can be typed besides prompts: commands that start with a colon."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from chatting.state import ChatState, TaskSource, prompt_of
from grpo.errors import BadInput

__all__ = ["Then", "obey"]

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


def obey(line: str, state: ChatState, tasks: TaskSource) -> tuple[str, Then]:
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


def _listed(tasks: TaskSource, words: str) -> str:
    """Tasks, each in a line."""
    found = tasks.search(words, MOST_LISTED + 1)
    lines = [f"{task.id}  {' '.join(prompt_of(task).split())[:100]}" for task in found[:MOST_LISTED]]
    return "\n".join([*lines, "..."] if len(found) > MOST_LISTED else lines) or f"no task has {words} in it"
