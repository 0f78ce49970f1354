"""Rewards for form: what an answer looks like, without running it. Each maps an `GradedCompletion` to 0..1 with a reason."""

from __future__ import annotations

from rewards.completion import NO_CODE, GradedCompletion, Score
from rewards.rust.parse import UNWRITTEN, code_blocks

__all__ = ["MAX_ASSERTS", "asserts", "code_block", "non_empty", "test_block"]

MAX_ASSERTS = 4


def non_empty(answer: GradedCompletion) -> Score:
    """1 when some function outside the tests has a body that does something (`todo!()` does not)."""
    if answer.program is None:
        return Score(0.0, NO_CODE)
    written = [
        name
        for name, body in answer.program.functions.items()
        if body.statements and not (body.statements == 1 and body.macros & set(UNWRITTEN))
    ]
    return Score(1.0, f"{written[0]} has a body") if written else Score(0.0, "no function outside the tests has a body")


def code_block(answer: GradedCompletion) -> Score:
    """1 for exactly one closed ```rust block."""
    count = len(code_blocks(answer.text))
    return Score(float(count == 1), f"{count} closed ```rust blocks" if count else NO_CODE)


def test_block(answer: GradedCompletion) -> Score:
    """1 for exactly one `#[cfg(test)] mod` with a test in it."""
    if answer.program is None:
        return Score(0.0, NO_CODE)
    blocks, tests = len(answer.program.test_modules), len(answer.program.tests)
    return Score(float(blocks == 1 and tests > 0), f"{blocks} test modules, {tests} tests")


def asserts(answer: GradedCompletion) -> Score:
    """A quarter for each distinct assert in the tests, at most 1; paid whether they pass or not."""
    if answer.program is None:
        return Score(0.0, NO_CODE)
    count = len({found.text for found in answer.program.asserts})
    return Score(min(count, MAX_ASSERTS) / MAX_ASSERTS, f"{count} distinct asserts")
