"""Log-probs and entropy equal the definition at every temperature, in fp32 even for bf16 logits."""

import math

import pytest
import torch

from grpo.logprobs import token_logprobs

TOLERANCE = 1e-5


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
def test_logprobs_and_entropy_equal_a_loop(temperature: float) -> None:
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)) * 3
    tokens = torch.tensor([0, 6, 3, 3, 1])
    logprobs, entropy = token_logprobs(logits, tokens, temperature=temperature)
    for row in range(5):
        weights = [math.exp(z / temperature) for z in logits[row].tolist()]
        chances = [weight / sum(weights) for weight in weights]
        assert logprobs[row].item() == pytest.approx(math.log(chances[tokens[row]]), abs=TOLERANCE)
        assert entropy[row].item() == pytest.approx(-sum(p * math.log(p) for p in chances), abs=TOLERANCE)


def test_the_temperature_matters_more_than_the_tolerance() -> None:
    logits, token = torch.tensor([[1.0, 2.0]]), torch.tensor([0])
    cold, _ = token_logprobs(logits, token, temperature=0.7)
    warm, _ = token_logprobs(logits, token, temperature=1.0)
    assert abs(cold - warm).item() > 100 * TOLERANCE


def test_bf16_logits_are_read_in_fp32() -> None:
    logits = torch.randn(3, 50, generator=torch.Generator().manual_seed(1)).bfloat16()
    logprobs, _ = token_logprobs(logits, torch.tensor([1, 2, 3]), temperature=1.0)
    exact, _ = token_logprobs(logits.double(), torch.tensor([1, 2, 3]), temperature=1.0)
    assert logprobs.dtype == torch.float32
    assert torch.allclose(logprobs.double(), exact, atol=TOLERANCE)


def test_gradient_flows_through_logprobs_and_not_through_entropy() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    logprobs, entropy = token_logprobs(logits, torch.tensor([2]), temperature=1.0)
    assert not entropy.requires_grad
    logprobs.sum().backward()
    assert torch.allclose(logits.grad, torch.tensor([[-0.25, -0.25, 0.75, -0.25]]))


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_without_a_distribution_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        token_logprobs(torch.zeros(1, 2), torch.tensor([0]), temperature=temperature)
