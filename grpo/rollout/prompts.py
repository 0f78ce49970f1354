"""Prompts: from a file or a data set to `Example` records, and the order in which training draws them.

Reads jsonl and parquet through `datasets`, from a local path or, as `hf:NAME`, from the hub. The prompt column is
`prompt` or `rust_prompt`; `task_id` names the row where there is one; every other column travels along to the
rewards.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grpo.errors import BadInput
from grpo.rollout.records import Example

__all__ = ["LOADERS", "DataError", "PromptStream", "encode_prompts", "load_examples"]

PROMPT_COLUMNS = ("prompt", "rust_prompt")
LOADERS = {".jsonl": "json", ".json": "json", ".parquet": "parquet"}


class DataError(BadInput):
    """The prompts cannot be used; says which file, which row, and what to do."""


def load_examples(source: str, *, split: str, system_prompt: str = "") -> list[Example]:
    """Read every prompt of a data set.

    Args: source, a .jsonl or .parquet path, or `hf:NAME`; split, the hub split to read ("train"); system_prompt, put
        before every prompt as a system message unless empty. A row's prompt is text, or a list of chat messages.
    Returns: examples in file order.
    Raises: DataError for a missing file, an unreadable one, no rows, a missing column, an empty prompt, a duplicate
        task_id.
    """
    rows = _read(source, split)
    if not rows:
        raise DataError(f"{source} has no rows: training needs at least one prompt")
    column = next((name for name in PROMPT_COLUMNS if name in rows[0]), None)
    if column is None:
        raise DataError(f"{source} has the columns {', '.join(rows[0])}; one must be named prompt or rust_prompt")
    examples = [_example(row, index, column, source, system_prompt) for index, row in enumerate(rows)]
    seen: dict[str, int] = {}
    for index, example in enumerate(examples):
        if example.id in seen:
            raise DataError(
                f"{source}: rows {seen[example.id]} and {index} share the task_id {example.id!r}; make them unique"
            )
        seen[example.id] = index
    return examples


def encode_prompts(
    examples: Sequence[Example],
    encode: Callable[[Sequence[Mapping[str, str]]], tuple[int, ...]],
    *,
    max_tokens: int,
    long_prompts: str,
) -> tuple[list[Example], dict[str, tuple[int, ...]]]:
    """Token ids of every prompt, with prompts over the limit refused or left out.

    Args: examples; encode, `Policy.encode`; max_tokens, the limit; long_prompts, "error" or "skip".
    Returns: the examples that fit, and their token ids by example id.
    Raises: DataError when a prompt is too long and that is an error, or when none fits.
    """
    encoded = {example.id: encode(example.messages) for example in examples}
    too_long = [example.id for example in examples if len(encoded[example.id]) > max_tokens]
    if too_long and (long_prompts == "error" or len(too_long) == len(examples)):
        longest = max(too_long, key=lambda example_id: len(encoded[example_id]))
        raise DataError(
            f"{len(too_long)} of {len(examples)} prompts are longer than data.max_prompt_tokens = {max_tokens} (the "
            f"longest, {longest}, has {len(encoded[longest])}): raise the limit, shorten them, or set "
            'data.long_prompts = "skip"'
        )
    kept = [example for example in examples if len(encoded[example.id]) <= max_tokens]
    return kept, {example.id: encoded[example.id] for example in kept}


class PromptStream:
    """Examples in seeded random order, epoch after epoch; the order is a function of the seed and the position alone.

    >>> stream = PromptStream([Example(str(i), ()) for i in range(4)], seed=0)
    >>> first = stream.take(4)
    >>> sorted(example.id for example in first), stream.position
    (['0', '1', '2', '3'], 4)
    """

    def __init__(self, examples: Sequence[Example], *, seed: int, position: int = 0, again: float = 1.0) -> None:
        """Args: position, where to begin; again, the chance that a `dull` example is drawn when its turn comes."""
        if not examples:
            raise DataError("there are no prompts to draw from")
        self._examples = list(examples)
        self.by_id = {example.id: example for example in examples}
        self._seed = seed
        self._again = again
        self._order: tuple[int, list[int]] = (-1, [])
        self.position = position  # turns since the start; with `dull`, all that a checkpoint has to keep
        self.zero_std: set[str] = set()  # ids of examples whose completions earned all the same when last seen

    def take(self, count: int) -> list[Example]:
        """The next `count` examples; an epoch that ends is followed by the next one, reshuffled."""
        taken: list[Example] = []
        while len(taken) < count:
            example = self._at(self.position)
            if example.id not in self.zero_std or self._chance(self.position) < self._again:
                taken.append(example)
            self.position += 1
        return taken

    def _chance(self, position: int) -> float:
        """A random number from 0 to 1 that belongs to a position."""
        return random.Random(f"{self._seed}/again/{position}").random()

    def _at(self, position: int) -> Example:
        """The example at a position of the endless stream."""
        epoch, offset = divmod(position, len(self._examples))
        if self._order[0] != epoch:
            order = list(range(len(self._examples)))
            random.Random(f"{self._seed}/{epoch}").shuffle(order)
            self._order = (epoch, order)
        return self._examples[self._order[1][offset]]


def _read(source: str, split: str) -> list[dict[str, Any]]:
    """The rows of a source; all have the same columns."""
    import datasets  # here, because it takes a second to load and `PromptStream` does not need it

    datasets.disable_progress_bars()
    try:
        if source == "hf:":
            raise DataError("hf: names no data set: give hf:NAME, or a .jsonl or .parquet path")
        if source.startswith("hf:"):
            return list(datasets.load_dataset(source.removeprefix("hf:"), split=split))
        path = Path(source)
        if not path.is_file():
            raise DataError(f"no file {source}: give a .jsonl or .parquet path, or hf:NAME for a data set of the hub")
        if path.suffix not in LOADERS:
            raise DataError(f"{source} ends in {path.suffix!r}; prompts are read from {', '.join(LOADERS)}")
        if path.stat().st_size == 0:
            raise DataError(f"{source} is empty: training needs at least one prompt")
        with tempfile.TemporaryDirectory() as cache:
            return list(
                datasets.load_dataset(
                    LOADERS[path.suffix], data_files=str(path), split="train", cache_dir=cache, keep_in_memory=True
                )
            )
    except DataError:
        raise
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"cannot read prompts from {source}: {error.__cause__ or error}") from error


def _example(row: Mapping[str, Any], index: int, column: str, source: str, system_prompt: str) -> Example:
    """One row as an example."""
    prompt = row[column]
    messages = list(prompt) if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    if not messages or not all(map(_is_message, messages)):
        raise DataError(
            f"{source}: row {index} has no text in column {column!r}: give text, or a list of messages, each with a "
            "role and a content of text"
        )
    if system_prompt and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system_prompt})
    task_id = row.get("task_id")
    columns = {name: value for name, value in row.items() if name not in (column, "task_id")}
    return Example(str(index if task_id is None else task_id), tuple(messages), columns)


def _is_message(message: Any) -> bool:
    """Whether this is a chat message with text in it."""
    if not isinstance(message, Mapping):
        return False
    return all(isinstance(message.get(key), str) and message[key].strip() for key in ("role", "content"))
