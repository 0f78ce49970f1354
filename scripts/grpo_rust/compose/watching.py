"""What watches a run of a recipe, and what rehearses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from grpo.engines import Engine
from grpo.engines.process import EngineProcess
from grpo.rollout.records import Example
from grpo.update import Updater
from grpo.watch.memory import memory_metrics
from grpo.watch.rehearsal import longest_samples, rehearse
from grpo.watch.thresholds import Thresholds
from grpo.watch.watching import RunWatch
from grpo_rust.recipe import Recipe

__all__ = ["build_rehearsal", "build_watch"]


def build_watch(recipe: Recipe, engine: Engine) -> RunWatch | None:
    """What watches the run; None where the recipe wants none.

    Args:
        recipe: The settings.
        engine: Whose memory is watched, where it has a process of its own.
    """
    if not recipe.watch.enabled:
        return None
    limits = {name: value for name, value in vars(recipe.watch).items() if name != "enabled"}
    pid = (lambda: engine.pid) if isinstance(engine, EngineProcess) else None
    return RunWatch(Thresholds(**limits), memory=partial(memory_metrics, pid))


def build_rehearsal(
    recipe: Recipe, updater: Updater, examples: Sequence[Example]
) -> Callable[[Callable[[str], None]], None] | None:
    """What runs the longest micro-batch once before the first step, and says its time; None where none is wanted.

    Args:
        recipe: The settings.
        updater: What trains.
        examples: The encoded prompts to train on.
    """
    if not (recipe.watch.enabled and recipe.train.rehearse):
        return None
    samples = longest_samples(
        prompt_tokens=max(len(example.prompt_ids) for example in examples),
        completion_tokens=recipe.sampling.max_completion_tokens,
        group_size=recipe.sampling.group_size,
        groups=recipe.train.prompts_per_step,
        micro_batch_tokens=recipe.train.micro_batch_tokens,
    )

    def rehearsal(say: Callable[[str], None]) -> None:
        seconds = rehearse(updater, samples)
        tokens = sum(len(sample.completion_ids) for sample in samples)
        say(f"rehearsed the longest micro-batch: {len(samples)} completions, {tokens:,} tokens, {seconds:.1f} s")

    return rehearsal
