"""LoRA trains A and B alone; what is handed out is W + scale B A; the base stays what it was to the bit."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from grpo.checkpoint.snapshot import write_checkpoint
from grpo.checkpoint.updater_state import load_trainer_state, take_snapshot
from grpo.engines import SamplingParams
from grpo.engines.hf import HFEngine
from grpo.model.batching import MicroBatch, micro_batches
from grpo.model.lora import ADAPTER, Base, LoraPolicy, add_adapters, load_adapters, merged_weights
from grpo.model.policy import ModelError, Policy, load_policy
from test_update import OBJECTIVE, SAMPLES, make_updater

TOLERANCE = 1e-5  # fp32 log-probs of magnitude 10
LAYERS, LINEAR = 2, 7  # linear layers in each


@pytest.fixture
def lora(make_policy: Callable[..., Policy]) -> LoraPolicy:
    """A random policy with adapters."""
    return with_adapters(make_policy())


def with_adapters(policy: Policy, targets: str = "all-linear") -> LoraPolicy:
    return add_adapters(policy, rank=4, alpha=16, targets=targets, seed=0)


def train(policy: LoraPolicy, updates: int = 3) -> None:
    updater = make_updater(policy, schedule=lambda update: 1e-2, weight_decay=0.1)
    for _ in range(updates):
        updater.update(SAMPLES)


def logprobs(policy: Policy | Base) -> Tensor:
    [batch] = micro_batches(SAMPLES, max_tokens=1000)
    with torch.no_grad():
        return policy.completion_logprobs(batch, temperature=1.0)[0]


def base_weights(policy: LoraPolicy) -> dict[str, Tensor]:
    return {n: t.clone() for n, t in policy.model.state_dict().items() if ".lora_" not in n}


def test_new_adapters_change_nothing_and_are_all_that_is_trained(make_policy: Callable[..., Policy]) -> None:
    before = logprobs(make_policy())
    policy = with_adapters(make_policy())
    assert torch.equal(logprobs(policy), before)
    trained = [name for name, p in policy.model.named_parameters() if p.requires_grad]
    assert len(trained) == 2 * LAYERS * LINEAR and all(".lora_" in name for name in trained)
    assert {p.dtype for p in policy.model.parameters()} == {torch.float32}
    assert policy.packs


def test_the_base_is_the_same_to_the_bit_after_50_updates_and_syncs(lora: LoraPolicy) -> None:
    before, start = base_weights(lora), logprobs(lora)
    for _ in range(50):
        train(lora, updates=1)
        synced = dict(merged_weights(lora, dtype=torch.bfloat16))
    assert all(torch.equal(before[name], weight) for name, weight in base_weights(lora).items())
    assert not torch.allclose(logprobs(lora), start, atol=0.1), "and the adapters have learned"
    assert {tensor.dtype for tensor in synced.values()} == {torch.bfloat16}
    assert torch.equal(logprobs(Base(lora)), start), "adapters off: the base"


def test_what_is_handed_out_is_computed_in_fp32_and_cast_once(lora: LoraPolicy) -> None:
    train(lora)
    merged, rounded = dict(merged_weights(lora)), dict(merged_weights(lora, dtype=torch.bfloat16))
    name = "model.layers.0.mlp.up_proj"
    state = lora.model.state_dict()
    a, b = (state[f"{name}.lora_{part}.default.weight"].double() for part in "AB")
    exact = state[f"{name}.base_layer.weight"].double() + 16.0 / 4 * b @ a
    assert torch.allclose(merged[f"{name}.weight"].double(), exact, atol=1e-7)
    assert torch.equal(rounded[f"{name}.weight"], merged[f"{name}.weight"].bfloat16())
    assert merged.keys() == {n.replace(".base_layer", "") for n in base_weights(lora)} - {"lm_head.weight"}, "tied"


def test_merged_weights_in_a_plain_model_give_the_same_log_probs(
    lora: LoraPolicy, make_policy: Callable[..., Policy]
) -> None:
    train(lora)
    plain = make_policy(seed=1)
    assert plain.model.load_state_dict(dict(merged_weights(lora)), strict=False).missing_keys == ["lm_head.weight"]
    assert torch.allclose(logprobs(plain), logprobs(lora), atol=TOLERANCE)
    assert not torch.allclose(logprobs(plain), logprobs(Base(lora)), atol=100 * TOLERANCE)


@pytest.mark.parametrize("tied", [True, False])
def test_adapter_and_merged_model_are_both_saved(
    make_policy: Callable[..., Policy], tied: bool, tmp_path: Path
) -> None:
    make_policy(tied=tied).save(tmp_path / "base")
    lora = with_adapters(make_policy(tied=tied))
    train(lora)
    lora.save(tmp_path / "trained")
    expected = logprobs(lora)
    saved = load_file(tmp_path / "trained" / "model.safetensors")
    assert ("lm_head.weight" in saved) != tied, "a tied head is the embeddings, written once"
    merged = load_policy(str(tmp_path / "trained"), device=torch.device("cpu"), compute_dtype="float32")
    assert torch.allclose(logprobs(merged), expected, atol=TOLERANCE)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    adapted = PeftModel.from_pretrained(base, str(tmp_path / "trained" / ADAPTER)).eval()
    ids = torch.tensor([SAMPLES[0].token_ids])
    assert torch.allclose(adapted(ids).logits, lora.model(ids).logits, atol=1e-4)
    assert not (tmp_path / "trained" / "adapter_config.json").exists(), "transformers would load it on top"


def test_a_run_goes_on_from_a_checkpoint_to_the_same_bits(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    policies = [with_adapters(make_policy()) for _ in range(2)]
    updaters = [make_updater(policy) for policy in policies]
    for _ in range(3):
        updaters[0].update(SAMPLES)
    at_once = write_checkpoint(tmp_path / "at once", take_snapshot(updaters[0], step=3, progress={}, texts={}))
    snapshot = take_snapshot(updaters[0], step=3, progress={}, texts={})
    ends = [updaters[0].update(SAMPLES)]
    checkpoint = write_checkpoint(tmp_path, snapshot)  # while training has gone on
    for name in ("model.safetensors", f"{ADAPTER}/adapter_model.safetensors"):
        assert (checkpoint / name).read_bytes() == (at_once / name).read_bytes()
    load_adapters(policies[1], checkpoint)
    load_trainer_state(checkpoint, updaters[1])
    ends.append(updaters[1].update(SAMPLES))
    assert ends[0] == ends[1] and torch.equal(logprobs(policies[0]), logprobs(policies[1]))


def test_adapters_of_other_layers_are_refused(make_policy: Callable[..., Policy], tmp_path: Path) -> None:
    with_adapters(make_policy(), targets="q_proj,v_proj").save(tmp_path)
    with pytest.raises(ModelError, match="resume with the recipe"):
        load_adapters(with_adapters(make_policy()), tmp_path)
    with pytest.raises(ModelError, match="cannot load adapters"):
        load_adapters(with_adapters(make_policy()), tmp_path / "nowhere")
    with pytest.raises(ModelError, match="lora.targets"):
        with_adapters(make_policy(), targets="no_such_layer")


def test_the_kl_is_measured_to_the_base_without_a_second_model(lora: LoraPolicy) -> None:
    objective = dataclasses.replace(OBJECTIVE, kl_beta=0.1)
    updater = make_updater(lora, objective, reference=Base(lora), num_iterations=2)
    first = updater.update(SAMPLES)["kl/reference"]
    later = [updater.update(SAMPLES)["kl/reference"] for _ in range(5)][-1]
    assert 0 < first < later and math.isfinite(later)


def test_the_engine_samples_from_the_adapted_model(lora: LoraPolicy) -> None:
    """Its log-probs are the trainer's, before and after training."""
    for updates in (0, 5):
        train(lora, updates)
        [completion] = HFEngine(lora).generate([(5, 6, 7)], SamplingParams(1, 8, 1.0, seed=0))
        sample = dataclasses.replace(
            SAMPLES[0], prompt_ids=(5, 6, 7), completion_ids=completion.token_ids, sampler_logprobs=completion.logprobs
        )
        batch: MicroBatch
        [batch] = micro_batches([sample], max_tokens=100)
        read, _ = lora.completion_logprobs(batch, temperature=1.0)
        assert torch.allclose(read[0], torch.tensor(completion.logprobs), atol=TOLERANCE)


