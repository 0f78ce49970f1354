"""The demonstrations of a recipe for supervised fine-tuning: `data.train` with its mixture, read, encoded and cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy
from grpo.rollout.epochs import Share, turns_of_pass
from grpo.rollout.fingerprints import Fingerprint, fingerprint, share_fingerprints
from grpo.rollout.prompts import encode_prompts
from grpo.rollout.rows import DataError
from grpo.supervised import demonstration_sample
from grpo_rust.compose.prompts import read_training_source
from grpo_rust.recipe import Recipe
from rewards.demonstration import demonstration

__all__ = ["Demonstrations", "load_demonstrations"]


class Demonstrations(NamedTuple):
    """What is imitated, how many demonstrations were left out because they are too long, and the sources."""

    samples: Sequence[TrainingSample]
    num_too_long: int
    shares: tuple[Share, ...]

    @property
    def turns(self) -> float:
        """Turns of a pass."""
        return turns_of_pass(self.shares)

    def fingerprints(self) -> dict[str, list[Fingerprint]]:
        """Of what is imitated, by its number, and of the mixture: a resumed run has to have the same."""
        samples = [fingerprint(str(n), s.prompt_ids, s.completion_ids) for n, s in enumerate(self.samples, start=1)]
        return {"data.train": samples, "data.train_mix": share_fingerprints(self.shares)}

    def __str__(self) -> str:
        return f"{len(self.samples)}" + (f" ({self.num_too_long} too long, left out)" if self.num_too_long else "")


def load_demonstrations(recipe: Recipe, policy: Policy) -> Demonstrations:
    """The demonstrations in `data.train` and `data.train_mix`.

    A prompt over `data.max_prompt_tokens` is an error or left out, as `data.long_prompts` says. A completion over
    `sampling.max_completion_tokens` is left out: it would teach what the model is never let write.

    Raises:
        DataError: For rows without a demonstration, or when none of a source fits.
    """
    samples: list[TrainingSample] = []
    shares, num_too_long = [], 0
    for source, weight in recipe.data.train_sources().items():
        found, too_long = _load_source(recipe, policy, source)
        samples += found
        num_too_long += too_long
        shares.append(Share(len(found), weight))
    return Demonstrations(samples, num_too_long, tuple(shares))


def _load_source(recipe: Recipe, policy: Policy, source: str) -> tuple[list[TrainingSample], int]:
    """The demonstrations of one source, and how many more were too long. Raises: As `load_demonstrations`."""
    examples = read_training_source(recipe, source)
    fitting = encode_prompts(
        examples,
        policy.encode,
        max_tokens=recipe.data.max_prompt_tokens,
        long_prompts=recipe.data.long_prompts,
        encode_infill=policy.encode_infill,
    )
    longest = recipe.sampling.max_completion_tokens
    samples = []
    for example in fitting:
        try:
            text = demonstration(example.columns)
        except ValueError as error:
            raise DataError(f"{source}: task {example.id!r}: {error}") from error
        completion = policy.encode_middle(text) if example.infill is not None else policy.encode_completion(text)
        if len(completion) <= longest:
            samples.append(demonstration_sample(example.prompt_ids, completion))
    if not samples:
        raise DataError(
            f"{source}: every completion is longer than sampling.max_completion_tokens = {longest}: raise the limit"
        )
    return samples, len(examples) - len(samples)
