"""Soak the sandbox: grade thousands of programs, some of them hostile, while workers are killed at random.

Usage:
    python scripts/check_sandbox.py soak [--count 5000] [--hostile 0.1] [--kill-every 10] [--jobs N] [--json FILE]

First some dozens of programs are graded alone. Then one pool gets numbered copies of them, all at once, and the soak
checks that

- every copy gets exactly one verdict, the one that its original got alone;
- no process, descriptor, work directory or shared memory is left afterwards;
- memory is no larger at the end than at the start.

Exit codes: 0 all of this holds, 1 something does not, 3 the host failed.

Example:
    python scripts/check_sandbox.py soak --count 200 --kill-every 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grpo_rust.cli import ExitCode, command
from rewards.rust.parse import extract_code
from sandbox.grading.backends import BACKENDS
from sandbox.isolation.policy import ISOLATIONS
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from tiny.tasks import demonstrations

__all__ = ["HONEST", "HOSTILE", "LIMITS", "honest_programs", "main", "said"]

LIMITS = Limits(compile_cpu_s=4, run_cpu_s=1, wall_s=15, memory_mb=1024, disk_mb=64, files=500)
HONEST = 50  # different programs
GROWTH, SLACK_MB = 1.1, 20  # memory may grow so much
BETWEEN_KILLS = 24  # results at least: a program that is killed three times in a row has no verdict, and rightly so
TESTS = "#[cfg(test)]\nmod tests {{\n    #[test]\n    fn a() {{\n        {}\n    }}\n}}\n"
SUMMARY = r"\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
HOSTILE = {
    "spins": TESTS.format("loop { std::hint::spin_loop(); }"),
    "floods stdout": TESTS.format(
        'use std::io::Write; loop { std::io::stdout().write_all(&[b"x"[0]; 4096]).unwrap(); }'
    ),
    "floods stderr": TESTS.format(
        'use std::io::Write; loop { std::io::stderr().write_all(&[b"x"[0]; 4096]).unwrap(); }'
    ),
    "aborts": TESTS.format("std::process::abort();"),
    "exits with a summary": TESTS.format(f'println!("{SUMMARY}"); std::process::exit(0);'),
    "overflows its stack": TESTS.format("fn f(n: u64) -> u64 { f(n + 1) + 1 } assert_eq!(f(0), 1);"),
    "takes all memory": TESTS.format("assert_eq!(vec![1u8; 1 << 33].len(), 0);"),
    "starts threads": TESTS.format("for _ in 0..400 { std::thread::spawn(std::thread::park); } panic!();"),
    "fills the disk": TESTS.format('for i in 0.. { std::fs::write(format!("{i}"), vec![1u8; 1 << 20]).unwrap(); }'),
    "makes files": TESTS.format('for i in 0.. { std::fs::write(format!("{i}"), "").unwrap(); }'),
    "starts a shell": TESTS.format('std::process::Command::new("/bin/sh").spawn().unwrap();'),
    "connects": TESTS.format('std::net::TcpStream::connect("127.0.0.1:9").unwrap();'),
    "computes in vain": "#![allow(long_running_const_eval)]\nconst N: () = { let mut n = 0; loop { n ^= 1 } };\n",
    "is torn": "fn f( {",
}


@dataclass
class Watch:
    """Measures memory while a pool works, and kills workers."""

    pool: SandboxPool
    kill_every_s: float
    rng: random.Random
    num_results: Callable[[], int]
    kills: int = 0
    parent_mb: list[float] = field(default_factory=list)
    workers_mb: list[float] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        """Sample memory, and kill a worker now and then."""
        due, wanted = time.monotonic() + self.kill_every_s, BETWEEN_KILLS
        while not self._end.wait(0.25):
            workers = self.pool.worker_pids
            self.parent_mb.append(_resident_mb(os.getpid()))
            self.workers_mb.append(sum(map(_resident_mb, workers)))
            if workers and time.monotonic() > due and self.num_results() >= wanted:
                due, wanted = time.monotonic() + self.kill_every_s, self.num_results() + BETWEEN_KILLS
                try:
                    os.kill(self.rng.choice(workers), signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass  # it had just ended


@command("check_sandbox soak")
def main(argv: Sequence[str] | None = None) -> int:
    """Soak, print the figures and write the file; the exit code."""
    parser = argparse.ArgumentParser(prog="check_sandbox.py soak", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=5000, help="gradings")
    parser.add_argument("--hostile", type=float, default=0.1, help="share of hostile programs")
    parser.add_argument(
        "--kill-every", type=float, default=10.0, metavar="SECONDS", help="between two killed workers, at least"
    )
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
    parser.add_argument("--backend", choices=BACKENDS, default="batch", help="how they are graded")
    parser.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="under which they run")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of programs and victims")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    if options.count < 1 or not 0 <= options.hostile <= 1 or options.kill_every <= 0 or options.jobs < 0:
        parser.error("give a positive --count and --kill-every, a --hostile from 0 to 1, and no negative --jobs")
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        os.chmod(directory, 0o711)
        tempfile.tempdir = directory  # where only the pools of this process make their directories
        try:
            figures, problems = soak(options)
        finally:
            tempfile.tempdir = None
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {value}")
    for problem in problems:
        print(f"BROKEN: {problem}")
    if options.json:
        options.json.write_text(json.dumps({**figures, "problems": problems}, indent=2) + "\n")
    return ExitCode.CHECK_FAILED if problems else ExitCode.DONE


def soak(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Grade everything; the figures, and what does not hold."""
    rng = random.Random(options.seed)
    programs = {**honest_programs(HONEST, options.seed), **HOSTILE}
    with SandboxPool(options.jobs, LIMITS, backend=options.backend, isolation=options.isolation) as pool:
        waiting = {name: pool.submit(source) for name, source in programs.items()}
        alone = {name: future.result() for name, future in waiting.items()}
    honest = [name for name in programs if name not in HOSTILE]
    chosen = [rng.choice(list(HOSTILE) if rng.random() < options.hostile else honest) for _ in range(options.count)]
    before = _left_behind()  # the first pool starts what a process keeps, such as multiprocessing's tracker
    num_verdicts: Counter[int] = Counter()
    started = time.monotonic()
    with SandboxPool(options.jobs, LIMITS, backend=options.backend, isolation=options.isolation) as pool:
        with Watch(pool, options.kill_every, rng, lambda: len(num_verdicts)) as watch:
            futures = [pool.submit(f"// {number}\n{programs[name]}") for number, name in enumerate(chosen)]
            for number, future in enumerate(futures):
                future.add_done_callback(lambda _, number=number: num_verdicts.update([number]))  # type: ignore[misc]
            verdicts = [future.result() for future in tqdm(futures, unit="program")]
    took = time.monotonic() - started
    different = [
        f"{n}: {said(v)} {v.reason}, alone {said(alone[n])}"
        for n, v in zip(chosen, verdicts, strict=True)
        if said(v) != said(alone[n])
    ]
    problems = [*different[:20], *_grown(watch)]
    if set(num_verdicts.values()) != {1} or len(num_verdicts) != options.count:
        problems.append(
            f"{len(num_verdicts)} of {options.count} programs got a verdict, some {max(num_verdicts.values())} verdicts"
        )
    problems += [f"left behind: {item}" for item in sorted(_left_behind() - before)]
    return {
        "gradings": options.count,
        "hostile": sum(name in HOSTILE for name in chosen),
        "workers_killed": watch.kills,
        "different_verdicts": len(different),
        "host_errors": sum(verdict.outcome is Outcome.HOST_ERROR for verdict in verdicts),
        "left_behind": len(_left_behind() - before),
        "parent_mb_first_and_last": _ends(watch.parent_mb),
        "workers_mb_first_and_last": _ends(watch.workers_mb),
        "seconds": round(took, 1),
        "gradings_a_second": round(options.count / took, 2),
    }, problems


