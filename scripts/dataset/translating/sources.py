"""Reads rows of Python data sets as tasks. A row's columns say of which data set it is.

MBPP        text, code, test_list, and perhaps test_setup_code, challenge_test_list
HumanEval   prompt, canonical_solution, test, entry_point
AceCode     question, test_cases
any         prompt (or text, question), test_list, and perhaps code
"""

from __future__ import annotations

import ast
import gzip
import inspect
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpo.errors import BadInput

__all__ = ["BadRow", "PythonTask", "read_rows", "read_task"]

COLUMNS_READ = (  # of a .parquet file; data sets have others, such as completions of models, that are large
    *("task_id", "id", "text", "prompt", "question", "code", "canonical_solution", "test", "entry_point"),
    *("test_list", "test_cases", "test_setup_code", "test_imports", "challenge_test_list"),
)
FORMATS = "a .jsonl, .jsonl.gz, .json or .parquet file, or hf:NAME"


@dataclass(frozen=True)
class PythonTask:
    """A task in Python with its tests."""

    task_id: str
    source: str  # the data set: "mbpp", "humaneval", "acecode" or "other"
    text: str  # what is asked for, in English
    tests: tuple[str, ...] = ()  # assert statements
    reference: str = ""  # Python that defines the function; "" where there is none
    setup: str = ""  # Python that runs before the tests
    check: str = ""  # Python that defines check(candidate), in place of `tests`
    name: str = ""  # of the function; "" to take it from the tests


class BadRow(ValueError):
    """A row lacks what a task needs; the text says what, in words that can be counted."""


def read_rows(
    source: str, split: str = "train", *, columns: Collection[str] | None = COLUMNS_READ
) -> Iterator[Mapping[str, Any]]:
    """The rows of a file or of a data set of the hub.

    Args:
        source: A path, or `hf:NAME`.
        split: Of a data set of the hub.
        columns: Those to read of a .parquet file; None: all.

    Raises: BadInput, where there are none to be read.
    """
    if source.startswith("hf:"):
        yield from _of_hub(source.removeprefix("hf:"), split)
        return
    path = Path(source)
    try:
        if path.suffix == ".parquet":
            from pyarrow import parquet  # only here: the other formats need nothing

            stored = parquet.ParquetFile(path)
            known = [name for name in stored.schema_arrow.names if columns is None or name in columns]
            for batch in stored.iter_batches(columns=known):
                yield from batch.to_pylist()
            return
        opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
        with opened as file:
            text = file.read()
        rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]
    except (OSError, ValueError) as error:
        raise BadInput(f"{source!r} cannot be read ({error}): give {FORMATS}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput(f"{source!r} does not hold one object a row: give {FORMATS}")
    yield from rows


def _of_hub(name: str, split: str) -> Iterator[Mapping[str, Any]]:
    try:
        from datasets import load_dataset

        yield from load_dataset(name, split=split)
    except ImportError:
        raise BadInput("hf:NAME needs the package datasets: pip install -e '.[train]'") from None
    except Exception as error:  # the hub's client raises errors of many packages
        raise BadInput(f"hf:{name}, split {split}, cannot be loaded ({type(error).__name__}: {error})") from error


def read_task(row: Mapping[str, Any], number: int) -> PythonTask:
    """A row as a task.

    Args:
        row: Its columns.
        number: Of the row, for one without a name.
    Raises: BadRow.
    """
    name = str(row.get("task_id", row.get("id", number)))
    if {"prompt", "canonical_solution", "test", "entry_point"} <= row.keys():
        return _human_eval(row, name)
    tests = _tests(row, "test_cases") or _tests(row, "test_list")
    text = next((str(row[column]) for column in ("text", "prompt", "question") if row.get(column)), "")
    if not text or not tests:
        raise BadRow("the row has no text and asserts")
    if "test_cases" in row:
        return PythonTask(f"acecode-{name}", "acecode", text, tests)
    source = "mbpp" if {"text", "code", "test_list"} <= row.keys() or "challenge_test_list" in row else "other"
    task_id = f"{source}-{name}" if source == "mbpp" else name
    setup = "\n".join(str(part) for part in [row.get("test_setup_code") or "", *(row.get("test_imports") or [])])
    challenges = _tests(row, "challenge_test_list")
    return PythonTask(task_id, source, text, (*tests, *challenges), _lines(str(row.get("code") or "")), setup)


def _human_eval(row: Mapping[str, Any], name: str) -> PythonTask:
    reference = f"{row['prompt']}{row['canonical_solution']}"
    text = _docstring(reference, str(row["entry_point"]))
    if any(re.search(rf"\b{re.escape(one)}\b", text) for one in _helpers(str(row["prompt"]), str(row["entry_point"]))):
        raise BadRow("the text is about another function in Python")
    number = name.removeprefix("HumanEval/")
    return PythonTask(
        f"humaneval-{number}", "humaneval", text, (), reference, "", str(row["test"]), str(row["entry_point"])
    )


def _helpers(prompt: str, name: str) -> list[str]:
    """The functions that a prompt defines besides the one that is asked for."""
    return [found for found in re.findall(r"^def (\w+)", prompt, re.MULTILINE) if found != name]


def _docstring(reference: str, name: str) -> str:
    """What the prompt of HumanEval asks for. Raises: BadRow."""
    try:
        found = [node for node in ast.parse(reference).body if isinstance(node, ast.FunctionDef) and node.name == name]
    except SyntaxError:
        raise BadRow("the reference is no Python") from None
    texts = [
        node.value.value
        for node in (found[-1].body if found else ())
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]  # one task imports a module before its docstring
    if not texts or not texts[0].strip():
        raise BadRow("the row has no text and asserts")
    return inspect.cleandoc(texts[0])


def _tests(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """A list of asserts, also as JSON text."""
    given = row.get(column)
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise BadRow(f"the column {column} is no list of asserts") from None
    if given is None:
        return ()
    if not isinstance(given, Sequence) or not all(isinstance(test, str) for test in given):
        raise BadRow(f"the column {column} is no list of asserts")
    return tuple(given)


def _lines(text: str) -> str:
    """Line ends as Python wants them in a string, tabs as spaces."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
