"""Search for completions that a reader of them cannot take: an exception, or a step that does not end in time.

Usage:
    python scripts/check_sandbox.py completions [--minutes M] [--rounds N] [--seed S] [--slow T] [--real N] [--keep DIR]

Mutates completions at the level of their text: fences, bytes, brackets, comments, strings, surrogates, bidirectional
and control characters, repetitions. Each goes through all that training does with one: finding the code,
parsing, instrumenting, gold tests, signatures, scoring by every reward and the record. The sandbox's verdict is canned,
so that hundreds pass a minute; with --real every Nth goes through a real pool too. An exception, or a step of more than
T CPU seconds, is a find: it is printed, and written to DIR. Exit codes: 0 no find, 1 some, 3 the host failed.

Example:
    python scripts/check_sandbox.py completions --minutes 60 --real 5000 --keep finds
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from grpo_rust.cli import ExitCode, command
from rewards.gold.run import gold_run
from rewards.grader import RustGrader
from rewards.registry import REWARDS
from rewards.rubric import Rubric
from rewards.rust.parse import code_blocks, extract_code, parse
from rewards.signature.applying import why_inapplicable
from rewards.strictness.instrument import experiment
from sandbox.answers.answers import Answers
from sandbox.evidence.experiment import SUPPORT
from sandbox.limits import Limits
from sandbox.verdict import Evidence, Outcome, Verdict
from sandbox.workers.pool import SandboxPool
from sandbox_checks.text_mutants import mutated
from tiny.tasks import demonstrations

__all__ = ["Find", "check", "main", "seeds"]

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(compile_cpu_s=20, run_cpu_s=3, wall_s=60)
HUNG = 10  # times --slow after which a step is stopped
DATA: tuple[dict[str, Any], ...] = (
    {"gold_cases": [{"call": "add(1, 2)", "expected": "3"}], "signature": "fn add(a: i32, b: i32) -> i32"},
    {"rust_test_list": ["assert_eq!(f(&[1, 2]), Some(2));", "for i in 0..3 { f(&[i]); }"], "signature": "fn f()"},
)
PROMPTS = ("Write `fn add(a: i32, b: i32) -> i32`.", "Write something.")


class Find(NamedTuple):
    """A completion that a step could not take."""

    step: str
    problem: str
    text: str


class _CannedPool:
    """Stands in for a pool: every program passes, and nothing is known of what its tests depend on."""

    busy_s = 0.0
    jobs = 1

    def submit(self, source: str, *, phases: Sequence[str] = ()) -> Future[Verdict]:
        passed = Verdict(Outcome.PASSED, build=True, clippy=True, test=True, genuine=True, passed=1)
        return _done(passed if len(source) % 3 else Verdict(Outcome.BUILD_ERROR))

    def submit_experiment(self, _: object) -> Future[Evidence]:
        return _done(Evidence(Outcome.NO_TESTS))

    def submit_calls(self, _: object) -> Future[Answers]:
        return _done(Answers(Outcome.PASSED, terms=('{"i":3}',)))

    def cancel(self, future: Future[Any], reason: str) -> None:
        """Nothing runs."""


def _done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


class _Row(NamedTuple):
    """The part of an example, and of a completion, that a grader reads."""

    messages: Sequence[dict[str, str]] = ()
    columns: dict[str, Any] = {}
    id: str = "fuzzed"
    text: str = ""
    token_ids: Sequence[int] = ()
    tester_ids: Sequence[int] = ()


def seeds(seed: int) -> list[str]:
    """Completions to mutate: those of the shipped model's family, and the corpora of the sandbox's tests in fences."""
    found = [item.completion for item in demonstrations(200, mistaken=0.5, seed=seed)]
    for folder in (ROOT / "tests" / "sandbox" / "corpus", ROOT / "sandbox" / "grading" / "specimens"):
        for file in sorted(folder.rglob("*.rs")):
            found.append(f"```rust\n{file.read_bytes().decode('utf-8', 'surrogateescape')}\n```\n")
    for line in (ROOT / "assets" / "tasks" / "harder.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.append(f"Here it is:\n```rust\n{row['reference']}\n{row['gold_tests']}```\n")
    return found


def check(text: str, *, slow: float, counts: Counter[str], pool: Any = None) -> Find | None:
    """Put one completion through every step.

    Args:
        text: The completion.
        slow: CPU seconds that a step may take.
        counts: Is given what was found in it.
        pool: A real pool to grade with; None for canned verdicts.
    Returns: The first step that failed; None where all went well.
    """
    for name, step in _steps(text, pool, counts):
        started = time.process_time()
        try:
            with _alarm(HUNG * slow if pool is None else 0):
                step()
        except Exception as error:  # whatever it is, it is what this looks for
            return Find(name, f"{type(error).__name__}: {error}"[:300], text)
        if pool is None and (took := time.process_time() - started) > slow:
            return Find(name, f"took {took:.1f} CPU seconds for {len(text):,} characters", text)
    return None


def _steps(text: str, pool: Any, counts: Counter[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The steps by name. Each raises where a promise does not hold."""
    if pool is None:
        yield "find the code", lambda: [extract_code(text, block) for block in ("first", "last")] + code_blocks(text)
        code = extract_code(text)
        counts["with code"] += code is not None
        if code is not None:
            yield "parse", lambda: _parse(code)
            yield "instrument", lambda: _instrument(code, counts)
            for row, prompt in zip(DATA, PROMPTS, strict=True):
                yield "gold tests", lambda row=row: gold_run(code, row)  # type: ignore[misc]
                yield "signature", lambda row=row, said=prompt: why_inapplicable(code, row, said)  # type: ignore[misc]
    yield "grade", lambda: _grade(text, _CannedPool() if pool is None else pool)


