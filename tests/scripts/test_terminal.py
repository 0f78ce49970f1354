"""grpo_rust.terminal: what a person or a program sees of a run; sentences are checked against histories by hand."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from evaluating.references import PUBLISHED_FIGURES
from grpo.run.directory import RunDirectory
from grpo.run.stopping import Pace, RunLimits
from grpo.training_loop import Schedule
from grpo_rust.arguments import explain, most_used, parse_arguments
from grpo_rust.recipe import Recipe
from grpo_rust.report.money import PUBLISHED_RUN, money_html
from grpo_rust.report.reading import read_run
from grpo_rust.session import summarise
from grpo_rust.terminal.grouping import GROUPS, MOST_USED
from grpo_rust.terminal.notices import Notice, RunHistory, notices
from grpo_rust.terminal.outlook import Outlook, outlook
from grpo_rust.terminal.outputs import BarOutput, JsonOutput, PlainOutput, open_output
from grpo_rust.terminal.telling import Teller

NOW = 1_767_268_800.0  # 2026-01-01 12:00 UTC


def told(histories: Sequence[RunHistory]) -> list[list[Notice]]:
    """What is said of each history in turn, as a caller keeps it."""
    said: dict[str, float] = {}
    found = []
    for history in histories:
        found.append(notices(history, said))
        said.update({notice.fact: notice.value for notice in found[-1]})
    return found


def steps(key: str, values: Sequence[float]) -> list[RunHistory]:
    """The histories of a run after each step."""
    lines = [{"step": number, key: value} for number, value in enumerate(values, 1)]
    return [RunHistory(steps=lines[: number + 1]) for number in range(len(lines))]


# Notices


def test_the_best_evaluation_is_said_when_it_is_better_than_all_before() -> None:
    scores = [0.215, 0.2, 0.34, 0.34, 0.4]
    lines: list[Mapping[str, float]] = [
        {"step": 10 * n, "eval/pass_at_1": score, "eval/pass_at_1_ci95": 0.021} for n, score in enumerate(scores)
    ]
    found = told([RunHistory(evaluations=lines[: n + 1]) for n in range(5)])
    assert [len(one) for one in found] == [0, 0, 1, 0, 1]
    text = "best evaluation so far: pass_at_1 34.0 % (±2.1 %) after step 20, 21.5 % after step 0"
    assert found[2] == [Notice("best", 0.34, text)]
    again = RunHistory(evaluations=lines[:3], steps=[{"step": 21}])
    assert told([RunHistory(evaluations=lines[:3]), again])[1] == [], "once, however many steps follow"


def test_entropy_is_said_to_have_halved_once_and_not_by_one_step() -> None:
    falling = [0.8, 0.9, 1.0, 0.1, 0.9, 0.9, 0.9, 0.5, 0.5, 0.4, 0.4, 0.4, 0.2, 0.2]
    found = told(steps("policy/entropy", falling))
    assert [number for number, one in enumerate(found, 1) if one] == [12], "the mean of five is 0.44: below 0.9 / 2"
    text = "the entropy has halved since the start: 0.90, now 0.44 nats a token; completions grow alike"
    assert found[11][0].text == text


def test_groups_without_spread_are_said_above_forty_percent() -> None:
    assert not any(told(steps("groups/zero_std", [0.4] * 9)))
    found = told(steps("groups/zero_std", [0.2, 0.4, 0.5, 0.5, 0.35, 0.5, 0.6]))
    assert [number for number, one in enumerate(found, 1) if one] == [6]
    assert found[5][0].text.startswith("45% of the groups of the last 5 steps are paid alike")


def test_the_end_is_said_after_three_steps_and_again_when_it_has_moved_by_a_fifth() -> None:
    totals = [100, 100, 100, 119, 120, 121, 140, 96]
    histories = [
        RunHistory(steps=[{"step": n}] * n, outlook=Outlook(NOW, 40, total - 40, usd_per_hour=36))
        for n, total in enumerate(totals, 1)
    ]
    found = told(histories)
    assert [number for number, one in enumerate(found, 1) if one] == [3, 6, 8]
    assert re.fullmatch(r"expected to end about \d\d:\d\d, after 2 min in all, about 1.00 dollars", found[2][0].text)
    assert found[5][0].text.startswith("now expected to end about")


def test_a_value_that_is_missing_says_nothing() -> None:
    assert notices(RunHistory(), {}) == []
    lines = [{"step": n, "policy/entropy": None, "groups/zero_std": float("nan")} for n in range(20)]
    assert notices(RunHistory(steps=lines, evaluations=[{"step": 0}, {"step": 1, "eval/pass_at_1": None}]), {}) == []


# Time and money


def test_what_is_left_counts_steps_evaluations_and_checkpoints() -> None:
    pace = Pace({"step": [10.0], "evaluation": [100.0], "checkpoint": [1.0]})
    told_so_far = {"now": NOW, "seconds": 50.0, "eval_every": 10, "checkpoint_every": 20}
    told_so_far["limits"] = RunLimits(usd_per_hour=2.0)
    after = outlook(10, 25, pace, evaluates=True, **told_so_far)  # type: ignore[arg-type]
    assert after.left_s == 15 * 10 + 3 * 100 + 2 * 1, "evaluated at 10, 20, 25 and saved at 20, 25"
    assert (after.usd, after.usd_expected) == (50 / 3600 * 2, (50 + 452) / 3600 * 2)
    without = outlook(10, 25, pace, evaluates=False, **told_so_far)  # type: ignore[arg-type]
    assert without.left_s == 152
    assert outlook(1, 25, Pace(), evaluates=True, **told_so_far).left_s is None  # type: ignore[arg-type]
    assert after.record()["ends"] == "2026-01-01T12:07:32+00:00" and after.record()["ended_by"] is None


@pytest.mark.parametrize(
    ("limits", "left_s", "ended_by"),
    [
        (RunLimits(max_hours=1.0, usd_per_hour=36.0), 1800.0, ""),  # 600 s and 1800 s are below an hour
        (RunLimits(max_hours=0.5, usd_per_hour=36.0), 1200.0, "train.max_hours"),
        (RunLimits(max_hours=0.5, max_cost=9.0, usd_per_hour=36.0), 300.0, "train.max_cost"),  # 9 dollars last 900 s
        (RunLimits(max_hours=0.1, max_cost=9.0, usd_per_hour=36.0), 0.0, "train.max_hours"),  # passed already
    ],
)
def test_a_limit_that_comes_before_the_last_step_is_the_end(limits: RunLimits, left_s: float, ended_by: str) -> None:
    sizes = {"eval_every": 0, "evaluates": False, "checkpoint_every": 1000}
    after = outlook(1, 181, Pace({"step": [10.0]}), now=NOW, seconds=600.0, limits=limits, **sizes)
    assert (after.left_s, after.ended_by, after.usd_expected) == (left_s, ended_by, (600 + left_s) / 100)
    [said] = notices(RunHistory(steps=[{}] * 3, outlook=after), {})
    assert said.text.endswith(f"{ended_by} comes before the last step" if ended_by else "dollars")
    assert after.record()["ended_by"] == (ended_by or None)
    assert outlook(1, 181, Pace(), now=NOW, seconds=600.0, limits=limits, **sizes).left_s is None, "nothing is measured"


def summarised(path: Path, expected: Outlook | None) -> Path:
    with RunDirectory.create(path, config_toml="[train]\nusd_per_hour = 2.0\n", environment={}) as run:
        run.log_metrics(1, {"time/step": 900.0})
        run.log_evaluation({"step": 0, "eval/build": 0.41, "eval/test": 0.1})
        run.log_evaluation({"step": 1, "eval/build": 0.78, "eval/test": 0.3})
        summarise(run, steps=1, seconds=1800, cost=1.0, expected=expected)
    return path


def test_summary_and_report_have_time_and_money_beside_the_published_run(tmp_path: Path) -> None:
    path = summarised(tmp_path / "run", Outlook(NOW, 100, 3500, usd_per_hour=2.0))
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["usd"], summary["usd_expected"], summary["seconds_expected"]) == (1.0, 2.0, 3600)
    rows = re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", money_html(read_run(path)))
    found = {name: (here, there) for name, here, there in rows}
    assert found["time"] == ("30 min 0 s", "a bit over 24 h")
    assert found["cost"] == ("1.00 dollars, 2.00 expected after the first steps", "under 100 dollars")
    assert found["programs that build"] == ("41% → 78%", "62% → 81%")
    assert found["ended"][0] == f"{summary['ended'][:10]} {summary['ended'][11:16]} UTC"


def test_the_report_of_a_running_run_says_what_is_expected(tmp_path: Path) -> None:
    path = summarised(tmp_path / "run", None)
    (path / "summary.json").unlink()
    assert "0.50 dollars" in money_html(read_run(path)), "what its steps took, at the price in its settings"
    with RunDirectory.resume(path) as run:
        run.write_progress({"step": 1, "num_steps": 4, **Outlook(NOW, 900, 2700, usd_per_hour=2.0).record()})
    page = money_html(read_run(path))
    assert "15 min 0 s so far, 1 h 0 min in all" in page and "0.50 dollars so far, 2.00 in all" in page
    assert "<th>expected end</th><td>2026-01-01 12:45 UTC</td>" in page
    (path / "progress.json").write_text('{"step"')
    assert "0.50 dollars" in money_html(read_run(path))


class Training:
    """As much of a training loop as is told of."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.writer = SimpleNamespace(newest=None)
        self.schedule = Schedule(num_steps=4, eval_every=0, checkpoint_every=0)
        self.pace, self.limits, self.seconds, self.evaluate = Pace({"step": [10.0]}), RunLimits(), 10.0, None


