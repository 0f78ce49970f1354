"""A policy loads from an ordinary checkpoint, reads log-probs as a plain forward pass does, and refuses clearly."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from grpo.model.alignment import ALIGNMENT
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import ModelError, Policy, load_policy

TOLERANCE = 2e-5
CPU = torch.device("cpu")


def test_log_probs_equal_one_forward_pass_per_row(policy: Policy) -> None:
    samples = [TrainingSample((1, 2, 3), (4, 5), (0.0,) * 2, 1.0), TrainingSample((6,), (7, 8, 9, 10), (0.0,) * 4, 1.0)]
    (batch,) = micro_batches(samples, max_tokens=100)
    logprobs, entropy = policy.completion_logprobs(batch, temperature=0.7)
    assert logprobs.shape == entropy.shape == batch.mask.shape
    for i, row in enumerate(batch.rows.tolist()):
        ids = samples[row].prompt_ids + samples[row].completion_ids
        distribution = (policy.model(torch.tensor([ids])).logits[0] / 0.7).log_softmax(-1)
        start = len(samples[row].prompt_ids)
        for t, token in enumerate(samples[row].completion_ids):
            assert logprobs[i, t].item() == pytest.approx(distribution[start - 1 + t, token].item(), abs=TOLERANCE)
    assert (logprobs[~batch.mask] == 0).all() and (entropy[~batch.mask] == 0).all()


COMPILED = 1e-5  # relative, fp32: other order of operations


def gradients(policy: Policy, lengths: tuple[int, ...]) -> list[torch.Tensor]:
    """Of summed log-probs, for micro-batches of one to three completions, each a table of its own."""
    found = []
    for length in lengths:
        samples = [
            TrainingSample((5, 6), tuple(range(9, 9 + n)), (0.0,) * n, 1.0) for n in (length, length // 2, length // 4)
        ]
        (batch,) = micro_batches(samples[: 1 + length % 3], max_tokens=100)
        policy.model.zero_grad()
        policy.completion_logprobs(batch, temperature=1.0)[0].sum().backward()
        found.append(torch.cat([p.grad.flatten() for p in policy.model.parameters()]))
    return found


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_compiled_layers_give_the_same_gradient_and_are_compiled_once_for_all_lengths(
    make_policy: Callable[..., Policy], backend: str, checkpointing: bool
) -> None:
    torch._dynamo.reset()
    plain, compiled = make_policy(), make_policy()
    if checkpointing:
        compiled.enable_gradient_checkpointing()
    compiled.compile_layers(backend=backend)
    expected = gradients(plain, (9, 14, 31, 6))
    for one, other in zip(gradients(compiled, (9, 14)), expected[:2], strict=True):
        assert (one - other).norm() < COMPILED * other.norm()
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for one, other in zip(gradients(compiled, (31, 6)), expected[2:], strict=True):
        assert (one - other).norm() < COMPILED * other.norm()
    assert graphs > 0 and torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs
    compiled.model(torch.tensor([[5, 6, 7]]))  # as an engine that samples with the same model
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs, "nothing is compiled for sampling"


def test_layers_of_a_model_that_is_padded_are_not_compiled(policy: Policy) -> None:
    policy.packs = False
    with pytest.raises(ModelError, match="train.compile_layers to false"):
        policy.compile_layers()


def test_a_saved_policy_loads_equal(policy: Policy, policy_directory: Path) -> None:
    loaded = load_policy(str(policy_directory), device=CPU, compute_dtype="float32")
    for one, other in zip(loaded.model.parameters(), policy.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert loaded.stop_ids == policy.stop_ids
    assert not loaded.model.training, "dropout would put noise into the ratio"


@pytest.mark.parametrize("padding", range(0, 64, 8))
def test_a_policy_computes_the_same_bits_wherever_its_file_has_the_weights(
    policy: Policy, policy_directory: Path, padding: int
) -> None:
    """The header of a checkpoint's file decides where in memory the weights begin, and that the last bits."""
    file = policy_directory / "model.safetensors"
    save_file(load_file(file), file, metadata={"format": "pt", "padding": "x" * padding})
    loaded = load_policy(str(policy_directory), device=torch.device("cpu"), compute_dtype="float32")
    assert {weight.data_ptr() % ALIGNMENT for weight in loaded.model.parameters()} == {0}
    assert loaded.model.lm_head.weight is loaded.model.get_input_embeddings().weight, "a tied head stays tied"


def test_every_end_token_that_anything_names_is_a_stop_token(policy_directory: Path) -> None:
    path = policy_directory / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [3, 4]}))
    loaded = load_policy(str(policy_directory), device=CPU, compute_dtype="float32")
    assert loaded.stop_ids == {3, 4, loaded.tokenizer.eos_token_id}


def test_decoding_drops_the_end_token(policy: Policy) -> None:
    ids = policy.tokenizer.encode("fn é() {}")
    assert policy.decode([*ids, policy.tokenizer.eos_token_id]) == "fn é() {}"


def test_a_frozen_policy_is_not_trained(policy: Policy) -> None:
    assert not any(parameter.requires_grad for parameter in policy.frozen().model.parameters())


def test_no_model_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model.path a Hugging Face checkpoint directory"):
        load_policy(str(tmp_path / "nothing"), device=CPU, compute_dtype="float32")


def test_a_model_without_a_chat_template_is_refused(policy_directory: Path) -> None:
    (policy_directory / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        load_policy(str(policy_directory), device=CPU, compute_dtype="float32")


def test_a_torn_weight_file_is_refused(policy_directory: Path) -> None:
    weights = policy_directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="cannot load a model"):
        load_policy(str(policy_directory), device=CPU, compute_dtype="float32")


def test_weights_of_another_size_are_refused(policy_directory: Path) -> None:
    path = policy_directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "intermediate_size": 24}))
    with pytest.raises(ModelError, match="cannot load a model"):
        load_policy(str(policy_directory), device=CPU, compute_dtype="float32")


def test_a_weight_that_is_missing_is_refused_and_not_made_up(policy_directory: Path) -> None:
    weights = load_file(policy_directory / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, policy_directory / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks 1 of the model's weights .model.norm.weight"):
        load_policy(str(policy_directory), device=CPU, compute_dtype="float32")


def test_messages_that_the_chat_template_refuses_are_named(policy: Policy) -> None:
    policy.tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    with pytest.raises(ModelError, match="the roles system, user: no system role.*data.system_prompt"):
        policy.encode([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])


@pytest.mark.parametrize(
    ("setting", "value", "refused"),
    [("logits_scaling", 8.0, True), ("final_logit_softcapping", 30.0, True), ("logit_scale", 1.0, False)],
)
def test_a_model_that_changes_logits_after_the_head_is_refused(
    policy_directory: Path, setting: str, value: float, refused: bool
) -> None:
    path = policy_directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), setting: value}))
    if refused:
        with pytest.raises(ModelError, match=f"after the head \\({setting}\\)"):
            load_policy(str(policy_directory), device=CPU, compute_dtype="float32")
    else:
        assert load_policy(str(policy_directory), device=CPU, compute_dtype="float32")
