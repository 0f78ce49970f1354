"""Any engine in a process of its own: it samples while this process trains, and its crash does not end this process.

Prompts and completions travel through a pipe, weights through one buffer that both processes map: shared memory on a
CPU, CUDA IPC on one GPU. Both processes add up the buffer's bits at every hand-over, and the sums must agree. The child
is spawned and ends when this process does. What it and its libraries print goes to a log, whose end is quoted if it
dies. One that neither answers nor computes is asked for its stacks, killed, and counts as dead. Left out: more than one
child, other machines.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing  # teaches pickle to share tensors
from torch import Tensor

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.bit_sum import bit_sum
from grpo.errors import BadInput
from grpo.run.out_of_memory import ran_out_of_memory, sampling_advice
from grpo.run.stacks import Silence, ask_for_stacks, show_stacks_on_signal

__all__ = ["EngineProcess", "end_of"]

QUOTED_LINES = 15
ENDING_S = 20.0  # for a child that was asked to end, before it is killed
LOOK_EVERY_S = 1.0
STUCK_AFTER_S = 300.0
FIRST = 6  # times as long for what a child does for the first time: it loads libraries, compiles, records graphs
WORD = 8  # bytes; the weight buffer is filled up to whole words with zeros, so that its bits are added without a copy


class EngineProcess(Engine):
    """Starts `make()` in a child process and passes every call on to it."""

    concurrent = True

    def __init__(
        self,
        make: Callable[[], Engine],
        *,
        dtype: torch.dtype,
        log: Path,
        threads: int = 0,
        stuck_after_s: float = STUCK_AFTER_S,
    ) -> None:
        """
        Args:
            make: Builds the engine in the child; picklable.
            dtype: That weights are sent in.
            log: A file for the child's output.
            threads: Of torch in the child; 0 for its default.
            stuck_after_s: Seconds without an answer and without a step of the engine after which the child is stuck; 6
                times as many for what it does for the first time. 0: it is waited for without a limit.
        Raises:
            EngineDied: When the child cannot build the engine.
            BadInput: For an allocator whose memory cannot be shared.
        """
        _refuse_expandable_segments()
        self._make, self._dtype, self._log, self._threads = make, dtype, log, threads
        self._stuck_after_s = stuck_after_s
        self._buffer: _WeightBuffer | None = None
        self._sent = False  # whether this child has the buffer
        self._sampling = False
        self._interrupt: Any = torch.multiprocessing.get_context("spawn").Value("b", False, lock=False)
        self._start()

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`; the child samples from the first `next` on."""
        params.check(prompts)
        self._send("generate", [tuple(prompt) for prompt in prompts], params)
        finished, self._sampling = False, True
        try:
            while (completion := self._receive()) is not None:
                yield completion
            finished = True
        except (EngineDied, ValueError):  # nothing follows
            finished = True
            raise
        finally:
            if not finished and not self._connection.closed:  # the caller stopped iterating
                self._send("stop")
                while self._receive() is not None:
                    pass
            self._sampling = False

    def interrupt(self, asked: bool) -> None:
        """As `Engine.interrupt`: the child reads it after every step."""
        self._interrupt.value = asked

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`.

        Raises:
            EngineDied: Also when the child reads other bits in the buffer than were written into it.
        """
        if self._buffer is None:
            weights = [(name, tensor.to(self._dtype)) for name, tensor in weights]
            self._buffer = _WeightBuffer.for_weights(weights, self._dtype)
        self._buffer.fill(weights)
        self._hand_over()

    def _hand_over(self) -> None:
        """Let the child take the weights that are in the buffer."""
        assert self._buffer is not None
        written = self._buffer.bit_sum()
        self._send("load_weights", None if self._sent else self._buffer)
        self._sent = True
        if (read := self._receive()) != written:
            raise EngineDied(
                f"the engine's process reads other weights than were handed over: the bits of the shared buffer add up "
                f"to {read} there and to {written} here, so the memory is not shared. A new engine gets them again; if "
                "that fails too, use sampling.own_process=false"
            )

    def sleep(self) -> None:
        """As `Engine.sleep`; the buffer is freed too."""
        self._send("sleep")
        self._receive()
        self._buffer, self._sent = None, False
        if torch.cuda.is_available():
            torch.cuda.ipc_collect()

    def restart(self) -> bool:
        """As `Engine.restart`; the new child gets the weights that the old one had, which the buffer still holds."""
        self._kill()
        self._sent = False  # the buffer stays: on a GPU, memory that a killed child had mapped is never given back
        self._start()
        if self._buffer is None:
            return False
        self._hand_over()
        return True

    def close(self) -> None:
        """End the child and wait for it; one that is still sampling is killed, since nobody wants what it samples."""
        if self._process.is_alive() and not self._sampling:
            try:
                self._connection.send(("close",))
            except OSError:
                pass
            self._process.join(ENDING_S)
        self._kill()
        self._buffer = None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return int(self._process.pid or 0)

    def _start(self) -> None:
        """Spawn the child and wait until its engine is ready."""
        context = torch.multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._steps: Any = context.Value("Q", 0, lock=False)  # of the engine; only the child writes it
        self._asked, self._answered = "start", set[str]()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._process = context.Process(
            target=_serve,
            args=(theirs, self._steps, self._interrupt, self._make, str(self._log), os.getpid(), self._threads),
            daemon=True,
            name="engine",
        )
        resource_tracker.ensure_running()  # else the start does it, and lets SIGINT through to the child
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()  # with Ctrl-C blocked from its first instruction: that is ours to interpret
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._receive()

    def _send(self, *message: Any) -> None:
        """Send a request. A child that does not read it is killed: more than a pipe holds would never be sent."""
        if message[0] != "stop":
            self._asked = message[0]
        stuck: list[EngineDied] = []
        unread = threading.Timer(self._stuck_after_s, lambda: stuck.append(self._stuck(self._stuck_after_s)))
        unread.daemon = True
        if self._stuck_after_s:
            unread.start()
        try:
            self._connection.send(message)
        except OSError as error:
            raise (stuck[0] if stuck else self._death()) from error
        finally:
            unread.cancel()

    def _receive(self) -> Any:
        """The next message of the child; its exceptions are raised here."""
        try:
            self._wait()
            kind, value = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._death() from error
        if kind != "completion":
            self._answered.add(self._asked)
        if kind == "refused":
            raise ValueError(value)
        if kind == "failed":
            advice = f". {sampling_advice()}" if ran_out_of_memory(str(value)) else ""
            raise EngineDied(f"the engine failed: {value}{advice}")
        return value

    def _wait(self) -> None:
        """Wait for a message of the child, as long as it seems to live. Raises: EngineDied."""
        allowed = self._stuck_after_s * (1 if self._asked in self._answered else FIRST)
        silence = Silence(lambda: self._steps.value)
        while not self._connection.poll(LOOK_EVERY_S):
            if allowed and silence.seconds() > allowed:
                raise self._stuck(allowed)

    def _stuck(self, seconds: float) -> EngineDied:
        """The error for a child that does nothing any more, which is killed."""
        about = ask_for_stacks(self.pid)
        self._process.kill()
        return EngineDied(
            f"the engine's process {self.pid} is stuck: asked to {self._asked}, it neither answered nor computed for "
            f"{seconds:g} s (sampling.stuck_after_s); {about}; it was killed; the end of {self._log}:\n"
            f"{end_of(self._log)}"
        )

    def _death(self) -> EngineDied:
        """The error for a child that has gone."""
        self._process.join(ENDING_S)
        code = self._process.exitcode
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        how = "does not answer and does not end" if code is None else how
        return EngineDied(f"the engine's process {how}; the end of {self._log}:\n{end_of(self._log)}")

    def _kill(self) -> None:
        """End the child by force, if it still runs."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._connection.close()


class _WeightBuffer:
    """All weights end to end in one tensor that two processes map; made once, filled before every load."""

    def __init__(self, flat: Tensor, names: tuple[tuple[str, torch.Size], ...]) -> None:
        self._flat, self._names = flat, names

    @classmethod
    def for_weights(cls, weights: Sequence[tuple[str, Tensor]], dtype: torch.dtype) -> _WeightBuffer:
        """An empty buffer for weights of these names and shapes."""
        size = sum(tensor.numel() for _, tensor in weights)
        size += -size % (WORD // dtype.itemsize)
        flat = torch.zeros(size, dtype=dtype, device=weights[0][1].device).share_memory_()
        return cls(flat, tuple((name, tensor.shape) for name, tensor in weights))

    @torch.no_grad()
    def fill(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """Copy weights in, cast to the buffer's type."""
        for (name, place), (given, tensor) in zip(self, weights, strict=True):
            assert name == given
            place.copy_(tensor)
        if self._flat.is_cuda:
            torch.cuda.synchronize()

    def bit_sum(self) -> int:
        """The sum of all bits, as `grpo.engines.bit_sum`; waits for a GPU."""
        return int(bit_sum(self._flat.view(-1, WORD // self._flat.element_size())))

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """Every weight by name, a view."""
        sizes = [shape.numel() for _, shape in self._names]
        parts = self._flat[: sum(sizes)].split(sizes)
        for (name, shape), part in zip(self._names, parts, strict=True):
            yield name, part.view(shape)


ForkingPickler.register(_WeightBuffer, lambda buffer: (_WeightBuffer, (buffer._flat, buffer._names)))


def _serve(
    connection: Connection,
    steps: Any,
    interrupt: Any,
    make: Callable[[], Engine],
    log: str,
    parent: int,
    threads: int,
) -> None:
    """The child: build the engine, serve requests until there are no more."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    show_stacks_on_signal()
    torch.set_num_threads(threads or torch.get_num_threads())

    def count() -> None:
        steps.value += 1

    try:
        engine = make()
        engine.on_step = count
        engine.interrupted = lambda: bool(interrupt.value)
    except Exception as error:  # the boundary: whatever it was goes to the parent
        traceback.print_exc()
        connection.send(("failed", str(error)))
        return
    connection.send(("ready", None))
    requests = _Requests(engine, connection)
    while True:
        try:
            verb, *arguments = connection.recv()
        except EOFError:  # the parent is gone
            verb, arguments = "close", []
        if verb == "close" or os.getppid() != parent:
            engine.close()
            return
        if verb == "stop":  # too late: everything was sent
            continue
        try:
            connection.send(("done", getattr(requests, verb)(*arguments)))
        except Exception as error:
            traceback.print_exc()
            refused = verb == "generate" and isinstance(error, ValueError)
            said = str(error) if refused or isinstance(error, EngineDied) else f"{type(error).__name__}: {error}"
            connection.send(("refused" if refused else "failed", said))


class _Requests:
    """What the child is asked to do: a method of each name. What one returns is the end of its answer."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self._engine, self._connection = engine, connection
        self._weights: _WeightBuffer | None = None

    def load_weights(self, weights: _WeightBuffer | None) -> int:
        """Take the weights of a buffer, None for the one before. Returns: Their sum, as they were read."""
        self._weights = weights if weights is not None else self._weights
        assert self._weights is not None
        self._engine.load_weights(iter(self._weights))
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()  # the parent refills the buffer as soon as it has its reply
        return self._weights.bit_sum()

    def sleep(self) -> None:
        """Give memory back."""
        self._weights = None  # views of the buffer
        self._engine.sleep()

    def generate(self, *arguments: Any) -> None:
        """Send completions as they end, until the parent sends something."""
        for completion in self._engine.generate(*arguments):
            self._connection.send(("completion", completion))
            if self._connection.poll():
                break


def _refuse_expandable_segments() -> None:
    """Refuse an allocator setting whose memory cannot be handed to another process everywhere."""
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        if torch.cuda.is_available() and "expandable_segments:true" in os.environ.get(name, "").lower():
            raise BadInput(
                f"{name}={os.environ[name]}: with expandable segments an engine in a process of its own cannot be "
                f"given weights on a GPU: unset {name}, or use sampling.own_process=false"
            )


def end_of(log: Path) -> str:
    """The last lines of a file."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-QUOTED_LINES:]) or "(empty)"
    except OSError:
        return "(there is none)"
