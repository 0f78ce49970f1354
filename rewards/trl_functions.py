"""The reward functions under their published names, with the signature that TRL calls.

    from rewards import cargo_build_reward_func, cargo_test_reward_func
    GRPOTrainer(..., reward_funcs=[cargo_build_reward_func, cargo_test_reward_func])

Each takes keyword arguments, `completions` first of all: strings, or lists of one chat message. Each returns one
float in 0..1 or None per completion; the published scale comes from the weights (`PUBLISHED_WEIGHTS`). With
`verdicts=` (one `Verdict` or None each) nothing is run; without, the programs are graded by one pool for the whole
process, each program once however many of these functions ask. That pool spawns processes: a script that uses it
needs `if __name__ == "__main__":`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rewards import builtin, format
from rewards.completion import Gold, GradedCompletion, Score
from rewards.gold import GOLD_COLUMNS, GoldProgram, gold_program, has_gold_tests
from rewards.rust.parse import extract_code
from sandbox import PHASES, SandboxPool, Verdict

__all__ = [
    "PUBLISHED_WEIGHTS",
    "SCORERS",
    "cargo_build_reward_func",
    "cargo_clippy_reward_func",
    "cargo_test_reward_func",
    "cargo_test_thorough_reward_func",
    "clippy_clean_reward_func",
    "code_block_count_reward_func",
    "gold_reward_func",
    "non_empty_reward_func",
    "test_block_count_reward_func",
    "tests_have_asserts_reward_func",
    "tests_passed_share_reward_func",
]

Scorer = Callable[[GradedCompletion], Score]
RewardFunction = Callable[..., list[float | None]]

SCORERS: dict[str, Scorer] = {
    "cargo_build": builtin.cargo_build,
    "cargo_clippy": builtin.cargo_clippy,
    "cargo_test": builtin.cargo_test,
    "cargo_test_thorough": builtin.cargo_test_thorough,
    "non_empty": format.non_empty,
    "code_block": format.code_block,
    "test_block": format.test_block,
    "asserts": format.asserts,
    "tests_passed_share": builtin.tests_passed_share,
    "clippy_clean": builtin.clippy_clean,
    "gold": builtin.gold,
}
NEEDS_VERDICT = (
    "cargo_build",
    "cargo_clippy",
    "cargo_test",
    "cargo_test_thorough",
    "tests_passed_share",
    "clippy_clean",
)
# As published; that experiment's text pays 1.0 for the code block, its code 0.5, and its last version leaves it out.
PUBLISHED_WEIGHTS: Mapping[str, float] = {
    "cargo_build": 1.0,
    "cargo_clippy": 1.0,
    "cargo_test": 2.0,
    "non_empty": 1.0,
    "code_block": 0.5,
    "test_block": 0.5,
    "asserts": 1.0,
}

_pool_lock = threading.Lock()
_pools: list[SandboxPool] = []


def completion_text(completion: str | Sequence[Mapping[str, str]]) -> str:
    """The text of a completion as TRL gives it: a string, or a list of chat messages whose last is the answer."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def _reward_function(name: str, published_name: str) -> RewardFunction:
    """A scorer as a function that TRL calls."""
    scorer = SCORERS[name]

    def reward(
        *,
        completions: Sequence[str | Sequence[Mapping[str, str]]],
        verdicts: Sequence[Verdict | None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        texts = [completion_text(completion) for completion in completions]
        if verdicts is None:
            verdicts = _grade([extract_code(text) for text in texts]) if name in NEEDS_VERDICT else [None] * len(texts)
        golds = _grade_gold(texts, columns) if name == "gold" else [None] * len(texts)
        answers = [GradedCompletion(*facts) for facts in zip(texts, verdicts, golds, strict=True)]
        return [scorer(answer).value for answer in answers]

    reward.__name__ = reward.__qualname__ = published_name
    reward.__doc__ = scorer.__doc__
    return reward


cargo_build_reward_func = _reward_function("cargo_build", "cargo_build_reward_func")
cargo_clippy_reward_func = _reward_function("cargo_clippy", "cargo_clippy_reward_func")
cargo_test_reward_func = _reward_function("cargo_test", "cargo_test_reward_func")
non_empty_reward_func = _reward_function("non_empty", "non_empty_reward_func")
code_block_count_reward_func = _reward_function("code_block", "code_block_count_reward_func")
test_block_count_reward_func = _reward_function("test_block", "test_block_count_reward_func")
tests_have_asserts_reward_func = _reward_function("asserts", "tests_have_asserts_reward_func")
cargo_test_thorough_reward_func = _reward_function("cargo_test_thorough", "cargo_test_thorough_reward_func")
tests_passed_share_reward_func = _reward_function("tests_passed_share", "tests_passed_share_reward_func")
clippy_clean_reward_func = _reward_function("clippy_clean", "clippy_clean_reward_func")
gold_reward_func = _reward_function("gold", "gold_reward_func")


def _process_pool() -> SandboxPool:
    """The one pool of this process, started on first use."""
    with _pool_lock:
        if not _pools:
            _pools.append(SandboxPool())
        return _pools[0]


def _grade(codes: Sequence[str | None], phases: Sequence[str] = PHASES) -> list[Verdict | None]:
    """A verdict for every program; None where there is none."""
    futures = [None if code is None else _process_pool().submit(code, phases=phases) for code in codes]
    return [None if future is None else future.result() for future in futures]


def _grade_gold(texts: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> list[Gold | None]:
    """The gold tests' verdicts, where the rows have gold tests."""
    programs: list[GoldProgram | None] = []
    wanted: list[bool] = []
    for index, text in enumerate(texts):
        row = {name: columns[name][index] for name in GOLD_COLUMNS if name in columns}
        code = extract_code(text)
        programs.append(gold_program(code, row) if code is not None else None)
        wanted.append(has_gold_tests(row))
    verdicts = _grade([program and program.source for program in programs], phases=("test",))
    golds = [Gold(program, verdict) for program, verdict in zip(programs, verdicts, strict=True)]
    return [gold if asked else None for gold, asked in zip(golds, wanted, strict=True)]
