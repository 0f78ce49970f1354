"""How models behind an API are asked: the flags of the command line, and the fields of a request."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grpo.errors import BadInput
from grpo_rust.recipe import Recipe

__all__ = ["ApiOptions", "add_api_flags", "api_options", "request_body"]


@dataclass(frozen=True)
class ApiOptions:
    """How models behind an API are asked."""

    base_url: str = ""
    key: str = field(default="", repr=False)
    at_once: int = 8
    retries: int = 8
    timeout_s: float = 300.0
    usd_in: float = 0.0  # for a million tokens
    usd_out: float = 0.0
    body: Mapping[str, Any] = field(default_factory=dict)  # further fields of every request; None leaves one out


def add_api_flags(parser: argparse.ArgumentParser) -> None:
    """The flags for models behind an API."""
    group = parser.add_argument_group("models behind an API (api:NAME)")
    group.add_argument("--base-url", default="", metavar="URL", help="of the API, without /chat/completions")
    group.add_argument(
        "--api-key-env", default="OPENAI_API_KEY", metavar="NAME", help="the environment variable that holds the key"
    )
    group.add_argument("--at-once", type=int, default=8, metavar="N", help="requests under way at the same time")
    group.add_argument("--retries", type=int, default=8, metavar="N", help="tries after the first, for each request")
    group.add_argument("--timeout", type=float, default=300.0, metavar="S", help="silence that ends a try, in seconds")
    group.add_argument("--usd-per-million-in", type=float, default=0.0, metavar="X", help="price of prompt tokens")
    group.add_argument("--usd-per-million-out", type=float, default=0.0, metavar="X", help="price of completion tokens")
    group.add_argument(
        "--body",
        default="{}",
        metavar="JSON",
        help='further fields of every request, such as {"reasoning_effort": "low"}; null leaves a field out',
    )


def api_options(parsed: argparse.Namespace, *, needed: bool) -> ApiOptions:
    """The flags of `add_api_flags`, checked. Raises: BadInput."""
    if needed and not re.match("https?://", parsed.base_url):
        raise BadInput(f"--base-url {parsed.base_url or 'is missing'}: give the address of the API, as http://HOST/v1")
    if parsed.at_once < 1 or parsed.retries < 0 or parsed.timeout <= 0:
        raise BadInput("--at-once is 1 or more, --retries 0 or more, --timeout above 0")
    try:
        body = json.loads(parsed.body)
    except ValueError as error:
        raise BadInput(f"--body {parsed.body}: {error}") from None
    if not isinstance(body, dict):
        raise BadInput(f"--body {parsed.body}: give a JSON object, as {{}}")
    return ApiOptions(
        base_url=parsed.base_url.rstrip("/"),
        key=os.environ.get(parsed.api_key_env, ""),
        at_once=parsed.at_once,
        retries=parsed.retries,
        timeout_s=parsed.timeout,
        usd_in=parsed.usd_per_million_in,
        usd_out=parsed.usd_per_million_out,
        body=body,
    )


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
