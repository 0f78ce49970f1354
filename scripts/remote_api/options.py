"""The flags of a command that asks a model behind an API."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grpo.errors import BadInput
from remote_api.address import check_address, check_key

__all__ = ["ApiOptions", "add_api_flags", "api_options"]


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


def add_api_flags(parser: argparse.ArgumentParser, title: str) -> None:
    """The flags for models behind an API, under a title in `--help`."""
    group = parser.add_argument_group(title)
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
    key = os.environ.get(parsed.api_key_env, "")
    if needed:
        check_address(parsed.base_url)
        check_key(key, parsed.api_key_env)
    if parsed.at_once < 1 or parsed.retries < 0 or parsed.timeout <= 0:
        raise BadInput("--at-once is 1 or more, --retries 0 or more, --timeout above 0")
    try:
        body = json.loads(parsed.body)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"--body {parsed.body}: {error}") from None
    if not isinstance(body, dict):
        raise BadInput(f"--body {parsed.body}: give a JSON object, as {{}}")
    return ApiOptions(
        base_url=parsed.base_url.rstrip("/"),
        key=key,
        at_once=parsed.at_once,
        retries=parsed.retries,
        timeout_s=parsed.timeout,
        usd_in=parsed.usd_per_million_in,
        usd_out=parsed.usd_per_million_out,
        body=body,
    )
