"""The verb: it writes a checkpoint that Hugging Face loads, and refuses a tokenizer that changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

import make_tiny_model
from tiny.tasks import demonstrations

ASSETS = Path(__file__).parents[2] / "assets"
SIZES = {"width": 32, "layers": 1, "heads": 2, "mlp": 64}


def test_a_warm_model_is_saved_as_a_checkpoint_that_loads_and_tokenizes_alike(tmp_path: Path) -> None:
    shown = demonstrations(64, mistaken=0.5, seed=0)
    model, tokenizer = make_tiny_model.warm_start(shown, steps=2, batch_size=8, sizes=SIZES, vocab_size=500, seed=0)
    make_tiny_model.save(model, tokenizer, tmp_path, [item.completion for item in shown])
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert all(torch.equal(a.float(), b) for a, b in zip(model.parameters(), loaded.parameters()))
    assert AutoTokenizer.from_pretrained(tmp_path)(shown[0].completion) == tokenizer(shown[0].completion)


def test_no_steps_is_an_error_that_says_what_to_give(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_tiny_model.main(["--steps", "0", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "give at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tiny-rust", "tiny-rust-tasks", "tiny-rust-next_edit"])
def test_a_shipped_checkpoint_is_a_small_qwen2_with_a_neutral_generation_config(name: str) -> None:
    shipped = ASSETS / name
    config = json.loads((shipped / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForCausalLM"] and config["tie_word_embeddings"]
    assert sum(path.stat().st_size for path in shipped.iterdir()) < 20e6
    model = AutoModelForCausalLM.from_pretrained(shipped, dtype=torch.float32)
    assert 3e6 <= model.num_parameters() <= 5e6
    generation = GenerationConfig.from_pretrained(shipped)
    assert (generation.temperature, generation.top_k, generation.top_p) == (1.0, 0, 1.0)
    assert generation.eos_token_id == AutoTokenizer.from_pretrained(shipped).eos_token_id == 2
