"""What the machine has: card and driver, versions, what Triton needs to compile, memory, cores, Rust, vLLM."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path

from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from grpo.engines.vllm import VLLMMissing, require_vllm
from sandbox.errors import SandboxError
from sandbox.find_rust import find_toolchain

__all__ = ["machine"]

MIB = 2**20
COMPILERS = ("gcc", "cc", "clang")
LEAST_SHARED_MB = 64  # of /dev/shm, for an engine's weights on a CPU and for data loaders


def machine(settings: CheckSettings) -> Figures:
    """Versions and sizes; fails where training could not even start."""
    settings.note(**_host())
    import torch

    from bench.machine import matmul_tflops
    from gpu_checks.models import compute_dtype, use_device

    device = use_device(settings)
    dtype = compute_dtype(device)
    settings.note(matmul_tflops=round(matmul_tflops(device.type, dtype), 3), matmul_dtype=str(dtype))
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info()
        settings.note(card_free_mb=free // MIB, card_total_mb=total // MIB, copy_gb_per_s=round(_copy_gb_per_s(), 1))
        _refuse_without_compiler(settings.figures)
        if not torch.cuda.is_bf16_supported(including_emulation=False):
            raise CheckFailed("the card has no bfloat16", "set model.dtype=float32, or take a card of 2020 or later")
    return {}


def _host() -> Figures:
    """What needs no torch to be known."""
    include = Path(sysconfig.get_path("include"), "Python.h")
    shared = shutil.disk_usage("/dev/shm").free // MIB if Path("/dev/shm").exists() else 0
    return {
        "python_h": include.exists(),
        "compiler": next((path for name in COMPILERS if (path := shutil.which(name))), "none"),
        "triton": importlib.util.find_spec("triton") is not None,
        "flash_attn": importlib.util.find_spec("flash_attn") is not None,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB,
        "shared_memory_free_mb": shared,
        "shared_memory_enough": shared >= LEAST_SHARED_MB,
        "disk_free_mb": shutil.disk_usage(".").free // MIB,
        "rust": _rust(),
        "vllm": _vllm(),
    }


def _rust() -> str:
    """The version of Rust, or why there is none."""
    try:
        return find_toolchain().version
    except SandboxError as error:
        return f"none: {str(error).partition('. ')[0]}"


def _vllm() -> str:
    """Whether the engine for vLLM can be used, or why not."""
    try:
        require_vllm()
    except VLLMMissing as error:
        return f"none: {str(error).partition(': ')[0]}"
    return "usable"


def _copy_gb_per_s() -> float:
    """Bytes read and written a second by a large copy on the card, in 1e9."""
    import torch

    from gpu_checks.measuring import median_s

    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / median_s(lambda: target.copy_(source), "cuda", repeats=5) / 1e9


def _refuse_without_compiler(figures: Figures) -> None:
    """Triton compiles a small C module for every kernel."""
    missing = [
        *([] if figures["triton"] else ["the package triton"]),
        *([] if figures["python_h"] else ["Python.h"]),
        *(["a C compiler"] if figures["compiler"] == "none" else []),
    ]
    if missing:
        raise CheckFailed(
            f"kernels cannot be compiled without {', '.join(missing)}",
            "apt-get install gcc python3-dev (of this Python's version), pip install triton",
        )
