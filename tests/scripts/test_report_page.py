"""grpo_rust.report: one page that shows a run, finished or not, and obeys nothing that a model wrote.

The contract: hostile text comes back visible and creates no element; the page's policy allows its own style sheet and
nothing else; partial, torn and resumed runs are read as they lie; the same directory gives the same bytes; what is left
out is counted. A real browser loads the page where one is installed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grpo_rust.report import ReportError, page_html, read_run, visible, write_report
from grpo_rust.report.groups import choose
from grpo_rust.report.pictures import pictures
from grpo_rust.report.reading import RunFiles, load_completions
from html_page import Page
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


def read_run_of(*steps: dict[str, Any]) -> RunFiles:
    """A run that has nothing but these steps."""
    return RunFiles(path=Path("."), name="steps", steps=steps)


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
    def completion(slot: int, number: int, reward: float | None) -> dict[str, Any]:
        return {"id": f"s2-p{slot}-c{number}", "step": 2, "phase": "train", "task_id": f"t{slot}", "reward": reward}

    rewards = [(1.0, 1.0), (2.0, 2.0), (3.0, 4.0), (0.0, 6.0), (5.0, None), (2.0, 4.0)]
    lines = [
        completion(slot, number, reward) for slot, pair in enumerate(rewards) for number, reward in enumerate(pair)
    ]
    write_lines(tmp_path / "metrics.jsonl", [{"step": 2}])
    write_lines(tmp_path / "completions.jsonl", lines)
    chosen = choose(read_run(tmp_path).completions)
    spread = [choice.rows[0][1][0].task_id for choice in chosen if choice.heading == "The largest spread"]
    assert spread == ["t3", "t5", "t2"]  # 0 and 6, 2 and 4, 3 and 4; t0 and t1 are the first step's; t4 has no spread


def test_the_page_stays_small_when_completions_are_long(tmp_path: Path) -> None:
    write_run(tmp_path / "run", steps=2, prompts=3, group_size=16)
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
    names = [f"s1-p{slot}-c{number}" for slot in (10, 2) for number in (11, 3)]
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
