"""Try prompts by hand: see the code, cargo's verdict and every reward with its reason, and ask again.

Usage:
    python scripts/chat.py [MODEL] [RECIPE.toml] [section.key=value ...] [--base-url URL ...]

MODEL is what it is for scripts/eval_model.py: a checkpoint, a run directory (its newest checkpoint), a name on the hub,
or api:NAME with --base-url. A line is a prompt; an empty line asks again, with another seed; `:task ID` asks a task of
the data with its gold tests; `:samples 4` and `:temperature 0.2` change how it is asked; `:help` has the rest. Prompts
may also come from a pipe. Every prompt is asked alone: the model does not see what was said before. The settings are
those of evaluations: eval.temperature, eval.top_p, sampling.max_completion_tokens, data.system_prompt, rewards.weights.
Exit codes: 0 done, 2 bad input, 3 the host or the API failed, 130 interrupted.

Example:
    echo "Write a Rust function that adds two i32. With tests." | python scripts/chat.py assets/tiny-rust
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence

from evaluating.arguments import OF_API, read_words
from grpo_rust.cli import ExitCode, command
from grpo_rust.sandbox_pool import start_pool
from remote_api.options import add_api_flags, api_options

# torch and transformers are imported inside functions: the sandbox's workers start first, and start small.


@command("chat", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Answer what is typed until there is no more; the exit code."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [MODEL] [RECIPE.toml] [section.key=value ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="MODEL, RECIPE.toml or section.key=value",
        help="as scripts/eval_model.py takes them",
    )
    add_api_flags(parser, OF_API)
    parsed = parser.parse_intermixed_args(argv)
    models, recipe = read_words(parsed.words)
    if len(models) > 1:
        parser.error(f"{len(models)} models: give one")
    model = models[0]
    api = api_options(parsed, needed=model.is_api)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, path=model.path))
    with start_pool(recipe) as pool:
        from chatting.conversation import converse
        from chatting.entry import Entries
        from chatting.judging import ChatJudge
        from chatting.samplers import local_sampler, remote_sampler
        from chatting.showing import Paint

        judge = ChatJudge(recipe, pool)
        with remote_sampler(recipe, api) if model.is_api else local_sampler(recipe) as sampler:
            converse(recipe, sampler, judge, Entries(sys.stdin), Paint(has_colours()))
    return ExitCode.DONE


def has_colours() -> bool:
    """Whether standard output is a terminal that shows colours, and nobody asked for none (https://no-color.org)."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


if __name__ == "__main__":
    sys.exit(main())
