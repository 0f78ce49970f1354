"""Measures what the HTTP endpoint costs: many clients at once on a server, beside as many threads on a local pool.

    PYTHONPATH=.:scripts python -m bench.service_cost [--clients N] [--programs N] [--repeats N] [--jobs N]

A client sends a program, waits for its verdict, and sends the next; all programs differ, half of them have a planted
mistake, and nothing is cached. The two ways take turns, and which begins changes. Seconds count from the first program
to the last verdict; CPU seconds are those of clients, server, workers and programs together, without what starting and
stopping costs, which is measured each time. The round trip is that of a program whose verdict is known, by one client.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench.cross_cost import draw_groups
from sandbox.service.access import make_token
from sandbox.service.client import RemotePool
from sandbox.service.grading_pool import GradingPool
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

ROUND_TRIPS = 200
Way = Callable[[int, int], AbstractContextManager[list[GradingPool]]]


@dataclass(frozen=True)
class Turn:
    """What one way took."""

    seconds: float
    cpu_s: float
    latencies: Sequence[float]  # of each program, seconds
    round_trip_s: float


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what the HTTP endpoint costs.")
    parser.add_argument("--clients", type=int, default=64, metavar="N", help="clients at once")
    parser.add_argument("--programs", type=int, default=4, metavar="N", help="programs of each client")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="turns of each way")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="workers; 0: one a core")
    arguments = parser.parse_args(argv)
    lists = draw_lists(arguments.clients, arguments.programs)
    ways: dict[str, Way] = {"local pool": local_pools, "endpoint": remote_pools}
    turns: dict[str, list[Turn]] = {name: [] for name in ways}
    for number in range(arguments.repeats):
        for name, way in list(ways.items())[:: 1 if number % 2 == 0 else -1]:
            turns[name].append(measured(way, lists, arguments.jobs))
    total = arguments.clients * arguments.programs
    print(f"{arguments.clients} clients, {total} programs, {arguments.repeats} turns, load {os.getloadavg()[0]:.1f}")
    for name, found in turns.items():
        ratios = [
            (local.seconds / turn.seconds, turn.cpu_s / local.cpu_s)
            for turn, local in zip(found, turns["local pool"], strict=True)
        ]
        speed, cpu = median(total / turn.seconds for turn in found), median(turn.cpu_s for turn in found)
        latency = median(seconds for turn in found for seconds in turn.latencies)
        print(
            f"{name:10} {speed:6.2f} programs/s, {median(one for one, _ in ratios):.3f} of local"
            f" ({min(ratios)[0]:.3f} to {max(ratios)[0]:.3f});"
            f" {cpu:6.2f} CPU s, {median(one for _, one in ratios):.3f} of local;"
            f" median latency {latency:.2f} s; round trip {1e3 * median(turn.round_trip_s for turn in found):.2f} ms"
        )
    return 0


def draw_lists(clients: int, programs: int) -> list[list[str]]:
    """Programs for each client, all different."""
    drawn = [source for group in draw_groups(8, mistaken=0.5, seed=0) for source in group]
    return [
        [
            f"const _: usize = {client * programs + number};\n{drawn[(client + number) % len(drawn)]}"
            for number in range(programs)
        ]
        for client in range(clients)
    ]


@contextmanager
def local_pools(clients: int, jobs: int) -> Iterator[list[GradingPool]]:
    """One pool of this process, for all clients."""
    with SandboxPool(jobs) as pool:
        yield [pool] * clients


@contextmanager
def remote_pools(clients: int, jobs: int) -> Iterator[list[GradingPool]]:
    """A server, and a connection to it for each client."""
    token = make_token()
    command = [sys.executable, "-m", "sandbox", "serve", "--port", "0", "--jobs", str(jobs)]
    environment = {**os.environ, "SANDBOX_TOKEN": token}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[0-9.]+:\d+", server.stdout.readline())
            assert found is not None, "the server did not start"
            with ExitStack() as stack:
                pools = [RemotePool(found[0], token, connections=1) for _ in range(clients)]
                for pool in pools:
                    stack.enter_context(pool)
                yield list(pools)
        finally:
            server.terminate()


def measured(way: Way, lists: Sequence[Sequence[str]], jobs: int) -> Turn:
    """Let every client send its programs, one after the other."""
    before = cpu_seconds()
    with way(len(lists), jobs):
        pass
    idle_s = cpu_seconds() - before
    before = cpu_seconds()
    with way(len(lists), jobs) as pools, ThreadPoolExecutor(len(lists)) as threads:
        started = time.perf_counter()
        latencies = [one for found in threads.map(_client, pools, lists) for one in found]
        seconds = time.perf_counter() - started
        trips = [_latency(pools[0], lists[0][0]) for _ in range(ROUND_TRIPS)]
    return Turn(seconds, cpu_seconds() - before - idle_s, latencies, median(trips))


def cpu_seconds() -> float:
    """Those of this process, and of the children that have ended, with theirs."""
    return sum(os.times()[:4])


def _client(pool: GradingPool, sources: Sequence[str]) -> list[float]:
    return [_latency(pool, source) for source in sources]


def _latency(pool: GradingPool, source: str) -> float:
    """Seconds from sending a program to its verdict. Raises: RuntimeError where the host failed."""
    started = time.perf_counter()
    verdict = pool.submit(source).result()
    if verdict.outcome is Outcome.HOST_ERROR:
        raise RuntimeError(f"the host failed: {verdict.reason}")
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
