"""A model directory that cannot be used is refused in words; a row of the table is one thing that is wrong with it.

No pickle is ever loaded, and no code of a model is run.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from grpo.model.model_problems import stop_problem
from grpo.model.policy import ModelError, load_policy

Damage = Callable[[Path], object]
CPU = torch.device("cpu")
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def settings(name: str, **changes: object) -> Damage:
    """Change values of a JSON file; None removes one."""

    def change(at: Path) -> None:
        found = {**json.loads((at / name).read_text()), **changes}
        (at / name).write_text(json.dumps({key: value for key, value in found.items() if value is not None}))

    return change


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    def rewrite(at: Path) -> None:
        found = load_file(at / WEIGHTS)
        change(found)
        save_file(found, at / WEIGHTS, metadata={"format": "pt"})

    return rewrite


def write(name: str, content: bytes) -> Damage:
    return lambda at: (at / name).write_bytes(content)


def keep(*names: str) -> Damage:
    return lambda at: [file.unlink() for file in at.iterdir() if file.name not in names]


def both(*damages: Damage) -> Damage:
    return lambda at: [damage(at) for damage in damages]


def cut(size: int) -> Damage:
    return lambda at: (at / WEIGHTS).write_bytes((at / WEIGHTS).read_bytes()[:size])


def number(value: float) -> Damage:
    return weights(lambda found: found["model.norm.weight"].__setitem__(3, value))


class Trap:
    """Leaves a file behind when a pickle of it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def pickled(name: str) -> Damage:
    """Weights as a pickle that runs code when it is read."""

    def write_it(at: Path) -> None:
        (at / WEIGHTS).unlink()
        torch.save({"model.norm.weight": Trap(at.parent / "ran")}, at / name)

    return write_it


