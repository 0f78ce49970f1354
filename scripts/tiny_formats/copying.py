"""What a small model needs to copy from its prompt: a layer that looks at the token before, and sequences that repeat.

Copying takes two layers: heads of the first bring each token the one before it, heads of a later one look for a token
whose predecessor is the present one (induction heads). Neither is of use without the other, so both are learned late,
or never by as few tokens as a warm start has. Here the first half is given and the second is learned in minutes.
Source: Olsson et al., "In-context Learning and Induction Heads" (arXiv 2209.11895); there such a shift of keys by one
token, built into the architecture, lets induction heads form at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from transformers import Qwen2ForCausalLM

from tiny.warmstart import Encoded

__all__ = ["repeated_sequences", "with_previous_token_layer"]

STRENGTH = 6.5  # of the biases: 99 % of a head's attention is on the token before
BATCH_TOKENS = 1200
SHORTEST, LONGEST = 8, 24  # tokens of what is repeated
GAP = 4  # tokens at most between it and its repetition


def with_previous_token_layer(model: Qwen2ForCausalLM, *, seed: int) -> Qwen2ForCausalLM:
    """The same function with a layer more, before the others, half of whose heads look at the token before.

    The new layer adds nothing to what passes through it until it is trained: its last matrices are 0.

    Args:
        model: With rotary positions; it is not changed.
        seed: Decides the rest of the new layer.
    """
    config: Any = type(model.config).from_dict(
        {**model.config.to_dict(), "num_hidden_layers": model.config.num_hidden_layers + 1, "layer_types": None}
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        grown = Qwen2ForCausalLM(config)
    old = {_moved(name): weight for name, weight in model.state_dict().items()}
    grown.load_state_dict(old, strict=False)
    layer: Any = grown.model.layers[0]
    nn.init.zeros_(layer.self_attn.o_proj.weight)
    nn.init.zeros_(layer.mlp.down_proj.weight)
    _look_back(layer.self_attn, max(1, config.num_key_value_heads // 2), config.rope_parameters["rope_theta"])
    return grown


def _moved(name: str) -> str:
    """The name that a weight has one layer further up."""
    before, mark, rest = name.partition("model.layers.")
    number, _, last = rest.partition(".")
    return f"{mark}{int(number) + 1}.{last}" if mark else before


@torch.no_grad()
def _look_back(attention: Any, groups: int, theta: float) -> None:
    """Let the heads of the first key-value groups look at the token before, whatever it is.

    With key k and query q the same for all tokens, the score at a distance d is sum_i |q_i| |k_i| cos(d w_i + a_i),
    where w_i are the frequencies of the rotary positions and a_i the angle between q_i and k_i. With a_i = -w_i it is
    largest for d = 1.
    """
    size, shared = attention.head_dim, attention.num_key_value_groups
    frequencies = theta ** (-torch.arange(0, size, 2) / size)
    key = torch.cat([torch.ones(size // 2), torch.zeros(size // 2)])
    query = torch.cat([frequencies.cos(), -frequencies.sin()])
    for matrix, vector, heads in ((attention.k_proj, key, groups), (attention.q_proj, query, groups * shared)):
        matrix.weight[: heads * size] = 0.0
        matrix.bias[: heads * size] = STRENGTH * vector.repeat(heads)


def repeated_sequences(token_ids: Sequence[int], *, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of random tokens of which a part comes again, the loss on that part but for its first token.

    Args:
        token_ids: Those to draw from.
        seed: Decides what is drawn.
    """
    rng = random.Random(f"copying {seed}")
    while True:
        length = rng.randint(SHORTEST, LONGEST)
        start, gap = rng.randrange(length // 2), rng.randint(0, GAP)
        batch = []
        for _ in range(BATCH_TOKENS // (2 * length)):
            first = rng.choices(token_ids, k=length)
            again = first[start:]
            weights = (0.0,) * (length + gap) + (1.0,) * (len(again) - 1)
            batch.append(Encoded((*first, *rng.choices(token_ids, k=gap), *again), weights))
        yield batch
