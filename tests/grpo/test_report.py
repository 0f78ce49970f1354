"""grpo_rust.report: one page that shows a run, finished or not, and obeys nothing that a model wrote.

The contract: hostile text comes back visible and creates no element; the page's policy allows its own style sheet and
nothing else; partial, torn and resumed runs are read as they lie; the same directory gives the same bytes; what is left
out is counted. A real browser loads the page where one is installed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_rust.report import ReportError, closing_table, escape, page_html, read_run, visible, write_report
from grpo_rust.report.cards import card_html, group_html, program_lines
from grpo_rust.report.charts import Mark, Series, line_chart, stacked_chart
from grpo_rust.report.groups import choose
from grpo_rust.report.pictures import pictures
from grpo_rust.report.reading import Run, load_completions
from grpo_rust.report.scale import MOST_POINTS, compact, rolling_mean, thinned, ticks
from grpo_rust.report.table import rows
from grpo_rust.report.visible import shortened
from synthetic_run import write_lines, write_run

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "article", "h1", "h2", "h3"}
ELEMENTS |= {"p", "div", "span", "b", "i", "small", "mark", "pre", "ul", "li", "dl", "dt", "dd", "details", "summary"}
ELEMENTS |= {"table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "path", "circle", "text"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "role", "aria-label", "aria-hidden", "open"}
ATTRIBUTES |= {"tabindex", "viewbox", "d", "x", "y", "cx", "cy", "r"}
MARKUP = (
    "</script></style></pre><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">]]>-->"
)
HOSTILE = MARKUP + "\u202eevil\u202c \x1b[31mred\x1b]0;title\x07 \x00 \x9b zero\u200bwidth '\"&amp;&lt; $x^{ \ud800 \r"
BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
NUMERIC_TOLERANCE = 0.06  # coordinates are written with one decimal


class Page(HTMLParser):
    """What a browser would make of a page: its elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"the page has a comment: {data!r}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"the page has a declaration: {data!r}")


def hostile_run(folder: Path) -> Path:
    """A run in which every text that the page shows is an attack."""
    write_run(folder, steps=3)
    records = [json.loads(line) for line in (folder / "completions.jsonl").read_text().splitlines()]
    for record in records:
        diagnostic = {"level": "error", "code": f"code{HOSTILE}", "message": f"message{HOSTILE}", "line": 1}
        record["verdict"] = {key: f"{key}{HOSTILE}" for key in ("outcome", "test_output", "reason", "strict_reason")}
        record["verdict"] |= {"code": f"fn program() {HOSTILE}", "diagnostics": [diagnostic]}
        record["text"] = f"completion{HOSTILE}\n{record['verdict']['code']}\nafter"
        record |= {"prompt": f"prompt{HOSTILE}", "task_id": f"task{HOSTILE}", "id": f"id{HOSTILE}{record['id']}"}
        record["rewards"] = {f"function{HOSTILE}": 1.0}
        record["checks"] = {f"check{HOSTILE}": 1.0, "test_strict": 0.0, f"unknown{HOSTILE}": None}
    write_lines(folder / "completions.jsonl", records)
    steps = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    names = ("reward/", "check/", "odd/")
    write_lines(folder / "metrics.jsonl", [s | {f"{n}metric{HOSTILE}": s["step"] * 0.1 for n in names} for s in steps])
    config = f"[run]\nname = {json.dumps('run' + MARKUP)}\n[model]\npath = {json.dumps('model' + MARKUP)}\n"
    (folder / "config.toml").write_text(config + f"[loss]\naggregation = {json.dumps('aggregation' + MARKUP)}\n")
    (folder / "environment.json").write_text(json.dumps({f"environment{HOSTILE}": HOSTILE}))
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests do not change it."""
    return write_run(tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run full of attacks; tests do not change it."""
    return hostile_run(tmp_path_factory.mktemp("runs") / "hostile")


