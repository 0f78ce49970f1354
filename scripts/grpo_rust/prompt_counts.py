"""How many prompts a source has, counted without loading it."""

from __future__ import annotations

import json
from pathlib import Path

from grpo.rollout.rows import SUFFIXES
from grpo.schema import ConfigError
from grpo_rust.known_sizes import known_prompts

__all__ = ["available_prompts", "count_prompts"]


def available_prompts(source: str, *, key: str) -> tuple[int | None, str]:
    """The number of prompts of a source, and the same as text; a published file does not have to be there.

    Args and errors are those of `count_prompts`.
    """
    published = known_prompts(source)
    if published and not Path(source).exists():
        return published, f"{published:,} (as published: the file is not here yet)"
    count = count_prompts(source, key=key)
    return count, "an unknown number" if count is None else f"{count:,}"


def count_prompts(source: str, *, key: str) -> int | None:
    """Number of rows of a .jsonl, .json or .parquet file without loading it; None for a hub data set.

    Args:
        source: A file or hf:NAME, as in the recipe.
        key: The setting to name in an error.

    Raises:
        ConfigError: For a missing, unreadable or empty file, or one of another kind.
    """
    if source.startswith("hf:"):
        return None
    path = Path(source)
    try:
        if path.is_file() and path.suffix not in SUFFIXES:
            raise ValueError(f"a file that ends in {path.suffix!r} is not read")
        count = _count_parquet(path) if path.suffix == ".parquet" else _count_lines(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(
            f"{key} = {source!r}: {reason}. Give a .jsonl or .parquet file, as seen from {Path.cwd()}, or hf:NAME"
        ) from error
    if not count:
        raise ConfigError(f"{key} = {source!r}: the file has no rows")
    return count


def _count_lines(path: Path) -> int:
    """Rows of a file that holds one JSON value a line, or one list."""
    with open(path, "rb") as lines:
        if path.suffix == ".json" and lines.read(1) == b"[":
            return len(json.loads(path.read_bytes()))
        lines.seek(0)
        return sum(1 for line in lines if line.strip())


def _count_parquet(path: Path) -> int:
    """Rows as the file's footer states them."""
    from pyarrow import parquet  # only here: the other formats need nothing

    return int(parquet.read_metadata(path).num_rows)
