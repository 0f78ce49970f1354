"""Compares the settings and the prompts of a run that is to be resumed with those that its checkpoint was made with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from grpo.checkpoint.places import STATE
from grpo.errors import BadInput
from grpo.rollout.fingerprints import Fingerprint, difference
from grpo.run.directory import CONFIG
from grpo.schema import load, to_toml
from grpo_rust.recipe import Recipe
from grpo_rust.resuming.changeable import why_changeable

__all__ = ["ResumeRefused", "check_prompts", "check_settings", "kept_texts"]

PROMPTS = f"{STATE}/prompts.json"  # in a checkpoint


class ResumeRefused(BadInput):
    """A run cannot be resumed with these settings or these prompts; names every difference."""


class _Change(NamedTuple):
    """A setting that is another one now."""

    name: str  # section.key
    text: str  # "section.key: was -> is"


def kept_texts(recipe: Recipe, prompts: Mapping[str, list[Fingerprint]]) -> dict[str, str]:
    """The files of a checkpoint that `check_settings` and `check_prompts` read: path in the checkpoint -> content.

    Args:
        recipe: The resolved settings.
        prompts: Fingerprints of what is trained on and evaluated on, by the setting that names the source.
    """
    return {CONFIG: to_toml(recipe.as_begun()), PROMPTS: json.dumps(prompts)}


def check_settings(recipe: Recipe, checkpoint: Path) -> list[str]:
    """Compare a recipe with that of a checkpoint.

    Returns: Settings that have changed and may, as a line each: "train.max_steps: 20 -> 40 (why that may be)".
    Raises:
        ResumeRefused: Where one has changed that may not.
    """
    changes = list(_changes(load(Recipe, checkpoint / CONFIG), recipe))
    if refused := [change.text for change in changes if not why_changeable(change.name)]:
        raise ResumeRefused(
            "\n  ".join([f"{recipe.run_path()} was begun with other settings (was -> is now):", *refused])
            + f"\nResume with those it was begun with, or start a new run from its weights: model.path={checkpoint} "
            "with another run.dir and without run.resume"
        )
    hidden = ("run.resume",)
    return [f"{change.text} ({why_changeable(change.name)})" for change in changes if change.name not in hidden]


def check_prompts(checkpoint: Path, prompts: Mapping[str, list[Fingerprint]]) -> None:
    """Compare prompts with those of a checkpoint.

    Args:
        checkpoint: Its directory.
        prompts: As for `kept_texts`.
    Raises:
        ResumeRefused: Where some are gone, new or changed, or their order is another one.
    """
    kept: dict[str, list[list[str]]] = json.loads((checkpoint / PROMPTS).read_text(encoding="utf-8"))
    found = {
        setting: difference([Fingerprint(*pair) for pair in kept.get(setting, [])], now)
        for setting, now in prompts.items()
    }
    if differing := [f"{setting}: {text}" for setting, text in found.items() if text]:
        raise ResumeRefused(
            "\n  ".join(["the prompts are not those that the run was begun with:", *differing])
            + "\nResume with the same data and limits; the file may have another name or place"
        )


def _changes(was: Recipe, now: Recipe) -> Iterator[_Change]:
    """Every setting that differs; of a table every entry."""
    for section in dataclasses.fields(Recipe):
        before, after = vars(getattr(was, section.name)), vars(getattr(now, section.name))
        for key, value in before.items():
            name = f"{section.name}.{key}"
            if isinstance(value, Mapping):
                for entry in [*value, *(entry for entry in after[key] if entry not in value)]:
                    if value.get(entry) != after[key].get(entry):
                        yield _Change(name, f"{name}.{entry}: {_shown(value, entry)} -> {_shown(after[key], entry)}")
            elif value != after[key]:
                yield _Change(name, f"{name}: {_shown(before, key)} -> {_shown(after, key)}")


def _shown(values: Mapping[str, Any], key: str) -> str:
    """A value as a recipe has it."""
    return json.dumps(values[key], ensure_ascii=False) if key in values else "none"
