"""What the log lines say is what the groups hold, and every metric of a batch has a row in the table."""

import dataclasses
import json

import pytest

from grpo.evaluate import Evaluation, evaluation_metrics
from grpo.rollout.records import UNPAID, Completion, Example, Group
from grpo.run.metrics import explain
from grpo.run.serialize import batch_metrics, completion_lines, evaluation_line, reward_lines
from letter_grader import Grade

MESSAGES = ({"role": "system", "content": "s"}, {"role": "user", "content": "Write it"})


def completion(name: str, tokens: int, terminated: bool = True) -> Completion:
    return Completion(name, (1,) * tokens, (-0.5,) * tokens, f"text {name}", terminated, policy_version=3)


def grade(build: float | None, score: float | None) -> Grade:
    return Grade(
        {"cargo_build": score}, None, {"build": build, "asserts": 2.0}, {"cargo_build": 0.25}, {"outcome": "passed"}
    )


PARTS = ({"tests": [(0, 2)], "prose": [(3, 4)]}, {"code": [(0, 1)]})
GROUP = Group(
    Example("task", MESSAGES, prompt_ids=(1, 2)),
    (completion("a", 2), completion("b", 4, terminated=False)),
    (grade(1.0, 1.0), grade(None, None)),
    (2.0, None),
)


def test_a_completion_line_says_everything_about_one_completion() -> None:
    first, second = completion_lines([GROUP], step=5, phase="train", advantages=[[0.7, 0.0]])
    assert first == {
        "id": "a",
        "step": 5,
        "phase": "train",
        "task_id": "task",
        "prompt": "Write it",
        "text": "text a",
        "terminated": True,
        "num_tokens": 2,
        "reward": 2.0,
        "advantage": 0.7,
        "rewards": {"cargo_build": 1.0},
        "checks": {"build": 1.0, "asserts": 2.0},
        "verdict": {"outcome": "passed"},
    }
    assert second["reward"] is None and second["advantage"] is None, "no reward, so nothing to compare"
    json.dumps([first, second])


def test_a_line_has_the_advantage_of_each_part_that_the_completion_has() -> None:
    first, second = (dataclasses.replace(grade, spans=spans) for grade, spans in zip(GROUP.grades, PARTS, strict=True))
    columns = {"code": (2.0, None), "tests": (1.0, None), UNPAID: (0.5, None)}
    group = dataclasses.replace(GROUP, grades=(first, second), part_rewards=columns)
    values = {"advantages": [[0.7, 0.0]], "part_advantages": [[[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]]]}
    one, other = completion_lines([group], step=5, phase="train", **values)
    assert one["advantage"] == 0.7 and one["part_advantages"] == {"tests": 0.2, "prose": 0.3}
    assert "part_advantages" not in other, "it has no reward"


def test_reward_lines_are_one_a_function_and_completion() -> None:
    first, second = reward_lines([GROUP], step=5)
    assert {**first, "time": 0} == {
        "time": 0,
        "step": 5,
        "function": "cargo_build",
        "score": 1.0,
        "task_id": "task",
        "completion_id": "a",
        "seconds": 0.25,
    }
    assert second["score"] is None


def test_batch_metrics_leave_unknown_values_out_of_the_mean() -> None:
    metrics = batch_metrics([GROUP], policy_version=4, seconds=2.0)
    assert metrics["check/build"] == 1.0 and metrics["reward/cargo_build"] == 1.0
    assert metrics["reward/unscored"] == 1
    assert (metrics["completion/length_mean"], metrics["completion/length_max"]) == (3.0, 4.0)
    assert metrics["completion/truncated"] == 0.5
    assert metrics["policy/staleness"] == 1.0
    assert (metrics["throughput/tokens_per_s"], metrics["throughput/completions_per_s"]) == (3.0, 1.0)
    for key in metrics:
        explain(key)


def test_an_evaluation_line_carries_its_counts() -> None:
    metrics, counts = evaluation_metrics([GROUP])
    line = evaluation_line(Evaluation((GROUP,), metrics, counts, seconds=1.5), step=9)
    assert (line["step"], line["num_prompts"], line["num_samples"]) == (9, 1, 2)
    assert line["counts"]["build"] == [1.0, 1]
    for key in line.keys() - {"step", "num_prompts", "num_samples", "counts"}:
        explain(key)


@pytest.mark.parametrize("key", ["rewards/mean", "speed"])
def test_a_metric_without_a_row_is_refused(key: str) -> None:
    with pytest.raises(KeyError, match="METRICS"):
        explain(key)
