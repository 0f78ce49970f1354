"""Give the rows of a data set test suites of a model's own completions, which judge every group in training.

Usage:
    python scripts/make_dataset.py suites SOURCE --completions FILE.jsonl --out FILE [--judged-only] [--most N] ...

The completions are those that the model wrote for the rows before its training, graded: what scripts/eval_model.py
writes. Of the completions to a prompt that build, those take part that have a function which the prompt names, all if
none has. The codes of the first 16 are run on each other's tests, and a suite is kept where it is probably right, given
all results (`rewards.matrix.calibrated`, with no gold test). Two completions that agree, with nobody against them, are
just enough for the default `--least 0.9`, also where one is a copy of the other; at 0.95 it takes three. The column
`suites` has the programs of these suites, those that some code fails first; a row without any has an empty list, or is
left out (`--judged-only`). Where gold results are in the file, it is said what the kept suites make of the same right
and wrong codes.
Exit codes: 0 done, 1 no suite was kept, 2 bad input, 3 the host failed.

Example:
    python scripts/eval_model.py assets/tiny-rust data.eval=build/train.jsonl eval.prompts=3000 eval.samples=8 \\
        --out build/start.jsonl
    python scripts/make_dataset.py suites build/train.jsonl --completions build/start.jsonl --judged-only \\
        --out build/judged.jsonl
    python scripts/train.py data.train=build/judged.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from dataset.rows import write_rows
from dataset.saving import ENDINGS, check_output, save_manifest
from dataset.splits import SIZES
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo.errors import BadInput, HostFailed
from grpo_rust.cli import ExitCode, command
from rewards.cross.calibrate_file import Group, PromptGroup, read_groups
from rewards.cross.members import GroupMember
from rewards.cross.plan import plan
from rewards.cross.row_suites import SUITES
from rewards.cross.submit import GroupCrossing
from rewards.matrix.calibrated import MAX_CODES, Calibration, posterior
from rewards.matrix.pass_matrix import PassMatrix
from rewards.signature.wording import code_words
from sandbox.terminal import counted
from sandbox.verdict import Outcome
from sandbox.workers.pool import SandboxPool

__all__ = ["Kept", "chosen_suites", "main"]

AHEAD = 16  # groups that wait for a sandbox
PROMPTS = ("prompt", "rust_prompt")  # columns


class Kept(NamedTuple):
    """The suites of a prompt, and what its codes make of them.

    `right` and `wrong` are how many pairs of a kept suite and a code that gold tests call so are known, and in how many
    of them the code passes.
    """

    programs: tuple[str, ...]
    right: tuple[int, int] = (0, 0)
    wrong: tuple[int, int] = (0, 0)


@command("make_dataset suites", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Choose suites and write the rows with them; the exit code."""
    words = list(argv or ())
    options = _parser().parse_args(words)
    _check_out(options)
    rows = _rows(options)
    groups = _groups(options.completions, rows)
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        kept = dict(_kept(groups, pool, options))
        toolchain = str(pool.toolchain.version)
    nothing = Kept(())
    judged = [{**row, SUITES: list(kept.get(name, nothing).programs)} for name, row in rows.items()]
    judged = [row for row in judged if row[SUITES] or not options.judged_only]
    found = {
        "rows": len(judged),
        "suites": sum(len(row[SUITES]) for row in judged),
        "rows_without": len(rows) - sum(bool(row[SUITES]) for row in judged),
        "where_gold_is_known": _told(kept),
    }
    print(f"{found['suites']} suites kept; {found['rows_without']} of {len(rows)} rows have none; {_told(kept)}")
    if not found["suites"]:
        return ExitCode.CHECK_FAILED
    write_rows(judged, options.out)
    made_by = f"python scripts/make_dataset.py suites {shlex.join(words)}"
    manifest = save_manifest({"made_by": made_by, "toolchain": toolchain, **found}, options.out)
    print(f"{options.out}: {counted(len(judged), 'row')}; {manifest.name} has the figures")
    return ExitCode.DONE


def chosen_suites(matrix: PassMatrix, *, most: int, least: float) -> list[int]:
    """The suites of a group to keep, equal ones once: first those that tell codes apart, then the most probable ones.

    Every completion counts, copies of a text as well: nobody is paid here for being sampled often, and what a model
    writes most is right more often than not.

    Args:
        matrix: What the codes of the group make of its suites, of at most 16 completions.
        most: How many to keep.
        least: The smallest probability to be right; what the suite's author makes of it does not count.

    >>> passes = np.array([[1, 1, 0, 1]] * 3 + [[0, 1, 1, 1]])  # the code 3 wrote the suite 2
    >>> chosen_suites(PassMatrix(passes, np.array([0, 1, 3, 2])), most=4, least=0.5)
    [0, 1, 3]
    """
    passes, (codes, suites) = _of_copies(matrix), map(_ids, (matrix.code_ids, matrix.suite_ids), matrix.passes.shape)
    counted = PassMatrix(passes, matrix.owners, codes, suites, count_copies=True)
    probable = posterior(counted, Calibration()).suites.round(6)
    tells = (passes == 0).any(axis=0)
    best = sorted(np.flatnonzero(probable >= least).tolist(), key=lambda place: (not tells[place], -probable[place]))
    return list({suites[place]: place for place in reversed(best)}.values())[::-1][:most]


def _of_copies(matrix: PassMatrix) -> NDArray[np.float64]:
    """The results [C, S], with what a suite makes of a copy of its author's code: what it makes of that code."""
    codes, owners = _ids(matrix.code_ids, len(matrix.passes)), matrix.owners
    copies = (codes[:, None] == codes[owners]) & (owners >= 0)
    own = matrix.passes[owners, np.arange(len(owners))]
    return np.where(copies, own, matrix.passes)


