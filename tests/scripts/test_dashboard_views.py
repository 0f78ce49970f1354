"""What the dashboard draws, each part by hand: text that stays text, Rust's colours, errors at their lines, reasons of
rewards, runs side by side, and a style sheet that reaches nothing of marimo's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashboard_app.asking.trying import ModelProcess, checkpoints, words_of
from dashboard_app.comparing import comparison, curve_of, last_evaluations
from dashboard_app.completion_view import completion_view, group_view, listing
from dashboard_app.highlighting import MOST_CHARACTERS, rust_lines
from dashboard_app.live_run import LiveRun
from dashboard_app.look import page, scoped, style_text
from dashboard_app.markup import Markup, element, joined, require_markup
from dashboard_app.panels import header, mistakes_view, money_table, run_pictures, table_rows
from dashboard_app.reasons import OF_A_GROUP, OF_THE_USER, UNREADABLE, earned
from grpo.errors import BadInput, HostFailed
from grpo_rust.report.reading import RunFiles
from grpo_rust.report.visible import visible
from html_page import Page
from sandbox.verdict import Diagnostic, Outcome, Verdict
from synthetic_run import write_lines, write_run
from test_report_page import ATTRIBUTES, ELEMENTS, HOSTILE, hostile_run

CODE = 'fn add(a: i32) -> i32 {\n    a + "x"\n}\n'
TEXT = f"Here:\n```rust\n{CODE}```\nBye."
VERDICT = Verdict(
    Outcome.BUILD_ERROR,
    build=False,
    diagnostics=(Diagnostic("error", "E0277", "cannot add `&str` to `i32`", 2),),
)


def record(**others: Any) -> dict[str, Any]:
    """A completion that does not build, as the log has it."""
    verdict = VERDICT.to_json() | {"code": CODE, "strict_reason": "the tests did not pass"}
    rewards = {"asserts": 0.0, "cargo_build": 0.0, "code_block": 1.0}
    found = {"id": "s1-p0-c0", "step": 1, "task_id": "add", "prompt": "Add.", "text": TEXT, "rewards": rewards}
    return found | {"reward": 0.5, "checks": {"test_strict": 0.0}, "verdict": json.loads(json.dumps(verdict))} | others


# markup


def test_everything_that_is_no_markup_is_escaped_wherever_it_stands() -> None:
    inner = joined(["<b>", Markup("<i>"), None])
    assert inner == "&lt;b&gt;<i>"
    assert element("p", inner, "&\u202e", kind='"x', data_a="'\x1b") == (
        '<p class="&quot;x" data-a="&#x27;␛">&lt;b&gt;<i>&amp;⟨U+202E⟩</p>'
    )
    assert element("details", open=True, hidden=False) == "<details open></details>"


@pytest.mark.parametrize("text", ["<p>", element("p", "x") + "<script>", "".join([element("p")]), None])
def test_a_plain_string_does_not_reach_the_browser(text: Any) -> None:
    """Adding a string to markup gives a plain string, which is refused too."""
    with pytest.raises(TypeError, match="is no Markup"):
        page(text)
    assert type(require_markup(element("p"))) is str


def test_hostile_runs_give_only_known_elements_and_attributes(tmp_path: Path) -> None:
    run = LiveRun(hostile_run(tmp_path / "hostile"))
    run.poll()
    entries = run.index.group("train", next(iter(run.index.groups("train", 1))))
    records = [run.record(entry) for entry in entries]
    runs = {f"label{HOSTILE}": run, "other": run}
    files = {label: one.files() for label, one in runs.items()}
    parts = [
        header(runs),
        money_table(runs),
        comparison(files, 2),
        last_evaluations(files),
        mistakes_view(run, "train"),
    ]
    parts += [run_pictures(run, 2, which) for which in ("learning", "time", "others")]
    parts += [group_view(records), completion_view(records[0], {}), group_view([]), completion_view({}, {})]
    shown = Page("".join(page(part) for part in parts))
    assert {tag for tag, _ in shown.elements} <= ELEMENTS | {"section", "g"}
    assert {name for _, attributes in shown.elements for name in attributes} <= ATTRIBUTES | {"title", "aria-level"}
    assert "</script>" in shown.text and "⟨U+D800⟩" in shown.text and "⟨U+202E⟩" in shown.text
    "".join(parts).encode()  # no half surrogate is left
    "".join(value for row in table_rows(entries) for value in row.values()).encode()


# highlighting


def test_rust_has_its_colours_and_keeps_its_text() -> None:
    lines = rust_lines("/* a\nb */ fn f<'a>(é: &'a str) -> u8 { g!(\"<\"); h(1) } // é")
    assert lines[0] == '<i class="hc">/* a</i>'
    assert lines[1] == (
        '<i class="hc">b */</i> <i class="hk">fn</i> <i class="hf">f</i>&lt;<i class="hl">&#x27;</i><i class="hl">a</i>'
        '&gt;(é: &amp;<i class="hl">&#x27;</i><i class="hl">a</i> <i class="ht">str</i>) -&gt; <i class="ht">u8</i> { '
        '<i class="hm">g</i>!(<i class="hs">&quot;&lt;&quot;</i>); <i class="hf">h</i>(<i class="hn">1</i>) } '
        '<i class="hc">// é</i>'
    ).replace('<i class="hl">&#x27;</i><i class="hl">a</i>', '<i class="hl">&#x27;a</i>')


@pytest.mark.parametrize("code", ["", "\ud800 fn\r\n\x00 {", HOSTILE, "((" * 20_000, "x" * (MOST_CHARACTERS + 1)])
def test_any_text_comes_back_whole(code: str) -> None:
    assert "\n".join(Page(line).text for line in rust_lines(code)) == visible(code)


# reasons


def test_rewards_have_the_reasons_that_the_same_functions_give_today() -> None:
    found = {one.name: one for one in earned(record(), {"cargo_build": 2.0, "code_block": 0.5})}
    assert list(found) == ["cargo_build", "code_block", "asserts"]  # those that pay come first
    assert found["cargo_build"][1:] == (0.0, 2.0, "line 2: cannot add `&str` to `i32`")
    assert (found["code_block"].points, found["code_block"].reason) == (0.5, "1 closed ```rust block")
    assert (found["asserts"].points, found["asserts"].reason) == (0.0, "0 distinct asserts")


def test_a_reason_that_is_not_known_is_told_and_a_score_that_changed_too() -> None:
    rewards = {"cargo_build": 1.0, "cross_agreement": 0.5, "mine.py:f": None, "gold": 0.0}
    gold = {"passed": 1, "total": 3, "reason": "f(2) is 5"}
    found = {one.name: one.reason for one in earned(record(rewards=rewards), {})}
    assert found["cargo_build"] == "line 2: cannot add `&str` to `i32` (today's code gives 0)"
    assert (found["cross_agreement"], found["mine.py:f"]) == (OF_A_GROUP, OF_THE_USER)
    assert found["gold"] == "no gold tests for this prompt, or none were run"
    verdict = record()["verdict"] | {"gold": gold}
    assert earned(record(rewards={"gold": 0.0}, verdict=verdict), {})[0].reason == "1 of 3 gold tests pass: f(2) is 5"
    for broken in ({"outcome": "odd"}, {"outcome": "passed", "diagnostics": 3}, "text", {"outcome": [], "code": 3}):
        assert earned(record(rewards={"cargo_build": 1.0}, verdict=broken), {})[0].reason == UNREADABLE


# completion_view


def test_errors_stand_under_their_lines_and_one_past_the_end_under_the_last() -> None:
    panic = "thread 't' panicked at src/main.rs:1:9:\nleft: 1\nright: 2\nnote: run with\n"
    late = {"level": "warning", "code": None, "message": "late", "line": 99}
    diagnostics = [VERDICT.to_json()["diagnostics"][0], late]
    html = listing(CODE, {"diagnostics": diagnostics, "test_output": panic})
    shown = [Page(part).text for part in re.split(r'(?=<div class="(?:row|note))', html)[1:]]
    assert shown == [
        "1fn add(a: i32) -> i32 {",
        "panic: left: 1, right: 2",
        '2    a + "x"',
        "error: E0277 cannot add `&str` to `i32`",
        "3}",
        "warning: late",
    ]
    assert '<div class="row bad"><span class="no" aria-hidden="true">2' in html and '<div class="row warn">' in html


def test_a_completion_shows_its_verdict_prompt_words_and_output() -> None:
    verdict = record()["verdict"] | {"test_output": "running 1 test"}
    shown = Page(completion_view(record(verdict=verdict, advantage=-0.7, num_tokens=12, terminated=False), {})).text
    for words in ("✗ build error", "reward 0.5 · advantage −0.7 · 12 tokens, truncated", "Add.", "Here:", "Bye."):
        assert words in shown
    assert "the tests did not pass" in shown and "running 1 test" in shown
    assert "An empty completion." in completion_view(record(text="", verdict={}), {})


def test_a_group_is_red_where_it_fails_and_green_where_it_passes_the_best_first() -> None:
    good = record(reward=3.0, checks={"test_strict": 1.0}, verdict={"outcome": "passed", "code": "fn a() {}"})
    half = record(reward=2.0, checks={"test_strict": 1.0}, verdict={"outcome": "lint_error", "code": "fn b() {}"})
    html = group_view([record(), half, good])
    assert re.findall(r'<section class="tile (\w+)"', html) == ["pass", "half", "fail"]
    assert "1 of 3 pass strictly" in html and "E0277 cannot add" in html
    assert group_view([good] * 70).count("<section") == 64 and "6 more are not drawn" in group_view([good] * 70)


# comparing, mistakes


def test_a_curve_has_the_rolling_mean_and_its_interval() -> None:
    """Window 2 over 1, 3, 3: means 1, 2, 3; half widths none, 1.96 * sqrt(2) / sqrt(2) = 1.96, and 0."""
    steps = tuple({"step": step, "check/build": value} for step, value in ((1, 1.0), (2, 3.0), (3, 3.0)))
    evals = ({"step": 0, "eval/build": 0.5, "eval/build_ci95": 0.1}, {"step": 3, "eval/clippy": 1})
    curve = curve_of(RunFiles(Path(), "a", steps=steps, evals=evals), "a", "check/build", 2)
    assert curve.points == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    assert [(x, round(low, 3), round(high, 3)) for x, low, high in curve.band] == [(2.0, 0.04, 3.96), (3.0, 3.0, 3.0)]
    assert list(curve.marks) == [(0.0, 0.5, 0.1)]


def test_an_evaluation_that_compares_no_groups_stands_beside_no_reward_that_does() -> None:
    for reward, marks in (("reward/cargo_build", [(0.0, 0.5, None)]), ("reward/cross_all", [])):
        steps, evals = {"step": 1, "reward/mean": 4.0, reward: 1.0}, {"step": 0, "eval/reward_mean": 0.5}
        run = RunFiles(Path(), "a", steps=(steps,), evals=(evals,))
        assert list(curve_of(run, "a", "reward/mean", 1).marks) == marks


def test_the_last_evaluations_stand_side_by_side_with_the_interval_of_their_difference() -> None:
    """60 % ±3 and 70 % ±4: 10 points ±5."""
    lines = [{"step": 9, "eval/build": 0.6, "eval/build_ci95": 0.03}, {"step": 8, "eval/build": 0.7}]
    lines[1]["eval/build_ci95"] = 0.04
    runs = {name: RunFiles(Path(), name, evals=(line,)) for name, line in zip("ab", lines, strict=True)}
    shown = Page(last_evaluations(runs | {"c": RunFiles(Path(), "c")})).text
    assert "a, step 9b, step 8build60.0% ±3.070.0% ±4.0 (+10.0 ±5.0)" in shown
    assert "No evaluation" in last_evaluations({"c": RunFiles(Path(), "c")})


def test_six_runs_have_six_colours_and_one_without_a_metric_keeps_its_own() -> None:
    steps = ({"step": 1, "reward/mean": 1.0}, {"step": 2, "reward/mean": 2.0})
    runs = {name: RunFiles(Path(), name, steps=steps if name != "b" else ()) for name in "abcdef"}
    html = comparison(runs, 1)
    assert set(re.findall(r'class="line (c\d)"', html)) == {"c0", "c2", "c3", "c4", "c5"}
    assert all(f"--r{index}:" in style_text() for index in range(6))


def test_mistakes_are_counted_by_code_with_their_trend(tmp_path: Path) -> None:
    """Of two completions a step, E0308 in both at step 1 and in one at step 4: 100 % to 50 %, 3 in all."""
    error = {"level": "error", "code": "E0308", "message": "", "line": 1}
    lines = [
        {"id": f"s{step}-p0-c{slot}", "step": step, "verdict": {"diagnostics": [error] if has else []}}
        for step, slot, has in ((1, 0, 1), (1, 1, 1), (2, 0, 0), (3, 0, 0), (4, 0, 1), (4, 1, 0))
    ]
    write_lines(tmp_path / "completions.jsonl", lines)
    run = LiveRun(tmp_path)
    run.poll()
    assert "E03083100.0%50.0%−50.0" in Page(mistakes_view(run, "train")).text
    assert "No completion has been logged yet." in mistakes_view(run, "eval")


def test_the_pictures_of_a_run_follow_the_window_and_the_tab(tmp_path: Path) -> None:
    run = LiveRun(write_run(tmp_path / "run", steps=9))
    run.poll()
    learning, time = run_pictures(run, 3, "learning"), run_pictures(run, 1, "time")
    assert "mean over the last 3 steps" in learning and "how completions ended" in learning
    assert "seconds a step" in time and "seconds a step" not in learning and "<h3>" not in learning + time
    assert "entropy" in run_pictures(run, 1, "others")


# look


def test_no_rule_reaches_beyond_the_scope() -> None:
    css = style_text().removeprefix("<style>").removesuffix("</style>")
    outside = re.sub(r"@media[^{]+\{((?:[^{}]+\{[^{}]*\})*)\}", r"\1", css)
    selectors = [name for names, _ in re.findall(r"([^{}]+)\{([^{}]*)\}", outside) for name in names.split(",")]
    assert len(selectors) > 150
    assert [name for name in selectors if not re.match(r"\s*(\.dark )?\.gr\b", name)] == []
    assert ".dark .gr{--paper:#171614" in css and "prefers-color-scheme" not in css
    assert scoped(":root{a:b}body{c:d}", ".s") == ".s{a:b}"


# trying

ANSWERER = """
import json, sys
print(json.dumps({"ready": True, "words": sys.argv[1:]}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["prompt"] == "die": sys.exit("out of memory")
    if asked["prompt"] == "long": print(json.dumps({"error": "the prompt is too long"}), flush=True); continue
    for number in range(asked["samples"]): print(json.dumps({"text": asked["prompt"], "seed": asked["seed"]}))
    print(json.dumps({"done": True}), flush=True)
"""


def test_a_model_is_loaded_when_asked_kept_replaced_and_unloaded() -> None:
    asked = ModelProcess(("-c", ANSWERER))
    try:
        assert asked.loaded == "" and "No model" in asked.state()
        with pytest.raises(BadInput, match="empty"):
            asked.ask(["one"], "  ", samples=1, temperature=1.0)
        assert asked.loaded == ""
        found = asked.ask(["one"], "\ud800<b>", samples=2, temperature=0.5)
        assert [(answer["text"], answer["seed"]) for answer in found] == [("\ud800<b>", 1)] * 2
        process = asked._process
        with pytest.raises(BadInput, match="too long"):
            asked.ask(["one"], "long", samples=1, temperature=1.0)
        assert asked.ask(["one"], "x", samples=1, temperature=1.0)[0]["seed"] == 3 and asked._process is process
        asked.ask(["two"], "x", samples=1, temperature=1.0)
        assert asked.loaded == "two" and process is not None and process.poll() == 0
        with pytest.raises(HostFailed, match="ended: out of memory"):
            asked.ask(["two"], "die", samples=1, temperature=1.0)
        assert asked.loaded == "" and asked.ask(["two"], "x", samples=1, temperature=1.0)
    finally:
        asked.close()
    assert asked.loaded == ""


def test_a_question_that_was_interrupted_leaves_no_answer_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ModelProcess(("-c", ANSWERER))
    answers = asked._answers

    def interrupted() -> None:
        asked._answer()
        raise KeyboardInterrupt

    try:
        asked.ask(["one"], "first", samples=1, temperature=1.0)
        monkeypatch.setattr(asked, "_answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            asked.ask(["one"], "second", samples=3, temperature=1.0)
        monkeypatch.setattr(asked, "_answers", answers)
        assert [one["text"] for one in asked.ask(["one"], "third", samples=1, temperature=1.0)] == ["third"]
        asked.close()  # as another window does meanwhile
        with pytest.raises(HostFailed, match="was unloaded meanwhile"):
            asked._answer()
    finally:
        asked.close()


def test_the_newest_checkpoint_comes_first_and_a_run_without_one_is_told(tmp_path: Path) -> None:
    for name in ("step-000009", "step-000010", "step-1.bak"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    found = checkpoints(tmp_path)
    assert list(found) == ["step-000010", "step-000009"]
    (tmp_path / "config.toml").touch()
    assert words_of(tmp_path, found["step-000009"])[1:] == [str(tmp_path / "config.toml"), "sandbox.jobs=1"]
    with pytest.raises(BadInput, match="no checkpoint yet"):
        words_of(tmp_path, None)


def test_the_dashboard_loads_neither_torch_nor_transformers_nor_marimo_itself() -> None:
    root = Path(__file__).resolve().parents[2]
    program = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'scripts')!r}]\n"
        "import dashboard, dashboard_app.panels, dashboard_app.comparing, dashboard_app.completion_view\n"
        "import dashboard_app.look, dashboard_app.asking.trying\n"
        "print([m for m in ('torch', 'transformers', 'marimo', 'chatting.samplers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