def sharded(index: object) -> Damage:
    def write_it(at: Path) -> None:
        names = list(load_file(at / WEIGHTS))
        (at / WEIGHTS).rename(at / "model-00001-of-00002.safetensors")
        shards = {name: f"model-0000{1 + place % 2}-of-00002.safetensors" for place, name in enumerate(names)}
        (at / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": shards} if index is None else index))

    return write_it


def smaller_vocabulary(at: Path) -> None:
    name = "model.embed_tokens.weight"
    weights(lambda found: found.update({name: found[name][:200].clone()}))(at)
    settings("config.json", vocab_size=200, pad_token_id=None)(at)
    settings("generation_config.json", pad_token_id=None)(at)


CASES: dict[str, tuple[Damage, str]] = {
    "it is empty": (keep(), "no config.json"),
    "it holds config.json alone": (keep("config.json"), "no weights"),
    "its weights are missing": (lambda at: (at / WEIGHTS).unlink(), "no weights"),
    "its config.json is missing": (lambda at: (at / "config.json").unlink(), "no config.json"),
    "its config.json is not JSON": (write("config.json", b"{nope"), "config.json cannot be read"),
    "its config.json is binary": (write("config.json", b"\xff\xfe\x00"), "config.json cannot be read"),
    "its config.json is a list": (write("config.json", b"[]"), "config.json holds no JSON object"),
    "its config.json names no architecture": (settings("config.json", model_type=None), "model_type"),
    "its architecture is not known": (settings("config.json", model_type="nonesuch"), "nonesuch"),
    "its architecture is no causal language model": (
        settings("config.json", model_type="t5", architectures=["T5ForConditionalGeneration"]),
        "no causal language model",
    ),
    "its config.json has a text where a number belongs": (settings("config.json", hidden_size="32"), "hidden_size"),
    "its config.json has no attention heads": (settings("config.json", num_attention_heads=0), "ZeroDivisionError"),
    "its config.json has another number of layers than of their types": (
        settings("config.json", num_hidden_layers=3),
        "num_hidden_layers",
    ),
    "its config.json has more layers than its weights": (
        settings("config.json", num_hidden_layers=3, layer_types=None),
        "lacks 12 of the model's weights",
    ),
    "its weights have other shapes": (settings("config.json", intermediate_size=64), "other shapes"),
    "it needs code of its own": (
        settings("config.json", model_type="mine", auto_map={"AutoConfig": "c.C", "AutoModelForCausalLM": "c.M"}),
        "code of its own, which is never run",
    ),
    "its quantization needs a package": (
        settings("config.json", quantization_config={"quant_method": "gptq", "bits": 4}),
        "quantiz",
    ),
    "it has no chat template": (lambda at: (at / "chat_template.jinja").unlink(), "no chat template"),
    "its chat template is no template": (write("chat_template.jinja", b"{% for %}"), "chat template refuses"),
    "its chat template refuses every message": (
        write("chat_template.jinja", b"{{ raise_exception('no') }}"),
        "chat template refuses",
    ),
    "its vocabulary is smaller than the tokenizer's": (smaller_vocabulary, "embeddings for 200 only"),
    "its end-of-turn token is new to the model": (
        settings("tokenizer_config.json", eos_token="<nonesuch>"),
        "tokenizer knows token 259",
    ),
    "its tokenizer is missing": (keep("config.json", WEIGHTS, "chat_template.jinja"), "no vocabulary"),
    "its tokenizer.json is missing": (lambda at: (at / "tokenizer.json").unlink(), "no vocabulary"),
    "its tokenizer.json is not JSON": (write("tokenizer.json", b"{"), "tokenizer.json cannot be read"),
    "its tokenizer.json is empty JSON": (write("tokenizer.json", b"{}"), "KeyError"),
    "its tokenizer_config.json is not JSON": (write("tokenizer_config.json", b"{"), "tokenizer_config.json cannot"),
    "a weight is NaN": (number(float("nan")), "1 of the 32 numbers in model.norm.weight are NaN or infinite"),
    "a weight is infinite": (number(float("inf")), "1 of the 32 numbers in model.norm.weight are NaN or infinite"),
    "its weights are a pickle": (pickled("pytorch_model.bin"), "never loaded"),
    "its weights are a pickle of another name": (pickled("model.pt"), "never loaded"),
    "its weights are a pickle under the name of safetensors": (pickled(WEIGHTS), f"{WEIGHTS} is damaged"),
    "its weights are half a download": (cut(20_000), f"{WEIGHTS} is damaged"),
    "its weights end within their header": (cut(20), f"{WEIGHTS} is damaged"),
    "its weights are empty": (cut(0), f"{WEIGHTS} is damaged"),
    "its weights are a pointer of Git LFS": (
        write(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        "git lfs pull",
    ),
    "its index names a shard that is missing": (sharded(None), "model-00002-of-00002.safetensors"),
    "its index is no object": (sharded([]), f"{INDEX} holds no JSON object"),
    "its index maps nothing": (sharded({}), "weight_map"),
    "it is an adapter alone": (
        both(keep(), write("adapter_config.json", b'{"peft_type": "LORA"}')),
        "an adapter alone",
    ),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("name", CASES)
def test_a_model_is_refused_when(name: str, policy_directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, said = CASES[name]
    damage(policy_directory)
    with pytest.raises(ModelError) as caught:
        loaded = load_policy(str(policy_directory), device=CPU, compute_dtype="float32")
        loaded.encode([{"role": "user", "content": "a"}])  # a template is read when it is used
    message = str(caught.value)
    assert said in message
    assert len(message) < 1000 and "\n" not in message
    assert not (policy_directory.parent / "ran").exists(), "code in the model was run"
    assert "[y/N]" not in capfd.readouterr().out, "nobody is asked whether to run code"


def test_the_same_directory_undamaged_is_taken(policy_directory: Path) -> None:
    assert load_policy(str(policy_directory), device=CPU, compute_dtype="float32").stop_ids == {258}


@pytest.mark.parametrize("path", ["", "  ", "nothing", "no/such", "a b", "../x", "a\0b", "x" * 5000, __file__])
def test_a_path_that_leads_to_no_model_is_refused(path: str) -> None:
    with pytest.raises(ModelError, match="Give model.path a Hugging Face checkpoint directory"):
        load_policy(path, device=CPU, compute_dtype="float32")


def test_a_model_that_cannot_end_its_turn_is_refused() -> None:
    assert "names an end-of-turn token" in stop_problem([], 259)
    assert "none of the 259" in stop_problem([99_999], 259)
    assert stop_problem([258, 99_999], 259) == "", "a further token is never sampled and does no harm"
