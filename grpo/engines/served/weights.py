"""The ways that new weights go to a server.

    SharedFolder  a safetensors file in a folder that trainer and server both see: memory on one machine, a network file
                  system between several. It works wherever vLLM does
    NcclTransfer  vLLM's own transfer: a broadcast from this process's GPU to those of the server. Written from vLLM's
                  sources, never run

Either way the server says what it holds afterwards, and every completion says which weights sampled it: vLLM labels
them with the name that `hand_over` gives, which is a digest of the weights' bits. While weights are on their way, the
label is that of no run: what another run has sampled there meanwhile is not taken for that run's own.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import socket
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import torch
from torch import Tensor

from grpo.engines import EngineDied
from grpo.engines.bit_sum import bit_sum
from grpo.engines.loaded_weights import digest
from grpo.engines.served.connection import Connection
from grpo.engines.served.own_folder import MARK, OwnFolder
from grpo.errors import BadInput

__all__ = ["NcclTransfer", "SharedFolder", "WeightsWay"]

LOADING_S = 900.0  # for a server to take all weights
UNFINISHED = "unfinished-"  # before the name of weights that may not be there as a whole


class WeightsWay(ABC):
    """A way to one or more servers."""

    def __init__(self, dtype: torch.dtype) -> None:
        """
        Args:
            dtype: That weights are sent in.
        """
        self._dtype = dtype
        self._given: dict[str, str] = {}  # the name of the weights that a server was given last, by its address

    def hand_over(self, server: Connection, weights: Mapping[str, Tensor]) -> str:
        """Give a server new weights; the name of these weights, by which it labels what it samples from them.

        Args:
            server: Samples nothing now.
            weights: All of them, by their names in a checkpoint.
        Raises:
            EngineDied: When it fails, or holds other bits than it was given.
        """
        sums = {name: int(bit_sum(tensor.to(self._dtype))) for name, tensor in weights.items()}
        name = digest(sums)
        if not self._has_last(server):
            self.forget(server)  # it was started anew since, or another run has given it weights
        self._given.pop(server.url, None)
        server.post("/update_weight_version", {"new_version": UNFINISHED + name})
        self._send(server, weights, name)
        given = {one: (total, weights[one].numel()) for one, total in sums.items()}
        server.call_workers("grpo_settle", json.dumps(given), timeout_s=LOADING_S)
        server.post("/update_weight_version", {"new_version": name})
        self._given[server.url] = name
        return name

    def _has_last(self, server: Connection) -> bool:
        """Whether a server has the weights that it was given last; copies of a model that disagree say nothing."""
        with contextlib.suppress(EngineDied):
            return bool(server.ask("/weight_info", "weight_version") == self._given.get(server.url))
        return False

    @abstractmethod
    def _send(self, server: Connection, weights: Mapping[str, Tensor], name: str) -> None:
        """Bring the weights to the server."""

    def forget(self, server: Connection) -> None:
        """The server was started anew, or is gone."""

    def close(self) -> None:
        """Remove what is left."""


class SharedFolder(WeightsWay):
    """Files in a new folder inside of one that is shared. Servers that load at the same time read one file.

    What a killed trainer left there is removed by the next one on the same machine.
    """

    def __init__(self, parent: Path, dtype: torch.dtype) -> None:
        """
        Args:
            parent: A folder that the servers see under the same path.
            dtype: As of `WeightsWay`.
        Raises:
            BadInput: When nothing can be written there.
        """
        super().__init__(dtype)
        try:
            self._folder = OwnFolder(parent, "grpo-weights-")
        except OSError as error:
            raise BadInput(f"sampling.weights_folder: {parent} cannot be written: {error.strerror}") from error
        atexit.register(self.close)
        self._lock = threading.Lock()
        self._readers: Counter[Path] = Counter()

    def seen_by(self, server: Connection) -> bool:
        """Whether all workers of a server see the folder."""
        path = self._folder.path
        return set(server.call_workers("grpo_read", str(path / MARK))) == {path.name}

    def _send(self, server: Connection, weights: Mapping[str, Tensor], name: str) -> None:
        with self._file(weights, name) as path:
            server.call_workers("grpo_load", str(path), name, timeout_s=LOADING_S)

    @contextlib.contextmanager
    def _file(self, weights: Mapping[str, Tensor], name: str) -> Iterator[Path]:
        """A file of the weights, removed after its last reader."""
        path = self._folder.path / f"{name}.safetensors"
        with self._lock:
            if not self._readers[path]:
                self._write(weights, path)
            self._readers[path] += 1
        try:
            yield path
        finally:
            with self._lock:
                self._readers[path] -= 1
                if not self._readers[path]:
                    path.unlink(missing_ok=True)

    def _write(self, weights: Mapping[str, Tensor], path: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        tensors = {name: tensor.detach().to("cpu", self._dtype).contiguous() for name, tensor in weights.items()}
        try:
            save_file(tensors, path)
        except (OSError, SafetensorError) as error:
            path.unlink(missing_ok=True)
            size = sum(tensor.nbytes for tensor in tensors.values())
            raise EngineDied(
                f"weights cannot be written to {path}: {error}; {size:,} bytes are needed there: free as many, or give "
                "another folder as sampling.weights_folder"
            ) from error

    def close(self) -> None:
        """Remove the folder."""
        self._folder.remove()
        atexit.unregister(self.close)


class NcclTransfer(WeightsWay):
    """vLLM's weight transfer. Every server has a group of its own with this process, and they take turns.

    Where a server vanishes in the middle of its turn, the others wait until the broadcast fails.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        """
        Args:
            dtype: As of `WeightsWay`.
            device: This process's GPU, to which weights go first that are in its host's memory, as those of ranks are.
        """
        super().__init__(dtype)
        self._device = device
        self._senders: dict[str, Any] = {}  # by the server's address
        self._turn = threading.Lock()  # one broadcast at a time leaves this GPU

    def _send(self, server: Connection, weights: Mapping[str, Tensor], name: str) -> None:
        from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource

        dtype, device = self._dtype, self._device

        class Given(WeightSource):  # type: ignore[misc]
            """The weights, as vLLM asks for them."""

            def metadata(self) -> list[Any]:
                return [ParamMeta(one, dtype, tuple(tensor.shape)) for one, tensor in weights.items()]

            def __iter__(self) -> Iterator[tuple[str, Tensor]]:
                return ((one, tensor.detach().to(device, dtype)) for one, tensor in weights.items())

        with self._turn:
            try:
                sender = self._senders.get(server.url) or self._connect(server, Given())
                sender.source = Given()
                sender.send_weights()
            except (RuntimeError, ValueError, OSError, AssertionError) as error:
                raise EngineDied(f"vLLM's weight transfer failed: {type(error).__name__}: {error}") from error

    def _connect(self, server: Connection, source: Any) -> Any:
        """Open vLLM's group of this process and the server's GPUs."""
        from vllm.distributed.weight_transfer.factory import WeightTransferTrainerFactory
        from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo

        address, port = _address_towards(server.url)
        gpus = int(server.get("/get_world_size")["world_size"])
        info = NCCLTrainerInitInfo(rank=0, master_address=address, master_port=port, world_size=gpus + 1)
        sender = WeightTransferTrainerFactory.trainer_init(info, client=_SyncClient(server), source=source)
        self._senders[server.url] = sender
        return sender

    def forget(self, server: Connection) -> None:
        """As `WeightsWay.forget`: the next weights open a new group."""
        if sender := self._senders.pop(server.url, None):
            sender.shutdown()


class _SyncClient:
    """What vLLM's sender asks of a server, over the connection with its limits of time."""

    def __init__(self, server: Connection) -> None:
        self._server = server

    def init_weight_transfer_engine(self, init_info: Mapping[str, Any]) -> None:
        self._server.post("/init_weight_transfer_engine", {"init_info": init_info}, timeout_s=LOADING_S)

    def start_weight_update(self) -> None:
        self._server.post("/start_weight_update", timeout_s=LOADING_S)

    def update_weights(self, update_info: Mapping[str, Any]) -> None:
        self._server.post("/update_weights", {"update_info": update_info}, timeout_s=LOADING_S)

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        self._server.post("/finish_weight_update", timeout_s=LOADING_S)


def _address_towards(url: str) -> tuple[str, int]:
    """The address of this machine that a server reaches it by, and a free port there."""
    parts = httpx2.URL(url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
        towards.connect((parts.host, parts.port or 80))
        address = str(towards.getsockname()[0])
    with socket.socket() as free:
        free.bind((address, 0))
        return address, int(free.getsockname()[1])
