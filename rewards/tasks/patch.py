"""The task `patch`: change a program as a request or a failing test asks, by a unified diff or search/replace blocks.

The answer is one ```diff block that changes `FILE`, or, where the row's column `format` is `search_replace`, one
```rust block of search/replace blocks. `rewards.edits` applies it; what is judged is the patched program. The first
`kept` of the row's gold tests pass before the patch and are to pass afterwards, the others are what the request asks
for. A patch that changes nothing outside comments and tests is no answer: the program as it was given builds, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rewards.builtin import gold
from rewards.completion import GradedCompletion, Score
from rewards.edits.comparing import code_tokens, num_changed
from rewards.edits.distance import progress
from rewards.edits.edited import Edited
from rewards.edits.search_replace import apply_search_replace
from rewards.edits.unified_diff import apply_diff
from rewards.edits.writing import diff_of, search_replace_of
from rewards.gold.rows import gold_problem, gold_row
from rewards.registry import reward
from rewards.rust.fences import fenced
from rewards.rust.parse import code_blocks, has_code, parse
from rewards.tasks.task import Block, Extracted, Row, Task
from sandbox.verdict import Outcome

__all__ = ["FILE", "FORMATS", "PATCH", "TASK", "right_answer"]

FILE = "src/lib.rs"
FORMATS = {"diff": ("diff", "patch"), "search_replace": ("rust", "rs")}  # the languages of its block
ASKED = {
    "diff": f"Answer with a unified diff of {FILE} in one ```diff block.",
    "search_replace": "Answer with search/replace blocks in one ```rust block.",
}
KINDS = ("bug", "change", "addition")  # of the shipped rows, in their column `kind`
READ, NAMED, APPLYING = (
    0.2,
    0.4,
    0.4,
)  # of `patch_applies`: a diff, of the right file, and how far it comes where not all of it applies
REMEMBERED = 512  # programs
NOTHING = "the patch changes nothing outside comments and tests"
EMPTY = "the patch leaves no code"
SYSTEM = f"""\
You are a careful Rust programmer. You change the program that you are given as little as the request needs, and answer
with the change alone, not with the whole program.

A unified diff stands in one ```diff block: --- a/{FILE}, +++ b/{FILE}, then hunks with three lines of context. The
numbers of lines in each @@ header must be right, and context must be copied exactly.

Search/replace blocks stand in one ```rust block, each as
<<<<<<< SEARCH
lines of the program, which must occur exactly once in it
=======
the lines in their place
>>>>>>> REPLACE"""


def _format(row: Row) -> str:
    return "search_replace" if row.get("format") == "search_replace" else "diff"


def _program(row: Row, column: str = "program") -> str:
    """A program of the row with the line ends that an answer has, as rustc reads it in any case."""
    return str(row[column]).replace("\r\n", "\n").rstrip("\n") + "\n"


@lru_cache(maxsize=REMEMBERED)
def _tokens(program: str) -> tuple[str, ...]:
    """The tokens of a program of a row, which every completion asks for."""
    return code_tokens(program)


def _prompt(row: Row) -> str:
    """The program, the request, and in which format to answer."""
    shown = fenced(_program(row).removesuffix("\n"))
    return f"{shown}\n\n{str(row['request']).strip()}\n\n{ASKED[_format(row)]}"


def _edited(text: str, row: Row, block: Block) -> Edited:
    """The row's program as an answer changes it."""
    languages = FORMATS[_format(row)]
    blocks = code_blocks(text, languages)
    if not blocks:
        return Edited(None, f"no closed ```{languages[0]} block in the completion", "unread")
    chosen, program = blocks[0] if block == "first" else blocks[-1], _program(row)
    return apply_diff(chosen, program, FILE) if _format(row) == "diff" else apply_search_replace(chosen, program)


def _extract(text: str, row: Row, block: Block) -> Extracted:
    """The patched program."""
    edited = _edited(text, row, block)
    if edited.text is not None and code_tokens(edited.text) == _tokens(_program(row)):
        return Extracted(None, NOTHING)
    if edited.text is not None and not has_code(edited.text):
        return Extracted(None, EMPTY)
    return Extracted(edited.text, edited.reason)


def _problem(row: Row) -> str:
    """What is wrong with a row beside its missing columns, in words."""
    if (given := row.get("format")) and given not in (*FORMATS,):
        return f"has the format {str(given)[:40]!r} in column 'format'; give {' or '.join(FORMATS)}"
    if (kept := row.get("kept")) is None or gold_problem(row):  # gold tests are checked for all tasks
        return ""
    tests = gold_row(row)
    return _kept_problem(kept, len(tests.checks.checks) if tests is not None and tests.checks is not None else 0)


def _kept_problem(kept: Any, count: int) -> str:
    """What is wrong with a row's column `kept`, of so many gold tests, in words; "" for nothing."""
    if isinstance(kept, int) and not isinstance(kept, bool) and 0 < kept < count:
        return ""
    return (
        f"has {str(kept)[:40]!r} in column 'kept', which says how many of the first gold tests pass before the "
        f"patch: give a whole number from 1 and below the {count} gold tests that are compared outside the program"
    )


def _facts(text: str, row: Row, code: str | None) -> Mapping[str, float | None]:
    """Whether a patch applies, whether its result is the right program, and how many lines it changes."""
    right = _tokens(_program(row, "reference")) if row.get("reference") else None
    return {
        "applies": float(code is not None),
        "exact_match": None if right is None else float(code is not None and code_tokens(code) == right),
        "lines_changed": None if code is None else float(num_changed(_program(row).split("\n"), code.split("\n"))),
    }


