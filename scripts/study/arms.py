"""The arms that are compared: each is tiny-own-tests.toml with a few settings changed; `QUICKSTART` is tiny.toml so."""

from __future__ import annotations

from rewards.builtin import PUBLISHED_WEIGHTS
from study.running import Arm

__all__ = ["CONTROL", "DESIGNS", "GRPO", "HONEST", "OVERLAP", "PARTIAL", "QUICKSTART"]


def _weighted(**weights: float) -> tuple[str, ...]:
    """Overrides that give these rewards a weight and every other one 0."""
    nothing = {name: 0.0 for name in (*PUBLISHED_WEIGHTS, "cargo_test_thorough", "tests_passed_share")}
    return tuple(f"rewards.weights.{name}={weight}" for name, weight in (nothing | weights).items())


APART, OTHERS_ALONE = "rewards.credit=apart", "rewards.cross.partners=-1"
LOGGED = "rewards.weights.cross_agreement=0.0"  # for the curves
GATED = (
    "rewards.weights.cross_all=2.0",
    "rewards.weights.cross_test_thorough=2.0",
    "rewards.weights.cargo_test_thorough=0.0",
    OTHERS_ALONE,
)

GRPO = Arm("grpo", "own tests paid: tiny-own-tests.toml as it is")
OVERLAP = Arm("overlap", "the same, every batch sampled one update ahead", ("rollout.overlap=1",))
QUICKSTART = Arm(
    "gated",
    "2 for all of the untrained model's suites, and own tests paid only beside code that passes them: tiny.toml",
    (*GATED, LOGGED),
    judged=True,
)
CONTROL = Arm(
    "shuffled",
    "the control: advantages shuffled over the batch",
    (*QUICKSTART.overrides, "loss.advantages=shuffled"),
    judged=True,
)
IN_VLLM = (*QUICKSTART.overrides, "sampling.engine=vllm")
PARTIAL = (
    Arm("overlap0", "each batch sampled by the weights that learn from it", IN_VLLM, judged=True),
    Arm("overlap1", "each batch sampled one update ahead", (*IN_VLLM, "rollout.overlap=1"), judged=True),
    Arm(
        "partial2",
        "two batches ahead in one engine, and new weights in the middle",
        (*IN_VLLM, "rollout.overlap=2", "rollout.partial=true"),
        judged=True,
    ),
)
DESIGNS = (
    GRPO,
    Arm(
        "published",
        "the published weights: build, clippy, asserts, form and strict tests",
        _weighted(**PUBLISHED_WEIGHTS),
    ),
    Arm("strict_only", "1 for a strict pass, nothing else", _weighted(cargo_test=1.0)),
    Arm("share", "the share of the completion's own tests that pass, nothing else", _weighted(tests_passed_share=1.0)),
    Arm("kl", "own tests and a KL to the starting model, beta 0.04", ("loss.kl_beta=0.04",)),
    Arm("group4", "32 prompts x 4 completions", ("train.prompts_per_step=32", "sampling.group_size=4")),
    Arm("group16", "8 prompts x 16 completions", ("train.prompts_per_step=8", "sampling.group_size=16")),
)
AGREEMENT, CALIBRATED = "rewards.weights.cross_agreement=2.0", "rewards.weights.cross_calibrated=2.0"
TESTS, MUTATION = "rewards.weights.cross_tests=2.0", "rewards.weights.mutation=2.0"
ALL = "rewards.weights.cross_all=4.0"
FITTED = tuple(  # `python -m rewards calibrate` on eight completions of the untrained model to the first ten prompts
    f"rewards.cross.{name}"
    for name in (
        "code_right=0.9492",
        "suite_right=0.5718",
        "wrong_passes_right=0.8329",
        "wrong_passes_wrong=0.3157",
        "right_passes_wrong=0.0336",
        "flake=0.01",
    )
)
HONEST = (  # an arm a line; gold tests are graded in every one, and paid where an arm says so
    GRPO,
    Arm("agreement", "2 more for the share of the group's suites that the code passes", (AGREEMENT,)),
    Arm("calibrated", "2 more for the probability that the code is right", (CALIBRATED, LOGGED)),
    Arm(
        "fitted",
        "the same, with parameters fitted to ten of the family's prompts that have gold tests",
        (CALIBRATED, LOGGED, *FITTED),
    ),
    Arm("apart", "the same beside own tests, their worth paid to the tests", (CALIBRATED, TESTS, APART, LOGGED)),
    Arm(
        "separate",
        "calibrated for the code and its tests' worth for the tests, nothing for passing own tests",
        (CALIBRATED, TESTS, APART, LOGGED, "rewards.weights.cargo_test_thorough=0.0"),
    ),
    Arm(
        "testers",
        "2 more for the share of four independent testers' suites",
        (AGREEMENT, "rollout.testers=4", OTHERS_ALONE),
    ),
    Arm("frozen_share", "2 more for the share of the untrained model's suites", (AGREEMENT, OTHERS_ALONE), judged=True),
    Arm("frozen", "4 more for all of the untrained model's suites", (ALL, LOGGED, OTHERS_ALONE), judged=True),
    QUICKSTART,
    Arm("mutation", "2 more for the share of changes that its own tests notice", (MUTATION,)),
    Arm("both", "agreement and mutation", (AGREEMENT, MUTATION)),
    Arm("gold", "the ceiling: 2 more for the gold tests", ("rewards.weights.gold=2.0",)),
    Arm("kl", "a KL to the starting model, beta 0.04", ("loss.kl_beta=0.04",)),
    Arm("maxrl", "advantages divided by the group's mean reward", ("loss.advantages=maxrl",)),
    Arm("solved", "prompts solved at 0.9 and more drawn at 0.1 of their turns", ("rollout.solved_resample_prob=0.1",)),
    Arm("ahead4", "sampled one update ahead, learning rate 4e-4", ("rollout.overlap=1", "train.lr=4e-4")),
    Arm("ahead2", "sampled one update ahead, learning rate 2e-4", ("rollout.overlap=1", "train.lr=2e-4")),
)
