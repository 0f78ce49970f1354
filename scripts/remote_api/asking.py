"""Many requests, several at once. A stop sends no more, and waits for what was sent: it is paid for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

from tqdm import tqdm

from remote_api.endpoint import Endpoint, Stopped
from remote_api.journal import Journal, Slot
from remote_api.reply import Answer

__all__ = ["Prices", "Questioner", "Usage", "ask_all", "usage_of"]


@dataclass(frozen=True)
class Usage:
    """Tokens of answers."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens."""

    into: float = 0.0
    out: float = 0.0

    def usd(self, usage: Usage) -> float:
        """What tokens cost.

        >>> Prices(2.0, 8.0).usd(Usage(500_000, 250_000))
        3.0
        """
        return (usage.prompt_tokens * self.into + usage.completion_tokens * self.out) / 1e6


def usage_of(answers: Iterable[Answer]) -> Usage:
    """The tokens of answers, added up."""
    return sum((Usage(answer.prompt_tokens, answer.completion_tokens) for answer in answers), Usage())


class Questioner:
    """What the jobs of `ask_all` ask with, from several threads."""

    def __init__(
        self, endpoint: Endpoint, journal: Journal, body: Mapping[str, Any], prices: Prices, *, keep_raw: bool
    ) -> None:
        """
        Args:
            endpoint: Who is asked.
            journal: Has the answers that are known, and keeps the others.
            body: Further fields of every request.
            prices: Of tokens, for the bar.
            keep_raw: Whether the journal keeps each answer as the API sent it, beside what was read from it.
        """
        self.stop = threading.Event()
        self._endpoint, self._journal, self._body, self._prices = endpoint, journal, body, prices
        self._keep_raw = keep_raw
        self._lock = threading.Lock()
        self._usage = usage_of(journal.answers.values())  # earlier sessions included
        self._bar: Any = None

    @property
    def has_answers(self) -> bool:
        """Whether the endpoint has answered anything yet, so that a refusal may be about one request alone."""
        return bool(self._journal.answers)

    def ask(self, slot: Slot, messages: Sequence[Mapping[str, str]]) -> Answer:
        """The answer to a question: the journal's if it has one, else the endpoint's, which it has when this returns.

        Args:
            slot: The name of the question in the journal.
            messages: The chat.
        Raises: As `Endpoint.ask`.
        """
        known = self._journal.answers.get(slot)
        if known is not None:
            self._count(Usage())
            return known
        answer = self._endpoint.ask(messages, self._body, self.stop)
        if not self._keep_raw:
            answer = replace(answer, raw={})
        self._journal.add(slot, answer)
        self._count(usage_of([answer]))
        return answer

    def skip(self, count: int) -> None:
        """So many questions are not going to be asked."""
        with self._lock:
            self._bar.total -= count
            self._bar.refresh()

    def show(self, bar: Any) -> None:
        """Count on a bar from now on."""
        self._bar = bar
        self._postfix()

    def _count(self, usage: Usage) -> None:
        """One more answer, for so many new tokens."""
        with self._lock:
            self._usage += usage
            self._postfix()
            self._bar.update()

    def _postfix(self) -> None:
        shown: dict[str, Any] = {"in": self._usage.prompt_tokens, "out": self._usage.completion_tokens}
        if self._prices.into or self._prices.out:
            shown["usd"] = f"{self._prices.usd(self._usage):.4f}"
        self._bar.set_postfix(shown, refresh=False)


def ask_all(
    questioner: Questioner, jobs: Sequence[Callable[[Questioner], None]], *, num_answers: int, at_once: int
) -> None:
    """Run jobs that ask, several at once; afterwards the journal has every answer that they asked for.

    Args:
        questioner: What they ask with.
        jobs: Each may ask several times, one after the other.
        num_answers: How many answers they ask for together, at most: the length of the bar.
        at_once: Jobs, and so requests, under way at the same time.
    Raises:
        Refused: Where a request is refused.
        EndpointFailed: Where one is not answered. In both cases, and when interrupted, the answers to what was sent
            are kept. So too for any other exception of a job.
    """

    def run(job: Callable[[Questioner], None]) -> None:
        try:
            job(questioner)
        except Exception:
            questioner.stop.set()  # here, before this thread takes the next job
            raise

    with (
        tqdm(total=num_answers, unit="answer", dynamic_ncols=True) as bar,
        ThreadPoolExecutor(at_once) as pool,
    ):
        questioner.show(bar)
        running: list[Future[None]] = [pool.submit(run, job) for job in jobs]
        try:
            for done in as_completed(running):
                if isinstance(done.exception(), Stopped):
                    continue  # another job failed, and comes
                done.result()
            bar.refresh()
        except BaseException as error:
            questioner.stop.set()
            if isinstance(error, KeyboardInterrupt):
                bar.write("stopping: waiting for the answers that are on their way", file=sys.stderr)
            pool.shutdown(wait=True, cancel_futures=True)
            raise
