"""Prompts: from the rows of a data set (`grpo.rollout.rows`) to `Example` records, encoded, and drawn in order.

The prompt column is `prompt`, or another that the caller names. `task_id` names the row where there is one. Every other
column is passed on to the rewards.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grpo.rollout.epochs import MixedOrder, Share, turns_of_pass
from grpo.rollout.records import PLAIN_TASK, Example
from grpo.rollout.rows import DataError, read_rows

__all__ = ["PromptStream", "encode_prompts", "load_examples"]

ROLES = ("system", "developer", "user", "assistant", "tool")  # of chat messages


class _BadRow(ValueError):
    """What is wrong with a row, in words."""


def load_examples(
    source: str,
    *,
    split: str,
    system_prompt: str = "",
    prompt_columns: Sequence[str] = ("prompt",),
    prompt_of: Callable[[Mapping[str, Any], str], Any] = lambda row, column: row[column],
    prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda row: row,
) -> list[Example]:
    """Read every prompt of a data set.

    Args:
        source: A .jsonl or .parquet path, `hf:NAME` or `oxen:REPOSITORY/FILE`. A row's prompt is text, or a list of
            chat messages.
        split: The split of a hub data set.
        system_prompt: Put before every prompt as a system message, unless empty.
        prompt_columns: Names that the column of the prompts may have; the first that is there counts.
        prepare: Makes the row that counts from each row as it is read, for example one with a prompt; what it says with
            a ValueError is said of that row.
        prompt_of: What of a row and that column is the prompt, as text or messages; called for non-empty ones only.
    Returns: Examples in file order.
    Raises:
        DataError: For a missing or unreadable file, no rows, a missing column, an empty prompt, a duplicate task_id.
    """
    rows = _prepared(read_rows(source, split), prepare, source)
    column = next((name for name in prompt_columns if name in rows[0]), None)
    if column is None:
        raise DataError(
            f"{source} has the columns {', '.join(rows[0]) or 'of no name'}; one must be named "
            f"{' or '.join(prompt_columns)}"
        )
    examples = []
    for index, row in enumerate(rows):
        try:
            _messages(row[column], column)  # before `prompt_of` reads it
            examples.append(_example(row, prompt_of(row, column), index, column, system_prompt))
        except _BadRow as error:
            raise DataError(f"{source}: row {index} {error}") from None
    seen: dict[str, int] = {}
    for index, example in enumerate(examples):
        if example.id in seen:
            raise DataError(
                f"{source}: rows {seen[example.id]} and {index} share the task_id {example.id!r}; make them unique"
            )
        seen[example.id] = index
    return examples


def _prepared(
    rows: Sequence[Mapping[str, Any]], prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]], source: str
) -> list[Mapping[str, Any]]:
    """The rows that count, all with the same columns. Raises: DataError."""
    found = []
    for index, row in enumerate(rows):
        try:
            found.append(prepare(row))
        except ValueError as error:
            raise DataError(f"{source}: row {index} {error}") from None
    columns = dict.fromkeys(name for row in found for name in row)
    return [row if len(row) == len(columns) else {**dict.fromkeys(columns), **row} for row in found]


def encode_prompts(
    examples: Sequence[Example],
    encode: Callable[[Sequence[Mapping[str, str]]], tuple[int, ...]],
    *,
    max_tokens: int,
    long_prompts: str,
    encode_answer: Callable[[str], tuple[int, ...]] | None = None,
    encode_infill: Callable[[str, str], tuple[int, ...]] | None = None,
) -> list[Example]:
    """The examples with their prompts as token ids; prompts over the limit are refused or left out.

    Args:
        examples: As loaded.
        encode: `Policy.encode`.
        max_tokens: The longest prompt, in tokens.
        long_prompts: What a longer one does: "error" or "skip".
        encode_answer: The beginning of an answer as tokens, for examples with a `tester_start`. A prompt that is longer
            than the limit with it gets no testers.
        encode_infill: `Policy.encode_infill`, for examples with an `infill`.
    Raises:
        DataError: When a prompt is too long and that is an error, or when none fits.
    """

    def prompt_ids(example: Example) -> tuple[int, ...]:
        if example.infill is None:
            return encode(example.messages)
        assert encode_infill is not None, "an example to be filled in, and nobody to encode it"
        return encode_infill(*example.infill)

    encoded = [replace(example, prompt_ids=prompt_ids(example)) for example in examples]
    fitting = [example for example in encoded if len(example.prompt_ids) <= max_tokens]
    num_long = len(encoded) - len(fitting)
    if num_long and (long_prompts == "error" or not fitting):
        longest = max(encoded, key=lambda example: len(example.prompt_ids))
        raise DataError(
            f"{num_long} of {len(examples)} prompts are longer than data.max_prompt_tokens = {max_tokens} (the "
            f"longest, {longest.id}, has {len(longest.prompt_ids)}): raise the limit, shorten them, or set "
            'data.long_prompts = "skip"'
        )
    if encode_answer is None:
        return fitting
    return [_with_tester(example, encode_answer, max_tokens) for example in fitting]


def _with_tester(example: Example, encode_answer: Callable[[str], tuple[int, ...]], max_tokens: int) -> Example:
    """An example with the tokens of its prompt for tests alone, where it has one that fits."""
    if not example.tester_start:
        return example
    tester_ids = example.prompt_ids + encode_answer(example.tester_start)
    return replace(example, tester_ids=tester_ids) if len(tester_ids) <= max_tokens else example


class PromptStream:
    """Examples in seeded random order, epoch after epoch; the order is a function of the seed and the position alone.

    >>> stream = PromptStream([Example(str(i), ()) for i in range(4)], seed=0)
    >>> first = stream.take(4)
    >>> sorted(example.id for example in first), stream.position
    (['0', '1', '2', '3'], 4)
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        seed: int,
        position: int = 0,
        shares: Sequence[Share] = (),
        zero_std_resample_prob: float = 1.0,
        solved_resample_prob: float = 1.0,
    ) -> None:
        """
        Args:
            examples: What to draw from.
            seed: Of the order.
            position: Where to begin.
            shares: The sources of the examples, in their order; () where there is one.
            zero_std_resample_prob: The chance that an example in `zero_std` is drawn when its turn comes.
            solved_resample_prob: The same for `solved`; one that is in both is drawn with the lower chance.
        """
        if not examples:
            raise DataError("there are no prompts to draw from")
        self._examples = list(examples)
        self.by_id = {example.id: example for example in examples}
        self.tasks = frozenset(example.task or PLAIN_TASK for example in examples)
        self._seed = seed
        self._zero_std_resample_prob, self._solved_resample_prob = zero_std_resample_prob, solved_resample_prob
        shares = shares or [Share(len(self._examples), 1.0)]
        self._order, self._turns = MixedOrder(shares, seed=seed), math.ceil(round(turns_of_pass(shares), 6))
        self.position = position  # turns since the start; with the two sets, all that a checkpoint has to keep
        self.zero_std: set[str] = set()  # ids of examples whose completions all earned the same when last seen
        self.solved: set[str] = set()  # ids of examples that enough completions solved when last seen

    def take(self, count: int) -> list[Example]:
        """The next `count` examples; an epoch that ends is followed by the next one, reshuffled."""
        taken: list[Example] = []
        while len(taken) < count:
            example = self._examples[self._order.at(self.position)]
            if self._draw(self.position) < self._resample_prob(example.id):
                taken.append(example)
            self.position += 1
        return taken

    @property
    def place(self) -> str:
        """Which turn is next, for a person."""
        epoch, offset = divmod(self.position, self._turns)
        return f"prompt {offset + 1} of {self._turns} of epoch {epoch + 1}"

    def _resample_prob(self, name: str) -> float:
        """The chance that an example is drawn when its turn comes; 1 where nothing is known against it."""
        return min(
            self._zero_std_resample_prob if name in self.zero_std else 1.0,
            self._solved_resample_prob if name in self.solved else 1.0,
        )

    def _draw(self, position: int) -> float:
        """A random number from 0 to below 1, a function of the position."""
        return random.Random(f"{self._seed}/again/{position}").random()


