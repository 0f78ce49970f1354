"""The contract of `grpo.run.metrics`: one table explains every number that a run logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grpo.run.metrics import METRICS, explain, markdown_table


def test_every_metric_has_a_meaning_a_unit_and_an_area():
    for key, metric in METRICS.items():
        assert metric.meaning and metric.unit, key
        assert key.count("/") == 1 or key.startswith(("task/<task>/", "eval/task/<task>/")), key
        assert not key.startswith("/"), key


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("reward/mean", "reward/mean"),
        ("reward/cargo_build", "reward/<function>"),
        ("reward/mine.rewards:short-code", "reward/<function>"),
        ("reward/path/to/my rewards.py:short", "reward/<function>"),
        ("check/test_strict", "check/<name>"),
        ("eval/build", "eval/<name>"),
        ("eval/build_ci95", "eval/<name>_ci95"),
        ("eval/pass_at_4", "eval/pass_at_<k>"),
        ("eval/reward_mean", "eval/reward_mean"),
        ("task/repair/groups", "task/<task>/groups"),
        ("task/next_edit/test_strict", "task/<task>/<name>"),
        ("task/repair/reward/my/rewards.py:short", "task/<task>/reward/<function>"),
        ("eval/task/repair/pass_at_4", "eval/task/<task>/<name>"),
        ("eval/task/repair/gold_ci95", "eval/task/<task>/<name>_ci95"),
    ],
)
def test_a_key_finds_its_own_row(key, row):
    assert explain(key) == METRICS[row]


@pytest.mark.parametrize(
    "key", ["reward", "rewards/mean", "check/", "loss/totl", "check/a b", "", "time/", "eval/a/b", "task/A b/gold"]
)
def test_an_unexplained_key_is_refused_by_name(key):
    with pytest.raises(KeyError, match="add a row"):
        explain(key)


def test_the_documentation_has_a_row_for_every_metric():
    table = markdown_table().splitlines()
    assert len(table) == 2 + len(METRICS)
    assert all(line.replace("\\|", "").count("|") == 4 for line in table), "a cell's own bar would split it"


def test_the_documentation_shows_the_table_of_today():
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"
    assert markdown_table() in page.read_text()