def test_a_full_disk_costs_the_watchers_alone_and_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunDirectory.create(tmp_path / "run", config_toml="", environment={}) as run:
        unfinished = run.path / ".progress.json.unfinished"
        unfinished.symlink_to("/dev/full")  # it is written and never read
        output = PlainOutput()
        output.begin(0, 4)
        teller = Teller(Training(run), output, lambda metrics: {})  # type: ignore[arg-type]
        for step in (1, 2):
            teller.on_step(step, {"time/step": 10.0})
        assert not (run.path / "progress.json").exists()
        unfinished.unlink()
        teller.on_step(3, {"time/step": 10.0})
        assert json.loads((run.path / "progress.json").read_text())["step"] == 3
    said = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert said[:4] == ["step 1/4", "warning", "step 2/4", "step 3/4"] and "warning" not in said[4:]


def test_the_published_figures_are_those_of_the_evaluations() -> None:
    before, after = PUBLISHED_FIGURES[:2]
    for name in ("build", "test"):
        shares = [count / PUBLISHED_RUN.num_programs for count in getattr(PUBLISHED_RUN, name)]
        assert shares == [before.rates[name], after.rates[name]]


# Outputs


def show(output: PlainOutput | JsonOutput | BarOutput) -> None:
    """A short run, with hostile text in it."""
    output.begin(0, 2)
    output.say("warning: \x1b[31mred\x1b[0m")
    metrics = {"time/step": 1.5, "loss/total": float("nan")}
    output.step(1, metrics, {"reward": "2.31"}, Outlook(NOW, 60, 60, usd_per_hour=60))
    output.evaluation({"step": 1, "eval/build": 0.5})
    output.notice(1, "best", "best evaluation so far")
    output.checkpoint(1, "runs/first/checkpoints/step-000001")
    output.close()
    output.end("done", {"usd": 2.0})


