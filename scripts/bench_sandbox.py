"""Measure what grading a program costs by each backend, and by the published recipe.

Usage:
    python scripts/bench_sandbox.py [--programs DIR] [--backends naive,cargo,direct,batch] [--jobs 1,2] [--json FILE]

Every backend grades every program, in turns, so that a busy machine slows all of them; nothing is cached, and every
program is different. `naive` is the published recipe: a fresh project for each of `cargo build`, `cargo clippy` and
`cargo test`, with cargo's own defaults. `batch` takes sixteen programs at a time, and each has its share of the cost.
The floor is `rustc --test` on an empty program with the toolchain's own settings. All run under one isolation. Without
--programs, the programs are completions of the shipped model's family, half of them with a planted mistake.

The file: {"programs", "backends": {NAME: {"cpu_ms" (median), "cpu_ms_mean", "wall_ms", "per_second": {JOBS: x},
"differences" (from the first backend)}}, "floor_cpu_ms"}.

Example:
    python scripts/bench_sandbox.py --count 20 --backends naive,direct --jobs 1,2
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.naive_grading import NaiveGrading
from grpo_rust.cli import ExitCode, command
from rewards.rust.parse import extract_code
from sandbox.find_rust import find_toolchain
from sandbox.grading.backends import BACKENDS, BATCH_SIZE
from sandbox.grading.direct import BASE, DirectGrading
from sandbox.grading.grade import grade
from sandbox.grading.together import grade_together
from sandbox.isolation.policy import ISOLATIONS, Isolation
from sandbox.isolation.probe import isolate
from sandbox.isolation.process import become_reaper
from sandbox.limits import Limits
from sandbox.project import Project
from tiny.tasks import demonstrations

__all__ = ["main"]

NAIVE = "naive"
EMPTY = ""
START_S = 120
PLAIN = ("--test", "--emit=link", "-Ccodegen-units=1", "-o", "tests")
_isolation: Isolation | None = None  # of this worker process


class _FloorGrading(DirectGrading):
    """Compiles with the toolchain's own settings, without those that make the backend `direct` cheaper."""

    compiler_environment = {}


@dataclass(frozen=True)
class Cost:
    """One grading: the facts of its verdict, and its cost."""

    verdict: tuple[Any, ...]
    cpu_ms: float
    wall_ms: float


@command("bench_sandbox")
def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, measure, print a table and write the file; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=Path, help="a directory of .rs files; default: generated completions")
    parser.add_argument(
        "--count", type=int, default=50, help="how many programs to generate, or to take of DIR at most"
    )
    parser.add_argument(
        "--backends", default=f"{NAIVE},{','.join(BACKENDS)}", help="what to compare; the first is the reference"
    )
    parser.add_argument("--jobs", default="1,2", help="processes at once, for programs per second")
    parser.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="under which all of them run")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    backends, jobs = options.backends.split(","), [int(text) for text in options.jobs.split(",") if text.isdecimal()]
    if unknown := set(backends) - {NAIVE, *BACKENDS}:
        parser.error(
            f"--backends: no such backend: {', '.join(sorted(unknown))}; there are {NAIVE}, {', '.join(BACKENDS)}"
        )
    if not jobs or not all(jobs) or options.count < 1:
        parser.error(f"--jobs {options.jobs!r} --count {options.count}: give positive numbers, as in --jobs 1,2")
    programs = _read(options.programs, options.count) if options.programs else _generate(options.count)
    if not programs:
        parser.error(f"--programs {options.programs}: there is no .rs file in it")
    figures = measure(programs, backends, jobs, options.isolation)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return ExitCode.DONE


