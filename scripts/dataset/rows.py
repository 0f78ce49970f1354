"""The rows of a data set of Rust tasks: their columns, and writing them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grpo.errors import BadInput
from grpo.whole_file import whole_file

__all__ = ["COLUMNS", "RustTask", "task_rows", "write_rows"]

COLUMNS = ("task_id", "prompt", "text", "signature", "gold_cases", "source")


@dataclass(frozen=True)
class RustTask:
    """A task in Rust: a row. The fields are columns, but for the last."""

    task_id: str
    prompt: str  # the text and the signature
    text: str  # what is asked for, in English
    signature: str  # up to the body
    gold_cases: list[dict[str, Any]]
    source: str  # the data set that it comes from
    skipped_asserts: dict[str, int] = field(default_factory=dict)  # by reason; for the manifest


def task_rows(tasks: Sequence[RustTask], *, as_text: bool) -> list[dict[str, Any]]:
    """Tasks as rows of a data set; `as_text`: gold cases as JSON text, for parquet, as their objects differ in keys."""
    rows = [{column: value for column, value in asdict(task).items() if column in COLUMNS} for task in tasks]
    if not as_text:
        return rows
    return [{**row, "gold_cases": json.dumps(row["gold_cases"], ensure_ascii=False)} for row in rows]


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of any columns, as .jsonl or .parquet; a row that lacks a column has null there. Raises: BadInput."""
    with whole_file(path) as unfinished:
        if path.suffix == ".parquet":
            import pyarrow  # only here: .jsonl needs nothing
            from pyarrow import parquet

            columns = list(dict.fromkeys(column for row in rows for column in row))
            texts = {column: [row.get(column) for row in rows] for column in columns}
            try:
                parquet.write_table(pyarrow.Table.from_pydict(texts), unfinished)
            except pyarrow.ArrowException as error:
                given = f"a column has values of several types, or such as a .parquet file cannot hold ({error})"
                raise BadInput(f"{path}: {given}: give --out FILE.jsonl") from None
        else:
            lines = (json.dumps(row, ensure_ascii=False) for row in rows)
            unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
