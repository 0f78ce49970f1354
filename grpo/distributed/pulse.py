"""What ranks tell each other beside their computations: that rank 0 lives, and that one of them was asked to stop.

Both stand in the store by which the ranks have found each other. A rank waits for rank 0's next order without a limit,
since nothing says how long rank 0 may sample; where its machine is gone or its process is frozen, only the beat tells.
Left out: ranks that hang in a computation, which the group's own limit ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from torch.distributed.distributed_c10d import Store

from grpo.run.stacks import Silence

__all__ = ["HOST_FAILED", "Pulse"]

BEAT, STOP = "beat", "stop"  # keys
EVERY_S = 3.0
HOST_FAILED = 3  # the exit code of a process that is ended here


class Pulse:
    """A thread that beats on rank 0; two on the others, one that listens and one that judges what the first has heard.

    A call of the store may wait for ever where the machine of the store is gone. `close` it before the process ends: a
    thread that is in the store then would abort it.
    """

    def __init__(
        self,
        store: Store,
        *,
        leads: bool,
        patience_s: float,
        on_lost: Callable[[str], None] | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        """
        Args:
            store: Of all ranks.
            leads: Whether this is rank 0.
            patience_s: Without a beat, after which rank 0 is lost.
            on_lost: Called with a text then; None: say it on stderr and end this process, whatever it waits in.
            every_s: Between two beats.
        """
        self.stop_asked = False  # on rank 0: another rank was asked to stop
        self._asks = False
        self._store, self._every_s, self._patience_s = store, every_s, patience_s
        self._on_lost = on_lost or _end
        self._heard = b""
        self._ended = threading.Event()
        work = (self._beat,) if leads else (self._listen, self._judge)
        self._threads = [threading.Thread(target=one, daemon=True, name="pulse") for one in work]
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Tell rank 0 that its step is to be the last one; its thread does that."""
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
                self._store.set(BEAT, str(count))
                self.stop_asked = self.stop_asked or self._store.check([STOP])
            except RuntimeError:  # the store is gone, and with it the other ranks or torchrun: their calls say so
                return

    def _listen(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                if self._asks:
                    self._store.set(STOP, "1")
                    self._asks = False
                if self._store.check([BEAT]):
                    self._heard = self._store.get(BEAT)
            except RuntimeError:  # the store is gone: silence, too
                return

    def _judge(self) -> None:
        silence = Silence(lambda: self._heard)  # in which this process ran: all may have been paused together
        while not self._ended.wait(self._every_s):
            if (silent_s := silence.seconds()) > self._patience_s:
                self._on_lost(f"rank 0 has given no sign of life for {silent_s:.0f} s: this rank ends")
                return


def _end(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
    os._exit(HOST_FAILED)
