"""A data set that cannot be used is refused by file and row, and an odd one that can is read as it is."""

from __future__ import annotations

import datetime
import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from grpo.rollout.records import Example
from grpo.rollout.rows import DataError
from grpo_rust.compose.prompts import check_gold
from grpo_rust.compose.signatures import read_examples

LONGEST = 700  # characters of a message


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read(path: Path, *, show: str = "true") -> list[Example]:
    """Read a data set as a recipe does."""
    examples = read_examples(str(path), split="train", system_prompt="Be terse", show=show)
    check_gold(str(path), examples)
    return examples


OK = {"prompt": "Write f"}
USER = {"role": "user", "content": "a"}
DEEP = b'{"prompt": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
NO_TEXT = "row 0 has no text in column 'prompt': give text, or a list of messages"

REFUSED: dict[str, tuple[bytes, str]] = {
    "it is empty": (b"", "is empty"),
    "it holds blank lines alone": (b"\n\n  \n\r\n", "has no rows"),
    "it is cut within its second row": (b'{"prompt": "a"}\n{"prompt": "b', "line 2 is no JSON (Unterminated string"),
    "it is cut within its first row": (b'{"prompt"', "line 1 is no JSON"),
    "its rows are lists": (b"[1, 2]\n[3]\n", "line 1 is a list: give one object a line"),
    "its rows are numbers": (b"3\n4\n", "line 1 is a number"),
    "its rows are texts": (b'"a"\n"b"\n', "line 1 is a text"),
    "its rows are null": (b"null\n", "line 1 is null"),
    "its rows are truth values": (b"true\n", "line 1 is true"),
    "one row of many is no object": (b'{"prompt": "a"}\n[1]\n', "line 2 is a list"),
    "it is one list": (b'[{"prompt": "a"}]\n', "line 1 is a list: give one object a line"),
    "its object spans lines": (json.dumps(OK, indent=2).encode(), "give one object a line"),
    "it is written with single quotes": (b"{'prompt': 'a'}\n", "line 1 is no JSON"),
    "it has a comment": (b'// rows\n{"prompt": "a"}\n', "line 1 is no JSON"),
    "it has a comma too many": (b'{"prompt": "a",}\n', "line 1 is no JSON"),
    "it is a table with commas": (b"prompt,x\na,b\n", "line 1 is no JSON"),
    "it is UTF-16": ('{"prompt": "a"}\n'.encode("utf-16"), "no UTF-8 (invalid start byte): save it as UTF-8"),
    "it is Latin-1": ('{"prompt": "caf\xe9"}\n'.encode("latin-1"), "byte 15 is no UTF-8"),
    "it is compressed": (gzip.compress(lines(OK)), "is no UTF-8"),
    "it holds NUL alone": (b"\0" * 100, "line 1 is no JSON"),
    "a prompt holds a NUL that is not escaped": (b'{"prompt": "a\x00b"}\n', "Invalid control character"),
    "a prompt holds half of a surrogate pair": (b'{"prompt": "a \\ud800 b"}\n', "half of a surrogate pair, '\\ud800'"),
    "a prompt holds a surrogate pair the wrong way round": (b'{"prompt": "\\udc00\\ud800"}\n', "half of a surrogate"),
    "a gold test holds half of a surrogate pair": (b'{"prompt": "a", "rust_test_list": ["\\udfff"]}\n', "half of a"),
    "a column nests a hundred thousand levels": (DEEP, "line 1 nests too deeply"),
    "a number has five thousand digits": (b'{"prompt": "a", "x": ' + b"9" * 5000 + b"}\n", "line 1 is no JSON"),
    "a row has a column twice": (b'{"prompt": "a", "prompt": "b"}\n', "line 1 has the name 'prompt' twice"),
    "there is no column of prompts": (lines({"text": "a"}), "has the columns text; one must be named prompt"),
    "its rows have no columns": (lines({}), "one must be named prompt or rust_prompt"),
    "its second row has no prompt": (lines(OK, {"text": "a"}), "row 1 has no text in column 'prompt'"),
    "a prompt is empty": (lines({"prompt": ""}), NO_TEXT),
    "a prompt is blank": (lines({"prompt": " \n"}), NO_TEXT),
    "a prompt is null": (lines({"prompt": None}), NO_TEXT),
    "a prompt is a number": (lines({"prompt": 3, "signature": "fn f()"}), NO_TEXT),
    "a prompt is an object": (lines({"prompt": {"a": 1}, "signature": "fn f()"}), NO_TEXT),
    "a prompt is a list of texts": (lines({"prompt": ["a", "b"], "signature": "fn f()"}), NO_TEXT),
    "a prompt has no messages": (lines({"prompt": []}), NO_TEXT),
    "a message has no role": (lines({"prompt": [{"content": "a"}]}), NO_TEXT),
    "a message has no content": (lines({"prompt": [{"role": "user"}]}), NO_TEXT),
    "a message has parts as its content": (lines({"prompt": [{"role": "user", "content": [{"text": "a"}]}]}), NO_TEXT),
    "a message has a number as its role": (lines({"prompt": [{"role": 5, "content": "a"}]}), NO_TEXT),
    "a message has a role that nobody has": (
        lines({"prompt": [{"role": "banana", "content": "a"}, USER]}),
        "of the role 'banana' in column 'prompt': give system, developer, user, assistant, tool",
    ),
    "the last message is the assistant's": (
        lines({"prompt": [USER, {"role": "assistant", "content": "b"}]}),
        "the last one must be the user's",
    ),
    "there is a system message alone": (lines({"prompt": [{"role": "system", "content": "a"}]}), "must be the user's"),
    "prompts are texts and numbers": (lines(OK, {"prompt": 3}), "row 1 has no text"),
    "two rows share an id": (lines({**OK, "task_id": "a"}, {**OK, "task_id": "a"}), "share the task_id 'a'"),
    "two rows share an id as number and text": (
        lines({**OK, "task_id": 1}, {**OK, "task_id": "1"}),
        "rows 0 and 1 share the task_id '1'; make them unique",
    ),
    "an id is the number of another row": (lines({**OK, "task_id": "1"}, OK), "share the task_id '1'"),
    "an id is a list": (lines({**OK, "task_id": [1]}), "row 0 has the task_id '[1]': give a text or a number"),
    "gold tests are a text that is no list": (lines({**OK, "rust_test_list": "nonsense"}), "give a list of assert"),
    "gold tests are numbers": (lines({**OK, "rust_test_list": [1, 2]}), "give a list of assert"),
    "gold tests are an object": (lines({**OK, "rust_test_list": {"a": 1}}), "give a list of assert"),
    "a gold module is a number": (lines({**OK, "gold_tests": 3}), "holds no #[test] function"),
    "a gold module has no test": (lines({**OK, "gold_tests": "#[cfg(test)] mod t {"}), "holds no #[test] function"),
    "gold cases have no call": (lines({**OK, "gold_cases": [{"expected": "1"}]}), "give objects with a call"),
    "gold cases are numbers": (lines({**OK, "gold_cases": [1]}), "give objects with a call"),
    "gold cases are JSON that nests deeply": (lines({**OK, "gold_cases": "[" * 100_000}), "give a list of objects"),
}

