"""A check finds what it looks for: each is given something wrong, on a CPU, and must say so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from gpu_checks.checks import attention as attention_check
from gpu_checks.checks import engine as engine_check
from gpu_checks.checks import head as head_check
from gpu_checks.checks import together as together_check
from gpu_checks.checks import updating
from gpu_checks.checks.engine import ChecksummingEngine, checksum
from gpu_checks.checks.together import _slowdowns
from gpu_checks.measuring import OperatorLog, count_waits, profiled
from gpu_checks.models import fast_recipe, model_config, random_policy, real_samples
from gpu_checks.mps import CONTROL, mps_environment, quit_daemon, start_daemon
from gpu_checks.outcome import CheckFailed, CheckSettings, Skipped
from grpo.engines import Engine, SamplingParams
from grpo.logprobs import linear_logprobs, token_logprobs

WRONG = 1.001  # a factor on the temperature, far above rounding and far below what a person would notice


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[CheckSettings]:
    threads = torch.get_num_threads()
    yield CheckSettings("cpu", True, 60.0, tmp_path)
    torch.set_num_threads(threads)


class Delivering:
    """Stands for an engine's process: copies of the weights arrive, with one bit changed where that is asked for."""

    def __init__(self, flip: bool = False) -> None:
        self.flip = flip
        self.child = ChecksummingEngine(Silent)

    def load_weights(self, weights: Any) -> None:
        copies = [(name, tensor.clone()) for name, tensor in weights]
        if self.flip:
            copies[3][1].view(torch.int32).view(-1)[0] ^= 1
        self.child.load_weights(copies)

    def generate(self, prompts: Any, params: SamplingParams) -> Any:
        return self.child.generate(prompts, params)


class Silent(Engine):
    """An engine that samples nothing."""

    def generate(self, prompts: Any, params: SamplingParams) -> Any:
        raise NotImplementedError


def test_a_wrong_head_is_found(settings: CheckSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert head_check.head(settings) == {} and settings.figures["ours_max_error_nats"] < 1e-5
    wrong = lambda h, w, ids: linear_logprobs(h, w, ids, temperature=WRONG)[0]  # noqa: E731
    monkeypatch.setattr(head_check, "ours", wrong)
    with pytest.raises(CheckFailed, match="the head is wrong by"):
        head_check.head(settings)


def test_a_wrong_gradient_of_attention_is_found(settings: CheckSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attention_check.attention(settings) == {} and settings.figures["gradient_error"] < 1e-5
    monkeypatch.setattr(attention_check, "NEW_SHAPES", 1)
    wrong = lambda *given, temperature: token_logprobs(*given, temperature=1.01)  # noqa: E731
    monkeypatch.setattr(attention_check, "token_logprobs", wrong)
    with pytest.raises(CheckFailed, match="packed attention is wrong by"):
        attention_check.attention(settings)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"flash": False, "operator": "sdpa", "query_key_value": "float32 float32 bfloat16"}, "without a flash kernel"),
        ({"new_shape_first_s": 1.0}, "takes 0.99 s longer than the second"),
        ({"gradient_error": float("nan")}, "is wrong by nan"),
    ],
)
def test_a_slow_path_of_attention_on_a_gpu_is_found(
    settings: CheckSettings, changed: dict[str, Any], said: str
) -> None:
    policy = random_policy(model_config(settings), torch.device("cpu"))
    policy.device = torch.device("cuda")  # only its name is asked for
    good = {"gradient_error": 0.0, "flash": True, "new_shape_first_s": 0.1, "new_shape_second_s": 0.01}
    attention_check._judge(good, policy)
    with pytest.raises(CheckFailed, match=said):
        attention_check._judge(good | changed, policy)


