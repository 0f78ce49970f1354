"""Whether programs go to a server: where SANDBOX_URL names one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import ServiceError
from sandbox.service.access import TOKEN_VARIABLE

if TYPE_CHECKING:
    from sandbox.service.client import RemotePool

__all__ = ["named_pool"]

_token = ""  # that the environment gave last


def named_pool() -> RemotePool | None:
    """The pool of the server that SANDBOX_URL names, with the token SANDBOX_TOKEN; None where it names none.

    The token is taken out of the environment, so that no process which is started later inherits it, and kept for later
    calls.

    Raises: ServiceError, with what to do.

    >>> pool = named_pool() or SandboxPool()  # doctest: +SKIP
    """
    global _token
    url = os.environ.get("SANDBOX_URL", "")
    if not url:
        return None
    from sandbox.service.client import RemotePool  # here: nothing of it is loaded where it is not used

    _token = os.environ.pop(TOKEN_VARIABLE, _token)
    try:
        return RemotePool(url, _token)
    except ValueError as error:
        raise ServiceError(f"SANDBOX_URL: {error}") from error
