"""A random Qwen2 small enough to train in milliseconds, with a real byte-level tokenizer and chat template."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from byte_tokenizer import byte_tokenizer
from fake_vllm_server import FakeServer
from grpo.engines.served.weights import SharedFolder
from grpo.model.policy import Policy


@pytest.fixture(scope="session")
def make_policy() -> Callable[..., Policy]:
    """A factory of random policies; the same seed gives the same weights."""
    torch.set_num_threads(1)

    def make(
        *, seed: int = 0, tied: bool = True, dtype: torch.dtype = torch.float32, hidden: int = 32, heads: int = 4
    ) -> Policy:
        tokenizer = byte_tokenizer()
        torch.manual_seed(seed)
        config = Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=heads,
            num_key_value_heads=heads // 2,
            max_position_embeddings=512,
            tie_word_embeddings=tied,
            initializer_range=0.3,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        model = Qwen2ForCausalLM(config).eval()
        return Policy(model, tokenizer, torch.device("cpu"), dtype, frozenset({tokenizer.eos_token_id}))

    return make


@pytest.fixture
def policy(make_policy: Callable[..., Policy]) -> Policy:
    """One random policy."""
    return make_policy()


@pytest.fixture
def policy_directory(policy: Policy, tmp_path: Path) -> Path:
    """The random policy as a checkpoint directory."""
    policy.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """What answers like a `vllm serve`."""
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[SharedFolder]:
    """Through which a fake server gets weights."""
    shared = SharedFolder(tmp_path, torch.float32)
    yield shared
    shared.close()
