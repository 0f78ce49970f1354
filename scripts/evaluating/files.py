"""An evaluation on disk: three files beside each other, each of which appears only when it is complete.

FILE.parquet   the completions as a table: a row a completion, a column a check and a reward
FILE.json      how the evaluation was made (its protocol), and its metrics
FILE.jsonl     one line a completion, with its verdict; written last, so where it is, all are
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from durable.write_whole import write_whole
from grpo.errors import BadInput
from grpo.evaluate import Evaluation
from grpo.run.serialize import completion_lines, counts_record
from grpo.whole_file import whole_file
from grpo_rust.rows.files import read_row_file

__all__ = ["read_lines", "read_record", "record_of", "write_evaluation"]


def write_evaluation(evaluation: Evaluation, record: Mapping[str, Any], out: Path) -> None:
    """Write an evaluation and its record.

    Args:
        evaluation: The graded completions.
        record: Plain JSON values, which the figures are added to.
        out: The .jsonl file; the others are beside it.
    """
    import pyarrow
    import pyarrow.parquet

    lines = list(completion_lines(evaluation.groups, step=0, phase="eval"))
    with whole_file(out.with_suffix(".parquet")) as table:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(_same_columns(_flat(lines))), table)
    figures = {
        "num_prompts": evaluation.num_prompts,
        "num_samples": evaluation.num_samples,
        "seconds": round(evaluation.seconds, 3),
        "metrics": dict(evaluation.metrics),
        **counts_record(evaluation),
    }
    write_whole(record_of(out), json.dumps({**record, **figures}, indent=2) + "\n")
    write_whole(out, "".join(json.dumps(line) + "\n" for line in lines))


def record_of(out: Path) -> Path:
    """The file with the record of an evaluation, by any of its files."""
    return out.with_suffix(".json")


def read_record(file: Path) -> dict[str, Any]:
    """The record of an evaluation, by any of its files.

    Raises:
        BadInput: Where there is none.
    """
    path = record_of(file)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"no file {path}: it says how {file} came about, and eval_model.py writes it") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} is no record of an evaluation: {error}") from None
    if problem := _record_problem(record):
        raise BadInput(f"{path} is no record of an evaluation: {problem}")
    return record


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The completions of an evaluation, by any of its files; of conversations the first ones.

    Raises:
        BadInput: Where there are none, or a line is no completion.
    """
    path = file.with_suffix(".jsonl")
    if not path.is_file():
        raise BadInput(f"no file {path}: a comparison needs the completions of {file}")
    lines = list(read_row_file(path))
    if not lines:
        raise BadInput(f"{path} holds no completions: evaluate again, with another --out")
    for number, line in enumerate(lines, 1):
        if not isinstance(line.get("task_id"), str) or not _is_by_name(line.get("checks"), int | float | None):
            raise BadInput(f"{path} holds no completions of an evaluation: line {number} lacks a task_id or checks")
    return [line for line in lines if "follows" not in line]


def _record_problem(record: Any) -> str:
    """What a record lacks; "" for nothing."""
    if not isinstance(record, dict):
        return "it is no object"
    protocol = record.get("protocol")
    if not isinstance(record.get("label"), str) or not _is_by_name(record.get("metrics"), int | float):
        return "it lacks a label or metrics"
    if not isinstance(protocol, dict) or not isinstance(protocol.get("name"), str):
        return "it lacks a protocol with a name"
    prompts = protocol.get("prompts")
    if not isinstance(protocol.get("settings"), dict) or not isinstance(prompts, dict):
        return "its protocol lacks settings or prompts"
    sizes = (prompts.get("count"), record.get("num_prompts"), record.get("num_samples"))
    if not all(isinstance(size, int) for size in sizes) or not isinstance(prompts.get("sha256"), str):
        return "it lacks the number of prompts or samples, or the prompts' checksum"
    return ""


def _is_by_name(value: Any, kind: Any) -> bool:
    """Whether this is an object whose values are all of a type."""
    return isinstance(value, dict) and all(isinstance(part, kind) for part in value.values())


def _same_columns(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows that all have every column: completions of several tasks have checks of their own."""
    found = list(rows)
    columns = dict.fromkeys(name for row in found for name in row)
    return [{**columns, **row} for row in found]


def _flat(lines: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Lines as rows of a table; a verdict, which is nested, as JSON."""
    has_turns = any("follows" in line for line in lines)
    for line in lines:
        row = {name: line[name] for name in ("id", "task_id", "prompt", "text", "terminated", "num_tokens", "reward")}
        row |= {"task": line["task"]} if "task" in line else {}
        row |= {f"check_{name}": value for name, value in line["checks"].items()}
        row |= {f"reward_{name}": value for name, value in line["rewards"].items()}
        if has_turns:
            row |= {"follows": line.get("follows"), "message": line.get("message")}
        verdict = line["verdict"]
        yield row | {
            "code": verdict.get("code"),
            "outcome": str(verdict["outcome"]) if "outcome" in verdict else None,
            "verdict": json.dumps(verdict),
        }
