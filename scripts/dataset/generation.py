"""Generate the quickstart's task set from a seed: prompts for training and evaluation, and a harder set.

Usage:
    python scripts/make_dataset.py generate [--out FOLDER] [--seed N] [--train N] [--eval N] [--harder N]
    python scripts/make_dataset.py generate --demonstrations N [--out FOLDER] [--seed N]
    python scripts/make_dataset.py generate --python N [--out FOLDER] [--seed N]
    python scripts/make_dataset.py generate --operations NAME,NAME,... --out FOLDER [--demonstrations N] [--seed N] ...

Writes train.jsonl, eval.jsonl, harder.jsonl and manifest.json, which says what the files hold and what is held out. Or,
with `--demonstrations`, demonstrations.jsonl alone: prompts with right completions for scripts/sft.py, of the
combinations that train.jsonl has; or, with `--python`, python.jsonl alone: tasks of the same family as a data set for
Python has them, which the verb translate turns into Rust tasks. `--operations` takes only these operations of
`scripts/tiny/catalogue.py`: train.jsonl and eval.jsonl are of one family, on different element types, and harder.jsonl
is left out unless an operation of the harder set is among them. The same seed and counts give the same bytes.
`scripts/tiny/` has the tables that tasks are composed of.

Example:
    python scripts/make_dataset.py generate --out build/tasks --train 500
    python scripts/make_dataset.py generate --operations is_single,is_empty,length,contains --out build/collusion
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataset.rows import write_rows
from dataset.verbs import verb_parser
from durable.write_whole import write_whole
from grpo.checkpoint.checksums import sha256_of
from grpo_rust.cli import ExitCode, command
from tiny.catalogue import HARDER, OPERATIONS, SPLITS, Split, combinations
from tiny.python_tasks import python_tasks
from tiny.rust_types import ELEMENTS
from tiny.tasks import COLUMNS, FamilyTask, demonstrations, make_tasks, write_jsonl

__all__ = ["COUNTS", "main", "manifest", "write_demonstrations", "write_python_tasks"]

SHIPPED = Path("assets/tasks")
COUNTS = {"train": 3000, "eval": 300, "harder": 200}  # prompts


@command("make_dataset generate", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Write the files and say how much that is; the exit code."""
    parser = verb_parser("generate", __doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the folder of the files")
    parser.add_argument("--seed", type=int, default=0, help="decides everything that is drawn")
    for split, count in COUNTS.items():
        parser.add_argument(f"--{split}", type=int, default=count, help=f"prompts of {split}.jsonl")
    parser.add_argument("--demonstrations", type=int, metavar="N", help="write N prompts with completions instead")
    parser.add_argument(
        "--python", type=int, metavar="N", help="write N of the tasks as Python tasks with asserts instead"
    )
    parser.add_argument(
        "--operations", type=_family, default=(), metavar="NAME,NAME,...", help="of these alone; needs another --out"
    )
    options = parser.parse_args(argv)
    counts = {split: getattr(options, split) for split in SPLITS}
    given = counts | {"demonstrations": options.demonstrations, "python": options.python}
    if few := [name for name, count in given.items() if count is not None and count < 1]:
        parser.error(f"--{few[0]} {given[few[0]]}: give at least 1")
    family = options.operations
    if problem := _family_problem(options):
        parser.error(f"--operations {','.join(family)}: {problem}")
    if options.demonstrations is not None:
        return write_demonstrations(options.out / "demonstrations.jsonl", options.demonstrations, options.seed, family)
    if options.python is not None:
        return write_python_tasks(options.out / "python.jsonl", options.python, options.seed)
    splits = [split for split in SPLITS if combinations(split, family)]
    tasks = {split: make_tasks(counts[split], split=split, seed=options.seed, family=family) for split in splits}
    for split, rows in tasks.items():
        write_jsonl(rows, options.out / f"{split}.jsonl")
        print(f"{options.out / split}.jsonl: {len(rows)} prompts, {_pairs(rows)} combinations")
    text = json.dumps(manifest(tasks, options.out, options.seed, family), indent=2, ensure_ascii=False) + "\n"
    write_whole(options.out / "manifest.json", text)
    return ExitCode.DONE


def _family(text: str) -> tuple[str, ...]:
    """Names of operations, separated by commas, without repetitions."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    known = [operation.name for operation in OPERATIONS]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise argparse.ArgumentTypeError(
                f"no operation is called {name!r}; the nearest is {nearest}, all are {', '.join(known)}"
            )
    return names


def _family_problem(options: argparse.Namespace) -> str:
    """Why a family cannot be generated with these options, in words; empty where it can, or where there is none."""
    if not options.operations:
        return ""
    if options.python is not None:
        return "--python has operations of its own: leave one of the two out"
    if options.out == SHIPPED:
        return f"give another --out than {SHIPPED}, where the shipped files lie"
    if missing := [split for split in ("train", "eval") if not combinations(split, options.operations)]:
        return (
            f"{missing[0]}.jsonl would be empty: no element type of these is in that split; name more operations, or "
            "others than those of the harder set"
        )
    return ""


def write_demonstrations(path: Path, count: int, seed: int, family: Sequence[str] = ()) -> int:
    """Write right demonstrations with different prompts; the exit code."""
    shown = {item.prompt: item for item in demonstrations(2 * count, mistaken=0.0, seed=seed, family=family)}
    rows = list(shown.values())[:count]
    lines = (
        json.dumps({"task_id": f"demonstration-{number:05d}", "prompt": item.prompt, "completion": item.completion})
        for number, item in enumerate(rows)
    )
    write_whole(path, "".join(f"{line}\n" for line in lines))
    print(f"{path}: {len(rows)} demonstrations")
    return ExitCode.DONE


def write_python_tasks(path: Path, count: int, seed: int) -> int:
    """Write tasks in Python, for the verb translate; the exit code."""
    write_rows(python_tasks(count, seed=seed), path)
    print(f"{path}: {count} tasks in Python")
    return ExitCode.DONE


def manifest(
    tasks: Mapping[Split, list[FamilyTask]], folder: Path, seed: int, family: Sequence[str] = ()
) -> dict[str, Any]:
    """What the files in the folder hold, and what is kept apart from what."""
    named = f" --operations {','.join(family)}" if family else ""
    known = [operation.name for operation in OPERATIONS if not family or operation.name in family]
    counts = " ".join(f"--{split} {len(rows)}" for split, rows in tasks.items())
    return {
        "made_by": f"python scripts/make_dataset.py generate{named} --seed {seed} {counts}",
        "license": "Apache-2.0",
        "columns": COLUMNS,
        "files": {
            f"{split}.jsonl": {
                "rows": len(rows),
                "sha256": sha256_of(folder / f"{split}.jsonl"),
                "operations": len({task.operation for task in rows}),
                "combinations": _pairs(rows),
                "containers": dict(sorted(Counter(_container(task) for task in rows).items())),
            }
            for split, rows in tasks.items()
        },
        "element_types": [element.name for element in ELEMENTS],
        "operations": [name for name in known if name not in HARDER],
        "held_out_operations": [name for name in HARDER if name in known],
        "held_out_combinations": [
            f"{operation.name}/{element.name}" for operation, element in combinations("eval", family)
        ],
    }


def _pairs(rows: Sequence[FamilyTask]) -> int:
    """How many combinations of operation and element type rows ask for."""
    return len({(task.operation, task.element) for task in rows})


def _container(task: FamilyTask) -> str:
    """What holds the values that a task is about."""
    signature = task.reference[task.reference.index("fn ") :].partition("{")[0]
    for name, sign in (("Vec", "Vec<"), ("slice", "["), ("Option", "Option<"), ("tuple", "(("), ("tuple", ": (")):
        if sign in signature:
            return name
    return "struct" if "struct " in task.reference else "none"
