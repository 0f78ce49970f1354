"""The parts of the report: text made safe, numbers made readable, charts, cards and the table, each by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_rust.report.cards import card_html, group_html, program_lines
from grpo_rust.report.charts import Mark, Series, line_chart, stacked_chart
from grpo_rust.report.scale import MOST_POINTS, compact, rolling_mean, thinned, ticks
from grpo_rust.report.table import closing_table, rows, summary_rates
from grpo_rust.report.visible import escape, shortened, visible
from html_page import Page

NUMERIC_TOLERANCE = 0.06  # coordinates are written with one decimal


@pytest.mark.parametrize(
    "code", [0x1B, 0x07, 0x00, 0x7F, 0x85, 0x9B, 0x202E, 0x2066, 0x200B, 0xFEFF, 0xD800, 0xA0, 0x2028]
)
def test_what_hides_or_reorders_becomes_a_sign(code: int) -> None:
    assert visible(f"a{chr(code)}b") != f"a{chr(code)}b"
    assert all(character.isprintable() for character in visible(chr(code)))


def test_what_a_reader_sees_stays_as_it_is() -> None:
    text = 'fn größe() -> &\'static str {\n\t"日本 → ✓"\n}'
    assert visible(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_escaped_text_has_no_markup_and_encodes(text: str) -> None:
    shown = escape(text)
    assert not set(shown) & set("<>\"'")
    shown.encode("utf-8")
    assert visible(visible(text)) == visible(text)


def test_a_long_text_says_how_much_is_missing() -> None:
    text, missing = shortened("a" * 75 + "b" * 1000 + "c" * 25, 100)
    assert missing == 1000
    assert text == "a" * 75 + "\n… 1,000 characters left out …\n" + "c" * 25
    assert shortened("short", 5) == ("short", 0)


def test_rolling_mean_and_round_numbers() -> None:
    assert rolling_mean([2.0, 4.0, 9.0, 1.0], 3) == [2.0, 3.0, 5.0, 14 / 3]
    assert [compact(value) for value in (-1234.5, 0.5, 1e-7, 2_500_000)] == ["−1,234", "0.5", "1e-7", "2.5M"]


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_few_and_inside(low: float, span: float) -> None:
    high = low + span
    found = ticks(low, high)
    assert len(found) <= 5
    assert all(low - span * 1e-3 <= tick <= high + span * 1e-3 for tick in found)


def test_thinning_keeps_the_mean_and_the_limit() -> None:
    points = [(float(x), float(x % 7)) for x in range(4000)]
    thin = thinned(points)
    assert len(thin) == MOST_POINTS
    assert math.isclose(sum(y for _, y in thin) / len(thin), sum(y for _, y in points) / len(points))


def test_a_line_chart_puts_values_where_they_belong() -> None:
    svg = line_chart([Series("a", [(0, 0.0), (10, 1.0)])], x_range=(0, 10), y_range=(0, 1), window=1, label="a")
    # x runs from 34 to 312, y from 100 (zero) up to 8 (one).
    assert 'd="M34 100L312 8"' in svg
    marked = line_chart(
        [Series("a", [(0, 0.0), (10, 1.0)])],
        x_range=(0, 10),
        y_range=(0, 1),
        window=1,
        marks=[Mark(5, 0.5, 0.25)],
        label="",
    )
    assert '<path class="whisker" d="M173 31V77"/><circle class="mark" cx="173" cy="54" r="2.6"/>' in marked


def test_a_stack_cuts_a_tall_bar_and_says_its_height() -> None:
    svg = stacked_chart((1, 2), [(1, 1, [1.0, 1.0]), (2, 2, [1.0, 41.0])], top=4.0, label="")
    assert "↑42" in svg
    assert svg.count('class="part') == 2
    assert "↑" not in stacked_chart((1, 2), [(1, 1, [0.1] * 10 + [1e-12])], top=1.0, label="")


def test_a_card_tells_pass_from_fail_without_colour() -> None:
    record = {"checks": {"build": 1.0, "test": 0.0, "gold": None, "asserts": 3.0}, "reward": 2.5, "advantage": -0.5}
    text = Page(card_html(record)).text
    for shown in ("✓ build", "✗ test", "– gold", "3 asserts", "reward 2.5", "advantage −0.5"):
        assert shown in text


@pytest.mark.parametrize(
    ("outcome", "strict", "shown"),
    [
        ("passed", 1.0, "✓ passed"),
        ("passed", 0.0, "✗ passed, not strictly"),
        ("lint_error", 1.0, "◐ lint error"),
        ("lint_error", 0.0, "✗ lint error"),
        ("host_error", None, "– host error"),
        ("", 0.0, "✗ no program"),
    ],
)
def test_a_card_signs_the_whole_completion(outcome: str, strict: float | None, shown: str) -> None:
    html = card_html({"checks": {"test_strict": strict}, "verdict": {"outcome": outcome}})
    assert Page(html).text.startswith(shown)


def test_completions_stand_best_first_in_the_cards_and_in_the_strip() -> None:
    rewards = [(1.0, 0.0), (None, None), (6.0, 1.0), (-2.0, 0.0)]
    records = [{"id": f"c{n}", "reward": r, "checks": {"test_strict": s}} for n, (r, s) in enumerate(rewards)]
    text = Page(group_html("title", "why", [("", records)], unfolded=False)).text
    assert "title ✓✗✗– why" in text
    assert sorted(range(4), key=lambda n: text.index(f"c{n}")) == [2, 0, 3, 1]


def test_a_card_marks_the_line_that_the_compiler_names() -> None:
    code = "\nfn f() {}\nfn f() {}\n"
    diagnostic = {"level": "error", "code": "E0428", "message": "defined twice", "line": 3}
    verdict = {"outcome": "build_error", "code": code, "diagnostics": [diagnostic]}
    html = card_html({"text": f"So:\n```rust\n{code}```", "verdict": verdict})
    assert '<b class="bad">3</b>' in html
    assert '<mark class="bad">fn f() {}</mark>' in html
    assert (
        '<pre class="code">\n\nfn f() {}\n' in html
    )  # a browser drops the first newline, not the program's empty line
    assert "error line 3 E0428 defined twice" in Page(html).text
    assert "build error" in Page(html).text


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"text": "", "verdict": None, "checks": None, "rewards": []},
        {"text": "no code here", "verdict": {"code": None}},
        {"text": "text", "verdict": {"code": "elsewhere", "diagnostics": [None, {}, {"line": "x", "message": 3}]}},
        {"text": 5, "verdict": {"code": 5, "diagnostics": "x", "outcome": 5, "test_output": 5}, "reward": "x"},
        {"text": "x", "verdict": {"code": ""}, "reward": 10**400},
    ],
)
def test_a_card_survives_a_record_that_lacks_things(record: dict[str, Any]) -> None:
    assert card_html(record).startswith("<article")


def test_a_long_program_keeps_its_line_numbers() -> None:
    lines = program_lines("\n".join(f"line {n}" for n in range(1, 5001)), limit=1000)
    assert lines[0] == (1, "line 1") and lines[-1] == (5000, "line 5000")
    gap = next(index for index, (number, _) in enumerate(lines) if number is None)
    missing = lines[gap + 1][0] - lines[gap - 1][0] - 1  # type: ignore[operator]
    assert lines[gap] == (None, f"… {missing:,} lines left out …")
    assert all(text == f"line {number}" for number, text in lines if number is not None)
    assert max(len(text) for _, text in program_lines("x" * 100_000)) < 400


def test_the_closing_table_by_hand() -> None:
    before = {"eval/build": 0.4, "eval/build_ci95": 0.03, "eval/test": 0.2, "num_prompts": 100, "num_samples": 2}
    after = {"eval/build": 0.75, "eval/build_ci95": 0.04, "eval/test": 0.1, "eval/gold": 0.5}
    assert closing_table(before, after).splitlines() == [
        "                  before       after      points",
        "build         40.0% ±3.0  75.0% ±4.0  +35.0 ±5.0",  # sqrt(3^2 + 4^2) = 5
        "tests              20.0%       10.0%       −10.0",
        "gold tests             –       50.0%           –",
        "100 prompts × 2 samples; ±: 95 % interval",
    ]


def test_summary_and_evaluation_keys_mean_the_same() -> None:
    evaluation, summary = {"eval/asserts": 2.0, "eval/build": 0.5}, {"asserts_mean": 2.0, "build": 0.5}
    assert rows(evaluation, evaluation) == rows(summary, summary)


def test_the_summary_repeats_rates_and_amounts() -> None:
    line = {"step": 3, "eval/build": 0.5, "eval/gold": None, "eval/asserts": 2.0, "eval/length_mean": 70.0}
    none = dict.fromkeys(("clippy", "test", "test_strict", "gold"))
    assert summary_rates(line) == {"build": 0.5, **none, "asserts_mean": 2.0, "length_mean": 70.0}
    assert set(summary_rates({}).values()) == {None}