def test_hostile_text_creates_no_element_and_no_attribute(hostile: Path) -> None:
    page = Page(write_report(hostile).read_text(encoding="utf-8"))
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    assert sum(tag == "style" for tag, _ in page.elements) == 1


@pytest.mark.parametrize(
    "where",
    ["prompt", "task", "id", "completion", "fn program() ", "code", "message", "outcome", "test_output", "reason"]
    + ["strict_reason", "function", "check", "unknown", "metric", "environment"],
)
def test_hostile_text_comes_back_visible(hostile: Path, where: str) -> None:
    text = Page(page_html(read_run(hostile))).text.replace("\\ud800", "⟨U+D800⟩")
    attack = MARKUP.replace("_", " ") if where == "outcome" else MARKUP
    start = text.find(where + attack[:20])
    assert start >= 0
    # Titles and names are cut short, whole texts are not.
    if where in ("prompt", "completion", "fn program() ", "message", "test_output", "reason", "strict_reason"):
        expected = visible(where + HOSTILE)
        assert expected.rstrip("␍ ") in text


def test_run_and_model_names_are_text(hostile: Path) -> None:
    text = Page(page_html(read_run(hostile))).text
    assert text.count("run" + MARKUP) >= 2  # <title> and <h1>
    assert "model" + MARKUP in text
    assert "aggregation</script>" in text


def test_no_character_of_the_page_is_invisible(hostile: Path) -> None:
    page = page_html(read_run(hostile))
    assert [character for character in page if visible(character) != character] == []


def test_the_policy_allows_the_pages_own_style_and_nothing_else(finished: Path) -> None:
    html = page_html(read_run(finished))
    policies = [a["content"] for t, a in Page(html).elements if t == "meta" and a.get("http-equiv")]
    style = html[html.index("<style>") + len("<style>") : html.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]
    assert html.index("Content-Security-Policy") < html.index("<title>")
    assert "http:" not in html and "https:" not in html and "url(" not in style and "@import" not in style


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


def test_the_header_shows_before_after_and_the_change(finished: Path) -> None:
    run = read_run(finished)
    text = Page(page_html(run)).text
    before, after = run.summary["before"]["build"], run.summary["after"]["build"]  # type: ignore[index]
    assert f"build{before:.1%} ±" in text
    assert f"{100 * (after - before):+.1f} ±" in text
    assert "Each evaluation: 6 prompts × 2 samples." in text
    assert "assets/tiny-rust · 6 steps in 1 min 45 s · 2023-11-14 22:13 to 22:14 UTC" in text
    assert "not finished" not in text


def test_every_metric_of_the_log_is_drawn_or_named(finished: Path) -> None:
    text = Page(pictures(read_run(finished))).text
    for title in ("weighted sum", "cargo_test × 2", "build", "test_strict", "length", "truncated", "entropy"):
        assert title in text
    for title in ("KL to the reference", "gradient norm", "clipped tokens", "tokens per second", "reward/std"):
        assert title in text
    assert "The same at every step: sampler gap 1.1e-6; staleness 0." in text
    assert "entropy of the policy's next-token distribution" in text  # grpo.run.metrics explains each


def test_time_is_stacked_with_its_shares() -> None:
    times = {"time/generate": 9.0, "time/wait_engine": 3.0, "time/wait_rewards": 1.0, "time/train": 4.0, "time/step": 9}
    text = Page(pictures(read_run_of({"step": 1, **times}))).text
    assert "wait_engine 38% 3 s" in text and "wait_rewards 12% 1 s" in text and "train 50% 4 s" in text
    assert "the first step" not in text
    others = [{"step": step, **times, "time/step": seconds} for step, seconds in ((2, 2.0), (3, 4.0), (4, 3.0))]
    assert "the first step 9 s, then 3 s" in Page(pictures(read_run_of({"step": 1, **times}, *others))).text