def _parse(code: str) -> None:
    program, size = parse(code), len(code.encode("utf-8", "replace"))
    if not all(0 <= start < end <= size for start, end in program.test_code):
        raise AssertionError(f"test code {program.test_code} of a program of {size} bytes")


def _instrument(code: str, counts: Counter[str]) -> None:
    made = experiment(code, thorough=True)
    if made is not None:
        counts["instrumented"] += 1
        if made.text((), SUPPORT).count("\n") != code.encode("utf-8", "replace").decode().count("\n"):
            raise AssertionError("the instrumented program has other lines")


def _grade(text: str, pool: Any) -> None:
    """Grade as training does, beside an honest empty completion, which must not suffer."""
    grader = RustGrader(Rubric(dict.fromkeys(REWARDS, 1.0)), pool, gold=True, deadline_s=120.0)
    for columns, prompt in zip(DATA, PROMPTS, strict=True):
        row = _Row([{"role": "user", "content": prompt}], dict(columns), text=text)
        found, empty = grader.finish([grader.start(row, row), grader.start(row, row._replace(text=""))])
        json.dumps(dict(found.verdict)).encode()
        scores = [*found.rewards.values(), *empty.rewards.values()]
        if not all(score is None or 0 <= score <= 1 for score in scores) or empty.rewards["cargo_build"] != 0:
            raise AssertionError(f"scores {found.rewards}, and {empty.rewards} for an empty completion")
        if found.verdict.get("outcome") == "host_error":
            raise AssertionError(f"the sandbox failed at it: {found.verdict.get('reason')}")


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes longer; 0: never."""

    def hung(*_: object) -> None:
        raise TimeoutError(f"did not end within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@command("check_sandbox completions")
def main(argv: Sequence[str] | None = None) -> int:
    """Search; the exit code."""
    parser = argparse.ArgumentParser(prog="check_sandbox.py completions", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=0.0, metavar="M", help="how long to search; 0: by --rounds")
    parser.add_argument("--rounds", type=int, default=1000, metavar="N", help="completions to try, if --minutes is 0")
    parser.add_argument("--seed", type=int, default=0, help="of mutating")
    parser.add_argument("--slow", type=float, default=10.0, metavar="T", help="CPU seconds that a step may take")
    parser.add_argument("--real", type=int, default=0, metavar="N", help="grade every Nth in a real sandbox; 0: none")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to write what is found")
    options = parser.parse_args(argv)
    began = time.monotonic()
    counts: Counter[str] = Counter({"completions": 0})
    texts = seeds(options.seed)
    with SandboxPool(1, LIMITS) if options.real else nullcontext() as pool:
        while _goes_on(options, counts, began):
            text = _numbered(options.seed, counts["completions"], texts)
            counts["completions"] += 1
            found = check(text, slow=options.slow, counts=counts)
            if pool is not None and found is None and counts["completions"] % options.real == 0:
                counts["in a real sandbox"] += 1
                found = check(text, slow=options.slow, counts=counts, pool=pool)
            if found is not None:
                counts["finds"] += 1
                print(_said(found, options, counts["completions"] - 1), flush=True)
    summary = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print(f"seed {options.seed}, {(time.monotonic() - began) / 60:.1f} minutes: {summary}; {counts['finds']} finds")
    return ExitCode.CHECK_FAILED if counts["finds"] else ExitCode.DONE


def _goes_on(options: argparse.Namespace, counts: Counter[str], began: float) -> bool:
    if options.minutes:
        return bool(time.monotonic() - began < 60 * options.minutes)
    return bool(counts["completions"] < options.rounds)


def _numbered(seed: int, number: int, texts: Sequence[str]) -> str:
    """The completion of a number: a function of it and the seed alone."""
    rng = random.Random(f"completions {seed} {number}")
    return mutated(rng.choice(texts), rng, texts)


def _said(found: Find, options: argparse.Namespace, number: int) -> str:
    """What to print of a find, which is written to --keep."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / f"{options.seed}-{number}.txt").write_bytes(found.text.encode("utf-8", "surrogatepass"))
    return f"seed {options.seed}, completion {number}: {found.step}: {found.problem}"
