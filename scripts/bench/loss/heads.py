"""Hidden states to log-probs and entropy, forward and backward: full logits, TRL's tiled head, and ours.

Each variant has a process of its own, so that its memory can be measured; they take turns, so that other load on the
machine affects all of them. The peak is that of the first turn, above the memory of the inputs; it includes the
gradients of hidden states and head. Errors are measured against fp64 on a small problem.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import torch
from torch import Tensor

from grpo.logprobs import linear_logprobs, token_logprobs

__all__ = ["VARIANTS", "HeadCost", "HeadProblem", "bench_heads", "max_error"]

TEMPERATURE = 0.9
SMALL = (96, 3000)  # tokens and vocabulary of the problem on which errors are measured
START_S = 300
Head = Callable[[Tensor, Tensor, Tensor, bool], tuple[Tensor, Tensor]]  # the last: whether entropy has gradient


@dataclass(frozen=True)
class HeadProblem:
    """The size of the head."""

    tokens: int
    hidden: int
    vocabulary: int
    device: str
    entropy_grad: bool = False  # whether the entropy is a term of the loss, or a metric

    @property
    def flops(self) -> float:
        """Floating-point operations of a forward and a backward pass, without recomputation."""
        return 6.0 * self.tokens * self.hidden * self.vocabulary


@dataclass(frozen=True)
class HeadCost:
    """Memory, time and error of a variant."""

    peak_mb: float
    seconds: float
    cpu_seconds: float
    max_error: float


def full(hidden: Tensor, weight: Tensor, token_ids: Tensor, entropy_grad: bool) -> tuple[Tensor, Tensor]:
    """The whole logits."""
    return token_logprobs(hidden @ weight.T, token_ids, temperature=TEMPERATURE, entropy_grad=entropy_grad)


def ours(hidden: Tensor, weight: Tensor, token_ids: Tensor, entropy_grad: bool) -> tuple[Tensor, Tensor]:
    """`grpo.logprobs`."""
    return linear_logprobs(hidden, weight, token_ids, temperature=TEMPERATURE, entropy_grad=entropy_grad)


def trl(hidden: Tensor, weight: Tensor, token_ids: Tensor, entropy_grad: bool) -> tuple[Tensor, Tensor]:
    """TRL 1.16's head with the tile that its trainer uses."""
    from trl.kernels import ChunkedLogProbFunction
    from trl.trainer.utils import _CHUNKED_LOGPROB_CHUNK_SIZE as TILE

    apply: Callable[..., tuple[Tensor, ...]] = ChunkedLogProbFunction.apply
    found = apply(hidden, weight, None, token_ids, TEMPERATURE, TILE, None, 1.0, ("entropy",))
    return found[0], found[1]


VARIANTS: Mapping[str, Head] = {"full": full, "trl": trl, "ours": ours}


def bench_heads(problem: HeadProblem, *, repeats: int) -> dict[str, dict[str, float]]:
    """Measure every variant `repeats` times, in turns.

    Returns: the fields of `HeadCost` by variant: medians of the times, the first peak, the largest error.
    """
    context = multiprocessing.get_context("spawn")
    workers: dict[str, tuple[Connection, SpawnProcess]] = {}
    try:
        for name in VARIANTS:
            ours_end, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(name, problem, theirs), daemon=True)
            process.start()
            workers[name] = (ours_end, process)
            _receive(ours_end, process)  # inputs are made
        turns: dict[str, list[tuple[float, float, float]]] = {name: [] for name in VARIANTS}
        for _ in range(repeats):
            for name, (connection, process) in workers.items():
                connection.send("run")
                turns[name].append(_receive(connection, process))
    finally:
        for connection, process in workers.values():
            connection.close()
            process.join()
    return {
        name: asdict(
            HeadCost(
                peak_mb=found[0][2],
                seconds=statistics.median(turn[0] for turn in found),
                cpu_seconds=statistics.median(turn[1] for turn in found),
                max_error=max_error(VARIANTS[name], problem),
            )
        )
        for name, found in turns.items()
    }


def max_error(head: Head, problem: HeadProblem) -> float:
    """The largest error of log-probs, entropy and both gradients, relative to the largest entry of each in fp64."""
    small = replace(problem, tokens=SMALL[0], vocabulary=SMALL[1])
    exact = _results(full, small, _inputs(small, torch.float64))
    found = _results(head, small, _inputs(small, torch.float32))
    return max(float((one.double() - two).abs().max() / two.abs().max()) for one, two in zip(found, exact, strict=True))


def _inputs(problem: HeadProblem, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states and a head of a model's magnitude, and tokens."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(problem.tokens, problem.hidden, generator=generator)
    weight = torch.randn(problem.vocabulary, problem.hidden, generator=generator).mul_(0.02)
    token_ids = torch.randint(0, problem.vocabulary, (problem.tokens,), generator=generator)
    leaves = (part.to(problem.device, dtype).requires_grad_() for part in (hidden, weight))
    return (*leaves, token_ids.to(problem.device))  # type: ignore[return-value]  # a generator has no length


def _results(head: Head, problem: HeadProblem, inputs: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
    """Log-probs, entropy, and the gradients of a policy loss, with an entropy bonus where the problem has one."""
    hidden, weight, token_ids = inputs
    hidden.grad = weight.grad = None
    logprobs, entropy = head(hidden, weight, token_ids, problem.entropy_grad)
    loss = logprobs.mean() + 0.01 * entropy.mean() if problem.entropy_grad else logprobs.mean()
    loss.backward()
    assert hidden.grad is not None and weight.grad is not None
    return [logprobs.detach(), entropy.detach(), hidden.grad, weight.grad]


def _serve(name: str, problem: HeadProblem, connection: Connection) -> None:
    """A worker process: makes the inputs, then runs once for every message."""
    inputs = _inputs(problem, torch.float32)
    head = VARIANTS[name]
    small = replace(problem, tokens=8, vocabulary=64)
    _results(head, small, _inputs(small, torch.float32))  # imports and thread pools
    connection.send("ready")
    try:
        while connection.recv():
            base = _reset_peak(problem.device)
            wall, cpu = time.perf_counter(), time.process_time()
            _results(head, problem, inputs)
            if problem.device == "cuda":
                torch.cuda.synchronize()
            times = time.perf_counter() - wall, time.process_time() - cpu
            connection.send((*times, _peak(problem.device) - base))
    except EOFError:
        return


def _receive(connection: Connection, process: SpawnProcess) -> tuple[float, float, float]:
    """The next message of a worker.

    Raises:
        RuntimeError: Where it has ended, most likely for lack of memory.
    """
    try:
        if connection.poll(START_S):
            found: tuple[float, float, float] = connection.recv()
            return found
    except EOFError:
        pass
    raise RuntimeError(f"the worker {process.name} gave no answer; its exit code is {process.exitcode} (-9: no memory)")


def _reset_peak(device: str) -> float:
    """Reset the highest use of memory; returns the use now, in MB."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 2**20
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return _status("VmRSS")


def _peak(device: str) -> float:
    """The highest use of memory since the reset, in MB."""
    return torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else _status("VmHWM")


def _status(field: str) -> float:
    """A figure of /proc/self/status in MB."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
