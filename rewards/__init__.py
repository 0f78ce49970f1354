"""Text in, number out: what a Rust answer is worth. Imports the sandbox; never torch.

rust       the code block, and its structure        format     rewards for form
prompts    what the model is told                   cargo      rewards for cargo's verdict
gold       tests that the model never sees          guard      was the pass earned
functions  the rewards as TRL calls them            rubric     which rewards, with what weight
grader     answers in, grades out, in the background
"""

from rewards.completion import GradedCompletion, Score
from rewards.grade import Grade
from rewards.grader import RustGrader
from rewards.prompts import SYSTEM_PROMPT, chat_messages
from rewards.rubric import RewardError, Rubric
from rewards.rust.parse import extract_code, parse
from rewards.strictness.judge import Judgement, judge
from rewards.trl_functions import (
    PUBLISHED_WEIGHTS,
    cargo_build_reward_func,
    cargo_clippy_reward_func,
    cargo_test_reward_func,
    cargo_test_thorough_reward_func,
    clippy_clean_reward_func,
    code_block_count_reward_func,
    gold_reward_func,
    non_empty_reward_func,
    test_block_count_reward_func,
    tests_have_asserts_reward_func,
    tests_passed_share_reward_func,
)

__all__ = [
    "PUBLISHED_WEIGHTS",
    "SYSTEM_PROMPT",
    "GradedCompletion",
    "Grade",
    "Judgement",
    "RewardError",
    "Rubric",
    "RustGrader",
    "Score",
    "cargo_build_reward_func",
    "cargo_clippy_reward_func",
    "cargo_test_reward_func",
    "cargo_test_thorough_reward_func",
    "chat_messages",
    "clippy_clean_reward_func",
    "code_block_count_reward_func",
    "extract_code",
    "gold_reward_func",
    "judge",
    "non_empty_reward_func",
    "parse",
    "test_block_count_reward_func",
    "tests_have_asserts_reward_func",
    "tests_passed_share_reward_func",
]
