"""Samples one batch of groups, grades each completion when it ends, and collects the grades.

The grader works beside the engine: a completion is handed over as soon as it ends, so most verdicts are there when the
last completion has been sampled. A bad completion is data; only a failure of the host is an error.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grpo.engines import Engine, GenerationOutput, SamplingParams
from grpo.rollout.records import Completion, Example, Grade, Grader, Group
from grpo.rollout.sums import part_sums, weighted_sum
from grpo.run.out_of_memory import memory_explained, sampling_advice
from grpo.run.stuck import note_progress

__all__ = ["PendingRollout", "Rollout", "collect", "graded", "sample", "seed_for"]

Decode = Callable[[Sequence[int]], str]  # token ids of a completion -> its text


@dataclass(frozen=True)
class PendingRollout:
    """Sampled completions whose grades may be still to come; `completions` and `tickets` by (prompt, sample)."""

    examples: Sequence[Example]
    completions: Mapping[tuple[int, int], Completion]
    tickets: Mapping[tuple[int, int], Any]
    generate_s: float
    grades: Mapping[tuple[int, int], Grade] | None = None  # once they are there, by (prompt, sample)


@dataclass(frozen=True)
class Rollout:
    """The graded groups of a batch, and where the time went (seconds)."""

    groups: tuple[Group, ...]
    generate_s: float
    wait_rewards_s: float


def sample(
    engine: Engine,
    grader: Grader,
    decode: Decode,
    examples: Sequence[Example],
    params: SamplingParams,
    *,
    id_prefix: str,
    policy_version: int,
    testers: int = 0,
    on_completion: Callable[[], None] = lambda: None,
) -> PendingRollout:
    """Sample a group for every example; the grader gets each completion as soon as it ends.

    Args:
        engine: Samples the completions.
        grader: Grades them.
        decode: Token ids to text.
        examples: Encoded prompts.
        params: How to sample; `num_samples` is the group size.
        id_prefix: Begins the completions' ids: "s3" gives "s3-p07-c2".
        policy_version: Number of weight updates so far.
        testers: Completions to sample for tests alone, for every example that has a prompt for them.
        on_completion: Called when a completion has ended; what it raises ends the sampling.
    """
    started = time.perf_counter()
    completions: dict[tuple[int, int], Completion] = {}
    tickets: dict[tuple[int, int], Any] = {}
    for output in _sampled(engine, examples, params):
        note_progress()
        on_completion()
        slot = (output.prompt, output.sample)
        completions[slot] = Completion(
            id=f"{id_prefix}-p{output.prompt:02d}-c{output.sample}",
            token_ids=output.token_ids,
            sampler_logprobs=output.logprobs,
            text=decode(output.token_ids),
            terminated=output.terminated,
            policy_version=policy_version,
        )
        tickets[slot] = grader.start(examples[output.prompt], completions[slot])
    asked = [(number, example) for number, example in enumerate(examples) if testers and example.tester_ids]
    for place, completion in _tests(engine, decode, asked, params, testers, id_prefix, policy_version):
        note_progress()
        on_completion()
        grader.add_tests(asked[place][1], completion)
    return PendingRollout(examples, completions, tickets, time.perf_counter() - started)


def _tests(
    engine: Engine,
    decode: Decode,
    asked: Sequence[tuple[int, Example]],
    params: SamplingParams,
    count: int,
    id_prefix: str,
    policy_version: int,
) -> Iterator[tuple[int, Completion]]:
    """Tests that are sampled without any code: the place in `asked`, and the completion with the start of its text."""
    if not asked:
        return
    params = replace(params, num_samples=count, seed=seed_for(params.seed, "testers"))
    prompts = [replace(example, prompt_ids=example.tester_ids) for _, example in asked]
    for output in _sampled(engine, prompts, params):
        number, example = asked[output.prompt]
        yield output.prompt, Completion(
            id=f"{id_prefix}-p{number:02d}-t{output.sample}",
            token_ids=output.token_ids,
            sampler_logprobs=output.logprobs,
            text=example.tester_start + decode(output.token_ids),
            terminated=output.terminated,
            policy_version=policy_version,
        )


def _sampled(engine: Engine, examples: Sequence[Example], params: SamplingParams) -> Iterator[GenerationOutput]:
    """What the engine samples; if it runs out of memory, the error has the sizes."""

    def size() -> str:
        longest = max(len(example.prompt_ids) for example in examples)
        rows = f"{len(examples)} prompts of at most {longest} tokens x {params.num_samples} completions"
        return f"{rows} of at most {params.max_tokens} tokens"

    with memory_explained("sampling", size, sampling_advice):
        yield from engine.generate([example.prompt_ids for example in examples], params)


def collect(pending: PendingRollout, grader: Grader) -> Rollout:
    """Wait for the grades of a batch.

    Returns: One group per example, in order. Its completions are in sampling order, whichever ended first.
    """
    started = time.perf_counter()
    slots = sorted(pending.completions)
    grades = graded(pending, grader).grades
    assert grades is not None
    waited = time.perf_counter() - started
    groups = []
    for index, example in enumerate(pending.examples):
        own = [slot for slot in slots if slot[0] == index]
        completions, found = tuple(pending.completions[slot] for slot in own), tuple(grades[slot] for slot in own)
        rewards = tuple(weighted_sum(grade.rewards, grader.weights) for grade in found)
        groups.append(Group(example, completions, found, rewards, part_sums(found, grader)))
    return Rollout(tuple(groups), pending.generate_s, waited)


def graded(pending: PendingRollout, grader: Grader) -> PendingRollout:
    """The batch with its grades, waited for; a batch that has them is returned as it is, and not graded again."""
    if pending.grades is not None:
        return pending
    slots = sorted(pending.completions)
    grades = grader.finish([pending.tickets[slot] for slot in slots])
    return replace(pending, grades=dict(zip(slots, grades, strict=True)))


def seed_for(*parts: int | str) -> int:
    """A 63-bit seed from a run's seed, a purpose and a step: a resumed run needs no saved generator state.

    >>> seed_for(0, "train", 1) == seed_for(0, "train", 1) != seed_for(0, "train", 2)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
