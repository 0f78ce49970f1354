"""The experiment log: one line a completion with all that the published log had, whatever the function does."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import math
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import rewards
from completions import ADD, HONEST, fenced, passed
from rewards import Experiment, trl_functions
from rewards.tool_output import note_tool_output
from sandbox import Outcome, Verdict
from sandbox.verdict import Diagnostic

ROOT = Path(__file__).parents[2]
FIELDS = (
    *("timestamp", "step", "function", "score", "task_id", "rust_prompt", "completion", "func_execution_time"),
    *("extracted_code", "tool_output", "error"),
)
BROKEN = Verdict(Outcome.BUILD_ERROR, build=False, diagnostics=(Diagnostic("error", "E0308", "mismatched types", 3),))


def lines(path):
    return [json.loads(line) for line in path.read_bytes().decode("utf-8").splitlines()]


def called_as_trl_does(function, completions, **columns):
    """A call with the arguments of TRL 1.16: chat messages, columns as lists, and its state."""
    return function(
        prompts=[[{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Write add"}]]
        * len(completions),
        completions=[[{"role": "assistant", "content": text}] for text in completions],
        completion_ids=[[1, 2]] * len(completions),
        trainer_state=SimpleNamespace(global_step=7),
        log_extra=lambda column, values: None,
        log_metric=lambda name, value: None,
        **columns,
    )


@pytest.fixture
def experiment(tmp_path):
    return Experiment(tmp_path / "outputs" / "first")


def test_the_published_function_is_logged_in_the_published_shape(experiment):
    @experiment.log("cargo_build_rewards.jsonl")
    def cargo_build_reward_func(prompts, completions, task_id, **kwargs) -> list[float]:
        """Whether it builds."""
        note_tool_output([None, "error: expected `;`"])
        return [1.0, 0.5]

    texts = [fenced("fn a() {}\n"), "no code"]
    assert called_as_trl_does(cargo_build_reward_func, texts, task_id=["t1", 2]) == [1.0, 0.5]
    assert cargo_build_reward_func.__name__ == "cargo_build_reward_func"
    assert cargo_build_reward_func.__doc__ == "Whether it builds."
    first, second = lines(experiment.path / "cargo_build_rewards.jsonl")
    assert tuple(first) == tuple(second) == FIELDS
    assert datetime.fromisoformat(first.pop("timestamp")).tzinfo is not None and first["func_execution_time"] >= 0
    del first["func_execution_time"]
    assert first == {
        "step": 7,
        "function": "cargo_build_reward_func",
        "score": 1.0,
        "task_id": "t1",
        "rust_prompt": "Write add",
        "completion": texts[0],
        "extracted_code": "fn a() {}\n",
        "tool_output": None,
        "error": None,
    }
    assert (second["task_id"], second["score"], second["extracted_code"]) == (2, 0.5, None)
    assert second["tool_output"] == "error: expected `;`"


def test_every_call_appends_and_functions_may_share_a_file(experiment):
    for name in ("first", "second"):
        function = experiment.log("all.jsonl")(lambda completions, **rest: [float(len(text)) for text in completions])
        function(completions=["a" * len(name)])
        function(completions=["", "b"], rust_prompt=["x", "y"])
    found = [(line["score"], line["rust_prompt"], line["step"]) for line in lines(experiment.path / "all.jsonl")]
    assert found == [(5.0, None, None), (0.0, "x", None), (1.0, "y", None)] + [
        (6.0, None, None),
        (0.0, "x", None),
        (1.0, "y", None),
    ]


def test_a_call_by_position_has_the_same_lines(experiment):
    @experiment.log("f.jsonl")
    def f(prompts, completions, task_id):
        return [1]

    f(["p"], ["c"], ["t"])
    [line] = lines(experiment.path / "f.jsonl")
    assert (line["rust_prompt"], line["completion"], line["task_id"], line["score"]) == ("p", "c", "t", 1.0)


def test_coroutines_are_logged_each_with_its_own_output(experiment):
    @experiment.log("async.jsonl")
    async def judged(completions, **rest):
        await asyncio.sleep(0)
        note_tool_output([f"said {completions[0]}"])
        await asyncio.sleep(0)
        return [None]

    class Judge:
        async def __call__(self, completions, **rest):
            return await judged.__wrapped__(completions=completions)

    def scores():
        return asyncio.gather(*(function(completions=[text]) for text, function in calls))

    async def gathered():
        return await scores()

    by_object = experiment.log("async.jsonl")(Judge())
    calls = [
        ("a", judged),
        ("b", judged),
        ("c", by_object),
        ("d", experiment.log("async.jsonl")(functools.partial(judged.__wrapped__))),
    ]
    assert asyncio.run(gathered()) == [[None]] * 4
    found = {line["completion"]: line for line in lines(experiment.path / "async.jsonl")}
    assert {text: line["tool_output"] for text, line in found.items()} == {text: f"said {text}" for text in "abcd"}
    assert found["a"]["score"] is None and found["c"]["function"] == "Judge" and found["d"]["function"] == "judged"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_function_that_raises_is_logged_and_raises_on(experiment, is_async):
    @experiment.log("f.jsonl")
    def plain(completions, **rest):
        raise ZeroDivisionError("by zero")

    @experiment.log("f.jsonl")
    async def later(completions, **rest):
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(later(completions=["a", "b"])) if is_async else plain(completions=["a", "b"])
    found = lines(experiment.path / "f.jsonl")
    assert [(line["score"], line["error"], line["completion"]) for line in found] == [
        (None, "ZeroDivisionError: by zero", "a"),
        (None, "ZeroDivisionError: by zero", "b"),
    ]


@pytest.mark.parametrize(
    ("returned", "scores", "error"),
    [
        ([None, math.nan], [None, None], None),
        ([True, math.inf], [1.0, None], None),
        (["0.5", "x"], [0.5, None], None),
        ([1.0], [1.0, None], "returned 1 score for 2 completions"),
        (None, [None, None], "returned NoneType in place of scores"),
    ],
)
def test_a_score_that_is_no_number_is_null_and_reaches_the_trainer_as_it_is(experiment, returned, scores, error):
    assert experiment.log("f.jsonl")(lambda completions: returned)(completions=["a", "b"]) is returned
    found = lines(experiment.path / "f.jsonl")
    assert [line["score"] for line in found] == scores and found[0]["error"] == error


def test_scores_that_can_be_read_only_once_are_still_there_for_the_trainer(experiment):
    scores = experiment.log("f.jsonl")(lambda completions: (len(text) for text in completions))(completions=["abc"])
    assert list(scores) == [3] and lines(experiment.path / "f.jsonl")[0]["score"] == 3.0


def test_hostile_text_stays_one_line_of_json(experiment):
    text = 'a\n"}\n{"score": 9}\u2028\u0000\ud83d\x1b[31m'
    experiment.log("f.jsonl")(lambda **rest: [0.0])(prompts=[text], completions=[text], task_id=[{"a": math.nan}])
    raw = (experiment.path / "f.jsonl").read_bytes()
    assert raw.isascii() and raw.count(b"\n") == 1
    [line] = lines(experiment.path / "f.jsonl")
    assert line["completion"] == line["rust_prompt"] == text.replace("\ud83d", "\ufffd") and line["score"] == 0.0
    assert line["task_id"] == "{'a': nan}"


def test_the_builtin_functions_tell_what_the_compiler_said(experiment, pool, monkeypatch):
    monkeypatch.setattr(trl_functions, "_pools", [pool])
    function = experiment.log("cargo_build_rewards.jsonl")(rewards.cargo_build_reward_func)
    texts = [fenced(HONEST["a plain call"]), fenced(ADD.replace("-> i32", "-> bool")), "no code"]
    assert called_as_trl_does(function, texts) == [1.0, 0.0, 0.0]
    good, bad, none = lines(experiment.path / "cargo_build_rewards.jsonl")
    assert good["function"] == "cargo_build_reward_func" and "test result: ok" in good["tool_output"]
    assert "error[E0308]: mismatched types" in bad["tool_output"] and bad["tool_output"].startswith("line ")
    assert none["tool_output"] is None and none["score"] == 0.0


def test_verdicts_that_a_function_is_given_are_its_tool_output(experiment):
    function = experiment.log("f.jsonl")(rewards.non_empty_reward_func)
    function(completions=["x", "y", "z"], verdicts=[BROKEN, passed(), None])
    outputs = [line["tool_output"] for line in lines(experiment.path / "f.jsonl")]
    assert outputs == ["line 3: error[E0308]: mismatched types", "", None]


def test_a_log_that_cannot_be_written_is_told_once_and_costs_no_score(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    function = Experiment(tmp_path / "file").log("f.jsonl")(lambda completions: [1.0])
    with caplog.at_level(logging.WARNING):
        assert [function(completions=["a"]) for _ in range(3)] == [[1.0]] * 3
    [record] = caplog.records
    assert "f.jsonl" in record.message and "The training goes on" in record.message


def test_values_that_cannot_be_read_end_no_training(experiment, caplog):
    class Hostile:
        def __str__(self):
            raise RuntimeError("no text")

    with caplog.at_level(logging.WARNING):
        assert experiment.log("f.jsonl")(lambda completions: [1.0])(completions=[Hostile()]) == [1.0]
    assert "RuntimeError: no text" in caplog.text


def test_on_a_full_disk_lines_are_lost_and_the_next_one_is_whole(experiment, monkeypatch, caplog):
    function = experiment.log("f.jsonl")(lambda completions: [1.0])
    write = os.write
    state = {"room": math.inf}

    def limited(file, data):
        if state["room"] <= 0:
            raise OSError(28, "No space left on device")
        taken = data[: int(min(state["room"], len(data)))]
        state["room"] -= len(taken)
        return write(file, taken)

    function(completions=["first"])
    monkeypatch.setattr(os, "write", limited)
    state["room"] = 20
    assert function(completions=["lost"]) == [1.0]
    state["room"] = math.inf
    function(completions=["last"])
    torn = (experiment.path / "f.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["completion"] for line in (torn[0], torn[2])] == ["first", "last"]
    assert len(torn) == 3 and len(torn[1]) == 20 and caplog.text.count("No space left") == 1


def test_several_processes_append_whole_lines(experiment):
    program = (
        "import sys; from rewards import Experiment\n"
        "f = Experiment(sys.argv[1]).log('f.jsonl')(lambda completions: [1.0] * len(completions))\n"
        "for call in range(50): f(completions=[sys.argv[2] * 5000, str(call)])\n"
    )
    command = [sys.executable, "-c", program, str(experiment.path)]
    running = [subprocess.Popen([*command, name], cwd=ROOT) for name in "abc"]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    found = [line["completion"] for line in lines(experiment.path / "f.jsonl")]
    assert len(found) == 3 * 50 * 2
    assert sorted(found) == sorted([name * 5000 for name in "abc"] * 50 + [str(call) for call in range(50)] * 3)
    assert all(len(text) == 5000 for text in found[::2]), "the lines of a call stay together"


TRAINS = """
from rewards import Experiment, cargo_build_reward_func
experiment = Experiment("outputs")

