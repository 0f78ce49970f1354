"""Keeps an engine usable for a run: brings it new weights, and starts it again, once, when it dies.

An engine that dies twice before one batch is complete stops the run: the second time it would only die again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from grpo.engines import Engine, EngineDied

__all__ = ["RestartingEngine"]

Result = TypeVar("Result")


class RestartingEngine:
    """An engine, its weight sync, and what to do when it dies."""

    def __init__(
        self,
        engine: Engine,
        *,
        sync: Callable[[Callable[[str], None]], Mapping[str, float]] | None,
        frees_cuda_cache: bool,
        say: Callable[[str], None],
    ) -> None:
        """
        Args:
            engine: Samples; it is its owner's to close.
            sync: Brings the policy's weights to the engine, and warns the one it is given; None if the engine samples
                with the policy's own.
            frees_cuda_cache: Whether the engine takes new memory of the GPU after every `sync`, which torch's cache in
                this process may hold.
            say: Told when the engine is started again, and what `sync` warns of.
        """
        self.engine = engine
        self.sync = sync
        self.say = say
        self.on_death: Callable[[], Callable[[bool], None]] = (
            lambda: _nothing
        )  # waits for what fails, returns its repetition, which is told whether the engine kept its weights
        self._frees_cuda_cache = frees_cuda_cache
        self._restarted = False  # since the last complete batch

    def with_restart(self, action: Callable[[], Result]) -> Result:
        """Do something with the engine. If it dies, restart it with the weights it had and do it once more.

        An engine that cannot keep them over a restart gets the current ones.

        Raises:
            EngineDied: When it dies again.
        """
        try:
            return action()
        except EngineDied as error:
            self._restart(error)
            return action()

    def sync_weights(self) -> Mapping[str, float]:
        """Bring the current weights to the engine.

        Returns: The metrics of that; none where the engine has the policy's own weights.
        """
        if not self.sync:
            return {}
        if self._frees_cuda_cache:
            torch.cuda.empty_cache()
        return self.with_restart(self._sync)

    def batch_is_complete(self) -> None:
        """The engine did its work; if it dies later, it is restarted again."""
        self._restarted = False

    def _restart(self, error: EngineDied) -> None:
        if self._restarted:
            raise error
        self._restarted = True
        self.say(f"{error}\nstarting the engine again; what it was sampling is sampled again")
        sample_again = self.on_death()
        torch.cuda.empty_cache()  # a new engine takes all of its memory again; nothing happens without a GPU
        kept = self.engine.restart()
        if not kept:
            self._sync()
        sample_again(kept)

    def _sync(self) -> Mapping[str, float]:
        return self.sync(self.say) if self.sync else {}


def _nothing(kept: bool) -> None:
    """What there is to sample again where nothing was in flight."""