def honest_programs(count: int, seed: int) -> dict[str, str]:
    """Completions in the shipped model's family, right and wrong ones."""
    codes = (extract_code(item.completion) for item in demonstrations(4 * count, mistaken=0.5, seed=seed))
    unique = list(dict.fromkeys(code for code in codes if code))[:count]
    return {f"honest {number}": code for number, code in enumerate(unique)}


def said(verdict: Verdict) -> tuple[Any, ...]:
    """What must be the same for a copy. Where a limit stops a program may differ."""
    return (verdict.outcome,) if verdict.outcome is Outcome.TIMEOUT else (verdict.outcome, *verdict.facts)


def _left_behind() -> set[str]:
    """The present children, open descriptors, work directories and shared memory."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    descriptors = [f"{number} {os.readlink(f'/proc/self/fd/{number}')}" for number in _descriptors()]
    directories = [path.name for path in Path(tempfile.gettempdir()).glob("sandbox-*")]
    shared = [path.name for path in Path("/dev/shm").iterdir()]
    labelled = {"process": children, "descriptor": descriptors, "directory": directories, "shared memory": shared}
    return {f"{kind} {item}" for kind, items in labelled.items() for item in items}


def _descriptors() -> list[str]:
    """The numbers of the open descriptors, without the one that lists them."""
    return [number for number in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{number}")]


def _resident_mb(pid: int) -> float:
    """The resident memory of a process; 0 for one that has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except OSError:
        return 0.0


def _ends(samples: Sequence[float]) -> list[float]:
    """The medians of the first and the last tenth of the samples, after the first twentieth."""
    settled = samples[len(samples) // 20 :] or [0.0]
    part = max(1, len(settled) // 10)
    return [round(statistics.median(settled[:part]), 1), round(statistics.median(settled[-part:]), 1)]


def _grown(watch: Watch) -> list[str]:
    """The processes whose memory has grown, for people."""
    ends = {"this process": _ends(watch.parent_mb), "the workers": _ends(watch.workers_mb)}
    return [
        f"{who} grew from {first} to {last} MiB"
        for who, (first, last) in ends.items()
        if last > GROWTH * first + SLACK_MB
    ]
