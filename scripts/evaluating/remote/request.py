"""The fields of a request that the recipe's settings make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grpo_rust.recipe import Recipe

__all__ = ["request_body"]


def request_body(recipe: Recipe, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request besides model and messages: the recipe's, changed by `extra`, where None removes one.

    >>> request_body(Recipe(), {"top_p": None, "stop": "x"}).keys() - {"temperature"} == {"max_tokens", "stop"}
    True
    """
    body = {
        "temperature": recipe.eval.temperature,
        "top_p": recipe.eval.top_p,
        "max_tokens": recipe.sampling.max_completion_tokens,
    }
    return {name: value for name, value in {**body, **extra}.items() if value is not None}
