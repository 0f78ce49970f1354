"""Where a run begins to be sick: every number of the monitors, with its reason, in one table.

Healthy runs that none of them may report: the quickstart (100 steps, entropy 0.21 down to 0.11 nats, at most 44 % of
the groups zero_std, 2.6 asserts a completion) and 100 steps of SmolLM2 with 135 million parameters in bfloat16, one
batch ahead (entropy 0.10 down to 0.04, gap to the engine 0.003 nats). EXPERIMENTS.md has both.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """The limits of the monitors; the first four are settings, see `grpo.config.watch`."""

    # A token 1,000 times as likely as before the batch's first update: clipping at 1.2 keeps what the loss wants far
    # below that, so the last optimizer step moved the weights further than the loss knows.
    max_ratio: float = 1000.0
    # 0.001 nats a token are 0.1 nats in a completion of 100: nine groups in ten hold one completion, repeated.
    min_entropy: float = 0.001
    # 20 steps are a fifth of the quickstart; no healthy run had more than one such step, of 8 groups.
    max_zero_std_steps: int = 20
    # The engine's token has another probability by a factor of e, on average: it samples from another policy.
    max_sampler_gap: float = 1.0

    # The mean ratio is 1 in expectation whatever the policy is, as the mean of every importance weight.
    max_ratio_mean: float = 5.0
    warn_ratio: float = 20.0  # far outside of every clip bound in use, and no harm to a clipped loss by itself
    entropy_steps: int = 10  # in a row below `min_entropy`, to stop
    # A policy keeps half to a third of its entropy in the healthy runs; one tenth is another order.
    warn_entropy_share: float = 0.1
    # A hundred groups at least: two groups a step are both zero_std by chance for many steps of a healthy run.
    zero_std_groups: int = 100
    warn_zero_std_steps: int = 5
    unscored_steps: int = 3  # in a row without any reward: one may be a passing failure, three teach nothing
    # Ten times the first steps' gap, and above bfloat16's rounding: nothing in a healthy run makes it grow.
    warn_gap_growth: float = 10.0
    warn_gap: float = 0.03
    gap_steps: int = 3  # in a row above `max_sampler_gap`, to stop: minutes tell another policy from a bad draw
    window: int = 8  # steps whose mean is compared with that of the first ones
    # A quarter fewer asserts, by three standard errors; the run that learned to test less lost 39 % in 15 steps.
    asserts_fall: float = 0.25
    standard_errors: float = 3.0
    warn_truncated: float = 0.95  # nearly nothing ends by itself: rewards that need an end see noise
    # A process that settles grows in its first steps. One that has grown by a quarter and by half a gigabyte over the
    # later half of at least 40 steps, in each part of it, does not settle.
    memory_steps: int = 40
    memory_growth: float = 0.25
    memory_mb: float = 512.0