def _example(row: Mapping[str, Any], prompt: Any, index: int, column: str, system_prompt: str) -> Example:
    """One row as an example. Raises: _BadRow."""
    messages = _messages(prompt, column)
    if system_prompt and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system_prompt})
    task_id = row.get("task_id")
    if isinstance(task_id, list | Mapping):
        raise _BadRow(f"has the task_id {str(task_id)[:60]!r}: give a text or a number")
    columns = {name: value for name, value in row.items() if name not in (column, "task_id")}
    return Example(str(index if task_id is None else task_id), tuple(messages), columns)


def _messages(prompt: Any, column: str) -> list[Mapping[str, str]]:
    """A prompt, text or messages, as messages. Raises: _BadRow."""
    messages = list(prompt) if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    if not messages or not all(map(_is_message, messages)):
        raise _BadRow(
            f"has no text in column {column!r}: give text, or a list of messages, each with a role and a "
            "content of text"
        )
    roles = [message["role"] for message in messages]
    if unknown := [role for role in roles if role not in ROLES]:
        raise _BadRow(f"has a message of the role {unknown[0][:60]!r} in column {column!r}: give {', '.join(ROLES)}")
    if roles[-1] not in ("user", "tool"):
        raise _BadRow(
            f"ends with a message of the role {roles[-1]!r} in column {column!r}: the last one must be the user's, "
            "whom the completion answers"
        )
    return messages


def _is_message(message: Any) -> bool:
    """Whether this is a chat message with text in it."""
    if not isinstance(message, Mapping):
        return False
    return all(isinstance(message.get(key), str) and message[key].strip() for key in ("role", "content"))
