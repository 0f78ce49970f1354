"""Log-probs from hidden states without logits equal the definition in value and gradient, whatever the tile."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grpo.logprobs import (
    Tile,
    _fold,
    _fused,
    _gradient_of_tile,
    _gradient_of_tile_eagerly,
    _Head,
    linear_logprobs,
    token_logprobs,
)

TOLERANCE = 1e-12  # fp64, other order of summation
BF16 = 2e-2  # gradients that come back as bf16 keep three digits


def problem(tokens: int, vocabulary: int, size: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> list[Tensor]:
    """Hidden states, head, bias and token ids."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((tokens, size), (vocabulary, size), (vocabulary,))
    floats = [torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]
    return [*floats, torch.randint(0, vocabulary, (tokens,), generator=generator)]


def outcome(*, ours: bool, inputs: list[Tensor], entropy_grad: bool = True, **options: Any) -> list[Tensor]:
    """Log-probs, entropy, and the gradients of a weighted sum of both to hidden states, head and bias."""
    hidden, weight, bias, token_ids = inputs
    leaves = [t.detach().clone().requires_grad_() for t in (hidden, weight, bias)]
    if ours:
        found = linear_logprobs(leaves[0], leaves[1], token_ids, bias=leaves[2], entropy_grad=entropy_grad, **options)
    else:
        upcast = [leaf if leaf.dtype.itemsize >= 4 else leaf.float() for leaf in leaves]
        logits = upcast[0] @ upcast[1].T + upcast[2]
        found = token_logprobs(logits, token_ids, temperature=options["temperature"], entropy_grad=entropy_grad)
    upstream = torch.linspace(-1, 2, len(token_ids), dtype=found[0].dtype)
    loss = (found[0] * upstream).sum()
    if entropy_grad:
        loss = loss + (found[1] * upstream.flip(0)).sum()
    return [part.detach() for part in found] + list(torch.autograd.grad(loss, leaves))


@given(
    st.integers(1, 9),
    st.integers(1, 23),
    st.integers(1, 4),
    st.integers(1, 10),
    st.integers(1, 25),
    st.sampled_from([0.3, 1.0, 1.7]),
    st.booleans(),
)
@settings(deadline=None)
def test_it_equals_the_definition_on_every_tile(
    tokens: int,
    vocabulary: int,
    size: int,
    tile_tokens: int,
    tile_vocabulary: int,
    temperature: float,
    entropy_grad: bool,
) -> None:
    inputs = problem(tokens, vocabulary, size, seed=tokens + vocabulary)
    options: dict[str, Any] = {"temperature": temperature, "entropy_grad": entropy_grad}
    ours = outcome(ours=True, inputs=inputs, tile=Tile(tile_tokens, tile_vocabulary), **options)
    expected = outcome(ours=False, inputs=inputs, **options)
    for one, other in zip(ours, expected, strict=True):
        assert torch.allclose(one, other, atol=TOLERANCE, rtol=TOLERANCE)


def test_the_tolerance_can_fail() -> None:
    inputs = problem(5, 11, 3)
    ours = outcome(ours=True, inputs=inputs, temperature=1.0)
    others = [outcome(ours=False, inputs=inputs, temperature=1.0 + 1e-9)]
    others.append(outcome(ours=False, inputs=[inputs[0] * (1 + 1e-9), *inputs[1:]], temperature=1.0))
    for other in others:
        for one, two in zip(ours, other, strict=True):
            assert not torch.allclose(one, two, atol=TOLERANCE, rtol=TOLERANCE)


def test_its_gradient_is_that_of_finite_differences() -> None:
    hidden, weight, bias, token_ids = problem(4, 7, 3)

    def values(*leaves: Tensor) -> tuple[Tensor, Tensor]:
        hidden, weight, bias = leaves
        return linear_logprobs(
            hidden, weight, token_ids, temperature=0.7, bias=bias, entropy_grad=True, tile=Tile(3, 4)
        )

    assert torch.autograd.gradcheck(values, [leaf.requires_grad_() for leaf in (hidden, weight, bias)])


