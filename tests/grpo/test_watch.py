"""A run stops before what would spoil it, keeps what the step was made of, and the step can be made again alone."""

from __future__ import annotations

import json
import math
import mmap
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from grpo.checkpoint.checksums import find_damage
from grpo.checkpoint.latest import latest_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state
from grpo.errors import HostFailed
from grpo.model.lora import add_adapters
from grpo.model.policy import Policy, load_policy
from grpo.objective import Mismatch, Objective
from grpo.optimizer.adamw import named_state
from grpo.optimizer.loss_scale import LossScale
from grpo.rollout.records import Completion
from grpo.run.directory import RunDirectory
from grpo.run.out_of_memory import OutOfMemory
from grpo.update import NonFiniteLoss, Updater
from grpo.watch.finding import Finding, WatchStopped
from grpo.watch.memory import memory_metrics
from grpo.watch.rehearsal import longest_samples, rehearse
from grpo.watch.replaying import NoDump, Replay, read_batch, replay, samples_of
from grpo.watch.thresholds import Thresholds
from grpo.watch.unscored import GradingFailed, failure_of, refuse_failures
from grpo.watch.watching import RunWatch
from letter_grader import Grade, LetterGrader
from test_trainer import OBJECTIVE, lines, make_trainer, new_run, train
from test_update import PPO, SAMPLES, make_updater, weights


def watch(**limits: float) -> dict[str, Any]:
    return {"watch": RunWatch(Thresholds(**limits), memory=lambda: {"memory/trainer": 100.0}), "max_unscored": 0.1}


class BrokenSandbox(LetterGrader):
    """Cannot grade the completions that `fails` names, as a grader says so."""

    def __init__(self, fails: Callable[[Completion], str | None]) -> None:
        super().__init__()
        self.fails = fails

    def _grade(self, completion: Completion) -> Grade:
        reason = self.fails(completion)
        if reason is None:
            return super()._grade(completion)
        return Grade({"letters": None, "short": None}, verdict={"outcome": "host_error", "reason": reason})


def step_of(completion: Completion) -> int:
    return int(completion.id.partition("-")[0].removeprefix("s").partition(".")[0])


def test_a_resumed_run_remembers_what_its_first_session_logged(
    make_policy: Callable[..., Policy], tmp_path: Path
) -> None:
    class AllAlike(LetterGrader):
        def _grade(self, completion: Completion) -> Grade:
            return Grade({"letters": 1.0})

    limits = {"max_zero_std_steps": 5, "zero_std_groups": 10}
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(make_policy(), run, grader=AllAlike(), evaluates=False, watching=watch(**limits))
        assert not train(trainer, stop_after=3)
    checkpoint = latest_checkpoint(tmp_path / "run" / "checkpoints")
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    with RunDirectory.resume(tmp_path / "run") as run:
        trainer = make_trainer(resumed, run, grader=AllAlike(), evaluates=False, watching=watch(**limits))
        with pytest.raises(WatchStopped, match="step 5: in each of the last 5 steps"):
            train(trainer, first_step=trainer.resume(checkpoint))


# Grading that fails


def test_a_failure_of_the_host_is_told_from_a_reward_that_does_not_apply() -> None:
    none = {"letters": None, "short": None}
    host = {"outcome": "host_error", "reason": "no  space\nleft"}
    assert failure_of(Grade(none, verdict=host)) == "no space left"
    assert failure_of(Grade(none, verdict={"outcome": "passed", "gold": host})) == "no space left"
    assert failure_of(Grade(none, verdict={"outcome": "passed", "evidence": host})) == "no space left"
    assert failure_of(Grade(none, verdict={"outcome": "passed"})) is None, "nothing applies"
    assert failure_of(Grade({"letters": 0.0, "short": None}, verdict=host)) is None, "it has a reward"
    long = failure_of(Grade(none, verdict={**host, "reason": "x" * 500}))
    assert long is not None and len(long) == 100


def test_failures_are_named_by_reason_the_most_frequent_first() -> None:
    counts = {"killed": 3, "no space left": 9}
    with pytest.raises(
        GradingFailed, match=r"step 3: 12 of 100 .*12%.* 10%.*: 9 x no space left; 3 x killed\. .*then x"
    ):
        refuse_failures(counts, 100, max_share=0.1, where="step 3", then="x")
    refuse_failures(counts, 120, max_share=0.1, where="step 3", then="x")
    with pytest.raises(GradingFailed):
        refuse_failures({"killed": 1}, 100, max_share=0.0, where="step 3", then="x")
    many = {f"reason {number}": 1 for number in range(9)}
    with pytest.raises(GradingFailed, match="4 x other reasons"):
        refuse_failures(many, 9, max_share=0.1, where="step 3", then="x")


