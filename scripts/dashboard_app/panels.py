"""What stands on the dashboard besides completions: the line of each run, its pictures, its mistakes over time.

The pictures are the report's, redrawn from what has been read so far.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from dashboard_app.live_run import LiveRun
from dashboard_app.markup import Markup, element, joined, trusted
from dashboard_app.money import spent
from grpo_rust.report.charts import stacked_chart
from grpo_rust.report.pictures import legend, sections
from grpo_rust.report.reading import CompletionIndex, number
from grpo_rust.report.scale import compact
from grpo_rust.terminal.durations import duration
from sandbox.terminal import counted

__all__ = [
    "bins",
    "brief",
    "header",
    "matches",
    "mistakes_view",
    "money_table",
    "run_pictures",
    "said",
    "table_rows",
    "title",
]

_COLOURS = 11  # of codes; what is rarer is one colour more
_MOST_BARS = 90
_LEARNING = ("Rewards", "Pass rates", "By task")
_TITLE = '<div class="title" role="heading" aria-level="3">'  # an <h3> would get into marimo's table of contents
_OTHERS = ("Lengths and groups", "The policy", "Other")


def header(runs: Mapping[str, LiveRun]) -> Markup:
    """One line a run: state, steps, time, money, and what could not be read."""
    lines = []
    for index, (label, run) in enumerate(runs.items()):
        files, cost = run.files(), spent(run)
        last = files.steps[-1] if files.steps else {}
        facts = [run.state(), f"step {last['step']:,}" if last else "no step yet"]
        wanted = number(files.progress.get("num_steps"))
        facts[-1] += f" of {int(wanted):,}" if wanted and last else ""
        reward = number(last.get("reward/mean"))
        facts += [f"reward {compact(reward)}"] if reward is not None else []
        facts += [duration(cost.seconds)] + ([f"${cost.usd:,.2f}"] if cost.usd is not None else [])
        facts += [f"{duration(cost.seconds_left)} to go"] if cost.seconds_left else []
        facts += [f"ends about {cost.end}"] if cost.seconds_left and cost.end else []
        facts += [f"reading completions, {run.reading:.0%}"] if run.reading < 1 else []
        skipped = sum(files.unreadable.values())
        facts += [f"{skipped:,} lines unreadable"] if skipped else []
        problem = element("span", run.problem, kind="alert") if run.problem else None
        swatch = element("i", kind=f"swatch r{index}") if len(runs) > 1 else None
        name = element("b", label)
        lines.append(element("p", swatch, name, " ", element("span", " · ".join(facts)), problem, kind="run"))
    return element("header", *lines)


def run_pictures(run: LiveRun, window: int, which: str) -> Markup:
    """The report's pictures of one run.

    Args:
        run: The run.
        window: Steps in the rolling mean.
        which: "learning", "time" or "others".
    """
    files = run.files()
    titles = {"learning": _LEARNING, "time": ("Time",)}.get(which, _OTHERS)
    drawn = sections(files, titles, window=window, outcomes=run.index.outcomes() if which != "time" else {})
    found = [html for html in drawn.values() if html]
    if not found:
        return element("p", "No step has been logged yet.", kind="still")
    html = legend(files, window) + "".join(found)
    return trusted(html.replace("<h3>", _TITLE).replace("</h3>", "</div>"))


def money_table(runs: Mapping[str, LiveRun]) -> Markup:
    """Seconds and dollars of each run so far and expected, and the idle shares and tokens of its steps."""
    rows = []
    for label, run in runs.items():
        cost, files = spent(run), run.files()
        left = "–" if cost.seconds_left is None else duration(cost.seconds_left)
        cells = [duration(cost.seconds), left, cost.end or "–", _dollars(cost.usd), _dollars(cost.usd_in_all)]
        for key in ("idle/engine", "idle/sandbox", "idle/trainer", "throughput/tokens_per_s"):
            values = [value for line in files.steps if (value := number(line.get(key))) is not None]
            mean = math.fsum(values) / len(values) if values else None
            cells.append("–" if mean is None else f"{mean:.0%}" if key.startswith("idle/") else compact(mean))
        rows.append(element("tr", element("th", label), *(element("td", text) for text in cells)))
    titles = ("", "so far", "to go", "end", "cost so far", "cost in all", "engine idle", "sandbox idle", "trainer idle")
    head = element("tr", *(element("th", title) for title in (*titles, "tokens/s")))
    note = (
        "Idle shares and tokens a second are means over the steps. To go: what the run expected after its last step, "
        "evaluations and checkpoints counted. Costs need train.usd_per_hour."
    )
    table = element("table", element("thead", head), element("tbody", *rows))
    return joined([element("div", table, kind="scroll evaluated"), element("p", note, kind="read")])


def _dollars(value: float | None) -> str:
    return "–" if value is None else f"${value:,.2f}"


def mistakes_view(run: LiveRun, phase: str) -> Markup:
    """The errors of compiler and linter by their codes: a stack over the steps, and a table with the trend.

    Args:
        run: The run.
        phase: "train" or "eval".
    """
    by_step, graded = run.index.mistakes(phase), run.index.outcomes(phase)
    if not graded:
        return element("p", "No completion has been logged yet.", kind="still")
    totals: Counter[str] = sum(by_step.values(), Counter())
    if not totals:
        return element("p", "No completion has an error.", kind="still")
    names = [name for name, _ in totals.most_common(_COLOURS)]
    bars = []
    for first, last in bins(sorted(graded)):
        steps = [step for step in range(first, last + 1) if step in graded]
        count = sum(graded[step].total() for step in steps)
        if count:
            here: Counter[str] = sum((by_step.get(step, Counter()) for step in steps), Counter())
            heights = [here[name] / count for name in names]
            bars.append((first, last, [*heights, (here.total() - sum(here[name] for name in names)) / count]))
    top = max(sum(heights) for _, _, heights in bars) or 1.0
    span = (float(bars[0][0]), float(bars[-1][1]))
    svg = stacked_chart(span, bars, top=top * 1.02, label="errors a completion, stacked by code")
    title = element("figcaption", element("b", "errors a completion, by code"))
    note = element(
        "p",
        "Completions with an error of this code per completion of the step; one with several codes counts for each.",
        kind="read",
    )
    figure = element("figure", title, trusted(svg), note, kind="panel wide mistakes")
    return joined([figure, _mistake_table(names, totals, by_step, graded)])


def _mistake_table(
    names: Sequence[str], totals: Counter[str], by_step: Mapping[int, Counter[str]], graded: Mapping[int, Counter[str]]
) -> Markup:
    """Each code with its count, and its share of the completions in the first and the last quarter of the steps."""
    steps = sorted(graded)
    quarter = math.ceil(len(steps) / 4)
    rows = []
    for index, name in enumerate(names):
        early, late = (_share(name, part, by_step, graded) for part in (steps[:quarter], steps[-quarter:]))
        cells = [f"{totals[name]:,}", f"{early:.1%}", f"{late:.1%}", f"{(late - early) * 100:+.1f}".replace("-", "−")]
        swatch = element("i", kind=f"swatch p{index}")
        rows.append(element("tr", element("th", swatch, brief(name, 60)), *(element("td", text) for text in cells)))
    rest = totals.total() - sum(totals[name] for name in names)
    if rest:
        swatch = element("i", kind=f"swatch p{len(names)}")
        rows.append(
            element("tr", element("th", swatch, counted(len(totals) - len(names), "other")), element("td", f"{rest:,}"))
        )
    titles = ("error", "completions", "first quarter", "last quarter", "points")
    head = element("tr", *(element("th", title) for title in titles))
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("div", table, kind="scroll evaluated mistakes")


def _share(
    name: str, steps: Sequence[int], by_step: Mapping[int, Counter[str]], graded: Mapping[int, Counter[str]]
) -> float:
    """The share of the completions of some steps that have an error of a code."""
    count = sum(graded[step].total() for step in steps)
    return sum(by_step.get(step, Counter())[name] for step in steps) / count if count else 0.0


def bins(steps: Sequence[int], most: int = _MOST_BARS) -> list[tuple[int, int]]:
    """Ranges of steps, at most so many.

    >>> bins([1, 2, 5], most=2)
    [(1, 3), (4, 5)]
    """
    size = math.ceil((steps[-1] - steps[0] + 1) / most)
    return [(start, min(start + size - 1, steps[-1])) for start in range(steps[0], steps[-1] + 1, size)]


def matches(count: int, page: Sequence[CompletionIndex], skip: int) -> Markup:
    """How many completions match, and which of them are listed."""
    if not count:
        return said("No completion matches.")
    found = "1 completion matches" if count == 1 else f"{count:,} completions match"
    if not page:
        return said(f"{found}, but this page is past the last of them.")
    return said(f"{found}; {skip + 1:,} to {skip + len(page):,} are listed. Choose one to see it.")


def table_rows(page: Sequence[CompletionIndex]) -> list[dict[str, str]]:
    """The columns of the list of completions, as text."""
    return [
        {
            "": sign_of(entry),
            "step": str(entry.step),
            "completion": brief(entry.id, 40),
            "task": brief(entry.task_id, 60),
            "outcome": brief(entry.outcome.replace("_", " "), 30),
            "reward": "–" if entry.reward is None else compact(entry.reward),
        }
        for entry in page
    ]


def brief(text: str, most: int) -> str:
    """The start of a name, in one line.

    >>> brief("a long name", 6)
    'a lon…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def sign_of(entry: CompletionIndex) -> str:
    """The sign of a completion, as the cards of the report have it."""
    if entry.passed is None:
        return "–"
    return "✗" if entry.passed < 1 else "◐" if entry.outcome == "lint_error" else "✓"


def title(label: str, runs: int) -> Markup:
    """A run's heading, where there are several."""
    return element("div", label, kind="title run-title", role="heading", aria_level="2") if runs > 1 else joined([])


def said(text: str, *, problem: bool = False) -> Markup:
    """A sentence."""
    return element("p", text, kind="alert" if problem else "still")
