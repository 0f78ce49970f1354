"""What a recipe is going to do, before it does it: steps, tokens, memory, disk, time. Behind `train.py --dry-run`.

Loads neither model nor data: prompts are counted, sizes computed from the model's config.json, times scaled from the
constants below. A number that cannot be known here is said to be unknown.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from footprint import Footprint, ModelShape, footprint, read_model_shape
from grpo.data import LOADERS
from grpo.settings import ConfigError
from recipe import Recipe

__all__ = ["count_prompts", "plan"]

# Measured on two cores with a model of 3.2 M parameters; scaled by parameters, tokens and programs. They are
# assumptions on any other machine, and the plan says so.
SAMPLING_S_PER_TOKEN_AND_PARAMETER = 1.3e-10  # 128 answers of 76 tokens in 4.0 s
UPDATE_S_PER_TOKEN_AND_PARAMETER = 4.8e-11  # 128 rows of 118 tokens in 2.3 s
GRADING_CPU_S = {"exact": 0.46, "direct": 0.12, "batch": 0.07}  # one program; means of 96, half of them with a mistake
PROGRAMS_PER_EVALUATED_ANSWER = 2  # the answer with its own tests, and with the gold tests
BYTES_PER_TOKEN = 4  # of an answer's text
VERDICT_BYTES = 2_000  # of an answer's line in completions.jsonl beside its text
REWARD_LINE_BYTES = 200


@dataclass(frozen=True)
class Work:
    """How much there is to do. `steps` is None where the number of prompts is unknown and nothing else decides."""

    prompts: int | None
    steps: int | None
    answers_per_step: int
    evaluations: int
    eval_prompts: int
    eval_samples: int

    @property
    def evaluated(self) -> int:
        """All answers of the evaluations."""
        return self.evaluations * self.eval_prompts * self.eval_samples

    @property
    def answers(self) -> int | None:
        """All answers of the run."""
        return None if self.steps is None else self.steps * self.answers_per_step + self.evaluated


def plan(recipe: Recipe) -> str:
    """The resolved plan of a recipe as text for a terminal.

    Raises: ConfigError for a data file or model directory that cannot be used.
    """
    work = _work(recipe)
    shape, why_not = _shape(recipe.model.path)
    row_tokens = recipe.data.max_prompt_tokens + recipe.sampling.max_completion_tokens
    updates = "" if recipe.train.num_iterations == 1 else f", {recipe.train.num_iterations} updates each"
    rows = [
        ("run", str(recipe.run_path())),
        *_refusal(recipe),
        ("prompts", f"{_number(work.prompts)} in {recipe.data.train}"),
        (
            "steps",
            f"{_number(work.steps)}: {recipe.train.prompts_per_step} prompts x {recipe.sampling.group_size} answers = "
            f"{work.answers_per_step:,} answers a step{updates}",
        ),
        ("tokens", f"at most {work.answers_per_step * row_tokens:,} a step ({row_tokens:,} an answer with its prompt)"),
        (
            "evaluation",
            f"{work.evaluations} x {work.eval_prompts} prompts x {work.eval_samples} answers, from {recipe.data.eval}",
        ),
        ("model", f"{recipe.model.path}: {why_not or _described(shape)}"),
        *_memory(recipe, shape, work, row_tokens),
        *_disk(recipe, shape, work),
        *_time(recipe, shape, work),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _refusal(recipe: Recipe) -> list[tuple[str, str]]:
    """What training would say of the run directory before it begins."""
    if recipe.run.resume or not os.path.lexists(recipe.run_path()):
        return []
    return [("", "EXISTS ALREADY: choose another run.dir or run.name, or continue it with run.resume=true")]


def count_prompts(source: str, *, key: str) -> int | None:
    """Number of rows of a .jsonl, .json or .parquet file without loading it; None for a hub data set.

    Args: source, as in the recipe; key, the setting to name in an error.
    Raises: ConfigError for a missing, unreadable or empty file, or one of another kind.
    """
    if source.startswith("hf:"):
        return None
    path = Path(source)
    try:
        if path.is_file() and path.suffix not in LOADERS:
            raise ValueError(f"a file that ends in {path.suffix!r} is not read")
        count = _count_parquet(path) if path.suffix == ".parquet" else _count_lines(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(
            f"{key} = {source!r}: {reason}. Give a .jsonl or .parquet file, as seen from {Path.cwd()}, or hf:NAME"
        ) from error
    if not count:
        raise ConfigError(f"{key} = {source!r}: the file has no rows")
    return count


def _count_lines(path: Path) -> int:
    """Rows of a file with one JSON value a line, or with one list of them."""
    with open(path, "rb") as lines:
        if path.suffix == ".json" and lines.read(1) == b"[":
            return len(json.loads(path.read_bytes()))
        lines.seek(0)
        return sum(1 for line in lines if line.strip())


def _count_parquet(path: Path) -> int:
    """Rows by the file's own footer."""
    from pyarrow import parquet  # only here: the other formats need nothing

    return int(parquet.read_metadata(path).num_rows)


