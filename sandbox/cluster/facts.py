"""What a node's verdicts depend on: they must be those of the pool's own code and limits, and of all other nodes."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits

__all__ = ["NodeFacts", "differences", "limits_here", "shortfalls"]

LEAVE_OUT = "or keep it out of the grading (ray start --num-cpus=0)"


@dataclass(frozen=True)
class NodeFacts:
    """What decides the verdicts of a node."""

    name: str  # of the node, for people
    isolation: Isolation  # with its toolchain
    limits: Limits  # that its programs get
    backend: str
    code: str  # the hash of this package


def limits_here(limits: Limits) -> Limits:
    """The limits that programs really get on this machine: the launcher never asks for more than its caller has.

    >>> limits_here(Limits(run_cpu_s=1)).run_cpu_s
    1
    """
    cpu_s, memory, file = (_most(name) for name in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE))
    return replace(
        limits,
        compile_cpu_s=min(limits.compile_cpu_s, cpu_s),
        run_cpu_s=min(limits.run_cpu_s, cpu_s),
        memory_mb=min(limits.memory_mb, memory >> 20),
        file_mb=min(limits.file_mb, file >> 20),
    )


def _most(name: int) -> int:
    """This process's hard limit."""
    hard = resource.getrlimit(name)[1]
    return 1 << 62 if hard == resource.RLIM_INFINITY else hard


def shortfalls(node: NodeFacts, *, code: str, limits: Limits) -> list[str]:
    """Why a node's verdicts may not be those that its pool asks for, each with what to do; none where they are.

    Args:
        node: What the node has.
        code: The hash of this package where the pool is, under which verdicts are kept.
        limits: What programs are to get.
    """
    had, wanted = asdict(node.limits), asdict(limits)
    return [
        *["it has another version of this project than the run: install the same there"] * (node.code != code),
        *(
            f"its programs get {name} = {had[name]} of {value}: raise what ulimit -H says there, {LEAVE_OUT}"
            for name, value in wanted.items()
            if had[name] != value
        ),
    ]


def differences(first: NodeFacts, other: NodeFacts) -> list[str]:
    """Why another node may give other verdicts than the first one, each with what to do; none where they are equal.

    Code and limits are compared with the pool's (`shortfalls`).
    """
    return list(_differences(first, other))


def _differences(first: NodeFacts, other: NodeFacts) -> Iterator[str]:
    wants, has = first.isolation, other.isolation
    here = f"on {first.name}"
    if (has.toolchain.version, has.toolchain.host) != (wants.toolchain.version, wants.toolchain.host):
        yield (
            f"it has {has.toolchain.version} for {has.toolchain.host}, and {wants.toolchain.version} for "
            f"{wants.toolchain.host} is {here}: install the same toolchain, {LEAVE_OUT}"
        )
    if (has.kind, has.landlock, has.user is None) != (wants.kind, wants.landlock, wants.user is None):
        yield f"it isolates by {has}; {here} by {wants}: use the same kernel and user, {LEAVE_OUT}"
    if other.backend != first.backend:
        yield f"it grades by the backend {other.backend}; {here} by {first.backend}: see its log for why, {LEAVE_OUT}"