def test_updates_that_bfloat16_rounds_away_are_counted(make_policy: Callable[..., Policy]) -> None:
    """Every element is 1, where bfloat16 numbers lie 2^-7 apart: a change of 2^-9 is lost, one of 2^-7 is not."""
    policy = with_adapters(make_policy(dtype=torch.bfloat16), targets="up_proj")
    layers = [layer.mlp.up_proj for layer in policy.model.model.layers]
    with torch.no_grad():
        for layer in layers:
            layer.base_layer.weight.fill_(1.0)
            layer.lora_A.default.weight.fill_(2.0**-4)  # of rank 4, and scaled by 4: delta = B
            layer.lora_B.default.weight.fill_(2.0**-9)
    assert policy.weight_metrics() == {}, "nothing was handed out yet"
    dict(policy.weights())
    assert policy.weight_metrics() == {"sync/rounded": 1.0}
    with torch.no_grad():
        layers[0].lora_B.default.weight.fill_(2.0**-7)
        layers[1].lora_B.default.weight[16:] = 2.0**-7  # of 48 rows
    dict(policy.weights())
    assert policy.weight_metrics() == {"sync/rounded": pytest.approx(1 / 6)}


def test_in_float32_nothing_is_rounded_away(lora: LoraPolicy) -> None:
    dict(lora.weights())
    assert lora.weight_metrics() == {}
