"""What a word for a model names: a checkpoint, a run directory, a name on the hub, or a model behind an API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grpo.checkpoint.places import find_checkpoints
from grpo.errors import BadInput
from grpo.run.directory import CONFIG

__all__ = ["API", "NamedModel", "name_models", "run_config"]

API = "api:"


@dataclass(frozen=True)
class NamedModel:
    """A model to evaluate."""

    path: str  # a checkpoint's directory or a hub name; of an API, the name that it knows the model by
    label: str  # what files and tables call it
    is_api: bool = False


def name_models(words: Sequence[str]) -> list[NamedModel]:
    """The models that words name, each with a label of its own.

    Args:
        words: A checkpoint's directory; a run's, which means its newest checkpoint; a hub name; `api:NAME`.
    Raises:
        BadInput: For a run without checkpoints, an empty name, and models that would have the same label.

    >>> [model.label for model in name_models(["Qwen/Qwen2.5-Coder-1.5B", "api:openai/gpt-4.5"])]
    ['Qwen2.5-Coder-1.5B', 'gpt-4.5']
    """
    models = [_named(word) for word in words]
    twice = [label for label, count in Counter(model.label for model in models).items() if count > 1]
    if twice:
        raise BadInput(f"several models would be called {twice[0]}: evaluate them one by one, each with its --out")
    return models


def run_config(word: str) -> Path | None:
    """The settings of the run whose directory a word names; None for any other word."""
    config = Path(word) / CONFIG
    return config if config.is_file() and (Path(word) / "checkpoints").is_dir() else None


def _named(word: str) -> NamedModel:
    if word.startswith(API):
        name = word.removeprefix(API)
        if not name:
            raise BadInput("api: names no model: give api:NAME, with the name that the API knows it by")
        return NamedModel(name, _label(name.rpartition("/")[2]), is_api=True)
    path = Path(word)
    if run_config(word):
        found = find_checkpoints(path / "checkpoints")
        if not found:
            raise BadInput(f"{word} is a run without a checkpoint: train longer, or name another model")
        path = found[max(found)]
        return NamedModel(str(path), _label(f"{Path(word).resolve().name}-{path.name}"))
    if path.parent.name == "checkpoints":
        return NamedModel(word, _label(f"{path.resolve().parents[1].name}-{path.name}"))
    return NamedModel(word, _label(path.name or path.resolve().name))


def _label(name: str) -> str:
    """A name that can be a file's."""
    return re.sub(r"[^\w.+-]", "-", name).lstrip(".-") or "model"
