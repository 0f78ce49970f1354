"""Stops an engine where it is when new weights come, and lets it go on with what it was writing.

All batches in flight share the engine: what they ask for is one call, oldest batch first, so that the next batch fills
the rows that the longest completions of this one leave free. The trainer's thread pauses that call, gives the engine
its weights, and lets it go on. A batch that has something new to ask interrupts the call as well, and joins it. Every
token that is written between two pauses is of the same weights, and is labelled with their version. The engine reads
again what is written: log-probabilities are those of one set of weights over all of the context.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.rollout.partial.drafts import Drafts, PartialCompletion, Round
from grpo.timing import BusyClock

__all__ = ["Interruptions"]


@dataclass
class _Asked:
    """A round that is being answered, of the batch of a step."""

    step: int
    prompts: Sequence[Sequence[int]]
    params: SamplingParams
    drafts: Drafts
    round: Round
    answers: SimpleQueue[GenerationOutput | Exception] = field(default_factory=SimpleQueue)


class Interruptions:
    """Samples the batches in flight together, in a thread of its own, and pauses that; paused at first."""

    def __init__(self, engine: Engine, busy: BusyClock) -> None:
        """
        Args:
            engine: Samples beside the trainer, and can be interrupted; else a pause waits until it has ended.
            busy: Counts the seconds in which it samples.
        """
        self.engine = engine
        self._busy = busy
        self._version = 0  # of the weights that the engine has
        self._changed = threading.Condition()
        self._asked: list[_Asked] = []
        self._paused, self._running, self._joined, self._closed = True, False, False, False
        self._thread = threading.Thread(target=self._drive, daemon=True, name="engine calls")
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether nothing is sampled until `go_on`."""
        return self._paused

    def pause(self) -> None:
        """Interrupt the engine and wait until it is idle; what it has written is kept."""
        with self._changed:
            self._paused = True
            self.engine.interrupt(True)
            self._changed.wait_for(lambda: not self._running)
            self.engine.interrupt(False)

    def go_on(self, version: int) -> None:
        """Let the engine go on.

        Args:
            version: Number of weight updates of the weights that it has now.
        """
        with self._changed:
            self._version, self._paused = version, False
            self._changed.notify_all()

    def close(self) -> None:
        """Sample nothing more: who waits gets EngineDied."""
        with self._changed:
            self._closed = True
            for asked in self._asked:
                asked.answers.put(_ended())
            self._changed.notify_all()

    def over(self, drafts: Drafts, step: int) -> Engine:
        """An engine for the batch of a step, whose drafts outlive interruptions."""
        return _Continued(self, drafts, step)

    @contextmanager
    def asking(self, asked: _Asked) -> Iterator[None]:
        """Have a round answered, inside."""
        with self._changed:
            if self._closed:
                raise _ended()
            self._asked.append(asked)
            if self._running:
                self._joined = True
                self.engine.interrupt(True)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._asked = [other for other in self._asked if other is not asked]

    def _drive(self) -> None:
        """Make the engine's calls, one after the other."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or not self._paused and bool(self._open()))
                if self._closed:
                    return
                asked, version = self._open(), self._version
                self._running, self._joined = True, False
                self.engine.interrupt(False)
            try:
                with self._busy.running():
                    self._write(asked, version)
            except Exception as error:  # the boundary: it is raised where the batches are sampled
                for one in asked:
                    one.drafts.lost = True
                    one.answers.put(error)
                with self._changed:
                    self._asked = [one for one in self._asked if one not in asked]
            with self._changed:
                self._running = False
                self._changed.notify_all()

    def _open(self) -> list[_Asked]:
        """What has no end yet, oldest batch first."""
        return sorted((asked for asked in self._asked if asked.round.unfinished()), key=lambda asked: asked.step)

    def _write(self, asked: Sequence[_Asked], version: int) -> None:
        """One call of the engine, for all that is asked. Raises: EngineDied."""
        prompts, params, places = _together(asked)
        for output in self.engine.generate(prompts, params):
            one, draft = places[output.prompt, output.sample]
            draft.add(output, version)
            if draft.finished:
                one.answers.put(draft.output())
        if any(one.round.unfinished() for one in asked) and not (self._paused or self._joined):
            raise EngineDied("the engine ended before its completions did, although nothing interrupted it")


class _Continued(Engine):
    """Samples the rounds of one batch, each over as many versions of the weights as it takes."""

    concurrent = True

    def __init__(self, interruptions: Interruptions, drafts: Drafts, step: int) -> None:
        self._interruptions, self._drafts, self._step, self._number = interruptions, drafts, step, 0

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; every completion says which weights sampled it."""
        params.check(prompts)
        found = self._drafts.round(self._number, prompts, params)
        self._number += 1
        unfinished = len(found.unfinished())
        yield from [draft.output() for draft in found.drafts if draft.finished]
        if not unfinished:
            return
        asked = _Asked(self._step, prompts, params, self._drafts, found)
        with self._interruptions.asking(asked):
            for _ in range(unfinished):
                answer = asked.answers.get()
                if isinstance(answer, Exception):
                    raise answer
                yield answer


def _together(
    asked: Sequence[_Asked],
) -> tuple[Sequence[Sequence[int]], SamplingParams, dict[tuple[int, int], tuple[_Asked, PartialCompletion]]]:
    """One call for several rounds.

    Args:
        asked: The rounds, at least one, all with the same limits and temperature.
    Returns: Prompts and parameters; the round and the draft that an output's prompt and sample belong to. A round alone
        of which nothing is written is asked as it was. Else every unfinished draft is a prompt of its own, and the seed
        follows from how much is written, so that other lots are drawn than before.
    """
    first, length = asked[0], sum(one.round.length for one in asked)
    if len(asked) == 1 and not length:
        return first.prompts, first.params, {(d.prompt, d.sample): (first, d) for d in first.round.drafts}
    assert len({(one.params.max_tokens, one.params.temperature, one.params.top_p) for one in asked}) == 1
    rows = [(one, draft) for one in asked for draft in one.round.unfinished()]
    written = tuple(len(draft.token_ids) for _, draft in rows)
    params = replace(first.params, num_samples=1, seed=(first.params.seed + length) % 2**63, written=written)
    contexts = [(*one.prompts[draft.prompt], *draft.token_ids) for one, draft in rows]
    return contexts, params, {(number, 0): row for number, row in enumerate(rows)}


def _ended() -> EngineDied:
    """For a batch that is sampled no further."""
    return EngineDied("sampling has ended before this batch did")
