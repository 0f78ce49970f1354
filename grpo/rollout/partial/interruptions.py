"""Stops an engine where it is when new weights come, and lets it go on with what it was writing.

The trainer's thread pauses sampling, gives the engine its weights, and lets sampling go on; the thread that samples
waits meanwhile, in the middle of a batch or before one. Every token that the engine writes in between is of the same
weights, and is labelled with their version. The engine's cache was computed by the old weights, so what is written is
computed again under the new ones: log-probabilities are those of one set of weights over all of the context.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.rollout.partial.drafts import Drafts
from grpo.timing import BusyClock

__all__ = ["Interruptions"]


class Interruptions:
    """Pauses and continues what an engine samples in another thread; paused at first."""

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
        self._paused, self._running, self._closed = True, False, False

    @property
    def paused(self) -> bool:
        """Whether nothing is sampled until `go_on`."""
        return self._paused

    def pause(self) -> None:
        """Interrupt the engine and wait until it is idle; what it has written is kept."""
        with self._changed:
            self._paused = True
        self.engine.interrupt(True)
        with self._changed:
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
            self._changed.notify_all()

    def over(self, drafts: Drafts) -> Engine:
        """An engine for one batch, whose drafts outlive interruptions."""
        return _Continued(self, drafts)

    @contextmanager
    def running(self) -> Iterator[int]:
        """Sample inside, once that is allowed; the version of the weights that do."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._paused)
            if self._closed:
                raise EngineDied("sampling has ended before this batch did")
            self._running, version = True, self._version
        try:
            with self._busy.running():
                yield version
        finally:
            with self._changed:
                self._running = False
                self._changed.notify_all()


class _Continued(Engine):
    """Samples the rounds of one batch, each over as many versions of the weights as it takes."""

    concurrent = True

    def __init__(self, interruptions: Interruptions, drafts: Drafts) -> None:
        self._interruptions, self._drafts, self._number = interruptions, drafts, 0

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; every completion says which weights sampled it."""
        params.check(prompts)
        found = self._drafts.round(self._number, prompts, params)
        self._number += 1
        yield from [draft.output() for draft in found.drafts if draft.finished]
        while found.unfinished():
            asked, settings, drafts = found.request(prompts, params)
            with self._interruptions.running() as version:
                try:
                    for output in self._interruptions.engine.generate(asked, settings):
                        draft = drafts[output.prompt, output.sample]
                        draft.add(output, version)
                        if draft.finished:
                            yield draft.output()
                    if found.unfinished() and not self._interruptions.paused:
                        raise EngineDied("the engine ended before its completions did, although nothing interrupted it")
                except EngineDied:
                    self._drafts.lost = True
                    raise
