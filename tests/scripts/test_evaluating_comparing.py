"""Evaluations side by side: intervals, pairs, protocols that are not mixed by accident, published figures, bars."""

from __future__ import annotations

import copy
import json
import math
import re
import statistics
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from eval_model import main
from evaluating.bars import HEIGHT, TOP
from evaluating.comparing import sign_flip_p
from evaluating.intervals import rate_interval, wilson
from evaluating.protocol import protocol_record
from evaluating.references import PUBLISHED_FIGURES
from grpo.evaluate import clustered_mean
from grpo_rust.compose.prompts import read_held_out
from grpo_rust.recipe import load_recipe

CHECKS = ("build", "clippy", "test", "test_strict", "gold")
RECORD: dict[str, Any] = {
    "label": "one",
    "model": "one",
    "protocol": {
        "name": "recipe",
        "settings": {"eval.temperature": 1.0, "guard.mutation": True},
        "prompts": {"source": "here", "count": 4, "sha256": "a"},
    },
    "num_prompts": 4,
    "num_samples": 2,
    "metrics": {},
}
BEFORE = [(0, 0), (0, 1), (1, 1), (0, 0)]  # by prompt whether each completion builds
AFTER = [(1, 0), (1, 1), (1, 1), (0, 1)]
LETTER, MARGIN = 11.0, 6.0  # pixels: the height of the picture's letters, and what is free above them


def wrote(folder: Path, label: str, passes: list[tuple[int, ...]], **changes: Any) -> str:
    """An evaluation's files; returns the name of its completions."""
    record = copy.deepcopy(RECORD) | {"label": label}
    record["protocol"] |= changes
    file = folder / f"{label}.jsonl"
    completions = [
        {"task_id": f"p{prompt}", "checks": dict.fromkeys(CHECKS, float(value)), "num_tokens": 3}
        for prompt, values in enumerate(passes)
        for value in values
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in completions))
    file.with_suffix(".json").write_text(json.dumps(record))
    return str(file)


def test_rates_and_differences_are_those_computed_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [wrote(tmp_path, "before", BEFORE), wrote(tmp_path, "after", AFTER)]
    assert main(["compare", *files]) == 0
    said = capsys.readouterr().out
    differences = [0.5, 0.5, 0.0, 0.5]
    half = 100 * 1.96 * statistics.stdev(differences) / 2
    p = sign_flip_p(differences)
    assert "| before | 4 x 2 | 37.5 % ±" in said and "| after | 4 x 2 | 75.0 % ±" in said
    assert f"| after | +37.5 ± {half:.1f} (p {p:.3f}) |" in said
    assert "not measured" not in said


def test_evaluations_of_one_model_that_differ_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {"prompts": {"source": "here", "count": 4, "sha256": "b"}}
    files = []
    for name, changes in (("first", {}), ("second", changed)):
        (tmp_path / name).mkdir()
        files.append(wrote(tmp_path / name, "tiny", BEFORE, **changes))
    assert main(["compare", *files]) == 2
    assert "first/tiny and second/tiny: prompts" in capsys.readouterr().err