TAKEN: dict[str, tuple[bytes, Callable[[list[Example]], bool]]] = {
    "it begins with a byte order mark": (b"\xef\xbb\xbf" + lines(OK), lambda found: said(found) == ["Write f"]),
    "its lines end in CRLF": (b'{"prompt": "a"}\r\n\r\n{"prompt": "b"}\r\n', lambda found: said(found) == ["a", "b"]),
    "its last line has no end": (b'{"prompt": "a"}', lambda found: said(found) == ["a"]),
    "a prompt holds a NUL": (lines({"prompt": "a\0b"}), lambda found: said(found) == ["a\0b"]),
    "a prompt holds the line ends of Unicode": (
        '{"prompt": "a\u2028b\x85c"}\n'.encode(),
        lambda found: said(found) == ["a\u2028b\x85c"],
    ),
    "a prompt holds a whole surrogate pair": (
        b'{"prompt": "\\ud83d\\ude00"}\n',
        lambda found: said(found) == ["\U0001f600"],
    ),
    "a prompt has ten megabytes": (lines({"prompt": "a" * 10**7}), lambda found: len(said(found)[0]) == 10**7),
    "prompts are texts and messages": (lines(OK, {"prompt": [USER]}), lambda found: said(found) == ["Write f", "a"]),
    "ids are numbers and texts": (
        lines({**OK, "task_id": 1}, {**OK, "task_id": "a"}, {**OK, "task_id": None}),
        lambda found: [example.id for example in found] == ["1", "a", "2"],
    ),
    "a column has several types": (
        lines({**OK, "x": 3}, {**OK, "x": "a"}, {**OK, "x": {"b": [1]}}, OK),
        lambda found: [example.columns["x"] for example in found] == [3, "a", {"b": [1]}, None],
    ),
    "a number has more than 64 bits": (
        lines({**OK, "x": 1}, {**OK, "x": 2**70}),
        lambda found: found[1].columns["x"] == 2**70,
    ),
    "a column holds NaN and infinity": (
        b'{"prompt": "a", "x": NaN, "y": Infinity}\n',
        lambda found: math.isnan(found[0].columns["x"]) and found[0].columns["y"] == math.inf,
    ),
    "a text looks like a date": (
        lines({**OK, "x": "2026-01-01"}),
        lambda found: found[0].columns["x"] == "2026-01-01",
    ),
    "a signature and its types are numbers": (
        lines({**OK, "signature": 3, "types": 4}),
        lambda found: "`3`" in said(found)[0],
    ),
    "a gold test nests ten thousand brackets": (
        lines({**OK, "rust_test_list": [f"assert_eq!(f(1), {'(' * 10_000}1{')' * 10_000});"]}),
        lambda found: len(found) == 1,
    ),
}

