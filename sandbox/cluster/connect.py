"""Reaches a Ray cluster, or starts a small Ray of our own; what fails says what to do.

A Ray of our own has no dashboard; `sandbox.cluster.environment` has what else keeps it to itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from sandbox.cluster.address import ADVICE, check_address
from sandbox.errors import ClusterError

__all__ = ["connected"]

STORE_BYTES = 80 << 20  # for objects, which tasks and results are too small to be; Ray takes no less than 75 MiB
STACK = re.compile(r"[;.]?[^;.]*Traceback \(most recent call last\)")  # with the words that announce it
STARTS = 2  # on a machine that is busy the first one may take too long for Ray's patience
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}


@contextmanager
def connected(address: str, jobs: int) -> Iterator[str]:
    """Be connected to Ray.

    Args:
        address: "" for a Ray of our own, "auto" for the one that was started on this machine, HOST:PORT or ray://...
        jobs: The CPUs of a Ray of our own.
    Returns: A context manager with the address, which disconnects at the end, or ends the Ray of our own.
    Raises: ClusterError.
    """
    check_address(address)
    try:
        yield _connect(address) if address else _start(jobs)
    finally:
        ray.shutdown()


def _connect(address: str) -> str:
    """Connect to a cluster that runs. Raises: ClusterError."""
    try:
        context = ray.init(address=address, **QUIET)
    except Exception as error:  # of many kinds: what Ray says goes to the user, with what to do
        raise ClusterError(
            f"no Ray cluster can be used at {address}: {_causes(error)}. Check it, or {ADVICE}"
        ) from error
    return address if address.startswith("ray://") else str(context.address_info["gcs_address"])


def _start(jobs: int) -> str:
    """Start Ray on this machine, for this pool alone. Raises: ClusterError."""
    own: dict[str, Any] = {"num_gpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    failed: Exception | None = None
    for _ in range(STARTS):
        try:
            num_cpus = jobs or len(os.sched_getaffinity(0))
            context = ray.init(address="local", num_cpus=num_cpus, **own, **QUIET)
            return str(context.address_info["gcs_address"])
        except Exception as error:  # as above
            failed = error
            ray.shutdown()
    raise ClusterError(f"Ray does not start on this machine: {_causes(failed)}") from failed


def _causes(error: BaseException | None) -> str:
    """What an error and its causes say, each in one line and without the stacks that Ray adds.

    >>> _causes(ConnectionError("Nobody answers. Last error: Traceback (most recent call last): File ..."))
    'Nobody answers'
    """
    said = []
    while error is not None:
        text = " ".join(STACK.split(str(error), maxsplit=1)[0].split())[:600]
        said.append(text or type(error).__name__)
        error = error.__cause__
    return "; ".join(dict.fromkeys(said))
