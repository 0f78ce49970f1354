"""The rows of a data set of Rust tasks: their columns, and writing them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["COLUMNS", "RustTask", "write_tasks"]

COLUMNS = ("task_id", "prompt", "task", "signature", "gold_cases", "source")


@dataclass(frozen=True)
class RustTask:
    """A task in Rust: a row. The fields are columns, but for the last."""

    task_id: str
    prompt: str  # the task and the signature
    task: str  # what is asked for, in English
    signature: str  # up to the body
    gold_cases: list[dict[str, Any]]
    source: str  # the data set that it comes from
    skipped_asserts: dict[str, int] = field(default_factory=dict)  # by reason; for the manifest


def write_tasks(tasks: Sequence[RustTask], path: Path) -> None:
    """Write the rows of a data set, as .jsonl or .parquet."""
    rows = [{column: value for column, value in asdict(task).items() if column in COLUMNS} for task in tasks]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow  # only here: .jsonl needs nothing
        from pyarrow import parquet

        texts = [{**row, "gold_cases": json.dumps(row["gold_cases"], ensure_ascii=False)} for row in rows]
        parquet.write_table(pyarrow.Table.from_pylist(texts), path)
        return
    lines = (json.dumps({column: row[column] for column in COLUMNS}, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
