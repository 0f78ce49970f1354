"""The contract of `memory_estimate`: parameters and memory by formula are those of the real model classes."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from grpo.model.lora import add_adapters
from grpo.model.policy import Policy
from grpo_rust.known_sizes import known_config
from grpo_rust.memory_estimate import FAMILIES, estimate_memory, model_shape
from tiny_config import TINY

SMALL_VECTORS = 0.02  # of a tiny model's weights are norms and biases, which stay fp32; of 1.5B less than 0.001


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_by_formula_are_those_of_the_model(family, tied):
    options = {**TINY, "tie_word_embeddings": tied, "model_type": family}
    variants = [options]
    if family == "llama":
        variants += [{**options, "attention_bias": True}, {**options, "mlp_bias": True}]
    for variant in [*variants, *({**variant, "head_dim": 32} for variant in variants if family != "qwen2")]:
        config = AutoConfig.for_model(**variant)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        expected = sum(parameter.numel() for parameter in model.parameters())
        assert model_shape(json.loads(config.to_json_string(use_diff=False))).parameters == expected, variant


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.02), ("bfloat16", 0.12), ("float16", 0.12)])
def test_activations_by_formula_are_what_autograd_saves(dtype, tolerance):
    """Summed over the storages saved between two depths of one model, parameters left out."""
    saved = [saved_bytes(layers, dtype) for layers in (2, 4)]
    shape = model_shape({**TINY, "num_hidden_layers": 2, "hidden_size": 128, "intermediate_size": 256})
    expected = estimate_memory(
        shape, dtype=dtype, reference=False, micro_batch_tokens=1024, rows=1, row_tokens=1
    ).activations
    assert saved[1] - saved[0] == pytest.approx(expected, rel=tolerance)
    assert saved[1] - saved[0] != pytest.approx(1.3 * expected, rel=tolerance)


def test_lora_keeps_adam_and_gradients_of_its_own_weights_only():
    sizes = {"model_type": "qwen2", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32, "tie_word_embeddings": True}
    shape = model_shape(sizes | heads)
    assert shape.linear_ends == 3 * (2 * (8 + 8) + 2 * (8 + 4) + 3 * (8 + 16))
    work = {"dtype": "float32", "reference": True, "micro_batch_tokens": 64, "rows": 1, "row_tokens": 64}
    full, lora = estimate_memory(shape, **work), estimate_memory(shape, **work, lora_rank=2)
    assert lora.adam == 2 * lora.gradients == 8 * 2 * shape.linear_ends < full.adam
    assert lora.weights == full.weights + lora.gradients
    assert (full.reference, lora.reference) == (full.weights, 0), "adapters off are the reference"
    assert estimate_memory(shape, **work, gradient_checkpointing=True).activations < full.activations


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_frozen_weight_takes_2_bytes_and_no_copy_in_half_precision(dtype):
    """Before sampling: 2 of the policy's, as the published code has; an engine adds 2, and the buffer for it 2."""
    shape = model_shape(known_config("meta-llama/Llama-3.1-8B-Instruct"))
    work = {"dtype": dtype, "reference": True, "micro_batch_tokens": 64, "rows": 1, "row_tokens": 64}
    full, lora = estimate_memory(shape, **work), estimate_memory(shape, **work, lora_rank=16)
    adapters = 16 * shape.linear_ends
    assert (lora.weights, lora.compute_copy, lora.reference) == (2 * shape.parameters + 4 * adapters, 2 * adapters, 0)
    assert (full.weights, full.compute_copy) == (4 * shape.parameters, 2 * shape.parameters), "what is trained"
    assert full.reference == 2 * shape.parameters, "a reference is frozen as well"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("rank", [0, 4])
def test_weights_by_formula_are_those_of_a_policy(dtype, rank):
    """Norms and biases are a larger share of a small model than of a real one."""
    config = AutoConfig.for_model(**TINY)
    model = AutoModelForCausalLM.from_config(config)
    policy = Policy(model, None, torch.device("cpu"), getattr(torch, dtype), frozenset())
    policy = add_adapters(policy, rank=rank, alpha=rank, targets="all-linear", seed=0) if rank else policy
    measured = sum(parameter.nbytes for parameter in policy.model.parameters())
    work = {"dtype": dtype, "reference": False, "micro_batch_tokens": 64, "rows": 1, "row_tokens": 64}
    expected = estimate_memory(model_shape(TINY), **work, lora_rank=rank).weights
    assert measured == pytest.approx(expected, rel=SMALL_VECTORS)
    assert measured != pytest.approx(1.1 * expected, rel=SMALL_VECTORS)


def test_moments_of_8_bits_take_a_quarter_and_their_scales():
    shape = model_shape(known_config("Qwen/Qwen2.5-Coder-1.5B-Instruct"))
    work = {"dtype": "bfloat16", "reference": False, "micro_batch_tokens": 64, "rows": 1, "row_tokens": 64}
    full, small = (estimate_memory(shape, **work, optimizer=name) for name in ("adamw", "adamw8bit"))
    assert (round(full.adam / 1e9, 2), round(small.adam / 1e9, 2)) == (12.35, 3.14)
    assert full.peak - small.peak == full.adam - small.adam


def saved_bytes(layers: int, dtype: str) -> int:
    config = AutoConfig.for_model(**{**TINY, "num_hidden_layers": layers, "hidden_size": 128, "intermediate_size": 256})
    model = AutoModelForCausalLM.from_config(config).base_model
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    storages: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage
        return tensor

    ids = torch.zeros(16, 64, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        with torch.autocast("cpu", dtype=getattr(torch, dtype), enabled=dtype != "float32"):
            model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    return sum(storage.nbytes() for place, storage in storages.items() if place not in parameters)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct", 494_032_768),
        ("Qwen/Qwen2.5-Coder-1.5B-Instruct", 1_543_714_304),
        ("Qwen/Qwen2.5-Coder-3B-Instruct", 3_085_938_688),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", 7_615_616_512),
        ("Qwen/Qwen2.5-Coder-14B-Instruct", 14_770_033_664),
        ("meta-llama/Llama-3.2-1B-Instruct", 1_235_814_400),
        ("meta-llama/Llama-3.2-3B-Instruct", 3_212_749_824),
        ("meta-llama/Llama-3.1-8B-Instruct", 8_030_261_248),
    ],
)
def test_known_models_have_the_parameters_of_their_cards(name, parameters):
    assert model_shape(known_config(name)).parameters == parameters


def test_an_engine_of_its_own_is_counted_while_it_is_there():
    shape = model_shape(TINY)
    common = {"dtype": "bfloat16", "reference": False, "micro_batch_tokens": 100, "rows": 4, "row_tokens": 50}
    alone, asleep = estimate_memory(shape, **common), estimate_memory(shape, **common, own_engine=True)
    awake = estimate_memory(shape, **common, own_engine=True, keeps=("weights", "cache"))
    assert asleep.engine == awake.engine == 2 * 2 * shape.parameters + 12 * 4 * 128 and alone.engine == 0
    assert asleep.kv_cache * 50 == alone.kv_cache * 256, "whole pages"
    assert awake.peak - asleep.peak == awake.engine + awake.kv_cache, "updates are the larger part here"
    assert awake.beside_updates == awake.engine + awake.kv_cache and asleep.beside_updates == 0
    crowded = {**common, "rows": 40_000, "own_engine": True}
    assert estimate_memory(shape, **crowded).peak > asleep.peak, "else sampling is"
