"""What watches a run of a recipe, and what rehearses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from grpo.engines import Engine
from grpo.engines.process import EngineProcess
from grpo.model.batching import TrainingSample
from grpo.rollout.records import Example
from grpo.update import Updater
from grpo.watch.memory import memory_metrics
from grpo.watch.rehearsal import largest_micro_batch, longest_samples, rehearse
from grpo.watch.thresholds import Thresholds
from grpo.watch.watching import RunWatch
from grpo_rust.compose.turns import sequence_limit
from grpo_rust.recipe import Recipe
from sandbox.terminal import counted

__all__ = ["build_rehearsal", "build_supervised_rehearsal", "build_watch"]


def build_watch(recipe: Recipe, engine: Engine | None) -> RunWatch | None:
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
    longest, group_size = max(len(example.prompt_ids) for example in examples), recipe.sampling.group_size
    if recipe.rollout.turns > 1:  # the last turns have the longest prompts, and share none
        longest = max(longest, sequence_limit(recipe, updater.policy) - recipe.sampling.max_completion_tokens)
        group_size = 1
    samples = longest_samples(
        prompt_tokens=longest,
        completion_tokens=recipe.sampling.max_completion_tokens,
        group_size=group_size,
        groups=recipe.train.prompts_per_step * recipe.sampling.group_size // group_size,
        micro_batch_tokens=recipe.train.micro_batch_tokens,
    )
    return _rehearsal(updater, samples)


def build_supervised_rehearsal(
    recipe: Recipe, updater: Updater, demonstrations: Sequence[TrainingSample]
) -> Callable[[Callable[[str], None]], None] | None:
    """As `build_rehearsal`, over the longest demonstrations."""
    if not (recipe.watch.enabled and recipe.train.rehearse):
        return None
    longest = sorted(demonstrations, key=lambda sample: -len(sample.token_ids))[: recipe.train.prompts_per_step]
    return _rehearsal(updater, largest_micro_batch(longest, max_tokens=recipe.train.micro_batch_tokens))


def _rehearsal(updater: Updater, samples: Sequence[TrainingSample]) -> Callable[[Callable[[str], None]], None]:
    """What rehearses with these samples, and says how long it took."""

    def rehearsal(say: Callable[[str], None]) -> None:
        seconds = rehearse(updater, samples)
        tokens = sum(len(sample.completion_ids) for sample in samples)
        size = f"{counted(len(samples), 'completion')}, {counted(tokens, 'token')}"
        say(f"rehearsed the longest micro-batch: {size}, {seconds:.1f} s")

    return rehearsal
