"""The contract of `prompt_counts`: rows are counted without being read, and unusable files are refused by name."""

from __future__ import annotations

import pytest

from grpo.schema import ConfigError
from grpo_rust.prompt_counts import count_prompts


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.jsonl", b'{"p": 1}\n\n{"p": 2}', 2),
        ("a.jsonl", b"\xff\xfe\n", 1),  # counted, not read
        ("a.json", b'[{"p": 1}, {"p": 2}, {"p": 3}]', 3),
        ("a.json", b'{"p": 1}\n{"p": 2}\n', 2),
    ],
)
def test_prompts_are_counted_without_being_read(tmp_path, name, content, count):
    (tmp_path / name).write_bytes(content)
    assert count_prompts(str(tmp_path / name), key="data.train") == count


def test_parquet_is_counted_by_its_footer(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"rust_prompt": ["a", "b", "c"]}), tmp_path / "a.parquet")
    assert count_prompts(str(tmp_path / "a.parquet"), key="data.train") == 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", None, "No such file"),
        ("a.jsonl", b"", "no rows"),
        ("a.jsonl", b"\n \n", "no rows"),
        ("a.json", b"[]", "no rows"),
        ("a.json", b"[1,", "Expecting value"),
        ("a.parquet", None, "No such file"),
        ("a.parquet", b"PAR1", "Parquet"),
        ("a.csv", b"prompt\nx\n", "ends in '.csv'"),
    ],
)
def test_a_data_file_that_cannot_be_used_is_refused_by_setting_and_name(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"data\.eval = .*{name}.*{reason}"):
        count_prompts(str(tmp_path / name), key="data.eval")
