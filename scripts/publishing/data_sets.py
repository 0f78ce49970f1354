"""The data that a run was trained and evaluated on: name, SHA-256 and counts, as far as they are still at hand.

Promises that a hash stands only beside a file that has the prompts of the run: the ids that the checkpoint kept are
compared with those of the file. Left out: what the rows say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from grpo.checkpoint.places import STATE
from grpo.rollout.rows import DataError
from grpo_rust.compose.signatures import read_examples
from publishing.finished import DataSet, FinishedRun, sha256_of
from publishing.private import nameless

__all__ = ["data_sets"]

PROMPTS = f"{STATE}/prompts.json"  # in a checkpoint, as grpo_rust.resuming writes it
SPLITS = {"data.train": "train", "data.eval": "test"}


def data_sets(run: FinishedRun) -> list[DataSet]:
    """The sources of a run: what it was trained on, and what it was evaluated on where it was."""
    used = _used_ids(run.checkpoint / PROMPTS)
    sources = {"data.train": run.recipe.data.train}
    if run.evaluations:
        sources["data.eval"] = run.recipe.data.eval
    return [_described(setting, source, used.get(setting)) for setting, source in sources.items()]


def _used_ids(path: Path) -> Mapping[str, Sequence[str]]:
    """The ids of the prompts that a run used, by setting; nothing where the checkpoint does not have them."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {setting: [str(one[0]) for one in prompts] for setting, prompts in kept.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _described(setting: str, source: str, used: Sequence[str] | None) -> DataSet:
    """A source, with its file where that is still the one that the run read."""
    name = nameless(source)
    count = len(used) if used else None
    if ":" in source.partition("/")[0]:  # hf:NAME, oxen:REPO/FILE: where it is kept has versions of its own
        return DataSet(setting, name, count, problem="not a file; see its source for versions")
    if not (path := Path(source)).is_file():
        return DataSet(setting, name, count, problem="the file is not at hand any more")
    try:
        found = read_examples(source, split=SPLITS[setting], system_prompt="", show="as_written")
    except DataError as error:
        return DataSet(setting, name, count, problem=f"the file cannot be read any more: {nameless(str(error))}")
    if used and not set(used) <= {example.id for example in found}:
        return DataSet(setting, name, count, problem="the file has other prompts now than the run had")
    return DataSet(setting, name, count, len(found), sha256_of(path))
