"""Feeds one tracker with what a run logs, in a thread of its own: one that waits for a server keeps no other waiting.

A tracker that fails is told of once. It is closed, opened again after a minute, then after two, four, and so on up to
ten minutes, and gets what it missed; when that works, it is told of once more.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from grpo_rust.following.news import RunNews
from grpo_rust.following.sent import FOLDER, Sent
from grpo_rust.following.trackers import TrackedRun, Tracker, open_tracker

__all__ = ["Feeder", "feed_until"]

LOOK_EVERY_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 600.0  # after a failure

Opening = Callable[[str, TrackedRun, dict[str, str], Callable[[str], None]], Tracker]


class Feeder:
    """One tracker of a run. Opens it when there is something to send."""

    def __init__(
        self,
        name: str,
        run: TrackedRun,
        say: Callable[[str], None],
        *,
        opening: Opening = open_tracker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            name: The tracker's.
            run: What it follows.
            say: Told what a person should know.
            opening: Opens the tracker.
            clock: Seconds.
        """
        self.name, self._run, self._say, self._opening, self._clock = name, run, say, opening, clock
        self._sent = Sent.load(run.path, name, run.place(name))
        self._news = RunNews(run.path)
        self._tracker: Tracker | None = None
        self._failed = False
        self._pause_s, self._next_try = FIRST_PAUSE_S, 0.0

    def feed(self, *, last: bool = False) -> None:
        """Send what is new, unless a failure was too short ago.

        Args:
            last: Whether the run has ended: everything is sent now, and the tracker closed.
        """
        if self._failed and not last and self._clock() < self._next_try:
            return
        try:
            self._send(last=last)
            if last:
                self._close()
        except Exception as error:  # whatever a tracker raises: the others and the run go on
            self._fail(error, last=last)
        finally:
            with suppress(OSError):  # a full disk: what follows is sent twice then
                self._sent.save()

    def _send(self, *, last: bool) -> None:
        """Send the readings that the tracker does not have."""
        for reading in self._news.read(last=last):
            if self._sent.has(reading):
                continue
            tracker = self._opened()
            take = tracker.evaluation if reading.evaluates else tracker.metrics
            take(reading.step, reading.values)
            self._sent.note(reading)
            if self._failed:
                self._failed, self._pause_s = False, FIRST_PAUSE_S
                self._say(f"{self.name} works again, and gets what it missed")

    def _opened(self) -> Tracker:
        """The tracker, which is opened where it is not."""
        if self._tracker is None:
            self._tracker = self._opening(self.name, self._run, self._sent.memory, self._say)
            self._sent.is_open = True
        return self._tracker

    def _close(self) -> None:
        """Close the tracker, also one that an earlier process could not close: it may lack what it was sent."""
        if self._tracker is None and not self._sent.is_open:
            return
        tracker, self._tracker = self._opened(), None
        tracker.close()
        self._sent.is_open = False

    def _fail(self, error: Exception, *, last: bool) -> None:
        """Close the tracker, and begin at the start of the logs with the next try: `Sent` says what is old."""
        traceback.print_exc()
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            with suppress(Exception):
                tracker.close()
        self._news = RunNews(self._run.path)
        self._next_try = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        what = f"{self.name} does not take the metrics ({_in_short(error)})"
        if last:
            again = f"python -m grpo_rust.following {self._run.path} sends the rest"
            self._say(f"{what}: {again}; {FOLDER}.log has the details")
        elif not self._failed:
            self._say(f"{what}: the run goes on, and they are sent when it works again; {FOLDER}.log has the details")
        self._failed = True


def feed_until(ended: threading.Event, feeders: list[Feeder], *, most_s: float) -> bool:
    """Feed every tracker in its own thread until the event is set; then send the rest.

    Args:
        ended: Set when nothing more will be logged.
        feeders: One a tracker.
        most_s: How long the rest may take.
    Returns: Whether every tracker was closed by then.
    """

    def work(feeder: Feeder) -> None:
        while not ended.wait(LOOK_EVERY_S):
            feeder.feed()
        feeder.feed(last=True)

    threads = [threading.Thread(target=work, args=(feeder,), name=feeder.name, daemon=True) for feeder in feeders]
    for thread in threads:
        thread.start()
    ended.wait()
    until = time.monotonic() + most_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _in_short(error: Exception) -> str:
    """An exception in one line of at most 200 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 200 else f"{text[:197]}..."
