"""The prompts of a recipe: read, checked and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from grpo.rollout.epochs import Share, turns_of_pass
from grpo.rollout.fingerprints import Fingerprint, fingerprints, share_fingerprints
from grpo.rollout.prompts import encode_prompts
from grpo.rollout.records import Example
from grpo.rollout.rows import DataError
from grpo_rust.compose.evaluation_only import check_trainable
from grpo_rust.compose.signatures import read_examples, signature_note
from grpo_rust.compose.sources import named_sources, with_unique_ids
from grpo_rust.recipe import OWN_TESTS_RECIPE, Recipe
from rewards.cross.members import suite_of
from rewards.cross.result import OTHERS_ALONE
from rewards.cross.row_suites import SUITES, row_suites
from rewards.cross.tester_prompt import tester_start
from rewards.gold.rows import gold_kind, gold_problem
from rewards.group_rewards import GROUP_REWARDS
from rewards.rubric import Rubric
from rewards.tasks.function import SYSTEM_PROMPT

if TYPE_CHECKING:
    from grpo.model.policy import Policy  # a plan reads prompts too, and is made without torch

__all__ = [
    "WITHOUT_SUITES",
    "PromptSet",
    "Prompts",
    "check_gold",
    "count_unjudged",
    "described",
    "encode",
    "load_held_out",
    "load_prompts",
    "read_held_out",
    "read_held_out_source",
    "read_rewarded_source",
    "read_rewarded_sources",
    "read_training_source",
    "system_prompt_of",
]


WITHOUT_SUITES = "without suites"  # as a plan and a run say it


class PromptSet(NamedTuple):
    """Examples, how many more were too long, and how many have gold tests that only libtest can run.

    `note` says what of their signatures is not shown as it was asked for. `shares` are the sources that training draws
    from by their weights.
    """

    examples: list[Example]
    num_too_long: int = 0
    num_gold_modules: int = 0
    note: str = ""
    shares: tuple[Share, ...] = ()

    @property
    def turns(self) -> float:
        """Turns of a pass over the prompts to train on."""
        return turns_of_pass(self.shares)

    def __str__(self) -> str:
        sources = " + ".join(f"{share.size} of weight {share.weight:g}" for share in self.shares)
        several = f" ({sources})" if len(self.shares) > 1 else ""
        too_long = f" ({self.num_too_long} too long, left out)" if self.num_too_long else ""
        modules = f" ({self.num_gold_modules} with gold tests inside the program)" if self.num_gold_modules else ""
        note = f" ({self.note})" if self.note else ""
        return f"{len(self.examples)}{several}{too_long}{modules}{note}"


class Prompts(NamedTuple):
    """What a run trains and evaluates on. Without held-out examples there is no evaluation."""

    train: PromptSet
    held_out: PromptSet

    def fingerprints(self) -> dict[str, list[Fingerprint]]:
        """Of both sets and of the mixture, by the setting that names the source; a resumed run has to have the same."""
        return {
            "data.train": fingerprints(self.train.examples),
            "data.train_mix": share_fingerprints(self.train.shares),
            "data.eval": fingerprints(self.held_out.examples),
        }


def load_prompts(recipe: Recipe, policy: Policy) -> Prompts:
    """Both sets of prompts of a recipe.

    Raises:
        DataError: For prompts that cannot be used, or gold tests that are going to be run and cannot be.
    """
    train = _mixed(recipe, [_encode_source(recipe, policy, found) for found in read_rewarded_sources(recipe).values()])
    if recipe.rollout.testers:
        train = _with_tester_note(recipe, train)
    train = _with_note(train, count_unjudged(recipe, train.examples), WITHOUT_SUITES)
    return Prompts(train, load_held_out(recipe, policy) if recipe.eval.prompts else PromptSet([]))


def count_unjudged(recipe: Recipe, examples: Sequence[Example]) -> int:
    """How many prompts have nobody who judges their completions, where suites of rows alone do."""
    alone = not recipe.rollout.testers and recipe.rewards.cross.get("partners", 0) == OTHERS_ALONE
    if not alone or not Rubric(recipe.rewards.weights).needs_crossing:
        return 0
    return sum(not row_suites(one.columns) for one in examples)


def _encode_source(recipe: Recipe, policy: Policy, examples: list[Example]) -> PromptSet:
    """The prompts to train on of one source."""
    if recipe.rollout.testers:
        examples = [replace(example, tester_start=tester_start(example.columns)) for example in examples]
    return encode(recipe, policy, examples, gold=_needs_gold(recipe))


def _mixed(recipe: Recipe, sources: Sequence[PromptSet]) -> PromptSet:
    """One set of the prompts of all sources to train on."""
    examples = list(chain.from_iterable(one.examples for one in sources))
    return PromptSet(
        examples,
        sum(one.num_too_long for one in sources),
        sum(one.num_gold_modules for one in sources),
        signature_note(examples, recipe.data.show_signature),
        tuple(
            Share(len(one.examples), w) for one, w in zip(sources, recipe.data.train_sources().values(), strict=True)
        ),
    )


def _with_tester_note(recipe: Recipe, train: PromptSet) -> PromptSet:
    """A set with what is to be said of prompts for tests alone. Raises: DataError where no prompt has one."""
    missing = sum(not example.tester_ids for example in train.examples)
    if missing == len(train.examples):
        sources = named_sources(recipe.data.train_sources())
        raise DataError(
            f"rollout.testers = {recipe.rollout.testers}: no row of {sources} says what function it asks for, "
            "within data.max_prompt_tokens: give it a column signature, reference or rust_code"
        )
    return _with_note(train, missing, "without testers")


def _with_note(train: PromptSet, count: int, what: str) -> PromptSet:
    """A set with one thing more that is to be said of it, unless it is true of no prompt."""
    notes = [train.note] if train.note else []
    return train._replace(note=", ".join([*notes, f"{count} {what}"])) if count else train


def load_held_out(recipe: Recipe, policy: Policy) -> PromptSet:
    """The prompts to evaluate on. Raises: As `load_prompts`."""
    return encode(recipe, policy, read_held_out(recipe), gold=True)


def read_held_out(recipe: Recipe) -> list[Example]:
    """The prompts to evaluate on as text, not encoded for any model. Raises: As `load_prompts`."""
    sources = recipe.data.eval_sources()
    found = with_unique_ids({source: read_held_out_source(recipe, source) for source in sources})
    return list(chain.from_iterable(found[source][: recipe.eval.num_prompts(sources[source])] for source in sources))


def read_held_out_source(recipe: Recipe, source: str) -> list[Example]:
    """The prompts of one source to evaluate on; gold tests of those that are going to be used are checked."""
    found = _read(recipe, source, split="test")
    check_gold(source, found[: recipe.eval.num_prompts(recipe.data.eval_sources()[source])])
    return found


def read_training_source(recipe: Recipe, source: str) -> list[Example]:
    """The prompts of one source to train on, as text. Raises: DataError; BadInput for data not to be trained on."""
    found = _read(recipe, source, split="train")
    check_trainable(source, found)
    return found


def read_rewarded_sources(recipe: Recipe) -> dict[str, list[Example]]:
    """The prompts of every source, with ids that no two of them share. Raises: As `read_rewarded_source`."""
    return with_unique_ids({source: read_rewarded_source(recipe, source) for source in recipe.data.train_sources()})


def read_rewarded_source(recipe: Recipe, source: str) -> list[Example]:
    """The prompts of one source to train on by rewards; gold tests are checked where a reward runs them.

    Raises: As `read_training_source`; DataError for gold tests that cannot be run, and for suites that are none.
    """
    found = read_training_source(recipe, source)
    if _needs_gold(recipe):
        check_gold(source, found)
    if Rubric(recipe.rewards.weights).needs_crossing:
        _check_judges(recipe, source, found)
    return found


def _check_judges(recipe: Recipe, source: str, examples: Sequence[Example]) -> None:
    """Check the suites that rows bring along, and that somebody judges groups to learn from. Raises: DataError."""
    if recipe.rollout.turns > 1:
        raise DataError(
            f"rollout.turns = {recipe.rollout.turns}: the rewards cross_* compare completions to one prompt, and later "
            f"turns have prompts of their own: take a recipe without them, as {OWN_TESTS_RECIPE.name}, or turns = 1"
        )
    judged = recipe.rollout.testers or recipe.rewards.cross.get("partners", 0) != OTHERS_ALONE
    paid = {name for name in GROUP_REWARDS if recipe.rewards.weights.get(name)}
    judged = judged or ("cross_test_thorough" in paid and paid <= {"cross_test_thorough", "cross_all"})  # by own tests
    for example in examples:
        try:
            suites = row_suites(example.columns)
        except ValueError as error:
            raise DataError(f"{source}: task {example.id!r}: {error}") from None
        judged = judged or any(map(suite_of, suites))
    if not judged:
        raise DataError(
            f"rewards.cross.partners = {OTHERS_ALONE}: there is nobody to judge: no row of {source} has a test module "
            f"with an assert in a column {SUITES}, and rollout.testers is 0; give suites (make_dataset.py suites) or "
            "testers, set partners to 0 or more, or give cross_test_thorough a weight"
        )


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