@experiment.log("length_rewards.jsonl")
def length_reward_func(prompts, completions, task_id, **kwargs) -> list[float]:
    return [float(len(completion[0]["content"])) for completion in completions]

@experiment.log("async_rewards.jsonl")
async def async_reward_func(completions, **kwargs):
    return [None, 0.5]

if __name__ == "__main__":
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer  # here: the sandbox's workers import this file again
    prompt = [{"role": "user", "content": "Write `fn add(a: i32, b: i32) -> i32`."}]
    tasks = Dataset.from_list([{"prompt": prompt, "task_id": f"t{n}"} for n in range(2)])
    settings = GRPOConfig("out", num_generations=2, per_device_train_batch_size=2, max_completion_length=48,
                          max_steps=2, use_cpu=True, report_to=[], save_strategy="no")
    build = experiment.log("cargo_build_rewards.jsonl")(cargo_build_reward_func)
    GRPOTrainer("ASSETS/tiny-rust", reward_funcs=[build, length_reward_func, async_reward_func], args=settings,
                train_dataset=tasks).train()
"""


@pytest.mark.slow
def test_it_works_in_trls_trainer(tmp_path):
    pytest.importorskip("trl", reason="trl is not installed: pip install 'trl>=1.16'")
    (tmp_path / "train.py").write_text(TRAINS.replace("ASSETS", str(ROOT / "assets")))
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    logs = {path.stem: lines(path) for path in (tmp_path / "outputs").iterdir()}
    assert set(logs) == {"cargo_build_rewards", "length_rewards", "async_rewards"}
    for found in logs.values():
        assert [line["step"] for line in found] == [0, 0, 1, 1]
        assert {line["task_id"] for line in found} == {"t0", "t1"} and {len(line) for line in found} == {len(FIELDS)}
        assert {line["rust_prompt"] for line in found} == {"Write `fn add(a: i32, b: i32) -> i32`."}
    assert all(line["score"] == len(line["completion"]) for line in logs["length_rewards"])
    assert [line["score"] for line in logs["async_rewards"]] == [None, 0.5] * 2
    built = logs["cargo_build_rewards"]
    assert all((line["tool_output"] is None) == (line["extracted_code"] is None) for line in built)
