"""`eval_model.py chat`: try prompts by hand, and see what cargo and every reward say of the completions.

Usage:
    python scripts/eval_model.py chat [MODEL] [RECIPE.toml] [section.key=value ...]

A line is a prompt; one that ends in a backslash goes on in the next line. An empty line asks the last prompt again,
with another seed. The end of the input, or /quit, ends. Prompts may also come from a pipe. Every prompt is asked alone:
the model does not see what was said before. MODEL is what it is for an evaluation, and the settings are those of
evaluations: eval.temperature, eval.top_p, sampling.max_completion_tokens, data.system_prompt, rewards.weights.

Example:
    echo "Write a Rust function that adds two i32. With tests." | python scripts/eval_model.py chat assets/tiny-rust
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from evaluating.arguments import read_words
from evaluating.remote.options import ApiOptions, add_api_flags, api_options, request_body
from grpo_rust.recipe import Recipe
from grpo_rust.sandbox_pool import start_pool
from rewards.builtin import REWARDS
from rewards.completion import GradedCompletion
from rewards.rubric import Rubric
from rewards.rust.parse import Block, extract_code
from rewards.score_table import score_table
from rewards.strictness.submit import Submission
from sandbox.exit_codes import ExitCode
from sandbox.terminal import plain
from sandbox.verdict import Verdict
from sandbox.workers.pool import SandboxPool

__all__ = ["main", "prompts_from"]

Sampler = Callable[[Sequence[Mapping[str, str]], int], str]  # messages and a seed -> the completion's text
MOST_DIAGNOSTICS = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Answer the prompts of standard input; the exit code."""
    parser = argparse.ArgumentParser(
        prog="eval_model.py chat",
        usage="%(prog)s [MODEL] [RECIPE.toml] [section.key=value ...]",
        description="Try prompts by hand: see the code, cargo's verdict, and every reward with its reason.",
    )
    parser.add_argument("words", nargs="*", metavar="MODEL, RECIPE.toml or section.key=value", help="as to evaluate")
    add_api_flags(parser)
    parsed = parser.parse_intermixed_args(argv)
    models, recipe = read_words(parsed.words)
    if len(models) > 1:
        parser.error("one model at a time")
    model = models[0]
    api = api_options(parsed, needed=model.is_api)
    with start_pool(recipe) as pool:
        recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, path=model.path))
        with remote_sampler(recipe, api) if model.is_api else local_sampler(recipe) as sampler:
            converse(recipe, sampler, pool, sys.stdin)
    return ExitCode.DONE


def converse(recipe: Recipe, sampler: Sampler, pool: SandboxPool, source: TextIO) -> None:
    """Answer prompts until there are no more, and print what comes of them."""
    from grpo_rust.compose.prompts import system_prompt_of

    system = system_prompt_of(recipe)
    start = [{"role": "system", "content": system}] if system else []
    weights = {name: recipe.rewards.weights.get(name, 0.0) for name in REWARDS}
    rubric = Rubric({**weights, **recipe.rewards.weights})
    for number, prompt in enumerate(prompts_from(source)):
        text = sampler([*start, {"role": "user", "content": prompt}], recipe.eval.seed + number)
        print(f"\n{plain(text).rstrip()}\n")
        graded = grade(recipe, text, pool)
        print("\n".join(verdict_lines(graded.verdict)))
        print(score_table("rewards", rubric.score(graded), rubric.weights), flush=True)


def prompts_from(source: TextIO) -> Iterator[str]:
    """The prompts of a conversation, in which an empty line repeats the last.

    >>> import io
    >>> list(prompts_from(io.StringIO("one\\\\\\nline\\n\\n/quit\\nnever")))
    ['one\\nline', 'one\\nline']
    """
    asks, last = source.isatty(), ""
    lines: list[str] = []
    while True:
        if asks:
            print("\n> " if not lines else "  ", end="", flush=True)
        line = source.readline()
        if line.rstrip("\n").endswith("\\"):
            lines.append(line.rstrip("\n")[:-1])
            continue
        prompt = "\n".join([*lines, line.rstrip("\n")]).strip()
        lines = []
        if (not line and not prompt) or prompt == "/quit":
            return
        last = prompt or last
        if last:
            yield last


def grade(recipe: Recipe, text: str, pool: SandboxPool) -> GradedCompletion:
    """A completion with cargo's verdict; there are no gold tests."""
    block: Block = "last" if recipe.eval.code_block == "last" else "first"
    code = extract_code(text, block)
    if code is None:
        return GradedCompletion(text, block=block)
    sent = Submission(pool, code, examine=recipe.guard.mutation, thorough=recipe.guard.mutation)
    return GradedCompletion(text, sent.future.result(), block=block)


def verdict_lines(verdict: Verdict | None) -> list[str]:
    """What cargo says, for a person."""
    if verdict is None:
        return ["no program: there is no closed ```rust block with code"]
    phases = {"build": verdict.build, "clippy": verdict.clippy, "test": verdict.test}
    words = {True: "passes", False: "fails", None: "not run"}
    said = ", ".join(f"{name} {words[passed]}" for name, passed in phases.items())
    lines = [f"cargo: {said}; {verdict.passed} tests pass, {verdict.failed} fail ({verdict.outcome})"]
    if verdict.reason:
        lines.append(f"  {plain(verdict.reason)}")
    for found in verdict.diagnostics[:MOST_DIAGNOSTICS]:
        place = f" in line {found.line}" if found.line else ""
        lines.append(f"  {found.level}{place}: {' '.join(plain(found.message).split())}")
    return lines


@contextmanager
def local_sampler(recipe: Recipe) -> Iterator[Sampler]:
    """Samples with an engine of this project."""
    from grpo.engines import SamplingParams
    from grpo.rollout.records import Example
    from grpo_rust.compose.engine import build_engine, build_sync
    from grpo_rust.compose.policy import load_starting_policy

    policy = load_starting_policy(recipe)
    with TemporaryDirectory() as folder:
        engine = build_engine(recipe, policy, Path(folder) / "engine.log")
        try:
            probe = [Example("probe", (), prompt_ids=policy.encode([{"role": "user", "content": "Hello"}]))]
            if sync := build_sync(recipe, policy, engine, probe):
                sync(print)

            def ask(messages: Sequence[Mapping[str, str]], seed: int) -> str:
                params = SamplingParams(
                    num_samples=1,
                    max_tokens=recipe.sampling.max_completion_tokens,
                    temperature=recipe.eval.temperature,
                    seed=seed,
                    top_p=recipe.eval.top_p,
                )
                (output,) = engine.generate([policy.encode(messages)], params)
                return policy.decode(output.token_ids)

            yield ask
        finally:
            engine.close()


@contextmanager
def remote_sampler(recipe: Recipe, api: ApiOptions) -> Iterator[Sampler]:
    """Asks an API."""
    from evaluating.remote.endpoint import Endpoint

    endpoint = Endpoint(api.base_url, recipe.model.path, api.key, api.timeout_s, api.retries)
    body = request_body(recipe, api.body)
    yield lambda messages, _: endpoint.ask(messages, body, threading.Event()).text
