"""Who answers prompts: an engine of this project with a model's weights, or an API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from chatting.state import ChatAnswer, ChatState, Sampler
from evaluating.remote.request import request_body
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.recipe import Recipe
from remote_api.options import ApiOptions

__all__ = ["local_sampler", "remote_sampler"]


@contextmanager
def local_sampler(recipe: Recipe) -> Iterator[Sampler]:
    """Samples with an engine of this project from the weights in `model.path`.

    The sampler raises BadInput for a prompt of more than `data.max_prompt_tokens`, which engines are started for.
    """
    from grpo.engines import SamplingParams
    from grpo_rust.compose.engine import build_engine, build_sync
    from grpo_rust.compose.policy import load_starting_policy

    policy = load_starting_policy(recipe)
    with TemporaryDirectory() as folder:
        engine = build_engine(recipe, policy, Path(folder) / "engine.log")
        try:
            probe = [Example("probe", (), prompt_ids=policy.encode([{"role": "user", "content": "Hello"}]))]
            if sync := build_sync(recipe, policy, engine, probe):
                sync(print)

            def ask(example: Example, state: ChatState, seed: int) -> Iterator[ChatAnswer]:
                infill = example.infill
                prompt_ids = policy.encode_infill(*infill) if infill else policy.encode(example.messages)
                if len(prompt_ids) > (most := recipe.data.max_prompt_tokens):
                    raise BadInput(
                        f"the prompt has {len(prompt_ids)} tokens, and data.max_prompt_tokens is {most}: shorten it, "
                        f"or start again with data.max_prompt_tokens={len(prompt_ids)}"
                    )
                params = SamplingParams(state.samples, state.max_tokens, state.temperature, seed, state.top_p)
                for output in engine.generate([prompt_ids], params):
                    text = policy.decode(output.token_ids)
                    yield ChatAnswer(text, len(output.token_ids), not output.terminated)

            yield ask
        finally:
            engine.close()


@contextmanager
def remote_sampler(recipe: Recipe, api: ApiOptions) -> Iterator[Sampler]:
    """Asks an API, one request after the other; it knows no seeds."""
    from remote_api.endpoint import Endpoint

    endpoint = Endpoint(api.base_url, recipe.model.path, api.key, api.timeout_s, api.retries)

    def ask(example: Example, state: ChatState, _: int) -> Iterator[ChatAnswer]:
        sampling = {"temperature": state.temperature, "top_p": state.top_p}
        body = request_body(recipe, sampling | dict(api.body))
        for _ in range(state.samples):
            answer = endpoint.ask(example.messages, body, threading.Event())
            yield ChatAnswer(answer.text, answer.completion_tokens, answer.finish_reason == "length")

    yield ask