@pytest.mark.parametrize("refill_rounds", [0, 2])
def test_broken_grading_never_trains_and_a_resumed_run_grades_again(
    make_policy: Callable[..., Policy], tmp_path: Path, refill_rounds: int
) -> None:
    """One completion in four of step 3 is not graded; the mended run ends as one that was never broken."""
    options: dict[str, Any] = {"evaluates": False, "checkpoint_every": 1, "refill_rounds": refill_rounds}
    whole, policy = make_policy(), make_policy()
    with new_run(tmp_path / "whole") as run:
        train(make_trainer(whole, run, watching=watch(), **options))
    broken = BrokenSandbox(lambda c: "no space left" if step_of(c) == 3 and c.id.endswith("c1") else None)
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=broken, watching=watch(), **options)
        with pytest.raises(GradingFailed, match=r"step 3: .*25%.* x no space left.*run.resume=true"):
            train(trainer)
    assert trainer.updater.updates == 2
    logged = lines(tmp_path / "run" / "completions.jsonl")
    assert sum(line["step"] == 3 and line["reward"] is None for line in logged) >= 2, "the log shows them"
    assert not find_damage(tmp_path / "run" / "dumps" / "step-000003"), "it is a whole checkpoint of its step"
    dump = read_batch(tmp_path / "run" / "dumps" / "step-000003")
    assert (dump["finding"]["name"], dump["update"]) == ("GradingFailed", None)

    checkpoint = latest_checkpoint(tmp_path / "run" / "checkpoints")
    resumed = load_policy(str(checkpoint), device=torch.device("cpu"), compute_dtype="float32")
    with RunDirectory.resume(tmp_path / "run") as run:
        trainer = make_trainer(resumed, run, watching=watch(), **options)
        assert train(trainer, first_step=trainer.resume(checkpoint))
    assert torch.equal(weights(resumed), weights(whole))


def test_a_few_ungraded_completions_are_left_out_and_counted(policy: Policy, tmp_path: Path) -> None:
    grader = BrokenSandbox(lambda c: "killed" if c.id == "s2-p01-c0" else None)
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=grader, evaluates=False, num_steps=3)
        trainer.max_unscored = 1 / 8
        assert train(trainer)
    assert [line["reward/unscored"] for line in lines(tmp_path / "run" / "metrics.jsonl")] == [0, 1, 0]


def test_broken_grading_in_refilled_groups_counts_too(policy: Policy, tmp_path: Path) -> None:
    """Ungraded groups are replaced as if they had no spread, and would not be seen in the batch."""
    grader = BrokenSandbox(lambda c: "killed" if c.id.startswith("s1-p00-") else None)
    with new_run(tmp_path / "run") as run:
        with pytest.raises(GradingFailed, match="step 1: 4 of 12.*4 x killed"):
            train(make_trainer(policy, run, grader=grader, evaluates=False, refill_rounds=1, watching=watch()))


def test_an_evaluation_that_cannot_be_graded_stops_too(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=BrokenSandbox(lambda c: "killed"), watching=watch())
        with pytest.raises(GradingFailed, match="the evaluation after step 0: 6 of 6.*6 x killed.*evaluated then"):
            train(trainer)
    assert not (tmp_path / "run" / "evals.jsonl").exists()


def test_rewards_that_never_apply_stop_after_three_steps(policy: Policy, tmp_path: Path) -> None:
    class NothingApplies(LetterGrader):
        def _grade(self, completion: Completion) -> Grade:
            return Grade({"letters": None, "short": None}) if step_of(completion) > 1 else super()._grade(completion)

    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=NothingApplies(), evaluates=False, watching=watch())
        with pytest.raises(WatchStopped, match="step 4: no completion of the last 3 steps has a reward"):
            train(trainer)
    assert [line["step"] for line in lines(tmp_path / "run" / "metrics.jsonl")] == [1, 2, 3]


# Stops before the weights are spoiled, and the step again


def replayed(dump: Path, **settings: Any) -> Replay:
    """The dump's step, by a policy and an updater of their own."""
    policy = load_policy(str(dump), device=torch.device("cpu"), compute_dtype="float32")
    updater = make_updater(policy, settings.pop("objective", OBJECTIVE), max_grad_norm=1.0, **settings)
    load_trainer_state(dump, updater)
    before = weights(policy)
    again = replay(updater, read_batch(dump))
    assert torch.equal(weights(policy), before)
    return again


