"""What ranks tell each other beside their computations: that they live, and that one of them was asked to stop.

Both stand in the store by which the ranks have found each other. A rank waits for rank 0's next order without a limit,
since nothing says how long rank 0 may sample, and a computation waits long for a rank that has much to do; where a
machine is gone or a process is frozen, only the beat tells. Rank 0 hears all others, these hear rank 0. Left out: ranks
that live and hang in a computation, which the group's own limit ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import partial

from torch.distributed.distributed_c10d import Store

from grpo.run.stacks import Silence

__all__ = ["HOST_FAILED", "Pulse"]

BEAT, STOP = "beat-", "stop"  # keys
EVERY_S = 3.0
PATIENCE_S = 120.0
HOST_FAILED = 3  # the exit code of a process that is ended here


class Pulse:
    """Two threads: one that beats and listens, and one that judges what the first has heard.

    A call of the store may wait for ever where the machine of the store is gone. `close` it before the process ends: a
    thread that is in the store then would abort it.
    """

    def __init__(
        self,
        store: Store,
        *,
        rank: int,
        size: int,
        patience_s: float = PATIENCE_S,
        on_lost: Callable[[str], None] | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        """
        Args:
            store: Of all ranks.
            rank: Of this process.
            size: The number of ranks.
            patience_s: Without a beat, after which a rank is lost.
            on_lost: Called with a text then; None: say it on stderr and end this process, whatever it waits in.
            every_s: Between two beats.
        """
        self.stop_asked = False  # on rank 0: another rank was asked to stop
        self._asks = False
        self._store, self._rank, self._every_s, self._patience_s = store, rank, every_s, patience_s
        self._on_lost = on_lost or _end
        self._heard = dict.fromkeys([0] if rank else range(1, size), b"")
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True, name="pulse") for one in (self._beat, self._judge)]
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Tell rank 0 that its step is to be the last one; a thread does that."""
        self._asks = True

    def close(self) -> None:
        """End the threads, but for one that waits in the store for what never comes."""
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * self._every_s)

    def _beat(self) -> None:
        count = 0
        while not self._ended.wait(self._every_s):
            count += 1
            try:
                self._store.set(f"{BEAT}{self._rank}", str(count))
                if self._asks:
                    self._store.set(STOP, "1")
                    self._asks = False
                if not self._rank:
                    self.stop_asked = self.stop_asked or self._store.check([STOP])
                for other in self._heard:
                    if self._store.check([f"{BEAT}{other}"]):
                        self._heard[other] = self._store.get(f"{BEAT}{other}")
            except RuntimeError:  # the store is gone: silence, too
                return

    def _judge(self) -> None:
        # Time in which this process did not run is no silence: all may have been paused together.
        silences = {other: Silence(partial(self._heard.__getitem__, other)) for other in self._heard}
        while not self._ended.wait(self._every_s):
            for other, silence in silences.items():
                if (silent_s := silence.seconds()) > self._patience_s:
                    text = f"rank {other} has given no sign of life for {silent_s:.0f} s: rank {self._rank} ends"
                    self._on_lost(text)
                    return


def _end(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
    os._exit(HOST_FAILED)
