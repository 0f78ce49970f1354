"""Sampling by every engine that is installed: tokens a second, and the gap of its log-probs to the trainer's."""

from __future__ import annotations

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
    """The figures of an engine; what is wrong with it."""
    prompt_tokens, tokens = SMALL_TOKENS if settings.small else (PROMPT_TOKENS, COMPLETION_TOKENS)
    rows = SMALL_ROWS if settings.small else ROWS
    prompts = random_prompts(max(rows) // GROUP, prompt_tokens, policy.model.config.vocab_size)
    make = engine_maker(name, policy, directory, rows=max(rows), tokens=prompt_tokens + tokens)
    before_mb = device_used_mb()
    engines: list[Engine] = []
    try:
        start_s = seconds_of(lambda: engines.append(start_engine(make, policy, settings)), policy.device.type)
    except EngineDied as error:
        return [f"{name} cannot be started: {str(error)[:300]}"]
    with closing(engines[0]) as engine:
        load_s = seconds_of(lambda: engine.load_weights(policy.weights()), policy.device.type)
        settings.note(**{f"{name}_start_s": round(start_s, 2), f"{name}_load_s": round(load_s, 3)})
        _sample(engine, prompts[:1], WARM_UP_TOKENS)
        gap: Figures = {}
        for count in rows:
            if gap and settings.left_s < LEAST_LEFT_S:
                break
            found: list[GenerationOutput] = []
            part = prompts[: count // GROUP]
            seconds = seconds_of(lambda: found.extend(_sample(engine, part, tokens)), policy.device.type)  # noqa: B023
            rate = sum(len(completion.token_ids) for completion in found) / seconds
            settings.note(**{f"{name}_{count}_rows_tokens_per_s": round(rate, 1)})
            gap = logprob_gap(policy, part, found)
            settings.note(**{f"{name}_{key}": value for key, value in gap.items()})
        settings.note(**{f"{name}_card_mb": device_used_mb() - before_mb})
    bad = not gap["gap_mean_nats"] <= MAX_GAP_NATS
    return [f"{name} differs by {gap['gap_mean_nats']:.2g} nats a token (allowed {MAX_GAP_NATS:g})"] if bad else []


def _sample(engine: Engine, prompts: list[tuple[int, ...]], tokens: int) -> list[GenerationOutput]:
    """All completions of some prompts at temperature 1."""
    params = SamplingParams(num_samples=GROUP, max_tokens=tokens, temperature=1.0, seed=3)
    return list(engine.generate(prompts, params))
