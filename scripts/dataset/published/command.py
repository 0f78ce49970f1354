"""Turn the published data set into tasks: prompts get the signature that their tests call, programs are tried.

Usage:
    python scripts/make_dataset.py published FILE [FILE...] --out FILE [--keep-failing] [--no-check] [--limit N]
                                             [--jobs N] [--split NAME]

FILE is a .parquet or .jsonl file or hf:NAME with the columns `rust_prompt`, `rust_code` and `rust_test_list`. Written
are its rows with the columns `signature`, `types` and `prompt`, which shows both; `rust_prompt` stays without.
`data.show_signature` chooses between the two. Left out are rows whose fields hold no text, rows without a signature,
and those whose own code fails its own tests in the sandbox; beside FILE, FILE.manifest.json says which and why.
Verdicts are kept in ~/.cache/grpo-rust: a command that was stopped goes on where it was when it is given again.
Exit codes: 0 done, 1 no row came through, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py published cargo_test_passed_train.parquet --out build/published_train.parquet
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from dataset.published.checking import check_rows
from dataset.published.extracting import NoSignature, asserts_of, signature_of
from dataset.published.record import Publication, manifest, table
from dataset.published.row_reading import read_published
from dataset.saving import add_output_options, check_output, companion, describe_saved, save, save_manifest
from dataset.selecting.options import add_selection_options, select
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo_rust.cli import ExitCode, command
from rewards.gold.rows import gold_kind
from rewards.signature.wording import with_signature
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]


@command("make_dataset published", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Extract, check, write; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    check_output(options)
    read = read_published(read_sources(options, columns=None), ", ".join(options.sources))
    selection = select(read.rows, options)
    if read.malformed:
        malformed = {"left out: no task can be made of them": len(read.malformed)}
        selection.counts = {**selection.counts, "rows read": read.num_rows, **malformed}
    selection.write_pairs(companion(options.out, "contamination.jsonl"))
    rows = selection.rows
    found = Publication(num_rows=len(rows) + len(read.malformed), malformed=read.malformed)
    signed = _signed(rows, found)
    toolchain = "" if options.no_check else _check(signed, found, options.jobs or os.cpu_count() or 1)
    print("\n".join([*selection.describe(), table(found, checked=not options.no_check)]))
    kept = {str(row["task_id"]): row for row in signed} if options.keep_failing else {}
    good = [row for row in signed if str(row["task_id"]) not in found.failing]
    found.kinds = Counter(str(gold_kind({"rust_test_list": row["rust_test_list"]})) for row in good)
    found.rows = [_marked(row, kept, found) for row in rows] if options.keep_failing else good
    if not good:
        return ExitCode.CHECK_FAILED
    files = save(found.rows, options)
    line = f"python scripts/make_dataset.py published {shlex.join(words)}"
    record = manifest(
        found, files, command=line, sources=options.sources, toolchain=toolchain, checked=not options.no_check
    )
    record |= {"rows_read": read.num_rows, "selection": selection.manifest()}
    written = save_manifest(record, options.out)
    print(describe_saved(files, len(found.rows), "rows", written))
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("published", __doc__)
    add_source_options(parser, "the published columns")
    add_output_options(parser)
    parser.add_argument(
        "--keep-failing", action="store_true", help="write all rows of text; the column problem says what fails"
    )
    parser.add_argument("--no-check", action="store_true", help="do not run the programs with their tests")
    add_selection_options(parser)
    return parser


def _signed(rows: Sequence[Mapping[str, Any]], found: Publication) -> list[dict[str, Any]]:
    """The rows that have a signature, with it; the others go to `found.unsigned`."""
    signed = []
    for row in tqdm(rows, desc="signatures", unit="", disable=None):
        try:
            one = signature_of(str(row["rust_code"]), asserts_of(row))
        except NoSignature as error:
            found.unsigned[row["task_id"]] = str(error)
            continue
        prompt = with_signature(str(row["rust_prompt"]).strip(), one.text, one.types)
        signed.append({**row, "prompt": prompt, "signature": one.text, "types": one.types})
    return signed


def _check(signed: Sequence[Mapping[str, Any]], found: Publication, jobs: int) -> str:
    """Run the programs with their tests; those that fail go to `found.failing`. Returns: the toolchain's version."""
    with SandboxPool(jobs, keep=True) as pool:
        results = tqdm(check_rows(signed, pool), total=len(signed), desc="programs", unit="", disable=None)
        for row, (reason, details) in zip(signed, results, strict=True):
            if reason:
                found.failing[row["task_id"]] = (reason, details)
        return str(pool.toolchain.version)


def _marked(row: Mapping[str, Any], signed: Mapping[str, Mapping[str, Any]], found: Publication) -> dict[str, Any]:
    """A row with the column `problem`, "" where it has none; without a signature its prompt is as published."""
    name = row["task_id"]
    unsigned = {**row, "prompt": row["rust_prompt"], "signature": "", "types": ""}
    problem = found.unsigned.get(name) or found.failing.get(name, ("", ""))[0]
    return {**signed.get(name, unsigned), "problem": problem}
