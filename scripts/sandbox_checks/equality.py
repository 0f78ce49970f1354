"""Compare the verdicts of the sandbox's backends on many programs.

Usage:
    python scripts/check_sandbox.py equality [DIR...] [--generated N] [--mutants N] [--backends NAME,NAME] [--jobs N]

Grades every .rs file below the directories (default: the project's own corpus), N completions in the shipped model's
family and N mutants of each of all these, in which one token was removed, doubled, exchanged or replaced. Prints every
program on which a backend differs from the first one in build, clippy, test or the numbers of tests. Exit codes: 0 none
differs, 1 some do, 2 bad input, 3 the host failed.

Example:
    python scripts/check_sandbox.py equality --generated 100 --mutants 2
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from grpo_rust.cli import ExitCode, command
from rewards.rust.parse import extract_code
from sandbox.grading.backends import BACKENDS
from sandbox.grading.lexer import tokens
from sandbox.isolation.policy import ISOLATIONS
from sandbox.limits import Limits
from sandbox.verdict import Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from tiny.tasks import demonstrations

__all__ = ["main", "token_mutants"]

ROOT = Path(__file__).resolve().parents[2]
CORPUS = [ROOT / "tests" / "sandbox" / "corpus", ROOT / "sandbox" / "grading" / "specimens"]
LIMITS = Limits(compile_cpu_s=20, run_cpu_s=5, wall_s=120)
MARKS = ["+", "-", "*", "==", "<", "&", "!", ";", ",", "(", ")", "{", "}", "::", "0", "255", '""', "mut", "u8", "self"]


@command("check_sandbox equality")
def main(argv: Sequence[str] | None = None) -> int:
    """Grade everything on every backend; the exit code."""
    parser = argparse.ArgumentParser(prog="check_sandbox.py equality", description=__doc__.split("\n")[0])
    parser.add_argument("directories", nargs="*", type=Path, metavar="DIR", help="where .rs files are; default: corpus")
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="completions to generate besides")
    parser.add_argument("--mutants", type=int, default=0, metavar="N", help="mutants of each program")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="take N of all these at random; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of generating, mutating and taking")
    parser.add_argument("--backends", default=",".join(BACKENDS), help="what to compare; the first is the reference")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="programs graded at once; 0: one a core")
    parser.add_argument("--isolation", choices=ISOLATIONS, default="auto", help="under which all of them run")
    options = parser.parse_args(argv)
    backends = options.backends.split(",")
    if unknown := set(backends) - set(BACKENDS):
        parser.error(f"--backends: no such backend: {', '.join(sorted(unknown))}; there are {', '.join(BACKENDS)}")
    programs = list(_programs(options.directories or CORPUS, options.generated, options.mutants, options.seed))
    random.Random(options.seed).shuffle(programs)  # so that batches are mixed
    programs = programs[: options.count or len(programs)]
    if not programs:
        parser.error(f"there is no .rs file in {', '.join(map(str, options.directories))}")
    said = {backend: _grade([text for _, text in programs], backend, options) for backend in backends}
    return _report([name for name, _ in programs], said)


def token_mutants(source: str, count: int, rng: random.Random) -> Iterator[str]:
    """`count` copies of a program, each with one token removed, doubled, exchanged or replaced."""
    try:
        words = [token.text for token in tokens(source)]
    except ValueError:
        return
    for _ in range(count if len(words) > 1 else 0):
        place = rng.randrange(len(words) - 1)
        word = words[place]
        change = rng.choice(("", f"{word} {word}", rng.choice(words), rng.choice(MARKS), words[place + 1] + " " + word))
        yield _replaced(source, word, place, change)


def _replaced(source: str, word: str, place: int, change: str) -> str:
    """The source with the token at a place replaced by `change`."""
    at = 0
    for number, token in enumerate(tokens(source)):
        at = source.index(token.text, at)
        if number == place:
            return source[:at] + change + source[at + len(word) :]
        at += len(token.text)
    return source


def _programs(directories: Sequence[Path], generated: int, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """The names and texts of all programs, each text once."""
    rng = random.Random(seed)
    texts: dict[str, str] = {}
    for directory in directories:
        for file in sorted(directory.rglob("*.rs")):
            texts.setdefault(file.read_bytes().decode("utf-8", "surrogateescape"), str(file))
    for number, item in enumerate(demonstrations(generated, mistaken=0.5, seed=seed)):
        if code := extract_code(item.completion):
            texts.setdefault(code, f"generated {number}")
    for text, name in list(texts.items()):
        for number, mutant in enumerate(token_mutants(text, count, rng)):
            texts.setdefault(mutant, f"{name}, mutant {number}")
    yield from ((name, text) for text, name in texts.items())


def _grade(programs: Sequence[str], backend: str, options: argparse.Namespace) -> list[Verdict]:
    """The verdicts of one backend."""
    with SandboxPool(options.jobs, LIMITS, backend=backend, isolation=options.isolation) as pool:
        futures = [pool.submit(program) for program in programs]
        return [future.result() for future in tqdm(futures, desc=backend, unit="program")]


def _report(names: Sequence[str], said: dict[str, list[Verdict]]) -> int:
    """Print what differs and the number of each outcome; the exit code."""
    (first, reference), *others = said.items()
    differing = stopped = 0
    for place, name in enumerate(names):
        here = {backend: verdicts[place] for backend, verdicts in said.items()}
        if any(verdict.outcome in (Outcome.TIMEOUT, Outcome.HOST_ERROR) for verdict in here.values()):
            stopped += 1  # where a limit stops it depends on the machine
            continue
        wrong = {backend: verdict for backend, verdict in here.items() if verdict.facts != reference[place].facts}
        differing += bool(wrong)
        for backend, verdict in wrong.items():
            print(f"{name}: {backend} says {verdict.facts}, {first} {reference[place].facts}")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in Counter(v.outcome for v in reference).most_common())
    print(f"{len(names)} programs ({counts}); {stopped} stopped by a limit and not compared")
    for backend, verdicts in said.items():
        print(f"{backend:8} {sum(verdict.cpu_ms for verdict in verdicts) / len(verdicts):6.0f} CPU ms a program")
    print(f"{differing} differ between {', '.join(said)}" if others else "nothing to compare: give several --backends")
    return ExitCode.CHECK_FAILED if differing else ExitCode.DONE