def read_run_of(*steps: dict[str, Any]) -> Run:
    """A run that has nothing but these steps."""
    return Run(path=Path("."), name="steps", steps=steps)


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
def test_a_card_signs_the_whole_attempt(outcome: str, strict: float | None, shown: str) -> None:
    html = card_html({"checks": {"test_strict": strict}, "verdict": {"outcome": outcome}})
    assert Page(html).text.startswith(shown)


def test_attempts_stand_best_first_in_the_cards_and_in_the_strip() -> None:
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


def test_groups_are_chosen_by_fixed_rules(finished: Path) -> None:
    run = read_run(finished)
    choices = choose(run.completions)
    headings = list(dict.fromkeys(choice.heading for choice in choices))
    assert headings == ["The evaluation, before and after", "The first step", "The last step", "The largest spread"]
    pair = choices[0]
    assert [caption for caption, _ in pair.rows] == ["step 0", "step 6"]
    assert len({completion.task_id for _, group in pair.rows for completion in group}) == 1
    training = [choice.rows[0][1] for choice in choices if choice.rows[0][1][0].phase == "train"]
    assert len({group[0].group for group in training}) == len(training)  # none twice
    text = Page(page_html(run)).text
    shown = sum(len(choice.rows) for choice in choices) - len(training)
    assert f"Shown: {shown} of 18 evaluation groups and {len(training)} of 18 training groups" in text


def test_the_largest_spread_is_the_group_that_differs_most(tmp_path: Path) -> None:
    def completion(slot: int, attempt: int, reward: float | None) -> dict[str, Any]:
        return {"id": f"s2-p{slot}-c{attempt}", "step": 2, "phase": "train", "task_id": f"t{slot}", "reward": reward}

    rewards = [(1.0, 1.0), (2.0, 2.0), (3.0, 4.0), (0.0, 6.0), (5.0, None), (2.0, 4.0)]
    lines = [
        completion(slot, attempt, reward) for slot, pair in enumerate(rewards) for attempt, reward in enumerate(pair)
    ]
    write_lines(tmp_path / "metrics.jsonl", [{"step": 2}])
    write_lines(tmp_path / "completions.jsonl", lines)
    chosen = choose(read_run(tmp_path).completions)
    spread = [choice.rows[0][1][0].task_id for choice in chosen if choice.heading == "The largest spread"]
    assert spread == ["t3", "t5", "t2"]  # 0 and 6, 2 and 4, 3 and 4; t0 and t1 are the first step's; t4 has no spread


def test_the_page_stays_small_when_completions_are_long(tmp_path: Path) -> None:
    write_run(tmp_path / "run", steps=2, prompts=3, attempts=16)
    path = tmp_path / "run" / "completions.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record["verdict"] |= {"code": "\u202e\n" * 30_000, "test_output": "\u202e" * 30_000}
        record["text"] = record["verdict"]["code"]
    write_lines(path, records)
    html = page_html(read_run(tmp_path / "run"))
    assert len(html.encode()) < 5_000_000
    assert "characters left out …" in html and "lines left out …" in html


def test_the_same_run_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(finished, copy)
    first = write_report(copy).read_bytes()
    assert write_report(copy).read_bytes() == first
    assert write_report(finished).read_bytes() == first
    assert not (copy / "report.html.part").exists()


@pytest.mark.parametrize("missing", ["summary.json", "completions.jsonl", "evals.jsonl", "config.toml", "rewards"])
def test_a_run_without_one_of_its_files_still_has_a_page(finished: Path, tmp_path: Path, missing: str) -> None:
    copy = tmp_path / "partial"
    shutil.copytree(finished, copy)
    shutil.rmtree(copy / missing) if missing == "rewards" else (copy / missing).unlink()
    text = Page(write_report(copy).read_text(encoding="utf-8")).text
    assert "weighted sum" in text
    assert ("not finished" in text) == (missing == "summary.json")
    assert ("no completions.jsonl" in text) == (missing == "completions.jsonl")


