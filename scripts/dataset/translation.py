"""Translate Python tasks with asserts into Rust tasks with a signature and gold cases, without a model.

Usage:
    python scripts/make_dataset.py translate SOURCE [SOURCE...] --out FILE [--split NAME] [--limit N] [--jobs N]

SOURCE is a .jsonl, .jsonl.gz, .json or .parquet file or hf:NAME, with the columns of MBPP, HumanEval or AceCode, or
with `prompt` and `test_list`. The references in it are run, in processes with limits on time and memory that refuse to
write files, start programs and open sockets. That keeps accidents away and no attacker: use data that you trust. FILE
ends in .jsonl or .parquet; beside it, FILE.manifest.json says what was left out and why.
Exit codes: 0 done, 1 nothing could be translated, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py translate mbpp.jsonl --out build/mbpp.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

from tqdm import tqdm

from dataset.compiling import compile_problems
from dataset.making import gather, manifest, table, translate_rows
from dataset.rows import write_tasks
from dataset.sources import read_rows
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

ENDINGS = (".jsonl", ".parquet")
UNCOMPILED = "a signature or a call that does not compile"


@command("make_dataset translate")
def main(argv: Sequence[str] | None = None) -> int:
    """Translate, check, write; the exit code."""
    parser = argparse.ArgumentParser(
        prog="make_dataset.py translate", description=(__doc__ or "").partition("\n")[0], epilog=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="files, or hf:NAME, with tasks in Python")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="what to write: .jsonl or .parquet")
    parser.add_argument("--split", default="train", metavar="NAME", help="of hf:NAME")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="read the first N rows; 0: all")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once; 0: one a core")
    parser.add_argument("--no-compile", action="store_true", help="do not check that signatures and calls compile")
    options = parser.parse_args(argv)
    if options.out.suffix not in ENDINGS:
        raise BadInput(f"--out {options.out}: give a file that ends in {' or '.join(ENDINGS)}")
    if options.limit < 0 or options.jobs < 0:
        parser.error("--limit and --jobs: give 0 or more")
    jobs = options.jobs or os.cpu_count() or 1
    rows = islice(chain.from_iterable(read_rows(one, options.split) for one in options.sources), options.limit or None)
    made = gather(tqdm(translate_rows(rows, jobs=jobs), desc="tasks", unit="", disable=None))
    if made.tasks and not options.no_compile:
        with SandboxPool(jobs) as pool:
            problems = compile_problems(made.tasks, pool)
        made.skipped |= dict.fromkeys(problems, UNCOMPILED)
        made.tasks = [task for task in made.tasks if task.task_id not in problems]
    print(table(made))
    if not made.tasks:
        return ExitCode.CHECK_FAILED
    write_tasks(made.tasks, options.out)
    line = f"python scripts/make_dataset.py translate {' '.join(options.sources)} --out {options.out}"
    line += f" --split {options.split}" * (options.split != "train") + f" --limit {options.limit}" * (options.limit > 0)
    found = manifest(made, options.out, command=line, sources=options.sources)
    written = options.out.with_name(f"{options.out.name}.manifest.json")
    written.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(made.tasks)} tasks; {written.name} says what was left out")
    return ExitCode.DONE
