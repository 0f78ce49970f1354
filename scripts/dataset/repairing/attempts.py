"""Failed completions of a run, as programs to repair: what its own model got wrong.

Read are the completions of training alone: prompts to evaluate on must not become prompts to train on. Their gold tests
come from the run's own `data.train`, by the row's id. Left out, by reason: completions without a program, programs that
were there before, and those of prompts that are not in the data any more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset.repairing.proving import Tried
from dataset.repairing.rows import Shown, repair_row
from dataset.repairing.source_rows import gold_of
from grpo.errors import BadInput
from rewards.rust.parse import parse, without_tests

__all__ = ["FailedProgram", "attempt_problem", "attempt_row", "read_attempts", "read_completions"]


@dataclass(frozen=True)
class FailedProgram:
    """A completion's program."""

    name: str  # the completion's id
    prompt: str  # the id of its prompt's row
    code: str
    gold: Mapping[str, Any]  # the row's gold tests by column; empty where it has none
    request: str  # what was asked for
    right: str = ""  # the right answer to a repair task, where the row has one


def read_completions(path: Path) -> Iterator[Mapping[str, Any]]:
    """The completions of a run's training; a last line that a stop has torn is left out.

    Args:
        path: A completions.jsonl.
    Raises: BadInput, for a file that is missing or not one of these.
    """
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith("\n"):
                    return
                record = json.loads(line)
                if not isinstance(record, dict) or not {"id", "phase", "task_id", "verdict"} <= record.keys():
                    raise BadInput(f"{path}, line {number} is no completion of a run: give the directory of a run")
                if record["phase"] == "train":
                    yield record
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}: give the directory of a run that keeps its completions") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}, line {number} is damaged ({error}): remove that line") from None


def read_attempts(
    records: Iterable[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]], skipped: Counter[str], *, longest: int
) -> Iterator[FailedProgram]:
    """The programs of completions, each text once for every prompt.

    Args:
        records: As of `read_completions`.
        rows: The columns of the run's prompts, by id.
        skipped: Counts those that are left out, by reason.
        longest: Characters of a program at most.
    """
    seen: set[tuple[str, str]] = set()
    for record in records:
        name, columns = str(record["task_id"]), rows.get(str(record["task_id"]))
        code = record["verdict"].get("code") if isinstance(record["verdict"], dict) else None
        if columns is None or not isinstance(code, str):
            skipped["its prompt is not in data.train" if columns is None else "no program"] += 1
            continue
        gold = gold_of(columns)
        code = (without_tests(code, parse(code)) if gold else code).strip() + "\n"
        if (name, code) in seen or len(code) > longest:
            skipped["the same program as before" if (name, code) in seen else "a program that is too long"] += 1
            continue
        seen.add((name, code))
        request = columns.get("request") if columns.get("task") else record.get("prompt")
        right = columns.get("completion") if columns.get("task") == "repair" else ""
        yield FailedProgram(str(record["id"]), name, code, gold, str(request or ""), str(right or ""))


def attempt_problem(one: FailedProgram, found: Tried, *, gold_only: bool) -> str:
    """Why a completion is nothing to repair, in words that can be counted; "" where it is."""
    if found.problem:
        return found.problem
    if gold_only and not one.gold:
        return "no gold tests"
    if found.builds and found.gold is None:
        return "it builds, and there are no gold tests to say what is wrong"
    return "it passes the gold tests" if found.gold else ""


def attempt_row(one: FailedProgram, found: Tried, shown: Shown) -> dict[str, Any]:
    """The row of a failed completion. All rows of one prompt stay in one split."""
    more = {"request": one.request} if one.request else {}
    if one.right:
        more["completion"] = one.right
    return repair_row(f"{one.prompt}-{one.name}", one.prompt, one.code, found, one.gold, shown, **more)