def _ids(ids: NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    return np.arange(count) if ids is None else ids


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("suites", __doc__)
    add_source_options(parser, "the prompts", number=1)
    parser.add_argument(
        "--completions", type=Path, required=True, metavar="FILE.jsonl", help="to these prompts, graded"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="one file (.jsonl or .parquet)")
    parser.add_argument("--judged-only", action="store_true", help="leave out rows for which no suite is kept")
    parser.add_argument("--most", type=_at_least_1, default=4, metavar="N", help="suites of a row (default: 4)")
    said = "probability to be right (default: 0.9, for which two completions that agree are just enough; 0.95: three)"
    parser.add_argument("--least", type=_share, default=0.9, metavar="P", help=said)
    return parser


def _check_out(options: argparse.Namespace) -> None:
    """Raises: BadInput, where --out is none or would overwrite what is read."""
    if not options.out.suffix:
        raise BadInput(f"--out {options.out}: give a file that ends in {' or '.join(ENDINGS)}")
    read = {**vars(options), "sources": [*options.sources, str(options.completions)], "split_sizes": SIZES}
    check_output(argparse.Namespace(**read))


def _rows(options: argparse.Namespace) -> dict[str, Mapping[str, Any]]:
    """The rows by the names that training and evaluation have for them. Raises: BadInput."""
    rows = list(read_sources(options, columns=None))
    names = [str(number if row.get("task_id") is None else row["task_id"]) for number, row in enumerate(rows)]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise BadInput(f"{options.sources[0]}: several rows have the task_id {twice[0]!r}: make them unique")
    if any(row.get(SUITES) for row in rows):
        raise BadInput(f"{options.sources[0]} has a column {SUITES} already: give the rows without it")
    if options.out.suffix == ".jsonl":
        try:
            json.dumps(rows)
        except TypeError as error:
            raise BadInput(f"{options.sources[0]}: {error}: give --out FILE.parquet") from None
    return dict(zip(names, rows, strict=True))


def _at_least_1(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}: give 1 or more")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 0 to 1")
    return value


def _groups(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, PromptGroup]:
    """The completions of a file, by row. Raises: BadInput, where they are not those of these rows."""
    try:
        found = list(read_groups(path))
    except (OSError, ValueError) as error:
        raise BadInput(f"--completions: {error}") from None
    groups: dict[str, PromptGroup] = {}
    for name, prompt, completions in found:
        if name in groups:
            raise BadInput(f"--completions {path}: {name!r} has several groups: give one evaluation's, and not a run's")
        if name not in rows:
            raise BadInput(
                f"--completions {path}: no row that was read is called {name!r}: give their own, and --limit"
            )
        asked = next((rows[name][column] for column in PROMPTS if rows[name].get(column)), None)
        if isinstance(asked, str) and asked not in prompt:
            raise BadInput(f"--completions {path}: {name!r} answers another prompt than the row of that name")
        groups[name] = PromptGroup(name, prompt, completions)
    return groups


def _kept(
    asked: Mapping[str, PromptGroup], pool: SandboxPool, options: argparse.Namespace
) -> Iterator[tuple[str, Kept]]:
    """The suites of every prompt; some groups are crossed ahead."""
    waiting: deque[tuple[str, GroupCrossing]] = deque()
    named = {name: code_words(one.prompt) for name, one in asked.items()}
    built = {name: _taking_part(one.completions, named[name]) for name, one in asked.items()}
    groups = {name: group[:MAX_CODES] for name, group in built.items() if group}
    for name, group in tqdm(groups.items(), "groups", leave=False, disable=None):
        planned = partial(plan, [one.completion for one in group], named=named[name])
        waiting.append((name, GroupCrossing(pool, [], planned)))
        if len(waiting) > AHEAD:
            yield _one(*waiting.popleft(), groups, options)
    while waiting:
        yield _one(*waiting.popleft(), groups, options)


def _taking_part(group: Group, named: Set[str]) -> Group:
    """The completions that build and have a function that the prompt names, or all that build where none has."""
    built = [one for one in group if GroupMember(one.completion).has_code]
    return [one for one in built if (program := one.completion.program) and named & program.functions.keys()] or built


def _one(
    name: str, crossing: GroupCrossing, groups: Mapping[str, Group], options: argparse.Namespace
) -> tuple[str, Kept]:
    found = crossing.future.result()
    if found.outcome is Outcome.HOST_ERROR:
        raise HostFailed(f"the completions to {name!r} could not be run on each other's tests: {found.reason}")
    if found.matrix is None:
        return name, Kept(())
    places = chosen_suites(found.matrix, most=options.most, least=options.least)
    programs = tuple(groups[name][place].completion.code or "" for place in places)
    gold = np.array([one.gold for one in groups[name]])
    others = found.matrix.others()[:, places]
    right, wrong = (others[gold == label] for label in (1, 0))
    return name, Kept(programs, *((int((~np.isnan(one)).sum()), int((one == 1).sum())) for one in (right, wrong)))


def _told(kept: Mapping[str, Kept]) -> str:
    """What kept suites make of codes whose gold results are known."""
    said = []
    for word, pairs in (
        ("right", [one.right for one in kept.values()]),
        ("wrong", [one.wrong for one in kept.values()]),
    ):
        known, passed = (sum(pair[place] for pair in pairs) for place in (0, 1))
        said.append(
            f"{word} codes pass {passed / known:.1%} of {known}" if known else f"of {word} codes nothing is known"
        )
    return "; ".join(said)
