"""Whether two evaluations were made alike, by the protocols in their records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["differences"]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two protocols disagree about, in words; nothing where figures can be compared.

    >>> record = {"name": "recipe", "settings": {"eval.top_p": 1.0}, "prompts": {"count": 2, "sha256": "a"}}
    >>> differences(record, {**record, "settings": {"eval.top_p": 0.9}})
    ['eval.top_p: 1.0 and 0.9']
    """
    found = [f"protocol: {one['name']} and {other['name']}"] if one["name"] != other["name"] else []
    keys = [*one["settings"], *(key for key in other["settings"] if key not in one["settings"])]
    for key in keys:
        values = [record["settings"].get(key) for record in (one, other)]
        if values[0] != values[1]:
            found.append(f"{key}: {values[0]} and {values[1]}")
    counts = [record["prompts"]["count"] for record in (one, other)]
    if counts[0] != counts[1]:
        found.append(f"prompts: {counts[0]} and {counts[1]}")
    elif one["prompts"]["sha256"] != other["prompts"]["sha256"]:
        found.append(f"prompts: {counts[0]} that are not the same")
    return found
