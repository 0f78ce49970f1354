"""The environment of Ray's processes, which read it when they load Ray: a driver has to be started with it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

__all__ = ["KEPT_CHILDREN", "driver_environment"]

# A worker of the sandbox whose pool is gone ends its programs and removes its files: Ray must not kill it before that.
KEPT_CHILDREN = {"RAY_kill_child_processes_on_worker_exit": "false"}
SOON = {  # what does not answer is said within seconds
    "RAY_CLIENT_MAX_CONNECTION_ATTEMPTS": "1",
    "RAY_gcs_server_request_timeout_seconds": "15",
}


def driver_environment(address: str) -> Mapping[str, str]:
    """What a driver needs beside what is there.

    Args:
        address: "" for a Ray of its own: with a token that nobody else has, without statistics for others, and without
            Ray's own watch over this machine's memory, which would kill pools for what a training takes.
    """
    if address:
        return SOON
    return {
        **KEPT_CHILDREN,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_memory_monitor_refresh_ms": "0",
        "RAY_gcs_server_port_wait_time_s": "90",  # on a busy machine
    }
