"""`scripts/publish.py`: a run becomes a folder that loads and tells nothing of the machine, or is refused."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

import publish
from grpo.checkpoint.checksums import write_checksums
from grpo.checkpoint.places import checkpoint_path
from grpo.schema import to_toml
from grpo_rust.recipe import load_recipe
from hub_server import TOKEN, Hub, serve_hub
from publishing.private import find_private, nameless, private_of
from synthetic_run import write_lines, write_run

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "assets" / "tiny-rust"
TRAIN_SHA = "2229900a116673ce7f78e150118026f249f6f241461b77d1c0f9d60634770d16"  # sha256sum assets/tasks/train.jsonl
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MACHINE = {"system": "Linux", "cpu": "a CPU", "cores": 2, "memory_gb": 8.0, "gpus": []}
CONVERTER = """import sys, pathlib
words = sys.argv[1:]
out = pathlib.Path(words[words.index("--outfile") + 1])
assert pathlib.Path(words[0], "config.json").is_file()
if "bf16" in words:
    sys.exit("BPE pre-tokenizer was not recognized")
out.write_bytes(b"GGUF" + words[words.index("--model-name") + 1].encode())
"""
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of six steps by a user called `annabel`, whose folders are on another machine."""
    monkeypatch.chdir(ROOT)
    path = write_run(tmp_path / "runs" / "first")
    settings = [
        "run.name=first",
        f"run.dir={path}",
        f"model.path={TINY}",
        f"data.train={ROOT}/assets/tasks/train.jsonl",
    ]
    settings += ['rewards.weights."/home/annabel/mine.py:score"=0.5', "train.lr=0.002", "eval.prompts=6"]
    (path / "config.toml").write_text(to_toml(load_recipe(None, settings)))
    facts = {"started": "2026-11-14", "python": "3.11.7", "rust": "rustc 1.95.0", "isolation": "Landlock 7"}
    command = ["/home/annabel/code/scripts/train.py", *settings]
    commit = {"id": COMMIT, "dirty": True}
    written = {**facts, "command": command, "commit": commit, "machine": MACHINE, "packages": {"torch": "2.13"}}
    (path / "environment.json").write_text(json.dumps(written))
    add_checkpoint(path, 6)
    return path


def add_checkpoint(run: Path, step: int, adapter: bool = False) -> Path:
    """A checkpoint as training writes it: the shipped model, and what `publish` reads of the trainer's state."""
    found = shutil.copytree(TINY, checkpoint_path(run / "checkpoints", step))
    (found / "README.md").unlink()
    shutil.copyfile(run / "config.toml", found / "config.toml")
    state = found / "trainer_state"
    state.mkdir()
    (state / "progress.json").write_text("{}")
    used = {"data.train": [["train-0000", "0" * 16], ["train-0001", "0" * 16]], "data.eval": [["eval-0000", "0" * 16]]}
    (state / "prompts.json").write_text(json.dumps(used))
    if adapter:
        (found / "adapter").mkdir()
        (found / "adapter" / "README.md").write_text(f"base_model: {TINY}")
        (found / "adapter" / "adapter_config.json").write_text(
            json.dumps({"r": 4, "base_model_name_or_path": str(TINY)})
        )
        (found / "adapter" / "adapter_model.safetensors").write_bytes(b"adapters")
    write_checksums(found, step)
    return found


# The folder


def test_the_card_has_the_runs_figures_and_a_header_that_the_hub_reads(run: Path) -> None:
    write_lines(  # 3 of 4 completions build after training: rates and intervals by hand
        run / "evals.jsonl",
        [
            {"step": 0, "num_prompts": 2, "num_samples": 2, "eval/build": 0.25, "eval/build_ci95": 0.03},
            {
                "step": 6,
                "num_prompts": 2,
                "num_samples": 2,
                "eval/build": 0.75,
                "eval/build_ci95": 0.04,
                "eval/gold": 0.5,
            },
        ],
    )
    assert publish.main([str(run), "--base-model", "someone/tiny"]) == 0
    card = ModelCard.load(run / "hub" / "README.md")
    assert (card.data.base_model, card.data.license, card.data.library_name) == (
        "someone/tiny",
        "apache-2.0",
        "transformers",
    )
    assert {"grpo", "rust"} <= set(card.data.tags) and card.data.datasets is None
    results = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert results == {"build": 75.0, "gold": 50.0}
    assert "| build | 25.0 ± 3.0 % | 75.0 ± 4.0 % | +50.0 ± 5.0 points |" in card.text  # sqrt(3^2 + 4^2) = 5
    assert "| gold tests | not evaluated | 50.0 % |  |" in card.text
    assert f"| data.train | train.jsonl | 2 | 3,000 | `{TRAIN_SHA}` |" in card.text
    assert "| `train.lr` | 0.002 | 0.0003 |" in card.text and "`train.warmup_fraction`" not in card.text
    assert "| mine.py:score | 0.5 | a function of the user's own" in card.text
    assert "differed from its commit" in card.text and f"git checkout {COMMIT}" in card.text
    assert "python scripts/train.py recipe.toml run.dir=runs/again" in card.text


