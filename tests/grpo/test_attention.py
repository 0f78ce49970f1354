"""Which attention a model's layers get on which device, and that the flash kernel is called as each torch wants it.

Without CUDA there is no such kernel; a loop with its documented behaviour replaces it, under each version's signature.
"""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from grpo.model import attention
from grpo.model.attention import takes_ragged
from grpo.model.batching import MicroBatch, TrainingSample, micro_batches
from grpo.model.policy import ModelError, Policy

TOLERANCE = 1e-6  # fp32, attention over the same keys
HALF_AND_FULL = (torch.bfloat16, torch.float32)
BF16 = 0.02  # relative error of a gradient whose products have eight bits
SAMPLES = [
    TrainingSample((5, 6, 7), (10, 11, 12, 13, 14), (-1.0,) * 5, 1.0),
    TrainingSample((5, 6, 7), (20, 21, 22, 23), (-1.0,) * 4, -1.0),
    TrainingSample((8, 9, 5, 4), (30, 31, 32), (-1.0,) * 3, 0.5),
    TrainingSample((8,), (40,), (-1.0,), 0.5),
]


def loop(
    query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float | None, grouped: bool
) -> Tensor:
    """What the kernel computes, one sequence after the other; refuses what it refuses."""
    assert ends.dtype == torch.int32 and type(longest) is int
    assert grouped or query.shape[1] == key.shape[1], "this version wants as many key heads as query heads"
    parts = []
    for start, end in zip(ends.tolist(), ends.tolist()[1:], strict=False):
        assert 0 < end - start <= longest
        q, k, v = (states[start:end].transpose(0, 1)[None] for states in (query, key, value))
        attended = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=grouped)
        parts.append(attended[0].transpose(0, 1))
    return torch.cat(parts)


def torch_2_11(
    query,
    key,
    value,
    ends_q,
    ends_k,
    max_q,
    max_k,
    *,
    return_aux=None,
    scale=None,
    window_size=(-1, -1),
):
    assert window_size == (-1, 0) and return_aux is None and ends_q is ends_k and max_q == max_k
    return loop(query, key, value, ends_q, max_q, scale, grouped=False)


def torch_2_12(
    query,
    key,
    value,
    ends_q,
    ends_k,
    max_q,
    max_k,
    *,
    return_aux=None,
    scale=None,
    window_size=(-1, -1),
    enable_gqa=False,
    seqused_k=None,
    block_table=None,
    num_splits=None,
):
    assert window_size == (-1, 0) and return_aux is seqused_k is block_table is num_splits is None
    return loop(query, key, value, ends_q, max_q, scale, grouped=enable_gqa)


VERSIONS = [torch_2_11, torch_2_12]  # 2.13 has the signature of 2.12: the test below holds it to what is installed


def states(heads: int, key_heads: int) -> tuple[MicroBatch, list[Tensor]]:
    """A micro-batch, and random query, key and value for its sequences: [S, H, D]."""
    [batch] = micro_batches(SAMPLES, max_tokens=100)
    generator = torch.Generator().manual_seed(0)
    size = len(batch.layout.places)
    return batch, [torch.randn(size, count, 8, generator=generator) for count in (heads, key_heads, key_heads)]


@pytest.mark.parametrize("kernel", VERSIONS)
@pytest.mark.parametrize("heads", [(4, 2), (6, 2), (2, 2)])
def test_the_ragged_way_gives_what_the_padded_way_gives(
    monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., Tensor], heads: tuple[int, int]
) -> None:
    monkeypatch.setattr(attention, "varlen_attn", kernel)
    batch, inputs = states(*heads)
    ragged = attention._ragged(*inputs, batch.layout, 0.3)
    padded = attention._padded(*inputs, batch.layout, 0.3)
    assert torch.allclose(ragged, padded, atol=TOLERANCE)
    assert any(table.rows * table.width > table.stop - table.start for table in batch.layout.tables), "there is padding"
    inputs[1] = inputs[1].flip(1)
    assert heads[1] == 1 or not torch.allclose(attention._ragged(*inputs, batch.layout, 0.3), padded, atol=TOLERANCE)


