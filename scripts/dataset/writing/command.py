"""Have a large model write Rust tasks, code and tests from Python tasks, and keep what passes.

Usage:
    python scripts/make_dataset.py write SOURCE [SOURCE...] --base-url URL --model NAME --out FOLDER
        [--split-sizes 15000 1000 500] [--limit N] [--at-once N] [--usd-per-million-in X] [--usd-per-million-out X] ...

SOURCE is a .jsonl, .jsonl.gz, .json or .parquet file or hf:NAME, with a column `question`, `text` or `prompt`; asserts
in `test_cases` or `test_list` are shown to the model. URL is any server with OpenAI's `chat/completions`. FOLDER gets
train.parquet, eval.parquet, test.parquet, manifest.json, README.md and journal.jsonl, in which every answer is before
it is used: after a stop of any kind, the same command goes on and pays for nothing twice.
Exit codes: 0 done, 1 nothing passed, 2 bad input or a refused request, 3 the host or the API failed, 130 interrupted.

Example:
    python scripts/make_dataset.py write acecode.parquet --base-url http://127.0.0.1:8000/v1 \\
        --model Qwen/Qwen2.5-Coder-32B-Instruct --out runs/rust-tasks --at-once 64
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataset.saving import ENDINGS, check_folder, companion, save_manifest
from dataset.selecting.options import Selection, add_selection_options, select
from dataset.splits import SIZES, check_sizes, divide
from dataset.verbs import add_source_options, read_sources, verb_parser
from dataset.writing.card import data_set_card
from dataset.writing.passes import instruction_hashes
from dataset.writing.record import Outcomes, manifest, table, write_splits
from dataset.writing.running import write_all
from dataset.writing.source_prompts import SourcePrompt, digest, source_prompts
from durable.write_whole import write_whole
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from remote_api.asking import Prices, Questioner
from remote_api.endpoint import Endpoint
from remote_api.journal import Journal
from remote_api.options import ApiOptions, add_api_flags, api_options
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

JOURNAL = "journal.jsonl"
COMPARED = ("model", "body", "instructions")  # the address may change: a server that is started anew may have another


@command("make_dataset write", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Ask, grade, split, write; the exit code."""
    options = _parser().parse_args(argv)
    _check(options)
    api = api_options(options, needed=True)
    prompts, chosen, selection = chosen_prompts(options)
    check_folder(options.out)
    header = {
        "model": options.model,
        "base_url": api.base_url,
        "body": _body(options, api.body),
        "instructions": instruction_hashes(),
        "begun": _now(),
    }
    path = options.out / JOURNAL
    with (
        Journal(path, header, ("task_id", "pass", "asked"), _differences) as journal,
        SandboxPool(options.jobs, keep=True) as pool,  # verdicts are kept: a session that goes on grades nothing again
    ):
        outcomes = _outcomes(options, api, prompts, chosen, journal, pool)
        selection.write_pairs(
            companion(options.out, "contamination.jsonl")
        )  # not before the journal, which makes the folder one to go on with
        more = {"selection": selection.manifest(), "rust": str(pool.toolchain.version)}
        return _write(options, api, outcomes, journal, more, argv)


def chosen_prompts(options: argparse.Namespace) -> tuple[list[SourcePrompt], dict[str, int], Selection]:
    """The prompts to ask about, how many rows there were at each step of choosing them, and that choice."""
    selection = select(read_sources(options), options)
    prompts, skipped = source_prompts(selection.rows)
    counts = selection.counts | {f"rows left out: {reason}": count for reason, count in skipped.items()}
    return prompts, counts, selection


