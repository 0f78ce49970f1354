"""One call of `generate`, divided among engines: who samples what, what is missing, and what is sampled again.

Each engine gets whole groups, and a thread that reads what it samples. Where one dies, others sample what is missing
again, from the same seeds. Fresh seeds would favour short completions: of those more had ended before the death.

    engines that seed prompts   the prompts that miss a completion are divided among the others; which engines there are
                                and which of them die changes no completion, up to rounding
    other engines               another one samples the whole part again, since its completions depend on each other;
                                what had ended already comes out the same and is dropped, up to rounding

A call that is interrupted ends with what all of them have by then. Where one died in it, what that one had not ended
would go on from other seeds, so the call has failed as a whole; not where nothing goes on (`SamplingParams.goes_on`).
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams

__all__ = ["NEVER_STARTED", "SharedEngine", "SharedCall", "divided", "none_left"]

NEVER_STARTED = "it was never started"
LOOK_EVERY_S = 0.5  # for stragglers
ENDING_S = 20.0  # for the thread that reads from an engine that was given up
LEAST_S = 30.0  # no engine is a straggler before

Event = tuple["_Job", GenerationOutput | Exception | None]


class SharedEngine:
    """One of several engines: alive, or with what it died of. It starts dead."""

    def __init__(self, name: str, make: Callable[[], Engine]) -> None:
        self.name, self._make = name, make
        self.made: Engine | None = None
        self.failure = NEVER_STARTED  # empty while it lives
        self.reader: threading.Thread | None = None  # of the last call

    @property
    def engine(self) -> Engine:
        """The engine, once it was started."""
        assert self.made is not None
        return self.made

    def start(self) -> None:
        """Start it, also again. Raises: EngineDied, and what the engine's maker raises."""
        if self.reader is not None:
            self.reader.join(ENDING_S)
            if self.reader.is_alive():
                raise EngineDied("it was given up, and has not noticed yet")
        if self.made is None:
            self.made = self._make()
        else:
            self.made.restart()
        self.failure = ""


@dataclass(eq=False)
class _Job:
    """A part of the prompts, given to an engine."""

    member: SharedEngine
    prompts: Sequence[int]  # their places in the call
    began: float = field(default_factory=time.monotonic)
    longest: int = 0  # tokens of a completion of it, so far
    stopped: bool = False  # nobody wants what it samples


