"""Plant mistakes in right programs, and make repair tasks of those of which rustc gives the error that was meant.

Usage:
    python scripts/make_dataset.py repair SOURCE [SOURCE...] --out FILE or FOLDER [--per-program N] [--codes CODE,...]
                                          [--as terminal|short|json] [--seed N] [--with-request] [--gold-only] ...

SOURCE is a .jsonl or .parquet file or hf:NAME whose rows have a program in `reference` or `rust_code`, and perhaps gold
tests, as assets/tasks/train.jsonl and what the verb published writes have them. A row is kept where the right program
builds and passes its gold tests, and the broken one does not build and has the error code aimed at. The table that is
printed has the rows of each error code; FILE.manifest.json says what was left out and why. The same sources, seed and
toolchain give the same bytes. Rows of one program stay in one split.
Exit codes: 0 done, 1 no row came through, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py repair assets/tasks/train.jsonl --out runs/repair.jsonl --per-program 2 --as short
"""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from dataset.repairing.counts import Repairs
from dataset.repairing.mistakes import CODES
from dataset.repairing.planting import Planted, planted
from dataset.repairing.proving import Tried, in_order, try_program
from dataset.repairing.rows import Shown, planted_problem, planted_row
from dataset.repairing.source_rows import SourceProgram, SourcePrograms, read_programs
from dataset.saving import add_output_options, check_output, describe_saved, save, save_manifest
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo_rust.cli import ExitCode, command
from rewards.repairing.messages import STYLES
from sandbox.workers.pool import SandboxPool

__all__ = ["add_shown_options", "at_least_1", "main", "shown_of", "write"]

LONGEST = 6000  # characters of a program
SHOWN_LIMIT = 4000  # characters of diagnostics


@command("make_dataset repair", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Plant, prove, write; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    check_output(options)
    read = read_programs(read_sources(options, columns=None), longest=options.longest)
    found = Repairs(num_read=read.num_rows, skipped=read.skipped)
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        programs = _right_ones(read, found, pool, gold_only=options.gold_only)
        _plant(programs, found, pool, options)
        toolchain = str(pool.toolchain.version)
    line = f"python scripts/make_dataset.py repair {shlex.join(words)}"
    return write(found, options, command=line, toolchain=toolchain)


def write(found: Repairs, options: argparse.Namespace, *, command: str, toolchain: str) -> int:
    """Print the table, and write rows and manifest; the exit code.

    Args:
        found: The rows, and what became of the rest.
        options: With the arguments of `add_output_options` and `add_shown_options`, and `sources`.
        command: The command line.
        toolchain: Of the sandbox.
    """
    print(found.table())
    if not found.rows:
        return ExitCode.CHECK_FAILED
    files = save(found.rows, options, name=lambda row: str(row["program"]))
    record = found.manifest(files, command=command, sources=options.sources, toolchain=toolchain, style=options.style)
    print(describe_saved(files, len(found.rows), "repair tasks", save_manifest(record, options.out)))
    return ExitCode.DONE


def add_shown_options(parser: argparse.ArgumentParser) -> None:
    """Add what rows show of errors, and how long a program may be, to a command's arguments."""
    parser.add_argument(
        "--as", dest="style", choices=STYLES, default="terminal",
        help="diagnostics as a terminal shows them, a line for each, or a JSON object for each (default: terminal)",
    )  # fmt: skip
    parser.add_argument("--shown", type=at_least_1, default=SHOWN_LIMIT, metavar="N", help="characters of them at most")
    parser.add_argument("--longest", type=at_least_1, default=LONGEST, metavar="N", help="characters of a program")
    parser.add_argument("--gold-only", action="store_true", help="leave out what has no gold tests")


def shown_of(options: argparse.Namespace, *, request: bool) -> Shown:
    """What the arguments of `add_shown_options` say."""
    return Shown(options.style, options.shown, request)


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("repair", __doc__)
    add_source_options(parser, "right programs")
    add_output_options(parser)
    parser.add_argument("--per-program", type=at_least_1, default=1, metavar="N", help="broken programs of each")
    parser.add_argument("--codes", type=_codes, default=CODES, metavar="CODE,...", help="of these alone; syntax is one")
    parser.add_argument("--seed", type=int, default=0, help="decides everything that is drawn")
    parser.add_argument("--with-request", action="store_true", help="rows say what their program is for")
    add_shown_options(parser)
    return parser


def _right_ones(read: SourcePrograms, found: Repairs, pool: SandboxPool, *, gold_only: bool) -> list[SourceProgram]:
    """The programs that are right; the others go to `found.skipped`."""
    tried = in_order(read.programs, lambda one: try_program(one.text, one.gold, pool), pool.jobs)
    right = []
    for source, result in zip(_bar(read.programs, "right programs"), tried, strict=True):
        if reason := _not_right(source, result, gold_only=gold_only):
            found.skipped[reason] += 1
        else:
            right.append(source)
    return right


def _not_right(source: SourceProgram, result: Tried, *, gold_only: bool) -> str:
    """Why a program cannot be the right answer; "" where it can."""
    if result.problem or not result.builds:
        return result.problem or "its own program does not build"
    if not source.gold:
        return "no gold tests" if gold_only else ""
    return "" if result.gold else "its own program fails its gold tests"


def _plant(programs: Sequence[SourceProgram], found: Repairs, pool: SandboxPool, options: argparse.Namespace) -> None:
    """Plant mistakes; rows go to `found.rows`, and what is not proven to `found.unproven`."""
    mistakes = list(planted(programs, options.codes, per_program=options.per_program, seed=options.seed))
    shown, numbers = shown_of(options, request=options.with_request), Counter[tuple[str, str]]()
    for one, right, result in zip(_bar(mistakes, "broken programs"), *_tried(mistakes, pool), strict=True):
        found.planted[one.code] += 1
        if reason := planted_problem(one, right, result):
            found.unproven[one.code, reason] += 1
            continue
        numbers[one.source.name, one.code] += 1
        found.rows.append(planted_row(one, numbers[one.source.name, one.code], result, shown))


def _tried(mistakes: Sequence[Planted], pool: SandboxPool) -> tuple[Iterator[Tried], Iterator[Tried]]:
    """What the sandbox says of the right answers, which it may know already, and of the broken programs."""
    right = in_order(mistakes, lambda one: try_program(one.pair.right, one.source.gold, pool), pool.jobs)
    return right, in_order(mistakes, lambda one: try_program(one.pair.broken, {}, pool), pool.jobs)


def _bar(items: Sequence[Any], what: str) -> Any:
    return tqdm(items, desc=what, unit="", disable=None)


def _codes(text: str) -> tuple[str, ...]:
    """Error codes, separated by commas."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if unknown := [name for name in names if name not in CODES]:
        near = difflib.get_close_matches(unknown[0], CODES, n=1, cutoff=0.0)[0]
        raise argparse.ArgumentTypeError(f"no mistake of {unknown[0]!r} is known; the nearest is {near}")
    return names


def at_least_1(text: str) -> int:
    """A whole number of an argument. Raises: argparse.ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}: give 1 or more")
    return int(text)
