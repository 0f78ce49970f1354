"""The prompts of an evaluation: the recipe's held-out ones, or a benchmark's."""

from __future__ import annotations

from evaluating.arguments import EvalRequest
from evaluating.benchmarks.catalogue import load_benchmark
from evaluating.benchmarks.references import print_skipped, usable
from evaluating.benchmarks.tasks import BenchmarkTask
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.compose.prompts import check_gold, read_held_out, system_prompt_of
from grpo_rust.compose.signatures import in_tokens
from grpo_rust.recipe import Recipe
from rewards.tasks.known import asked
from sandbox.service.grading_pool import GradingPool

__all__ = ["read_prompts"]


def read_prompts(request: EvalRequest, pool: GradingPool) -> list[Example]:
    """The prompts that every model is asked; of a benchmark those whose own solution passes here.

    Raises:
        BadInput: For prompts that cannot be used.
    """
    if not request.benchmark:
        return read_held_out(request.recipe)
    found = usable(load_benchmark(request.benchmark, request.benchmark_path), pool)
    print_skipped(found)
    if not found.tasks:
        raise BadInput(f"--benchmark {request.benchmark}: none of its own solutions passes here, so none can be asked")
    examples = [_example(task, request.recipe) for task in found.tasks[: request.num_prompts]]
    check_gold(request.benchmark, examples)
    return examples


def _example(task: BenchmarkTask, recipe: Recipe) -> Example:
    """A task of a benchmark as the recipe has it asked."""
    system = system_prompt_of(recipe)
    if not task.columns:
        start = ({"role": "system", "content": system},) if system else ()
        return Example(task.id, (*start, {"role": "user", "content": task.prompt}), {"gold_tests": task.tests})
    row = dict(asked({**task.columns, "gold_tests": task.tests}, with_system=bool(system), infill=recipe.data.infill))
    return in_tokens(Example(task.id, tuple(row.pop("prompt")), row))