class SharedCall:
    """A call that engines share. `completions` is used once."""

    def __init__(
        self,
        members: Sequence[SharedEngine],
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        *,
        straggler: float,
        on_death: Callable[[SharedEngine, EngineDied], None],
        interrupted: Callable[[], bool],
    ) -> None:
        """
        Args:
            members: Engines; the dead ones get nothing.
            prompts: As of `Engine.generate`.
            params: As of `Engine.generate`.
            straggler: An engine that takes so many times as long as the longest completion that may be would take the
                slowest of those that are done, when they are half of all, is given up; 0: none is.
            on_death: Told of every engine that dies; it has to mark the member as dead.
            interrupted: Whether the engines were told to end early.
        """
        self._members, self._prompts, self._params = members, prompts, params
        self._straggler, self._on_death, self._interrupted = straggler, on_death, interrupted
        self._seeded = all(member.engine.seeds_prompts for member in self._alive())
        self._missing = {(prompt, k) for prompt in range(len(prompts)) for k in range(params.num_samples)}
        self._again: set[tuple[int, int]] = set()  # those that were not ended where an engine died
        self._waiting = deque(divided(range(len(prompts)), len(self._alive())))
        self._jobs: dict[SharedEngine, _Job] = {}
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._token_s = 0.0  # for a token of the longest completion of a job, of the slowest of those that are done
        self.resampled = 0  # completions that had to be sampled again

    def completions(self) -> Iterator[GenerationOutput]:
        """Every completion once, when it ends, or is interrupted.

        Raises:
            EngineDied: When no engine is left; when a call that goes on is interrupted before what a dead one left is
                made again.
            ValueError: What an engine refuses.
        """
        try:
            while self._missing:
                self._begin()
                job, item = self._next_event()
                if isinstance(item, GenerationOutput):
                    yield from self._wanted(job, item)
                elif item is None:
                    self._done(job)
                elif isinstance(item, EngineDied):
                    self._lost(job, item)
                else:
                    raise item
        finally:
            for job in self._jobs.values():
                job.stopped = True
            for member in self._jobs:
                assert member.reader is not None
                member.reader.join()  # to the end of its next completion: an engine takes one call at a time

    def _alive(self) -> list[SharedEngine]:
        return [member for member in self._members if not member.failure]

    def _begin(self) -> None:
        """Give the parts that wait to engines that have nothing to do."""
        for member in self._alive():
            if self._waiting and member not in self._jobs:
                job = self._jobs[member] = _Job(member, self._waiting.popleft())
                member.reader = threading.Thread(target=self._read, args=(job,), daemon=True, name=member.name)
                member.reader.start()
        if not self._jobs:
            raise EngineDied(none_left(self._members))

    def _read(self, job: _Job) -> None:
        """Read what an engine samples; in a thread of its own."""
        prompts = [self._prompts[place] for place in job.prompts]
        end: Exception | None = None
        try:
            stream: Any = job.member.engine.generate(prompts, self._seeds_of(job.prompts))
            with closing(stream):
                for completion in stream:
                    self._events.put((job, completion))
                    if job.stopped:
                        break
        except Exception as error:  # the boundary: whatever it was is raised by the one who reads the events
            end = error
        self._events.put((job, end))

    def _seeds_of(self, places: Sequence[int]) -> SamplingParams:
        """How a part is sampled; the same part always from the same seeds."""
        numbers = self._params.numbers or range(len(self._prompts))
        written = tuple(self._params.written[place] for place in places) if self._params.written else ()
        params = replace(self._params, written=written)
        if self._seeded:
            return replace(params, numbers=tuple(numbers[place] for place in places))
        seed = hash((params.seed, *(numbers[place] for place in places))) & (2**63 - 1)
        return replace(params, seed=seed, numbers=())

    def _next_event(self) -> Event:
        """What an engine has sampled, or that its job has ended; waited for. A straggler counts as dead."""
        while True:
            if late := self._find_straggler():
                seconds = time.monotonic() - late.began
                late.member.engine.abandon()
                return late, EngineDied(
                    f"it is given up: it has sampled for {seconds:.0f} s, and the slowest of the others would need "
                    f"{self._longest_s(late):.0f} s for the longest completion that may be (sampling.straggler)"
                )
            try:
                job, item = self._events.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if self._jobs.get(job.member) is job:  # else it was given up
                return job, item

    def _find_straggler(self) -> _Job | None:
        """A job that takes far longer than all that are done, where half of the engines have nothing left to do."""
        if not self._straggler or not self._token_s or self._waiting or 2 * len(self._jobs) > len(self._alive()):
            return None
        for job in self._jobs.values():
            if time.monotonic() - job.began > max(LEAST_S, self._straggler * self._longest_s(job)):
                return job
        return None

    def _longest_s(self, job: _Job) -> float:
        """Seconds that the slowest engine that is done would need for the longest completion that a job may have."""
        return self._token_s * max(self._params.limit(place) for place in job.prompts)

    def _wanted(self, job: _Job, completion: GenerationOutput) -> Iterator[GenerationOutput]:
        """The completion under its prompt's place in the call, unless it is there already."""
        row = (job.prompts[completion.prompt], completion.sample)
        job.longest = max(job.longest, len(completion.token_ids))
        if row in self._missing:
            self._missing.remove(row)
            if not completion.finished:
                self._refuse_interrupted([row])
            yield replace(completion, prompt=row[0])

    def _done(self, job: _Job) -> None:
        """An engine says that it has sampled all of a part, or what there is of it where it was interrupted."""
        rows = [row for row in self._missing if row[0] in job.prompts]
        if rows and not self._interrupted():
            self._lost(job, EngineDied("it ended a call before all of its completions"))
        else:
            self._refuse_interrupted(rows)
            self._missing.difference_update(rows)  # nothing is written of them
            del self._jobs[job.member]
            if job.longest:
                self._token_s = max(self._token_s, (time.monotonic() - job.began) / job.longest)

    def _lost(self, job: _Job, error: EngineDied) -> None:
        """An engine died: what is missing of its part waits for the others."""
        del self._jobs[job.member]
        self._on_death(job.member, error)
        rows = [row for row in self._missing if row[0] in job.prompts]
        self.resampled += len(rows)
        self._again.update(rows)
        if rows and self._seeded:
            self._waiting.extend(divided(sorted({place for place, _ in rows}), len(self._alive())))
        elif rows:
            self._waiting.append(tuple(job.prompts))

    def _refuse_interrupted(self, rows: Iterable[tuple[int, int]]) -> None:
        """Raise EngineDied where completions with no end are ones that an engine left that died.

        They would go on from other seeds, and those of the same engine that had ended would not: short ones would
        become more. Where nothing goes on, all that there is of them comes from the same seeds.
        """
        if self._params.goes_on and not self._again.isdisjoint(rows):
            raise EngineDied("new weights came before what an engine left that died was sampled again by others")


def divided(places: Sequence[int], parts: int) -> list[tuple[int, ...]]:
    """Places dealt out to so many parts, as evenly as can be; none of them is empty.

    >>> divided(range(5), 2), divided([3], 4), divided([3, 4], 0)
    ([(0, 2, 4), (1, 3)], [(3,)], [(3, 4)])
    """
    count = min(max(parts, 1), len(places))
    return [tuple(places[start::count]) for start in range(count)]


def none_left(members: Sequence[SharedEngine]) -> str:
    """Why nothing can be sampled: what every engine died of."""
    reasons = "\n".join(f"  {member.name}: {member.failure}" for member in members)
    return f"no engine is left, of {len(members)}:\n{reasons}"
