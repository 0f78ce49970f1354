"""Make repair tasks of the failed completions of a run: a program, and what the compiler or its gold tests said of it.

Usage:
    python scripts/make_repair_tasks.py RUN --out FILE or FOLDER [--gold-only] [--per-prompt N]
                                        [--as terminal|short|json] [--data SOURCE] [--jobs N]

RUN is a run's directory with its completions.jsonl; gold tests come from its `data.train`, or from --data where that
has moved. Every program is graded again: kept are those that do not build, and those that build and fail their gold
tests. Where there are gold tests, the completion's own are taken out of the program, as a repair is judged by the
former. Completions of evaluations are never read. The table that is printed has the rows of each error code;
FILE.manifest.json says what was left out and why.
Exit codes: 0 done, 1 no completion failed in a way that can be repaired, 2 bad input, 3 the host failed.

Example:
    python scripts/make_repair_tasks.py runs/first --out runs/repair.jsonl --gold-only
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from dataset.repairing.attempts import attempt_problem, attempt_row, read_attempts, read_completions
from dataset.repairing.command import add_shown_options, at_least_1, shown_of, write
from dataset.repairing.counts import Repairs
from dataset.repairing.proving import in_order, try_program
from dataset.saving import add_output_options, check_output
from grpo.run.directory import CONFIG
from grpo_rust.cli import command
from grpo_rust.compose.prompts import read_rewarded_sources
from grpo_rust.recipe import load_recipe
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

COMPLETIONS = "completions.jsonl"


@command("make_repair_tasks", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Read, grade again, write; the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    options = parser().parse_args(words)
    options.sources = [str(options.run / COMPLETIONS)]
    check_output(options)
    overrides = [f"data.train={options.data}"] if options.data else []
    sources = read_rewarded_sources(load_recipe(options.run / CONFIG, overrides))
    records = list(read_completions(options.run / COMPLETIONS))
    found = Repairs(num_read=len(records))
    rows = {example.id: example.columns for examples in sources.values() for example in examples}
    attempts = list(read_attempts(records, rows, found.skipped, longest=options.longest))
    shown, kept = shown_of(options, request=True), Counter[str]()
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        tried = in_order(attempts, lambda one: try_program(one.code, one.gold, pool), pool.jobs)
        for one, result in zip(tqdm(attempts, desc="programs", unit="", disable=None), tried, strict=True):
            reason = attempt_problem(one, result, gold_only=options.gold_only)
            reason = reason or "more of its prompt than asked for" * (kept[one.prompt] >= options.per_prompt)
            if reason:
                found.skipped[reason] += 1
            else:
                kept[one.prompt] += 1
                found.rows.append(attempt_row(one, result, shown))
        toolchain = str(pool.toolchain.version)
    line = f"python scripts/make_repair_tasks.py {shlex.join(words)}"
    return write(found, options, command=line, toolchain=toolchain)


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("run", type=Path, metavar="RUN")
    add_output_options(found)
    found.add_argument(
        "--per-prompt", type=at_least_1, default=sys.maxsize, metavar="N", help="of each prompt at most; default: all"
    )
    found.add_argument("--data", default="", metavar="SOURCE", help="the run's data.train, where it has moved")
    found.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once; 0: one a core")
    add_shown_options(found)
    return found


if __name__ == "__main__":
    sys.exit(main())
