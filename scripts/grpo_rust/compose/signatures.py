"""Prompts with or without the signature of their row, as `data.show_signature` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from grpo.rollout.prompts import load_examples
from grpo.rollout.records import Example
from rewards.signature.wording import prompt_text, shows, with_signature
from rewards.tasks.function import FUNCTION
from rewards.tasks.known import asked, task_of

__all__ = ["PROMPT_COLUMNS", "in_tokens", "read_examples", "signature_note", "signature_of"]

PROMPT_COLUMNS = ("prompt", "rust_prompt")  # the second as in the published data
WITHOUT = ("text", "rust_prompt", "prompt")  # where a row may have its prompt without the signature


def read_examples(source: str, *, split: str, system_prompt: str, show: str, infill: str = "chat") -> list[Example]:
    """The prompts of a source as text.

    Args:
        source: A .jsonl or .parquet path, `hf:NAME` or `oxen:REPOSITORY/FILE`.
        split: Of a data set of the hub.
        system_prompt: Before every prompt of a function; "" for none. Another task has its own where this is not "".
        show: Whether prompts show their signature: "true", "false" or "as_written".
        infill: How a part that is missing is asked for: "tokens" or "chat".
    Raises: DataError.
    """
    examples = load_examples(
        source,
        split=split,
        system_prompt=system_prompt,
        prompt_columns=PROMPT_COLUMNS,
        prompt_of=partial(_shown, show=show),
        prepare=partial(asked, with_system=bool(system_prompt), infill=infill),
    )
    return [in_tokens(example) for example in examples]


def signature_note(examples: Sequence[Example], show: str) -> str:
    """What to say of prompts that do not show what was asked for, or whose gold tests may not apply; "" for nothing."""
    have = [bool(signature_of(example.columns)) for example in examples]
    seen = [
        has and shows(prompt_text(example.messages), signature_of(example.columns))
        for has, example in zip(have, examples, strict=True)
    ]
    found = []
    if show == "true" and not all(have):
        found.append(f"{have.count(False)} have no signature to show")
    if show == "false" and any(seen):
        found.append(f"{sum(seen)} have no form without their signature")
    if hidden := sum(have) - sum(seen):
        found.append(f"{hidden} do not show the signature that gold tests call")
    return ", ".join(found)


def signature_of(row: Mapping[str, Any]) -> str:
    """The signature of a row; "" for none."""
    return str(row.get("signature") or "").strip()


def _shown(row: Mapping[str, Any], column: str, *, show: str) -> Any:
    """What of a row is the prompt: text or chat messages."""
    written, signature = row[column], signature_of(row)
    if task_of(row) is not FUNCTION:
        return written
    if show == "as_written" or not signature:
        return written
    if show == "false":
        forms = (row.get(name) for name in WITHOUT)
        texts = (form for form in forms if form == written or isinstance(form, str) and form.strip())
        return next((form for form in texts if not shows(_text(form), signature)), written)
    types = str(row.get("types") or "")
    return written if shows(_text(written), signature) else _with_signature(written, signature, types)


def _with_signature(prompt: Any, signature: str, types: str) -> Any:
    """A prompt with a signature after it; of chat messages the last one has it."""
    if isinstance(prompt, str):
        return with_signature(prompt, signature, types)
    *before, last = prompt
    return [*before, {**last, "content": with_signature(last["content"], signature, types)}]


def _text(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else prompt_text(prompt)


def in_tokens(example: Example) -> Example:
    """An example of a row that `asked` was to ask in the model's own tokens, with what stands around its answer."""
    infill = task_of(example.columns).infill
    if infill is None or example.columns.get("infill") != "tokens":
        return example
    return replace(example, infill=infill(example.columns))