def test_the_folder_loads_and_its_recipe_repeats_the_run(run: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert publish.main([str(run), "--out", str(run.parent / "out")]) == 0
    out = run.parent / "out"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert model.config.vocab_size >= len(tokenizer) and tokenizer.chat_template
    assert (out / "model.safetensors").read_bytes() == (TINY / "model.safetensors").read_bytes()
    assert (out / "generation_config.json").is_file()
    assert not (out / "trainer_state").exists() and not (out / "config.toml").exists()
    recipe = load_recipe(out / "recipe.toml", ["run.dir=runs/again"])
    assert (recipe.train.lr, recipe.model.path, recipe.data.train) == (0.002, "tiny-rust", "train.jsonl")
    assert recipe.rewards.weights["mine.py:score"] == 0.5


def test_adapters_come_with_it_and_do_not_name_the_folder_of_their_base(run: Path) -> None:
    add_checkpoint(run, 7, adapter=True)
    assert publish.main([str(run), "--step", "7"]) == 0
    settings = json.loads((run / "hub" / "adapter" / "adapter_config.json").read_text())
    assert settings == {"r": 4, "base_model_name_or_path": "tiny-rust"}
    assert sorted(path.name for path in (run / "hub" / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    card = (run / "hub" / "README.md").read_text()
    assert "Step 7, which is published here, was not evaluated." in card and "model-index" not in card
    assert "The weights are merged; `adapter/` holds the LoRA adapters" in card


def test_a_data_file_that_changed_has_no_hash(run: Path) -> None:
    path = run / "checkpoints" / "step-000006"
    (path / "trainer_state" / "prompts.json").write_text(json.dumps({"data.train": [["gone", "0"]], "data.eval": []}))
    write_checksums(path, 6)
    assert publish.main([str(run)]) == 0
    card = (run / "hub" / "README.md").read_text()
    assert "the file has other prompts now than the run had" in card and TRAIN_SHA not in card


# What must not leave the machine


def test_nothing_of_the_machine_is_in_the_folder(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert publish.main([str(run)]) == 0
    words = [str(ROOT), str(run), str(Path.home()) + "/", "annabel", "/home/", TOKEN, os.uname().nodename]
    words += [getpass.getuser()] if getpass.getuser() != "root" else []
    for path in (path for path in (run / "hub").rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert [word for word in words if word.encode() in content] == [], path


def test_who_followed_the_run_is_not_published(run: Path) -> None:
    where = "/home/annabel/kept"
    settings = (run / "config.toml").read_text()
    (run / "config.toml").write_text(settings.replace('oxen = ""', f'oxen = "{where}"'))
    facts = json.loads((run / "environment.json").read_text())
    facts["command"].append(f"track.oxen={where}")
    (run / "environment.json").write_text(json.dumps(facts))
    assert publish.main([str(run)]) == 0
    assert load_recipe(run / "hub" / "recipe.toml", ["run.dir=x"]).track.oxen == ""
    assert "track." not in (run / "hub" / "README.md").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{# {ROOT}/x #}", "chat_template.jinja holds the path"),
        ("{# by Annabel and annabel #}", "chat_template.jinja holds the name 'annabel'"),
        ("{# hf_a_token_that_may_write #}", "chat_template.jinja holds the value of an environment variable"),
    ],
)
def test_a_folder_that_would_tell_of_the_machine_is_not_left(
    run: Path, text: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    path = run / "checkpoints" / "step-000006"
    (path / "chat_template.jinja").write_text(text.replace("{ROOT}", str(ROOT)))
    write_checksums(path, 6)
    before = sorted(run.rglob("*"))
    assert publish.main([str(run)]) == 3
    error = capsys.readouterr().err
    assert said in error and TOKEN not in error
    assert sorted(run.rglob("*")) == before


def test_names_are_words_of_texts_and_paths_are_found_in_every_file(tmp_path: Path) -> None:
    environment = {"MY_API_KEY": "secret-12345", "PATH": "/usr/bin:/bin"}
    private = private_of(texts=["run.dir=/home/bob/runs/x"], folders=[tmp_path / "a"], environment=environment)
    assert {"/home/bob", str(tmp_path / "a"), str(Path.home())} <= private.places
    assert "bob" in private.names and private.secrets == {"secret-12345"}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "tokenizer.json").write_text('["bob", "/home/bobby"]')
    (folder / "README.md").write_text("bobsled, Bob")
    assert find_private(folder, private) == []
    (folder / "weights.bin").write_bytes(b"\0\xff" + b"/home/bob/x" + b"\0secret-12345")
    (folder / "README.md").write_text("made by bob")
    assert find_private(folder, private) == [
        "README.md holds the name 'bob'",
        "weights.bin holds the path '/home/bob'",
        "weights.bin holds the value of an environment variable that is named as a secret",
    ]
    assert nameless("a=/x/y.jsonl b=assets/z.jsonl c=hf:o/n") == "a=y.jsonl b=assets/z.jsonl c=hf:o/n"


# What is refused


def test_runs_that_cannot_be_published_are_refused_in_words(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str, code: int = 2) -> str:
        assert publish.main(words) == code
        return capsys.readouterr().err

    assert "holds no run" in refused(str(run / "none"))
    assert "has no checkpoint of step 4: give one of 6" in refused(str(run), "--step", "4")
    assert "--public is for --push" in refused(str(run), "--public")
    (run / "hub").mkdir()
    assert "exists already" in refused(str(run)) and list((run / "hub").iterdir()) == []
    (run / "hub").rmdir()
    weights = run / "checkpoints" / "step-000006" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    assert "step-000006 is damaged: model.safetensors has other bytes" in refused(str(run), code=3)
    weights.write_bytes(whole)
    (run / "summary.json").rename(run / "other.json")
    assert "is not finished (it has no summary.json)" in refused(str(run))
    (run / "other.json").rename(run / "summary.json")
    shutil.rmtree(run / "checkpoints")
    assert "holds no checkpoint" in refused(str(run))
    assert not (run / "hub").exists() and not list(run.glob(".unfinished*"))


def test_gguf_comes_from_the_converter_that_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert publish.main([str(run), "--gguf"]) == 2
    assert "needs llama.cpp's convert_hf_to_gguf.py, and it is not on the PATH" in capsys.readouterr().err
    converter = tmp_path / "convert_hf_to_gguf.py"
    converter.write_text(CONVERTER)
    assert publish.main([str(run), "--gguf", "bf16", "--converter", str(converter)]) == 3
    assert "made no GGUF file (exit code 1):\n  BPE pre-tokenizer" in capsys.readouterr().err
    assert not (run / "hub").exists()
    assert publish.main([str(run), "--gguf", "--converter", str(converter)]) == 0
    assert (run / "hub" / "first-f16.gguf").read_bytes() == b"GGUFfirst"
    assert "`first-f16.gguf` is the same model for llama.cpp." in (run / "hub" / "README.md").read_text()


# The hub


def push(hub: Hub, *words: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """`publish.py` in a process of its own: huggingface_hub reads the hub's address when it is imported."""
    given = {"HF_ENDPOINT": hub.url, "HF_TOKEN": token, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    environment = {name: value for name, value in {**os.environ, **given}.items() if value}
    command = [sys.executable, str(ROOT / "scripts" / "publish.py"), *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_a_push_makes_a_private_repository_with_the_folders_files(run: Path) -> None:
    with serve_hub() as hub:
        done = push(hub, str(run), "--push", "someone/first")
        assert done.returncode == 0, done.stderr
        assert f"uploaded  {hub.url}/someone/first" in done.stdout
        made = hub.repositories["someone/first"]
        assert (made.visibility, made.messages) == ("private", ["Step 6 of first"])
        folder = run / "hub"
        assert made.files == {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        again = push(hub, str(run), "--push", "someone/first", "--out", str(run / "again"))
        assert again.returncode == 2 and "it exists already; give another name, or write into it" in again.stderr


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(run: Path) -> None:
    with serve_hub() as hub:
        done = push(hub, str(run), "--push", "someone/first", "--dry-run", token="")
        size = (TINY / "model.safetensors").stat().st_size
        assert done.returncode == 0, done.stderr
        assert f"{size:,} bytes" in done.stdout and "goes to someone/first (private)" in done.stdout
        assert hub.asked == [] and not (run / "hub").exists()


def test_a_push_that_fails_keeps_the_folder_and_says_how_to_go_on(run: Path) -> None:
    with serve_hub() as hub:
        done = push(hub, str(run), "--push", "a/b/c")
        assert done.returncode == 2 and "--push a/b/c" in done.stderr and not (run / "hub").exists()
        done = push(hub, str(run), "--push", "someone/first", token="hf_of_somebody_else")
        assert done.returncode == 2 and "the token is refused" in done.stderr
        shutil.rmtree(run / "hub")
        hub.fails = "/commit/"
        done = push(hub, str(run), "--push", "someone/first")
        assert done.returncode == 3, done.stderr
        assert (
            "--push someone/first failed" in done.stderr
            and f"hf upload someone/first {run / 'hub'} --private" in done.stderr
        )
        assert (run / "hub" / "README.md").is_file() and "Traceback" not in done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, publish\n"
        "try: publish.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'huggingface_hub', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# A real run


@pytest.mark.slow
def test_a_published_lora_run_is_its_base_with_its_adapters(tmp_path: Path, train_here: Run) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    path = tmp_path / "lora"
    small = ["train.prompts_per_step=4", "sampling.group_size=4", "eval.prompts=0"]  # some group has two rewards
    lora = ["lora.rank=4", "lora.alpha=8", "train.max_steps=1", "train.threads=1", "checkpoint.every=1"]
    assert train_here(*small, *lora, f"run.dir={path}").returncode == 0
    assert publish.main([str(path)]) == 0
    out = path / "hub"
    published = AutoModelForCausalLM.from_pretrained(out).state_dict()
    base = AutoModelForCausalLM.from_pretrained(
        TINY, dtype=torch.float32
    )  # in bfloat16 the update would be rounded off
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    merged = PeftModel.from_pretrained(base, out / "adapter").merge_and_unload().state_dict()
    assert all(torch.allclose(weight, merged[name], atol=1e-6) for name, weight in published.items())
    assert any(not torch.allclose(weight, before[name], atol=1e-5) for name, weight in published.items()), "it learned"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed: make test ENGINE=vllm")
def test_vllm_serves_the_folder(run: Path, tmp_path: Path) -> None:
    assert publish.main([str(run)]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = ["--model", str(run / "hub"), "--served-model-name", "first", "--host", "127.0.0.1", "--port", str(port)]
    limits = ["--dtype", "float32", "--max-model-len", "256", "--enforce-eager"]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *served, *limits]  # what `vllm serve` runs
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    log = tmp_path / "served.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        answer = asked(f"http://127.0.0.1:{port}/v1/chat/completions", server, log)
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # with the engine's process
        server.wait()
    assert "fn " in answer["choices"][0]["message"]["content"]


def asked(url: str, server: subprocess.Popen[bytes], log: Path) -> dict[str, list[dict[str, dict[str, str]]]]:
    """What a server that is starting answers to one request, once it does."""
    task = json.loads((ROOT / "assets" / "tasks" / "eval.jsonl").read_text().splitlines()[0])
    messages = [{"role": "user", "content": task["prompt"]}]
    body = {"model": "first", "messages": messages, "max_tokens": 60, "temperature": 0}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    until = time.monotonic() + 900
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=300) as found:
                return json.loads(found.read())
        except OSError:
            time.sleep(2)
    pytest.fail(f"the server does not answer: {log.read_text(errors='replace')[-3000:]}")
