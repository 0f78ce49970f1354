"""A recipe: every setting of a run in one object.

The only place that knows the sections of `grpo`, `rewards` and `sandbox`. It loads neither torch nor transformers.

    from grpo_rust.recipe import load_recipe
    recipe = load_recipe("scripts/recipes/tiny.toml", ["train.max_steps=2"])
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from grpo.config import (
    CheckpointSection,
    DataSection,
    EvalSection,
    LogSection,
    LoraSection,
    LossSection,
    ModelSection,
    RolloutSection,
    RunSection,
    SamplingSection,
    TrackSection,
    TrainSection,
    WatchSection,
)
from grpo.schema import ConfigError, load, option
from grpo_rust.conflicts.groups import group_conflicts
from grpo_rust.conflicts.partial import partial_conflicts
from rewards.cross.result import CrossSettings
from rewards.group_rewards import GROUP_REWARDS
from rewards.registry import REWARDS, published_weights
from sandbox.grading.backends import BACKENDS
from sandbox.isolation.policy import ISOLATIONS
from sandbox.limits import Limits

__all__ = [
    "DEFAULT_RECIPE",
    "OWN_TESTS_RECIPE",
    "GuardSection",
    "Recipe",
    "RewardsSection",
    "RustCheckpointSection",
    "RustDataSection",
    "RustEvalSection",
    "SandboxSection",
    "load_recipe",
]

DEFAULT_RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "tiny.toml"
OWN_TESTS_RECIPE = DEFAULT_RECIPE.with_name("tiny-own-tests.toml")  # no reward of it compares a group
RUNS, MESSAGE_TOKENS = Path("runs"), 512  # of a message between turns if `rollout.max_conversation_tokens` is 0


@dataclass(frozen=True)
class RustDataSection(DataSection):
    """The prompts to train and to evaluate on."""

    system_prompt: str = option(
        "none", "system message before every prompt; rust: instructions to answer in Rust", choices=("none", "rust")
    )
    show_signature: str = option(
        "as_written",
        "whether prompts show the signature of a row: true, false, or as the row's prompt has it; gold tests of a "
        "signature that is not shown apply only to code that has it",
        choices=("as_written", "true", "false"),
    )
    infill: str = option(
        "chat",
        "how rows of the task infill are asked for the missing part: tokens are the model's own for filling in the "
        "middle, where its tokenizer has them; chat is a message and one ```rust block",
        choices=("chat", "tokens"),
    )


@dataclass(frozen=True)
class RustEvalSection(EvalSection):
    """Evaluation on held-out prompts, before training, in between, and after."""

    code_block: str = option(
        "first",
        "which ```rust block of a completion is its program",
        choices=("first", "last"),
        source="as in training",
    )
    solved_by: str = option(
        "test_strict",
        "the check that pass@k counts: the completion's own tests pass strictly (test_strict), they pass (test), or "
        "the prompt's tests pass (gold)",
        choices=("test_strict", "test", "gold"),
    )


@dataclass(frozen=True)
class RustCheckpointSection(CheckpointSection):
    """Checkpoints of the trained model, from which a run can resume."""

    best_by: str = option(
        "pass_at_1",
        "the metric of the evaluations that says which are best, higher is better; pass_at_1: the share of completions "
        "that solve their prompt, as eval.solved_by says",
        choices=("pass_at_1", "gold", "test_strict", "test", "clippy", "build", "reward_mean"),
    )


@dataclass(frozen=True)
class RewardsSection:
    """The reward functions, their weights, and how long their verdicts are waited for."""

    weights: Mapping[str, float] = option(
        published_weights(),
        "weight of every reward function in the sum: its name in the rubric, package.module:function or "
        "path/to/file.py:function of your own; 0 computes and logs it without paying",
        low=-1000,
        high=1000,
        source="published recipe",
    )
    credit: str = option(
        "whole",
        "whole: every reward pays all tokens of a completion; apart: one that judges only the code (gold, "
        "cross_agreement ...) or only the tests (mutation, cross_tests ...) pays only its tokens",
        choices=("whole", "apart"),
    )
    cross: Mapping[str, float] = option(
        {"partners": 0.0, "tau": 1.0},
        "how the rewards cross_* compare a group, whose codes run on each other's tests: partners is how many of the "
        "others' suites each code is given (0: all, -1: none, where rollout.testers or the column suites of the data "
        "judge), tau how many wrong codes a suite must tell apart for full pay; code_right, suite_right, "
        "wrong_passes_right, wrong_passes_wrong, right_passes_wrong and flake are what cross_calibrated believes",
        low=-1,
        high=1000,
        source="estimated",
    )
    max_unscored: float = option(
        0.1,
        "share of a batch's or an evaluation's completions that the host may fail to grade; above it the run stops "
        "before it learns from them, with the reasons",
        low=0,
        high=1,
    )
    deadline_s: float = option(
        300.0, "longest wait for a batch's verdicts once sampling has ended", unit="s", low=1, high=86_400
    )
    function_s: float = option(
        300.0,
        "longest time for a reward function of your own to score a batch; one that takes longer ends the run, and "
        "with weight 0 scores None. 0: no limit, and it runs in the main thread and not in one of its own",
        unit="s",
        low=0,
        high=86_400,
        source="estimated: a batch's verdicts take as long at most",
    )

    def conflicts(self) -> list[str]:
        """Unknown rewards, and weights that are all 0; a user's own functions are loaded later."""
        found = [
            f"rewards.weights.{name}: no such reward; the nearest is {_nearest(name)}, your own is called "
            "package.module:function or path/to/file.py:function"
            for name in self.weights
            if name not in REWARDS and name not in GROUP_REWARDS and ":" not in name
        ]
        try:
            CrossSettings.of(self.cross)
        except ValueError as error:
            found.append(f"rewards.cross: {error}")
        paid, known = [name for name, weight in self.weights.items() if weight], [*REWARDS, *GROUP_REWARDS]
        if self.credit == "apart" and paid and not any(map(_pays_a_part, paid)):
            found.append(
                'rewards.credit = "apart": no reward with a weight judges only code or only tests, so all pay all '
                f'tokens: use "whole", or give a weight to one of {", ".join(filter(_pays_a_part, known))}'
            )
        if not any(self.weights.values()):
            found.append("rewards.weights: every weight is 0, so there is nothing to learn: give one reward a weight")
        return found


