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

from grpo.errors import BadInput
from grpo.evaluate import Evaluation
from grpo.run.serialize import completion_lines

__all__ = ["read_record", "record_of", "write_evaluation"]


def write_evaluation(evaluation: Evaluation, record: Mapping[str, Any], out: Path) -> None:
    """Write an evaluation and its record.

    Args:
        evaluation: The graded completions.
        record: Plain JSON values, which the figures are added to.
        out: The .jsonl file; the others are beside it.
    """
    import pyarrow
    import pyarrow.parquet

    out.parent.mkdir(parents=True, exist_ok=True)
    lines = list(completion_lines(evaluation.groups, step=0, phase="eval"))
    table = out.with_suffix(".parquet")
    unfinished = _unfinished(table)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(_flat(lines))), unfinished)
    unfinished.replace(table)
    figures = {
        "num_prompts": evaluation.num_prompts,
        "num_samples": evaluation.num_samples,
        "seconds": round(evaluation.seconds, 3),
        "metrics": dict(evaluation.metrics),
        "counts": {name: list(count) for name, count in evaluation.counts.items()},
    }
    _appear(record_of(out), json.dumps({**record, **figures}, indent=2) + "\n")
    _appear(out, "".join(json.dumps(line) + "\n" for line in lines))


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
    except ValueError as error:
        raise BadInput(f"{path} is no record of an evaluation: {error}") from None
    if not {"label", "protocol", "metrics"} <= record.keys():
        raise BadInput(f"{path} is no record of an evaluation: it lacks a label, a protocol or metrics")
    return record


def _flat(lines: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Lines as rows of a table; a verdict, which is nested, as JSON."""
    for line in lines:
        row = {name: line[name] for name in ("id", "task_id", "prompt", "text", "terminated", "num_tokens", "reward")}
        row |= {f"check_{name}": value for name, value in line["checks"].items()}
        row |= {f"reward_{name}": value for name, value in line["rewards"].items()}
        verdict = line["verdict"]
        yield row | {
            "code": verdict.get("code"),
            "outcome": str(verdict["outcome"]) if "outcome" in verdict else None,
            "verdict": json.dumps(verdict),
        }


def _appear(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    unfinished = _unfinished(path)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")
