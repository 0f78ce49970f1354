"""Make tasks of changing a program by a patch: a request or a failing test. All are tried in the sandbox.

Usage:
    python scripts/make_dataset.py patch SOURCE [SOURCE...] --out FILE or FOLDER [--format diff|search_replace|both]
                                         [--completions] [--seed N] [--limit N] [--jobs N] [--split NAME]

SOURCE is a .jsonl or .parquet file or hf:NAME, with a right program in the column `reference` or `rust_code` and with
gold tests that are asserts: a mistake is planted in each program, and a test that fails with it is shown as a terminal
shows it. Or SOURCE is family:train or family:eval: programs of the quickstart's family, with mistakes, with requests
for another result, and with requests for a further function; give --limit then. Written are rows of the task patch, one
for a program: the program to change, the request, the right program, and gold tests, of which the first `kept` pass
before the change. A row is left out unless the right program passes all of them and the given one exactly those;
FILE.manifest.json counts why. `--completions` adds the right answer, for scripts/sft.py. Verdicts are kept in
~/.cache/grpo-rust: a command that was stopped goes on where it was when it is given again. Exit codes: 0 done, 1 no row
came through, 2 bad input, 3 the host failed.

Example:
    python scripts/make_dataset.py patch family:train --limit 100 --out build/patch.jsonl --completions
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from tqdm import tqdm

from dataset.making import counted, made_with
from dataset.patching.drafts import PatchDraft
from dataset.patching.family_drafts import family_drafts
from dataset.patching.proving import proven
from dataset.patching.row_drafts import row_drafts
from dataset.saving import add_output_options, check_output, describe_saved, save, save_manifest
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from rewards.tasks.patch import FORMATS, right_answer
from sandbox.workers.pool import SandboxPool
from tiny.catalogue import SPLITS

__all__ = ["main"]

FAMILY = "family:"


@command("make_dataset patch", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """PatchDraft, prove, write; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    drafts = _drafts(options)
    check_output(options)
    rows, reasons = [], Counter[str]()
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        found = proven(drafts, pool, format=options.format, seed=options.seed)
        for one in tqdm(found, total=options.limit or None, desc="patches", unit="", disable=None):
            if isinstance(one, str):
                reasons[one] += 1
            else:
                rows.append({**one, "completion": right_answer(one)} if options.completions else one)
        toolchain = str(pool.toolchain.version)
    num_tried = len(rows) + reasons.total()
    lines = [(str(len(rows)), f"of {num_tried} programs are proven rows")]
    print(counted([*lines, *((str(count), f"left out: {reason}") for reason, count in reasons.most_common())]))
    if not rows:
        return ExitCode.CHECK_FAILED
    files = save(rows, options)
    record = {
        "made_by": f"python scripts/make_dataset.py patch {shlex.join(words)}",
        **made_with(files, options.sources),
        "toolchain": toolchain,
        "columns": list(rows[0]),
        "programs_tried": num_tried,
        "rows_written": sum(files.values()),
        "left_over_as_their_split_is_full": len(rows) - sum(files.values()),
        "kinds": dict(Counter(row["kind"] for row in rows).most_common()),
        "formats": dict(Counter(row["format"] for row in rows).most_common()),
        "skipped": dict(reasons.most_common()),
    }
    print(describe_saved(files, len(rows), "rows", save_manifest(record, options.out)))
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("patch", __doc__)
    add_source_options(parser, "right programs and gold tests, or family:SPLIT")
    add_output_options(parser)
    parser.add_argument("--format", choices=(*FORMATS, "both"), default="diff", help="of the answers (default: diff)")
    parser.add_argument("--completions", action="store_true", help="add the right answers as the column completion")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default: %(default)s)")
    return parser


def _drafts(options: argparse.Namespace) -> Iterator[PatchDraft | str]:
    """The drafts of the sources. Raises: BadInput."""
    families = [source for source in options.sources if source.startswith(FAMILY)]
    if not families:
        return row_drafts(read_sources(options, columns=None), seed=options.seed)
    split = families[0].removeprefix(FAMILY)
    if len(options.sources) > 1 or split not in SPLITS or not options.limit:
        known = ", ".join(f"{FAMILY}{name}" for name in SPLITS)
        raise BadInput(f"{families[0]}: give one of {known}, without another source, and --limit N for how many")
    return islice(family_drafts(split, seed=options.seed), options.limit)
