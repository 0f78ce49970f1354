"""The arms that are compared: each is the quickstart's recipe with a few settings changed."""

from __future__ import annotations

from rewards.builtin import PUBLISHED_WEIGHTS
from study.running import Arm

__all__ = ["CONTROL", "DESIGNS", "GRPO", "OVERLAP"]


def _weighted(**weights: float) -> tuple[str, ...]:
    """Overrides that give these rewards a weight and every other one 0."""
    nothing = {name: 0.0 for name in (*PUBLISHED_WEIGHTS, "cargo_test_thorough", "tests_passed_share")}
    return tuple(f"rewards.weights.{name}={weight}" for name, weight in (nothing | weights).items())


GRPO = Arm("grpo", "the recipe as it is")
OVERLAP = Arm("overlap", "the recipe, every batch sampled one update ahead", ("rollout.overlap=1",))
CONTROL = Arm("shuffled", "the control: advantages shuffled over the batch", ("loss.advantages=shuffled",))
DESIGNS = (
    GRPO,
    Arm(
        "published",
        "the published weights: build, clippy, asserts, form and strict tests",
        _weighted(**PUBLISHED_WEIGHTS),
    ),
    Arm("strict_only", "1 for a strict pass, nothing else", _weighted(cargo_test=1.0)),
    Arm("share", "the share of the completion's own tests that pass, nothing else", _weighted(tests_passed_share=1.0)),
    Arm("kl", "the recipe with a KL to the starting model, beta 0.04", ("loss.kl_beta=0.04",)),
    Arm("group4", "32 prompts x 4 completions", ("train.prompts_per_step=32", "sampling.group_size=4")),
    Arm("group16", "8 prompts x 16 completions", ("train.prompts_per_step=8", "sampling.group_size=16")),
)
