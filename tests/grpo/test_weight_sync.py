"""A sync measures enough tokens, warns once, and stops the run when the engine samples from another policy."""

import math
from collections.abc import Callable, Iterator

import pytest
import torch

from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.engines.hf import HFEngine
from grpo.engines.weight_sync import SyncBounds, WeightsDiffer, WeightSync
from grpo.model.policy import Policy
from grpo_rust.compose.engine import SYNC_BOUNDS

NOISY = SYNC_BOUNDS["bfloat16"]
PROMPTS = [(5, 6, 7), (9,), tuple(range(30, 50))]
TOLERANCE = 1e-5  # nats: two fp32 forward passes


class Shifted(Engine):
    """Samples with the policy, reports log-probs that are off by `shift`, and counts what it samples."""

    def __init__(self, policy: Policy) -> None:
        self.inner = HFEngine(policy)
        self.shift, self.loads = 0.0, 0
        self.asked: list[SamplingParams] = []
        self.tokens = 0

    def generate(self, prompts: object, params: SamplingParams) -> Iterator[GenerationOutput]:
        self.asked.append(params)
        for output in self.inner.generate(prompts, params):  # type: ignore[arg-type]
            self.tokens += len(output.token_ids)
            shifted = tuple(logprob + self.shift for logprob in output.logprobs)
            yield GenerationOutput(output.prompt, output.sample, output.token_ids, shifted, output.terminated)

    def load_weights(self, weights: object) -> None:
        self.loads += 1


@pytest.fixture
def engine(make_policy: Callable[..., Policy]) -> Shifted:
    return Shifted(make_policy())


def sync_of(engine: Shifted, bounds: SyncBounds = NOISY) -> tuple[WeightSync, list[str]]:
    return WeightSync(engine.inner._policy, engine, PROMPTS, bounds), []


def gaps(engine: Shifted, shifts: list[float], bounds: SyncBounds = NOISY) -> list[str]:
    """What is said when syncs have these gaps one after the other."""
    sync, said = sync_of(engine, bounds)
    for shift in shifts:
        engine.shift = shift
        assert sync(said.append)["sync/gap"] == pytest.approx(shift, abs=TOLERANCE)
    assert engine.loads == len(shifts)
    return said


def test_a_proof_in_bfloat16_measures_a_thousand_tokens(engine: Shifted) -> None:
    gaps(engine, [0.0])
    assert engine.tokens >= 1000 and engine.asked[0].max_tokens == 64


def test_completions_that_end_early_are_made_up_for(engine: Shifted) -> None:
    engine.inner._policy.stop_ids = frozenset(range(0, 200))
    gaps(engine, [0.0])
    assert 1 < len(engine.asked) <= 4 and len({params.seed for params in engine.asked}) == len(engine.asked)


def test_a_proof_in_float32_is_a_small_one(engine: Shifted) -> None:
    gaps(engine, [0.0], SYNC_BOUNDS["float32"])
    assert engine.tokens <= 3 * 2 * 16


def test_a_large_gap_is_said_once_until_it_was_small_again(engine: Shifted) -> None:
    said = gaps(engine, [0.02, 0.05, 0.04, 0.02, 0.05])
    assert len(said) == 2
    assert said[0].startswith(
        "warning: after new weights the engine's log-probs differ from the trainer's by 0.05 nats"
    )
    assert "allowed are 0.1 (sampling.max_sync_gap), 3 times in a row they stop the run" in said[0]


def test_a_gap_that_stays_too_large_stops_the_run(engine: Shifted) -> None:
    with pytest.raises(WeightsDiffer, match=r"by 0\.15 nats a token in the mean, 3 times in a row; allowed are 0\.1"):
        gaps(engine, [0.0, 0.15, 0.15, 0.15])
    assert engine.loads == 4


def test_one_that_goes_does_not(engine: Shifted) -> None:
    assert len(gaps(engine, [0.15, 0.15, 0.0, 0.15, 0.15])) == 2


@pytest.mark.parametrize("shift", [math.nan, math.inf, 1.1])
def test_a_gap_that_no_rounding_explains_stops_at_once(engine: Shifted, shift: float) -> None:
    sync, said = sync_of(engine)
    engine.shift = shift
    with pytest.raises(WeightsDiffer, match="differ from the trainer's by (nan|inf|1.1)"):
        sync(said.append)


def test_in_float32_one_gap_is_enough(engine: Shifted) -> None:
    sync, said = sync_of(engine, SYNC_BOUNDS["float32"])
    engine.shift = 2e-4
    with pytest.raises(WeightsDiffer, match=r"mean; allowed are 0\.0001"):
        sync(said.append)


def test_the_bounds_are_the_documented_ones() -> None:
    assert (NOISY.warn, NOISY.stop, NOISY.patience, NOISY.tokens) == (0.03, 0.1, 3, 1024)
    assert (SYNC_BOUNDS["float32"].stop, SYNC_BOUNDS["float32"].patience) == (1e-4, 1)
    assert torch.finfo(torch.bfloat16).eps > 0.005, "what makes the difference"