def test_a_run_with_zero_steps_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").touch()
    text = Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    assert "0 steps, not finished" in text
    assert "No step has been logged yet." in text
    assert "No evaluation has been written yet." in text


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no metrics.jsonl.*runs/<name>"):
        write_report(tmp_path)
    with pytest.raises(ReportError, match="not a directory"):
        write_report(tmp_path / "missing")


def test_torn_and_foreign_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    whole = json.dumps({"step": 1, "reward/mean": 1.0})
    (tmp_path / "metrics.jsonl").write_bytes(
        whole.encode() + b"\n[1]\nnull\n\n\xff\xfe\n" + b"[" * 100_000 + b"\n"
        b'{"step": -1}\n{"step": true}\n{"step": 2, "reward/mean": NaN}\n{"step": 3, "reward/m'
    )
    run = read_run(tmp_path)
    assert [record["step"] for record in run.steps] == [1, 2]
    assert run.unreadable == {"metrics.jsonl": 7}
    assert "7 of metrics.jsonl" in Page(page_html(run)).text


def test_after_a_resume_the_last_record_counts(tmp_path: Path) -> None:
    steps = [(1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25), (3, 0.35)]
    write_lines(tmp_path / "metrics.jsonl", [{"step": step, "reward/mean": mean} for step, mean in steps])
    lines = [{"id": "s2-p0-c0", "step": 2, "phase": "train", "text": text} for text in ("before", "after")]
    write_lines(tmp_path / "completions.jsonl", lines)
    run = read_run(tmp_path)
    assert [(record["step"], record["reward/mean"]) for record in run.steps] == [(1, 0.1), (2, 0.25), (3, 0.35)]
    assert [record["text"] for record in load_completions(run, run.completions)] == ["after"]


def test_groups_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"s1-p{slot}-c{attempt}" for slot in (10, 2) for attempt in (11, 3)]
    write_lines(tmp_path / "metrics.jsonl", [{"step": 1}])
    write_lines(tmp_path / "completions.jsonl", [{"id": name, "step": 1} for name in names])
    assert [completion.id for completion in read_run(tmp_path).completions] == [
        "s1-p2-c3",
        "s1-p2-c11",
        "s1-p10-c3",
        "s1-p10-c11",
    ]


def test_values_that_are_no_finite_numbers_are_missing() -> None:
    odd = [None, "0.5", True, float("nan"), float("inf"), 10**400, [1]]
    steps = [{"step": n, "reward/mean": value} for n, value in enumerate(odd)]
    assert "weighted sum" not in pictures(read_run_of(*steps))
    assert "weighted sum" in pictures(read_run_of(*steps, {"step": 9, "reward/mean": 0.5}))


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


@pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
class TestBrowser:
    """What a real browser does with the page."""

    def dump(self, page: Path, profile: Path) -> str:
        """The document after the browser has loaded it and scripts have had their time."""
        quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
        command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
        command += [f"--user-data-dir={profile}", "--virtual-time-budget=2000", "--dump-dom", page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    def test_nothing_runs_in_the_page(self, hostile: Path, tmp_path: Path) -> None:
        document = self.dump(write_report(hostile), tmp_path)
        assert "<title>run&lt;/script&gt;" in document
        assert "<title>ran</title>" not in document
        assert "<img" not in document and "<script" not in document

    def test_the_policy_alone_would_stop_a_script(self, finished: Path, tmp_path: Path) -> None:
        attack = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
        bare = tmp_path / "bare.html"
        bare.write_text(f"<title>quiet</title>{attack}")
        assert "<title>ran</title>" in self.dump(bare, tmp_path / "one")  # this browser does run scripts
        guarded = tmp_path / "guarded.html"
        html = page_html(read_run(finished))
        guarded.write_text(html.replace("<header>", f"<header>{attack}"), encoding="utf-8")
        assert "<title>tiny-synthetic</title>" in self.dump(guarded, tmp_path / "two")
