"""The data that a run was trained and evaluated on: name, SHA-256 and counts, as far as they are still at hand.

Promises that a hash stands only beside a file that has the prompts of the run: the ids that the checkpoint kept are
compared with those of the file. Left out: what the rows say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grpo.checkpoint.checksums import sha256_of
from grpo.checkpoint.places import STATE
from grpo.rollout.records import Example
from grpo.rollout.rows import DataError
from grpo_rust.compose.signatures import read_examples
from grpo_rust.compose.sources import with_unique_ids
from publishing.finished import DataSet, FinishedRun
from publishing.private import nameless

__all__ = ["data_sets"]

PROMPTS = f"{STATE}/prompts.json"  # in a checkpoint, as grpo_rust.resuming writes it
SPLITS = {"data.train": "train", "data.eval": "test"}


def data_sets(run: FinishedRun) -> list[DataSet]:
    """The sources of a run: what it was trained on, and what it was evaluated on where it was."""
    used = _used_ids(run.checkpoint / PROMPTS)
    settings = {"data.train": run.recipe.data.train_sources()}
    if run.evaluations:
        settings["data.eval"] = run.recipe.data.eval_sources()
    return [one for setting, sources in settings.items() for one in _described(setting, sources, used.get(setting))]


def _used_ids(path: Path) -> Mapping[str, Sequence[str]]:
    """The ids of the prompts that a run used, by setting; nothing where the checkpoint does not have them."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {setting: [str(one[0]) for one in prompts] for setting, prompts in kept.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _described(setting: str, sources: Iterable[str], used: Sequence[str] | None) -> list[DataSet]:
    """The sources of a setting, each with its file where all are still those that the run read."""
    found, problems = dict[str, list[Example]](), dict[str, str]()
    for source in sources:
        try:
            found[source] = _read(setting, source)
        except DataError as error:
            problems[source] = str(error)
    if problems:  # ids depend on all sources, so one that is missing leaves the others uncompared
        count = len(used) if used and len([*sources]) == 1 else None
        other = "another source of the run is not at hand any more"
        return [DataSet(setting, nameless(one), count, problem=problems.get(one, other)) for one in sources]
    return _compared(setting, with_unique_ids(found), used)


def _read(setting: str, source: str) -> list[Example]:
    """The rows of a source that is a file. Raises: DataError, with what the card says in place of a hash."""
    if ":" in source.partition("/")[0]:  # hf:NAME, oxen:REPO/FILE: where it is kept has versions of its own
        raise DataError("not a file; see its source for versions")
    if not Path(source).is_file():
        raise DataError("the file is not at hand any more")
    try:
        return read_examples(source, split=SPLITS[setting], system_prompt="", show="as_written")
    except DataError as error:
        raise DataError(f"the file cannot be read any more: {nameless(str(error))}") from None


def _compared(setting: str, found: Mapping[str, Sequence[Example]], used: Sequence[str] | None) -> list[DataSet]:
    """The sources, with the hash of their files where these have the prompts that the run used."""
    ids = {source: {example.id for example in examples} for source, examples in found.items()}
    alone, is_other = len(found) == 1, bool(used) and not set(used or ()) <= set().union(*ids.values())
    described = []
    for source, examples in found.items():
        count = sum(alone or name in ids[source] for name in used or ()) or None
        if is_other:
            other = "the file has other prompts now than the run had"
            described.append(DataSet(setting, nameless(source), count if alone else None, problem=other))
        else:
            described.append(DataSet(setting, nameless(source), count, len(examples), sha256_of(Path(source))))
    return described