def _work(recipe: Recipe) -> Work:
    """Steps, answers and evaluations of a recipe."""
    prompts = count_prompts(recipe.data.train, key="data.train")
    steps = recipe.train.max_steps or (None if prompts is None else recipe.train.num_steps(prompts))
    evaluations, eval_prompts = 0, 0
    if recipe.eval.prompts:
        available = count_prompts(recipe.data.eval, key="data.eval")
        eval_prompts = recipe.eval.prompts if available is None else min(available, recipe.eval.prompts)
        between = (steps - 1) // recipe.eval.every if steps and recipe.eval.every else 0
        evaluations = 2 + between
    return Work(
        prompts,
        steps,
        recipe.train.prompts_per_step * recipe.sampling.group_size,
        evaluations,
        eval_prompts,
        recipe.eval.samples,
    )


def _shape(path: str) -> tuple[ModelShape | None, str]:
    """The model's sizes, or why they are not known."""
    directory = Path(path) if Path(path).is_dir() else _cached(path)
    if directory is None:
        return None, "no directory here and not in the hub's cache: memory and time are unknown"
    try:
        shape = read_model_shape(directory)
    except ValueError as error:
        raise ConfigError(f"model.path = {path!r}: {error}") from error
    return shape, "" if shape else "an architecture whose memory formula is not known here"


def _cached(name: str) -> Path | None:
    """The directory of a hub model that was downloaded before."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise ConfigError(f"model.path = {name!r}: neither a directory nor a name on the hub: {error}") from error
    return Path(found).parent if isinstance(found, str) else None


def _described(shape: ModelShape | None) -> str:
    """A model in words."""
    return "" if shape is None else f"{shape.family}, {shape.parameters:,} parameters"


def _memory(recipe: Recipe, shape: ModelShape | None, work: Work, row_tokens: int) -> list[tuple[str, str]]:
    """Peak memory and what it is made of."""
    if shape is None:
        return [("memory", "unknown")]
    size: Footprint = footprint(
        shape,
        dtype=recipe.model.dtype,
        reference=recipe.loss.kl_beta > 0,
        micro_batch_tokens=min(recipe.train.micro_batch_tokens, work.answers_per_step * row_tokens),
        rows=work.answers_per_step,
        row_tokens=row_tokens,
        lora_rank=recipe.lora.rank,
        checkpointing=recipe.train.checkpoint_activations,
        own_engine=recipe.sampling.engine == "vllm",
    )
    always = f"weights {_bytes(size.weights)}, Adam {_bytes(size.adam)}"
    always += f", reference {_bytes(size.reference)}" if size.reference else ""
    copy = f", {recipe.model.dtype} copy {_bytes(size.compute_copy)}" if size.compute_copy else ""
    parts = f"gradients {_bytes(size.gradients)}{copy}, activations {_bytes(size.activations)}"
    parts += f", head {_bytes(size.head)}"
    if size.engine:
        always += f", vLLM's weights and their buffer {_bytes(size.engine)}, its cache {_bytes(size.kv_cache)}"
        return [
            ("memory", f"about {_bytes(size.peak)} on the model's device with the longest answers, vLLM never asleep"),
            ("", f"{always}; updating ({parts})"),
        ]
    return [
        ("memory", f"about {_bytes(size.peak)} on the model's device with the longest answers"),
        ("", f"{always}; then in turns: sampling (KV cache {_bytes(size.kv_cache)}), updating ({parts})"),
    ]


def _disk(recipe: Recipe, shape: ModelShape | None, work: Work) -> list[tuple[str, str]]:
    """Disk space of checkpoints and logs, and what is free."""
    written = 1
    if work.steps and recipe.checkpoint.every:
        written = -(-work.steps // recipe.checkpoint.every)
    checkpoints = 0 if shape is None else min(written, recipe.checkpoint.keep + 1) * _checkpoint_bytes(recipe, shape)
    line = BYTES_PER_TOKEN * recipe.sampling.max_completion_tokens + VERDICT_BYTES
    per_answer = (line if recipe.log.completions else 0) + REWARD_LINE_BYTES * len(recipe.rewards.weights)
    logs = None if work.answers is None else work.answers * per_answer
    parent = next(path for path in recipe.run_path().absolute().parents if path.exists())
    free = shutil.disk_usage(parent).free
    known = f"checkpoints {_bytes(checkpoints) if shape else 'unknown'}, logs {_bytes(logs)}"
    known += f"; {_bytes(free)} free in {parent}"
    rows = [("disk", known)]
    if checkpoints + (logs or 0) > free:
        rows.append(("", "TOO LITTLE: make room, choose another run.dir, or lower checkpoint.keep"))
    return rows


def _checkpoint_bytes(recipe: Recipe, shape: ModelShape) -> int:
    """The model in fp32, and Adam's moments of what is trained; with LoRA the adapters too."""
    adapters = recipe.lora.rank * shape.linear_ends
    return 4 * (shape.parameters + adapters) + 8 * (adapters or shape.parameters)


