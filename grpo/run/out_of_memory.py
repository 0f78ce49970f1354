"""Memory that runs out: what was being computed, how large it was, and which setting to lower first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from grpo.errors import HostFailed

__all__ = ["OutOfMemory", "memory_explained", "ran_out_of_memory", "sampling_advice"]

TEXTS = (  # of torch's RuntimeErrors, and of what an engine in another process says
    "DefaultCPUAllocator",
    "can't allocate memory",
    "out of memory",
    "OutOfMemoryError",
    "MemoryError",
    "std::bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
GIB = 1 << 30


class OutOfMemory(HostFailed):
    """Memory ran out; the message has the sizes and what to do. The run can be resumed with lower settings."""


def ran_out_of_memory(error: Exception | str) -> bool:
    """Whether an error, or the text of one, says that memory ran out.

    >>> ran_out_of_memory("CUDA out of memory. Tried to allocate 20.00 MiB"), ran_out_of_memory(RuntimeError("size"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, str | RuntimeError) and any(part in text for part in TEXTS)


@contextmanager
def memory_explained(doing: str, size: Callable[[], str], advice: Callable[[], str]) -> Iterator[None]:
    """Turn running out of memory inside into OutOfMemory, which names what was done, its size and what to lower.

    Args:
        doing: What is done, as the subject of a sentence.
        size: How large it is.
        advice: Which setting to lower first.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise OutOfMemory(
            f"memory ran out in {doing}: {size()}; {_in_use()}. {advice()}; then go on from the last checkpoint with "
            f"run.resume=true. What failed: {first}"
        ) from error


def sampling_advice() -> str:
    """What to lower when an engine has run out of memory."""
    return (
        "Lower sampling.max_completion_tokens, sampling.group_size or train.prompts_per_step first; with vllm also "
        "sampling.kv_cache_gb, or set sampling.sleep=true"
    )


def _in_use() -> str:
    """What this process holds."""
    if torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        held, kept = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
        return (
            f"torch holds {held / GIB:.1f} GiB of the GPU and {kept / GIB:.1f} GiB with its cache, "
            f"{free / GIB:.1f} of {total / GIB:.1f} GiB are free"
        )
    try:
        status = Path("/proc/self/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return "how much this process holds is not known"
    return f"this process holds {kilobytes / (1 << 20):.1f} GiB"