def test_the_paired_test_gives_the_share_of_signs_that_reach_as_far() -> None:
    """Of the eight signs of three equal differences two reach as far as they do."""
    assert sign_flip_p([0.5, 0.5, 0.0, 0.5]) == pytest.approx(2 / 8, abs=0.02)
    assert sign_flip_p([0.5, -0.5]) == 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"settings": {"eval.temperature": 0.2, "guard.mutation": True}}, "eval.temperature: 1.0 and 0.2"),
        ({"prompts": {"source": "here", "count": 4, "sha256": "b"}}, "prompts: 4 that are not the same"),
    ],
)
def test_protocols_are_mixed_only_when_told_and_then_what_differs_is_said(
    changes: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [wrote(tmp_path, "before", BEFORE), wrote(tmp_path, "after", AFTER, **changes)]
    assert main(["compare", *files]) == 2
    assert f"before and after: {said}" in capsys.readouterr().err
    assert main(["compare", *files, "--mixed"]) == 0
    page = capsys.readouterr().out
    assert f"**Not measured alike**: before and after: {said}." in page
    assert ("other prompts" in page.partition("Difference")[2].partition("±")[0]) is ("prompts" in changes)


def test_published_figures_stand_beside_those_of_their_protocol_and_say_what_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = {"name": "published", "settings": {"guard.mutation": False}}
    assert main(["compare", wrote(tmp_path, "mine", BEFORE, **published)]) == 0
    said = capsys.readouterr().out
    row = (
        "| Qwen2.5-Coder-1.5B-Instruct, after (published, not measured) |  | 80.8 % (404 of 500) | 80.2 % (401 of 500)"
    )
    assert f"{row} | 37 % (185 of 500) |  |" in said
    assert "| GPT-4.5 (published, not measured) |  | 98 % |  | 87 % |  |" in said
    assert "strict" not in said  # nobody examined it
    assert main(["compare", wrote(tmp_path, "recipe", BEFORE)]) == 2
    assert "alone" in capsys.readouterr().err


def test_the_picture_has_a_bar_a_rate_and_shows_what_was_only_published_as_an_outline(tmp_path: Path) -> None:
    files = [wrote(tmp_path, name, BEFORE, name="published") for name in ("a<b", "c")]
    page = tmp_path / "new" / "page.md"
    assert main(["compare", *files, "--out", str(page)]) == 0
    assert "(page.svg)" in page.read_text().splitlines()[0]
    svg = page.with_suffix(".svg").read_text()
    root = ElementTree.fromstring(svg)
    kinds = [rect.get("class", "") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    rates = sum(len(reference.rates) for reference in PUBLISHED_FIGURES)
    published = [kind for kind in kinds if kind.startswith("published")]
    assert len(published) == rates + len(PUBLISHED_FIGURES)  # and their names
    assert kinds.count("c0") == kinds.count("c1") == len(CHECKS) + 1
    assert "prefers-color-scheme:dark" in svg and "<script" not in svg
    tops = [float(top) for top in re.findall(r'class="c0" x="[\d.]+" y="([\d.]+)" width="19" height', svg)]
    assert tops == pytest.approx([TOP + HEIGHT * (1 - 3 / 8)] * len(CHECKS), abs=0.1)


def test_a_rate_of_0_or_100_percent_has_an_interval_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six prompts that all pass: Wilson's lower end is 6 / (6 + 1.96^2)."""
    files = [wrote(tmp_path, "all", [(1, 1)] * 6), wrote(tmp_path, "none", [(0, 0)] * 6)]
    assert main(["compare", *files, "--out", str(tmp_path / "page.md")]) == 0
    said = capsys.readouterr().out
    least = 100 * 6 / (6 + 1.96**2)
    assert f"| all | 4 x 2 | 100.0 % (≥ {least:.1f}) |" in said
    assert f"| none | 4 x 2 | 0.0 % (≤ {100 - least:.1f}) |" in said
    assert "Wilson" in said and "± 0.0" not in said and "−100.0 (p " in said
    svg = (tmp_path / "page.svg").read_text()
    whiskers = re.findall(r'class="whisker" d="M[\d.]+ ([\d.]+)V([\d.]+)"', svg)
    low = f"{TOP + HEIGHT * (1 - least / 100):.1f}"
    assert (f"{TOP:.1f}", low) in whiskers and len(whiskers) == 2 * len(CHECKS)
    labels = [float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="middle">100<', svg)]
    assert labels and min(labels) - LETTER >= MARGIN


def test_prompts_of_one_rate_say_nothing_about_others() -> None:
    """Half of each prompt's completions pass: without a spread the interval is that of six observations."""
    rate, half_width = rate_interval([[0.0, 1.0]] * 6)
    low, high = wilson(0.5, 6)
    assert (rate, half_width) == (0.5, pytest.approx(0.5 - low)) and high - 0.5 == pytest.approx(0.5 - low)
    assert rate_interval([[0.0], [1.0]]) == clustered_mean([[0.0], [1.0]])
    assert rate_interval([[1.0], []])[1] == pytest.approx(1.96**2 / (1 + 1.96**2))
    assert math.isnan(rate_interval([[], []])[0]) and math.isnan(rate_interval([[0.0, 1.0]])[1])


def test_evaluations_of_one_model_in_one_folder_are_called_by_their_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [Path(wrote(tmp_path, name, BEFORE)) for name in ("m", "again", "third")]
    for file in files[1:]:
        file.with_suffix(".json").write_text(json.dumps(RECORD | {"label": "m"}))
    assert main(["compare", *map(str, files)]) == 0
    said = capsys.readouterr().out
    assert "| m | 4 x 2" in said and "| again | 4 x 2" in said and "| third | 4 x 2" in said


@pytest.mark.parametrize(
    ("lines", "record", "said"),
    [
        ("", {}, "holds no completions"),
        ('{"task_id": "a", "checks": {}}\n{"task_id": "a", "che', {}, "line 2"),
        ('{"task_id": "a", "checks": 5}\n', {}, "line 1 lacks a task_id or checks"),
        ('{"checks": {"build": 1}}\n', {}, "line 1 lacks a task_id or checks"),
        ('{"task_id": "a", "checks": {"build": "yes"}}\n', {}, "line 1 lacks a task_id or checks"),
        (None, [1], "it is no object"),
        (None, {"metrics": 5}, "lacks a label or metrics"),
        (None, {"label": None}, "lacks a label or metrics"),
        (None, {"protocol": {"name": "recipe"}}, "lacks settings or prompts"),
        (None, {"protocol": 5}, "lacks a protocol"),
        (None, {"num_prompts": "4"}, "lacks the number of prompts"),
    ],
)
def test_files_that_are_no_evaluation_are_refused_without_a_traceback(
    lines: str | None, record: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = wrote(tmp_path, "good", BEFORE), Path(wrote(tmp_path, "bad", BEFORE))
    if lines is not None:
        bad.write_text(lines)
    changed = {**RECORD, **record} if isinstance(record, dict) else record
    bad.with_suffix(".json").write_text(json.dumps(changed))
    assert main(["compare", good, str(bad)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.jsonl"], "eval_model.py writes it"),
        (["{file}", "--out", "page.html"], "ends in .md"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_what_to_do(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = wrote(tmp_path, "a", BEFORE)
    assert main(["compare", *(word.format(file=file) for word in words)]) == 2
    assert message in capsys.readouterr().err


def test_gold_tests_that_do_not_apply_are_no_failures_and_leave_their_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [wrote(tmp_path, "before", BEFORE), wrote(tmp_path, "after", AFTER)]
    for file, inapplicable in zip(files, (0, 2), strict=True):
        lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
        for number, line in enumerate(lines):
            applies = number >= inapplicable  # of the first prompt none
            line["checks"] |= {"gold_applicable": float(applies)} | ({} if applies else {"gold": None})
        Path(file).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["compare", *files]) == 0
    said = capsys.readouterr().out
    after = next(line for line in said.splitlines() if line.startswith("| after | 4 x 2 |"))
    assert "83.3 %" in after, "5 of the 6 completions that they apply to"
    assert "75.0 %" in after.rpartition("|")[0].rpartition("|")[2] and "gold tests apply" in said
    gold = next(line for line in said.splitlines() if line.startswith("| after | +")).split("|")[6]
    differences = [0.5, 0.0, 0.5]
    assert f"+33.3 ± {100 * 1.96 * statistics.stdev(differences) / 3**0.5:.1f}" in gold
    assert "differences are of prompts with such completions on both sides" in said


SIGNATURE = "fn add(a: i32, b: i32) -> i32"
TASKS = [
    {"task_id": "a", "prompt": "Add.", "signature": SIGNATURE, "gold_cases": [{"call": "add(1, 2)", "expected": "3"}]},
    {"task_id": "b", "prompt": "Write anything.", "signature": "", "gold_cases": None},
]


def written_record(folder: Path, label: str, show: str, tasks: list[dict[str, Any]], *settings: str) -> str:
    """An evaluation's files with the protocol of its prompts, as `eval_model.py` records it."""
    source = folder / f"{label}-tasks.jsonl"
    source.write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
    recipe = load_recipe(None, [f"data.eval={source}", f"data.show_signature={show}", "eval.prompts=4", *settings])
    protocol = protocol_record("recipe", recipe, read_held_out(recipe), "here")
    file = wrote(folder, label, [], **protocol)
    lines = [{"task_id": name, "checks": {"build": float(show == "true")}, "num_tokens": 3} for name in "ab"]
    Path(file).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


def test_the_same_tasks_with_and_without_signatures_are_paired_where_mixing_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [written_record(tmp_path, show, show, TASKS) for show in ("false", "true")]
    assert main(["compare", *files]) == 2
    differs = "false and true: prompts: the same 2 tasks, but their text differs (data.show_signature: false and true)"
    assert differs in capsys.readouterr().err
    assert main(["compare", *files, "--mixed"]) == 0
    page = capsys.readouterr().out
    assert f"**Not measured alike**: {differs}." in page
    assert "| true | +100.0 (p" in page


CHANGED = {
    "other gold tests": {"gold_cases": [{"call": "add(1, 2)", "expected": "4"}]},
    "another id": {"task_id": "c"},
    "another signature": {"signature": "fn add(a: u8, b: u8) -> u8"},
    "no signature, another text": {"signature": "", "prompt": "Sum."},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_other_tasks_are_not_paired(change: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = [TASKS[0] | change, TASKS[1]]
    files = [written_record(tmp_path, "before", "false", TASKS), written_record(tmp_path, "after", "true", changed)]
    assert main(["compare", *files, "--mixed"]) == 0
    page = capsys.readouterr().out
    assert "prompts: 2 that are not the same" in page and "| after | other prompts |" in page


def test_another_text_that_no_signature_makes_is_another_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed, unsigned = TASKS
    before = written_record(tmp_path, "before", "false", TASKS)
    one = written_record(tmp_path, "one", "false", [signed])
    for start, show, tasks, *settings in (
        (before, "true", [signed, unsigned | {"prompt": "Write something."}]),
        (before, "false", [signed | {"prompt": "Sum."}, unsigned]),
        (one, "true", [signed], "data.system_prompt=rust"),
    ):
        after = written_record(tmp_path, "after", show, tasks, *settings)
        assert main(["compare", start, after, "--mixed"]) == 0
        page = capsys.readouterr().out
        assert f"prompts: {len(tasks)} that are not the same" in page, (show, tasks)


def test_records_without_a_checksum_of_their_tasks_are_paired_by_their_prompts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [written_record(tmp_path, show, show, TASKS) for show in ("false", "true", "as_written")]
    for file in files:
        path = Path(file).with_suffix(".json")
        record = json.loads(path.read_text())
        del record["protocol"]["prompts"]["tasks_sha256"], record["protocol"]["prompts"]["show_signature"]
        path.write_text(json.dumps(record))
    assert main(["compare", *files, "--mixed"]) == 0
    page = capsys.readouterr().out
    assert "| true | other prompts |" in page and "| as_written | +0.0 (p" in page
