"""The contract of `plan` and `footprint`: what a recipe will do and need, by counts and formulas, nothing loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from footprint import FAMILIES, footprint, model_shape
from grpo.settings import ConfigError, load
from plan import count_prompts, plan
from recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
    "tie_word_embeddings": True,
}


@pytest.fixture
def words(tmp_path, monkeypatch):
    """Overrides of a recipe whose model is a config.json and whose data are 100 training and 7 evaluation prompts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(TINY))
    (tmp_path / "train.jsonl").write_text('{"prompt": "a"}\n' * 100 + "\n")
    (tmp_path / "eval.jsonl").write_text('{"prompt": "a"}\n' * 7)
    return ["model.path=model", "data.train=train.jsonl", "data.eval=eval.jsonl", "run.dir=out", "train.device=cpu"]


def planned(words: list[str], *more: str) -> dict[str, str]:
    """A plan by the names of its rows; a row without a name belongs to the one above."""
    rows: dict[str, str] = {}
    for line in plan(load(Recipe, None, [*words, *more])).splitlines():
        name, text = re.fullmatch(r"(\S*) +(.*)", line).groups()
        last = name or last  # noqa: F821
        rows[last] = f"{rows[last]}\n{text}" if last in rows else text
    return rows


def test_steps_and_answers_follow_from_the_prompts(words):
    rows = planned(words)
    assert rows["prompts"] == "100 in train.jsonl"
    assert rows["steps"] == "7: 16 prompts x 8 answers = 128 answers a step"  # 100 / 16, rounded up
    assert rows["tokens"] == "at most 57,344 a step (448 an answer with its prompt)"  # 128 * (256 + 192)
    assert rows["evaluation"] == "2 x 7 prompts x 2 answers, from eval.jsonl"
    assert rows["run"] == "out"


@pytest.mark.parametrize(
    ("overrides", "row", "text"),
    [
        (["train.max_steps=2"], "steps", "2: "),
        (["train.epochs=2"], "steps", "13: "),
        (["train.num_iterations=3"], "steps", "7: 16 prompts x 8 answers = 128 answers a step, 3 updates each"),
        (["eval.every=2"], "evaluation", "5 x 7 prompts"),  # before, after steps 2, 4, 6, and after 7
        (["eval.every=7"], "evaluation", "2 x 7 prompts"),  # after step 7 is the end
        (["eval.prompts=0", "data.eval=none.jsonl"], "evaluation", "0 x 0 prompts"),
        (["data.train=hf:some/prompts"], "steps", "an unknown number"),
        (["data.train=hf:some/prompts"], "time", "unknown"),
        (["data.train=hf:some/prompts", "train.max_steps=5"], "steps", "5: "),
        (["train.device=cuda"], "time", "not estimated on a GPU"),
        (["model.path=no-such/model"], "model", "no-such/model: no directory here"),
        (["model.path=no-such/model"], "memory", "unknown"),
    ],
)
def test_the_plan_follows_the_settings(words, overrides, row, text):
    assert planned(words, *overrides)[row].startswith(text)


def test_memory_names_its_parts_and_a_reference_only_with_a_kl(words):
    assert "reference" not in planned(words)["memory"]
    assert "reference 0 MB" in planned(words, "loss.kl_beta=0.1")["memory"]
    assert "bfloat16 copy" in planned(words, "model.dtype=bfloat16")["memory"]
    assert re.match(r"about 8\d\d MB", planned(words)["memory"])  # 734 MB of runtime; 448-token rows of a toy


def test_disk_counts_checkpoints_and_logs(words):
    # 12 bytes a parameter; at most keep + 1 at a time. Answers: 7 * 128 + 2 * 14 = 924, each 4 * 192 + 2000 + 7 * 200
    parameters = model_shape(TINY).parameters
    assert planned(words, "checkpoint.every=1")["disk"].startswith(
        f"checkpoints {3 * 12 * parameters / 1e6:.0f} MB, logs 4 MB;"
    )
    assert planned(words, "log.completions=false")["disk"].startswith("checkpoints 1 MB, logs 1 MB;")


def test_a_run_that_exists_already_is_told(words, tmp_path):
    assert "EXISTS" not in planned(words)["run"]
    assert "EXISTS ALREADY: choose another" in planned(words, f"run.dir={tmp_path}")["run"]
    assert "EXISTS" not in planned(words, f"run.dir={tmp_path}", "run.resume=true")["run"]


def test_a_disk_too_small_is_told(words, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    assert "TOO LITTLE" in planned(words)["disk"]


def test_time_is_given_with_what_it_assumes(words):
    # 896 + 2 * 28 programs at cargo's 0.46 s on one core: 438 s. 101,184 parameters: 924 * 192 tokens to sample at
    # 1.3e-10 s each is 2.3 s; 896 * 448 tokens to train at 4.8e-11 s is 2.0 s
    text = planned(words, "sandbox.jobs=1", "sandbox.path=exact")["time"]
    assert text.startswith("at most about 7 min: sampling 2 s, grading 7 min, updates 2 s\nassumes two cores")
    assert "grading 4 min" in planned(words, "sandbox.jobs=2", "sandbox.path=exact")["time"]
    assert "0.07 s of CPU a program" in planned(words)["time"]


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.jsonl", b'{"p": 1}\n\n{"p": 2}', 2),
        ("a.jsonl", b"\xff\xfe\n", 1),  # counted, not read
        ("a.json", b'[{"p": 1}, {"p": 2}, {"p": 3}]', 3),
        ("a.json", b'{"p": 1}\n{"p": 2}\n', 2),
    ],
)
def test_prompts_are_counted_without_being_read(tmp_path, name, content, count):
    (tmp_path / name).write_bytes(content)
    assert count_prompts(str(tmp_path / name), key="data.train") == count


