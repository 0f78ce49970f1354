"""Runs a function on several ranks of its own, processes with gloo, and returns what each of them returned."""

from __future__ import annotations

import os
import pickle
import socket
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
import torch.multiprocessing

__all__ = ["on_ranks"]

TIMEOUT_S = 300.0


def on_ranks(size: int, function: Callable[..., Any], *arguments: Any, ordered: bool = True) -> list[Any]:
    """Call `function(team, *arguments)` on so many ranks; their results in order.

    Args:
        size: How many there are.
        function: Of a module in this folder; its results have to be picklable.
        ordered: Whether all ranks call it in an order; else it gives and follows orders itself.
    """
    context = torch.multiprocessing.get_context("spawn")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    pipes = [context.Pipe(duplex=False) for _ in range(size)]
    ranks = [
        context.Process(
            target=_rank, args=(rank, size, port, pipes[rank][1], function, arguments, ordered), daemon=True
        )
        for rank in range(size)
    ]
    for process in ranks:
        process.start()
    try:
        found = []
        for reading, writing in pipes:
            writing.close()
            assert reading.poll(TIMEOUT_S), "a rank does not answer"
            done, value = pickle.loads(reading.recv())
            assert done, value
            found.append(value)
        return found
    finally:
        for process in ranks:
            process.join(5)
            process.kill()


def _rank(
    rank: int,
    size: int,
    port: int,
    answer: Any,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    ordered: bool,
) -> None:
    """One rank."""
    from grpo.distributed.place import RankPlace
    from grpo.distributed.team import Team

    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=str(port))
    try:
        team = Team(RankPlace(rank, size, rank), device="cpu", timeout_s=60.0)
        if rank and ordered:
            team.next_order()
        with (
            team.order("case") if ordered else nullcontext()
        ):  # in an order all ranks call the same, and none of it is an order of its own
            found = function(team, *arguments)
        answer.send(
            pickle.dumps((True, found))
        )  # not the way of torch.multiprocessing, whose tensors end with this process
        team.close()
    except BaseException:
        answer.send(pickle.dumps((False, traceback.format_exc())))
