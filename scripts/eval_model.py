"""Evaluate models on held-out prompts, and keep their graded completions.

Usage:
    python scripts/eval_model.py [MODEL ...] [RECIPE.toml] [section.key=value ...] --out FILE.jsonl or FOLDER
    python scripts/eval_model.py compare FILE.jsonl ... [--help]      evaluations in one table, and as a picture
    python scripts/eval_model.py references NAME[=PATH]               does a benchmark's own solution pass here?

A MODEL is a checkpoint, a run directory (its newest checkpoint), a name on the hub, or `api:NAME` with `--base-url URL`
of an OpenAI-compatible API; without one it is the recipe's model.path. The recipe has the prompts (data.eval), how many
of them and how many completions each (the section eval), how they are judged, and the rewards. Each model gets a .jsonl
file with one line a completion and its verdict, the same as .parquet, and a .json file with the protocol and the
figures. In a FOLDER, models that were evaluated before by the same protocol are left out, so the same command goes on
where it was stopped. What an API answers is kept in a file .journal, so no answer is paid for twice. `--protocol
published` measures as the published figures were measured; `--benchmark NAME` asks a public benchmark's prompts. With
`rollout.turns=3` conversations go on after a verdict, and are compared with as many tokens of independent completions.
No model is changed. Exit codes: 0 done, 1 a reference fails, 2 bad input, 3 host or API failed, 130 interrupted.

Example:
    python scripts/eval_model.py assets/tiny-rust runs/first eval.samples=8 --out runs/compared
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluating.arguments import EvalRequest, parse_request
from evaluating.models import NamedModel
from grpo.errors import BadInput
from grpo.run.provenance import environment
from grpo_rust.cli import ExitCode, command
from grpo_rust.sandbox_pool import open_pool
from sandbox.service.grading_pool import GradingPool
from sandbox.terminal import counted

if TYPE_CHECKING:
    from grpo.evaluate import Evaluation
    from grpo.rollout.records import Example

# torch and transformers are imported inside functions: the sandbox's workers start first, and start small.


@command("eval_model", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate every model that is asked for, or do what the first word says; the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if verb := verb_of(words):
        return verb(words[1:])
    request = parse_request(words, __doc__.partition("\n")[0])
    with open_pool(request.recipe) as pool:
        from evaluating.prompts import read_prompts

        examples = read_prompts(request, pool)
        for model in request.models:
            evaluate_model(request, model, pool, examples)
    return ExitCode.DONE


def verb_of(words: Sequence[str]) -> Callable[[Sequence[str]], int] | None:
    """The command that the first word names; None for an evaluation."""
    match words[:1]:
        case ["compare"]:
            from evaluating import side_by_side

            return side_by_side.main
        case ["references"]:
            from evaluating.benchmarks import references

            return references.main
    return None


def evaluate_model(request: EvalRequest, model: NamedModel, pool: GradingPool, examples: Sequence[Example]) -> None:
    """Evaluate a model, print its rates and write its files, unless that was done before. Raises: GradingFailed."""
    from evaluating.files import write_evaluation
    from evaluating.turns import turn_figures, turn_records, turn_table
    from grpo.watch.unscored import count_failures, refuse_failures

    out = request.file(model)
    record = describe(request, model, pool, examples)
    if out.exists():
        check_finished(request, model, record)
        print(f"{model.label}: evaluated before, see {out}")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    evaluation, more = sample_and_grade(request, model, pool, examples, record)
    refuse_failures(
        count_failures(evaluation.groups),
        evaluation.num_completions,
        max_share=request.recipe.rewards.max_unscored,
        where=model.label,
        then="evaluate again: the answers of an API are kept",
    )
    most = request.recipe.rollout.turns
    turns = turn_figures(evaluation.groups, most=most) if most > 1 else []
    write_evaluation(evaluation, record | more | ({"turns": turn_records(turns)} if turns else {}), out)
    samples, source = request.recipe.eval.samples, request.source
    print(f"{model.path}: {more['prompts_used']} prompts x {samples} of {source}")
    show(evaluation.metrics)
    if turns:
        print(turn_table(turns))
    print(f"{out}: {counted(evaluation.num_completions, 'completion')}, {evaluation.seconds:.0f} s")


def sample_and_grade(
    request: EvalRequest, model: NamedModel, pool: GradingPool, examples: Sequence[Example], record: Mapping[str, Any]
) -> tuple[Evaluation, dict[str, Any]]:
    """The evaluation of a model, and what else to record of it."""
    out = request.file(model)
    if model.is_api:
        from evaluating.remote.evaluation import evaluate_remote

        return evaluate_remote(
            request.recipe,
            pool,
            examples,
            model=model.path,
            options=request.api,
            protocol=record["protocol"],
            journal=out.with_suffix(".journal"),
        )
    from evaluating.local import evaluate_local

    recipe = dataclasses.replace(request.recipe, model=dataclasses.replace(request.recipe.model, path=model.path))
    evaluation, prompts = evaluate_local(recipe, pool, examples, engine_log=out.with_suffix(".engine.log"), say=print)
    return evaluation, {"prompts_used": str(prompts)}


def describe(request: EvalRequest, model: NamedModel, pool: GradingPool, examples: Sequence[Example]) -> dict[str, Any]:
    """How an evaluation is made, as plain JSON values."""
    from evaluating.protocol import protocol_record

    recipe = request.recipe
    protocol = protocol_record(request.protocol_name, recipe, examples, request.source)
    if model.is_api and request.api.body:
        protocol["settings"]["--body"] = dict(request.api.body)  # it may change any of the others
    grader = {"rust": pool.toolchain.version, "isolation": str(pool.isolation)}
    return {
        "label": model.label,
        "model": model.path,
        "protocol": protocol,
        "seed": recipe.eval.seed,
        "weights": dict(recipe.rewards.weights),
        "environment": environment(argv=sys.argv, grader=grader, packages=("tree-sitter", "tree-sitter-rust")),
    }


def check_finished(request: EvalRequest, model: NamedModel, record: Mapping[str, Any]) -> None:
    """Check that a model's files are of this very evaluation, its seed and its weights included. Raises: BadInput."""
    from evaluating.agreement import differences
    from evaluating.files import read_record

    before = read_record(request.file(model))
    one, other = beside_protocol(before), beside_protocol(record)
    found = [f"{key}: {one.get(key)} and {other.get(key)}" for key in one | other if one.get(key) != other.get(key)]
    found += differences(before["protocol"], record["protocol"])
    if found:
        raise BadInput(f"{request.file(model)} is of another evaluation ({'; '.join(found)}): give another --out")


def beside_protocol(record: Mapping[str, Any]) -> dict[str, Any]:
    """What figures depend on that is no part of a protocol: the model, the seed, and the weights of their rewards."""
    weights = {f"rewards.weights.{name}": weight for name, weight in (record.get("weights") or {}).items()}
    return {"model": record.get("model"), "eval.seed": record.get("seed"), **weights}


def show(metrics: Mapping[str, float]) -> None:
    """Print every metric, those of each task last, with the half width of its interval where the prompts differ."""
    width = max(22, *map(len, metrics))
    for name, value in metrics.items():
        half_width = metrics.get(f"{name}_ci95")
        if not name.endswith("_ci95"):
            known = half_width is not None and half_width > 0
            print(f"  {name:{width}} {value:8.3f}" + (f" ± {half_width:.3f}" if known else ""))


if __name__ == "__main__":
    sys.exit(main())
