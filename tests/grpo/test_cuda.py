"""What is missing for CUDA is said before a model is loaded; nothing here needs CUDA."""

import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from grpo.errors import BadInput
from grpo.model import cuda
from grpo.model import policy as policy_module
from grpo.model.cuda import CudaMachine, compile_head, prepare_cuda, python_headers
from grpo.model.policy import ModelError, load_policy

GPU = torch.device("cuda")
HALF, FULL = torch.bfloat16, torch.float32


@pytest.fixture
def complete(tmp_path: Path) -> CudaMachine:
    """A machine with everything."""
    (tmp_path / "Python.h").touch()
    return CudaMachine(tmp_path, "/usr/bin/gcc", has_triton=True, has_flash=True, capability=(9, 0))


@pytest.fixture
def cudnn() -> Iterator[None]:
    """Gives the switch back as it was."""
    before = torch.backends.cuda.cudnn_sdp_enabled()
    yield
    torch.backends.cuda.enable_cudnn_sdp(before)


def test_a_complete_machine_has_no_problem(complete: CudaMachine) -> None:
    assert complete.problems(HALF) == complete.problems(FULL) == []


@pytest.mark.parametrize(
    ("lack", "said"),
    [
        ({"python_headers": Path("/nowhere")}, "/nowhere has no Python.h.*python3.[0-9]+-dev or python3-dev"),
        ({"compiler": None}, "no C compiler.*install gcc.*CC"),
        ({"has_triton": False}, "pip install triton"),
    ],
)
def test_what_compiling_needs_is_named_with_its_package(complete: CudaMachine, lack: dict, said: str) -> None:
    for dtype in (HALF, FULL):
        [problem] = replace(complete, **lack).problems(dtype)
        with pytest.raises(BadInput, match=said):
            raise BadInput(problem)


@pytest.mark.parametrize(
    ("lack", "said"), [({"has_flash": False}, "built without"), ({"capability": (7, 5)}, "compute capability 7.5")]
)
def test_half_precision_without_a_flash_kernel_is_refused_and_fp32_is_not(
    complete: CudaMachine, lack: dict, said: str
) -> None:
    machine = replace(complete, **lack)
    [problem] = machine.problems(HALF)
    assert said in problem and 'model.dtype = "float32"' in problem
    assert machine.problems(FULL) == []


def test_triton_and_we_look_for_the_compiler_in_the_same_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert CudaMachine.found(GPU).compiler is None
    for name in ("clang", "gcc"):  # the later one is preferred
        (tmp_path / name).touch(mode=0o755)
        assert CudaMachine.found(GPU).compiler == str(tmp_path / name)
    monkeypatch.setenv("CC", "other")
    assert CudaMachine.found(GPU).compiler is None, "a compiler that is named and not there is not replaced"


def test_the_headers_are_not_looked_for_where_debian_installs_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {"posix_prefix": "/usr/include/python3.12", "posix_local": "/usr/local/include/python3.12"}
    monkeypatch.setattr(sysconfig, "get_default_scheme", lambda: "posix_local")
    monkeypatch.setattr(sysconfig, "get_paths", lambda scheme: {"include": paths[scheme]})
    assert python_headers() == Path("/usr/include/python3.12")


def test_everything_missing_is_said_at_once_and_nothing_is_switched(
    complete: CudaMachine, monkeypatch: pytest.MonkeyPatch, cudnn: None
) -> None:
    torch.backends.cuda.enable_cudnn_sdp(True)
    bare = replace(complete, python_headers=Path("/nowhere"), compiler=None, capability=(7, 0))
    monkeypatch.setattr(CudaMachine, "found", lambda device: bare)
    with pytest.raises(BadInput, match="(?s)Python.h.*C compiler.*7.0"):
        prepare_cuda(GPU, HALF)
    assert torch.backends.cuda.cudnn_sdp_enabled()


def test_cudnns_attention_is_off_and_the_head_compiled_where_all_is_there(
    complete: CudaMachine, monkeypatch: pytest.MonkeyPatch, cudnn: None
) -> None:
    compiled: list[tuple[torch.device, torch.dtype]] = []
    monkeypatch.setattr(CudaMachine, "found", lambda device: complete)
    monkeypatch.setattr(cuda, "compile_head", lambda *given: compiled.append(given))
    prepare_cuda(GPU, HALF)
    assert not torch.backends.cuda.cudnn_sdp_enabled() and compiled == [(GPU, HALF)]


def test_kernels_that_do_not_compile_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_head(torch.device("cpu"), HALF)  # where nothing is compiled, the same code runs

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ptxas not found")

    monkeypatch.setattr(cuda, "linear_logprobs", broken)
    with pytest.raises(BadInput, match="ptxas not found.*TRITON_CACHE_DIR"):
        compile_head(torch.device("cpu"), FULL)


def test_a_policy_asks_before_it_reads_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing = str(tmp_path)

    def refuse(device: torch.device, compute_dtype: torch.dtype) -> None:
        raise BadInput(f"asked for {compute_dtype}")

    monkeypatch.setattr(policy_module, "prepare_cuda", refuse)
    with pytest.raises(BadInput, match="asked for torch.bfloat16"):
        load_policy(nothing, device=GPU, compute_dtype="bfloat16")
    with pytest.raises(ModelError, match="cannot load"):
        load_policy(nothing, device=torch.device("cpu"), compute_dtype="bfloat16")
