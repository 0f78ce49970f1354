"""How many prompts a run has, for its plan: read and refused as by training, but for their tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from grpo.rollout.oxen_source import is_remote_oxen
from grpo.rollout.records import Example
from grpo_rust.compose.evaluation_only import check_trainable
from grpo_rust.compose.prompts import read_held_out, read_rewarded_examples
from grpo_rust.compose.signatures import signature_note
from grpo_rust.known_sizes import known_prompts
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import PromptCount

__all__ = ["count_held_out", "count_training"]


def count_training(recipe: Recipe) -> PromptCount:
    """The prompts to train on. Nothing is downloaded.

    Raises: As `read_rewarded_examples`; BadInput for the name of a data set that must not be trained on.
    """
    if _elsewhere(recipe.data.train):
        check_trainable(recipe.data.train, ())
    return _count(recipe.data.train, recipe.data.show_signature, lambda: read_rewarded_examples(recipe))


def count_held_out(recipe: Recipe) -> PromptCount:
    """The prompts of one evaluation, at most `eval.prompts`, of which 0 is none. Raises: As `read_held_out`."""
    if not recipe.eval.prompts:
        return PromptCount(0)
    found = _count(recipe.data.eval, recipe.data.show_signature, lambda: read_held_out(recipe))
    return found if found.count is None else replace(found, count=min(found.count, recipe.eval.prompts))


def _count(source: str, show: str, read: Callable[[], Sequence[Example]]) -> PromptCount:
    """The prompts of a source; a published file does not have to be here."""
    published, is_remote = known_prompts(source), is_remote_oxen(source)
    if published and (is_remote or not (source.startswith("oxen:") or Path(source).exists())):
        return PromptCount(published, "as published: the file is not here yet")
    if is_remote or _elsewhere(source):
        return PromptCount(None)
    examples = read()
    return PromptCount(len(examples), signature_note(examples, show))


def _elsewhere(source: str) -> bool:
    """Whether a source is the name of a data set on a server, which a plan does not download."""
    return (source.startswith("hf:") and source != "hf:") or is_remote_oxen(source)
