"""Make tasks that ask for the next edit of a change: programs with gold tests are changed, edit by edit.

Usage:
    python scripts/make_dataset.py next-edit [SOURCE...] --out NAME [--train N] [--eval N] [--own SHARE] [--longest N]
                                             [--seed N] [--split NAME] [--limit N] [--jobs N]

SOURCE is a file or hf:NAME whose rows have a program (`reference` or `rust_code`) and gold tests; without one, all
programs are the maker's own. A change renames a parameter, changes a number type, adds a field to a struct, or adds a
variant to an enum, with all that follows from it; each kind gets a quarter of the rows. Written are NAME-train.jsonl,
NAME-eval.jsonl, which shares no program with it, and NAME-manifest.json. Every row is proven in the sandbox: the
finished program passes its gold tests, and does not where any part of what is still to be edited is left undone.
Verdicts are kept in ~/.cache/grpo-rust: a command that was stopped goes on where it was when it is given again.
The same sources, counts and seed give the same bytes. Exit codes: 0 done, 1 nothing came of it, 2 bad input, 3 the host
failed.

Example:
    python scripts/make_dataset.py next-edit assets/tasks/train.jsonl --out build/next_edit --train 200 --eval 20
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dataset.making import counted, made_with
from dataset.next_edits.drawing import WantedRows, candidates, programs_of
from dataset.next_edits.kinds import KINDS
from dataset.next_edits.proving import prove
from dataset.rows import write_rows
from dataset.saving import check_folder
from dataset.verbs import add_source_options, read_sources, verb_parser
from durable.write_whole import write_whole
from grpo_rust.cli import ExitCode, command
from sandbox.workers.pool import SandboxPool

__all__ = ["main"]

COUNTS = {"train": 800, "eval": 80}  # rows


@dataclass
class _Proven:
    """The rows of each file, and why others were left out."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {split: [] for split in COUNTS})
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind and reason


@command("make_dataset next-edit", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Change programs, prove the rows, write them; the exit code."""
    words = list(argv or ())
    options = _options(words)
    check_folder(options.out.parent)
    sources = programs_of(list(read_sources(options, columns=None)))
    found = _Proven()
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        for wanted in _wanted(options):
            rows = candidates(sources, wanted, own=options.own, seed=options.seed)
            _collect(prove(rows, pool, longest=options.longest), wanted, found)
        toolchain = str(pool.toolchain.version)
    print(_table(found))
    if not found.rows["train"]:
        return ExitCode.CHECK_FAILED
    files = _write(found, options.out)
    record = _manifest(found, files, words=words, sources=options.sources, toolchain=toolchain)
    write_whole(_beside(options.out, "manifest.json"), json.dumps(record, indent=2) + "\n")
    print(", ".join(f"{path}: {rows} rows" for path, rows in files.items()))
    return ExitCode.DONE


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = verb_parser("next-edit", __doc__)
    add_source_options(parser, "programs and gold tests", number="*")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="NAME", help="of the files, without what they end in"
    )
    for split, number in COUNTS.items():
        text = "rows at most, a quarter of each kind (default: %(default)s)"
        parser.add_argument(f"--{split}", type=int, default=number, metavar="N", help=text)
    text = "of programs that are the maker's own, as long as there are others (default: %(default)s)"
    parser.add_argument("--own", type=float, default=0.5, metavar="SHARE", help=text)
    text = "characters of a prompt at most (default: any number)"
    parser.add_argument("--longest", type=int, default=0, metavar="N", help=text)
    parser.add_argument("--seed", type=int, default=0, help="decides everything that is drawn")
    options = parser.parse_args(words)
    if options.train < len(KINDS) or options.eval < 0:
        parser.error(f"--train {options.train} --eval {options.eval}: give at least {len(KINDS)} and 0")
    if not 0 <= options.own <= 1:
        parser.error(f"--own {options.own}: give a share from 0 to 1")
    if not options.sources and not options.own:
        parser.error("--own 0 leaves no program without a SOURCE: name one")
    return options


def _wanted(options: argparse.Namespace) -> list[WantedRows]:
    """What the files are to hold, kind by kind."""
    sizes = (options.train, options.eval, 0)
    numbers = {"train": options.train // len(KINDS), "eval": options.eval // len(KINDS)}
    return [WantedRows(kind, split, sizes, rows) for split, rows in numbers.items() if rows for kind in KINDS]


def _collect(proven: Iterable[tuple[dict[str, Any], str]], wanted: WantedRows, found: _Proven) -> None:
    """Take rows that are right until there are as many as are wanted."""
    kept: list[dict[str, Any]] = []
    with tqdm(total=wanted.rows, desc=f"{wanted.split}, {wanted.kind}", unit="", disable=None) as bar:
        for row, reason in proven:
            if reason:
                found.reasons[wanted.kind, reason] += 1
                continue
            kept.append(row)
            bar.update()
            if len(kept) == wanted.rows:
                break
    found.rows[wanted.split] += kept


def _table(found: _Proven) -> str:
    """The counts, for people."""
    kinds = Counter((split, row["kind"]) for split, rows in found.rows.items() for row in rows)
    lines = [(str(number), f"{split}: {kind}") for (split, kind), number in kinds.items()]
    lines += [(str(number), f"left out: {kind}: {reason}") for (kind, reason), number in found.reasons.most_common()]
    return counted(lines or [("0", "rows")])


def _write(found: _Proven, out: Path) -> dict[Path, int]:
    """Write the files that have rows; how many each has. Those of an earlier time that have none are removed."""
    files = {}
    for split, rows in found.rows.items():
        path = _beside(out, f"{split}.jsonl")
        if rows:
            write_rows(rows, path)
            files[path] = len(rows)
        else:
            path.unlink(missing_ok=True)
    return files


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.name}-{ending}")


def _manifest(
    found: _Proven, files: Mapping[Path, int], *, words: Sequence[str], sources: Sequence[str], toolchain: str
) -> dict[str, Any]:
    """What was written, and how it was made."""
    reasons = found.reasons.most_common()
    return {
        "made_by": f"python scripts/make_dataset.py next-edit {shlex.join(words)}",
        **made_with(files, sources),
        "toolchain": toolchain,
        "columns": list(dict.fromkeys(column for rows in found.rows.values() for row in rows for column in row)),
        "rows_of_kinds": {split: Counter(row["kind"] for row in rows) for split, rows in found.rows.items()},
        "changes": {
            split: len({row["task_id"].rpartition("-")[0] for row in rows}) for split, rows in found.rows.items()
        },
        "not_proven": [{"kind": kind, "reason": reason, "rows": rows} for (kind, reason), rows in reasons],
    }
