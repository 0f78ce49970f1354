"""Which groups the page shows, and how many it does not.

A page has no room for all of a run: it shows the same evaluation prompts before and after, the first and the last step,
and the groups whose rewards differ most. Fixed rules choose them, not their looks, and the page prints the rule beside
each group. `cards` draws the chosen groups.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from grpo_rust.report.cards import SIGNS, group_html
from grpo_rust.report.reading import CompletionIndex, RunFiles, load_completions
from grpo_rust.report.visible import escape, shortened

__all__ = ["Choice", "choose", "groups_html"]

IndexedGroup = tuple[CompletionIndex, ...]
_PER_STEP = 2
_MOST_SPREAD = 4
_BUDGET = 3_500_000  # characters of all groups together, so that the page stays below 5 MB


class Choice(NamedTuple):
    """A prompt that was chosen, the rule that chose it, and its completions in one or two rows."""

    heading: str
    why: str
    rows: tuple[tuple[str, IndexedGroup], ...]  # caption and completions; the caption may be empty


def _by_group(completions: Sequence[CompletionIndex], phase: str) -> list[IndexedGroup]:
    """The groups of a phase, in step and slot order."""
    found: dict[tuple[int, str], list[CompletionIndex]] = {}
    for completion in completions:
        if completion.phase == phase:
            found.setdefault((completion.step, completion.group), []).append(completion)
    return [tuple(group) for group in found.values()]


def _spread(group: IndexedGroup) -> float:
    """Standard deviation of the group's rewards; 0 with fewer than two."""
    rewards = [completion.reward for completion in group if completion.reward is not None]
    return statistics.pstdev(rewards) if len(rewards) > 1 else 0.0


def _quality(group: IndexedGroup) -> float:
    """A sort key: the share of strict passes, then the mean reward."""
    passes = [completion.passed for completion in group if completion.passed is not None]
    rewards = [completion.reward for completion in group if completion.reward is not None]
    return 1e6 * (sum(passes) / len(passes) if passes else 0.0) + (sum(rewards) / len(rewards) if rewards else 0.0)


def _training(groups: Sequence[IndexedGroup]) -> list[Choice]:
    """The first and last step's first prompts, then the largest spreads among the others."""
    if not groups:
        return []
    first, last = groups[0][0].step, groups[-1][0].step
    chosen: list[tuple[str, str, IndexedGroup]] = []
    for step, heading in dict.fromkeys(((first, "The first step"), (last, "The last step"))):
        if heading == "The last step" and last == first:
            continue
        here = [group for group in groups if group[0].step == step]
        chosen += [(heading, f"first {_PER_STEP} prompts of step {step}", group) for group in here[:_PER_STEP]]
    taken = {id(group) for _, _, group in chosen}
    spread = sorted((group for group in groups if id(group) not in taken), key=_spread, reverse=True)
    why = "the groups whose rewards differ most: these taught the most"
    chosen += [("The largest spread", why, group) for group in spread[:_MOST_SPREAD] if _spread(group) > 0]
    return [Choice(heading, why, (("", group),)) for heading, why, group in chosen]


def _evaluation(groups: Sequence[IndexedGroup]) -> list[Choice]:
    """The first two prompts, the one that gained most and the one that lost most, before and after."""
    if not groups:
        return []
    first, last = groups[0][0].step, groups[-1][0].step
    before = {group[0].task_id: group for group in groups if group[0].step == first}
    after = {group[0].task_id: group for group in groups if group[0].step == last and last != first}
    order = list(before)
    picks = dict.fromkeys(order[:2], "first prompts of the evaluation")
    gains = {
        task: _quality(after[task]) - _quality(before[task]) for task in order if task in after and task not in picks
    }
    if gains and max(gains.values()) > 0:
        picks[max(gains, key=lambda task: gains[task])] = "the prompt that gained most"
    if gains and min(gains.values()) < 0:
        picks[min(gains, key=lambda task: gains[task])] = "the prompt that lost most"
    heading = "The evaluation, before and after" if after else "The evaluation"
    choices = []
    for task, why in picks.items():
        rows = [(f"step {first}", before[task])] + ([(f"step {last}", after[task])] if task in after else [])
        choices.append(Choice(heading, why, tuple(rows)))
    return choices


def choose(completions: Sequence[CompletionIndex]) -> list[Choice]:
    """The groups to show: evaluation first, then training; at most a dozen prompts.

    Args:
        completions: The index of a run's completions, in order.
    """
    return _evaluation(_by_group(completions, "eval")) + _training(_by_group(completions, "train"))


def _not_shown(run: RunFiles, shown: Sequence[Choice], too_long: int) -> str:
    """How many groups of the run the page shows, and how many it does not."""
    parts = []
    for phase, word in (("eval", "evaluation"), ("train", "training")):
        total = len(_by_group(run.completions, phase))
        here = sum(1 for choice in shown for _, group in choice.rows if group[0].phase == phase)
        if total:
            parts.append(f"{here:,} of {total:,} {word} groups")
    long = f" {too_long} chosen groups were left out because their text is too long for this page." if too_long else ""
    return f"Shown: {' and '.join(parts)}; completions.jsonl holds them all.{long}"


def groups_html(run: RunFiles) -> str:
    """The chosen groups as HTML, within the page's budget; a sentence where the run has no completions on disk."""
    if not run.completions:
        return '<p class="still">The run has no completions.jsonl, or it is empty (log.completions = false?).</p>'
    parts: list[str] = []
    shown: list[Choice] = []
    spent, too_long, heading = 0, 0, ""
    for choice in choose(run.completions):
        records = [(caption, load_completions(run, group)) for caption, group in choice.rows]
        html = group_html(_title(choice), choice.why, records, unfolded=not shown)
        if spent + len(html.encode()) > _BUDGET:
            too_long += 1
            continue
        if choice.heading != heading:
            heading = choice.heading
            parts.append(f"<h3>{escape(heading)}</h3>")
        parts.append(html)
        shown.append(choice)
        spent += len(html.encode())
    return f'<p class="legend">{escape(_not_shown(run, shown, too_long))} {SIGNS}</p>' + "".join(parts)


def _title(choice: Choice) -> str:
    """Step and task of a chosen prompt."""
    first = choice.rows[0][1][0]
    steps = " and ".join(dict.fromkeys(str(group[0].step) for _, group in choice.rows))
    return f"step {steps} · {shortened(first.task_id or first.group, 100)[0]}"