def test_plain_output_is_lines_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show(PlainOutput())
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"step 1/2: reward 2\.31, 1\.5 s, end \d\d:\d\d, 1\.00 of 2\.00 dollars", lines[1])
    assert lines[0] == "warning: red" and lines[2] == "best evaluation so far" and "step-000001" in lines[3]
    assert all(line.isprintable() for line in lines)


def test_json_output_is_one_object_a_line_and_everything_else_goes_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()
    show(JsonOutput(stream))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["step", "evaluation", "notice", "checkpoint", "end"]
    assert events[0]["metrics"] == {"time/step": 1.5, "loss/total": None}
    assert (events[0]["num_steps"], events[0]["usd_expected"], events[0]["seconds_left"]) == (2, 2.0, 60)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == "warning: red\n"


def test_the_bar_has_end_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    show(BarOutput())
    assert re.search(r"reward=2\.31, end=\d\d:\d\d, usd=1\.00 of 2\.00", capsys.readouterr().err)


def test_json_ends_with_an_end_whatever_happens_and_print_does_not_get_between(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="bad"), open_output("json"):
        print("not an event")
        raise ValueError("bad \x1b[31mthing")
    with open_output("json"):
        pass
    captured = capfd.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [
        {"event": "end", "outcome": "failed", "error": "bad thing"},
        {"event": "end", "outcome": "interrupted"},
    ]
    assert captured.err == "not an event\n"
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"


# Help


def test_help_begins_with_what_is_used_most_and_has_every_section_in_a_group(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    shown = capsys.readouterr().out
    assert shown.index("--plain") < shown.index("MOST USED") < shown.index("THE RUN") < shown.index("THE MODEL")
    named = re.findall(r"^  ([a-z]+\.[a-z_]+)  ", most_used(Recipe), re.MULTILINE)
    assert named == list(MOST_USED), "each of them is a setting"
    explained = explain(Recipe)
    assert [title for title in GROUPS if title in explained] == list(GROUPS)


def test_plain_and_json_exclude_each_other() -> None:
    assert (parse_arguments([]).output, parse_arguments(["--plain"]).output) == ("bar", "plain")
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(["--plain", "--json"])