def test_the_installed_kernel_takes_what_it_is_given() -> None:
    installed, newest = (inspect.signature(kernel).parameters for kernel in (attention.varlen_attn, torch_2_12))
    assert list(installed)[7:] == list(newest)[7:], "the fakes above say for which versions the call was written"


class Watch:
    """Stands between the model and the choice of its attention: the choice is CUDA's, and its inputs are noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chosen_for: list[torch.dtype] = []
        self.given: list[tuple[torch.dtype, ...]] = []
        self.arrived: list[tuple[torch.dtype, ...]] = []
        inner = attention._attention

        def arriving(module: Any, query: Tensor, key: Tensor, value: Tensor, *others: Any, **named: Any) -> Any:
            self.arrived.append((query.dtype, key.dtype, value.dtype))
            return inner(module, query, key, value, *others, **named)

        def choice(device: torch.device, dtype: torch.dtype) -> bool:
            self.chosen_for.append(dtype)
            return takes_ragged(torch.device("cuda"), dtype)

        def kernel(
            query: Tensor,
            key: Tensor,
            value: Tensor,
            ends_q,
            ends_k,
            max_q,
            max_k,
            *,
            scale=None,
            window_size=(-1, -1),
            enable_gqa=False,
        ):
            self.given.append((query.dtype, key.dtype, value.dtype))
            return loop(query, key, value, ends_q, max_q, scale, grouped=enable_gqa)

        monkeypatch.setattr(attention, "_attention", arriving)
        monkeypatch.setattr(attention, "takes_ragged", choice)
        monkeypatch.setattr(attention, "varlen_attn", kernel)


def outcome(policy: Policy) -> tuple[Tensor, Tensor]:
    """Log-probs of the samples, and the gradient of their sum."""
    [batch] = micro_batches(SAMPLES, max_tokens=100)
    logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
    policy.model.zero_grad()
    logprobs.sum().backward()
    return logprobs.detach(), torch.cat([p.grad.flatten() for p in policy.model.parameters()])


def test_autocast_mixes_dtypes_and_every_layer_is_ragged_all_the_same(
    make_policy: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Qwen2 under autocast: its rotary embedding leaves query and key in fp32, which no flash kernel takes."""
    padded = outcome(make_policy(dtype=torch.bfloat16))
    watch = Watch(monkeypatch)
    policy = make_policy(dtype=torch.bfloat16)
    layers = policy.model.config.num_hidden_layers
    ragged = outcome(policy)
    assert watch.arrived == [(torch.float32, torch.float32, torch.bfloat16)] * layers, "what autocast leaves behind"
    assert watch.chosen_for == [torch.bfloat16] * layers and watch.given == [(torch.bfloat16,) * 3] * layers
    for one, other in zip(ragged, padded, strict=True):
        assert (one - other).norm() < BF16 * other.norm()


def test_fp32_on_cuda_is_padded(make_policy: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    outcome(make_policy())
    assert watch.chosen_for and not watch.given


def test_heads_that_the_flash_kernel_cannot_take_are_refused_at_once(make_policy: Callable[..., Policy]) -> None:
    made = make_policy(hidden=24)  # 4 heads of 6
    half, full = ((made.model, made.tokenizer, torch.device("cuda"), dtype, made.stop_ids) for dtype in HALF_AND_FULL)
    with pytest.raises(ModelError, match='heads have size 6.*model.dtype = "float32"'):
        Policy(*half)
    assert Policy(*full).packs


def test_two_updates_with_two_threads_are_equal_to_the_bit(make_policy: Callable[..., Policy]) -> None:
    """A prompt that many completions share gets a sum of many gradients: in an order that no thread decides."""
    prompt = tuple(range(3, 150))
    samples = [TrainingSample(prompt, tuple(range(3 + i, 40 + i)), (-1.0,) * 37, 1.0) for i in range(24)]
    [batch] = micro_batches(samples, max_tokens=10_000)
    policy = make_policy(hidden=64)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        gradients = []
        for _ in range(4):
            logprobs, _ = policy.completion_logprobs(batch, temperature=1.0)
            policy.model.zero_grad()
            (logprobs * torch.linspace(-1, 1, logprobs.numel()).view(logprobs.shape)).sum().backward()
            gradients.append(torch.cat([p.grad.flatten() for p in policy.model.parameters()]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(gradients[0], gradient) for gradient in gradients)
