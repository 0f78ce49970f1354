"""How many prompts a run has, for its plan: read and refused as by training, but for their tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grpo.rollout.epochs import Share, turns_of_pass
from grpo.rollout.oxen_source import is_remote_oxen
from grpo.rollout.records import Example
from grpo_rust.compose.evaluation_only import check_trainable
from grpo_rust.compose.prompts import WITHOUT_SUITES, count_unjudged, read_held_out_source, read_rewarded_source
from grpo_rust.compose.signatures import signature_note
from grpo_rust.known_sizes import known_prompts
from grpo_rust.recipe import Recipe
from grpo_rust.run_size import PromptCount

__all__ = ["count_held_out", "count_training"]


def count_training(recipe: Recipe) -> PromptCount:
    """The prompts to train on. Nothing is downloaded.

    Raises: As `read_rewarded_source`; BadInput for the name of a data set that must not be trained on.
    """
    sources = recipe.data.train_sources()
    counts = []
    for source in sources:
        if _elsewhere(source):
            check_trainable(source, ())
        counts.append(_count(source, recipe, partial(read_rewarded_source, recipe, source), rewarded=True))
    if len(counts) == 1:
        return counts[0]
    shares = [Share(one.count or 0, weight) for one, weight in zip(counts, sources.values(), strict=True)]
    turns = None if counts[0].count is None else turns_of_pass(shares)
    parts = [f"{one} of weight {share.weight:g}" for one, share in zip(counts, shares, strict=True)]
    length = "" if turns is None else f"; {math.ceil(round(turns, 6)):,} turns a pass"
    return PromptCount(_total([one.count for one in counts]), " + ".join(parts) + length, turns)


def count_held_out(recipe: Recipe) -> PromptCount:
    """The prompts of one evaluation, `eval.prompts` of a source of weight 1. Raises: As `read_held_out`."""
    if not recipe.eval.prompts:
        return PromptCount(0)
    counts = [_held_out(recipe, source, weight) for source, weight in recipe.data.eval_sources().items()]
    if len(counts) == 1:
        return counts[0]
    return PromptCount(_total([one.count for one in counts]), " + ".join(map(str, counts)))


def _held_out(recipe: Recipe, source: str, weight: float) -> PromptCount:
    """The prompts of one source in an evaluation."""
    most = recipe.eval.num_prompts(weight)
    found = _count(source, recipe, lambda: read_held_out_source(recipe, source)[:most])
    return found if found.count is None else replace(found, count=min(found.count, most))


def _total(counts: Sequence[int | None]) -> int | None:
    """The sum; None where one of them is not known."""
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None


def _count(
    source: str, recipe: Recipe, read: Callable[[], Sequence[Example]], *, rewarded: bool = False
) -> PromptCount:
    """The prompts of a source; a published file does not have to be here."""
    published, is_remote = known_prompts(source), is_remote_oxen(source)
    if published and (is_remote or not (source.startswith("oxen:") or Path(source).exists())):
        return PromptCount(published, "as published: the file is not here yet")
    if is_remote or _elsewhere(source):
        return PromptCount(None)
    examples = read()
    unjudged = count_unjudged(recipe, examples) if rewarded else 0
    notes = [signature_note(examples, recipe.data.show_signature), f"{unjudged} {WITHOUT_SUITES}" if unjudged else ""]
    return PromptCount(len(examples), ", ".join(filter(None, notes)))


def _elsewhere(source: str) -> bool:
    """Whether a source is the name of a data set on a server, which a plan does not download."""
    return (source.startswith("hf:") and source != "hf:") or is_remote_oxen(source)
