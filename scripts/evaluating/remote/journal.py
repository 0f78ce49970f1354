"""The journal of an evaluation: goes on only for the same model, fields of requests and protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluating.agreement import differences
from remote_api.journal import Journal

__all__ = ["open_journal"]


def open_journal(path: Path, header: Mapping[str, Any]) -> Journal:
    """Open or begin the journal of an evaluation, whose answers are named by a task's id and which completion it is.

    Args:
        path: Of the file.
        header: {"model", "base_url", "body", "protocol"}, plain JSON values.
    Raises: As `Journal`.
    """
    return Journal(path, header, ("task_id", "sample"), _differences)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What the evaluations of two headers disagree about."""
    found = [f"{key}: {before[key]} and {now[key]}" for key in ("model", "base_url", "body") if before[key] != now[key]]
    return found + differences(before["protocol"], now["protocol"])
