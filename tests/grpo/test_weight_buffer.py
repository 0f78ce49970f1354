"""Both processes must read the same bits in the buffer that hands weights over, and a tied weight is in it once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from engines import paged_maker
from grpo.engines import Engine, EngineDied, GenerationOutput
from grpo.engines.process import EngineProcess, _WeightBuffer
from grpo.engines.weight_sync import SyncBounds, WeightSync
from grpo.model.policy import Policy

PROMPTS = [(5, 6, 7), (9,)]
EXACT = SyncBounds(warn=3e-5, stop=1e-4, patience=1, tokens=32, max_tokens=16)
BF16 = SyncBounds(warn=0.3, stop=0.5, patience=1, tokens=32, max_tokens=16)  # the random model's weights are large


class Scribbler(Engine):
    """Stands for an engine whose process sees other memory than this one's: it changes what it is given."""

    def generate(self, prompts: object, params: object) -> Iterator[GenerationOutput]:
        yield from ()

    def load_weights(self, weights: object) -> None:
        for name, tensor in weights:  # type: ignore[attr-defined]
            if name == "second":
                tensor[1] = torch.nextafter(tensor[1], torch.tensor(9.0, dtype=tensor.dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_bits_in_the_engines_process_are_an_error(tmp_path: Path, dtype: torch.dtype) -> None:
    engine = EngineProcess(Scribbler, dtype=dtype, log=tmp_path / "engine.log")
    try:
        engine.load_weights([("first", torch.ones(3, 5))])
        engine._buffer, engine._sent = None, False
        with pytest.raises(EngineDied, match="reads other weights than were handed over"):
            engine.load_weights([("first", torch.ones(3, 5)), ("second", torch.ones(2))])
    finally:
        engine.close()


@pytest.mark.parametrize(("dtype", "bounds"), [(torch.float32, EXACT), (torch.bfloat16, BF16)])
def test_continuous_batching_in_its_own_process_gets_the_weights_bit_by_bit(
    make_policy: Callable[..., Policy], tmp_path: Path, dtype: torch.dtype, bounds: SyncBounds
) -> None:
    policy = make_policy(hidden=64, heads=2, dtype=dtype)
    engine = EngineProcess(paged_maker(policy, tmp_path / "model"), dtype=dtype, log=tmp_path / "engine.log")
    try:
        sync = WeightSync(policy, engine, PROMPTS, bounds)
        for _ in range(2):
            assert sync(print)["sync/gap"] < bounds.warn
            with torch.no_grad():
                policy.model.lm_head.weight.mul_(0.5)
        buffer = engine._buffer
        assert buffer is not None and "lm_head.weight" not in dict(buffer), "tied: once"
        assert sum(tensor.numel() for _, tensor in buffer) == sum(p.numel() for p in policy.model.parameters())
    finally:
        engine.close()


def test_the_buffer_is_filled_up_with_zeros_and_gives_every_weight_back() -> None:
    weights = [("a", torch.randn(3)), ("b", torch.randn(2, 4))]
    buffer = _WeightBuffer.for_weights(weights, torch.bfloat16)
    buffer.fill(weights)
    assert buffer._flat.numel() == 12 and buffer._flat[-1] == 0
    assert all(torch.equal(got, tensor.bfloat16()) for (_, got), (_, tensor) in zip(buffer, weights, strict=True))