def test_one_changed_bit_of_the_weights_is_found(settings: CheckSettings) -> None:
    policy = random_policy(model_config(settings), torch.device("cpu"))
    engine_check._load_once(Delivering(), policy)  # type: ignore[arg-type]
    with pytest.raises(CheckFailed, match=r"1 of \d+ weights did not arrive"):
        engine_check._load_once(Delivering(flip=True), policy)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_checksum_depends_on_every_bit_and_on_the_order(dtype: torch.dtype) -> None:
    tensor = torch.randn(33, 5).to(dtype)
    other = tensor.clone()
    integers = {2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    other.view(integers)[32, 4] ^= 1
    sums = {checksum(tensor), checksum(other), checksum(tensor.flip(0)), checksum(torch.zeros_like(tensor))}
    assert len(sums) == 4 and checksum(tensor.clone()) == checksum(tensor) and max(sums) < 2**31


def test_operators_that_wait_are_counted() -> None:
    numbers = torch.tensor([0.0, 1.0, 2.0])
    assert count_waits(lambda: (numbers.nonzero(), numbers.sum().item(), numbers * 2), "cpu") == 2
    assert count_waits(lambda: numbers * 2, "cpu") == 0


def test_the_operators_of_attention_are_noted_with_their_dtypes() -> None:
    q, k, v = (torch.randn(1, 2, 4, 8, dtype=dtype) for dtype in (torch.bfloat16,) * 3)
    with OperatorLog() as operators:
        torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert list(operators.attention.values()) == [["bfloat16"] * 3]
    found = profiled(lambda: torch.zeros(4).index_put_((torch.tensor([1]),), torch.tensor(2.0)), "cpu")
    assert found["index_puts"] == 1 and found["nonzeros"] == 0 and found["top"][0]["ms"] >= 0


def test_memory_above_the_estimate_is_found() -> None:
    updating._judge_memory({"estimated_peak_mb": 1000, "peak_reserved_mb": 1200})
    updating._judge_memory({"estimated_peak_mb": 1000})
    with pytest.raises(CheckFailed, match="reserved 1300 MB, and --dry-run would say 1000"):
        updating._judge_memory({"estimated_peak_mb": 1000, "peak_reserved_mb": 1300})


def test_completions_are_those_of_the_fast_recipe(tmp_path: Path) -> None:
    real = CheckSettings("cuda", False, 60.0, tmp_path)
    samples = real_samples(real, 1000, completions=256)
    lengths = [len(sample.completion_ids) for sample in samples]
    assert len(samples) == 256 and 320 < sum(lengths) / 256 < 480 and max(lengths) > 800
    group = fast_recipe()["sampling"]["group_size"]
    assert len({sample.prompt_ids for sample in samples}) == 256 // group
    assert {sample.advantage for sample in samples} == {1.0, -1.0}


def test_a_slowdown_is_the_rate_alone_over_the_rate_beside_the_others() -> None:
    alone = {f"{kind}_alone_per_s": 30.0 for kind in ("decode", "train", "grade")}
    shared = {"decode_together_per_s": 15.0, "train_together_per_s": 10.0, "grade_together_per_s": 30.0}
    assert _slowdowns(alone, shared, "mps_") == {
        "mps_decode_slowdown": 2.0,
        "mps_train_slowdown": 3.0,
        "mps_grade_slowdown": 1.0,
    }


def test_without_peft_nothing_is_measured_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(together_check, "find_spec", lambda name: None)
    with pytest.raises(Skipped, match="peft is not installed"):
        together_check.together(CheckSettings("cpu", True, 60.0, tmp_path))


def test_mps_that_cannot_be_used_is_reported_and_fails_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rates = {f"{kind}_{how}_per_s": 2.0 for kind in together_check.KINDS for how in ("alone", "together")}

    def measure(settings: CheckSettings, environment: dict[str, str], *, alone: bool) -> dict[str, Any]:
        if environment:
            raise CheckFailed("no measurement with MPS", "")
        return {**rates, "grading": "counting", "engine": "paged"}

    monkeypatch.setattr(together_check, "_in_process", measure)
    monkeypatch.setattr(together_check, "start_daemon", lambda folder: "")
    settings = CheckSettings("cuda", True, 600.0, tmp_path)
    assert together_check.together(settings) == {"mps": "started, and not usable here: no measurement with MPS"}
    assert settings.figures["decode_slowdown"] == 1.0 and "mps_decode_slowdown" not in settings.figures


def test_a_measurement_without_end_is_ended_before_the_check_is(tmp_path: Path) -> None:
    settings = CheckSettings("cpu", True, together_check.SPARE_S + 0.2, tmp_path)
    with pytest.raises(CheckFailed, match="no measurement without MPS"):
        together_check._in_process(settings, {}, alone=False)
    assert settings.left_s > 0, "the check would have been killed first"


def control(folder: Path, monkeypatch: pytest.MonkeyPatch, *, code: int = 0) -> Path:
    """A control program that notes what it is asked, and the pipes that it is to use."""
    asked = folder / "asked"
    program = folder / CONTROL
    program.write_text(f'#!/bin/sh\necho "$* $(cat) $CUDA_MPS_PIPE_DIRECTORY" >> {asked}\necho no card\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return asked


def test_mps_is_started_in_a_folder_of_its_own_and_always_asked_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = control(tmp_path, monkeypatch)
    quit_daemon(tmp_path)
    assert not asked.exists(), "nothing was started"
    assert start_daemon(tmp_path) == ""
    quit_daemon(tmp_path)
    pipes = mps_environment(tmp_path)["CUDA_MPS_PIPE_DIRECTORY"]
    assert asked.read_text().split("\n")[:2] == [f"-d  {pipes}", f" quit {pipes}"]


def test_where_mps_cannot_be_used_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "is not installed" in start_daemon(tmp_path)
    monkeypatch.undo()
    asked = control(tmp_path, monkeypatch, code=1)
    assert start_daemon(tmp_path).endswith("refused: no card") and asked.exists()
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", "/other")
    assert "already be in use" in start_daemon(tmp_path)


def test_a_process_that_has_the_daemons_old_number_is_not_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control(tmp_path, monkeypatch)
    start_daemon(tmp_path)
    (tmp_path / "mps" / "nvidia-cuda-mps-control.pid").write_text(str(os.getpid()))
    quit_daemon(tmp_path)
    time.sleep(0.01)  # this process would be gone
