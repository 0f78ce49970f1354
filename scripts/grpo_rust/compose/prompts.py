"""The prompts of a recipe: read, checked and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from grpo.rollout.fingerprints import Fingerprint, fingerprints
from grpo.rollout.prompts import encode_prompts
from grpo.rollout.records import Example
from grpo.rollout.rows import DataError
from grpo_rust.compose.evaluation_only import check_trainable
from grpo_rust.compose.signatures import read_examples, signature_note
from grpo_rust.recipe import Recipe
from rewards.cross.tester_prompt import tester_start
from rewards.gold.rows import gold_kind, gold_problem
from rewards.prompts import SYSTEM_PROMPT
from rewards.rubric import Rubric

if TYPE_CHECKING:
    from grpo.model.policy import Policy  # a plan reads prompts too, and is made without torch

__all__ = [
    "PromptSet",
    "Prompts",
    "check_gold",
    "described",
    "encode",
    "load_held_out",
    "load_prompts",
    "read_held_out",
    "read_rewarded_examples",
    "read_training_examples",
    "system_prompt_of",
]


class PromptSet(NamedTuple):
    """Examples, how many more were too long, and how many have gold tests that only libtest can run.

    `note` says what of their signatures is not shown as it was asked for.
    """

    examples: list[Example]
    num_too_long: int = 0
    num_gold_modules: int = 0
    note: str = ""

    def __str__(self) -> str:
        too_long = f" ({self.num_too_long} too long, left out)" if self.num_too_long else ""
        modules = f" ({self.num_gold_modules} with gold tests inside the program)" if self.num_gold_modules else ""
        note = f" ({self.note})" if self.note else ""
        return f"{len(self.examples)}{too_long}{modules}{note}"


class Prompts(NamedTuple):
    """What a run trains and evaluates on. Without held-out examples there is no evaluation."""

    train: PromptSet
    held_out: PromptSet

    def fingerprints(self) -> dict[str, list[Fingerprint]]:
        """Of both sets, by the setting that names the source; a resumed run has to have the same."""
        return {"data.train": fingerprints(self.train.examples), "data.eval": fingerprints(self.held_out.examples)}


def load_prompts(recipe: Recipe, policy: Policy) -> Prompts:
    """Both sets of prompts of a recipe.

    Raises:
        DataError: For prompts that cannot be used, or gold tests that are going to be run and cannot be.
    """
    examples = read_rewarded_examples(recipe)
    if recipe.rollout.testers:
        examples = [replace(example, tester_start=tester_start(example.columns)) for example in examples]
    train = encode(recipe, policy, examples, gold=_needs_gold(recipe))
    if recipe.rollout.testers:
        train = _with_tester_note(recipe, train)
    return Prompts(train, load_held_out(recipe, policy) if recipe.eval.prompts else PromptSet([]))


def _with_tester_note(recipe: Recipe, train: PromptSet) -> PromptSet:
    """A set with what is to be said of prompts for tests alone. Raises: DataError where no prompt has one."""
    missing = sum(not example.tester_ids for example in train.examples)
    if missing == len(train.examples):
        raise DataError(
            f"rollout.testers = {recipe.rollout.testers}: no row of {recipe.data.train} says what function it asks "
            "for, within data.max_prompt_tokens: give it a column signature, reference or rust_code"
        )
    notes = [train.note] if train.note else []
    return train._replace(note=", ".join([*notes, f"{missing} without testers"])) if missing else train


def load_held_out(recipe: Recipe, policy: Policy) -> PromptSet:
    """The prompts to evaluate on. Raises: As `load_prompts`."""
    return encode(recipe, policy, read_held_out(recipe), gold=True)


def read_held_out(recipe: Recipe) -> list[Example]:
    """The prompts to evaluate on as text, not encoded for any model. Raises: As `load_prompts`."""
    examples = _read(recipe, recipe.data.eval, split="test")[: recipe.eval.prompts]
    check_gold(recipe.data.eval, examples)
    return examples


def read_training_examples(recipe: Recipe) -> list[Example]:
    """The prompts to train on as text. Raises: DataError; BadInput for data that must not be trained on."""
    found = _read(recipe, recipe.data.train, split="train")
    check_trainable(recipe.data.train, found)
    return found


def read_rewarded_examples(recipe: Recipe) -> list[Example]:
    """The prompts to train on by rewards, as text; gold tests are checked where a reward runs them.

    Raises: As `read_training_examples`; DataError for gold tests that cannot be run.
    """
    found = read_training_examples(recipe)
    if _needs_gold(recipe):
        check_gold(recipe.data.train, found)
    return found


def system_prompt_of(recipe: Recipe) -> str:
    """The system prompt that the recipe names; empty for none."""
    return SYSTEM_PROMPT if recipe.data.system_prompt == "rust" else ""


def check_gold(source: str, examples: Sequence[Example]) -> None:
    """Check gold tests that are going to be run. Raises: DataError."""
    for example in examples:
        if problem := gold_problem(example.columns):
            raise DataError(f"{source}: task {example.id!r}: {problem}")


def encode(recipe: Recipe, policy: Policy, examples: Sequence[Example], *, gold: bool) -> PromptSet:
    """Examples with their prompts as a policy's tokens; `gold`: their gold tests are going to be run."""
    fitting = encode_prompts(
        examples,
        policy.encode,
        max_tokens=recipe.data.max_prompt_tokens,
        long_prompts=recipe.data.long_prompts,
        encode_answer=policy.encode_start,
        encode_infill=policy.encode_infill,
    )
    return described(recipe, fitting, gold=gold, num_too_long=len(examples) - len(fitting))


def described(recipe: Recipe, examples: list[Example], *, gold: bool, num_too_long: int = 0) -> PromptSet:
    """Examples with what is to be said of them; arguments as of `encode` and `PromptSet`."""
    modules = sum(gold_kind(example.columns) == "tests" for example in examples) if gold else 0
    return PromptSet(examples, num_too_long, modules, signature_note(examples, recipe.data.show_signature))


def _needs_gold(recipe: Recipe) -> bool:
    """Whether a reward with a weight runs gold tests. Raises: RewardError."""
    return Rubric(recipe.rewards.weights).needs_gold


def _read(recipe: Recipe, source: str, *, split: str) -> list[Example]:
    """The prompts of a source, as the recipe's section `data` shows them."""
    return read_examples(
        source,
        split=split,
        system_prompt=system_prompt_of(recipe),
        show=recipe.data.show_signature,
        infill=recipe.data.infill,
    )
