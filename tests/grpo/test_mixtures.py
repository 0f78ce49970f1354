"""Several sources in one stream, whose turn it is by weights; and what is measured of each task of a batch.

The order is a function of seed and position, so a run resumed anywhere sees what an undisturbed one sees; a source
alone has the order that it always had. Expected orders and numbers are worked out by hand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grpo.checkpoint.latest import latest_checkpoint
from grpo.config import DataSection, EvalSection
from grpo.evaluate import Evaluation, evaluation_metrics
from grpo.model.policy import Policy
from grpo.rollout.epochs import EpochOrder, MixedOrder, Share, turns_of_pass
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Completion, Example, Group
from grpo.run.by_task import curriculum_metrics, task_metrics
from grpo.run.metrics import explain
from grpo.run.serialize import batch_metrics, completion_lines, evaluation_line
from letter_grader import Grade
from test_trainer import lines, make_trainer, new_run, train

MIXES = [(1.0, 1.0), (1.0, 0.5), (1.0, 3.0, 2.0), (1.0, 0.3, 0.3, 0.1), (1.0, 0.01), (1.0, 0.25, 0.25, 0.25, 0.25)]


def examples(count: int, task: str = "") -> list[Example]:
    return [Example(f"{task}{i}", (), {"task": task} if task else {}) for i in range(count)]


def sources_of(weights: tuple[float, ...], turns: int, count: int = 7) -> list[int]:
    """Whose turn it is: sources of so many examples each."""
    order = MixedOrder([Share(count, weight) for weight in weights], seed=5)
    return [order.at(position) // count for position in range(turns)]


# The order


def test_a_source_alone_has_the_order_that_it_always_had() -> None:
    known = "0 1 4 3 2 0 1 2 3 4 3 1 4 0 2".split()  # of the first version that had sources
    for shares in ((), [Share(5, 1.0)], [Share(5, 0.25)]):
        assert [one.id for one in PromptStream(examples(5), seed=0, shares=shares).take(15)] == known


def test_turns_go_to_whoever_is_furthest_behind() -> None:
    # (n + 1/2) / weight, in order: a 0.5 1.5 2.5 3.5 ..., b 1 3 5 ..., c 2 6 10 ...
    assert "".join("abc"[source] for source in sources_of((1.0, 0.5, 0.25), 14)) == "abacabaabacaba"
    assert "".join("ab"[source] for source in sources_of((1.0, 1.0), 6)) == "ababab", "of equal ones the first"
    assert "".join("ab"[source] for source in sources_of((1.0, 3.0), 8)) == "babbbabb"


@pytest.mark.parametrize("weights", MIXES)
def test_any_hundred_turns_have_the_shares_that_the_weights_say(weights: tuple[float, ...]) -> None:
    turns = sources_of(weights, 1000)
    for start in range(0, 900, 37):
        seen = Counter(turns[start : start + 100])
        for source, weight in enumerate(weights):
            assert seen[source] == pytest.approx(100 * weight / sum(weights), abs=2.01), (start, source)


def test_each_source_has_epochs_of_its_own_in_orders_of_their_own() -> None:
    shares = [Share(6, 1.0), Share(6, 1.0)]
    order = MixedOrder(shares, seed=3)
    seen = [order.at(position) for position in range(48)]
    first, second = [one for one in seen if one < 6], [one - 6 for one in seen if one >= 6]
    alone = EpochOrder(6, seed=3)
    assert first == [alone.at(position) for position in range(24)], "data.train is seen as without the others"
    for epoch in range(4):
        assert sorted(second[6 * epoch : 6 * epoch + 6]) == list(range(6))
    assert first != second, "sources of the same prompts do not show them at the same time"


@pytest.mark.parametrize("weights", MIXES)
def test_a_stream_resumed_at_any_position_goes_on_as_if_undisturbed(weights: tuple[float, ...]) -> None:
    shares = [Share(count, weight) for count, weight in zip((5, 2, 4, 1, 3), weights, strict=False)]
    rows = examples(sum(share.size for share in shares))
    whole = PromptStream(rows, seed=1, shares=shares).take(90)
    for position in range(60):
        assert PromptStream(rows, seed=1, shares=shares, position=position).take(30) == whole[position : position + 30]
    back = PromptStream(rows, seed=1, shares=shares)
    back.take(40)
    back.position = 7  # as `RolloutStream.resume` sets it
    assert back.take(20) == whole[7:27]


def test_what_is_set_aside_gives_its_turn_to_the_next_one() -> None:
    shares, rows = [Share(4, 1.0), Share(4, 1.0)], examples(4, "a") + examples(4, "b")
    stream = PromptStream(rows, seed=0, shares=shares, solved_resample_prob=0.1)
    stream.solved = {one.id for one in rows[:4]}
    drawn = Counter(one.task for one in stream.take(500))
    assert drawn["b"] > 400 and 20 < drawn["a"], "mostly what is not solved, and now and then what is"


def test_a_pass_is_one_over_the_first_source() -> None:
    shares = [Share(10, 1.0), Share(3, 0.5), Share(100, 0.25)]
    assert turns_of_pass(shares) == 17.5
    stream = PromptStream(examples(113), seed=0, shares=shares)
    seen = [int(one.id) for one in stream.take(18)]
    assert sorted(one for one in seen if one < 10) == list(range(10)), "every prompt of the first source once"
    assert stream.place == "prompt 1 of 18 of epoch 2"


# The settings


def test_sources_have_weights_and_evaluations_a_number_of_prompts_each() -> None:
    data = DataSection(train="a.jsonl", train_mix={"b.jsonl": 2.0}, eval="c.jsonl")
    assert list(data.train_sources().items()) == [("a.jsonl", 1.0), ("b.jsonl", 2.0)]
    assert data.eval_sources() == {"c.jsonl": 1.0} and data.conflicts() == []
    assert [EvalSection(prompts=7).num_prompts(weight) for weight in (1.0, 0.5, 2.0, 0.001)] == [7, 4, 14, 1]
    assert EvalSection(prompts=0).num_prompts(3.0) == 0


def test_a_source_that_is_named_twice_is_refused_in_any_spelling() -> None:
    data = DataSection(train="a.jsonl", train_mix={"./a.jsonl": 1.0, "b.jsonl": 1.0, ".//b.jsonl": 2.0})
    found = data.conflicts()
    assert found == [
        'data.train_mix."./a.jsonl": this is data.train, which has weight 1: name every source once',
        'data.train_mix.".//b.jsonl": this is data.train_mix."b.jsonl" too: name every source once',
    ]
    assert "data.eval_mix" in DataSection(eval="hf:a/b", eval_mix={"hf:a/b": 1.0}).conflicts()[0]


# What is measured of tasks


def group(task: str, name: str, solved: list[bool], rewards: list[float | None], **checks: float | None) -> Group:
    completions = tuple(Completion(f"{name}-c{i}", (1, 2), (-1.0,) * 2, "", True, 0) for i in range(len(solved)))
    grades = tuple(Grade({"build": float(one)}, one, {"test": float(one), **checks}) for one in solved)
    return Group(
        Example(name, ({"role": "user", "content": "p"},), {"task": task} if task else {}),
        completions,
        grades,
        tuple(rewards),
    )


GROUPS = [
    group("", "f1", [True, True], [2.0, 4.0], gold=None),
    group("", "f2", [True, False], [1.0, None], gold=None),
    group("repair", "r1", [False, False], [0.0, 1.0], close=0.5),
]


def test_metrics_of_a_batch_by_task_are_means_over_its_own_completions() -> None:
    found = task_metrics(GROUPS, {"function", "infill", "repair"})
    assert found == {
        "task/function/groups": 2.0,
        "task/function/reward_mean": pytest.approx(7 / 3),
        "task/function/reward/build": 0.75,
        "task/function/test": 0.75,
        "task/infill/groups": 0.0,
        "task/repair/groups": 1.0,
        "task/repair/reward_mean": 0.5,
        "task/repair/reward/build": 0.0,
        "task/repair/test": 0.0,
        "task/repair/close": 0.5,
    }
    assert all(explain(key).meaning for key in found)
    whole = batch_metrics(GROUPS, policy_version=0, seconds=1.0)
    assert (
        whole["check/test"] == 0.5 and whole["check/close"] == 0.5
    ), "a check that the first completion lacks counts too"


def test_an_evaluation_has_each_tasks_rates_intervals_and_counts() -> None:
    metrics, counts = evaluation_metrics(GROUPS)
    assert metrics["eval/test"] == 0.5 and metrics["eval/task/function/test"] == 0.75
    # two clusters of means 1 and 0.5 about 0.75: se^2 = 2 * (0.5^2 + 0.5^2) / 4^2
    assert metrics["eval/task/function/test_ci95"] == pytest.approx(1.96 * (2 * 0.5 / 16) ** 0.5)
    assert metrics["eval/task/function/pass_at_1"] == 0.75 and metrics["eval/task/function/pass_at_2"] == 1.0
    assert metrics["eval/task/repair/pass_at_2"] == 0.0 and "eval/task/function/gold" not in metrics
    assert all(explain(key).unit for key in metrics)
    line = evaluation_line(Evaluation(tuple(GROUPS), metrics, counts, 1.0), step=3)
    assert line["counts"]["test"] == [3.0, 6]
    assert {task: (one["num_prompts"], one["counts"]["test"]) for task, one in line["tasks"].items()} == {
        "function": (2, [3.0, 4]),
        "repair": (1, [0.0, 2]),
    }


def test_where_all_ask_for_one_task_nothing_is_said_by_task() -> None:
    for groups in (GROUPS[:2], GROUPS[2:]):
        metrics, counts = evaluation_metrics(groups)
        assert not any("task/" in key for key in metrics)
        assert "tasks" not in evaluation_line(Evaluation(tuple(groups), metrics, counts, 1.0), step=3)


def test_a_completion_line_names_the_task_of_a_row_that_has_one() -> None:
    lines = list(completion_lines(GROUPS, step=1, phase="train"))
    assert [line.get("task") for line in lines] == [None] * 4 + ["repair"] * 2


@pytest.mark.parametrize("value", [None, "", 5, ["repair"], "Write a function.", "Repair", "-x", "r" * 41, "a/b", "é"])
def test_what_is_no_word_names_no_task(value: object) -> None:
    assert Example("1", (), {"task": value}).task == ""


def test_the_prompts_that_are_set_aside_are_counted_by_task() -> None:
    stream = PromptStream(examples(3) + examples(2, "repair"), seed=0)
    stream.solved, stream.zero_std = {"0", "2", "repair1"}, {"1"}
    found = curriculum_metrics(stream)
    assert found == {
        "prompts/solved": 3.0,
        "prompts/zero_std": 1.0,
        "task/function/solved_prompts": 2.0,
        "task/repair/solved_prompts": 1.0,
    }
    assert all(explain(key).unit for key in found)
    assert curriculum_metrics(PromptStream(examples(3), seed=0)) == {"prompts/solved": 0.0, "prompts/zero_std": 0.0}


def test_an_example_that_names_the_usual_task_is_of_the_same_one_as_an_example_that_names_none() -> None:
    assert PromptStream([*examples(1), *examples(1, "function")], seed=0).tasks == {"function"}
    named = replace(GROUPS[0], example=replace(GROUPS[0].example, columns={"task": "function"}))
    assert not Evaluation((named, GROUPS[1]), {}, {}, 0.0).by_task


def test_a_run_on_two_sources_goes_on_to_the_same_prompts_and_logs_each_task(policy: Policy, tmp_path: Path) -> None:
    def asked(name: str, **columns: str) -> Example:
        return Example(name, ({"role": "user", "content": f"say {name}"},), columns)

    prompts = [asked("a"), asked("b"), asked("c"), asked("d", task="repair"), asked("e", task="repair")]
    mixed: dict[str, Any] = {"prompts": prompts, "shares": [Share(3, 1.0), Share(2, 0.5)], "checkpoint_every": 1}
    with new_run(tmp_path / "whole") as run:
        train(make_trainer(policy, run, num_steps=3, **mixed))
    with new_run(tmp_path / "run") as run:
        train(make_trainer(policy, run, num_steps=3, evaluates=False, **mixed), stop_after=1)
        resumed = make_trainer(policy, run, num_steps=3, evaluates=False, **mixed)
        train(resumed, first_step=resumed.resume(latest_checkpoint(run.checkpoints)))

    def seen(name: str) -> list[str]:
        found = [one for one in lines(tmp_path / name / "completions.jsonl") if one["phase"] == "train"]
        return [str(one["task_id"]) for one in found[::4]]

    assert seen("run") == seen("whole")
    assert [name in "de" for name in seen("whole")] == [False, True, False, False, True, False]
    metrics = lines(tmp_path / "whole" / "metrics.jsonl")
    assert [line.get("task/repair/groups") for line in metrics] == [1.0, 0.0, 1.0]
    assert all("task/function/reward/letters" in line and "task/function/build" in line for line in metrics)
    assert all({"prompts/solved", "task/repair/solved_prompts"} <= line.keys() for line in metrics)
    last = lines(tmp_path / "whole" / "evals.jsonl")[-1]
    assert last["tasks"]["repair"]["num_prompts"] == 2  # type: ignore[index]
    assert 0 <= last["eval/task/repair/build"] <= 1  # type: ignore[operator]
