"""The tasks of benchmarks as text and names: what the rows of a data set are compared with.

A benchmark is named as `eval_model.py --benchmark` names it, read by the same readers, and written NAME or NAME=PATH.
HumanEval and MBPP, which the Rust benchmarks come from, are read as sources are. Tasks that an evaluation leaves out,
since they need other crates, are not compared with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dataset.sources import HUMAN_EVAL, read_rows, row_functions, row_text
from dataset.translating.naming import NoRustName, rust_name
from evaluating.benchmarks.catalogue import BENCHMARKS, load_benchmark
from evaluating.benchmarks.columns import MBPP, ONE_FILE, check_rows
from evaluating.benchmarks.tasks import ANSWER, BenchmarkTask
from grpo.errors import BadInput

__all__ = ["AGAINST", "ReferenceText", "references", "snake_case"]

IN_PYTHON: Mapping[str, str] = {HUMAN_EVAL: HUMAN_EVAL, MBPP: "hf:google-research-datasets/mbpp"}  # and their sources
EVERY_SPLIT = "train+validation+test+prompt"  # of MBPP on the hub
AGAINST = (*IN_PYTHON, *BENCHMARKS)
BLOCK = re.compile(r"```rust\n(.*?)```", re.DOTALL)
COMMENT = re.compile(r"//[/!]*([^\n]*)|/\*+(.*?)\*/", re.DOTALL)
WORDING = ("Complete this Rust program.", "Complete this Rust library.", ANSWER)  # of the readers
SOLVE = re.compile(r"Write a Rust function `.*?` to solve the following problem:", re.DOTALL)  # of HumanEvalPack
FUNCTION = re.compile(r"\bfn\s+(\w+)")


@dataclass(frozen=True)
class ReferenceText:
    """A task of a benchmark, as it is compared."""

    benchmark: str
    task_id: str
    text: str  # in English, with the examples that it has
    names: frozenset[str]  # of the functions that it asks for, in snake case


def references(against: str) -> list[ReferenceText]:
    """The tasks of one benchmark.

    Args:
        against: NAME or NAME=PATH.
    Raises: BadInput, for an unknown name and what cannot be read.
    """
    name, _, path = against.partition("=")
    if name in IN_PYTHON:
        rows = list(read_rows(path or IN_PYTHON[name], EVERY_SPLIT))
        if rows:
            check_rows(name, rows, f"--against {against}")
        found = [
            ReferenceText(name, str(row.get("task_id", number)), row_text(row), snake_case(row_functions(row)))
            for number, row in enumerate(rows)
        ]
    elif name in BENCHMARKS:
        said_by = ONE_FILE.get(name, name)  # one that shows code to repair does not say the task
        found = [_of_task(name, task) for task in load_benchmark(said_by, path).tasks]
    else:
        raise BadInput(f"--against {against}: no such benchmark; there are {', '.join(AGAINST)}")
    if not any(one.text for one in found):
        raise BadInput(f"--against {against}: it holds no tasks")
    return found


def snake_case(names: Iterable[str]) -> frozenset[str]:
    """Names of functions as Rust has them, so that those of two languages can be equal."""
    return frozenset(map(_in_snake_case, names))


def _in_snake_case(name: str) -> str:
    """A name as Rust has it, or as it is where Rust gets none: it can still be equal to itself."""
    try:
        return rust_name(name)
    except NoRustName:
        return name


def _of_task(benchmark: str, task: BenchmarkTask) -> ReferenceText:
    """A task without what its reader says to a model: of code, the comments and the names remain."""
    code = "\n".join(BLOCK.findall(task.prompt))
    comments = "\n".join(line or block for line, block in COMMENT.findall(code))
    text = BLOCK.sub("", task.prompt)
    for words in WORDING:
        text = text.replace(words, "")
    said = f"{SOLVE.sub('', text).strip()}\n{comments}".strip()
    return ReferenceText(benchmark, task.id, said, snake_case(set(FUNCTION.findall(code)) - {"main"}))
