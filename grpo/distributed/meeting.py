"""How the ranks of one start find each other, and end together where one of them has something to refuse.

They meet in a store that may know ranks of an earlier start: torchrun keeps it over restarts, and the torchrun of each
machine counts its own restarts only. So rank 0 gives its start a name of its own. Every other rank comes to a start
once: a start that this rank has come to before, in a process that is gone, is over, and the next one is waited for.
Rank 0 waits until all have come, and then says whether they begin.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from torch.distributed import DistError, TCPStore  # type: ignore[attr-defined]
from torch.distributed.distributed_c10d import PrefixStore, Store

from grpo.distributed.place import RankPlace
from grpo.errors import GrpoError, HostFailed

__all__ = ["JOINING_S", "RankFailed", "RankLost", "meet", "meet_in", "recurs"]

JOINING_S = 600.0  # until all ranks have to be there
NOTICE_S = 10.0  # after which rank 0 says whom it waits for
HEARD_S = 60.0  # that rank 0 stays for the others to read why it ends: the store may end with it
POLL_S = 0.1
VERDICT, HEARD = "verdict", "heard"  # keys
REFUSED, LOST = "refused", "lost"  # kinds of verdicts; "": all begin
Verdict = tuple[str, str, bool]  # its kind, why, and whether a problem recurs


class RankFailed(HostFailed):
    """Another rank has an error of its own, which all ranks know."""

    def __init__(self, text: str, *, recurs: bool) -> None:
        """
        Args:
            text: The rank, and its error.
            recurs: As that error's own.
        """
        super().__init__(text)
        self.recurs = recurs


class RankLost(HostFailed):
    """Another rank has ended or does not answer."""


def meet(
    place: RankPlace,
    *,
    limit_s: float = JOINING_S,
    problem: Exception | None = None,
    say: Callable[[str], None] = partial(print, flush=True),
) -> Store:
    """Wait for all ranks of this start; their store.

    Args:
        place: Of this rank.
        limit_s: After which ranks that have not come are given up.
        problem: What this rank refuses; no rank begins then.
        say: Told by rank 0 whom it waits for.
    Raises:
        problem: Where there is one, once rank 0 knows it.
        RankFailed: Where another rank has a problem.
        RankLost: Where not all ranks come; with this rank's problem where rank 0 never knew it.
    """
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        store = TCPStore(
            address,
            port,
            is_master=place.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True",
            timeout=timedelta(seconds=limit_s),
            wait_for_workers=False,
            multi_tenant=True,
        )
        return meet_in(PrefixStore(f"ranks-{place.job}", store), place, limit_s=limit_s, problem=problem, say=say)
    except DistError as error:
        if problem is not None and place.rank == 0:
            raise problem from None
        own = "" if problem is None else f". It refuses, too: {problem}"
        raise RankLost(
            f"rank {place.rank} does not reach the other ranks at {address}:{port}, where rank 0 or its torchrun "
            f"listens: look for what rank 0 has said, and whether that port is open between the machines{own}"
        ) from error


def meet_in(
    store: Store, place: RankPlace, *, limit_s: float, problem: Exception | None, say: Callable[[str], None]
) -> Store:
    """As `meet`, in a store that is there; the store of this start. Raises: as `meet`, and DistError."""
    until = time.monotonic() + limit_s
    if place.rank:
        return _come(store, place, until, limit_s, problem)
    name = uuid.uuid4().hex
    start = PrefixStore(name, store)
    if problem is not None:
        start.set(VERDICT, json.dumps([REFUSED, f"rank 0: {problem}", recurs(problem)]))
    store.set(_current(place), name)
    verdict = (REFUSED, "", False) if problem is not None else _wait_for_all(start, place, until, limit_s, say)
    if problem is None:
        start.set(VERDICT, json.dumps(verdict))
    if verdict[0]:
        _wait_until_heard(start, place.size - 1)
    if problem is not None:
        raise problem
    return _begun(start, verdict, None)


def _wait_for_all(start: Store, place: RankPlace, until: float, limit_s: float, say: Callable[[str], None]) -> Verdict:
    """On rank 0: wait until all ranks have come; the verdict."""
    missing, notice = list(range(1, place.size)), time.monotonic() + NOTICE_S
    while missing := [rank for rank in missing if not start.check([f"came-{rank}"])]:
        if time.monotonic() > until:
            text = f"{_named(missing)} of {place.size} ranks has not come within {limit_s:.0f} s"
            return LOST, f"{text}: look at what the torchrun of its machine says", False
        if time.monotonic() > notice:
            say(f"ranks     rank 0 waits for {_named(missing)} of {place.size}, at most {limit_s:.0f} s")
            notice = until
        time.sleep(POLL_S)
    for rank in range(1, place.size):
        if start.check([f"problem-{rank}"]):
            text, again = json.loads(start.get(f"problem-{rank}"))
            return REFUSED, f"rank {rank}: {text}", again
    return "", "", False


def _come(store: Store, place: RankPlace, until: float, limit_s: float, problem: Exception | None) -> Store:
    """On the other ranks: come to the first start that this rank has not come to before, and wait for its verdict."""
    start, known = None, ""
    while time.monotonic() < until:
        name = store.get(_current(place)).decode() if store.check([_current(place)]) else ""
        if name != known:
            known, start = name, PrefixStore(name, store)
            if problem is not None:
                start.set(f"problem-{place.rank}", json.dumps([str(problem), recurs(problem)]))
            if start.add(f"came-{place.rank}", 1) > 1:
                start = None
        if start is not None and start.check([VERDICT]):
            verdict = json.loads(start.get(VERDICT))
            start.add(HEARD, 1)
            return _begun(start, verdict, problem)
        time.sleep(POLL_S)
    own = "" if problem is None else f". It refuses, too: {problem}"
    raise RankLost(
        f"rank {place.rank} has waited {limit_s:.0f} s for rank 0 to begin: look for what that has said{own}"
    )


def recurs(problem: BaseException) -> bool:
    """Whether the same start would come to the same problem; an error of another kind, as a full disk, may not."""
    return isinstance(problem, GrpoError) and problem.recurs


def _begun(start: Store, verdict: Verdict, problem: Exception | None) -> Store:
    """The store of a start, if it is one."""
    kind, text, again = verdict
    if kind == REFUSED:
        raise problem or RankFailed(text, recurs=again)
    if kind == LOST:
        raise RankLost(text)
    return start


def _wait_until_heard(start: Store, others: int) -> None:
    """On rank 0, which is about to end."""
    until = time.monotonic() + HEARD_S
    while time.monotonic() < until and start.add(HEARD, 0) < others:
        time.sleep(POLL_S)


def _current(place: RankPlace) -> str:
    """The key of the name of the newest start of so many ranks."""
    return f"start-of-{place.size}"


def _named(ranks: Sequence[int]) -> str:
    """
    >>> _named([1, 3])
    'rank 1, 3'
    """
    return f"rank {', '.join(map(str, ranks))}"
