"""Ends a call of an engine after some seconds, so that a step does not wait for its longest completions.

What has no end by then is cut where it is: a completion that was truncated, as by the limit of tokens, only at a length
that the clock decides. So a run with a deadline is no function of its recipe, and long completions are cut more often
than short ones.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from grpo.engines import Engine, GenerationOutput, SamplingParams

__all__ = ["WithDeadline"]


class WithDeadline(Engine):
    """An engine that samples for so many seconds a call, and one step more for what has no token by then."""

    def __init__(self, engine: Engine, seconds: float) -> None:
        """
        Args:
            engine: One that can be interrupted; nothing else calls it meanwhile.
            seconds: For each call.
        """
        self._engine, self._seconds = engine, seconds

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; every completion has at least one token, and those that are not `finished` were cut."""
        missing = {(prompt, sample) for prompt in range(len(prompts)) for sample in range(params.num_samples)}
        timer = threading.Timer(self._seconds, self._engine.interrupt, [True])
        timer.daemon = True
        timer.start()
        try:
            for output in self._engine.generate(prompts, replace(params, goes_on=False)):
                missing.discard((output.prompt, output.sample))
                yield output
        finally:
            timer.cancel()
            timer.join()  # it may be interrupting just now
            self._engine.interrupt(False)
        if missing:
            yield from self._first_tokens(sorted(missing), prompts, params)

    def _first_tokens(
        self, missing: Sequence[tuple[int, int]], prompts: Sequence[Sequence[int]], params: SamplingParams
    ) -> Iterator[GenerationOutput]:
        """A token for each completion that had none, by other lots: those of the first call were never drawn."""
        asked = replace(params, num_samples=1, max_tokens=1, seed=(params.seed + 1) % 2**63)
        for output in self._engine.generate([prompts[prompt] for prompt, _ in missing], asked):
            prompt, sample = missing[output.prompt]
            yield replace(output, prompt=prompt, sample=sample, finished=output.terminated)
