"""Whether two evaluations were made alike, by the protocols in their records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["differences", "same_tasks"]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two protocols disagree about, in words; nothing where figures can be compared.

    A limit of the sandbox that one of them lacks is not compared: older records have some of the limits alone.

    >>> record = {"name": "recipe", "settings": {"eval.top_p": 1.0}, "prompts": {"count": 2, "sha256": "a"}}
    >>> differences(record, {**record, "settings": {"eval.top_p": 0.9}})
    ['eval.top_p: 1.0 and 0.9']
    """
    found = [f"protocol: {one['name']} and {other['name']}"] if one["name"] != other["name"] else []
    keys = [*one["settings"], *(key for key in other["settings"] if key not in one["settings"])]
    for key in keys:
        values = [record["settings"].get(key) for record in (one, other)]
        is_unknown = key.startswith("sandbox.") and None in values
        if values[0] != values[1] and not is_unknown:
            found.append(f"{key}: {values[0]} and {values[1]}")
    counts = [record["prompts"]["count"] for record in (one, other)]
    if counts[0] != counts[1]:
        found.append(f"prompts: {counts[0]} and {counts[1]}")
    elif one["prompts"]["sha256"] != other["prompts"]["sha256"]:
        found.append(f"prompts: {_unlike(one, other)}")
    return found


def same_tasks(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two protocols ask the same tasks: the same prompts, or the same but for `data.show_signature`.

    An older record has no checksum of its tasks: with it, only the same prompts are the same tasks.
    """
    mine, theirs = one["prompts"], other["prompts"]
    if mine["sha256"] == theirs["sha256"]:
        return True
    known = "tasks_sha256" in mine and "tasks_sha256" in theirs
    return known and mine["tasks_sha256"] == theirs["tasks_sha256"] and _shown(mine) != _shown(theirs)


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """How the prompts of two protocols differ, which are equally many."""
    mine, theirs = one["prompts"], other["prompts"]
    if not same_tasks(one, other):
        return f"{mine['count']} that are not the same"
    shown = f"data.show_signature: {_shown(mine)} and {_shown(theirs)}"
    return f"the same {mine['count']} tasks, but their text differs ({shown})"


def _shown(prompts: Mapping[str, Any]) -> str | None:
    """The value of `data.show_signature`; None in an older record."""
    shown: str | None = prompts.get("show_signature")
    return shown
