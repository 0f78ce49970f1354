"""Give the rows of a data set test suites of a model's own completions, which judge every group in training.

Usage:
    python scripts/make_dataset.py suites SOURCE --completions FILE.jsonl --out FILE [--most N] [--least P] [--jobs N]

The completions are those that the model wrote for the rows before its training, graded: what scripts/eval_model.py
writes. The codes of a prompt are run on each other's tests, and a suite is kept where it is probably right, given all
results (`rewards.matrix.calibrated`, with no gold test). The column `suites` has them, those that some code fails
first; a row without any has an empty list. Where gold results are in the file, it is said what the kept suites make of
right and wrong codes. The same files and toolchain give the same bytes.
Exit codes: 0 done, 1 no suite was kept, 2 bad input, 3 the host failed.

Example:
    python scripts/eval_model.py assets/tiny-rust data.eval=build/train.jsonl eval.prompts=3000 eval.samples=8 \\
        --out build/start.jsonl
    python scripts/make_dataset.py suites build/train.jsonl --completions build/start.jsonl --out build/judged.jsonl
    python scripts/train.py data.train=build/judged.jsonl rewards.weights.cross_agreement=2 rewards.cross.partners=-1
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from dataset.saving import add_output_options, check_output, describe_saved, save, save_manifest
from dataset.sources import row_name
from dataset.verbs import add_source_options, read_sources, verb_parser
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from rewards.cross.calibrate_file import Group, read_groups
from rewards.cross.plan import plan
from rewards.cross.row_suites import SUITES
from rewards.cross.submit import GroupCrossing
from rewards.matrix.calibrated import MAX_CODES, Calibration, posterior
from rewards.matrix.pass_matrix import PassMatrix
from sandbox.workers.pool import SandboxPool

__all__ = ["Kept", "chosen_suites", "main"]

AHEAD = 16  # groups that wait for a sandbox


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
    check_output(options)
    rows = list(read_sources(options, columns=None))
    names = [row_name(row, number) for number, row in enumerate(rows)]
    groups = _groups(options.completions, names)
    with SandboxPool(options.jobs or os.cpu_count() or 1, keep=True) as pool:
        kept = dict(_kept(groups, pool, options))
        toolchain = str(pool.toolchain.version)
    judged = [{**row, SUITES: list(kept[name].programs) if name in kept else []} for name, row in zip(names, rows)]
    found = {
        "suites": sum(len(row[SUITES]) for row in judged),
        "rows_without": sum(not row[SUITES] for row in judged),
        "where_gold_is_known": _told(kept),
    }
    print(f"{found['suites']} suites kept; {found['rows_without']} of {len(rows)} rows have none; {_told(kept)}")
    if not found["suites"]:
        return ExitCode.CHECK_FAILED
    files = save(judged, options, name=lambda row: row_name(row, 0))
    made_by = f"python scripts/make_dataset.py suites {shlex.join(words)}"
    record = {"made_by": made_by, "toolchain": toolchain, "files": {path.name: n for path, n in files.items()}, **found}
    print(describe_saved(files, len(rows), "rows", save_manifest(record, options.out)))
    return ExitCode.DONE


def chosen_suites(matrix: PassMatrix, *, most: int, least: float) -> list[int]:
    """The suites of a group to keep, equal ones once: first those that tell codes apart, then the most probable ones.

    Args:
        matrix: What the codes of the group make of its suites.
        most: How many to keep.
        least: The smallest probability to be right; what the suite's only author makes of it does not count.

    >>> passes = np.array([[1, 1, 0, 1]] * 3 + [[0, 1, 1, 1]])  # the code 3 wrote the suite 2
    >>> chosen_suites(PassMatrix(passes, np.array([0, 1, 3, 2])), most=4, least=0.5)
    [0, 1, 3]
    """
    distinct = matrix.distinct()
    if len(distinct.passes) > MAX_CODES or not distinct.passes.shape[1]:
        return []
    probable = posterior(matrix, Calibration()).suites
    tells = (distinct.passes == 0).any(axis=0)[distinct.suite_of]
    first: NDArray[np.int64] = np.unique(distinct.suite_of, return_index=True)[1]
    usable = [place for place in first.tolist() if probable[place] >= least]
    return sorted(usable, key=lambda place: (not tells[place], -probable[place]))[:most]


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("suites", __doc__)
    add_source_options(parser, "the prompts")
    add_output_options(parser)
    parser.add_argument(
        "--completions", type=Path, required=True, metavar="FILE.jsonl", help="to these prompts, graded"
    )
    parser.add_argument("--most", type=_at_least_1, default=4, metavar="N", help="suites of a row (default: 4)")
    parser.add_argument("--least", type=_share, default=0.9, metavar="P", help="probability to be right (default: 0.9)")
    return parser


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


def _groups(path: Path, names: Sequence[str]) -> dict[str, Group]:
    """The completions of a file, by row. Raises: BadInput, where they are not those of these rows."""
    try:
        found = list(read_groups(path))
    except (OSError, ValueError) as error:
        raise BadInput(f"--completions: {error}") from None
    for what, given in (("rows", names), ("groups", [name for name, _ in found])):
        if twice := [name for name, count in Counter(given).items() if count > 1]:
            whole = "unique task_ids" if what == "rows" else "the completions of one evaluation, not of a run"
            raise BadInput(f"{twice[0]!r} has several {what}: give {whole}")
    groups = dict(found)
    if strange := sorted(groups.keys() - set(names)):
        raise BadInput(f"--completions {path}: no row of the sources is called {strange[0]!r}")
    return groups


def _kept(groups: Mapping[str, Group], pool: SandboxPool, options: argparse.Namespace) -> Iterator[tuple[str, Kept]]:
    """The suites of every prompt; some groups are crossed ahead."""
    waiting: deque[tuple[str, GroupCrossing]] = deque()
    bar = tqdm(groups.items(), "groups", leave=False, disable=None)
    for name, group in bar:
        waiting.append((name, GroupCrossing(pool, [], partial(plan, [one.completion for one in group]))))
        if len(waiting) > AHEAD:
            yield _one(*waiting.popleft(), groups, options)
    while waiting:
        yield _one(*waiting.popleft(), groups, options)


def _one(
    name: str, crossing: GroupCrossing, groups: Mapping[str, Group], options: argparse.Namespace
) -> tuple[str, Kept]:
    found = crossing.future.result()
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
