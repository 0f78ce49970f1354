"""The folder that is published: weights, tokenizer and settings of a checkpoint, adapters, recipe, model card.

Promises that it is there whole or not at all, that nothing at its place is overwritten, and that it holds nothing of
`publishing.private`. Left out: what only training needs (`trainer_state`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from grpo.config import TrackSection
from grpo.errors import BadInput, HostFailed
from grpo.run.directory import CONFIG
from grpo.schema import to_toml
from publishing.card import RECIPE_FILE, card_text
from publishing.data_sets import data_sets
from publishing.finished import FinishedRun
from publishing.header import BaseModel, header_yaml
from publishing.private import find_private, nameless, private_of

__all__ = ["build_folder", "sizes"]

ROOT = Path(__file__).resolve().parents[2]
ADAPTER, CARD = "adapter", "README.md"
NOT_PUBLISHED = {CONFIG, CARD}  # of a checkpoint: its settings name this machine's folders, the card is written anew


def build_folder(
    run: FinishedRun, base: BaseModel, out: Path, *, then: Callable[[Path], None] = lambda folder: None
) -> Path:
    """Write the folder.

    Args:
        run: What is published.
        base: What it began from.
        out: Where nothing exists yet.
        then: Called with the folder before it has its name and its card, to put more into it.
    Returns: `out`.
    Raises:
        BadInput: Where something exists there.
        HostFailed: Where it would hold something private, or the host refuses; nothing is left then.
    """
    if os.path.lexists(out):
        raise BadInput(f"{out} exists already: give another --out, or remove it")
    aside = out.with_name(f".unfinished-{out.name}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        _copy_model(run, base, aside)
        then(aside)
        data = data_sets(run)
        text = card_text(run, base, data, list(sizes(aside)))
        (aside / CARD).write_text(f"---\n{header_yaml(run, base, data)}\n---\n\n{text}", encoding="utf-8")
        _refuse_private(run, aside)
        aside.rename(out)
    except OSError as error:
        raise HostFailed(f"cannot write {out}: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return out


def sizes(folder: Path) -> dict[str, int]:
    """The bytes of every file of a folder, by its name in it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def _copy_model(run: FinishedRun, base: BaseModel, folder: Path) -> None:
    """The checkpoint's files without what only training needs, and the recipe."""
    for path in sorted(run.checkpoint.iterdir()):
        if path.is_file() and path.name not in NOT_PUBLISHED:
            shutil.copyfile(path, folder / path.name)
    if (run.checkpoint / ADAPTER).is_dir():
        (folder / ADAPTER).mkdir()
        for path in sorted((run.checkpoint / ADAPTER).glob("*")):
            if path.is_file() and path.name != CARD:  # peft writes one with the base model's folder in it
                shutil.copyfile(path, folder / ADAPTER / path.name)
        _rename_base(folder / ADAPTER / "adapter_config.json", base.name)
    (folder / RECIPE_FILE).write_text(_recipe(run, base), encoding="utf-8")


def _rename_base(path: Path, name: str) -> None:
    """Give the adapters' settings the base model's name in place of its folder."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = name
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _recipe(run: FinishedRun, base: BaseModel) -> str:
    """Every setting of the run, with names in place of this machine's folders."""
    recipe = run.recipe
    settings = dataclasses.replace(
        recipe,
        run=dataclasses.replace(recipe.run, dir="", resume=False),
        model=dataclasses.replace(recipe.model, path=base.hub_name or nameless(recipe.model.path)),
        data=dataclasses.replace(
            recipe.data,
            train=nameless(recipe.data.train),
            train_mix=_nameless_keys(recipe.data.train_mix),
            eval=nameless(recipe.data.eval),
            eval_mix=_nameless_keys(recipe.data.eval_mix),
        ),
        rewards=dataclasses.replace(recipe.rewards, weights=_nameless_keys(recipe.rewards.weights)),
        loss=dataclasses.replace(recipe.loss, name=nameless(recipe.loss.name)),
        track=TrackSection(),  # who followed the run changes nothing of it, and where is private
    )
    return to_toml(settings)


def _nameless_keys(table: Mapping[str, float]) -> dict[str, float]:
    return {nameless(name): weight for name, weight in table.items()}


def _refuse_private(run: FinishedRun, folder: Path) -> None:
    """Look through what was written. Raises: HostFailed, naming what is found and where."""
    told = [json.dumps(dict(run.environment)), to_toml(run.recipe), str(run.path.resolve())]
    given = [Path(path) for path in (run.recipe.run.dir, run.recipe.model.path) if Path(path).is_absolute()]
    private = private_of(texts=told, folders=[ROOT, run.path, *given], environment=os.environ)
    if found := find_private(folder, private):
        raise HostFailed("\n  ".join(["nothing is published, because it would tell of this machine:", *found]))