class Overflowing(LetterGrader):
    """The rewards of a step's first completion are beyond all bounds."""

    def _grade(self, completion: Completion) -> Grade:
        return Grade({"letters": 1e39}) if completion.id == "s3-p00-c2" else super()._grade(completion)


def test_a_loss_that_is_no_number_is_dumped_and_made_again(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=Overflowing(), evaluates=False, watching=watch())
        with pytest.raises(NonFiniteLoss, match=r"weights were left as(.|\n)*scripts/replay.py .*dumps/step-000003"):
            train(trainer)
        moments = named_state(trainer.updater.optimizer)
    dump = tmp_path / "run" / "dumps" / "step-000003"
    kept = load_policy(str(dump), device=torch.device("cpu"), compute_dtype="float32")
    assert torch.equal(weights(kept), weights(policy)), "an ordinary checkpoint of the weights before the step"
    updater = make_updater(kept)
    assert load_trainer_state(dump, updater)["step"] == 3
    assert all(torch.equal(part, named_state(updater.optimizer)[name]) for name, part in moments.items())
    again = replayed(dump)
    assert again.differences == [] and not math.isfinite(again.grad_norm)
    assert not math.isfinite(again.gradients[0][1])


@pytest.mark.parametrize("iterations", [1, 2])
def test_an_exploding_ratio_stops_before_the_step_and_is_made_again_to_the_bit(
    policy: Policy, tmp_path: Path, iterations: int
) -> None:
    """Of two minibatches the second one, in the first or the second pass: the ratio needs the batch's first policy."""
    shape = {"num_minibatches": 2, "num_iterations": iterations, "micro_batch_tokens": 30}
    seen: list[torch.Tensor] = []
    with new_run(tmp_path / "run") as run:
        settings = watch(max_ratio=1e9, max_ratio_mean=1e9)
        trainer = make_trainer(policy, run, evaluates=False, watching=settings, update=shape)
        ask = settings["watch"].before_update

        def before_update(metrics: dict[str, float]) -> None:
            attempt = trainer.updater.attempt
            assert attempt is not None
            if trainer.updater.updates >= 2 * iterations and attempt.number == 2 * iterations - 1:
                seen.append(weights(policy))
                metrics = {**metrics, "policy/ratio_max": 1e10}
            ask(metrics)

        settings["watch"].before_update = before_update
        with pytest.raises(WatchStopped, match=r"step 2: the largest importance ratio of a token is 1e\+10"):
            train(trainer)
    assert torch.equal(weights(policy), seen[0])
    dump = tmp_path / "run" / "dumps" / "step-000002"
    record = read_batch(dump)
    assert (record["finding"]["name"], record["update"]["number"]) == ("exploding_ratio", 2 * iterations - 1)
    assert record["update"]["start"] > 0 and record["update"]["old"], "it needs the log-probs before the first update"
    assert 0.5 < max(part["ratio_max"] for part in record["update"]["micro_batches"]) != 1.0
    again = replayed(dump, **shape)
    assert again.differences == []
    assert again.grad_norm == record["update"]["grad_norm"] > 0
    assert {one.id for one in again.blamed} <= {c["id"] for group in record["groups"] for c in group["completions"]}
    worst = max(part["ratio_max"] for part in again.micro_batches)
    assert again.blamed[0].largest_ratio == pytest.approx(worst, rel=1e-4)
    assert replayed(dump, **{**shape, "micro_batch_tokens": 1000}).differences != [], "other micro-batches"

    record["update"]["micro_batches"][0]["total"] += 1e-7
    (dump / "batch.json").write_text(json.dumps(record))
    assert any("micro-batch 0, total" in difference for difference in replayed(dump, **shape).differences)


def test_a_poisoned_completion_is_blamed(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, watching=watch())
        advantages = trainer._advantages

        def poisoned(step: Any) -> tuple[torch.Tensor, None]:
            found, _ = advantages(step)
            found[1, 2] = math.nan
            return found, None

        trainer._advantages = poisoned  # type: ignore[method-assign]
        with pytest.raises(NonFiniteLoss):
            train(trainer)
    again = replayed(tmp_path / "run" / "dumps" / "step-000001")
    assert again.differences == [] and math.isnan(again.loss)
    assert again.blamed[0].id == "s1-p01-c2" and math.isnan(again.blamed[0].advantage)


