"""Seconds, memory, synchronisations and kernels of a piece of work on a CPU or a GPU."""

from __future__ import annotations

import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from gpu_checks.outcome import Figures

__all__ = ["MIB", "OperatorLog", "count_waits", "device_used_mb", "median_s", "peak", "profiled", "seconds_of"]

MIB = 2**20
WAITING = ("nonzero", "_local_scalar_dense", "masked_select")  # operators whose result the host must wait for
LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel")  # beginnings of names
TOP = 12
Work = Callable[[], object]


def seconds_of(work: Work, device: str) -> float:
    """Seconds of a piece of work, until the device has done it."""
    _synchronise(device)
    started = time.perf_counter()
    work()
    _synchronise(device)
    return time.perf_counter() - started


def median_s(work: Work, device: str, *, repeats: int) -> float:
    """The median seconds of a piece of work; a first run is not counted."""
    work()
    return statistics.median(seconds_of(work, device) for _ in range(repeats))


def peak(work: Work, device: str) -> Figures:
    """The most memory of the device that torch had in use, and had reserved, during a piece of work; {} on a CPU."""
    if device != "cuda":
        work()
        return {}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    work()
    torch.cuda.synchronize()
    return {
        "peak_allocated_mb": round(torch.cuda.max_memory_allocated() / MIB),
        "peak_reserved_mb": round(torch.cuda.max_memory_reserved() / MIB),
    }


def device_used_mb() -> int:
    """Memory of the card in use by all processes; 0 without one."""
    if not torch.cuda.is_available():
        return 0
    free, total = torch.cuda.mem_get_info()
    return (total - free) // MIB


def count_waits(work: Work, device: str) -> int:
    """How often the host waits for the device: what CUDA warns of, or elsewhere the operators that would wait."""
    if device != "cuda":
        with OperatorLog() as operators:
            work()
        return sum(operators.counts[name] for name in WAITING)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA operation" in str(warning.message) for warning in caught)


class OperatorLog(TorchDispatchMode):
    """Counts the operators that run inside the context, and notes the dtypes that attention gets."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()
        self.attention: dict[str, list[str]] = {}  # operator -> dtypes of its first three tensors

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = str(func).split(".")[1] if "." in str(func) else str(func)
        self.counts[name] += 1
        if "attn" in name or "attention" in name:
            tensors = [argument for argument in args if isinstance(argument, torch.Tensor)][:3]
            self.attention.setdefault(name, [str(tensor.dtype).removeprefix("torch.") for tensor in tensors])
        return func(*args, **(kwargs or {}))


def profiled(work: Work, device: str) -> Figures:
    """What runs in a piece of work: the kernels that take longest (operators on a CPU), and counts.

    Returns: {"kernels" (all names), "top" ({"name", "ms", "calls"}), "launches", "index_puts", "nonzeros"}.
    """
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    with profile(activities=activities) as profiler:
        work()
        _synchronise(device)
    rows: list[Any] = list(profiler.key_averages())
    if device == "cuda":
        on_device = [row for row in rows if str(row.device_type).endswith("CUDA")]
        timed = [
            (row.self_device_time_total, row) for row in on_device if not getattr(row, "is_user_annotation", False)
        ]
    else:
        timed = [(row.self_cpu_time_total, row) for row in rows]
    timed.sort(key=lambda pair: -pair[0])
    return {
        "kernels": [row.key for _, row in timed],
        "top": [{"name": row.key[:100], "ms": round(time / 1e3, 3), "calls": row.count} for time, row in timed[:TOP]],
        "launches": sum(row.count for row in rows if row.key.startswith(LAUNCHES)),
        "index_puts": sum(row.count for row in rows if row.key in ("aten::_index_put_impl_",)),
        "nonzeros": sum(row.count for row in rows if row.key == "aten::nonzero"),
    }


def _synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
