"""What one client may ask of the endpoint at once; `sandbox.limits` has what one program may use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = ["ServiceLimits"]


def _limit(default: int, doc: str) -> Any:
    """A field with what `--help` says of it."""
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class ServiceLimits:
    """Each is a whole number above 0.

    >>> ServiceLimits(max_waiting=64).largest_request
    32
    """

    max_connections: int = _limit(256, "connections at once; a further one gets a 503")
    max_waiting: int = _limit(1024, "programs that wait for their verdicts; beyond it requests get a 429")
    max_programs: int = _limit(256, "programs of one request")
    max_program_kb: int = _limit(4096, "KiB of text of one program; the pool fails those above its own limit")
    max_body_kb: int = _limit(16_384, "KiB of a request's body")
    max_header_kb: int = _limit(16, "KiB of a request's line and headers")
    header_s: int = _limit(10, "seconds for a request's line and headers")
    body_s: int = _limit(60, "seconds for a request's body")
    answer_s: int = _limit(60, "seconds for a client to take its answer")
    idle_s: int = _limit(120, "seconds that a connection may be kept without a request")

    def __post_init__(self) -> None:
        """Refuse limits that would let nothing pass."""
        for name, value in asdict(self).items():
            if value < 1:
                raise ValueError(f"{name} is {value}; give a whole number above 0")

    @property
    def largest_client(self) -> int:
        """Programs that may wait for one client: half of all, so that no client fills the queue."""
        return max(1, self.max_waiting // 2)

    @property
    def largest_request(self) -> int:
        """Programs of one request that can ever be accepted."""
        return min(self.max_programs, self.largest_client)

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """Add a flag for each limit to a parser."""
        for limit in fields(cls):
            flag = f"--{limit.name.replace('_', '-')}"
            text = f"{limit.metadata['doc']} ({limit.default})"
            parser.add_argument(flag, type=int, default=limit.default, metavar="N", help=text)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> ServiceLimits:
        """The limits that the flags name. Raises: ValueError for one below 1."""
        return cls(**{limit.name: arguments[limit.name] for limit in fields(cls)})
