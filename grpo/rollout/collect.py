"""Samples one batch of groups, grades each completion when it ends, and collects the grades.

The grader works beside the engine: a completion is handed over as soon as it ends, so most verdicts are there when the
last completion has been sampled. Conversations of several turns are sampled in rounds, one call of the engine each:
what a round is made of depends on what was sampled, never on how fast it was graded. A bad completion is data; only a
failure of the host is an error.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.rollout.records import Completion, Example, Grade, Grader, Group, History
from grpo.rollout.sums import part_sums, weighted_sum
from grpo.rollout.turns.conversations import paying, peers_of
from grpo.rollout.turns.playing import TurnRules, next_turns
from grpo.run.out_of_memory import memory_explained, sampling_advice
from grpo.run.stuck import note_progress

__all__ = ["PendingRollout", "Rollout", "collect", "graded", "sample", "seed_for"]

Decode = Callable[[Sequence[int]], str]  # token ids of a completion -> its text
Slot = tuple[
    int, int
]  # the prompt, and the completion's number: that of its sample, and the group's size more each turn


@dataclass(frozen=True)
class PendingRollout:
    """Sampled completions whose grades may be still to come."""

    examples: Sequence[Example]
    completions: Mapping[Slot, Completion]
    tickets: Mapping[Slot, Any]
    generate_s: float
    grades: Mapping[Slot, Grade] | None = None  # once they are there
    num_crowded: int = 0  # conversations that ended because another turn might not have fitted
    num_cut: int = 0  # completions that a deadline cut


@dataclass(frozen=True)
class Rollout:
    """The graded groups of a batch, and where the time went (seconds)."""

    groups: tuple[Group, ...]
    generate_s: float
    wait_rewards_s: float
    num_crowded: int = 0  # as of `PendingRollout`


@dataclass(frozen=True)
class _Batch:
    """What has been sampled of a batch; every completion goes to the grader when it is added."""

    grader: Grader
    decode: Decode
    examples: Sequence[Example]
    group_size: int
    id_prefix: str
    policy_version: int
    completions: dict[Slot, Completion] = field(default_factory=dict)
    tickets: dict[Slot, Any] = field(default_factory=dict)
    cut: set[Slot] = field(default_factory=set)  # by a deadline

    def add(self, slot: Slot, output: GenerationOutput, history: History | None = None) -> None:
        """Take a completion that has ended."""
        turn, sample = divmod(slot[1], self.group_size)
        name = f"{self.id_prefix}-p{slot[0]:02d}-c{sample}"
        self.completions[slot] = Completion(
            id=f"{name}.{turn + 1}" if turn else name,
            token_ids=output.token_ids,
            sampler_logprobs=output.logprobs,
            text=self.decode(output.token_ids),
            terminated=output.terminated,
            policy_version=output.versions[0][0] if output.versions else self.policy_version,
            history=history,
            versions=output.versions,
        )
        self.tickets[slot] = self.grader.start(self.examples[slot[0]], self.completions[slot])
        if not output.finished:
            self.cut.add(slot)


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
    turns: TurnRules | None = None,
    on_completion: Callable[[], None] = lambda: None,
) -> PendingRollout:
    """Sample a group for every example; the grader gets each completion as soon as it ends.

    Args:
        engine: Samples the completions.
        grader: Grades them.
        decode: Token ids to text.
        examples: Encoded prompts.
        params: How to sample; `num_samples` is the group size.
        id_prefix: Begins the completions' ids: "s3" gives "s3-p07-c2", whose second turn is "s3-p07-c2.2".
        policy_version: Number of weight updates so far; where the engine says it of its tokens, that counts.
        testers: Completions to sample for tests alone, for every example that has a prompt for them.
        turns: How conversations go on after their first completion; None: not at all.
        on_completion: Called when a completion has ended; what it raises ends the sampling.
    Raises:
        EngineDied: The grader has forgotten what was sampled.
    """
    started = time.perf_counter()
    batch = _Batch(grader, decode, examples, params.num_samples, id_prefix, policy_version)

    def ended(slot: Slot, output: GenerationOutput, history: History | None = None) -> None:
        note_progress()
        on_completion()
        batch.add(slot, output, history)

    try:
        for output in _sampled(engine, examples, params):
            ended((output.prompt, output.sample), output)
        num_crowded = 0 if turns is None else _later_turns(engine, batch, params, turns, ended)
        asked = [(number, example) for number, example in enumerate(examples) if testers and example.tester_ids]
        for place, completion in _tests(engine, decode, asked, params, testers, id_prefix, policy_version):
            note_progress()
            on_completion()
            grader.add_tests(asked[place][1], completion)
    except EngineDied:
        grader.forget(list(batch.tickets.values()))
        raise
    seconds = time.perf_counter() - started
    return PendingRollout(
        examples, batch.completions, batch.tickets, seconds, num_crowded=num_crowded, num_cut=len(batch.cut)
    )


def _later_turns(
    engine: Engine,
    batch: _Batch,
    params: SamplingParams,
    rules: TurnRules,
    ended: Callable[[Slot, GenerationOutput, History], None],
) -> int:
    """Sample the later turns of the conversations that go on; how many ended because another one might not fit."""
    slots, num_crowded = sorted(batch.completions), 0
    for turn in range(1, rules.most):
        prompts = [batch.examples[prompt].prompt_ids for prompt, _ in slots]
        last = [batch.completions[slot] for slot in slots]
        tickets = [batch.tickets[slot] for slot in slots]
        asked = next_turns(rules, prompts, last, tickets, max_completion_tokens=params.max_tokens)
        note_progress()
        num_crowded += asked.num_crowded
        if not asked.places:
            break
        slots = [(slots[place][0], slots[place][1] + batch.group_size) for place in asked.places]
        told = [
            replace(batch.examples[prompt], prompt_ids=batch.examples[prompt].prompt_ids + history.token_ids)
            for (prompt, _), history in zip(slots, asked.histories, strict=True)
        ]
        once = replace(params, num_samples=1, seed=seed_for(params.seed, "turn", turn))
        for output in _sampled(engine, told, once):
            ended(slots[output.prompt], output, asked.histories[output.prompt])
    return num_crowded


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


def collect(pending: PendingRollout, grader: Grader, *, credit: str = "final") -> Rollout:
    """Wait for the grades of a batch.

    Args:
        pending: What was sampled.
        grader: Grades it.
        credit: What the turns of a conversation earn: see `grpo.rollout.turns.conversations`.
    Returns: One group per example, in order. Its completions are in sampling order, whichever ended first, and every
        turn of its conversations is after all that are earlier.
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
        groups.append(_group(example, completions, found, grader, credit))
    return Rollout(tuple(groups), pending.generate_s, waited, pending.num_crowded)


def _group(
    example: Example, completions: tuple[Completion, ...], grades: tuple[Grade, ...], grader: Grader, credit: str
) -> Group:
    """The graded completions of an example, with what each of them earns."""
    payers = [grades[place] for place in paying(completions, credit)]
    rewards = tuple(weighted_sum(grade.rewards, grader.weights) for grade in payers)
    peers = peers_of(completions, credit)
    return Group(example, completions, grades, rewards, part_sums(payers, grader), peers=peers)


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
