"""The tasks and rewards inside verifiers' evaluator, OpenEnv's server and TRL's trainer: our scores, on real cargo."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from grpo.errors import BadInput, HostFailed
from grpo_rust.environments.for_trl import environment_factory
from grpo_rust.environments.tasks import EnvironmentTask, EnvironmentTasks, Scorer, open_tasks
from rewards.feedback import NO_PROGRAM, OUTCOMES, feedback
from rewards.grader import RustGrade, RustGrader
from rewards.rubric import Rubric
from sandbox.verdict import Evidence, Outcome, Verdict

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "assets" / "tiny-rust"
TESTS = """
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        assert_eq!(add(-5, 2), -3);
    }
}
"""
GOOD = "fn add(a: i64, b: i64) -> i64 {\n    a + b\n}\n" + TESTS
WRONG = GOOD.replace("a + b", "a - b")
BROKEN = GOOD.replace("a + b", 'a + "b"')
ANSWERS = {
    "Write add.": f"Here:\n```rust\n{GOOD}```\n",
    "Write add, wrongly.": f"```rust\n{WRONG}```",
    "Write add, brokenly.": f"```rust\n{BROKEN}```",
    "Say hello.": "Hello.",
}
# By hand, with the weights below: build 1, thorough 2 (two distinct asserts that notice a change), gold 1.
WEIGHTS = {"cargo_build": 1.0, "cargo_test_thorough": 2.0, "gold": 1.0, "code_block": 0.0}
TOTALS = {"Write add.": 4.0, "Write add, wrongly.": 1.0, "Write add, brokenly.": 0.0, "Say hello.": 0.0}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Four tasks with gold tests, and the weights of `WEIGHTS`."""
    path = tmp_path_factory.mktemp("data") / "tasks.jsonl"
    case = [{"call": "add(20, 3)", "expected": "23"}]
    rows = [{"task_id": f"t{n}", "prompt": prompt, "gold_cases": case} for n, prompt in enumerate(ANSWERS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = path.with_name("recipe.toml")
    recipe.write_text("[rewards.weights]\n" + "".join(f"{name} = {weight}\n" for name, weight in WEIGHTS.items()))
    return str(recipe), f"data.train={path}", f"data.eval={path}", "sandbox.jobs=1", "sandbox.keep_verdicts=false"


@pytest.fixture(scope="module")
def tasks(settings: tuple[str, ...]) -> EnvironmentTasks:
    return open_tasks(settings[1:], recipe=settings[0])


@contextmanager
def openai_server() -> Iterator[str]:
    """A server of OpenAI's interface that answers a prompt as `ANSWERS` says; its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = {"role": "assistant", "content": ANSWERS[asked["messages"][-1]["content"]]}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            answer = {"id": "1", "object": "chat.completion", "created": 0, "model": asked["model"]}
            data = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


# The scorer


def test_a_scorer_gives_the_sums_that_hands_compute(tasks: EnvironmentTasks) -> None:
    async def totals() -> list[float]:
        texts = [ANSWERS[task.messages[-1]["content"]] for task in tasks.tasks]
        grades = await asyncio.gather(*map(tasks.scorer.score, tasks.tasks, texts))
        return [tasks.scorer.total(grade) for grade in grades]

    assert asyncio.run(totals()) == list(TOTALS.values())


def test_a_completion_that_no_reward_applies_to_is_no_failure_of_the_host(tasks: EnvironmentTasks) -> None:
    row = {"signature": "fn add(a: i64, b: i64) -> i64", "gold_cases": [{"call": "add(20, 3)", "expected": "23"}]}
    hidden = EnvironmentTask("hidden", ({"role": "user", "content": "Write the sum."},), row)
    scorer = Scorer(RustGrader(Rubric({"gold": 1.0}), tasks.scorer._grader._pool))
    grade = scorer.score_now(hidden, f"```rust\n{GOOD.replace('add(', 'sum(')}```")
    assert grade.rewards == {"gold": None} and scorer.total(grade) == 0.0
    assert grade.verdict["gold"]["inapplicable"] == "it has no add"


def test_what_the_host_could_not_examine_is_a_failure_of_the_host(
    tasks: EnvironmentTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: Future[Evidence] = Future()
    failed.set_result(Evidence(Outcome.HOST_ERROR, reason="no room"))
    monkeypatch.setattr(tasks.scorer._grader._pool, "submit_experiment", lambda experiment: failed)
    with pytest.raises(HostFailed, match="could not grade a completion to t0: no room"):
        tasks.scorer.score_now(tasks.tasks[0], ANSWERS["Write add."])


def test_waiting_for_verdicts_blocks_no_event_loop(tasks: EnvironmentTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty completions are waited for at once, and none ends before the loop itself has done something."""
    meet, release = threading.Barrier(31), threading.Event()

    def slow(task: EnvironmentTask, text: str) -> str:
        meet.wait(30)
        assert release.wait(30)
        return text

    async def all_at_once() -> list[str]:
        monkeypatch.setattr(tasks.scorer, "score_now", slow)
        waiting = [asyncio.ensure_future(tasks.scorer.score(tasks.tasks[0], str(number))) for number in range(30)]
        await asyncio.to_thread(meet.wait, 30)
        release.set()
        return [str(text) for text in await asyncio.gather(*waiting)]

    assert asyncio.run(all_at_once()) == [str(number) for number in range(30)]


def test_what_no_environment_can_score_is_refused(settings: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="need whole groups"):
        open_tasks((*settings[1:], "rewards.weights.cross_agreement=1"), recipe=settings[0])
    with pytest.raises(BadInput, match="the split is 'dev': give train or eval"):
        open_tasks(settings[1:], recipe=settings[0], split="dev")


def test_feedback_has_what_cargo_said_and_no_gold_test() -> None:
    error = {"level": "error", "code": "E0308", "message": "mismatched types", "line": 2}
    many = [{"level": "warning", "code": None, "message": f"w{number}", "line": None} for number in range(9)]

    def told(outcome: str, strict: float = 0.0, **verdict: object) -> str:
        return feedback(RustGrade({}, {"test_strict": strict}, verdict={"code": "x", "outcome": outcome, **verdict}))

    said = told("build_error", diagnostics=[*many, error], gold={"calls": "add(20"})
    assert said.splitlines()[:2] == ["It does not build.", "error[E0308], line 2: mismatched types"]
    assert said.endswith("... and 2 more messages") and "add(20" not in said
    assert feedback(RustGrade({}, verdict={"code": None})) == NO_PROGRAM
    failed = told("test_failed", test_output="y" * 5000 + "the end")
    assert failed.endswith("the end") and len(failed) < 1600
    assert told("passed", 1.0, strict_reason="tests that could have failed passed") == OUTCOMES["passed"]
    assert told("passed", strict_reason="no assert") == f"{OUTCOMES['passed']}\nThat does not count: no assert."


# verifiers


def test_verifiers_evaluator_gives_our_scores(settings: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("verifiers.v1", reason="verifiers is not installed: pip install 'grpo-rust[verifiers]'")
    from verifiers.v1.cli.eval.runner import run_eval
    from verifiers.v1.configs.cli.eval import EvalConfig

    taskset = {"id": "grpo-rust", "recipe": settings[0], "settings": list(settings[1:])}
    with openai_server() as address:
        given = {"model": "fixed", "push": False, "rich": None, "output_dir": tmp_path, "num_rollouts": 2}
        client = {"type": "eval", "base_url": address, "api_key_var": "NO_SUCH_KEY"}
        episodes = asyncio.run(run_eval(EvalConfig(env={"taskset": taskset}, client=client, **given)))
    traces = [episode.traces[0] for episode in episodes]
    assert [trace.errors for trace in traces] == [[]] * 8
    found = {(trace.task.data.prompt[0].content, trace.reward) for trace in traces}
    assert found == set(TOTALS.items())
    good = next(trace for trace in traces if trace.reward == 4.0)
    weights = {name: reward.weight for name, reward in good.rewards.items()}
    assert weights == WEIGHTS and good.metrics["test_strict"] == 1.0
    assert good.last_reply == ANSWERS["Write add."].strip()


def test_verifiers_is_told_of_a_host_that_failed_and_gets_no_score(
    settings: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vf = pytest.importorskip("verifiers.v1", reason="verifiers is not installed: pip install 'grpo-rust[verifiers]'")
    from grpo_rust.environments.for_verifiers import load_environment

    env = load_environment(*settings[1:], recipe=settings[0])
    pool = open_tasks(settings[1:], recipe=settings[0]).scorer._grader._pool
    broken = Verdict(Outcome.HOST_ERROR, reason="no room")

    def failing(*_: object, **__: object) -> Any:
        future: Future[Verdict] = Future()
        future.set_result(broken)
        return future

    monkeypatch.setattr(pool, "submit", failing)

    async def one() -> Any:
        with openai_server() as address:
            client = vf.EvalClientConfig(base_url=address, api_key_var="NO_SUCH_KEY")
            ctx = vf.ModelContext(client=client, model="fixed", sampling=vf.SamplingConfig())
            async with env.serving():
                return await env.run_episode(next(iter(env.taskset)), ctx)

    episode = asyncio.run(one())
    (trace,) = episode.traces
    assert not episode.ok and trace.reward == 0.0
    assert [reward for reward in trace.rewards.values() if reward is not None] == []
    assert "SandboxError" in str(trace.errors) and "no room" in str(trace.errors)


# OpenEnv


def test_openenv_server_gives_our_scores_to_its_own_client(settings: tuple[str, ...]) -> None:
    pytest.importorskip("openenv", reason="openenv is not installed: pip install 'grpo-rust[openenv]'")
    uvicorn = pytest.importorskip("uvicorn")
    from openenv.core.generic_client import GenericEnvClient

    from grpo_rust.environments.for_openenv import OVER, openenv_app

    app = openenv_app(*settings[1:], recipe=settings[0], max_tries=2)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    async def play(number: int, text: str) -> list[Any]:
        async with GenericEnvClient(base_url=address) as client:
            begun = await client.reset(task_id=f"t{number}")
            first = await client.step({"completion": text})
            second = first if first.done else await client.step({"completion": ANSWERS["Write add."]})
            again = await client.step({"completion": ANSWERS["Write add."]})
            steps = (await client.state())["step_count"]
            assert (again.reward, again.done, again.observation["scores"]) == (0.0, True, {}), "it pays once"
            assert again.observation["feedback"] == OVER and steps == (1 if first is second else 2)
            anew = await client.reset(task_id=f"t{number}")
            assert not anew.done and (await client.step({"completion": text})).reward == first.reward
            return [begun.observation["messages"][-1]["content"], first, second]

    async def all_at_once() -> list[list[Any]]:
        return await asyncio.gather(*(play(number, text) for number, text in enumerate(ANSWERS.values())))

    try:
        played = asyncio.run(all_at_once())
    finally:
        server.should_exit = True
        thread.join(30)
    assert {prompt: first.reward for prompt, first, _ in played} == TOTALS
    assert [first.done for _, first, _ in played] == [True, False, False, False]
    assert all(second.done and second.reward == 4.0 for _, _, second in played), "the second try is the last"
    broken = played[2][1].observation
    assert broken["feedback"].startswith("It does not build.\nerror") and broken["scores"]["cargo_build"] == 0.0


# TRL


def test_a_tool_of_trl_says_what_cargo_says_and_the_last_program_is_scored(settings: tuple[str, ...]) -> None:
    rows = [json.loads(line) for line in Path(settings[1].removeprefix("data.train=")).read_text().splitlines()]

    async def play() -> list[Any]:
        environment = environment_factory(*settings[1:], recipe=settings[0])()
        environment.reset(**rows[0])
        nothing = await environment.get_reward()
        told = await environment.run_cargo(BROKEN)
        broken = await environment.get_reward()
        passed = await environment.run_cargo(GOOD)
        good = await environment.get_reward()
        environment.reset(**rows[1])
        return [nothing, told, broken, passed, good, await environment.get_reward()]

    nothing, told, broken, passed, good, after_reset = asyncio.run(play())
    assert (nothing, broken, good, after_reset) == (0.0, 0.0, 4.0, 0.0)
    assert told.startswith("It does not build.\nerror") and "passed" not in told
    assert passed == "It builds, and all of its tests pass."


def test_a_program_with_a_doc_example_is_a_program_to_the_tool(settings: tuple[str, ...]) -> None:
    documented = "/// Adds.\n///\n/// ```\n/// let three = 1 + 2;\n/// ```\n" + GOOD

    async def play() -> list[str]:
        environment = environment_factory(*settings[1:], recipe=settings[0])()
        environment.reset(prompt="Write add.", task_id="t0")
        return [await environment.run_cargo(given) for given in (documented, f"```rust\n{documented}\n```")]

    assert asyncio.run(play()) == ["It builds, and all of its tests pass."] * 2


TRAINING = """
import json, sys
from pathlib import Path

from grpo_rust.environments.for_trl import environment_factory


def main(model, recipe, *settings):
    factory = environment_factory(*settings, recipe=recipe)
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen2_5_chat_template

    call = json.dumps({"name": "run_cargo", "arguments": {"program": Path("program.rs").read_text()}})

    class Scripted(GRPOTrainer):  # TRL's trainer with a model that runs one program, then ends its turn
        def _generate_single_turn(self, prompt_ids, *_, **__):
            turn = "Done.<|im_end|>" if hasattr(self, "ran") else f"<tool_call>\\n{call}\\n</tool_call><|im_end|>"
            self.ran = True
            ids = self.processing_class(turn, add_special_tokens=False)["input_ids"]
            return [list(ids) for _ in prompt_ids], None

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = qwen2_5_chat_template
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.eos_token = "<|im_end|>"
    policy = AutoModelForCausalLM.from_pretrained(model)
    policy.resize_token_embeddings(len(tokenizer))
    rows = load_dataset("json", data_files=settings[0].removeprefix("data.train="), split="train").select([0])
    rows = rows.map(lambda row: {"prompt": [{"role": "user", "content": row["prompt"]}]})
    lengths = {"num_generations": 2, "per_device_train_batch_size": 2, "max_completion_length": 2048, "max_steps": 1}
    given = GRPOConfig("out", **lengths, use_cpu=True, report_to=[], logging_steps=1)
    trainer = Scripted(
        policy, args=given, train_dataset=rows, processing_class=tokenizer, environment_factory=factory
    )
    trainer.train()
    print("LOG", json.dumps(trainer.state.log_history))


if __name__ == "__main__":  # the workers of the sandbox import this file again, so what is heavy stands in main
    main(*sys.argv[1:])
"""


@pytest.mark.slow
def test_trls_trainer_calls_the_tool_and_pays_our_reward(settings: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="trl is not installed: pip install 'trl>=1.16'")
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "program.rs").write_text(GOOD)
    command = [sys.executable, "train.py", str(TINY), *settings]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("LOG ")]
    logged = json.loads(line[4:])[0]
    assert logged["rewards/RustToolEnvironment/mean"] == 4.0
    assert logged["tools/call_frequency"] == 1.0 and logged["tools/failure_frequency"] == 0.0


def test_nothing_of_the_libraries_is_loaded_by_anything_else() -> None:
    code = (
        "import sys, grpo_rust, grpo_rust.recipe, grpo_rust.environments.for_trl\n"
        "assert not {'verifiers', 'openenv', 'trl', 'torch', 'httpx'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
