"""Repair a program: broken Rust and what the compiler or tests say of it -> the whole corrected program in one block.

Promises rewards that a model cannot earn by copying its input (it does not build, or fails its tests), by writing a
program of its own (`stays_close` falls with every changed token), by deleting or hiding what is hard or by a mistake
that hides the others (`errors_removed` pays what gold tests confirm, and before that only steps towards the right
answer, or the kinds of error that are gone while no other kind came). Left out: `cargo_build`, which a program without
any function earns and recipes of this task do not pay, `gold`, which all tasks share, and making rows
(scripts/dataset/repairing). A row with neither gold tests nor a right answer has only the functions and the compiler's
stages to tell by: `todo!();` before a wrong borrow counts as its repair there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rewards.builtin import gold, gold_passed_share
from rewards.completion import GradedCompletion, Score
from rewards.edits.comparing import code_tokens
from rewards.edits.distance import progress
from rewards.registry import reward
from rewards.repairing.edits import TokenChange, change
from rewards.repairing.errors import share_gone
from rewards.repairing.messages import errors_of
from rewards.repairing.wording import BROKEN, SHOWN, repair_prompt
from rewards.rust.kept import MOST_LOST, lost_function
from rewards.rust.parse import extract_code, parse
from rewards.tasks.function import block_alone
from rewards.tasks.task import Row, Task

__all__ = ["TASK", "error_codes"]

REPAIR_PROMPT = """\
You are a careful Rust programmer who repairs programs. Answer with exactly one fenced code block, opened by ```rust and
closed by ```. The block holds the whole corrected program: every function of the given one, changed no more than the
errors need, written with the standard library alone. Do not write a main function."""


def error_codes(row: Row) -> Sequence[str]:
    """The codes of the input's errors, "" for one without; empty where it builds or nobody counted.

    Raises: ValueError for a column `errors` that holds something else.
    """
    given = row.get("errors")
    if not given:
        return ()
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list | tuple) or not all(isinstance(code, str) for code in found):
        raise ValueError(f'has {str(given)[:60]!r} in column errors: give a list of codes as ["E0308", ""]')
    return found


def _problem(row: Row) -> str:
    """What is wrong with a row besides its program."""
    for column in (*SHOWN, "request"):
        if not isinstance(row.get(column) or "", str):
            return f"has no text in column {column!r}"
    if not any(str(row.get(column) or "").strip() for column in SHOWN):
        return f"does not say what is wrong with its program: give a text in {', '.join(SHOWN)}"
    try:
        error_codes(row)
    except ValueError as error:
        return str(error)
    return ""


def _facts(text: str, row: Row, code: str | None) -> Mapping[str, float | None]:
    """How many tokens were changed, of answers that are repairs at all, and whether any was."""
    if code is None:
        return {"edited_tokens": None, "unchanged": None}
    edits = _change(row, code).edits
    return {"edited_tokens": None if edits is None else float(edits), "unchanged": float(edits == 0)}


TASK = Task(
    name="repair",
    gives=frozenset({"program", "block"}),
    extract=block_alone,
    columns={BROKEN: "the program to repair"},
    prompt=repair_prompt,
    system_prompt=REPAIR_PROMPT,
    problem=_problem,
    facts=_facts,
)


@reward(phase="test", on_gold_tests=True, pays="code", task="repair")
def stays_close(completion: GradedCompletion) -> Score:
    """How close a repair that works is to its input: 1 - (changed tokens - needed) / allowed; 0 where it does not work.

    It works where it passes the gold tests; where the row has none, where it builds, its input did not, and it has lost
    or hidden nothing (as of `errors_removed`). Needed are as many as the row's right answer changes, where it has one;
    allowed are half of the input's tokens, 8 to 100 (`rewards.repairing.edits`). Comments and white space are free.
    """
    if completion.code is None:
        return Score(0.0, completion.no_code)
    works = gold(completion) if completion.gold is not None else _builds(completion)
    if works.value != 1.0:
        return works
    if completion.gold is None and (hidden := _hidden(completion)):
        return Score(0.0, hidden)
    found = _change(completion.row, completion.code)
    if found.edits is None:
        return Score(0.0, f"{found.needed + found.allowed} or more tokens were changed")
    return Score(found.closeness if found.edits else 0.0, f"{found.edits} tokens were changed")


@reward(phase="build", reads_gold=True, pays="code", task="repair")
def errors_removed(completion: GradedCompletion) -> Score:
    """The share of the input's compiler errors that are gone; None where it has none.

    Where gold tests were run, they settle it for a program that builds: the share of them that it passes. Else errors
    that may only be hidden by an earlier one do not count as gone, and new ones count as left
    (`rewards.repairing.errors`). What does not pass all gold tests earns nothing

    - where it has come no nearer to the row's right answer, by tokens (`rewards.edits.distance.progress`): hiding an
      error adds more than it repairs;
    - where it lost a function of its input, or most of its body (`rewards.rust.kept`); of what the right answer keeps,
      no word may be lost, as `todo!()` in place of the mistake loses one;
    - where the row has no right answer, or one too far away to tell steps by, and an error is of a code that the input
      had not. Each code counts once there: the compiler's messages of one line are one where their words are the same.
    """
    before = error_codes(completion.row)
    if not before:
        return Score(None, "the input has no compiler errors")
    if completion.code is None or completion.program is None:
        return Score(0.0, completion.no_code)
    if completion.verdict is None or completion.ungraded:
        return Score(None, "the sandbox failed" if completion.ungraded else "not graded")
    builds = bool(completion.verdict.build)
    settled = gold_passed_share(completion) if builds and completion.gold is not None else None
    if settled is not None and settled.value in (0.0, 1.0, None):
        return settled
    if hidden := _hidden(completion):
        return Score(0.0, hidden)
    if settled is not None:
        return settled
    after = [] if builds else [one.code or "" for one in errors_of(completion.verdict.diagnostics)]
    if not after and not builds:
        return Score(0.0, completion.verdict.reason or str(completion.verdict.outcome))  # a limit was reached
    counts = f"{len(before)} errors before, {len(after)} now"
    if _way_made(completion) is not None:
        return Score(share_gone(before, after), counts)
    if new := min(set(after) - set(before), default=None):
        return Score(0.0, f"{counts}, among them {new}, which the input has not")
    return Score(share_gone(sorted(set(before)), sorted(set(after))), f"{counts}, of each code one counts")


def _hidden(completion: GradedCompletion) -> str:
    """Why a repair may have hidden errors and repaired none; "" where nothing says so."""
    assert completion.code is not None and completion.program is not None
    whole, right = str(completion.row.get(BROKEN, "")), _right(completion.row)
    if lost := lost_function(whole, completion.code, right, parts=None if right else MOST_LOST):
        return f"{lost} is gone, or a part of it"
    if completion.program.depends_on_cfg and not parse(whole).depends_on_cfg:
        return "a cfg takes code out of the program"
    if _way_made(completion) == 0.0:
        return "it is no nearer to the right answer than the input"
    return ""


def _way_made(completion: GradedCompletion) -> float | None:
    """The share of the way to the right answer; None where there is none, or one too far away."""
    right = _right(completion.row)
    if not right or completion.code is None:
        return None
    whole = str(completion.row.get(BROKEN, ""))
    return progress(code_tokens(whole), code_tokens(completion.code), code_tokens(right))


def _right(row: Row) -> str:
    """The program in a row's right answer; "" where it has none."""
    given = row.get("completion")
    return (extract_code(given) or "") if isinstance(given, str) else ""


def _change(row: Row, code: str) -> TokenChange:
    """What an answer changes of its row's program."""
    return change(str(row.get(BROKEN, "")), code, _right(row))


def _builds(completion: GradedCompletion) -> Score:
    """Whether a repair works, where no gold tests say: None where building says nothing, either."""
    if completion.verdict is None or completion.ungraded:
        return Score(None, "no gold tests, and not graded")
    if not error_codes(completion.row):
        return Score(None, "no gold tests, and the input is not known to have compiler errors")
    return Score(float(bool(completion.verdict.build)), "builds" if completion.verdict.build else "does not build")
