"""Measures what it costs to run all codes of a group on all tests of the group, beside grading its programs.

    PYTHONPATH=.:scripts python -m bench.cross_cost [--groups N] [--mistaken SHARE] [--distinct] [--repeats N]

A group is eight solutions of one task from the catalogue of the quickstart, half of them mistaken by default. Equal
codes are run once, and tasks this small have few different ones; with `--distinct` no two are equal. The ways that take
turns: grading by the backend `batch`, the same with the evidence that strict passes need, and crossings, full and with
fewer partners. CPU seconds are those of the process and of everything below it; crossings are measured beyond the
grading that they need.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from statistics import median
from typing import Any

from rewards.completion import GradedCompletion
from rewards.cross.plan import plan
from rewards.cross.submit import GroupCrossing
from rewards.rust.parse import extract_code
from rewards.strictness.submit import Submission
from sandbox.verdict import Verdict
from sandbox.workers.pool import SandboxPool
from tiny.catalogue import combinations
from tiny.mistakes import plant
from tiny.programs import draw_request, draw_solution

__all__ = ["main"]

GROUP = 8
Groups = Sequence[Sequence[str]]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what crossing groups costs.")
    parser.add_argument("--groups", type=int, default=8, metavar="N", help="groups of eight programs")
    parser.add_argument("--mistaken", type=float, default=0.5, metavar="SHARE", help="programs with a planted mistake")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="turns of each way")
    parser.add_argument("--distinct", action="store_true", help="a constant of its own in every program")
    arguments = parser.parse_args(argv)
    groups = draw_groups(arguments.groups, mistaken=arguments.mistaken, seed=0)
    if arguments.distinct:
        groups = [[f"const _: usize = {number};\n{source}" for number, source in enumerate(group)] for group in groups]
    with SandboxPool(jobs=1) as pool:
        graded = [[pool.submit(source).result() for source in group] for group in groups]
    ways: dict[str, Callable[[SandboxPool], int]] = {
        "graded": lambda pool: _grade(pool, groups),
        "graded with evidence": lambda pool: _examine(pool, groups),
        "crossed, 2 partners": lambda pool: _cross(pool, groups, graded, 2),
        "crossed, 4 partners": lambda pool: _cross(pool, groups, graded, 4),
        "crossed, all": lambda pool: _cross(pool, groups, graded, 0),
    }
    found = [{name: _measured(way) for name, way in ways.items()} for _ in range(arguments.repeats)]
    for name in ways:
        seconds = median(turn[name][0] for turn in found)
        ratios = [turn[name][0] / turn["graded"][0] for turn in found]
        ratio = f"{median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
        counts = {turn[name][1] for turn in found}
        print(f"{name:22} {1e3 * seconds / len(groups):7.0f} CPU ms a group, {ratio} of grading, {counts} results")
    return 0


def draw_groups(count: int, *, mistaken: float, seed: int) -> list[list[str]]:
    """Groups of different programs for one task each."""
    rng = random.Random(seed)
    groups = []
    for operation, element in rng.sample(combinations("train"), count):
        request = draw_request(operation, element, rng)
        programs: dict[str, None] = {}
        for _ in range(20 * GROUP):
            solution = draw_solution(request, rng)
            text = plant(request, solution, rng)[1] if rng.random() < mistaken else solution.completion()
            programs[extract_code(text) or text] = None
        groups.append([*programs][:GROUP])
    return groups


def _measured(way: Callable[[SandboxPool], int]) -> tuple[float, int]:
    """CPU seconds beyond those of an idle pool, and the number of results."""
    before = sum(os.times()[:4])
    with SandboxPool(jobs=1, cache_size=0):
        pass
    idle = sum(os.times()[:4]) - before
    with SandboxPool(jobs=1, cache_size=0) as pool:
        count = way(pool)
    return sum(os.times()[:4]) - before - 2 * idle, count


def _grade(pool: SandboxPool, groups: Groups) -> int:
    return len(_done([pool.submit(source) for group in groups for source in group]))


def _examine(pool: SandboxPool, groups: Groups) -> int:
    return len(_done([Submission(pool, source).future for group in groups for source in group]))


def _cross(pool: SandboxPool, groups: Groups, graded: Sequence[Sequence[Verdict]], partners: int) -> int:
    """Cross graded groups; the number of cells with a result."""
    crossings = []
    for sources, verdicts in zip(groups, graded, strict=True):
        members = [GradedCompletion(f"```rust\n{s}```\n", v) for s, v in zip(sources, verdicts, strict=True)]
        crossings.append(GroupCrossing(pool, [], partial(plan, members, partners=partners)).future)
    matrices = [found.matrix for found in _done(crossings)]
    return sum(int((~(one.others() != one.others())).sum()) for one in matrices if one is not None)


def _done(futures: Sequence[Future[Any]]) -> list[Any]:
    return [future.result() for future in futures]


if __name__ == "__main__":
    raise SystemExit(main())
