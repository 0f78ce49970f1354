"""The English of a prompt: one of several phrasings of a request, with the signature as code or in words."""

from __future__ import annotations

import random

from tiny.programs import Request

__all__ = ["TEMPLATES", "draw_prompt"]

_BY_SIGNATURE = (
    "Write a Rust function `fn {signature}` that returns {phrase}.",
    "Implement `fn {signature}` in Rust. It returns {phrase}.",
    "Please write the function `fn {signature}`. It should return {phrase}.",
    "I need a Rust function with the signature `fn {signature}`. Its result is {phrase}.",
)
_BY_WORDS = (
    "Write a Rust function `{name}` that takes {params} and returns {phrase} as `{result}`.",
    "The Rust function `{name}` gets {params}. It returns a `{result}`: {phrase}. Implement it.",
    "Create a function named `{name}` with {count}: {params}. The return type is `{result}`, the result is {phrase}.",
)
_TYPES = (" Define `{brief}` ({derives}) for it.", " It uses `{brief}`, which you define with {derives}.")
_TESTS = (
    " Add unit tests.",
    " Include unit tests.",
    " Test it with a few asserts.",
    " Also write tests for it.",
    " With tests.",
)
_COUNTS = {1: "one parameter", 2: "two parameters", 3: "three parameters"}
_DERIVES = {"struct": "Debug, Clone and PartialEq", "enum": "Debug, Clone, Copy and PartialEq"}
TEMPLATES = (*_BY_SIGNATURE, *_BY_WORDS, *_TYPES, *_TESTS, *_COUNTS.values(), *_DERIVES.values())


def draw_prompt(request: Request, rng: random.Random) -> str:
    """A prompt for the request, in plain English."""
    phrase = request.operation.phrase(rng.randrange(2), request.names, request.setting)
    if rng.random() < 0.6:
        first = rng.choice(_BY_SIGNATURE).format(signature=request.signature(), phrase=phrase)
    else:
        first = _in_words(request, phrase, rng)
    sentences = [first]
    shapes = (*request.operation.params, request.operation.returns)
    for brief in request.setting.briefs(shapes):
        derives = _DERIVES[brief.partition(" ")[0]]
        sentences.append(rng.choice(_TYPES).format(brief=brief, derives=derives))
    sentences.append(rng.choice(_TESTS))
    return "".join(sentences)


def _in_words(request: Request, phrase: str, rng: random.Random) -> str:
    """The first sentence with the signature in words; it omits lifetimes, which the model must find."""
    _, types, result = request.types
    parts = [f"`{name}: {kind}`".replace("'a ", "") for name, kind in zip(request.names, types)]
    params = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return rng.choice(_BY_WORDS).format(
        name=request.name,
        params=params,
        count=_COUNTS[len(parts)],
        result=result.replace("'a ", ""),
        phrase=phrase,
    )