def _answer(row: Row) -> Any:
    """The row's own `completion`, else the right answer; "" where neither is there."""
    if row.get("completion") or not row.get("reference"):
        return row.get("completion") or ""
    try:
        return right_answer(row)
    except ValueError:
        return ""


PATCH = TASK = Task(
    name="patch",
    gives=frozenset({"program"}),
    extract=_extract,
    columns={"program": "the program to change", "request": "what is asked for, or the output of a failing test"},
    prompt=_prompt,
    system_prompt=SYSTEM,
    problem=_problem,
    facts=_facts,
    kind=lambda row: row["kind"] if row.get("kind") in KINDS else "",
    answer=_answer,
)


def right_answer(row: Row) -> str:
    """The answer that turns a row's `program` into its `reference`, as text, for supervised fine-tuning.

    Raises: ValueError, where the row's format cannot say it.

    >>> right_answer({"program": "fn f() {}\\n", "reference": "fn g() {}\\n"}).split("\\n")[3:]
    ['@@ -1 +1 @@', '-fn f() {}', '+fn g() {}', '```']
    """
    before, after = _program(row), _program(row, "reference")
    edits = diff_of(before, after, FILE) if _format(row) == "diff" else search_replace_of(before, after)
    return fenced(edits.removesuffix("\n"), FORMATS[_format(row)][0])


@reward(task="patch")
def patch_applies(completion: GradedCompletion) -> Score:
    """How far a patch comes: 0.2 for edits that can be read, 0.4 where they name the file, up to 1 where they apply.

    Where the row has the right answer, the part above 0.4 is the share of the way to it, by tokens
    (`rewards.edits.distance.progress`), 0 without a function that comes in there, and all of it where gold tests were
    run and pass: a hunk that fits every program comes no nearer to anything. A right answer that is too far from the
    program for that gives 0.4 until gold tests pass. Without one it is the share of the edits that apply. Not above 0.8
    where one of them does not.
    """
    edited = _edited(completion.text, completion.row, completion.block)
    if edited.stage != "named":
        return Score(READ if edited.stage == "read" else 0.0, edited.reason)
    applied = f"{edited.applied} of {edited.total} hunks apply"
    if edited.text is None:
        return Score(NAMED + APPLYING * _share(edited, completion.row), f"{applied}: {edited.reason}")
    if completion.code is None:
        return Score(NAMED, completion.no_code)
    if gold(completion).value == 1.0:
        return Score(1.0, f"{applied}, and the gold tests pass")
    return Score(NAMED + (1.0 - NAMED) * _share(edited, completion.row), applied)


def _share(edited: Edited, row: Row) -> float:
    """How far edits come: on the way to the right answer where it is known, else by how many apply."""
    changed = edited.so_far if edited.text is None else edited.text
    if not row.get("reference") or changed is None:
        return edited.applied / max(1, edited.total)
    before, right = _program(row), _program(row, "reference")
    if _functions(right) - _functions(before) - _functions(changed):
        return 0.0
    return progress(_tokens(before), code_tokens(changed), _tokens(right)) or 0.0


def _functions(program: str) -> frozenset[str]:
    """The names of a program's functions outside tests."""
    return frozenset(parse(program).functions)


def _passes(completion: GradedCompletion) -> Score | tuple[bool, ...]:
    """Which gold tests pass, in the row's order; or the score of a completion for which that is not known."""
    if (run := completion.gold) is None:
        return Score(None, "no gold tests for this prompt")
    if run.result is None:
        return Score(0.0, completion.no_code)
    if run.verdict is not None and run.verdict.outcome is Outcome.HOST_ERROR:
        return Score(None, run.verdict.reason)
    return run.result.passes or Score(None, "the gold tests run as a module, which tells no single ones")


@reward(phase="test", on_gold_tests=True, pays="code", task="patch")
def untouched(completion: GradedCompletion) -> Score:
    """The share of the gold tests that passed before the patch and still pass, times the share of the others that pass.

    Without the second factor the smallest change of no use would earn as much as the right one, and a constant that
    one test of a new function asks for, too.
    """
    passes, kept = _passes(completion), completion.row.get("kept")
    if isinstance(passes, Score):
        return passes
    if not kept:
        return Score(None, "the row's column kept does not say which gold tests passed before")
    if problem := _kept_problem(kept, len(passes)):  # through TRL nobody has looked at the row before
        return Score(None, f"the row {problem}")
    still, asked, total = sum(passes[:kept]), sum(passes[kept:]), len(passes) - kept
    reason = f"{still} of {kept} tests that passed before still pass, and {asked} of {total} of the request"
    return Score(still / kept * asked / total, reason)


@reward(phase="test", on_gold_tests=True, pays="code", task="patch")
def small_patch(completion: GradedCompletion) -> Score:
    """The right answer's changed tokens as a share of the patch's, at most 1; 0 where a gold test fails.

    Tokens outside comments and tests, and not lines: a program written anew in one line would be a small patch.
    """
    passes, code = _passes(completion), completion.code
    if isinstance(passes, Score):
        return passes
    if not completion.row.get("reference"):
        return Score(None, "the row has no right answer in column reference")
    if code is None or not all(passes):
        return Score(0.0, f"{sum(passes)} of {len(passes)} gold tests pass")
    before, right = (_tokens(_program(completion.row, column)) for column in ("program", "reference"))
    wanted, changed = num_changed(before, right), num_changed(before, code_tokens(code))
    return Score(min(1.0, (1 + wanted) / (1 + changed)), f"{changed} tokens changed, {wanted} in the right answer")
