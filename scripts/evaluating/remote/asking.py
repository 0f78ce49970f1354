"""All requests of an evaluation, several at once. A stop sends no more, and waits for what was sent: it is paid for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from evaluating.remote.endpoint import Answer, Endpoint, Stopped
from evaluating.remote.journal import Journal
from grpo.rollout.records import Example

__all__ = ["Prices", "ask_all"]


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens."""

    into: float = 0.0
    out: float = 0.0

    def usd(self, answers: Sequence[Answer]) -> float:
        """What answers cost.

        >>> Prices(2.0, 8.0).usd([Answer("", "stop", 500_000, 250_000)])
        3.0
        """
        into = sum(answer.prompt_tokens for answer in answers)
        out = sum(answer.completion_tokens for answer in answers)
        return (into * self.into + out * self.out) / 1e6


def ask_all(
    endpoint: Endpoint,
    journal: Journal,
    examples: Sequence[Example],
    body: Mapping[str, Any],
    *,
    num_samples: int,
    at_once: int,
    prices: Prices,
) -> None:
    """Ask for every answer that the journal lacks; afterwards it has them all.

    Args:
        endpoint: Who is asked.
        journal: Keeps the answers.
        examples: The prompts.
        body: Further fields of every request.
        num_samples: Answers to each prompt, each by a request of its own.
        at_once: Requests under way at the same time.
        prices: Of tokens, for the bar.
    Raises:
        BadInput: Where a request is refused.
        EndpointFailed: Where one is not answered. In both cases, and when interrupted, the answers to what was sent
            are kept.
    """
    slots = [(example, sample) for example in examples for sample in range(num_samples)]
    missing = [(example, sample) for example, sample in slots if (example.id, sample) not in journal.answers]
    stop = threading.Event()

    def ask(example: Example, sample: int) -> None:
        try:
            journal.add((example.id, sample), endpoint.ask(example.messages, body, stop))
        except Exception:
            stop.set()  # here, before this thread takes the next request
            raise

    with (
        tqdm(total=len(slots), initial=len(slots) - len(missing), unit="answer", dynamic_ncols=True) as bar,
        ThreadPoolExecutor(at_once) as pool,
    ):
        _show(bar, journal, prices)
        asked: list[Future[None]] = [pool.submit(ask, example, sample) for example, sample in missing]
        try:
            for done in as_completed(asked):
                if isinstance(done.exception(), Stopped):
                    continue  # another request failed, and comes
                done.result()
                bar.update()
                _show(bar, journal, prices)
        except BaseException as error:
            stop.set()
            if isinstance(error, KeyboardInterrupt):
                bar.write("stopping: waiting for the answers that are on their way", file=sys.stderr)
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _show(bar: Any, journal: Journal, prices: Prices) -> None:
    """Tokens and dollars so far, those of earlier sessions included."""
    answers = list(journal.answers.values())
    shown = {
        "in": sum(answer.prompt_tokens for answer in answers),
        "out": sum(answer.completion_tokens for answer in answers),
    }
    usd = {"usd": f"{prices.usd(answers):.4f}"} if prices.into or prices.out else {}
    bar.set_postfix({**shown, **usd})