@dataclass(frozen=True)
class GuardSection:
    """What is required of passing tests, beyond that the harness reports them."""

    mutation: bool = option(
        True, "run tests that pass again, with one change of the code at a time: they must notice, or are not strict"
    )


@dataclass(frozen=True)
class SandboxSection(Limits):
    """How many programs are graded at once, and the limits of each."""

    pool: str = option(
        "local",
        "where programs are graded; local: on this machine; ray: on the nodes of a Ray cluster (docs/scale/ray.md)",
        choices=("local", "ray"),
    )
    ray_address: str = option(
        "",
        "of the Ray cluster: HOST:PORT, ray://HOST:PORT, or auto for the Ray that was started on this machine; empty: "
        "a small Ray of the run's own, on this machine",
    )
    jobs: int = option(
        0,
        "programs graded at once; 0: one a core, but three fewer where the policy is on a GPU: the trainer and the "
        "engine need them. On a Ray cluster: at once on each node, and 0: as many as it has CPUs for Ray",
        unit="programs",
        low=0,
        high=4096,
    )
    nice: int = option(
        0, "how far programs yield the processor to the trainer and the engine; changes no verdict", low=0, high=19
    )
    backend: str = option(
        "batch",
        "cargo: cargo itself; direct: its compilers, equal and cheaper; batch: the same for several programs at once",
        choices=BACKENDS,
    )
    keep_verdicts: bool = option(True, "keep verdicts on disk (~/.cache/grpo-rust): no program is graded twice, ever")
    isolation: str = option(
        "auto",
        "what keeps programs from your files and the network; auto: the strongest that works here; none: nothing",
        choices=ISOLATIONS,
    )

    def conflicts(self) -> list[str]:
        """An address that nobody asks for."""
        if self.ray_address and self.pool != "ray":
            return [f'sandbox.ray_address = "{self.ray_address}" with sandbox.pool = "{self.pool}": use pool = "ray"']
        return []

    def limits(self) -> Limits:
        """The limits alone, as the sandbox takes them."""
        return Limits(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Limits)})


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    run: RunSection = field(default_factory=RunSection)
    model: ModelSection = field(default_factory=ModelSection)
    lora: LoraSection = field(default_factory=LoraSection)
    data: RustDataSection = field(default_factory=RustDataSection)
    sampling: SamplingSection = field(default_factory=SamplingSection)
    rollout: RolloutSection = field(default_factory=RolloutSection)
    rewards: RewardsSection = field(default_factory=RewardsSection)
    guard: GuardSection = field(default_factory=GuardSection)
    sandbox: SandboxSection = field(default_factory=SandboxSection)
    train: TrainSection = field(default_factory=TrainSection)
    loss: LossSection = field(default_factory=LossSection)
    eval: RustEvalSection = field(default_factory=RustEvalSection)
    checkpoint: RustCheckpointSection = field(default_factory=RustCheckpointSection)
    log: LogSection = field(default_factory=LogSection)
    track: TrackSection = field(default_factory=TrackSection)
    watch: WatchSection = field(default_factory=WatchSection)

    def conflicts(self) -> list[str]:
        """Settings of different sections that exclude each other."""
        found = partial_conflicts(self.rollout, self.sampling, self.loss)
        rewards, known = self.rewards, [*GROUP_REWARDS]
        found += group_conflicts(rewards.weights, rewards.cross, self.rollout, self.checkpoint, known=known)
        if self.rewards.credit == "apart" and self.loss.name in ("gspo", "luspo"):
            found.append(
                f'rewards.credit = "apart": loss.name = "{self.loss.name}" gives all tokens of a completion one '
                'gradient; use "gspo_token", or "whole"'
            )
        if self.data.infill == "tokens" and self.rollout.turns > 1:
            found.append(
                f'data.infill = "tokens" with rollout.turns = {self.rollout.turns}: between turns a model is told '
                'things in a chat, and such prompts are none: use data.infill = "chat"'
            )
        if self.rollout.turns > 1 and self.loss.kl_beta and self.loss.kl_in == "reward":
            found.append(
                f'rollout.turns = {self.rollout.turns}: loss.kl_in = "reward" would charge a conversation for its last '
                'turn alone: use "loss"'
            )
        age = self.rollout.overlap * self.train.num_iterations * self.train.num_minibatches
        if 0 < self.rollout.max_staleness < age:
            found.append(
                f"rollout.max_staleness = {self.rollout.max_staleness}: with this overlap completions are {age} "
                "updates old"
            )
        if self.sampling.sleep and self.rollout.overlap:
            found.append(
                f"sampling.sleep = true with rollout.overlap = {self.rollout.overlap}: the engine cannot sample ahead "
                "while it sleeps: use rollout.overlap = 0"
            )
        if self.loss.advantages == "gdpo" and self.rollout.refill_rounds:
            found.append(
                'loss.advantages = "gdpo" with rollout.refill_rounds: refilling drops groups whose sums are equal, '
                "and gdpo learns from some of them: use rollout.refill_rounds = 0"
            )
        if self.loss.advantages == "maxrl" and min(self.rewards.weights.values(), default=0) < 0:
            found.append(
                'loss.advantages = "maxrl" divides by the mean reward, which must not be negative: use no weight below '
                "0 in rewards.weights"
            )
        if self.sampling.sleep and self.sampling.engine != "vllm":
            found.append(f"sampling.sleep = true with sampling.engine = {self.sampling.engine}: only vllm sleeps")
        if self.checkpoint.keep_best and not (self.eval.prompts and self.eval.every):
            found.append(
                f"checkpoint.keep_best = {self.checkpoint.keep_best} without evaluations during training: give "
                "eval.every and eval.prompts, which say what is best, or use checkpoint.keep_best = 0"
            )
        return found

    def run_path(self) -> Path:
        """The run directory: `run.dir`, or `runs/<run.name>`."""
        return Path(self.run.dir) if self.run.dir else RUNS / self.run.name

    def longest_sequence(self) -> int:
        """The most tokens that a completion has with all that is before it; a model's context may be shorter."""
        completion, later = self.sampling.max_completion_tokens, self.rollout.turns - 1
        first = self.data.max_prompt_tokens + completion
        if not later:
            return first
        return max(first, self.rollout.max_conversation_tokens or first + later * (completion + MESSAGE_TOKENS))

    def as_begun(self) -> Recipe:
        """The recipe of the run, whether this session begins or resumes it: what its directory and checkpoints keep."""
        return dataclasses.replace(self, run=dataclasses.replace(self.run, resume=False))

    def named(self, default: str) -> Recipe:
        """The recipe with `run.name` and `run.dir` filled in.

        Args:
            default: The name where neither `run.name` nor `run.dir` gives one.
        """
        from_dir = re.sub(r"[^A-Za-z0-9_.+-]", "_", Path(self.run.dir).name).lstrip(".+-")
        run = dataclasses.replace(self.run, name=self.run.name or from_dir or default)
        named = dataclasses.replace(self, run=run)
        return dataclasses.replace(named, run=dataclasses.replace(run, dir=str(named.run_path())))


def load_recipe(path: str | Path | None, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe from a TOML file and overrides, with the run's name and directory filled in.

    Args:
        path: The TOML file; None for the defaults alone. The project's own are in scripts/recipes/.
        overrides: Each `section.key=value`; the last one wins over earlier ones and over the file.

    Raises:
        ConfigError: Naming every setting that cannot be used, and what is allowed.

    >>> load_recipe(None, ["train.max_steps=2", "run.dir=runs/first"]).run.name
    'first'
    """
    stem = "defaults" if path is None else Path(path).stem
    recipe = load(Recipe, path, overrides)
    if not (recipe.run.dir or recipe.run.name) and int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0")):
        raise ConfigError("torchrun --max-restarts starts the run anew under the same name: give run.dir or run.name")
    return recipe.named(f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}")


def _nearest(name: str) -> str:
    """The name of the known reward that is most like this one."""
    return max([*REWARDS, *GROUP_REWARDS], key=lambda known: SequenceMatcher(None, name, known).ratio())


def _pays_a_part(name: str) -> bool:
    """Whether a reward judges only code or only tests; of a user's own functions none does."""
    known = REWARDS.get(name) or GROUP_REWARDS.get(name)
    return known is not None and known.pays is not None
