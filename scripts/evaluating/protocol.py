"""The protocol of an evaluation: every setting that its figures depend on, but for the model and the seed.

Figures of two protocols cannot be compared: a lower temperature alone makes more programs build. A file of an
evaluation has its protocol, and `evaluating.agreement` says what two of them disagree about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.compose.signatures import signature_of
from grpo_rust.recipe import Recipe
from rewards.gold.rows import GOLD_COLUMNS
from rewards.tasks.known import task_of
from sandbox.limits import Limits

__all__ = ["PROTOCOLS", "protocol_record", "protocol_settings"]

SETTINGS = (  # of a recipe: what decides how a model is asked and how its completions are judged
    "data.system_prompt",
    "sampling.max_completion_tokens",
    "eval.samples",
    "eval.temperature",
    "eval.top_p",
    "eval.code_block",
    "eval.solved_by",
    "guard.mutation",
    *(f"sandbox.{limit.name}" for limit in fields(Limits)),
)
OF_TURNS = ("rollout.turns", "rollout.max_conversation_tokens")
OF_GAPS = ("data.infill",)  # decides nothing where no row is to be filled in
PUBLISHED: Mapping[str, object] = {  # Oxen.ai, "Training a Rust 1.5B Coder LM with Reinforcement Learning", 2025
    "sampling.max_completion_tokens": 1024,
    "eval.samples": 1,
    "eval.temperature": 0.2,
    "eval.top_p": 0.9,
    "eval.code_block": "last",
    "eval.solved_by": "test",  # neither strictness nor asserts
    "guard.mutation": False,
    "sandbox.compile_cpu_s": 10,
    "sandbox.run_cpu_s": 10,
    "sandbox.wall_s": 10,
}
PROTOCOLS: Mapping[str, Mapping[str, object]] = {"recipe": {}, "published": PUBLISHED}


def protocol_settings(name: str, given: Sequence[str]) -> list[str]:
    """The settings of a protocol as overrides, to be put before those that are given.

    Args:
        name: One of `PROTOCOLS`.
        given: Overrides from the command line, each `section.key=value`.
    Raises:
        BadInput: Where one of them changes the protocol: what is measured then would not be by that protocol.
    """
    settings = PROTOCOLS[name]
    for word in given:
        key, _, value = word.partition("=")
        if key in settings and value != _shown(settings[key]):
            raise BadInput(f"{word}: --protocol {name} has {key}={_shown(settings[key])}; give one of the two")
    return [f"{key}={_shown(value)}" for key, value in settings.items()]


def protocol_record(name: str, recipe: Recipe, examples: Sequence[Example], source: str) -> dict[str, Any]:
    """The protocol of an evaluation as plain JSON values.

    Of the prompts it has two checksums: `sha256` of their ids and texts, and `tasks_sha256` of what `show_signature`
    does not change, so that the same tasks with and without their signatures can be told from other tasks.

    Args:
        name: One of `PROTOCOLS`, with the name of a benchmark after it.
        recipe: The settings.
        examples: The prompts, in order.
        source: Where they are from; two sources with the same prompts are one protocol.
    """
    turns = {key: attrgetter(key)(recipe) for key in OF_TURNS} if recipe.rollout.turns > 1 else {}
    prompts = [[example.id, [dict(message) for message in example.messages]] for example in examples]
    has_gaps = any(task_of(example.columns).infill is not None for example in examples)
    return {
        "name": name,
        "settings": {key: attrgetter(key)(recipe) for key in (*SETTINGS, *(OF_GAPS if has_gaps else ()))} | turns,
        "prompts": {
            "source": source,
            "count": len(prompts),
            "sha256": _sha256(prompts),
            "tasks_sha256": _sha256([_task(example) for example in examples]),
            "show_signature": recipe.data.show_signature,
        },
    }


def _task(example: Example) -> list[Any]:
    """What makes two prompts one task, shown with or without its signature.

    Its id, system messages, gold tests and signature; without a signature no setting changes the text, which counts.
    """
    gold = {name: example.columns[name] for name in GOLD_COLUMNS if example.columns.get(name)}
    system = [dict(message) for message in example.messages if message["role"] == "system"]
    signature = signature_of(example.columns)
    text = signature or [dict(message) for message in example.messages]
    return [example.id, system, gold, text]


def _sha256(values: list[Any]) -> str:
    """A checksum of JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def _shown(value: object) -> str:
    """A value as an override has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
