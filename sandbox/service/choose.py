"""Whether programs go to a server: where SANDBOX_URL names one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import ServiceError

if TYPE_CHECKING:
    from sandbox.service.client import RemotePool

__all__ = ["named_pool"]


def named_pool() -> RemotePool | None:
    """The pool of the server that SANDBOX_URL names, with the token SANDBOX_TOKEN; None where it names none.

    Raises: ServiceError, with what to do.

    >>> pool = named_pool() or SandboxPool()  # doctest: +SKIP
    """
    url = os.environ.get("SANDBOX_URL", "")
    if not url:
        return None
    from sandbox.service.client import RemotePool  # here: nothing of it is loaded where it is not used

    try:
        return RemotePool(url, os.environ.get("SANDBOX_TOKEN", ""))
    except ValueError as error:
        raise ServiceError(f"SANDBOX_URL: {error}") from error
