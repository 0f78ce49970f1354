"""Reads the rows of a data set: .jsonl, .json and .parquet files, also in Oxen repositories, and data sets of the hub.

Promises rows that all have the same columns (None where a row lacks one), the values as they were written, and one kind
of error, which names file and line. Text is UTF-8, with or without a byte order mark; lines end in LF or CRLF; blank
lines are skipped. A .json file holds one list of objects, or what a .jsonl file holds. A row with half of a surrogate
pair, which no tokenizer takes, or with one name twice is refused. Left out: what the columns mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grpo.errors import BadInput
from grpo.rollout.oxen_source import oxen_file

__all__ = ["SUFFIXES", "DataError", "read_rows"]

SUFFIXES = (".jsonl", ".json", ".parquet")
FORMATS = "give a .jsonl or .parquet path, or hf:NAME for a data set of the hub, or oxen:REPOSITORY/FILE"
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # how JSON writes one; two that belong together are a character
SHOWN = 60  # characters of a line in a message


class DataError(BadInput):
    """The prompts cannot be used; says which file, which row, and what to do."""


class _BadLine(ValueError):
    """What is wrong with a line, in words."""


def read_rows(source: str, split: str) -> list[dict[str, Any]]:
    """The rows of a source, at least one; all have the same columns.

    Args:
        source: A .jsonl, .json or .parquet path, `hf:NAME`, or `oxen:REPOSITORY/FILE`.
        split: The split of a hub data set.
    Raises:
        DataError: For a source that is missing, unreadable, or holds no rows.
    """
    if source.startswith("hf:"):
        rows = _of_hub(source, split)
    elif source.startswith("oxen:"):
        rows = _of_oxen(source)
    else:
        rows = _of_file(source)
    if not rows:
        raise DataError(f"{source} has no rows: training needs at least one prompt")
    columns = dict.fromkeys(name for row in rows for name in row)
    return (
        rows if all(len(row) == len(columns) for row in rows) else [{**dict.fromkeys(columns), **row} for row in rows]
    )


def _of_oxen(source: str) -> list[dict[str, Any]]:
    """The rows of a file in an Oxen repository. Raises: DataError; BadInput as `oxen_file` does."""
    with oxen_file(source) as path:
        try:
            return _of_file(str(path))
        except DataError as error:
            raise DataError(str(error).replace(str(path), source)) from error


def _of_file(source: str) -> list[dict[str, Any]]:
    """The rows of a file. Raises: DataError."""
    path = _file(source)
    return _of_parquet(path) if path.suffix == ".parquet" else list(_of_json(path))


def _file(source: str) -> Path:
    """The file of a source. Raises: DataError where there is none that can be read."""
    path = Path(source)
    if not source.strip():
        raise DataError(f"{source!r} names no file: {FORMATS}")
    try:
        is_file, is_directory = path.is_file(), path.is_dir()
        size = path.stat().st_size if is_file else 0
    except (OSError, ValueError) as error:  # a name that is too long, or holds a NUL
        raise DataError(f"{source[:SHOWN]!r} is no path ({getattr(error, 'strerror', error)}): {FORMATS}") from error
    if is_directory:
        raise DataError(f"{source} is a directory: give one of its files that ends in {', '.join(SUFFIXES)}")
    if not is_file:
        raise DataError(f"no file {source}: {FORMATS}")
    if path.suffix not in SUFFIXES:
        raise DataError(f"{source} ends in {path.suffix!r}; prompts are read from {', '.join(SUFFIXES)}")
    if not size:
        raise DataError(f"{source} is empty: training needs at least one prompt")
    return path


def _of_json(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a .jsonl or .json file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read prompts from {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"cannot read prompts from {path}: byte {error.start:,} is no UTF-8 ({error.reason}): save it as UTF-8"
        ) from error
    if path.suffix == ".json" and text.lstrip().startswith("["):
        yield from _of_list(path, text)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r"):
            try:
                row = _parsed(line)
                if not isinstance(row, dict):
                    raise _BadLine(f"is {_kind(row)}: give one object a line, such as " + '{"prompt": "..."}')
            except _BadLine as error:
                shown = ascii(line[:SHOWN]) + ("..." if len(line) > SHOWN else "")
                raise DataError(f"cannot read prompts from {path}: line {number} {error}; it is {shown}") from error
            yield row


def _of_list(path: Path, text: str) -> list[dict[str, Any]]:
    """The rows of a file that holds one list of objects."""
    try:
        rows = _parsed(text)
    except _BadLine as error:
        raise DataError(f"cannot read prompts from {path}: it {error}") from error
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(f"cannot read prompts from {path}: row {index} is {_kind(row)}: give a list of objects")
    found: list[dict[str, Any]] = rows
    return found


def _parsed(text: str) -> Any:
    """A text as JSON. Raises: _BadLine."""
    try:
        value = json.loads(text, object_pairs_hook=_object)
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except _BadLine:
        raise
    except UnicodeEncodeError as error:
        raise _BadLine(
            f"holds half of a surrogate pair, {error.object[error.start]!a}: write the whole character"
        ) from error
    except RecursionError as error:
        raise _BadLine("nests too deeply: a column holds text, a number, or a list or object of such") from error
    except ValueError as error:  # JSONDecodeError, and integers of thousands of digits
        raise _BadLine(f"is no JSON ({error}): give one object a line") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON whose names differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _BadLine(f"has the name {twice[:SHOWN]!a} twice: keep one of them")
    return made


def _kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "a number"


def _of_parquet(path: Path) -> list[dict[str, Any]]:
    """The rows of a .parquet file."""
    from pyarrow import ArrowException, parquet  # here, because it takes a moment to load and .jsonl does not need it

    try:
        rows: list[dict[str, Any]] = parquet.read_table(path, partitioning=None).to_pylist()
    except (OSError, ValueError, OverflowError, ArrowException) as error:  # the last two: values that Python has not
        raise DataError(
            f"cannot read prompts from {path}: {_one_line(error)}: give a whole Parquet file, whose columns all have "
            "names of their own; get this one again if it was copied or downloaded"
        ) from error
    return rows


def _one_line(error: BaseException) -> str:
    """What an error of a package says, on one line of at most 300 characters."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def _of_hub(source: str, split: str) -> list[dict[str, Any]]:
    """The rows of a data set of the hub."""
    name = source.removeprefix("hf:")
    if not name.strip():
        raise DataError("hf: names no data set: give hf:NAME, or a .jsonl or .parquet path")
    import datasets  # here, because it takes a second to load and files do not need it

    datasets.disable_progress_bars()
    try:
        return list(datasets.load_dataset(name, split=split))
    except Exception as error:  # the boundary to the hub's client, which raises errors of many packages
        raise DataError(
            f"cannot read prompts from {source}, split {split}: {_one_line(error.__cause__ or error)}. "
            "Check the name, its split and the network, or give a .jsonl or .parquet path"
        ) from error
