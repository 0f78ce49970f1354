"""Scores Rust completions: text in, numbers out. Imports the sandbox, never torch.

Promises a score from 0 to 1 with its reason; None where a reward does not apply or the host failed; and a score of 0
for passing tests that could not have failed. Left out: running programs (`sandbox`), and sums, groups and advantages
(`grpo`).

group_rewards   rewards that compare the completions of a group
matrix          what a group's pass matrix says of codes and tests
cross           all codes of a group on all of its tests
registry        what is known of each reward function
builtin         the reward functions for all tasks, each one decorated function
tasks           what may be asked of a model, one file per task, with its own rewards
rubric          which rewards are computed, with what weights; a user's own functions
grader          completions in, grades out, in the background
feedback        a verdict in words, for a model that may try again
trl_functions   the rewards as TRL calls them
experiment      the log of every call of a reward function, as in the published experiment
tool_output     what the compiler and the tests said, for that log
completion      a completion with the verdicts on it
gold            tests that the model never sees
rust            the code block of a completion, and the structure of its program
strictness      whether the tests that passed could have failed
user_functions  loading a user's own functions by name

For every built-in reward this package has the function that TRL calls, such as `cargo_build_reward_func`.
"""

from rewards import trl_functions
from rewards.builtin import PUBLISHED_WEIGHTS
from rewards.completion import GradedCompletion, Score
from rewards.experiment import Experiment
from rewards.grader import RustGrade, RustGrader
from rewards.rubric import RewardError, Rubric
from rewards.rust.parse import extract_code, parse
from rewards.strictness.judge import Judgement, judge
from rewards.tasks.function import SYSTEM_PROMPT
from rewards.trl_functions import group_reward_func

__all__ = [
    "PUBLISHED_WEIGHTS",
    "SYSTEM_PROMPT",
    "Experiment",
    "GradedCompletion",
    "Judgement",
    "RewardError",
    "Rubric",
    "RustGrade",
    "RustGrader",
    "Score",
    "extract_code",
    "group_reward_func",
    "judge",
    "parse",
    *trl_functions.__all__,
]


def __getattr__(name: str) -> trl_functions.RewardFunction:
    """The function of that name for TRL: there is one for every reward in `rewards.registry.REWARDS`."""
    try:
        return trl_functions.__getattr__(name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return __all__