def measure(programs: Sequence[str], backends: Sequence[str], jobs: Sequence[int], isolation: str) -> dict[str, Any]:
    """The figures: the cost of each program by each backend in turns, then the throughput of whole runs."""
    context = multiprocessing.get_context("spawn")
    costs: dict[str, list[Cost]] = {backend: [] for backend in backends}
    floor: list[float] = []
    with context.Pool(1, _prepare, (isolation, context.Barrier(1))) as worker:
        for number, part in enumerate(tqdm(_parts(programs), desc="one backend after the other", unit="batch")):
            turn = number % len(backends)  # so that none is always first
            for backend in (*backends[turn:], *backends[:turn]):
                costs[backend] += worker.apply(_grade, (backend, part))
            floor += [worker.apply(_floor) for _ in part]
    rates: dict[str, dict[str, float]] = {backend: {} for backend in backends}
    for backend in backends:
        for count in jobs:
            ready = context.Barrier(count + 1)
            with context.Pool(count, _prepare, (isolation, ready)) as workers:
                ready.wait(START_S)
                start = time.perf_counter()
                parts = _parts(programs) if backend == "batch" else [[source] for source in programs]
                workers.starmap(_grade, [(backend, part) for part in parts], chunksize=1)
                rates[backend][str(count)] = len(programs) / (time.perf_counter() - start)
    reference = costs[backends[0]]
    return {
        "programs": len(programs),
        "backends": {
            backend: {
                "cpu_ms": statistics.median(cost.cpu_ms for cost in costs[backend]),
                "cpu_ms_mean": statistics.fmean(cost.cpu_ms for cost in costs[backend]),
                "wall_ms": statistics.median(cost.wall_ms for cost in costs[backend]),
                "per_second": rates[backend],
                "differences": sum(a.verdict != b.verdict for a, b in zip(costs[backend], reference, strict=True)),
            }
            for backend in backends
        },
        "floor_cpu_ms": statistics.median(floor),
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as a table. CPU time comes first, since it varies least."""
    first = next(iter(figures["backends"].values()))["cpu_ms"]
    lines = [
        f"{'backend':8} {'CPU ms':>8} {'mean':>8} {'ratio':>7} {'x floor':>8} {'wall ms':>8} {'differ':>7}  per second"
    ]
    for name, row in figures["backends"].items():
        rates = ", ".join(f"{rate:.2f} ({jobs} jobs)" for jobs, rate in row["per_second"].items())
        lines.append(
            f"{name:8} {row['cpu_ms']:8.0f} {row['cpu_ms_mean']:8.0f} {first / row['cpu_ms']:6.2f}x "
            f"{row['cpu_ms'] / figures['floor_cpu_ms']:7.2f}x {row['wall_ms']:8.0f} {row['differences']:7}  {rates}"
        )
    return "\n".join([*lines, f"floor    {figures['floor_cpu_ms']:8.0f}   ({figures['programs']} programs)"])


def _read(directory: Path, count: int) -> list[str]:
    """The programs of a directory, each text once."""
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in sorted(directory.rglob("*.rs")))
    return list(dict.fromkeys(texts))[:count]


def _generate(count: int) -> list[str]:
    """Programs of the shipped model's family."""
    codes = (extract_code(item.completion) for item in demonstrations(2 * count, mistaken=0.5, seed=7))
    return list(dict.fromkeys(code for code in codes if code))[:count]


def _prepare(isolation: str, ready: Barrier) -> None:
    """Make this process a worker, and wait until all are."""
    global _isolation
    become_reaper()
    _isolation = isolate(find_toolchain(), isolation)
    ready.wait(START_S)


def _parts(programs: Sequence[str]) -> list[Sequence[str]]:
    """The programs, batch by batch."""
    return [programs[start : start + BATCH_SIZE] for start in range(0, len(programs), BATCH_SIZE)]


def _grade(backend: str, sources: Sequence[str]) -> list[Cost]:
    """Grade programs: as a batch if that is the backend, else one after the other."""
    assert _isolation is not None
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o711)
        if backend != "batch":
            return [_grade_one(backend, source, Path(directory) / str(place)) for place, source in enumerate(sources)]
        start = time.perf_counter()
        graded = dict(grade_together(sources, _isolation, Limits(), Path(directory)))  # each verdict comes after a None
        wall_ms = 1e3 * (time.perf_counter() - start) / len(sources)
    verdicts = [graded[place] for place in range(len(sources))]
    return [Cost(verdict.facts, verdict.cpu_ms, wall_ms) for verdict in verdicts if verdict is not None]


def _grade_one(backend: str, source: str, directory: Path) -> Cost:
    """Grade one program."""
    assert _isolation is not None
    directory.mkdir(mode=0o711)
    start = time.perf_counter()
    if backend == NAIVE:
        verdict = NaiveGrading(directory, source, _isolation, Limits()).verdict()
    else:
        verdict = grade(source, _isolation, Limits(), directory, backend=backend)
    return Cost(verdict.facts, verdict.cpu_ms, 1e3 * (time.perf_counter() - start))


def _floor() -> float:
    """CPU milliseconds of compiling and linking the tests of an empty program."""
    assert _isolation is not None
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o711)
        project = Project(Path(directory) / "program", EMPTY)
        project.create()
        grading = _FloorGrading(project, _isolation, Limits())
        grading.prepare()
        return grading.compile("test", [grading.toolchain.bin / "rustc", *BASE, *PLAIN]).cpu_ms


if __name__ == "__main__":
    raise SystemExit(main())
