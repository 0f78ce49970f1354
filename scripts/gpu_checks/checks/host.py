"""What the machine has: card and driver, versions, what Triton needs to compile, memory, cores, Rust, vLLM."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from grpo.engines.vllm import VLLMMissing, require_vllm
from sandbox.errors import SandboxError
from sandbox.find_rust import find_toolchain

__all__ = ["machine"]

MIB = 2**20
LEAST_SHARED_MB = 64  # of /dev/shm, for an engine's weights on a CPU and for data loaders


def machine(settings: CheckSettings) -> Figures:
    """Versions and sizes; fails where training could not even start."""
    settings.note(**_host())
    import torch

    from bench.machine import matmul_tflops
    from gpu_checks.models import compute_dtype, use_device
    from grpo.model.cuda import CudaMachine, c_compiler, python_headers

    settings.note(python_h=(python_headers() / "Python.h").is_file(), compiler=c_compiler() or "none")
    device = use_device(settings)
    dtype = compute_dtype(device)
    settings.note(matmul_tflops=round(matmul_tflops(device.type, dtype), 3), matmul_dtype=str(dtype))
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info()
        settings.note(card_free_mb=free // MIB, card_total_mb=total // MIB, copy_gb_per_s=round(_copy_gb_per_s(), 1))
        if problems := CudaMachine.found(device).problems(dtype):
            raise CheckFailed("training cannot start here", "; ".join(problems))
    return {}


def _host() -> Figures:
    """What needs no torch to be known."""
    shared = shutil.disk_usage("/dev/shm").free // MIB if Path("/dev/shm").exists() else 0
    return {
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
