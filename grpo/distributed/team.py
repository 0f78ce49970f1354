"""The ranks of a training as one team: rank 0 gives orders, and all make the same calls.

There are two process groups. That of the tensors (NCCL on GPUs, gloo on CPUs) fails after `timeout_s`, so that a rank
that hangs ends the run. That of the orders (gloo) waits for as long as rank 0 samples and grades. A rank that dies
closes its connections, which the others notice in their next call.

An error is either agreed on, which means that every rank raises at the same place and goes on with the next order, or
it breaks the team: then every rank ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.distributed_c10d import Store

from grpo.distributed.meeting import RankFailed, RankLost, meet, recurs
from grpo.distributed.place import RankPlace
from grpo.distributed.pulse import Pulse

__all__ = ["END", "RankFailed", "RankLost", "Team"]

END = "end"  # the last order
PATIENCE = timedelta(days=100)  # for the next order
OF_CONNECTIONS = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer", "Broken pipe", "Timed out")


class Team:
    """This process among the ranks. `close` it in the end."""

    def __init__(self, place: RankPlace, *, device: str, timeout_s: float, problem: Exception | None = None) -> None:
        """
        Args:
            place: From torchrun.
            device: "cuda", where every rank of a machine has the GPU of its local rank, or "cpu".
            timeout_s: After which a rank that does not take part in a computation is given up.
            problem: Why this rank cannot take part: no rank does then.
        Raises:
            problem, RankFailed: On all ranks where one has a problem.
            RankLost: When not all ranks come.
        """
        self.place = place
        self.agreed: BaseException | None = None  # the last error that all ranks have raised
        self._depth = 0  # orders that this rank is in, one within the other
        self._broken = False
        store = meet(place, problem=problem)
        self.pulse = Pulse(store, rank=place.rank, size=place.size)  # a rank may be lost in the next calls, too
        try:
            with self._explained("connecting all ranks"):
                self._connect(store, device, timedelta(seconds=timeout_s))
        except BaseException:
            self.pulse.close()
            raise

    def _connect(self, store: Store, device: str, limit: timedelta) -> None:
        """Make the process groups."""
        if device == "cuda":
            torch.cuda.set_device(self.place.local_rank)
        backend, size = "nccl" if device == "cuda" else "gloo", self.place.size
        dist.init_process_group(backend, store=store, rank=self.place.rank, world_size=size, timeout=limit)
        self.orders = dist.new_group(backend="gloo", timeout=PATIENCE)
        self.mesh: DeviceMesh = init_device_mesh(device, (size,))

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.place.rank == 0

    @property
    def busy(self) -> bool:
        """Whether this rank is carrying out an order."""
        return self._depth > 0

    @contextmanager
    def order(self, name: str, *arguments: Any) -> Iterator[None]:
        """The context for calls that all ranks make: rank 0 announces them, unless it is in an order already.

        Args:
            name: Known to `follow` on the other ranks.
            arguments: For them; picklable, on the CPU.
        Raises:
            RankLost: In place of an error of a connection.
        """
        if self.leads and not self.busy:
            self._broadcast((name, arguments))
        self._depth += 1
        try:
            with self._explained(name):
                yield
        except BaseException as error:
            self._broken = self._broken or error is not self.agreed
            raise
        finally:
            self._depth -= 1

    def next_order(self) -> tuple[str, tuple[Any, ...]]:
        """Wait for an order of rank 0: its name and arguments. Raises: RankLost."""
        name, arguments = self._broadcast(None)
        return str(name), arguments

    def gather(self, value: Any) -> list[Any]:
        """One value of each rank, on all ranks, in their order."""
        found: list[Any] = [None] * self.place.size
        with self._explained("exchanging values"):
            dist.all_gather_object(found, value, group=self.orders)
        return found

    def raise_together(self, problem: BaseException | None) -> None:
        """Raise on every rank where at least one has a problem: its own on a rank that has one, else RankFailed."""
        found = self.gather(None if problem is None else (str(problem), recurs(problem)))
        problems = [(f"rank {rank}: {one[0]}", one[1]) for rank, one in enumerate(found) if one is not None]
        if problems:
            text, again = problems[0]
            raise self.agree(problem or RankFailed(text, recurs=again))

    def agree(self, error: BaseException) -> BaseException:
        """Note that every rank raises an error at this place; the error."""
        self.agreed = error
        return error

    def close(self, code: int = 0) -> None:
        """Let the other ranks end, if they still listen.

        Args:
            code: What rank 0 has them exit with; where it is not 0, once rank 0's process has ended.
        """
        self.pulse.close()
        if self._broken:
            return
        with suppress(RankLost):  # it has ended by itself, which torchrun says
            if self.leads:
                self._broadcast((END, (code,)))
            if not code:
                dist.destroy_process_group()

    def outlast_first(self) -> None:
        """Wait, after a last order with a failure, until the process of rank 0 has ended, at most as long as its pulse.

        The failure is rank 0's to say, and torchrun ends all ranks of a machine when the first one fails.
        """
        with suppress(RankLost):
            self._broadcast(None)

    def _broadcast(self, value: Any) -> Any:
        """A value of rank 0 on all ranks."""
        values = [value]
        with self._explained("waiting for an order"):
            dist.broadcast_object_list(values, src=0, group=self.orders)
        return values[0]

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn the error of a connection into RankLost."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, dist.DistError) and not any(part in str(error) for part in OF_CONNECTIONS):
                raise
            self._broken = True
            first = re.sub(r"^\[[^]]*\] ", "", str(error).partition(". ")[0].partition("\n")[0])  # without its source
            raise RankLost(
                f"rank {self.place.rank} has lost another rank ({doing}): {first}. What that one said is in its "
                "rank-*.log in the run's directory, or in torchrun's output"
            ) from error
