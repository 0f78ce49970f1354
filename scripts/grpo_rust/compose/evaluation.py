"""Evaluations of a recipe: who scores them, when they are made, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grpo.engines import Engine, SamplingParams
from grpo.evaluate import Evaluation, evaluate
from grpo.model.policy import Policy
from grpo.rollout.engine_restart import RestartingEngine
from grpo.rollout.records import Example, Grader
from grpo.update import Updater
from grpo_rust.compose.turns import build_turns
from grpo_rust.recipe import Recipe

__all__ = ["build_evaluation", "describe", "evaluate_policy"]


NOT_RATES = ("asserts", "length_mean", "reward_mean")  # of an evaluation: amounts
AMOUNT = "_tokens"  # ends the name of a task's fact that is no rate


def build_evaluation(
    recipe: Recipe,
    updater: Updater,
    engine: RestartingEngine,
    grader: Grader,
    held_out: Sequence[Example],
    *,
    syncs: bool = False,
) -> Callable[[int, Callable[[], bool]], Evaluation] | None:
    """What evaluates the weights after a step, unless it is asked to stop; None without held-out prompts.

    Args:
        recipe: The settings.
        updater: Has the weights.
        engine: Samples the completions.
        grader: Scores them.
        held_out: The prompts, encoded.
        syncs: Whether the engine has to be given the weights first; GRPO does so after every step anyway.
    """

    def evaluation(step: int, should_stop: Callable[[], bool]) -> Evaluation:
        if syncs:
            engine.sync_weights()
        return engine.with_restart(
            lambda: evaluate_policy(
                recipe,
                updater.policy,
                engine.engine,
                grader,
                held_out,
                f"e{step}",
                version=updater.updates,
                should_stop=should_stop,
            )
        )

    return evaluation if held_out else None


def evaluate_policy(
    recipe: Recipe,
    policy: Policy,
    engine: Engine,
    grader: Grader,
    held_out: Sequence[Example],
    id_prefix: str,
    *,
    version: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Evaluate a policy on held-out prompts as the recipe's `eval` section says.

    Args:
        recipe: The settings.
        policy: What is evaluated, after so many weight updates: `version`.
        engine: Has its weights.
        grader: Scores the completions.
        held_out: The prompts, encoded.
        id_prefix: Begins the completions' ids.
        version: Number of weight updates.
        should_stop: True gives the evaluation up, as `grpo.evaluate.evaluate` says.
    """
    params = SamplingParams(
        num_samples=recipe.eval.samples,
        max_tokens=recipe.sampling.max_completion_tokens,
        temperature=recipe.eval.temperature,
        seed=recipe.eval.seed,
        top_p=recipe.eval.top_p,
    )
    return evaluate(
        engine,
        grader,
        policy.decode,
        held_out,
        params,
        id_prefix=id_prefix,
        max_rows=recipe.train.prompts_per_step * recipe.sampling.group_size,
        policy_version=version,
        turns=build_turns(recipe, policy, grader),
        should_stop=should_stop,
    )


def describe(evaluation: Evaluation) -> str:
    """The rates of an evaluation in one line; of several tasks also what share of each is solved."""
    amounts = {name for name in evaluation.counts if name in NOT_RATES or name.endswith(AMOUNT)}
    rates = {name: total / count for name, (total, count) in evaluation.counts.items() if name not in amounts}
    solved = {task: evaluation.metrics.get(f"eval/task/{task}/pass_at_1") for task in evaluation.by_task}
    by_task = ", ".join(f"{task} {share:.1%}" for task, share in solved.items() if share is not None)
    return "  ".join(f"{name} {rate:.1%}" for name, rate in rates.items()) + (f"; solved: {by_task}" if by_task else "")
