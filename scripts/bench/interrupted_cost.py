"""Measures a step of sampling that new weights interrupt, and asks the simulation for the same: `rollout.partial`.

    PYTHONPATH=.:scripts python -m bench.interrupted_cost [--steps N] [--overlap N,N,...]

The stream of batches is the trainer's own. The engine sleeps 20 ms for an iteration of at most 32 rows, the update
0.7 s, new weights take 50 ms: 4 prompts x 8 completions, whose lengths have a long tail. So it needs next to no
processor, and what it measures is who waits for whom. `asleep` is how much longer the engine's sleeps were than asked.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain

from bench.rewarding import TrivialGrader
from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.prompts import PromptStream
from grpo.rollout.records import Example
from grpo.rollout.stream import RolloutSettings, RolloutStream
from grpo_rust.scaling.costs import DecodingCost
from grpo_rust.scaling.division import Division
from simulating.costs import PipelineCosts
from simulating.outcome import simulate
from simulating.pipeline import Shape

__all__ = ["SleepingEngine", "main", "measured_step_s", "simulated_step_s"]

PROMPTS, GROUP_SIZE, SLOTS = 4, 8, 32
ITERATION_S, UPDATE_S, WEIGHTS_S = 0.020, 0.7, 0.05
MEDIAN, SIGMA, LONGEST = 13.0, 0.8, 100  # tokens: log-normal mean of a prompt, exponential within it
WARM_UP = 2  # steps that are not counted, and as many more as are ahead


def draw_lengths(prompts: int, seed: int) -> list[tuple[int, ...]]:
    """Lengths of the completions to each prompt."""
    drawn = random.Random(seed)
    means = [MEDIAN * math.exp(drawn.gauss(0.0, SIGMA)) for _ in range(prompts)]
    return [
        tuple(min(LONGEST, max(1, round(drawn.expovariate(1 / mean)))) for _ in range(GROUP_SIZE)) for mean in means
    ]


class SleepingEngine(Engine):
    """Writes a token into each of its rows in an iteration, in which it sleeps.

    A completion's first token is its number.
    """

    concurrent = True

    def __init__(self, lengths: Sequence[int]) -> None:
        """
        Args:
            lengths: Of the completions, in the order in which they are begun.
        """
        self._lengths, self._begun = lengths, 0
        self.slept_s, self.asked_s = 0.0, 0.0

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        waiting = [(prompt, sample) for prompt in range(len(prompts)) for sample in range(params.num_samples)][::-1]
        written = params.written or (0,) * len(prompts)
        rows: dict[tuple[int, int], list[int]] = {}
        while waiting or rows:
            while waiting and len(rows) < SLOTS:
                prompt, sample = waiting.pop()
                rows[prompt, sample] = list(prompts[prompt][len(prompts[prompt]) - written[prompt] :])
            self._sleep()
            for (prompt, sample), row in list(rows.items()):
                if not row:
                    self._begun += 1
                row.append(0 if row else self._begun - 1)
                if len(row) == self._lengths[row[0]]:
                    yield _output(prompt, sample, rows.pop((prompt, sample)), written[prompt], finished=True)
            if self.interrupted():
                for (prompt, sample), row in rows.items():
                    yield _output(prompt, sample, row, written[prompt], finished=False)
                return

    def _sleep(self) -> None:
        started = time.perf_counter()
        time.sleep(ITERATION_S)
        self.slept_s += time.perf_counter() - started
        self.asked_s += ITERATION_S


def _output(prompt: int, sample: int, row: list[int], written: int, *, finished: bool) -> GenerationOutput:
    tokens = tuple(row[written:])
    return GenerationOutput(prompt, sample, tokens, (-1.0,) * len(tokens), finished, finished)


def measured_step_s(overlap: int, partial: bool, *, steps: int) -> tuple[float, float]:
    """Seconds of a step of the trainer's stream, and how much longer the engine slept than it was asked to."""
    first = WARM_UP + overlap
    last = first + steps
    engine = SleepingEngine(list(chain.from_iterable(draw_lengths((last + overlap) * PROMPTS, seed=0))))
    updates = 0

    def sync(say: object) -> dict[str, float]:
        time.sleep(WEIGHTS_S)
        return {}

    settings = RolloutSettings(
        seed=0,
        num_steps=last + overlap,
        prompts_per_step=PROMPTS,
        group_size=GROUP_SIZE,
        max_tokens=LONGEST,
        temperature=1.0,
        ahead=overlap,
        partial=partial,
    )
    examples = [Example(f"t{n}", (), prompt_ids=(n + 1,)) for n in range(PROMPTS)]
    stream = RolloutStream(
        RestartingEngine(engine, sync=sync, frees_cuda_cache=False, say=print),
        TrivialGrader(),
        PromptStream(examples, seed=0),
        lambda ids, *rest: "",
        lambda: updates,
        settings,
    )
    stream.sync_weights()
    ends = []
    for step in range(1, last + 1):
        stream.next_batch(step)
        time.sleep(UPDATE_S)
        updates += 1
        stream.sync_weights()
        ends.append(time.perf_counter())
    stream.close()
    return (ends[-1] - ends[first - 1]) / steps, engine.slept_s / engine.asked_s


def simulated_step_s(overlap: int, partial: bool, *, stretched: float = 1.0) -> float:
    """Seconds of a step by the simulation, whose iterations take so many times as long."""
    shape = Shape(
        prompts=PROMPTS,
        group_size=GROUP_SIZE,
        overlap=overlap,
        partial=partial,
        refill_rounds=0,
        concurrent=True,
        skips_zero_std=True,
        passes=1,
        jobs=1,
        batch_size=1,
        division=Division(1, 1),
        cores=1,
        on_gpus=True,
    )
    costs = PipelineCosts(
        lengths=tuple(draw_lengths(1000, seed=1)),
        decoding=DecodingCost(ITERATION_S * stretched, 0.0, SLOTS),
        training_s=lambda tokens: UPDATE_S,
        weights_s=WEIGHTS_S,
        programs=((0.0, 0.0),),
        batch_s=0.0,
        host_s=0.0,
    )
    return 3600 / simulate(shape, costs, steps=300, seed=0).steps_per_hour


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure sampling that new weights interrupt, beside its simulation.")
    parser.add_argument("--steps", type=int, default=40, metavar="N", help="that are counted, of each way")
    parser.add_argument("--overlap", default="1,2,3", metavar="N,N,...", help="batches ahead; 0 is always measured")
    arguments = parser.parse_args(argv)
    ways = [(0, False)]
    ways += [(int(number), partial) for number in arguments.overlap.split(",") for partial in (False, True)]
    print(f"{arguments.steps} steps, load {os.getloadavg()[0]:.1f}")
    print("overlap  partial  measured s  simulated s   off  asleep")
    for overlap, partial in ways:
        measured, stretched = measured_step_s(overlap, partial, steps=arguments.steps)
        simulated = simulated_step_s(overlap, partial, stretched=stretched)
        off = simulated / measured - 1
        print(f"{overlap:7}  {partial!s:7}  {measured:10.2f}  {simulated:11.2f}  {off:+4.0%}  {stretched:6.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