def test_a_float16_step_is_made_again_with_its_own_loss_scale(
    make_policy: Callable[..., Policy], tmp_path: Path
) -> None:
    """The failed step halved the scale, and with the half its gradient is finite."""

    def dumped(name: str, scale: float) -> tuple[Updater, dict[str, Any]]:
        with new_run(tmp_path / name) as run:
            settings = {"evaluates": False, "watching": watch()}
            trainer = make_trainer(make_policy(dtype=torch.float16), run, **settings)
            trainer.updater.loss_scale = LossScale(value=scale, overflows=19)
            with pytest.raises(NonFiniteLoss):
                train(trainer)
        dump = tmp_path / name / "dumps" / "step-000001"
        kept = load_policy(str(dump), device=torch.device("cpu"), compute_dtype="float16")
        updater = make_updater(kept, OBJECTIVE, max_grad_norm=1.0)
        load_trainer_state(dump, updater)
        return updater, read_batch(dump)

    updater, record = dumped("far", 2.0**28)
    samples, _ = samples_of(record)
    assert updater.loss_scale is not None
    updater.loss_scale.overflows = 0
    while updater.update(samples)["optim/skipped"]:
        pass
    fitting = updater.loss_scale.value

    updater, record = dumped("near", 2 * fitting)
    assert updater.loss_scale is not None and updater.loss_scale.value == fitting
    again = replay(updater, record)
    assert again.differences == [] and not math.isfinite(again.grad_norm)


def test_a_dump_that_cannot_be_written_does_not_hide_why_the_run_ended(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, grader=Overflowing(), evaluates=False, watching=watch())
        (tmp_path / "run" / "dumps").write_text("in the way")
        with pytest.raises(NonFiniteLoss, match=r"the loss is(.|\n)*could not be kept: .*Not a directory"):
            train(trainer)


def test_without_a_watch_nothing_is_dumped_or_measured(policy: Policy, tmp_path: Path) -> None:
    with new_run(tmp_path / "run") as run:
        with pytest.raises(NonFiniteLoss):
            train(make_trainer(policy, run, grader=Overflowing(), evaluates=False))
    assert not (tmp_path / "run" / "dumps").exists()
    assert not any(name.startswith("memory/") for name in lines(tmp_path / "run" / "metrics.jsonl")[0])


def test_a_damaged_dump_is_named(tmp_path: Path) -> None:
    for content in (None, "{", "[]", '{"step": 1}'):
        if content is not None:
            (tmp_path / "batch.json").write_text(content)
        with pytest.raises(NoDump, match="batch.json cannot be read.*RUN/dumps"):
            read_batch(tmp_path)


