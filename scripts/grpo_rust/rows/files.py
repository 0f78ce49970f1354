"""The rows of a .jsonl, .jsonl.gz, .json or .parquet file, as dictionaries."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grpo.errors import BadInput
from grpo_rust.rows.well_formed import well_formed

__all__ = ["FORMATS", "read_row_file"]

FORMATS = "a .jsonl, .jsonl.gz, .json or .parquet file"
BATCH = 1024  # rows of a .parquet file in memory at once: some hold many completions
UNREADABLE = (OSError, ValueError, EOFError, zlib.error, RecursionError)


def read_row_file(path: Path, *, name: str = "", formats: str = FORMATS) -> Iterator[dict[str, Any]]:
    """The rows of a file, with all of their columns and without lone surrogates.

    A byte order mark and lines without text are passed over. Lines end at a line feed alone: other separators, such as
    U+2028, may stand within a JSON string.

    Args:
        path: Of the file; its ending says what it is.
        name: What an error calls it; "" for the path.
        formats: What an error says to give.
    Raises: BadInput, for a file that cannot be read, or does not hold one object a row.
    """
    name = name or str(path)
    try:
        rows = _of_parquet(path) if path.suffix == ".parquet" else _of_json(path)
        for row in rows:
            if not isinstance(row, dict):
                raise BadInput(f"{name!r} does not hold one object a row: give {formats}")
            yield row
    except UNREADABLE as error:
        raise BadInput(f"{name!r} cannot be read ({error}): give {formats}") from None


def _of_json(path: Path) -> list[Any]:
    """The values of a file of JSON. Raises: One of UNREADABLE."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    if path.suffix == ".json" and text.lstrip().startswith("["):  # else one object a line, as training takes it too
        found: list[Any] = well_formed(json.loads(text))
        return found
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(well_formed(json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number}: {error}") from None
    return rows


def _of_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a .parquet file. Raises: One of UNREADABLE."""
    import pyarrow  # only here: the other formats need nothing
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as stored:
            for batch in stored.iter_batches(batch_size=BATCH):
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from None