def _outcomes(
    options: argparse.Namespace,
    api: ApiOptions,
    prompts: Sequence[SourcePrompt],
    chosen: Mapping[str, int],
    journal: Journal,
    pool: SandboxPool,
) -> Outcomes:
    """Ask and grade; says on stderr what a session that ends early leaves behind."""
    endpoint = Endpoint(api.base_url, options.model, api.key, api.timeout_s, api.retries)
    prices = Prices(api.usd_in, api.usd_out)
    questioner = Questioner(endpoint, journal, journal.header["body"], prices, keep_raw=False)
    try:
        found = write_all(prompts, questioner, pool, at_once=api.at_once, min_asserts=options.min_asserts)
    except BaseException:
        kept = len(journal.answers)
        print(f"{journal.path} keeps {kept} answers: the same command goes on from there", file=sys.stderr)
        raise
    drafts = [draft for draft, _ in (one for one in found.values() if isinstance(one, tuple))]
    splits, surplus = divide(drafts, options.split_sizes, name=lambda draft: draft.task_id)
    return Outcomes(chosen, digest(prompts), found, splits, surplus)


def _write(
    options: argparse.Namespace,
    api: ApiOptions,
    outcomes: Outcomes,
    journal: Journal,
    about: Mapping[str, Any],
    argv: Sequence[str] | None,
) -> int:
    """Write the data set, or nothing but its manifest where nothing passed; the exit code."""
    files = write_splits(outcomes.splits, options.out)
    words = sys.argv[1:] if argv is None else argv
    more = {
        "made_by": f"python scripts/make_dataset.py write {shlex.join(words)}",
        "sources": options.sources,
        "sizes": options.split_sizes,
        "finished": _now(),
        **about,
    }
    found = manifest(outcomes, files, journal, Prices(api.usd_in, api.usd_out), more)
    save_manifest(found, options.out)
    print(table(outcomes))
    card_file = options.out / "README.md"
    if not files:
        card_file.unlink(missing_ok=True)  # of an earlier session, whose rows are gone
        return ExitCode.CHECK_FAILED
    card = data_set_card(options.out.resolve().name, options.license, {**found, "made_from": options.sources})
    write_whole(card_file, card)
    print(f"{options.out}: {', '.join(path.name for path in files)}; manifest.json says what was left out")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("write", __doc__)
    add_source_options(parser, "tasks in Python")
    parser.add_argument("--model", required=True, metavar="NAME", help="that the server knows the model by")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="new, or one to go on with")
    parser.add_argument(
        "--split-sizes", type=int, nargs=3, default=SIZES, metavar=("TRAIN", "EVAL", "TEST"),
        help="rows of each file at most; with fewer rows in all, their proportions",
    )  # fmt: skip
    parser.add_argument("--min-asserts", type=int, default=3, metavar="N", help="distinct ones that a row must have")
    # those of the published evaluation; what the published data was written with is not known here
    parser.add_argument("--temperature", type=float, default=0.2, metavar="X", help="of every request")
    parser.add_argument("--top-p", type=float, default=0.9, metavar="X", help="of every request")
    parser.add_argument("--max-tokens", type=int, default=2048, metavar="N", help="of every answer")
    parser.add_argument("--license", default="other", metavar="NAME", help="of the data set, as the hub names it")
    add_selection_options(parser)
    add_api_flags(parser, "the API")
    return parser


def _check(options: argparse.Namespace) -> None:
    """Raises: BadInput."""
    if min(options.min_asserts, options.max_tokens) < 1:
        raise BadInput("--min-asserts and --max-tokens are 1 or more")
    check_sizes(options.split_sizes)
    if not re.fullmatch(r"[a-z0-9.-]+", options.license):
        raise BadInput(f"--license {options.license}: give the hub's name of a licence, as cc-by-4.0 or other")
    if options.out.suffix in ENDINGS or (options.out.exists() and not options.out.is_dir()):
        raise BadInput(f"--out {options.out} is a file: give a folder")
    if options.out.exists() and any(options.out.iterdir()) and not (options.out / JOURNAL).exists():
        raise BadInput(f"--out {options.out} has files and no {JOURNAL}: give a new folder, or one to go on with")


def _body(options: argparse.Namespace, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of every request; a None of --body leaves one out."""
    body = {"temperature": options.temperature, "top_p": options.top_p, "max_tokens": options.max_tokens, **extra}
    return {name: value for name, value in body.items() if value is not None}


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What two sessions ask differently."""
    return [f"{name}: {before[name]} and {now[name]}" for name in COMPARED if before[name] != now[name]]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
