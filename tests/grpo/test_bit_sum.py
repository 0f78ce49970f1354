"""Sums of bits are exact, do not depend on order, and add up over the parts of a fused or padded weight."""

import pytest
import torch

from grpo.engines.bit_sum import bit_sum
from grpo.engines.loaded_weights import differing

DTYPES = [torch.float32, torch.bfloat16, torch.float64]


def random(*shape: int, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 8), (5, 7), (9,), (2, 3, 4)])
def test_the_sum_is_that_of_a_loop_over_the_bytes(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    weight = random(*shape, dtype=dtype)
    size = 8 if len(shape) > 1 and shape[-1] * dtype.itemsize % 8 == 0 else dtype.itemsize
    octets = weight.flatten().view(torch.uint8).tolist()
    words = [int.from_bytes(bytes(octets[at : at + size]), "little", signed=True) for at in range(0, len(octets), size)]
    assert int(bit_sum(weight)) % 2**64 == sum(words) % 2**64


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_changed_bit_is_seen_and_the_order_is_not(dtype: torch.dtype) -> None:
    weight = random(64, 16, dtype=dtype)
    changed = weight.clone()
    changed[5, 3] = torch.nextafter(weight[5, 3], torch.tensor(9.0, dtype=dtype))
    assert bit_sum(changed) != bit_sum(weight)
    assert bit_sum(weight.flip(0)) == bit_sum(weight)
    assert bit_sum(weight.T) != 0 and bit_sum(weight[::2]) + bit_sum(weight[1::2]) == bit_sum(weight)


def test_a_weight_that_begins_in_the_middle_of_a_word_has_the_sum_of_one_that_does_not() -> None:
    buffer = random(3 + 5 * 8)
    inside = buffer[3:].view(5, 8)
    assert bit_sum(inside) == bit_sum(inside.clone())


class Holder:
    """Stands for vLLM's model: fused, padded, packed."""

    packed_modules_mapping = {"qkv": ["q", "k"]}

    def __init__(self, **weights: torch.Tensor) -> None:
        self.weights = weights

    def named_parameters(self) -> list[tuple[str, torch.Tensor]]:
        return [(name.replace("_", "."), weight) for name, weight in self.weights.items()]


def compare(holder: Holder, given: dict[str, torch.Tensor]) -> list[str]:
    sums = {name: bit_sum(weight) for name, weight in given.items()}
    return differing(holder, sums, {name: weight.numel() for name, weight in given.items()}, torch.bfloat16)


def test_fused_and_padded_weights_are_compared_with_their_parts() -> None:
    whole = random(6, 8)
    given = {"a.q.weight": whole[:4], "a.k.weight": whole[4:], "embed": whole[:5], "norm": whole[0]}
    padded = torch.cat([whole[:5], torch.full((3, 8), 7.0, dtype=torch.bfloat16)])
    right = {"a_qkv_weight": whole, "embed": padded, "norm": whole[0]}
    assert compare(Holder(**right), given) == []
    for name, expected in [("a_qkv_weight", "a.qkv.weight"), ("embed", "embed"), ("norm", "norm")]:
        wrong = right[name].clone()
        wrong.view(-1)[2] += 1
        assert compare(Holder(**{**right, name: wrong}), given) == [expected]


def test_what_was_packed_or_not_given_is_not_compared() -> None:
    whole = random(6, 8)
    packed = {
        "norm": torch.empty(0, dtype=torch.bfloat16),
        "other": whole,
        "a_qkv_weight": whole,
        "embed": whole.float(),
    }
    assert compare(Holder(**packed), {"norm": whole, "a.q.weight": whole, "embed": whole}) == []
