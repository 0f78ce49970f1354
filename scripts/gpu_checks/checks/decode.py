"""Sampling by every engine that is installed: tokens a second, and the gap of its log-probs to the trainer's."""

from __future__ import annotations

import time
from contextlib import closing

from gpu_checks.measuring import device_used_mb, seconds_of
from gpu_checks.models import policy_to_sample, random_prompts, use_device
from gpu_checks.outcome import CheckFailed, CheckSettings, Figures
from gpu_checks.sampling import engine_maker, installed_engines, logprob_gap, start_engine
from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.model.policy import Policy

__all__ = ["decode"]

ROWS, SMALL_ROWS = (64, 256), (4, 8)
GROUP = 4  # completions to each prompt
PROMPT_TOKENS, COMPLETION_TOKENS = 300, 128
SMALL_TOKENS = (12, 24)
WARM_UP_TOKENS = 4
MAX_GAP_NATS = 0.1  # a token in the mean: above it an engine samples from another model
LEAST_LEFT_S = 25.0  # no further engine or batch begins with less


def decode(settings: CheckSettings) -> Figures:
    """Measure one engine after the other."""
    device = use_device(settings)
    policy, directory = policy_to_sample(settings, device)
    problems = []
    for name in installed_engines():
        if name != "paged" or not settings.figures or settings.left_s > LEAST_LEFT_S:
            problems += _measure(settings, name, policy, directory)
    if problems:
        raise CheckFailed("; ".join(problems), "sample with another engine (sampling.engine), and report the JSON file")
    return {}


def _measure(settings: CheckSettings, name: str, policy: Policy, directory: str) -> list[str]:
    """Note the figures of an engine; what is wrong with it."""
    prompt_tokens, tokens = SMALL_TOKENS if settings.small else (PROMPT_TOKENS, COMPLETION_TOKENS)
    rows = SMALL_ROWS if settings.small else ROWS
    prompts = random_prompts(max(rows) // GROUP, prompt_tokens, policy.model.config.vocab_size)
    make = engine_maker(name, policy, directory, rows=max(rows), tokens=prompt_tokens + tokens)
    before_mb, started = device_used_mb(), time.monotonic()
    try:
        with closing(start_engine(make, policy, settings)) as engine:
            settings.note(**{f"{name}_start_s": round(time.monotonic() - started, 2)})
            load_s = seconds_of(lambda: engine.load_weights(policy.weights()), policy.device.type)
            settings.note(**{f"{name}_load_s": round(load_s, 3)})
            _sample(engine, prompts[:1], WARM_UP_TOKENS)
            for count in rows:
                if count == min(rows) or settings.left_s > LEAST_LEFT_S:
                    settings.note(**_rate_and_gap(name, engine, policy, prompts[: count // GROUP], tokens))
            settings.note(**{f"{name}_card_mb": device_used_mb() - before_mb})
    except EngineDied as error:
        return [f"{name}: {str(error)[:300]}"]
    gap = settings.figures[f"{name}_gap_mean_nats"]
    return [] if gap <= MAX_GAP_NATS else [f"{name} differs by {gap:.2g} nats a token (allowed {MAX_GAP_NATS:g})"]


def _rate_and_gap(name: str, engine: Engine, policy: Policy, prompts: list[tuple[int, ...]], tokens: int) -> Figures:
    """Completion tokens a second of one batch, and the gap of its log-probs to the trainer's."""
    found: list[GenerationOutput] = []
    seconds = seconds_of(lambda: found.extend(_sample(engine, prompts, tokens)), policy.device.type)
    rate = sum(len(completion.token_ids) for completion in found) / seconds
    return {
        f"{name}_{len(found)}_rows_tokens_per_s": round(rate, 1),
        **{f"{name}_{key}": value for key, value in logprob_gap(policy, prompts, found).items()},
    }


def _sample(engine: Engine, prompts: list[tuple[int, ...]], tokens: int) -> list[GenerationOutput]:
    """All completions of some prompts at temperature 1."""
    params = SamplingParams(num_samples=GROUP, max_tokens=tokens, temperature=1.0, seed=3)
    return list(engine.generate(prompts, params))
