"""What samples for a recipe outside of the trainer's GPU."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpo
from grpo.engines import Engine, EngineDied
from grpo.engines.served.command import ENVIRONMENT, serve_command
from grpo.engines.served.connection import Connection, WrongServer
from grpo.engines.served.engine import ServedEngine
from grpo.engines.served.handshake import Needed, shape_of
from grpo.engines.served.owned import START_S, OwnedEngine, OwnServer
from grpo.engines.served.weights import NcclTransfer, SharedFolder, WeightsWay
from grpo.engines.several import Several
from grpo.engines.vllm import TESTED, require_vllm
from grpo.errors import BadInput
from grpo.model.policy import Policy
from grpo_rust.recipe import Recipe
from grpo_rust.serving.gpus import gpus_of_engine, refuse_division

__all__ = ["build_engine_elsewhere", "refuse_own_server", "refuse_servers"]

MEMORY = Path("/dev/shm")


def build_engine_elsewhere(
    recipe: Recipe, policy: Policy, log: Path, *, max_tokens: int, max_rows: int, cache_bytes: int
) -> Engine:
    """What samples for a recipe that has `sampling.servers` or `sampling.data_parallel`.

    Args:
        recipe: The settings.
        policy: Whose completions are sampled.
        log: For the output of a server of our own.
        max_tokens: Of prompt and completion together.
        max_rows: Completions sampled at once.
        cache_bytes: The KV cache of as many, for a server of our own on a CPU; on a GPU it takes what is free.
    Raises:
        EngineDied: When no engine can be started.
        BadInput: When a server cannot sample for this run, or there are too few GPUs.
    """
    if recipe.sampling.servers:
        return _servers(recipe, policy, max_tokens=max_tokens, say=_say)
    require_vllm()
    refuse_own_server(recipe, policy)
    environment = _environment(recipe, policy)
    options = _options(recipe, max_tokens=max_tokens, max_rows=max_rows, cache_bytes=cache_bytes, policy=policy)
    on_gpu = policy.device.type == "cuda"

    def command(port: int) -> list[str]:
        return serve_command(recipe.model.path, [*options, "--port", str(port)], on_gpu=on_gpu)

    server = OwnServer(command, environment, log, start_s=START_S)
    return OwnedEngine(server, **_settings(recipe, policy, max_tokens=max_tokens))


def refuse_servers(recipe: Recipe, policy: Policy, *, max_tokens: int) -> None:
    """Check that the servers of a recipe can sample for it.

    Raises:
        BadInput: When one that answers cannot. A run that is resumed leaves out one that answers as another program.
        EngineDied: When none answers.
    """
    _servers(recipe, policy, max_tokens=max_tokens, say=lambda _: None).close()


def refuse_own_server(recipe: Recipe, policy: Policy) -> None:
    """Check that a server of our own can be started. Raises: BadInput for too few GPUs, and heads without division."""
    refuse_division(policy.model.config.get_text_config(), recipe.sampling.tensor_parallel)
    _environment(recipe, policy)


def _servers(recipe: Recipe, policy: Policy, *, max_tokens: int, say: Callable[[str], None]) -> Several:
    """The engines of the servers that a recipe names. Raises: As `refuse_servers`."""
    sampling, settings = recipe.sampling, _settings(recipe, policy, max_tokens=max_tokens)
    makers: dict[str, Callable[[], Engine]] = {
        url: partial(ServedEngine, url, **settings) for url in sampling.addresses()
    }
    if recipe.run.resume:
        makers = {url: partial(_once_right, make) for url, make in makers.items()}
    return Several(makers, say=say, straggler=sampling.straggler, wait_s=sampling.wait_for_servers_s)


def _once_right(make: Callable[[], Engine]) -> Engine:
    """The engine of a server that a run has sampled with: where that answers as another one, it is not back yet.

    A server or proxy that is just starting may answer so. Raises: EngineDied then, in place of BadInput.
    """
    try:
        return make()
    except BadInput as error:
        if isinstance(error.__cause__, WrongServer):
            raise EngineDied(str(error)) from error
        raise


def _settings(recipe: Recipe, policy: Policy, *, max_tokens: int) -> dict[str, Any]:
    """What an engine is told of the run, whoever started its server."""
    return {
        "stop_ids": sorted(policy.stop_ids),
        "needed": Needed(
            vllm=TESTED,
            model=shape_of(policy.model.config.get_text_config()),
            dtype=recipe.model.dtype,
            max_tokens=max_tokens,
            group_size=recipe.sampling.group_size,
        ),
        "way": _ways(recipe, policy),
        "stuck_after_s": recipe.sampling.stuck_after_s,
    }


def _ways(recipe: Recipe, policy: Policy) -> Callable[[Connection, dict[str, Any]], WeightsWay]:
    """What chooses the way to a server: NCCL between GPUs where it was started for that, else a folder."""
    folder = recipe.sampling.weights_folder
    nccl = NcclTransfer(policy.compute_dtype, policy.device)
    made: list[SharedFolder] = []  # one for all servers, when the first of them needs it
    making = threading.Lock()  # servers are started at the same time

    def way(server: Connection, found: dict[str, Any]) -> WeightsWay:
        if not folder and found["transfer"] == "nccl" and policy.device.type == "cuda":
            return nccl
        with making:
            if not made:
                made.append(SharedFolder(Path(folder) if folder else MEMORY, policy.compute_dtype))
        (shared,) = made
        if not shared.seen_by(server):
            raise BadInput(
                f"the server {server.url} does not see this machine's {folder or MEMORY}, by which it would get "
                "weights: give sampling.weights_folder, a folder that both see under one path"
            )
        return shared

    return way


def _options(recipe: Recipe, *, max_tokens: int, max_rows: int, cache_bytes: int, policy: Policy) -> list[str]:
    """What a server of our own is told."""
    sampling = recipe.sampling
    copies = max(1, sampling.data_parallel)
    options = {
        "--host": "127.0.0.1",
        "--dtype": recipe.model.dtype,
        "--max-model-len": max_tokens,
        "--max-num-seqs": -(-max_rows // copies),
        "--tensor-parallel-size": sampling.tensor_parallel,
        "--data-parallel-size": copies,
    }
    if policy.device.type != "cuda" or sampling.kv_cache_gb:
        options["--kv-cache-memory-bytes"] = cache_bytes
    given = [word for name, value in options.items() for word in (name, str(value))]
    return given if sampling.cuda_graphs else [*given, "--enforce-eager"]


def _environment(recipe: Recipe, policy: Policy) -> dict[str, str]:
    """What a server of our own finds in its environment. Raises: BadInput for too few GPUs."""
    path = [str(Path(grpo.__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path), "VLLM_LOGGING_LEVEL": "WARNING"}
    count = recipe.sampling.tensor_parallel * max(1, recipe.sampling.data_parallel)
    if policy.device.type == "cuda":
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus_of_engine(count))
    return environment


def _say(text: str) -> None:
    print(text, flush=True)
