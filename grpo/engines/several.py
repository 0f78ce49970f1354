"""Several engines as one: each call is divided among those that live.

One that dies while it samples is left out, and the others sample what it still had to (`shared_call`): no completion is
lost, none comes twice. It is tried again whenever new weights come, so no two engines ever sample one batch from
different weights. Every engine gets the weights, and each of them is proved. When none is left, EngineDied is raised.
Left out: engines that come or go by themselves, and prompts dealt out by the speed of the engines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from torch import Tensor

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.shared_call import NEVER_STARTED, SharedCall, SharedEngine, none_left
from grpo.errors import BadInput
from grpo.run.stuck import note_progress

__all__ = ["Several"]

Result = TypeVar("Result")
RETRY_S = 2.0  # between two looks whether an engine is back


class Several(Engine):
    """Engines by their names, and what is known of each."""

    concurrent = True

    def __init__(
        self,
        makers: Mapping[str, Callable[[], Engine]],
        *,
        say: Callable[[str], None],
        straggler: float = 0.0,
        wait_s: float = 0.0,
    ) -> None:
        """
        Args:
            makers: What makes each engine, by the name that messages have for it.
            say: Told when an engine dies and when it is back.
            straggler: As of `SharedCall`.
            wait_s: Seconds that `restart` waits for the first engine to come back.
        Raises:
            EngineDied: When none can be started.
            BadInput: When one says that it never can.
        """
        self._members = [SharedEngine(name, make) for name, make in makers.items()]
        self._say, self._straggler, self._wait_s = say, straggler, wait_s
        self._deaths, self._resampled = 0, 0  # since the last `metrics`
        try:
            self._everywhere(self._members, SharedEngine.start)
        except BaseException:
            self.close()
            raise
        self.seeds_prompts = all(member.engine.seeds_prompts for member in self._alive())

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; each engine gets a part of the prompts."""
        params.check(prompts)
        call = SharedCall(
            self._members,
            prompts,
            params,
            straggler=self._straggler,
            on_death=self._bury,
            interrupted=lambda: self.interrupted(),
        )
        try:
            yield from call.completions()
        finally:
            self._resampled += call.resampled

    def probe(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams
    ) -> Sequence[tuple[str, Sequence[GenerationOutput]]]:
        """As `Engine.probe`: every engine that lives samples all of the prompts."""
        made = self._everywhere(self._alive(), lambda member: member.engine.probe(prompts, params))
        return [(f"{name} {part}".strip(), found) for name, parts in made.items() for part, found in parts]

    def interrupt(self, asked: bool) -> None:
        """As `Engine.interrupt`, for all engines."""
        super().interrupt(asked)
        for member in self._members:
            if member.made is not None:
                member.made.interrupt(asked)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`, for all engines at the same time; those that died are tried again first."""
        given = list(weights)

        def load(member: SharedEngine) -> None:
            if member.failure:
                self._revive(member)
            member.engine.load_weights(given)

        self._everywhere(self._members, load)

    def sleep(self) -> None:
        """As `Engine.sleep`."""
        self._everywhere(self._alive(), lambda member: member.engine.sleep())

    def restart(self) -> bool:
        """As `Engine.restart`; waits until one engine is back. Raises: EngineDied when none comes in time."""
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                self._everywhere(self._members, lambda member: self._revive(member) if member.failure else None)
                return False
            except EngineDied:
                if time.monotonic() > deadline:
                    raise
            note_progress()  # it has a limit of its own, which may be the longer one
            time.sleep(RETRY_S)

    def metrics(self) -> Mapping[str, float]:
        """As `Engine.metrics`."""
        found = {
            "engines/alive": float(len(self._alive())),
            "engines/deaths": float(self._deaths),
            "engines/resampled": float(self._resampled),
        }
        self._deaths, self._resampled = 0, 0
        return found

    def close(self) -> None:
        """End them all. Raises: What the last of those that fail raises, when every one was tried."""
        with ExitStack() as closing:
            for member in self._members:
                if member.made is not None:
                    closing.callback(member.made.close)

    def _alive(self) -> list[SharedEngine]:
        return [member for member in self._members if not member.failure]

    def _revive(self, member: SharedEngine) -> None:
        """Start a dead engine again. Raises: EngineDied, also where it has become one that cannot be used."""
        try:
            member.start()
        except BadInput as error:
            raise EngineDied(str(error)) from error
        member.engine.interrupt(self.interrupted())
        self._say(f"engine {member.name} is back")

    def _bury(self, member: SharedEngine, error: EngineDied) -> None:
        """Leave an engine out from now on, and say so the first time."""
        if member.failure in ("", NEVER_STARTED):
            self._say(f"engine {member.name} is left out until the next weights find it again: {error}")
            self._deaths += 1
        member.failure = str(error) or "it died"

    def _everywhere(self, members: Sequence[SharedEngine], do: Callable[[SharedEngine], Result]) -> dict[str, Result]:
        """Do something with engines at the same time; what it gave, by the names of those that survived it.

        Raises:
            EngineDied: When none did.
        """
        results: dict[str, Result] = {}
        if members:
            with ThreadPoolExecutor(len(members)) as pool:
                for member, future in [(member, pool.submit(do, member)) for member in members]:
                    try:
                        results[member.name] = future.result()
                    except EngineDied as error:
                        self._bury(member, error)
        if not results:
            raise EngineDied(none_left(self._members))
        return results