def test_watching_changes_no_bit(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    watched, alone = make_policy(), make_policy()
    for name, policy, settings in (("watched", watched, watch()), ("alone", alone, {})):
        with new_run(tmp_path / name) as run:
            assert train(make_trainer(policy, run, evaluates=False, watching=settings))
    assert torch.equal(weights(watched), weights(alone))
    assert lines(tmp_path / "watched" / "metrics.jsonl")[0]["memory/trainer"] == 100.0


def test_a_warning_is_said_with_what_to_do(policy: Policy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with new_run(tmp_path / "run") as run:
        trainer = make_trainer(policy, run, evaluates=False, num_steps=2, watching=watch())
        assert trainer.watch is not None
        finding = Finding("sick", 2, "it is 7", "Do that", {"x": 7.0})
        trainer.watch.after_step = lambda step, metrics: [finding] if step == 2 else []  # type: ignore[method-assign]
        assert train(trainer)
    assert "warning: step 2: it is 7. Do that" in capsys.readouterr().out


# Memory


def test_the_memory_of_this_process_and_of_the_machine_is_measured() -> None:
    found = memory_metrics()
    before = found["memory/trainer"]
    with mmap.mmap(-1, 50_000_000) as held:  # new memory: an allocator may have some that was freed
        held.write(b"x" * len(held))
        assert memory_metrics()["memory/trainer"] - before > 40
    assert found["memory/available"] > 100 and "memory/engine" not in found


def running() -> subprocess.Popen[bytes]:
    """A process that holds 100 MB, more than what the other processes of the tests come to have meanwhile."""
    program = "held = b'x' * 100_000_000; print('x', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.read(1) == b"x"
    return process


def test_the_engine_is_no_worker() -> None:
    with running() as engine, running() as worker:
        try:
            alone = memory_metrics(lambda: engine.pid)
            both = memory_metrics()
            assert 100 < alone["memory/engine"] < 200
            grown = both["memory/workers"] - alone["memory/workers"]
            assert grown == pytest.approx(alone["memory/engine"], rel=0.3), "without an engine it is one more worker"
        finally:
            engine.kill(), worker.kill()
    assert "memory/engine" not in memory_metrics(lambda: engine.pid)


# Rehearsal


def test_the_rehearsed_micro_batch_is_the_longest_that_the_recipe_allows() -> None:
    sizes = {"prompt_tokens": 50, "completion_tokens": 100, "group_size": 4, "groups": 3}

    def shape(micro_batch_tokens: int) -> tuple[int, int]:
        samples = longest_samples(**sizes, micro_batch_tokens=micro_batch_tokens)
        return len(samples), len({sample.prompt_ids for sample in samples})

    assert shape(100) == (1, 1), "one completion at least"
    assert shape(360) == (3, 1), "a prompt and three completions"
    assert shape(900) == (8, 2), "two groups"
    assert shape(100_000) == (12, 3), "never more than a batch has"


EVERYTHING = Objective(
    PPO,
    "token",
    max_tokens=8,
    temperature=1.0,
    kl_beta=0.1,
    mismatch=Mismatch("token", "truncate", 0.0, 3.0),
    top_entropy_fraction=0.5,
    entropy_coefficient=0.01,
)


@pytest.mark.parametrize("kind", ["plain", "everything", "lora", "float16"])
def test_a_rehearsal_changes_no_bit(make_policy: Callable[..., Policy], tmp_path: Path, kind: str) -> None:
    """Of the weights, the optimizer's state, the random state and the metrics, before the first step and after some."""

    def run(rehearses: bool) -> tuple[Policy, Updater, list[dict[str, float]]]:
        policy = make_policy(dtype=torch.float16 if kind == "float16" else torch.float32)
        if kind == "lora":
            policy = add_adapters(policy, rank=2, alpha=4, targets="all-linear", seed=0)
        objective = EVERYTHING if kind == "everything" else OBJECTIVE
        reference = make_policy(seed=1).frozen() if kind == "everything" else None
        updater = make_updater(policy, objective, reference=reference)
        torch.manual_seed(7)
        samples = longest_samples(prompt_tokens=9, completion_tokens=20, group_size=2, groups=2, micro_batch_tokens=100)
        metrics = []
        for _ in range(3):
            if rehearses:
                state = torch.get_rng_state()
                assert rehearse(updater, samples) > 0
                assert torch.equal(torch.get_rng_state(), state)
                assert all(p.grad is None for p in policy.model.parameters())
            metrics.append(updater.update(SAMPLES))
        return policy, updater, metrics

    (one, first, with_it), (other, second, without) = run(True), run(False)
    assert torch.equal(weights(one), weights(other)) and with_it == without
    moments, expected = named_state(first.optimizer), named_state(second.optimizer)
    assert moments.keys() == expected.keys() and all(torch.equal(moments[name], expected[name]) for name in moments)
    assert first.state_dict().get("loss_scale") == second.state_dict().get("loss_scale")
    assert first.updates == second.updates == 3 - sum(line.get("optim/skipped", 0) for line in without)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried"), MemoryError(), RuntimeError("can't allocate memory")]
)
def test_a_rehearsal_without_enough_memory_says_what_to_lower(policy: Policy, error: Exception) -> None:
    updater = make_updater(policy)

    def fails(*_: object, **__: object) -> None:
        raise error

    policy.completion_logprobs = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(OutOfMemory, match="Lower train.micro_batch_tokens") as caught:
        rehearse(updater, SAMPLES)
    assert isinstance(caught.value, HostFailed)


def test_another_error_of_a_rehearsal_is_not_renamed(policy: Policy) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("shapes differ")

    policy.completion_logprobs = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(RuntimeError, match="shapes differ"):
        rehearse(make_updater(policy), SAMPLES)


def test_the_samples_of_a_dump_are_those_of_the_update() -> None:
    completion = {"id": "a", "token_ids": [3], "sampler_logprobs": ["nan"], "text": "x", "terminated": True}
    record = {
        "groups": [
            {
                "prompt_ids": [1, 2],
                "completions": [
                    {**completion, "reward": 1.0, "advantage": "-inf"},
                    {**completion, "reward": None, "advantage": 0.0},
                ],
            }
        ]
    }
    [sample], names = samples_of(record)
    assert math.isnan(sample.sampler_logprobs[0]) and sample.advantage == -math.inf and names == [("a", "x")]
