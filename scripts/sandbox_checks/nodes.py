"""Grade over the nodes of a Ray cluster on this machine, while nodes are killed and others join.

Usage:
    python scripts/check_sandbox.py nodes [--count 2000] [--nodes 2] [--kill-every 60] [--json FILE]

First some dozens of programs are graded by a pool of this machine. Then the cluster gets numbered copies of them, all
at once, and the check is that every copy gets exactly one verdict, the one that its original got, and that no work
directory is left. A node is a set of processes here; one is killed as when its machine stops, and a new one joins.

Needs the package ray. Exit codes: 0 all of this holds, 1 something does not, 3 the host failed.

Example:
    python scripts/check_sandbox.py nodes --count 200 --kill-every 10
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grpo_rust.cli import ExitCode, command
from sandbox.cluster.dispatcher import PER_JOB
from sandbox.cluster.ray_pool import RayPool
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from sandbox_checks.soak import HONEST, HOSTILE, LIMITS, honest_programs, said

__all__ = ["main"]

STORE_BYTES = 80 << 20
JOIN_S = 300.0
BETWEEN_KILLS = 2 * PER_JOB  # results a node at least: what three nodes die under in turn is given up, and rightly so
CLEANED_S = 60.0  # for the workers of a node that was killed to notice, and to remove their files


class Killing:
    """Kills a node now and then, and lets another one join: in the main thread, as Ray wants it.

    None is killed before all grade: of a pool that is killed while it starts, nobody is there to clean up.
    """

    def __init__(self, cluster: Any, nodes: list[Any], pool: RayPool, every_s: float, rng: random.Random) -> None:
        self._cluster, self._nodes, self._pool, self._every_s, self._rng = cluster, nodes, pool, every_s, rng
        self._due, self._between = time.monotonic() + every_s, BETWEEN_KILLS * len(nodes)
        self._wanted = self._between
        self.kills = 0

    def wait(self, futures: Sequence[Future[Verdict]]) -> list[Verdict]:
        """The results of all, and meanwhile what is due."""
        with tqdm(total=len(futures), unit="program") as bar:
            while bar.n < len(futures):
                time.sleep(0.1)
                bar.update(sum(future.done() for future in futures) - bar.n)
                is_due = time.monotonic() > self._due and bar.n >= self._wanted
                if self._every_s and is_due and self._pool.num_nodes == len(self._nodes):
                    self._replace()
                    self._wanted = int(bar.n) + self._between
        return [future.result() for future in futures]

    def _replace(self) -> None:
        victim = self._nodes.pop(self._rng.randrange(len(self._nodes)))
        self._cluster.remove_node(victim, allow_graceful=False)
        self.kills += 1
        self._nodes.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))
        self._due = time.monotonic() + self._every_s


@command("check_sandbox nodes")
def main(argv: Sequence[str] | None = None) -> int:
    """Grade, print the figures and write the file; the exit code."""
    parser = argparse.ArgumentParser(prog="check_sandbox.py nodes", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="gradings")
    parser.add_argument("--nodes", type=int, default=2, help="nodes at once, of one worker each")
    parser.add_argument("--hostile", type=float, default=0.05, help="share of hostile programs")
    parser.add_argument(
        "--kill-every", type=float, default=60.0, metavar="SECONDS", help="between two nodes, at least; 0: none"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the choice of programs and victims")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    if options.count < 1 or options.nodes < 1 or not 0 <= options.hostile <= 1 or options.kill_every < 0:
        parser.error("give a positive --count and --nodes, a --hostile from 0 to 1, and no negative --kill-every")
    figures, problems = grade_on_nodes(options)
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {value}")
    for problem in problems:
        print(f"BROKEN: {problem}")
    if options.json:
        options.json.write_text(json.dumps({**figures, "problems": problems}, indent=2) + "\n")
    return ExitCode.CHECK_FAILED if problems else ExitCode.DONE


def grade_on_nodes(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Grade everything; the figures, and what does not hold."""
    rng = random.Random(options.seed)
    programs = {**honest_programs(HONEST, options.seed), **HOSTILE}
    honest = [name for name in programs if name not in HOSTILE]
    chosen = [rng.choice(list(HOSTILE) if rng.random() < options.hostile else honest) for _ in range(options.count)]
    num_verdicts: Counter[int] = Counter()
    with tempfile.TemporaryDirectory(prefix="nodes-") as directory:
        os.chmod(directory, 0o711)
        with SandboxPool(limits=LIMITS) as pool:
            waiting = {name: pool.submit(source) for name, source in programs.items()}
            alone = {name: future.result() for name, future in waiting.items()}
        with _cluster(options.nodes, directory) as (cluster, nodes), RayPool(cluster.address, limits=LIMITS) as on_ray:
            _wait_for(on_ray, options.nodes)
            started = time.monotonic()
            futures = [on_ray.submit(f"// {number}\n{programs[name]}") for number, name in enumerate(chosen)]
            for number, future in enumerate(futures):
                future.add_done_callback(partial(_count, num_verdicts, number))
            killing = Killing(cluster, nodes, on_ray, options.kill_every, rng)
            verdicts = killing.wait(futures)
            took = time.monotonic() - started
        left = _left_behind(Path(directory))
    different = [
        f"{name}: {said(verdict)} {verdict.reason}, alone {said(alone[name])}"
        for name, verdict in zip(chosen, verdicts, strict=True)
        if said(verdict) != said(alone[name])
    ]
    problems = [*different[:20], *(f"left behind: {name}" for name in left)]
    if set(num_verdicts.values()) != {1} or len(num_verdicts) != options.count:
        problems.append(f"{len(num_verdicts)} of {options.count} got a verdict, some {max(num_verdicts.values())}")
    return {
        "gradings": options.count,
        "hostile": sum(name in HOSTILE for name in chosen),
        "nodes_at_once": options.nodes,
        "nodes_killed": killing.kills,
        "different_verdicts": len(different),
        "host_errors": sum(verdict.outcome is Outcome.HOST_ERROR for verdict in verdicts),
        "directories_left_behind": len(left),
        "seconds": round(took, 1),
        "gradings_a_second": round(options.count / took, 2),
    }, problems


def _left_behind(directory: Path) -> list[str]:
    """The work directories that are still there once workers had time to remove them."""
    until = time.monotonic() + CLEANED_S
    while (left := sorted(path.name for path in directory.glob("sandbox-*"))) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def _count(verdicts: Counter[int], number: int, _: object) -> None:
    """A program has a verdict."""
    verdicts[number] += 1


@contextmanager
def _cluster(count: int, directory: str) -> Iterator[tuple[Any, list[Any]]]:
    """A Ray on this machine, and its nodes; their pools work in a directory. The head grades nothing."""
    from ray.cluster_utils import Cluster

    os.environ["TMPDIR"] = directory
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster, [cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES) for _ in range(count)]
    finally:
        cluster.shutdown()
        del os.environ["TMPDIR"]


def _wait_for(pool: RayPool, count: int) -> None:
    """Wait until so many nodes grade. Raises: TimeoutError."""
    until = time.monotonic() + JOIN_S
    while pool.num_nodes < count:
        if time.monotonic() > until:
            raise TimeoutError(f"{pool.num_nodes} of {count} nodes grade after {JOIN_S:g} s")
        time.sleep(0.1)