def _time(recipe: Recipe, shape: ModelShape | None, work: Work) -> list[tuple[str, str]]:
    """Expected duration on a CPU, with the assumptions it rests on."""
    if _on_gpu(recipe.train.device):
        return [("time", "not estimated on a GPU: the plan knows no measurement to scale; try train.max_steps=2")]
    if shape is None or work.answers is None or work.steps is None:
        return [("time", "unknown")]
    jobs = recipe.sandbox.jobs or len(os.sched_getaffinity(0))
    sampled = work.answers * recipe.sampling.max_completion_tokens
    row_tokens = recipe.data.max_prompt_tokens + recipe.sampling.max_completion_tokens
    updated = work.steps * work.answers_per_step * row_tokens * recipe.train.num_iterations  # no prompt is shared
    sampling = sampled * shape.parameters * SAMPLING_S_PER_TOKEN_AND_PARAMETER
    updating = updated * shape.parameters * UPDATE_S_PER_TOKEN_AND_PARAMETER
    programs = work.answers + (PROGRAMS_PER_EVALUATED_ANSWER - 1) * work.evaluated
    cpu_s = GRADING_CPU_S[recipe.sandbox.path]
    grading = programs * cpu_s / jobs
    total = _minutes(sampling + updating + grading)
    parts = f"sampling {_minutes(sampling)}, grading {_minutes(grading)}, updates {_minutes(updating)}"
    assumed = (
        f"assumes two cores, nothing overlapped, every answer at its longest; {cpu_s} s of CPU a program, "
        f"{jobs} at a time; per token and parameter {SAMPLING_S_PER_TOKEN_AND_PARAMETER:g} s to sample and "
        f"{UPDATE_S_PER_TOKEN_AND_PARAMETER:g} s to train"
    )
    return [("time", f"at most about {total}: {parts}"), ("", assumed)]


def _on_gpu(device: str) -> bool:
    """Whether the model is going to live on a GPU, as far as can be told without torch."""
    return device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists())


def _number(value: int | None) -> str:
    """A count, or that it is not known."""
    return "an unknown number" if value is None else f"{value:,}"


def _bytes(value: int | None) -> str:
    """A size to two digits.

    >>> _bytes(12_300_000), _bytes(2_500_000_000)
    ('12 MB', '2.5 GB')
    """
    if value is None:
        return "unknown"
    return f"{value / 1e9:,.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"


def _minutes(seconds: float) -> str:
    """A duration, roughly.

    >>> _minutes(20), _minutes(600), _minutes(9000)
    ('20 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
