"""When a node may be tried again: soon after it was lost, later after it was refused, and each time twice as late.

A node that has graded for longer than it would rest begins with the shortest rest again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Resting"]

SHORT_S, LONG_S, LONGEST_S = 1.0, 60.0, 600.0


class Resting:
    """Nodes that are not tried for a while.

    >>> now = 0.0
    >>> resting = Resting(lambda: now)
    >>> resting.begin("a", long=False); resting.is_over("a"), resting.is_over("b")
    (False, True)
    >>> now = 1.0; resting.is_over("a")
    True
    >>> resting.begin("a", long=False); now = 2.5; resting.is_over("a")
    False
    >>> resting.begin("a", long=False, graded_s=30.0); now = 3.5; resting.is_over("a")
    True
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def begin(self, node: str, *, long: bool, graded_s: float = 0.0) -> None:
        """A node rests from now on.

        Args:
            node: Which.
            long: Whether it was refused, and not lost.
            graded_s: How long it has graded since its last rest, seconds.
        """
        if graded_s > self._pauses.get(node, 0.0):
            self._pauses.pop(node, None)
        pause_s = max(LONG_S if long else SHORT_S, self._pauses.get(node, 0.0))
        self._until[node] = self._clock() + pause_s
        self._pauses[node] = min(2 * pause_s, LONGEST_S)

    def is_over(self, node: str) -> bool:
        """Whether a node may be tried."""
        return self._clock() >= self._until.get(node, 0.0)