def test_parquet_is_counted_by_its_footer(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"rust_prompt": ["a", "b", "c"]}), tmp_path / "a.parquet")
    assert count_prompts(str(tmp_path / "a.parquet"), key="data.train") == 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", None, "No such file"),
        ("a.jsonl", b"", "no rows"),
        ("a.jsonl", b"\n \n", "no rows"),
        ("a.json", b"[]", "no rows"),
        ("a.json", b"[1,", "Expecting value"),
        ("a.parquet", None, "No such file"),
        ("a.parquet", b"PAR1", "Parquet"),
        ("a.csv", b"prompt\nx\n", "ends in '.csv'"),
    ],
)
def test_a_data_file_that_cannot_be_used_is_refused_by_setting_and_name(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"data\.eval = .*{name}.*{reason}"):
        count_prompts(str(tmp_path / name), key="data.eval")


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"model_type": "qwen2"}'])
def test_a_directory_without_a_model_is_refused(words, tmp_path, config):
    (tmp_path / "model" / "config.json").write_text(config)
    with pytest.raises(ConfigError, match=r"model\.path = 'model': .*config\.json does not describe a model"):
        planned(words)


def test_a_model_of_another_kind_has_a_plan_without_memory(words, tmp_path):
    (tmp_path / "model" / "config.json").write_text(json.dumps({**TINY, "model_type": "mamba"}))
    assert planned(words)["memory"] == "unknown"


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


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.02), ("bfloat16", 0.12)])
def test_activations_by_formula_are_what_autograd_saves(dtype, tolerance):
    """Summed over the storages saved between two depths of one model, parameters left out."""
    saved = [saved_bytes(layers, dtype) for layers in (2, 4)]
    shape = model_shape({**TINY, "num_hidden_layers": 2, "hidden_size": 128, "intermediate_size": 256})
    expected = footprint(shape, dtype=dtype, reference=False, micro_batch_tokens=1024, rows=1, row_tokens=1).activations
    assert saved[1] - saved[0] == pytest.approx(expected, rel=tolerance)
    assert saved[1] - saved[0] != pytest.approx(1.3 * expected, rel=tolerance)


def test_lora_keeps_adam_and_gradients_of_its_own_weights_only():
    sizes = {"model_type": "qwen2", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32, "tie_word_embeddings": True}
    shape = model_shape(sizes | heads)
    assert shape.linear_ends == 3 * (2 * (8 + 8) + 2 * (8 + 4) + 3 * (8 + 16))
    work = {"dtype": "float32", "reference": True, "micro_batch_tokens": 64, "rows": 1, "row_tokens": 64}
    full, lora = footprint(shape, **work), footprint(shape, **work, lora_rank=2)
    assert lora.adam == 2 * lora.gradients == 8 * 2 * shape.linear_ends < full.adam
    assert lora.weights == full.weights + lora.gradients
    assert (full.reference, lora.reference) == (full.weights, 0), "adapters off are the reference"
    assert footprint(shape, **work, checkpointing=True).activations < full.activations


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
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16"):
            model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    return sum(storage.nbytes() for place, storage in storages.items() if place not in parameters)


def test_a_plan_imports_neither_torch_nor_transformers(words, tmp_path):
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]\n"
        "sys.modules.update(torch=None, transformers=None, datasets=None)\n"
        "from plan import plan; from recipe import parse_arguments\n"
        f"print(plan(parse_arguments({[*words, 'train.max_steps=7']}).recipe))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "7: 16 prompts" in done.stdout


@pytest.mark.parametrize("name", ["qwen2.5-coder-1.5b.toml", "qwen2.5-coder-1.5b-fast.toml"])
def test_the_real_recipes_fit_into_one_h100(words, tmp_path, name):
    """80 GB; both are for the same model."""
    real = {**TINY, "hidden_size": 1536, "num_hidden_layers": 28, "num_attention_heads": 12, "intermediate_size": 8960}
    (tmp_path / "model" / "config.json").write_text(json.dumps({**real, "vocab_size": 151_936}))
    recipe = load(Recipe, ROOT / "scripts" / "recipes" / name, words)
    needed = re.search(r"memory +about ([\d.]+) GB", plan(recipe))
    assert 15 < float(needed[1]) < 70
    assert recipe.sampling.engine == "hf" or recipe.train.prompts_per_step * recipe.sampling.group_size >= 256


def test_an_engine_of_its_own_is_counted_and_never_sleeps():
    shape = model_shape(TINY)
    common = {"dtype": "bfloat16", "reference": False, "micro_batch_tokens": 100, "rows": 4, "row_tokens": 50}
    alone, beside = footprint(shape, **common), footprint(shape, **common, own_engine=True)
    assert beside.engine == 2 * 2 * shape.parameters and alone.engine == 0
    assert beside.peak > alone.peak + beside.engine + min(alone.kv_cache, alone.updating)


def test_the_plan_says_what_vllm_takes(words):
    assert "vLLM" not in planned(words)["memory"]
    assert "vLLM's weights and their buffer" in planned(words, "sampling.engine=vllm")["memory"]
