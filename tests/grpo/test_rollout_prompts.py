"""Prompts load from jsonl and parquet, the published file as it is; what cannot be used is refused by file and row."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest

from grpo.rollout.prompts import PromptStream, encode_prompts, load_examples
from grpo.rollout.records import Example
from grpo.rollout.rows import DataError
from grpo_rust.compose.signatures import PROMPT_COLUMNS


def jsonl(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_row_becomes_an_example_with_its_other_columns(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"task_id": "t1", "prompt": "Write é", "gold_tests": "mod x {}", "level": 3})
    (example,) = load_examples(source, split="train", system_prompt="Be terse")
    assert example.id == "t1"
    assert example.messages == ({"role": "system", "content": "Be terse"}, {"role": "user", "content": "Write é"})
    assert example.columns == {"gold_tests": "mod x {}", "level": 3}


def test_the_published_parquet_loads_as_it_is(tmp_path: Path) -> None:
    rows = {
        "task_id": ["oss_1", "oss_2"],
        "rust_prompt": ["Write a function", "Write another"],
        "rust_code": ["fn a() {}", "fn b() {}"],
        "rust_test_list": [["assert_eq!(a(), ());"], ["assert!(true);", "assert!(b() == ());"]],
    }
    path = tmp_path / "cargo_test_passed_train.parquet"
    datasets.Dataset.from_dict(rows).to_parquet(path)
    first, second = load_examples(str(path), split="train", prompt_columns=PROMPT_COLUMNS)
    assert (first.id, first.messages[0]["content"]) == ("oss_1", "Write a function")
    assert second.columns == {"rust_code": "fn b() {}", "rust_test_list": ["assert!(true);", "assert!(b() == ());"]}


def test_rows_without_a_task_id_are_named_by_their_number(tmp_path: Path) -> None:
    examples = load_examples(jsonl(tmp_path / "a.jsonl", {"prompt": "x"}, {"prompt": "y"}), split="train")
    assert [example.id for example in examples] == ["0", "1"]


def test_a_prompt_may_be_a_chat(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    (example,) = load_examples(jsonl(tmp_path / "a.jsonl", {"prompt": chat}), split="train")
    assert [message["content"] for message in example.messages] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b'{"text": "x"}\n', "columns text; one must be named prompt"),
        (b'{"prompt": "x"}\n{"prompt": "  "}\n', "row 1 has no text"),
        (b'{"prompt": null}\n', "row 0 has no text"),
        (b'{"prompt": ["a", "b"]}\n', "row 0 has no text .*each with a role"),
        (b'{"prompt": [{"content": "x"}]}\n', "row 0 has no text .*each with a role"),
        (b'{"prompt": [{"role": 5, "content": "x"}]}\n', "row 0 has no text .*each with a role"),
        (b'{"prompt": "x", "task_id": 1}\n{"prompt": "y", "task_id": 1}\n', "rows 0 and 1 share the task_id '1'"),
        (b'{"prompt": "x"\n', "cannot read prompts"),
        (b'{"prompt": "\xff\xfe"}\n', "cannot read prompts"),
    ],
    ids=[
        "empty file",
        "no prompt column",
        "blank prompt",
        "null prompt",
        "list of text",
        "no role",
        "odd role",
        "twin ids",
        "torn json",
        "invalid utf-8",
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_examples(str(path), split="train")
    assert "bad.jsonl" in str(caught.value)


def test_missing_files_and_unknown_kinds_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hf: names no data set"):
        load_examples("hf:", split="train")
    with pytest.raises(DataError, match="no file .*hf:NAME"):
        load_examples(str(tmp_path / "none.jsonl"), split="train")
    (tmp_path / "a.csv").write_text("prompt\nx\n")
    with pytest.raises(DataError, match="'.csv'; prompts are read from .jsonl"):
        load_examples(str(tmp_path / "a.csv"), split="train")


def examples(count: int) -> list[Example]:
    return [Example(str(i), ({"role": "user", "content": "x" * (i + 1)},)) for i in range(count)]


def encode(messages: object) -> tuple[int, ...]:
    return tuple(range(len(messages[0]["content"])))  # type: ignore[index]


def test_long_prompts_are_an_error_or_left_out() -> None:
    with pytest.raises(DataError, match=r"2 of 5 prompts are longer .* 3 \(the longest, 4, has 5\).*skip"):
        encode_prompts(examples(5), encode, max_tokens=3, long_prompts="error")
    kept = encode_prompts(examples(5), encode, max_tokens=3, long_prompts="skip")
    assert [(example.id, example.prompt_ids) for example in kept] == [("0", (0,)), ("1", (0, 1)), ("2", (0, 1, 2))]
    with pytest.raises(DataError, match="5 of 5"):
        encode_prompts(examples(5), encode, max_tokens=0, long_prompts="skip")


def test_a_prompt_has_testers_where_it_fits_with_the_beginning_of_their_answers() -> None:
    asked = [replace(example, tester_start="fn") for example in examples(3)] + examples(1)
    kept = encode_prompts(asked, encode, max_tokens=3, long_prompts="skip", encode_answer=lambda text: (8,) * len(text))
    assert [example.tester_ids for example in kept] == [(0, 8, 8), (), (), ()], "the second would have four tokens"


def test_every_epoch_holds_every_example_once_in_another_order() -> None:
    stream = PromptStream(examples(20), seed=0)
    first, second = ([example.id for example in stream.take(20)] for _ in range(2))
    assert sorted(first) == sorted(second) and first != second


def test_the_order_is_a_function_of_seed_and_position() -> None:
    whole = PromptStream(examples(7), seed=1).take(30)
    resumed = PromptStream(examples(7), seed=1, position=11)
    assert resumed.take(5) + resumed.take(14) == whole[11:]
    assert PromptStream(examples(7), seed=2).take(30) != whole


def test_a_prompt_is_drawn_with_the_lowest_chance_that_it_has_and_every_other_one_always() -> None:
    stream = PromptStream(examples(40), seed=3, zero_std_resample_prob=0.5, solved_resample_prob=0.2)
    stream.zero_std, stream.solved = {*map(str, range(20))}, {*map(str, range(10, 30))}
    drawn = [example.id for example in stream.take(8000)]
    epochs, per_id = stream.position / 40, Counter(map(int, drawn))

    def rate(first: int) -> float:
        return sum(per_id[name] for name in range(first, first + 10)) / 10 / epochs

    assert (rate(0), rate(10), rate(20)) == pytest.approx((0.5, 0.2, 0.2), abs=0.03), "of 3000 turns: 3 deviations"
    assert {per_id[name] for name in range(30, 40)} <= {int(epochs), int(epochs) + 1}


def test_going_on_with_the_place_and_what_is_known_draws_the_same() -> None:
    options: dict[str, Any] = {"seed": 1, "zero_std_resample_prob": 0.4, "solved_resample_prob": 0.1}
    whole, resumed = PromptStream(examples(9), **options), PromptStream(examples(9), **options)
    whole.take(5)
    whole.solved, whole.zero_std = {"0", "1", "2", "3"}, {"3", "4"}
    resumed.position, resumed.solved, resumed.zero_std = whole.position, set(whole.solved), set(whole.zero_std)
    expected = whole.take(30)
    assert resumed.take(30) == expected != PromptStream(examples(9), seed=1, position=5).take(30)


def test_a_batch_may_span_epochs() -> None:
    stream = PromptStream(examples(3), seed=0)
    assert len(stream.take(8)) == 8 and stream.position == 8


def test_a_stream_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="no prompts"):
        PromptStream([], seed=0)
