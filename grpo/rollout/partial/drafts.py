"""What is written of a batch whose sampling may be interrupted, as far as it goes, and by which weights.

A batch asks its engine one or several times: once for its completions, again for later turns and for tests. Each such
call is a round. What a batch asks follows from what it was answered, so a batch that is sampled anew over the rounds it
had goes on exactly where it was, also in a later session of the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grpo.engines import GenerationOutput, SamplingParams
from grpo.rollout.records import Versions

__all__ = ["Drafts", "PartialCompletion", "Round"]


@dataclass
class PartialCompletion:
    """A completion while it is written."""

    prompt: int
    sample: int
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    versions: Versions = ()
    finished: bool = False
    terminated: bool = False

    def add(self, output: GenerationOutput, version: int) -> None:
        """Take what the weights of a version have written.

        >>> draft = PartialCompletion(0, 0)
        >>> for version, tokens in ((3, 2), (3, 1), (4, 2)):
        ...     draft.add(GenerationOutput(0, 0, (7,) * tokens, (-1.0,) * tokens, False, False), version)
        >>> draft.token_ids, draft.versions
        ((7, 7, 7, 7, 7), ((3, 3), (4, 2)))
        """
        count = len(output.token_ids)
        self.token_ids += output.token_ids
        self.logprobs += output.logprobs
        if self.versions and self.versions[-1][0] == version:
            self.versions = (*self.versions[:-1], (version, self.versions[-1][1] + count))
        elif count:
            self.versions = (*self.versions, (version, count))
        self.finished, self.terminated = output.finished, output.terminated

    def output(self) -> GenerationOutput:
        """All of it, as an engine would hand it over that had written it at once."""
        return GenerationOutput(
            self.prompt, self.sample, self.token_ids, self.logprobs, self.terminated, self.finished, self.versions
        )


@dataclass
class Round:
    """One call of an engine: what it was asked, and the drafts of what it answers."""

    asked: str  # see `_asked`
    drafts: list[PartialCompletion]

    def unfinished(self) -> list[PartialCompletion]:
        """The drafts that have no end yet."""
        return [draft for draft in self.drafts if not draft.finished]

    @property
    def length(self) -> int:
        """How many tokens are written."""
        return sum(len(draft.token_ids) for draft in self.drafts)


@dataclass
class Drafts:
    """The rounds of a batch."""

    rounds: list[Round] = field(default_factory=list)
    lost: bool = False  # the engine died over them: the batch has to be sampled again, as a whole

    def round(self, number: int, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Round:
        """A batch's call of this number: what is written of it, if it asked the same then, else nothing.

        It may ask something else, since later turns depend on grades and those may be others after a resume.
        """
        asked = _asked(prompts, params)
        if number < len(self.rounds) and self.rounds[number].asked != asked:
            del self.rounds[number:]
        if number == len(self.rounds):
            slots = [(prompt, sample) for prompt in range(len(prompts)) for sample in range(params.num_samples)]
            self.rounds.append(Round(asked, [PartialCompletion(*slot) for slot in slots]))
        return self.rounds[number]

    def to_json(self) -> list[Any]:
        """The rounds as plain JSON values."""
        return (
            []
            if self.lost
            else [[found.asked, [list(vars(d).values()) for d in found.drafts]] for found in self.rounds]
        )

    @classmethod
    def from_json(cls, rounds: Sequence[Any]) -> Drafts:
        """What `to_json` wrote."""
        return cls([Round(asked, [_draft(*values) for values in drafts]) for asked, drafts in rounds])


def _draft(
    prompt: int,
    sample: int,
    token_ids: Sequence[int],
    logprobs: Sequence[float],
    versions: Sequence[tuple[int, int]],
    finished: bool,
    terminated: bool,
) -> PartialCompletion:
    """A draft of JSON values."""
    runs = tuple((version, count) for version, count in versions)
    return PartialCompletion(prompt, sample, tuple(token_ids), tuple(logprobs), runs, finished, terminated)


def _asked(prompts: Sequence[Sequence[int]], params: SamplingParams) -> str:
    """A fingerprint of a call."""
    said = repr(([tuple(prompt) for prompt in prompts], params))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
