"""Cut parts out of programs, as tasks of filling in the middle; every row is tried in the sandbox.

Usage:
    python scripts/make_dataset.py infill SOURCE [SOURCE...] --out FILE or FOLDER [--spans KIND,KIND...]
                                          [--per-program N] [--seed N] [--no-request] [--limit N] [--jobs N]

SOURCE is a .jsonl or .parquet file or hf:NAME, with a program in the column `reference` or `rust_code` and with gold
tests. Written are rows of the task infill: `prefix`, `middle`, `suffix`, what the middle is (`span`), the gold tests,
and the `program_id`. What was asked for stands above the program as a comment. A row is left out where the program
fails its gold tests, or passes them with an empty middle or with todo!(); FILE.manifest.json counts why. In a folder,
all rows of a program go to one split. Verdicts are kept in ~/.cache/grpo-rust: a command that was stopped goes on where
it was when it is given again.
Exit codes: 0 done, 1 no row came through, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py infill assets/tasks/train.jsonl --out build/infill.jsonl --spans expression,statement
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dataset.infilling.proving import gap_rows, proven
from dataset.infilling.spans import KINDS
from dataset.making import counted, made_with
from dataset.saving import add_output_options, check_output, describe_saved, save, save_manifest
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]


@command("make_dataset infill", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Cut, prove, write; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    kinds = _kinds(options)
    check_output(options)
    rows, reasons, num_tried = [], Counter[str](), 0
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        found = gap_rows(
            read_sources(options, columns=None),
            kinds,
            per_program=options.per_program,
            seed=options.seed,
            with_request=options.request,
        )
        for one, problem in tqdm(proven(found, pool), desc="parts", unit="", disable=None):
            num_tried += 1
            reasons.update([problem] if problem else [])
            rows.extend([] if problem else [one.row])
        toolchain = str(pool.toolchain.version)
    spans = Counter(str(row["span"]) for row in rows)
    lines = [
        (str(len(rows)), f"of {num_tried} parts are proven rows"),
        *_lines(spans, ""),
        *_lines(reasons, "left out: "),
    ]
    print(counted(lines))
    if not rows:
        return ExitCode.CHECK_FAILED
    files = save(rows, options, name=lambda row: str(row["program_id"]))
    line = f"python scripts/make_dataset.py infill {shlex.join(words)}"
    record = _manifest(rows, files, line, options) | {"toolchain": toolchain, "skipped": dict(reasons.most_common())}
    print(describe_saved(files, len(rows), "rows", save_manifest(record | {"parts_tried": num_tried}, options.out)))
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("infill", __doc__)
    add_source_options(parser, "programs and gold tests")
    add_output_options(parser)
    parser.add_argument(
        "--spans", default=",".join(KINDS), metavar="KIND,KIND...", help="what is cut out (default: %(default)s)"
    )
    parser.add_argument("--per-program", type=int, default=3, metavar="N", help="parts of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default: %(default)s)")
    parser.add_argument(
        "--request",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put what was asked for above the program, as a comment",
    )
    return parser


def _kinds(options: argparse.Namespace) -> list[str]:
    """The kinds that --spans names. Raises: BadInput."""
    kinds = list(dict.fromkeys(filter(None, options.spans.split(","))))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise BadInput(f"--spans {unknown[0]}: no such kind; there are {', '.join(KINDS)}")
    if not kinds or options.per_program < 1:
        raise BadInput("--spans and --per-program: give at least one kind, and at least one part of each program")
    return kinds


def _lines(counts: Counter[str], before: str) -> list[tuple[str, str]]:
    return [(str(count), f"{before}{name}") for name, count in counts.most_common()]


def _manifest(
    rows: Sequence[Mapping[str, Any]], files: Mapping[Path, int], line: str, options: argparse.Namespace
) -> dict[str, Any]:
    """What was written, and how it was made."""
    return {
        "made_by": line,
        **made_with(files, options.sources),
        "columns": list(dict.fromkeys(column for row in rows for column in row)),
        "programs": len({row["program_id"] for row in rows}),
        "rows_written": sum(files.values()),
        "left_over_as_their_split_is_full": len(rows) - sum(files.values()),
        "spans": dict(Counter(row["span"] for row in rows).most_common()),
    }