@pytest.mark.parametrize("frozen", ["hidden", "weight", "bias"])
def test_nothing_is_computed_for_what_is_frozen(frozen: str) -> None:
    leaves = dict(zip(("hidden", "weight", "bias"), problem(5, 11, 3)[:3], strict=True))
    for name, leaf in leaves.items():
        leaf.requires_grad_(name != frozen)
    logprobs, entropy = linear_logprobs(token_ids=torch.arange(5), temperature=1.0, **leaves)
    logprobs.sum().backward()
    assert {name for name, leaf in leaves.items() if leaf.grad is None} == {frozen}
    assert not entropy.requires_grad


def test_a_tied_head_gets_both_gradients() -> None:
    embedding = problem(5, 11, 3)[1].requires_grad_()
    token_ids, context = torch.tensor([1, 2, 3]), torch.tensor([4, 5, 6])
    ours, _ = linear_logprobs(embedding[context], embedding, token_ids, temperature=1.0)
    expected, _ = token_logprobs(embedding[context] @ embedding.T, token_ids, temperature=1.0)
    gradients = [torch.autograd.grad(values.sum(), embedding)[0] for values in (ours, expected)]
    assert torch.allclose(*gradients, atol=TOLERANCE)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_fp32(dtype: torch.dtype) -> None:
    """Values as exact as fp32 on the same inputs; gradients come back in the inputs' dtype."""
    inputs = problem(40, 300, 64, dtype)
    inputs[1] /= 8
    ours = outcome(ours=True, inputs=inputs, temperature=1.0, tile=Tile(16, 64))
    expected = outcome(ours=False, inputs=inputs, temperature=1.0)
    assert ours[0].dtype == torch.float32 and {gradient.dtype for gradient in ours[2:]} == {dtype}
    for one, other in zip(ours[:2], expected[:2], strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    for one, other in zip(ours[2:], expected[2:], strict=True):
        assert (one.double() - other.double()).norm() < BF16 * other.double().norm()


def test_autocast_rounds_nothing_on_the_cpu() -> None:
    hidden, weight, _, token_ids = problem(6, 20, 8, torch.float32)
    plain = linear_logprobs(hidden, weight, token_ids, temperature=1.0)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(linear_logprobs(hidden, weight, token_ids, temperature=1.0)[0], plain)


def test_no_tokens_are_no_problem() -> None:
    hidden, weight, bias, _ = problem(0, 5, 3)
    hidden.requires_grad_()
    logprobs, entropy = linear_logprobs(hidden, weight, torch.empty(0, dtype=torch.int64), temperature=1.0)
    logprobs.sum().backward()
    assert logprobs.shape == entropy.shape == (0,) and hidden.grad.shape == (0, 3)


def test_extreme_logits_overflow_nowhere() -> None:
    weight = torch.tensor([[1e4], [-1e4], [0.0]])
    hidden = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    logprobs, entropy = linear_logprobs(hidden, weight, torch.tensor([0, 0]), temperature=1.0, tile=Tile(1, 1))
    logprobs.sum().backward()
    assert logprobs.tolist() == [0.0, -2e4] and entropy.tolist() == [0.0, 0.0]
    assert hidden.grad.isfinite().all()


class LargestTensor(TorchDispatchMode):
    """Records the largest number of elements in the result of any operation."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for part in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(part, Tensor):
                self.largest = max(self.largest, part.numel())
        return result


def test_tokens_times_vocabulary_never_exist() -> None:
    tokens, vocabulary, size = 64, 500, 8
    hidden, weight, _, token_ids = problem(tokens, vocabulary, size, torch.float32)
    hidden.requires_grad_(), weight.requires_grad_()
    with LargestTensor() as watch:
        logprobs, entropy = linear_logprobs(
            hidden, weight, token_ids, temperature=1.0, entropy_grad=True, tile=Tile(32, 64)
        )
        (logprobs.sum() + entropy.sum()).backward()
    assert watch.largest == vocabulary * size, "the gradient of the head, and nothing larger"
    with LargestTensor() as watch:
        token_logprobs(hidden @ weight.T, token_ids, temperature=1.0)
    assert watch.largest == tokens * vocabulary, "the watch sees logits where there are any"


def tile_of_gradients(columns: list[int], *, with_entropy: bool) -> list[Tensor]:
    """What the gradient of a tile is computed from: 6 tokens, 9 entries of the vocabulary."""
    logits, numbers, *_ = problem(6, 6, 9, torch.float32)
    g, lse, *more = (numbers[:, i].contiguous() for i in range(4))
    return [logits, g, lse + 3, torch.tensor(columns), *(more if with_entropy else [])]


@pytest.mark.parametrize("with_entropy", [False, True])
def test_the_kernel_to_fuse_and_the_eager_one_are_equal(with_entropy: bool) -> None:
    arguments = tile_of_gradients([0, 8, 3, -1, 9, -500], with_entropy=with_entropy)
    one, other = ([part.clone() for part in arguments] for _ in range(2))
    _gradient_of_tile(*one)
    _gradient_of_tile_eagerly(*other)
    assert torch.equal(one[0], other[0])
    elsewhere = tile_of_gradients([-1] * 6, with_entropy=with_entropy)
    _gradient_of_tile(*elsewhere)
    assert (one[0] != elsewhere[0]).nonzero().tolist() == [[0, 0], [1, 8], [2, 3]], "the tokens of this tile alone"


@pytest.mark.slow
@pytest.mark.parametrize("with_entropy", [False, True])
def test_the_compiled_gradient_computes_the_same(with_entropy: bool) -> None:
    """The function that becomes one kernel on CUDA, compiled for the CPU."""
    arguments = tile_of_gradients([0, 8, 3, -1, 9, -500], with_entropy=with_entropy)
    eager, compiled = ([part.clone() for part in arguments] for _ in range(2))
    _gradient_of_tile(*eager)
    _fused(_gradient_of_tile)(*compiled)
    assert torch.allclose(eager[0], compiled[0], atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_the_compiled_sums_are_the_same() -> None:
    logits = problem(6, 6, 9, torch.float32)[0]
    eager, compiled = ([logits, torch.full((6,), -math.inf), torch.zeros(6), torch.zeros(6)] for _ in range(2))
    _fold(*eager)
    _fused(_fold)(*compiled)
    for one, other in zip(eager, compiled, strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("autocast", [torch.bfloat16, torch.float16])
def test_a_tokens_own_logit_has_the_inputs_that_the_tiles_have(autocast: torch.dtype) -> None:
    """As on CUDA under autocast, where the inputs of the products are rounded to half precision."""
    hidden, weight, bias, token_ids = problem(7, 20, 64, torch.float32)
    head = _Head(hidden, weight, bias, 0.7, Tile(4, 8), autocast)
    own = torch.cat([head.own_logit(tokens, token_ids[tokens]) for tokens in head.tokens()])
    rounded = (hidden.to(autocast).float() @ weight.to(autocast).float().T + bias) / 0.7
    assert torch.allclose(own, rounded.gather(1, token_ids[:, None])[:, 0], atol=1e-5)
    exact = (hidden @ weight.T + bias) / 0.7
    assert not torch.allclose(own, exact.gather(1, token_ids[:, None])[:, 0], atol=1e-5)


def test_no_log_prob_is_above_zero() -> None:
    """The token's own logit and the sum of exponentials are rounded apart; a certain token must not pass 1."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(500, 300, generator=generator)
    logprobs, _ = linear_logprobs(hidden, hidden, torch.arange(500), temperature=1.0)
    assert (logprobs == 0).any() and logprobs.max() <= 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"token_ids": torch.zeros(3, dtype=torch.int64)}, "token ids \\[3\\]"),
        ({"weight": torch.zeros(7, 4)}, "head \\[7, 4\\]"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], said: str) -> None:
    hidden, weight, _, token_ids = problem(2, 7, 3)
    with pytest.raises(ValueError, match=said):
        linear_logprobs(**{"hidden": hidden, "weight": weight, "token_ids": token_ids, "temperature": 1.0} | change)