TABLES: dict[str, tuple[Any, str]] = {
    "it has other columns": (pyarrow.table({"text": ["a"]}), "has the columns text"),
    "it has no rows": (pyarrow.table({"prompt": pyarrow.array([], pyarrow.string())}), "has no rows"),
    "it has no columns": (pyarrow.table({}), "has no rows"),
    "it has a column twice": (pyarrow.table([["a"], ["b"]], names=["prompt", "prompt"]), "columns all have names"),
    "its prompts are bytes": (pyarrow.table({"prompt": [b"\xff\xfe"]}), NO_TEXT),
    "its prompts are numbers": (pyarrow.table({"prompt": [1, 2]}), NO_TEXT),
    "its prompts are null": (pyarrow.table({"prompt": pyarrow.nulls(1)}), NO_TEXT),
    "its prompts are objects": (pyarrow.table({"prompt": [USER]}), NO_TEXT),
    "its ids are NaN": (pyarrow.table({"prompt": ["a", "b"], "task_id": [math.nan] * 2}), "share the task_id 'nan'"),
    "its gold tests are bytes": (pyarrow.table({"prompt": ["a"], "rust_test_list": [b"x"]}), "give a list of assert"),
}


def said(examples: list[Example]) -> list[str]:
    return [example.messages[-1]["content"] for example in examples]


def refused(path: Path) -> str:
    """What is said of a file, by its name and on few lines."""
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert path.name in message and len(message) < LONGEST and "\n" not in message
    return message


@pytest.mark.parametrize("name", REFUSED)
def test_a_data_set_is_refused_when(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED[name]
    (tmp_path / "mine.jsonl").write_bytes(content)
    assert reason in refused(tmp_path / "mine.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.jsonl"]


@pytest.mark.parametrize("name", TAKEN)
def test_a_data_set_is_taken_as_it_is_when(name: str, tmp_path: Path) -> None:
    content, holds = TAKEN[name]
    (tmp_path / "mine.jsonl").write_bytes(content)
    assert holds(read(tmp_path / "mine.jsonl"))


@pytest.mark.parametrize("name", TABLES)
def test_a_parquet_file_is_refused_when(name: str, tmp_path: Path) -> None:
    table, reason = TABLES[name]
    parquet.write_table(table, tmp_path / "mine.parquet")
    assert reason in refused(tmp_path / "mine.parquet")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-20],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:4],
        lambda whole: whole[:-4] + b"XXXX",
        lambda whole: whole[:10] + b"\xff" * 20 + whole[30:],
        lambda whole: b"\0" * 200,
        lambda whole: lines(OK),
    ],
    ids=["its footer is cut", "its half is missing", "four bytes are left", "its magic is wrong", "it is overwritten",
         "it is NUL", "it is jsonl"],
)  # fmt: skip
def test_a_parquet_file_is_refused_when_it_is_damaged(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    parquet.write_table(pyarrow.table({"prompt": ["a", "b"]}), path)
    path.write_bytes(damage(path.read_bytes()))
    assert "give a whole Parquet file" in refused(path)


def test_values_of_parquet_that_json_does_not_have_are_passed_on(tmp_path: Path) -> None:
    day = datetime.date(2026, 11, 27)
    parquet.write_table(pyarrow.table({"prompt": ["a"], "day": [day], "x": [math.nan]}), tmp_path / "mine.parquet")
    (example,) = read(tmp_path / "mine.parquet")
    assert example.columns["day"] == day and math.isnan(example.columns["x"])


def test_parquet_under_the_name_of_jsonl_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"prompt": ["a"]}), tmp_path / "mine.jsonl")
    assert "is no UTF-8" in refused(tmp_path / "mine.jsonl")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "names no file"),
        ("none.jsonl", "no file none.jsonl: give a .jsonl or .parquet path, or hf:NAME"),
        (".", "is a directory"),
        ("a\0b.jsonl", "no file a\0b.jsonl"),
        ("a" * 5000 + ".jsonl", "File name too long"),
        ("/dev/null", "no file /dev/null"),
        (__file__, "ends in '.py'; prompts are read from .jsonl"),
        ("hf:", "hf: names no data set"),
        ("hf:no/such-data-set", "Check the name, its split and the network"),
        ("hf:a b", "Check the name, its split and the network"),
    ],
)
def test_a_source_that_is_not_there_is_refused(
    source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("huggingface_hub.constants.HF_HUB_OFFLINE", "datasets.config.HF_HUB_OFFLINE"):
        monkeypatch.setattr(name, True)
    with pytest.raises(DataError) as caught:
        read_examples(source, split="train", system_prompt="", show="as_written")
    assert reason in str(caught.value) and len(str(caught.value)) < LONGEST and not list(tmp_path.iterdir())


def test_a_json_file_holds_one_list_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    for content in (json.dumps([OK, OK], indent=1).encode(), lines(OK, OK)):
        path.write_bytes(content)
        assert said(read(path)) == ["Write f"] * 2
    path.write_bytes(b'[{"prompt": "a"}, 3]')
    assert "row 1 is a number: give a list of objects" in refused(path)
    path.write_bytes(b'[{"prompt": "a"}')
    assert "it is no JSON" in refused(path)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"prompt": text}).encode()))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    try:
        assert all(example.messages for example in read(path))
    except DataError as error:
        assert "any.jsonl" in str(error)
