"""Search for programs whose verdict depends on their company in a batch.

Usage:
    python scripts/check_sandbox.py fuzz [--minutes M] [--rounds N] [--seed S] [--exact BACKEND] [--keep DIR]

Each round composes sixteen programs of hostile pieces: odd names and white space, attributes everywhere, generics,
traits on foreign types, names of the prelude, warnings of many kinds, panics, tests at odd places. It grades them in
one batch of random company and each alone by the exact backend, and compares every field of the verdicts but times and
memory. Programs that differ are printed, and written with their company to DIR. Exit codes: 0 none differs, 1 some do,
3 the host failed.

Example:
    python scripts/check_sandbox.py fuzz --minutes 60 --keep finds
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grpo_rust.cli import ExitCode, command
from sandbox.find_rust import find_toolchain
from sandbox.grading.backends import BATCH_SIZE
from sandbox.grading.batch import is_portable
from sandbox.grading.grade import grade
from sandbox.grading.phases import TAIL_SHOWN
from sandbox.grading.together import grade_together
from sandbox.isolation.policy import Isolation
from sandbox.isolation.probe import isolate
from sandbox.isolation.process import become_reaper
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict

__all__ = ["compose", "differences", "main"]

LIMITS = Limits(compile_cpu_s=20, run_cpu_s=3, wall_s=60)
PIECES: dict[str, Any] = tomllib.loads((Path(__file__).parent / "fuzz_pieces.toml").read_text())


def compose(rng: random.Random) -> str:
    """An ordinary program with up to four random oddities."""
    odd = Counter(rng.choices(PIECES["oddities"], k=rng.choice([0, 1, 1, 1, 2, 2, 3, 4])))
    kind, values = rng.choice(list(PIECES["values"].items()))
    items = [f"fn @F@() -> {kind} {{ {rng.choice(values if odd['item'] else values[:1])} }}"]
    items += rng.sample(PIECES["ordinary"], k=rng.randint(0, 2)) + rng.sample(PIECES["items"], k=odd["item"])
    for _ in range(odd["attribute"]):
        place = rng.randrange(len(items))
        items[place] = rng.choice(PIECES["attributes"]) + "\n" + items[place]
    rng.shuffle(items)
    tests = [_test(rng, number, odd) for number in range(rng.randint(1, 3))]
    module = rng.choice(["t", "r#mod", "zz", "A", "ź", "tests2"]) if odd["name"] else "tests"
    text = "\n".join([*items, f"#[cfg(test)]\nmod {module} {{\nuse super::*;", *tests, "}"])
    if odd["end"]:
        text = rng.choice(PIECES["heads"]) + text + rng.choice(PIECES["tails"])
    names = PIECES["names"]
    text = text.replace("@F@", rng.choice(names if odd["name"] else names[:2]))
    text = text.replace("@T@", rng.choice(names) if odd["name"] else "Kind").replace("@C@", "CONST")
    for _ in range(odd["space"]):
        at = rng.choice([place for place, letter in enumerate(text) if letter == " "])
        text = text[:at] + rng.choice(PIECES["spaces"]) + text[at + 1 :]
    return text


def _test(rng: random.Random, number: int, odd: Counter[str]) -> str:
    """One test of the program."""
    lines = ["let _ = @F@();", *rng.sample(PIECES["sound"], k=rng.randint(0, 2))]
    lines += rng.sample(PIECES["statements"], k=odd["statement"])
    rng.shuffle(lines)
    attribute = rng.choice(PIECES["test_attributes"]) if odd["attribute"] else ""
    return f"#[test]\n{attribute}\nfn t{number}() {{ {' '.join(lines)} }}"


def differences(together: Verdict, alone: Verdict) -> list[str]:
    """The fields but times and memory in which two verdicts differ; none where a limit stopped one of them."""
    if Outcome.TIMEOUT in (together.outcome, alone.outcome):
        return []
    first, second = (replace(v, ms={}, cpu_ms=0.0, peak_memory_mb=0.0).to_json() for v in (together, alone))
    for record in (first, second):
        record["test_output"] = _without_times(record["test_output"])
    return [name for name in first if first[name] != second[name]]


def _without_times(output: str) -> str:
    """The output of tests without what differs from run to run: times, numbers of threads, and what these push out."""
    whole = output if len(output) < TAIL_SHOWN else output.partition("\n")[2]
    return re.sub(r"; finished in [\d.]+s|(?<=') \(\d+\)(?= panicked at )", "", whole)


@command("check_sandbox fuzz")
def main(argv: Sequence[str] | None = None) -> int:
    """Search; the exit code."""
    parser = argparse.ArgumentParser(prog="check_sandbox.py fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=0.0, metavar="M", help="how long to search; 0: by --rounds")
    parser.add_argument("--rounds", type=int, default=4, metavar="N", help="batches to grade, if --minutes is 0")
    parser.add_argument("--seed", type=int, default=0, help="of composing")
    parser.add_argument("--exact", default="direct", choices=("cargo", "direct"), help="the backend to compare with")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="where to write programs that differ, with their company"
    )
    options = parser.parse_args(argv)
    become_reaper()
    end = time.monotonic() + 60 * options.minutes
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        isolation = isolate(find_toolchain(), "auto")
        while time.monotonic() < end if options.minutes else counts["batches"] < options.rounds:
            seed = options.seed * 1_000_003 + counts["batches"]
            for found in _round(random.Random(seed), isolation, Path(name), options.exact, options.keep, seed, counts):
                print(found, flush=True)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"seed {options.seed}, compared with {options.exact}: {summary}")
    return ExitCode.CHECK_FAILED if counts["differing"] else ExitCode.DONE


def _round(
    rng: random.Random,
    isolation: Isolation,
    workdir: Path,
    exact: str,
    keep: Path | None,
    seed: int,
    counts: Counter[str],
) -> Iterator[str]:
    """Grade one batch and each of its programs alone; yields what to say of each that differs."""
    programs = [compose(rng) for _ in range(BATCH_SIZE)]
    counts.update(
        {"batches": 1, "programs": len(programs), "of them in batches": sum(map(is_portable, programs)), "differing": 0}
    )
    together = {number: verdict for number, verdict in grade_together(programs, isolation, LIMITS, workdir) if verdict}
    for number, program in enumerate(programs):
        alone = grade(program, isolation, LIMITS, workdir, backend=exact)
        counts[f"{alone.outcome}"] += 1
        if fields := differences(together[number], alone):
            counts["differing"] += 1
            if keep is not None:
                folder = keep / f"{seed}-{number}"
                folder.mkdir(parents=True, exist_ok=True)
                for other, text in enumerate(programs):
                    (folder / f"{'find' if other == number else 'company'}-{other}.rs").write_text(text, newline="")
            values = "; ".join(
                f"{f}: {getattr(together[number], f)!r:.200} / {getattr(alone, f)!r:.200}" for f in fields
            )
            yield f"seed {seed}, program {number}: {values}"
