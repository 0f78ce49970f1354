"""An engine's process that hangs without dying is noticed, shown, killed and started again; no other one is."""

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.process import EngineProcess
from grpo.rollout.engine_restart import RestartingEngine
from grpo.run.stacks import LONGEST_STEP_S, Silence, ask_for_stacks

pytestmark = pytest.mark.alone

STUCK_AFTER_S = 1.5
PARAMS = SamplingParams(num_samples=3, max_tokens=2, temperature=1.0, seed=5)


class Repeating(Engine):
    """Samples the first weight that it was given, slowly."""

    pause_s = 0.3

    def __init__(self) -> None:
        self._weight = 0

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        self._weight = int(dict(weights)["first"][0])

    def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
        for sample in range(params.num_samples):
            time.sleep(self.pause_s)
            yield GenerationOutput(0, sample, (self._weight, params.seed), (-1.0, -1.0), True)


class DeadLocked(Repeating):
    """Waits for itself before its second completion, once."""

    def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
        yield from super().generate(prompts, SamplingParams(1, 2, 1.0, params.seed))
        self.wait_for_itself()

    def wait_for_itself(self) -> None:
        lock = threading.Lock()
        with lock:
            lock.acquire()


class Computing(Repeating):
    """Takes long to answer, and counts its steps."""

    pause_s = 0.0

    def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
        end = time.monotonic() + 3 * STUCK_AFTER_S
        while time.monotonic() < end:
            time.sleep(0.1)
            self.on_step()
        yield from super().generate(prompts, params)


class Resting(Repeating):
    """Takes long to answer, and shows no sign of life until then."""

    pause_s = 2 * STUCK_AFTER_S

    def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
        return super().generate(prompts, SamplingParams(1, 2, 1.0, params.seed))


def started(make: type[Engine], tmp_path: Path, weight: int = 7) -> EngineProcess:
    """An engine that has done everything for the first time."""
    engine = EngineProcess(make, dtype=torch.float32, log=tmp_path / "engine.log")
    engine.load_weights([("first", torch.full((4,), float(weight)))])
    engine._answered.add("generate")
    engine._stuck_after_s = STUCK_AFTER_S
    return engine


def test_a_stopped_engine_is_named_killed_and_started_again_with_the_weights_that_it_had(tmp_path: Path) -> None:
    engine, said, synced = started(Repeating, tmp_path), list[str](), list[str]()
    restarting = RestartingEngine(
        engine, sync=lambda say: synced.append("newer") or {}, frees_cuda_cache=False, say=said.append
    )
    try:
        undisturbed = list(engine.generate([(1,)], PARAMS))
        stream = engine.generate([(1,)], PARAMS)
        next(stream)
        os.kill(stopped := engine.pid, signal.SIGSTOP)

        def sample() -> list[GenerationOutput]:
            rest = list(stream) or list(engine.generate([(1,)], PARAMS))  # the second time the stream has ended
            engine._stuck_after_s = STUCK_AFTER_S
            return rest

        restarting.say = lambda text: (said.append(text), setattr(engine, "_stuck_after_s", 60.0))
        assert restarting.with_restart(sample) == undisturbed
        text = said[0]
        assert f"process {stopped} is stuck: asked to generate, it neither answered nor computed for 1.5 s" in text
        assert "sampling.stuck_after_s" in text and "state T (stopped)" in text and "cannot show its stacks" in text
        assert engine.pid != stopped and synced == [], "newer weights would sample another batch"
    finally:
        engine.close()


def test_a_stopped_engine_that_does_not_read_what_it_is_sent_is_noticed_too(tmp_path: Path) -> None:
    """Prompts that fit into the pipe are sent to a process that is stopped; larger ones wait for it."""
    engine = started(Repeating, tmp_path)
    try:
        os.kill(engine.pid, signal.SIGSTOP)
        with pytest.raises(EngineDied, match=r"is stuck: asked to generate.*state T \(stopped\)"):
            list(engine.generate([tuple(range(100_000))] * 5, PARAMS))
    finally:
        engine.close()


def test_a_dead_locked_engine_shows_where_it_waits(tmp_path: Path) -> None:
    engine = started(DeadLocked, tmp_path)
    try:
        with pytest.raises(EngineDied, match="is stuck") as error:
            list(engine.generate([(1,)], PARAMS))
        assert "asked for its stacks" in str(error.value)
        assert "in wait_for_itself" in (tmp_path / "engine.log").read_text()
    finally:
        engine.close()


def test_an_engine_that_computes_is_waited_for(tmp_path: Path) -> None:
    engine = started(Computing, tmp_path)
    try:
        assert len(list(engine.generate([(1,)], PARAMS))) == 3
    finally:
        engine.close()


def test_what_is_done_for_the_first_time_may_take_longer(tmp_path: Path) -> None:
    engine = started(Resting, tmp_path)
    engine._answered.remove("generate")
    try:
        assert len(list(engine.generate([(1,)], PARAMS))) == 1
        with pytest.raises(EngineDied, match="is stuck"):
            list(engine.generate([(1,)], PARAMS))
    finally:
        engine.close()


def test_closing_does_not_wait_for_what_is_being_sampled(tmp_path: Path) -> None:
    engine = started(Repeating, tmp_path)
    stream = engine.generate([(1,)], SamplingParams(60, 2, 1.0, 0))
    next(stream)
    os.kill(engine.pid, signal.SIGSTOP)  # so that it cannot end by itself
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 2


def test_time_in_which_the_one_who_looks_did_not_run_does_not_count() -> None:
    times = iter([0.0, 1.0, 1000.0, 1001.0, 1002.0])
    signs = iter([1, 1, 1, 1, 2])
    silence = Silence(lambda: next(signs), clock=lambda: next(times))
    assert [silence.seconds() for _ in range(4)] == [1.0, 1.0 + LONGEST_STEP_S, 2.0 + LONGEST_STEP_S, 0.0]


def test_a_process_that_would_be_ended_by_the_signal_is_not_asked() -> None:
    child = os.fork()
    if not child:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        time.sleep(60)
        os._exit(0)
    try:
        time.sleep(0.2)
        assert "no stacks" in ask_for_stacks(child)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
